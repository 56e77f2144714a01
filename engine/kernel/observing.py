"""What a learned exit sees: fourteen scale-free numbers, all known when it decides (closed bars, and O of the bar).

Training, evaluation and serving call these functions; ``exits.features`` makes the tables that they read and names the
numbers. Prices are in ticks. Direction-like numbers are multiplied by the side, so that a short in a falling market
looks like a long in a rising one.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic

from engine.kernel.compiling import JIT
from engine.kernel.hooking import late_entry, late_internal
from engine.kernel.learned import (
    C_ATR,
    C_DRIFT,
    C_EMA,
    C_MIDDLE,
    C_RANGE,
    C_RSI,
    C_SLOPE,
    C_VOLUME,
    C_WIDTH,
    CLOSED,
    DISTANCE_SCALE,
    F_ATR_DRIFT,
    F_BAND,
    F_CLOCK,
    F_EMA_DISTANCE,
    F_EMA_SLOPE,
    F_RANGE,
    F_RSI,
    F_VOLUME,
    FEATURES,
    LEARNED,
    LIMIT,
    MARKET_FEATURES,
    RSI_SCALE,
    SLOPE_SCALE,
    USUAL_RANGE,
)  # fmt: skip
from engine.kernel.state import I8, account_at, bar_at, pointer

learned_at_index: Callable[[int, int], Any] = pointer(LEARNED)


def _view_twin(dtype: Any) -> Callable[[int, int], Any]:
    kind = np.ctypeslib.as_ctypes_type(dtype)

    def view(address: int, count: int) -> Any:
        return np.ctypeslib.as_array((kind * int(count)).from_address(int(address)))

    return view


@intrinsic
def _as_pointer(typing_context: Any, address: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(types.voidptr))

    return types.voidptr(types.int64), codegen


def _view(dtype: Any) -> Callable[[int, int], Any]:
    """(address, count) -> a one-dimensional array over that memory, without a copy."""
    if not JIT:
        return _view_twin(dtype)

    def view(address: int, count: int) -> Any:
        return numba.carray(_as_pointer(address), (count,), dtype)

    compiled: Callable[[int, int], Any] = numba.njit(view)
    return compiled


floats = _view(np.float64)
singles = _view(np.float32)
integers = _view(np.int64)
sides_in = _view(np.int8)


@late_internal
def bounded(value: float) -> float:
    """Within the limit on both sides; NaN stays NaN."""
    return min(max(value, -LIMIT), LIMIT) if not np.isnan(value) else value


@late_internal
def describe_market(closed: Any, price: float, clock: float, side: int, out: Any) -> None:
    """The eight market numbers at ``price`` for a trade of that side, from the row of the last closed bar."""
    atr = closed[C_ATR]
    width = closed[C_WIDTH]
    out[F_ATR_DRIFT] = bounded(closed[C_DRIFT])
    out[F_RSI] = side * (closed[C_RSI] - 50.0) / RSI_SCALE + 0.0
    out[F_EMA_DISTANCE] = bounded(side * (price - closed[C_EMA]) / atr / DISTANCE_SCALE) + 0.0
    out[F_EMA_SLOPE] = bounded(side * closed[C_SLOPE] / SLOPE_SCALE) + 0.0
    out[F_BAND] = bounded(side * (price - closed[C_MIDDLE]) / width) + 0.0 if width > 0.0 else 0.0 * width
    out[F_RANGE] = bounded(closed[C_RANGE] - USUAL_RANGE)
    out[F_VOLUME] = bounded(closed[C_VOLUME])
    out[F_CLOCK] = clock


@late_internal
def closed_row(learned: Any, account: Any, bar: int, symbol: int) -> Any:
    """Row of the table of closed bars."""
    place = (bar * account.n_symbols + symbol) * CLOSED
    return floats(learned.closed_a + 8 * place, CLOSED)


@late_internal
def observe_entry(learned: Any, account: Any, symbol: int, bar: int, side: int, out: Any) -> int:
    """The fourteen numbers at the OPEN of ``bar`` before an entry; returns 1 where all of them exist."""
    for index in range(MARKET_FEATURES, FEATURES):
        out[index] = 0.0
    if bar < 1:
        out[0] = np.nan
        return 0
    closed = closed_row(learned, account, bar - 1, symbol)
    clock = floats(learned.clock_a, (bar + 1) * account.n_symbols)[bar * account.n_symbols + symbol]
    describe_market(closed, bar_at(account, bar, symbol).o, clock, side, out)
    total = 0.0
    for index in range(MARKET_FEATURES):
        total += out[index]
    return 1 if np.isfinite(total) else 0


@late_entry(I8(I8, I8, I8, I8, I8))
def describe_bars(closed_a: int, prices_a: int, clocks_a: int, count: int, out_a: int) -> int:
    """The market numbers of many bars at given prices, for a long; out is float64[count, 8]."""
    prices, clocks = floats(prices_a, count), floats(clocks_a, count)
    for index in range(count):
        closed = floats(closed_a + 8 * index * CLOSED, CLOSED)
        out = floats(out_a + 8 * index * MARKET_FEATURES, MARKET_FEATURES)
        describe_market(closed, prices[index], clocks[index], 1, out)
    return count


@late_entry(I8(I8, I8, I8, I8, I8, I8))
def observe_many(address: int, symbol: int, bars_a: int, sides_a: int, count: int, out_a: int) -> int:
    """The fourteen numbers of many entries on one symbol; bars int64, sides int8, out float64[count, 14]."""
    learned = learned_at_index(address, 0)
    account = account_at(learned.account_a)
    bars, sides = integers(bars_a, count), sides_in(sides_a, count)
    for index in range(count):
        out = floats(out_a + 8 * index * FEATURES, FEATURES)
        observe_entry(learned, account, symbol, bars[index], sides[index], out)
    return count
