"""What the command line of a headless run takes, and what its help says."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from research.sweeping.arguments import SweepArguments, add_sweep_options, sweep_arguments

Drive = Literal["auto", "step", "compiled"]

_DESCRIPTION = """\
Run one backtest without a window: bars, bot and exit by a configuration file, the rules by docs/simulation.md.
Prints a summary table and writes a run folder (manifest, tables, report.html, equity.png).
"""
_EPILOGUE = """\
examples:
  %(prog)s --config configs/sample.yaml
  %(prog)s --config configs/sample.yaml --set bot.ema_span=34 --set assets.ES_SYN.slippage_ticks=2
  %(prog)s --config configs/sample.yaml --start 2024-01-02 --end 2024-01-31 --seed 7
  %(prog)s --config configs/sample.yaml --bot my_bots.py:MyBot --set bot.span=20 --drive step
  %(prog)s --config configs/sample.yaml --bounds
  %(prog)s --config configs/sample.yaml --check-lookahead
  %(prog)s --config configs/sample.yaml --json --no-save | jq .statistics.net_profit
  %(prog)s --sweep configs/sweep.yaml --workers 4

--set takes any key of docs/reference/configuration.md; bot.x and exit.x mean settings, assets.ES.x the asset ES.
The same configuration, data, seed and version give the same fills and equity, to the last bit.

exit codes: 0 done; 2 an error, said in a sentence or two; 130 stopped by Ctrl-C or SIGTERM, what was done is kept.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """One command line, parsed; ``overrides`` are ``key=value`` texts in the order given; ``sweep`` goes before all."""

    config: Path | None
    bot: str | None
    exit: str | None
    overrides: tuple[str, ...]
    bounds: bool
    drive: Drive
    check_lookahead: bool
    save: bool
    json: bool
    quiet: bool
    list: bool
    version: bool
    sweep: SweepArguments | None = None


def parse(argv: Sequence[str], program: str | None = None) -> Arguments:
    """``argv`` (without the program's name) as ``Arguments``; prints help, or what is wrong, and exits as argparse."""
    parser = _parser(program)
    given = parser.parse_args(argv)
    sweep = _sweep(parser, given)
    if sweep is None and given.config is None and not (given.list or given.version):
        parser.error("--config is missing; configs/ holds some, and --help shows examples")
    return Arguments(
        config=given.config,
        bot=given.bot,
        exit=given.exit,
        overrides=tuple(_overrides(given)),
        bounds=given.bounds,
        drive=given.drive,
        check_lookahead=given.check_lookahead,
        save=given.save,
        json=given.json,
        quiet=given.quiet,
        list=given.list,
        version=given.version,
        sweep=sweep,
    )


def _sweep(parser: argparse.ArgumentParser, given: argparse.Namespace) -> SweepArguments | None:
    """The options of a sweep, which mean nothing without one."""
    if given.sweep is not None:
        if given.config is not None:
            parser.error("--sweep and --config are both given; the sweep file names its base configuration")
        out = None if given.out is None else Path(given.out)
        return sweep_arguments(parser, given, file=given.sweep, out=out)
    alone = {"--workers": given.workers, "--ray": given.ray, "--open-best": given.open_best}
    named = [name for name, value in alone.items() if value is not None] + ["--dry-run"] * given.dry_run
    if named:
        parser.error(f"{named[0]} belongs to a sweep; name its file with --sweep")
    return None


def _overrides(given: argparse.Namespace) -> list[str]:
    """The options that stand for a key, then ``--set``, which goes before them."""
    keys = {"start": given.start, "end": given.end, "seed": given.seed, "simulation.path": given.path}
    keys |= {"output.folder": given.out, "output.report": {None: None, True: "true", False: "false"}[given.report]}
    return [f"{key}={value}" for key, value in keys.items() if value is not None] + list(given.set)


def _parser(program: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program,
        usage="%(prog)s --config FILE [options]",
        description=_DESCRIPTION,
        epilog=_EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_run_options(parser.add_argument_group("what is run"))
    _add_how_options(parser.add_argument_group("how it is run"))
    _add_output_options(parser.add_argument_group("what comes out"))
    sweep = parser.add_argument_group("a sweep in place of one run (docs/sweeps.md)")
    sweep.add_argument("--sweep", type=Path, metavar="FILE", help="sweep file, such as configs/sweep.yaml")
    add_sweep_options(sweep)
    return parser


def _add_run_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--config", type=Path, metavar="FILE", help="configuration, such as configs/sample.yaml")
    group.add_argument("--bot", metavar="NAME", help="another bot: a name from --list, or my_bots.py:MyBot")
    group.add_argument("--exit", metavar="NAME", help="another exit: a name from --list, or my_exits.py:MyExit")
    group.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="set a key; may be given several times"
    )
    group.add_argument("--start", metavar="DATE", help="first bar: 2024-01-02 or 2024-01-02T14:30:00-05:00 (else UTC)")
    group.add_argument("--end", metavar="DATE", help="last day, or the time before which bars open")
    group.add_argument("--seed", metavar="N", help="seed of everything random")
    group.add_argument("--path", metavar="POLICY", help="worst_case, best_case, proximity, colour or fine_bars")


def _add_how_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--drive",
        choices=("auto", "step", "compiled"),
        default="auto",
        help="auto takes the compiled drive where bot and exit allow it; the results are the same",
    )
    group.add_argument(
        "--bounds",
        action="store_true",
        help="also run the worst case, the best case and next-open fills, and print them side by side",
    )
    group.add_argument(
        "--check-lookahead",
        action="store_true",
        help="do not report a result: check that bot and exit use nothing they cannot know",
    )


def _add_output_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--out", metavar="FOLDER", help="folder for run folders; by default the configuration's, runs")
    group.add_argument("--no-save", dest="save", action="store_false", help="write no run folder")
    group.add_argument(
        "--report", action=argparse.BooleanOptionalAction, default=None, help="write report.html and equity.png, or not"
    )
    group.add_argument("--json", action="store_true", help="print one JSON object to stdout, and nothing else there")
    group.add_argument("--quiet", action="store_true", help="print no progress and no table; errors are still said")
    group.add_argument("--list", action="store_true", help="list bots, exits, slippage models, indicators; then end")
    group.add_argument("--version", action="store_true", help="print the version; then end")
