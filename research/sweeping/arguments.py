"""What the command line of a sweep takes, and what its help says."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_DESCRIPTION = """\
Run a sweep: many settings, symbols, seeds and date folds, as a sweep file says (docs/sweeps.md). Results go to a folder
that is known by what the sweep runs: started again, it only does what is missing.
"""
_EPILOGUE = """\
examples:
  %(prog)s configs/sweep.yaml --dry-run
  %(prog)s configs/sweep.yaml
  %(prog)s configs/sweep_walk_forward.yaml --workers 4
  %(prog)s configs/sweep.yaml --ray local
  %(prog)s configs/sweep.yaml --open-best best.yaml

The results are the same, to the last byte, whatever runs them and however many.

exit codes: 0 done, failed runs included, which are rows of the table; 2 an error; 130 stopped by Ctrl-C.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepArguments:
    """One sweep's command line, parsed.

    Attributes:
        workers: processes; None: threads of this process, one per core.
        ray: address of a Ray cluster, or ``local``; None: no Ray.
        open_best: file for the winner's configuration; None: not wanted.
    """

    file: Path
    out: Path | None = None
    workers: int | None = None
    ray: str | None = None
    dry_run: bool = False
    open_best: Path | None = None
    quiet: bool = False


def parse(argv: Sequence[str], program: str | None = None) -> SweepArguments:
    """``argv`` (without the program's name); prints help, or what is wrong, and exits as argparse."""
    parser = argparse.ArgumentParser(
        prog=program,
        description=_DESCRIPTION,
        epilog=_EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="sweep file, such as configs/sweep.yaml")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="folder of the results; by default below runs/")
    add_sweep_options(parser)
    parser.add_argument("--quiet", action="store_true", help="print no progress and no table; errors are still said")
    given = parser.parse_args(argv)
    return sweep_arguments(parser, given, file=given.file, out=given.out)


def sweep_arguments(
    parser: argparse.ArgumentParser, given: argparse.Namespace, file: Path, out: Path | None
) -> SweepArguments:
    """What was given as ``SweepArguments``; says what does not go together, and exits as argparse."""
    if given.workers is not None and given.workers < 1:
        parser.error(f"--workers {given.workers} is not at least 1")
    if given.workers is not None and given.ray is not None:
        parser.error("--workers and --ray are both given; give one of them")
    return SweepArguments(
        file=file,
        out=out,
        workers=given.workers,
        ray=given.ray,
        dry_run=given.dry_run,
        open_best=given.open_best,
        quiet=given.quiet,
    )


def add_sweep_options(group: "argparse.ArgumentParser | argparse._ArgumentGroup") -> None:
    """The options that say how a sweep is run."""
    group.add_argument("--workers", type=int, metavar="N", help="processes that share the bars; by default threads")
    group.add_argument("--ray", metavar="ADDRESS", help="run on a Ray cluster, or on one of this machine: local")
    group.add_argument(
        "--dry-run", action="store_true", help="say how many runs, and how long they will take; then end"
    )
    group.add_argument(
        "--open-best", type=Path, metavar="FILE", help="write the best setting's configuration, ready to run"
    )
