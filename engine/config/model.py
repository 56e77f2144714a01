"""The whole configuration of a run, as one frozen value, and what identifies it."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, ValidationError, ValidationInfo, field_validator

from data.spelling import nearest_or_all
from engine.config.places import Places
from engine.config.sections import (
    AssetSection,
    BotSection,
    DataSection,
    DefaultsSection,
    ExitSection,
    OutputSection,
    PartSection,
    Section,
    SimulationSection,
)
from engine.config.values import BarLength, Currency, Moment, nanoseconds, refused
from engine.errors import ConfigError, KeyPath, Problem
from engine.settings import setting
from engine.wording import problems_of

_NOT_IN_HASH: dict[str, Any] = {"name": True, "output": True, "data": {"cache", "cache_dir"}}
_FROM_DATA = ("timestamp", "timezone", "bar_length", "repair")


class BacktestConfig(Section):
    """One run: account, range, rules, data, assets, bot, exit, output.

    Example:
        >>> config = BacktestConfig(assets=[{"symbol": "ES", "file": "es.csv"}], seed=7)
        >>> config.simulation.path, config.initial_cash
        ('worst_case', 100000.0)

    Raises:
        ConfigError: on creation, listing every problem with its key path.
    """

    name: str = setting("backtest", unit="", help="Name of the run; empty in a file: the file's name.")
    initial_cash: float = setting(100_000.0, unit="money", gt=0, help="Cash at the start.")
    currency: Currency = setting("USD", unit="", help="The account's currency (S1.4).")
    fx_rates: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict,
        description="Constant rates of other currencies, such as {EUR: 1.08} for 1 EUR = 1.08 of the account's (S1.4).",
        json_schema_extra={"unit": "money per unit"},
    )
    seed: int = setting(0, unit="", ge=0, le=2**63 - 1, help="Seed of everything random (S14).")
    start: Moment | None = setting(
        None, unit="date or time", help="First bar opens at or after it; UTC unless it has an offset."
    )
    end: Moment | None = setting(
        None, unit="date or time", help="A date: its whole day is the last; a time: bars open before it."
    )
    bar: BarLength | None = setting(
        None, unit="", help="Run on longer bars built from the files' bars, such as 5m; empty: as they are (S3.6)."
    )
    simulation: SimulationSection = Field(default_factory=SimulationSection, description="How fills are decided.")
    data: DataSection = Field(default_factory=DataSection, description="How bar files are read.")
    defaults: DefaultsSection = Field(default_factory=DefaultsSection, description="Keys for all assets (S1.3).")
    assets: Annotated[tuple[AssetSection, ...], Field(strict=False)] = Field(description="The symbols, in order.")
    bot: BotSection = Field(default_factory=BotSection, description="Who decides to enter.")
    exit: ExitSection = Field(default_factory=ExitSection, description="Who sets and moves the stop.")
    output: OutputSection = Field(default_factory=OutputSection, description="What a run leaves behind.")
    _places: Places = PrivateAttr(default_factory=Places)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            found = problems_of(error, type(self))
            known = {problem.path for problem in found}
            # What is wrong with one asset keeps the list from being looked at: a symbol that stands twice is told too.
            found += [problem for problem in _given_twice(values.get("assets")) if problem.path not in known]
            raise ConfigError.of(found) from None
        self._tell_parts(self._places)

    @field_validator("fx_rates")
    @classmethod
    def _own_rate(cls, rates: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        own = info.data.get("currency")
        if own in rates and rates[own] != 1:
            raise refused(f"{rates[own]:g} for the account's own currency; leave it out", at=(str(own),))
        return rates

    @field_validator("end")
    @classmethod
    def _after_start(cls, end: date | datetime | None, info: ValidationInfo) -> date | datetime | None:
        start = info.data.get("start")
        if start is not None and end is not None:
            first, last = nanoseconds(start, end_of_day=False), nanoseconds(end, end_of_day=True)
            if first >= last:
                raise refused(f"{end} is not after start, {start}")
        return end

    @field_validator("assets")
    @classmethod
    def _distinct(cls, assets: tuple[AssetSection, ...]) -> tuple[AssetSection, ...]:
        if not assets:
            raise refused("the list is empty; give at least one asset with symbol and file")
        for problem in _given_twice([{"symbol": asset.symbol} for asset in assets]):
            raise refused(problem.text, at=problem.path[1:])
        return assets

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols in the order of the configuration, which the rules use wherever order matters (S5, S6)."""
        return tuple(asset.symbol for asset in self.assets)

    @property
    def start_ns(self) -> int | None:
        """First allowed open of a bar, nanoseconds UTC; None: from the first bar."""
        return None if self.start is None else nanoseconds(self.start, end_of_day=False)

    @property
    def end_ns(self) -> int | None:
        """First open of a bar that is not allowed any more, nanoseconds UTC; None: to the last bar."""
        return None if self.end is None else nanoseconds(self.end, end_of_day=True)

    @property
    def folder(self) -> Path | None:
        """Folder that relative data files start from; None: the current folder."""
        return self._places.folder

    @property
    def cache_dir(self) -> Path | None:
        """Folder of the binary copies of bar files, from ``folder``; None: the system's cache folder."""
        return self._places.file(self.data.cache_dir)

    @property
    def places(self) -> Places:
        """Where each key was written, for errors about it."""
        return self._places

    def asset(self, symbol: str) -> AssetSection:
        """The asset with what ``defaults`` and ``data`` add to it (S1.3); files begin at ``folder``.

        Raises:
            ConfigError: where no asset has this symbol.
        """
        found = next((asset for asset in self.assets if asset.symbol == symbol), None)
        if found is None:
            raise ConfigError(f'no asset "{symbol}"{nearest_or_all(symbol, self.symbols)}')
        merged = AssetSection(symbol=symbol, **(self._inherited(found) | found.given()))
        files = {key: self._places.file(getattr(merged, key)) for key in ("file", "fine_file", "factor_file")}
        return merged.model_copy(update=files)

    def _inherited(self, asset: AssetSection) -> dict[str, Any]:
        """What ``data`` and ``defaults`` give; an alternative to a key the asset gives itself is left out."""
        section = {key: value for key in _FROM_DATA if (value := getattr(self.data, key)) is not None}
        shared = {
            name: value
            for name in DefaultsSection.model_fields
            if (value := getattr(self.defaults, name)) is not None and not asset.takes_the_place_of(name, value)
        }
        return section | shared

    def canonical(self) -> str:
        """What decides the result, as JSON with sorted keys; files are written from the configuration's folder."""
        values = self.model_dump(exclude=_NOT_IN_HASH, mode="python")
        return json.dumps(_canonical(values, self._relative), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def hash(self) -> str:
        """SHA-256 of ``canonical()``, in hex: the same for the same run, whatever its name, output and cache."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

    def given(self) -> dict[str, Any]:
        """The keys that were given, as plain data: ``BacktestConfig(**config.given()) == config``."""
        values: dict[str, Any] = _canonical(self.model_dump(exclude_unset=True, mode="python"), str)
        return values

    def with_overrides(self, overrides: Iterable[str]) -> Self:
        """A copy with ``key=value`` texts set, such as ``bot.ema_span=34`` or ``assets.ES.slippage_ticks=2``.

        ``bot.x`` and ``exit.x`` mean their settings; an asset is named by its symbol. Values are read as YAML.

        Raises:
            ConfigError: listing every override that is malformed, unknown or refused.
        """
        from engine.config.overrides import overridden

        values, places = overridden(self, overrides, self._places)
        return type(self).placed(values, places)

    def with_part(self, part: Literal["bot", "exit"], values: Mapping[str, Any], told: str) -> Self:
        """A copy with another bot or exit: ``{"name": ..., "module": ..., "settings": {...}}``.

        ``told`` says in errors what asked for it, such as ``bot=CoinFlip``.

        Raises:
            ConfigError: where ``values`` are not those of a bot or exit.
        """
        overrides = dict(self._places.overrides) | {(part, "name"): told, (part, "module"): told}
        places = replace(self._places, overrides=overrides)
        return type(self).placed(self.given() | {part: dict(values)}, places)

    @classmethod
    def placed(cls, values: Mapping[str, Any], places: Places) -> Self:
        """A configuration whose errors name the places at which ``values`` were written."""
        try:
            config = cls(**values)
        except ConfigError as error:
            found = sorted(error.problems, key=lambda problem: places.line(problem.path))
            raise ConfigError.of([places.placed(problem) for problem in found]) from None
        config._places = places
        config._tell_parts(places)
        return config

    def _tell_parts(self, places: Places) -> None:
        parts: dict[KeyPath, PartSection | None] = {("bot",): self.bot, ("exit",): self.exit}
        for i, asset in enumerate(self.assets):
            parts |= {("assets", i, "slippage_model"): asset.slippage_model, ("assets", i, "reader"): asset.reader}
        parts |= {("defaults", name): getattr(self.defaults, name) for name in ("slippage_model", "reader")}
        for path, part in parts.items():
            if part is not None:
                part.written_at(path, places)

    def _relative(self, file: Path) -> str:
        if self.folder is None or not file.is_absolute():
            return file.as_posix()
        return Path(os.path.relpath(file, self.folder)).as_posix()


def _given_twice(assets: Any) -> list[Problem]:
    """A problem for each asset, as it was given, whose symbol stands before it too."""
    seen: dict[object, int] = {}
    problems: list[Problem] = []
    for position, asset in enumerate(assets if isinstance(assets, list | tuple) else ()):
        symbol = asset.get("symbol") if isinstance(asset, Mapping) else getattr(asset, "symbol", None)
        if not isinstance(symbol, str):
            continue
        first = seen.setdefault(symbol, position)
        if first != position:
            problems.append(Problem(("assets", position, "symbol"), f'"{symbol}" stands at assets[{first}] too'))
    return problems


def _canonical(value: Any, file_text: Callable[[Path], str]) -> Any:
    """Plain JSON data: whole floats as integers, times as texts, files by ``file_text``."""
    if isinstance(value, Mapping):
        return {key: _canonical(item, file_text) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item, file_text) for item in value]
    if isinstance(value, Path):
        return file_text(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value.isoformat() if isinstance(value, date) else value
