"""Series and tables that the report and the window draw: drawdown, returns by month, histogram of R."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.series import FloatArray
from engine.statistics.loops import DayArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyReturns:
    """Returns by month: ``returns[year, month]`` and ``totals[year]`` as fractions, NaN where there is no bar."""

    years: IntArray
    returns: FloatArray
    totals: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """``counts[i]`` values lie in ``edges[i] <= value < edges[i + 1]``."""

    edges: FloatArray
    counts: IntArray


def drawdown_series(equity: FloatArray, initial_cash: float) -> FloatArray:
    """Fall from the highest equity so far as a fraction of it, at most 0; float64[n]; the initial cash is a peak."""
    peaks = np.maximum(np.maximum.accumulate(equity), initial_cash) if len(equity) else equity
    return equity / peaks - 1.0


def monthly_returns(trading_day: DayArray, equity: FloatArray, initial_cash: float) -> MonthlyReturns:
    """Growth of equity from the last bar of a month to that of the next; the first month starts at the initial cash.

    A month belongs to the trading day's calendar. A month that begins with no equity has no return.
    """
    months = trading_day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    last = np.flatnonzero(np.append(months[1:] != months[:-1], True)) if len(months) else np.zeros(0, dtype=np.int64)
    years = np.unique(1970 + months[last] // 12)
    returns = np.full((len(years), 12), np.nan)
    totals = np.full(len(years), np.nan)
    before = year_start = initial_cash
    for i, at in enumerate(last):
        row, month = int(np.searchsorted(years, 1970 + months[at] // 12)), int(months[at] % 12)
        if i and months[at] // 12 != months[last[i - 1]] // 12:
            year_start = before
        if before > 0.0:
            returns[row, month] = equity[at] / before - 1.0
        if year_start > 0.0:
            totals[row] = equity[at] / year_start - 1.0
        before = float(equity[at])
    return MonthlyReturns(years=years, returns=returns, totals=totals)


def r_histogram(r_multiples: FloatArray, width: float = 0.5, limit: float = 10.0) -> Histogram:
    """Counts of R in steps of ``width``, one edge at 0; what lies beyond +-``limit`` falls into the outermost steps.

    Trades without a stop (NaN) are left out; without any R the histogram is empty.
    """
    known = r_multiples[~np.isnan(r_multiples)]
    if not len(known):
        return Histogram(edges=np.zeros(0), counts=np.zeros(0, dtype=np.int64))
    steps = np.floor(np.clip(known, -limit, np.nextafter(limit, 0.0)) / width).astype(np.int64)
    low, high = int(steps.min()), int(steps.max())
    counts = np.bincount(steps - low, minlength=high - low + 1).astype(np.int64)
    return Histogram(edges=np.arange(low, high + 2, dtype=np.float64) * width, counts=counts)
