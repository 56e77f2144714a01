"""Which curves a report draws, and with how few points they look the same."""

import numpy as np

from data.series import FloatArray, TimeArray


def buy_and_hold(closes: FloatArray, initial_cash: float) -> FloatArray | None:
    """Money that the initial cash would have become, split evenly over the symbols and bought without margin or costs.

    ``closes`` is [n, symbols]; each symbol is bought at its first close and rests as cash before it. A symbol whose
    first close is not above zero cannot be bought so and is left out; ``None`` if that leaves none.
    """
    if not len(closes):
        return None
    first = np.argmax(~np.isnan(closes), axis=0)
    entry = closes[first, np.arange(closes.shape[1])]
    usable = np.flatnonzero(entry > 0.0)
    if not len(usable):
        return None
    growth = closes[:, usable] / entry[usable]
    growth[np.isnan(growth)] = 1.0
    shares: FloatArray = growth.mean(axis=1) * initial_cash
    return shares


def thin(time_ns: TimeArray, values: FloatArray, columns: int) -> tuple[TimeArray, FloatArray]:
    """The curve with at most four points for each of ``columns`` equal spans of time: first, lowest, highest, last.

    Drawn that many pixels wide it looks like the whole; no peak and no trough is lost.
    """
    if len(values) <= 4 * columns:
        return time_ns, values
    span = max(int(time_ns[-1] - time_ns[0]), 1)
    column = ((time_ns - time_ns[0]) / span * columns).astype(np.int64)
    starts = np.flatnonzero(np.append(True, column[1:] != column[:-1]))
    lasts = np.append(starts[1:], len(values)) - 1
    extremes = [_where_reached(values, starts, reduced) for reduced in (np.minimum, np.maximum)]
    kept = np.unique(np.concatenate([starts, lasts, *extremes]))
    return time_ns[kept], values[kept]


def _where_reached(values: FloatArray, starts: TimeArray, extreme: np.ufunc) -> TimeArray:
    """Index of the first value in each group that equals the group's extreme."""
    best = extreme.reduceat(values, starts)
    sizes = np.diff(np.append(starts, len(values)))
    reached = np.flatnonzero(values == np.repeat(best, sizes))
    group = np.searchsorted(starts, reached, side="right")
    firsts: TimeArray = reached[np.append(True, group[1:] != group[:-1])]
    return firsts
