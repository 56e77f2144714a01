"""What ``key=value`` texts change: dotted keys, ``bot.x`` for a bot's setting, ``assets.ES.x`` for an asset's key."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from data.spelling import nearest_or_all
from engine.config.model import BacktestConfig
from engine.config.places import Places
from engine.config.sections import PartSection
from engine.config.yaml_source import read_scalar
from engine.errors import ConfigError, KeyPath, Problem
from engine.wording import model_at


def overridden(config: BacktestConfig, overrides: Iterable[str], places: Places) -> tuple[dict[str, Any], Places]:
    """The given values of ``config`` with ``overrides`` set, and places that tell of them.

    Raises:
        ConfigError: listing every override without ``=``, or for an unknown symbol or section.
    """
    values = config.given()
    told = dict(places.overrides)
    problems = []
    for text in overrides:
        try:
            path, value = _parsed(text, config)
            _put(values, path, value)
            told[path] = text
        except ConfigError as error:
            problems.append(Problem((), str(error), f"override {text}"))
    if problems:
        raise ConfigError.of(problems)
    return values, replace(places, overrides=told)


def _parsed(text: str, config: BacktestConfig) -> tuple[KeyPath, object]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigError("is not of the form key=value, such as bot.ema_span=34")
    path = _path(key.strip(), config)
    return path, _value(value.strip(), path)


def _path(key: str, config: BacktestConfig) -> KeyPath:
    first, *rest = key.split(".")
    if first in {"bot", "exit"} and rest and rest[0] not in PartSection.model_fields:
        return (first, "settings", *rest)
    if first == "assets" and rest:
        return _asset_path(rest, config.symbols)
    return (first, *rest)


def _asset_path(rest: list[str], symbols: tuple[str, ...]) -> KeyPath:
    """Symbols may hold dots (``BRK.B``): the longest one that fits is meant."""
    for length in range(len(rest), 0, -1):
        symbol = ".".join(rest[:length])
        if symbol in symbols:
            return ("assets", symbols.index(symbol), *rest[length:])
    raise ConfigError(f'there is no asset "{rest[0]}"{nearest_or_all(rest[0], symbols)}')


def _value(text: str, path: KeyPath) -> object:
    """The text as YAML; as it stands where the key holds a text (a name need no quotes here)."""
    model = model_at(BacktestConfig, path[:-1])
    info = model.model_fields.get(str(path[-1])) if model is not None else None
    value = read_scalar(text)
    if info is not None and value is not None and _is_text(info.annotation):
        return value if isinstance(value, str) else text
    return value


def _is_text(annotation: Any) -> bool:
    kinds = [kind for kind in (get_args(annotation) or (annotation,)) if kind is not NoneType]
    return all(kind is str or kind is Path for kind in kinds)


def _put(values: dict[str, Any], path: KeyPath, value: object) -> None:
    here: Any = values
    for part in path[:-1]:
        if isinstance(here, dict):
            here = here.setdefault(part, {})
            here = here if here is not None else {}
        else:
            here = here[part]
        if not isinstance(here, dict | list):
            raise ConfigError(f"{part} holds one value, not keys")
    if not isinstance(here, dict):
        raise ConfigError("names no single value; name an asset's key, such as assets.ES.tick_size")
    here[path[-1]] = value
