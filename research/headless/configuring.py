"""Which configuration a command line means: the file, another bot or exit, and the keys set by options."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from engine.config import BacktestConfig, load_config
from research.headless.arguments import Arguments

PartName = Literal["bot", "exit"]
KnownSettings = Callable[[BacktestConfig, str], frozenset[str]]


def configured(arguments: Arguments, known_settings: KnownSettings) -> tuple[BacktestConfig, list[str]]:
    """The configuration of a run, and sentences about what another bot or exit left unused.

    Raises:
        ConfigError: where the file, an option or a part's name is wrong.
    """
    if arguments.config is None:
        raise ValueError("a run needs a configuration")
    config = load_config(arguments.config)
    notes: list[str] = []
    if arguments.bot is not None:
        config = _with_part(config, "bot", arguments.bot, known_settings, notes)
    if arguments.exit is not None:
        config = _with_part(config, "exit", arguments.exit, known_settings, notes)
    return config.with_overrides(arguments.overrides), notes


def _with_part(
    config: BacktestConfig, part: PartName, text: str, known_settings: KnownSettings, notes: list[str]
) -> BacktestConfig:
    """Put another bot or exit in place; settings of the file that it does not know are left out, and said."""
    file, colon, name = text.rpartition(":")
    values = {"name": name, "module": _module(file) if colon else None}
    known = known_settings(config.with_part(part, values, f"{part}={text}"), part)
    written = getattr(config, part).settings
    unused = sorted(set(written) - known)
    if unused:
        notes.append(f"{name} has no setting {', '.join(unused)}: left out")
    kept = {key: value for key, value in written.items() if key in known}
    return config.with_part(part, values | {"settings": kept}, f"{part}={text}")


def _module(file: str) -> str:
    """A Python file by its full path, since it is meant from where the command was started."""
    return str(Path(file).resolve()) if file.endswith(".py") else file
