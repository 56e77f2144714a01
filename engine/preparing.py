"""From a configuration to a market and an account: bars loaded, cut and joined to longer ones, facts completed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from data.errors import DataError
from data.instruments import Instrument
from data.loading import SourceSettings, load_series, series_from_frame
from data.resampling import resample
from data.series import BarSeries
from data.sessions import SessionCalendar
from data.timeline import Timeline, build_timeline
from engine.backtester import BacktesterEngine
from engine.catalog import find_class, made
from engine.config import BacktestConfig
from engine.config.sections import SlippageSection
from engine.config.sources import fine_source_settings, instrument_of, source_settings
from engine.errors import ConfigError
from engine.market import Market, cut_series, to_ticks
from engine.slippage import SLIPPAGE_MODELS, SlippageModel

if TYPE_CHECKING:
    import pandas as pd

_GRID_SAMPLE = 10_000  # closes that are looked at to see whether prices lie on ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a configuration comes to.

    Attributes:
        market: instruments, bars, timeline.
        slippage: one model per symbol.
        warnings: sentences for the report; repairs: rows repaired per symbol and kind (S3.4).
        digests: SHA-256 of each symbol's bars and load settings.
    """

    market: Market
    slippage: tuple[SlippageModel, ...]
    warnings: tuple[str, ...]
    repairs: Mapping[str, Mapping[str, int]]
    digests: Mapping[str, str]


Read: TypeAlias = Callable[[SourceSettings, Path | None], BarSeries]
InTicks: TypeAlias = Callable[[Sequence[BarSeries], Sequence[Instrument], Timeline], NDArray[Any] | None]


def prepare(
    config: BacktestConfig,
    bars: "Mapping[str, pd.DataFrame] | None" = None,
    read: Read = load_series,
    in_ticks: InTicks | None = None,
) -> Prepared:
    """Load everything that a run needs.

    Args:
        config: the run.
        bars: DataFrames to use in place of the files, by symbol.
        read: what reads a file of bars; whoever has read it before hands out those.
        in_ticks: what has the table of bars in ticks already, for these series, facts and timeline; None: it is made.

    Raises:
        ConfigError, DataError, InstrumentError: naming place, value and cure.
    """
    instruments, series, fine, warnings = [], [], {}, []
    for symbol in config.symbols:
        instrument, said = instrument_of(config, symbol)
        calendar = SessionCalendar.named(instrument.calendar)
        one = _bars(config, symbol, instrument, bars, read)
        one, finer = _at_length(config, one, calendar), _fine_bars(config, symbol, instrument, read)
        instruments.append(instrument)
        series.append(one)
        if finer is not None:
            fine[symbol] = finer
        warnings += [*said, *one.warnings, *([calendar.caveat] if calendar.caveat else [])]
        warnings += _off_the_grid(one, instrument)
    timeline = build_timeline(series)
    made = None if in_ticks is None else in_ticks(series, instruments, timeline)
    market = Market(instruments, series, fine, timeline=timeline, seed=config.seed, bars=made)
    return Prepared(
        market=market,
        slippage=tuple(slippage_model(config, symbol) for symbol in config.symbols),
        warnings=tuple(dict.fromkeys(warnings)),
        repairs={one.symbol: dict(one.repairs) for one in series if one.repairs},
        digests={one.symbol: one.digest for one in series},
    )


def _off_the_grid(one: BarSeries, instrument: Instrument) -> list[str]:
    """A sentence where most prices lie between ticks, which costs up to a tick per fill (S2.6)."""
    ticks = to_ticks(one.close[:_GRID_SAMPLE], instrument.tick_size)
    off = int(np.count_nonzero(ticks != np.rint(ticks)))
    if 2 * off <= len(ticks):
        return []
    told = (
        f"{one.symbol}: of the first {len(ticks):,} closes {off:,} lie between ticks of {instrument.tick_size:g}, and "
        "what fills there is rounded against the trader: they are adjusted, or tick_size is wrong"
    )
    return [told]


def engine_of(config: BacktestConfig, prepared: Prepared, keep_rows: bool = True) -> BacktesterEngine:
    """The simulated account of a configuration, before its first bar; see BacktesterEngine."""
    return BacktesterEngine(
        prepared.market,
        config.simulation,
        initial_cash=config.initial_cash,
        currency=config.currency,
        fx_rates=config.fx_rates,
        slippage=prepared.slippage,
        seed=config.seed,
        keep_rows=keep_rows,
    )


def bar_cache(config: BacktestConfig) -> Path | None:
    """Folder of binary copies; None where they are not wanted."""
    if not config.data.cache:
        return None
    return config.cache_dir or user_cache_path("triphase", appauthor=False) / "bars"


def _bars(
    config: BacktestConfig,
    symbol: str,
    instrument: Instrument,
    bars: "Mapping[str, pd.DataFrame] | None",
    read: Read,
) -> BarSeries:
    if bars is None:
        one = read(source_settings(config, symbol, instrument.calendar), bar_cache(config))
    else:
        one = _given(config, symbol, bars)
    cut = cut_series(one, config.start_ns, config.end_ns)
    if not len(cut):
        raise DataError(
            f"{symbol}: {one.source} has no bars from {config.start or 'its start'} to {config.end or 'its end'}; it "
            f"holds {_day(one.time_ns[0])} to {_day(one.time_ns[-1])}; widen start and end"
        )
    return cut


def _day(time_ns: int) -> str:
    return str(np.datetime64(int(time_ns), "ns").astype("datetime64[D]"))


def _given(config: BacktestConfig, symbol: str, bars: "Mapping[str, pd.DataFrame]") -> BarSeries:
    if symbol not in bars:
        raise ConfigError(f"bars has no DataFrame for {symbol}; it holds {', '.join(bars) or 'nothing'}")
    asset = config.asset(symbol)
    return series_from_frame(
        symbol,
        bars[symbol],
        timestamp=asset.timestamp or "open",
        timezone=asset.timezone,
        bar_length=asset.bar_length,
        repair=asset.repair if asset.repair in ("drop", "fix") else None,
    )


def _at_length(config: BacktestConfig, one: BarSeries, calendar: SessionCalendar) -> BarSeries:
    """Bars of the run's length, aligned to the session's open (S3.6)."""
    if config.bar is None:
        return one
    opens = None if calendar.continuous else calendar.table(one.time_ns).session_open_ns
    return resample(one, config.bar, opens)


def _fine_bars(config: BacktestConfig, symbol: str, instrument: Instrument, read: Read) -> BarSeries | None:
    settings = fine_source_settings(config, symbol, instrument.calendar)
    if settings is None:
        return None
    return replace(cut_series(read(settings, bar_cache(config)), config.start_ns, config.end_ns), symbol=symbol)


def slippage_model(config: BacktestConfig, symbol: str) -> SlippageModel:
    """The slippage model of a symbol, its own settings checked (S9)."""
    section = config.asset(symbol).slippage_model or SlippageSection()
    # mypy takes an abstract base for a concrete class here; find_class refuses classes that lack methods.
    part = find_class(section, SLIPPAGE_MODELS, SlippageModel, "slippage model")  # type: ignore[type-abstract]
    return made(section, part)
