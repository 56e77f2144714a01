"""What learned exits look at: the list of numbers, the tables they are computed from, and the list's hash.

Fourteen scale-free numbers, all known at the decision: closed bars up to t-1, and O of t. Direction-like ones are
multiplied by the side. The arithmetic is compiled once (``engine.kernel.observing``) and used by data sets,
environments and serving alike; this module makes the tables it reads.
"""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from data.series import FloatArray, TimeArray
from data.sessions import SessionTable
from engine.backtester import BacktesterEngine
from engine.indicators import compute
from engine.kernel import learned
from engine.market import Market, to_ticks

#: Periods of the indicators behind the numbers.
ATR_PERIOD, SLOW_ATR_PERIOD, RSI_PERIOD, EMA_PERIOD = 14, 100, 14, 50
BAND_PERIOD, SLOPE_BARS, VOLUME_BARS, RANGE_BARS = 20, 25, 20, 100


@dataclass(frozen=True, slots=True)
class Feature:
    """One number of the observation: its name, what it is, and whether the side's sign goes into it."""

    name: str
    meaning: str
    signed: bool


FEATURES = (
    Feature("atr_drift", "ln(ATR 14 / ATR 100)", False),
    Feature("rsi", "(RSI 14 - 50) / 25", True),
    Feature("ema_distance", "(O - EMA 50) / ATR / 3", True),
    Feature("ema_slope", "change of the EMA 50 over 25 bars / ATR / 4", True),
    Feature("band", "(O - mean of 20 closes) / (2 standard deviations)", True),
    Feature("range", "ln(highest high - lowest low of 100 bars / ATR) - 2", False),
    Feature("volume", "ln((volume + 1) / (mean volume of 20 bars + 1))", False),
    Feature("clock", "sine of the share of the session that is over", False),
    Feature("unrealised", "profit in R, of the open trade", False),
    Feature("mfe", "best profit so far in R", False),
    Feature("mae", "worst profit so far in R", False),
    Feature("held", "ln(1 + bars held) / 4", False),
    Feature("stop_distance", "distance of the stop from O / ATR / 4", False),
    Feature("atr_since_entry", "ln(ATR / ATR at the entry)", False),
)
NAMES = tuple(feature.name for feature in FEATURES)
SIGNED = np.array([feature.signed for feature in FEATURES])


def feature_hash() -> str:
    """Names, meanings, limits and order of the numbers as a short hash; a model that was trained on others differs."""
    text = "|".join(f"{feature.name}:{feature.meaning}:{feature.signed}" for feature in FEATURES)
    return hashlib.sha256(f"{text}|limit {learned.LIMIT}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class FeatureTables:
    """What the compiled arithmetic reads.

    Attributes:
        closed: float64[n_bars, n_symbols, CLOSED], values once a bar has closed, prices in ticks.
        clock: float64[n_bars, n_symbols], sine of the session at the OPEN of a bar.
        sequence: float32[rows, 8], the market numbers of every real bar at its close, for a long; each symbol's rows
            come after ``lookback`` rows of NaN.
    """

    closed: FloatArray
    clock: FloatArray
    sequence: NDArray[np.float32]


def feature_tables(engine: BacktesterEngine, lookback: int = 1) -> FeatureTables:
    """The tables of a market; ``lookback`` is the length of the window that a sequence network reads."""
    market = engine.market
    closed = np.full((len(market), len(market.symbols), learned.CLOSED), np.nan)
    clock = np.column_stack([_clock(market, column) for column in range(len(market.symbols))])
    parts, rows = [], 0
    for column, scale in enumerate(engine.scales):
        own = _closed_columns(market, column, scale.tick_size)
        own[:, learned.C_ROW] = rows + lookback + np.arange(len(own))
        rows += lookback + len(own)
        row, series = market.timeline.row[:, column], market.series[column]
        closed[row >= 0, column] = own[row[row >= 0]]
        close = to_ticks(series.close, scale.tick_size)
        parts += [np.full((lookback, learned.MARKET_FEATURES), np.nan, np.float32)]
        parts += [_own_sequence(own, _sine(market.own_sessions(column), series.time_ns), close)]
    return FeatureTables(np.ascontiguousarray(closed), np.ascontiguousarray(clock), np.concatenate(parts))


def _closed_columns(market: Market, column: int, tick: float) -> FloatArray:
    """Columns of the closed table on the symbol's own bars."""
    series, bars = market.series[column], market.indicator_bars(column)
    atr = compute("atr", bars, period=ATR_PERIOD) / tick
    slow = compute("atr", bars, period=SLOW_ATR_PERIOD) / tick
    ema = compute("ema", bars, period=EMA_PERIOD) / tick
    middle = compute("bollinger", bars, period=BAND_PERIOD, output="middle")
    upper = compute("bollinger", bars, period=BAND_PERIOD, output="upper")
    traded = compute("sma", replace(bars, close=series.volume), period=VOLUME_BARS)
    highest = compute("donchian", bars, period=RANGE_BARS, output="upper")
    lowest = compute("donchian", bars, period=RANGE_BARS, output="lower")
    span = (highest - lowest) / tick
    divisor = np.where(atr > 0.0, atr, np.nan)
    table = np.full((len(series), learned.CLOSED), np.nan)
    table[:, learned.C_ATR] = divisor
    table[:, learned.C_DRIFT] = np.log(divisor / np.where(slow > 0.0, slow, np.nan))
    table[:, learned.C_RSI] = compute("rsi", bars, period=RSI_PERIOD)
    table[:, learned.C_EMA] = ema
    table[SLOPE_BARS:, learned.C_SLOPE] = (ema[SLOPE_BARS:] - ema[:-SLOPE_BARS]) / divisor[SLOPE_BARS:]
    table[:, learned.C_MIDDLE] = middle / tick
    table[:, learned.C_WIDTH] = (upper - middle) / tick
    table[:, learned.C_RANGE] = np.log(np.where(span > 0.0, span, np.nan) / divisor)
    table[:, learned.C_VOLUME] = np.log((series.volume + 1.0) / (traded + 1.0))
    return table


def _clock(market: Market, column: int) -> FloatArray:
    """Sine of the share of the session that is over when each master bar opens."""
    return _sine(market.sessions(column), market.time_ns)


def _sine(table: SessionTable, time_ns: TimeArray) -> FloatArray:
    length = np.maximum(table.session_close_ns - table.session_open_ns, 1)
    share = np.clip((time_ns - table.session_open_ns) / length, 0.0, 1.0)
    return np.asarray(np.sin(2.0 * np.pi * share))


def _own_sequence(own: FloatArray, clock: FloatArray, close: FloatArray) -> NDArray[np.float32]:
    """The market numbers of every real bar at its own close, for a long, float32[n, 8]."""
    from engine.kernel import observing as kernel

    out = np.empty((len(own), learned.MARKET_FEATURES))
    closed, prices = np.ascontiguousarray(own), np.ascontiguousarray(close)
    kernel.describe_bars(
        closed.ctypes.data, prices.ctypes.data, np.ascontiguousarray(clock).ctypes.data, len(own), out.ctypes.data
    )
    return out.astype(np.float32)
