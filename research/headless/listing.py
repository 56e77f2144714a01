"""What ``--list`` shows: bots, exits and slippage models with their settings, indicators with their parameters."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bots.base import BotSettings
from bots.catalog import BOTS
from engine import indicators
from engine.settings import SettingInfo, Settings, describe
from engine.slippage import SLIPPAGE_MODELS
from engine.wording import shown
from exits.catalog import EXITS

_WIDTH = 110


def listing() -> str:
    """All catalogs as text."""
    return "\n".join(
        [
            "Bots (bot.name, or --bot)",
            *_parts(BOTS, BotSettings),
            "Exits (exit.name, or --exit)",
            *_parts(EXITS, Settings),
            "Slippage models (slippage_model.name of an asset)",
            *_parts(SLIPPAGE_MODELS, Settings),
            "Indicators (env.indicator(name, symbol, ...))",
            *_indicators(),
        ]
    )


def _parts(catalog: Mapping[str, type[Any]], base: type[Settings]) -> Iterator[str]:
    """Each part with its own settings; what all of them share is told once."""
    for name, part in catalog.items():
        yield f"  {name}: {_first_sentence(part)}"
        yield from _settings([info for info in describe(part.Settings) if info.name not in base.model_fields])
    if base.model_fields:
        yield "  Settings of all of them:"
        yield from _settings(describe(base))
    yield ""


def _first_sentence(part: type[Any]) -> str:
    return (part.__doc__ or "").split("\n")[0].replace("``", "")


def _settings(infos: Sequence[SettingInfo]) -> Iterator[str]:
    width = max((len(info.name) for info in infos), default=0)
    yield from (f"      {info.name:<{width}}  {_setting(info)}" for info in infos)


def _setting(info: SettingInfo) -> str:
    facts = ", ".join(word for word in (shown(info.default), info.unit, info.allowed()) if word)
    return f"{info.help} [{facts}]"


def _indicators() -> Iterator[str]:
    calls = []
    for name in indicators.names():
        parameters = indicators.describe(name).parameters
        calls.append(f"{name}({', '.join(f'{one.name}={one.default}' for one in parameters)})".replace(" ", "\0"))
    wrapped = textwrap.fill(
        "  ".join(calls), _WIDTH, initial_indent="  ", subsequent_indent="  ", break_long_words=False
    )
    yield wrapped.replace("\0", " ")
