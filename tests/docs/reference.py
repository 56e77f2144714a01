"""The pages of ``docs/reference/``: configuration, commands, catalogs and file formats, out of the code itself.

``python -m tests.docs`` writes them; a test keeps the two equal.
"""

import argparse
import importlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from unittest import mock

import start
from bots.base import BotSettings
from bots.catalog import BOTS
from data.contracts import contract_table
from engine import indicators
from engine.config.reference import chapter, reference
from engine.indicators.builtin import BUILT_IN
from engine.journal import TABLES
from engine.live.section import LiveSection
from engine.settings import SettingInfo, Settings, describe
from engine.slippage import SLIPPAGE_MODELS
from engine.wording import shown
from exits.catalog import EXITS
from tests.docs.formats import FILES, columns_of_recording, columns_of_results, keys_of_manifest, keys_of_model

MADE = "This page is made from the code (`python -m tests.docs`), and a test keeps the two equal.\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


# ------------------------------------------------------------------------------------------- configuration


def configuration() -> str:
    """Keys of a run, of the section ``live``, and of a sweep file."""
    from research.sweeping import sections as sweep

    live = "\n".join(chapter("`live`", "Of a live configuration alone (docs/live.md).", LiveSection))
    parts = [
        ("Of a sweep file", "Not of a run: `configs/sweep.yaml` is one (docs/sweeps.md).", sweep.SweepSection),
        ("`random` of a sweep", "", sweep.RandomSection),
        ("`folds` of a sweep", "", sweep.FoldSection),
        ("`folds.parts[]` of a sweep", "", sweep.PartsSection),
        ("`objective` of a sweep", "", sweep.ObjectiveSection),
    ]
    return "\n".join([reference(), live, *("\n".join(chapter(*part)) for part in parts)]).rstrip() + "\n"


# ------------------------------------------------------------------------------------------------ commands

# Command line -> where its parser is made, its page.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "run_backtest.py": ("app.command", "window.md"),
    "run_backtest_headless.py": ("research.headless.arguments", "testing.md"),
    "run_live.py": ("research.live.arguments", "live.md"),
    "research/sweep.py": ("research.sweeping.arguments", "sweeps.md"),
    "research/generate_ML_SL_Training_data.py": ("research.learning.data_command", "learning.md"),
    "research/train_ppo_stop_selector.py": ("research.learning.ppo_command", "learning.md"),
    "research/train_lstm_sl_model.py": ("research.learning.lstm_command", "learning.md"),
    "research/evaluate_exits.py": ("research.learning.evaluation_command", "learning.md"),
    "-m data.tradestation.emulator": ("data.tradestation.emulator.__main__", "tradestation.md"),
    "-m data.synthetic.sample": ("data.synthetic.sample", "sample.md"),
}


class CapturedError(Exception):
    """Carries a parser out of the function that would have used it."""


def parser_of(module: str) -> argparse.ArgumentParser:
    """The parser of a command: its ``parser()``, or the one it makes before it parses."""
    found = importlib.import_module(module)
    made = getattr(found, "parser", None) or getattr(found, "_parser", None)
    if made is not None and module != "research.headless.arguments":
        parser: argparse.ArgumentParser = made()
        return parser

    def capture(self: argparse.ArgumentParser, *_: object) -> None:
        raise CapturedError(self)

    with mock.patch.object(argparse.ArgumentParser, "parse_args", capture):
        try:
            entry = getattr(found, "parse", None) or found.main
            entry([])
        except CapturedError as carried:
            captured: argparse.ArgumentParser = carried.args[0]
            return captured
    raise LookupError(f"{module} parses nothing")


def commands() -> str:
    """Every command with its options."""
    verbs = table(
        ["verb", "arguments", "what it does"],
        [[f"`{name}`", f"`{verb.arguments}`" * bool(verb.arguments), verb.help] for name, verb in start.VERBS.items()],
    )
    parts = [
        "# Commands\n",
        MADE,
        "`python3 start.py VERB` sets up what the verb needs, then runs it:\n",
        verbs,
        _CODES,
    ]
    parts += [part for line, (module, page) in COMMANDS.items() for part in _command(line, module, page)]
    return "\n".join(parts) + "\n"


_CODES = """
Every command ends with 0 when it did what it was asked, 2 after an error that it said in a sentence or two, and 130
when it was stopped by Ctrl-C or SIGTERM; what was done by then is kept. Where a command has more, it stands there.
"""


def _command(line: str, module: str, page: str) -> Iterator[str]:
    parser = parser_of(module)
    said = " ".join((parser.description or "").split()).rstrip(".") + "."
    link = f" Its page: [{page.removesuffix('.md')}](../{page})." if page != "testing.md" else ""
    yield f"## `python {line}`\n"
    yield f"{said}{link}\n"
    yield table(["option", "value", "default", "meaning"], [_option(action) for action in _options(parser)])
    yield ""
    found = re.findall(r"^exit codes: (.*)$", parser.epilog or "", re.MULTILINE)
    if found:
        yield f"Exit codes: {found[0]}\n"


def _options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if action.dest != "help"]


def _option(action: argparse.Action) -> list[str]:
    names = ", ".join(f"`{name}`" for name in action.option_strings) or f"`{action.metavar or action.dest}`"
    help_text = " ".join((action.help or "").split()).replace("%%", "%")
    return [names, _value_of(action), _default_of(action, help_text), help_text]


def _value_of(action: argparse.Action) -> str:
    if action.nargs == 0 or isinstance(action, argparse.BooleanOptionalAction):
        return ""
    if action.choices is not None:
        return ", ".join(map(str, action.choices))
    word = action.metavar or action.dest.upper()
    several = " ..." if action.nargs in ("+", "*") else ""
    return f"`{word}{several}`"


def _default_of(action: argparse.Action, help_text: str) -> str:
    value = action.default
    if value is None or value is False or value is True or value == [] or "default" in help_text or action.required:
        return ""
    if not isinstance(value, str | int | float | list | tuple):
        return ""
    words = " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return f"`{words}`" if words and words != argparse.SUPPRESS else ""


# ------------------------------------------------------------------------------------------------ catalogs


def catalogs() -> str:
    """Bots, exits, slippage models and indicators by name; the contract table."""
    parts = ["# Catalogs\n", MADE]
    parts += ["## Bots\n", "By `bot.name`; settings are keys of `bot.settings`, on a command line `--set bot.x=...`.\n"]
    parts += _parts(BOTS, BotSettings)
    parts += [
        "## Exits\n",
        "By `exit.name`; settings likewise. The learned ones: [learning](../learning.md).\n",
    ]
    parts += _parts(EXITS, Settings)
    parts += ["## Slippage models\n", "By `slippage_model.name` of an asset (S9).\n"]
    parts += _parts(SLIPPAGE_MODELS, Settings)
    parts += ["## Indicators\n", _INDICATORS, _indicators(), ""]
    parts += ["## Contracts\n", _CONTRACTS, _contracts()]
    return "\n".join(parts) + "\n"


_INDICATORS = """By name in `env.indicator(name, symbol, ...)`. Values, warm-up and the rest of TA-Lib:
[indicators](../indicators.md).
"""
_CONTRACTS = """Facts that an asset need not give, by its symbol or its key `contract`. Margins change by the week:
who cares about margin calls gives their own.
"""


def _parts(catalog: Mapping[str, type[Any]], base: type[Settings]) -> list[str]:
    made = []
    for name, part in catalog.items():
        made.append(f"### `{name}`\n")
        made.append(f"{_first(part)}\n")
        own = [info for info in describe(part.Settings) if info.name not in base.model_fields]
        if own:
            made += [_settings(own), ""]
    if base.model_fields:
        made += ["### Settings of all bots\n", _settings(describe(base)), ""]
    return made


def _first(part: type[Any]) -> str:
    return (part.__doc__ or "").split("\n")[0]


def _settings(infos: Sequence[SettingInfo]) -> str:
    rows = [[f"`{one.name}`", one.type, one.unit, f"`{_default(one)}`", one.allowed(), one.help] for one in infos]
    return table(["setting", "type", "unit", "default", "allowed", "meaning"], rows)


def _default(info: SettingInfo) -> str:
    value = info.default
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    return shown(value)


def _indicators() -> str:
    rows = []
    for indicator in BUILT_IN:
        parameters = ", ".join(f"`{one.name}` {one.default}" for one in indicator.parameters)
        outputs = ", ".join(f"`{output}`" for output in indicators.outputs(indicator.name))
        rows.append([f"`{indicator.name}`", parameters or "none", outputs, indicator.help])
    return table(["name", "parameters and defaults", "outputs", "what it is"], rows)


def _contracts() -> str:
    rows = [
        [
            f"`{one.root}`", f"`{one.tradestation_root}`", one.name, one.exchange, f"{one.tick_size:g}",
            f"{one.tick_value:g}", f"{one.point_value:g}", one.currency,
            f"{one.initial_margin:,.0f} / {one.maintenance_margin:,.0f} ({one.margin_date})", one.calendar,
        ]
        for one in contract_table().values()
    ]  # fmt: skip
    head = ["root", "TradeStation", "name", "exchange", "tick", "money per tick", "per point", "currency"]
    return table([*head, "margin to open / hold (as of)", "calendar"], rows)


# ------------------------------------------------------------------------------------------------- formats


def formats() -> str:
    """Which files a run, a sweep, a recording and a model are, and what stands in them."""
    files = table(["file", "written by", "what it is", "explained in"], FILES)
    journal = ", ".join(f"`{name}`" for name in TABLES)
    parts = [
        "# File formats\n", MADE, files, "",
        f"Tables of the journal: {journal}. Every column of each: [journal](../journal.md).\n",
        "## `manifest.json` of a run\n", table(["key", "what it holds"], keys_of_manifest()), "",
        "## `results.parquet` of a sweep\n", _RESULTS, table(["column", "type", "meaning"], columns_of_results()), "",
        "## A recording\n", _RECORDING, table(["column", "type"], columns_of_recording()), "",
        "## `NAME.json` beside `NAME.npz`: a model\n", table(["key", "required"], keys_of_model()),
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


_RESULTS = """One row per run. Between `end` and `status` stand the swept keys, one column each. A figure that does not
exist is null.
"""
_RECORDING = """One Parquet file per symbol and day, while the day lasts one per event. Meanings and units:
[TradeStation](../tradestation.md).
"""

REFERENCES: Mapping[str, Callable[[], str]] = {
    "configuration.md": configuration,
    "commands.md": commands,
    "catalogs.md": catalogs,
    "formats.md": formats,
}
