"""The arithmetic of the statistics (S13), compiled: plain arrays in, numbers out, NaN where a figure does not exist.

Compiled because a sweep needs the figures of a thousand runs; the functions can be called from compiled code as well.
Inputs are contiguous float64 or integers, read-only ones too. Loops add in order, so results do not depend on the
machine's vector width.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import float64, int32, int64, njit, types
from numpy.typing import NDArray

from data.series import FloatArray, TimeArray

DayArray = NDArray[np.int32]

_FLOATS = types.Array(float64, 1, "C", readonly=True)
_TIMES = types.Array(int64, 1, "C", readonly=True)
_DAYS = types.Array(int32, 1, "C", readonly=True)
_OUT = types.Array(float64, 1, "C")
_tuple_of: Callable[[Any], Any] = types.Tuple
_TWO = _tuple_of((float64, float64))

_MOST = 700.0  # natural logarithm of the largest growth that is still a number
_DUST = 1e-14  # returns come from ratios near one: a deviation below this is rounding, not risk


def _compiled(signature: Any) -> Callable[[Any], Any]:
    compiled: Callable[[Any], Any] = njit(signature, cache=True, nogil=True, error_model="numpy")
    return compiled


def _daily_closes(equity: FloatArray, trading_day: DayArray) -> FloatArray:
    closes = np.empty(equity.size)
    count = 0
    for i in range(equity.size):
        if i + 1 == equity.size or trading_day[i + 1] != trading_day[i]:
            closes[count] = equity[i]
            count += 1
    return closes[:count].copy()


def _daily_returns(closes: FloatArray, initial_cash: float) -> FloatArray:
    returns = np.empty(closes.size)
    before = initial_cash
    count = 0
    for i in range(closes.size):
        if not before > 0.0:
            break
        returns[i] = closes[i] / before - 1.0
        before = closes[i]
        count += 1
    return returns[:count].copy()


def _drawdown(equity: FloatArray, time_ns: TimeArray, initial_cash: float) -> tuple[float, float, int]:
    peak = initial_cash
    peak_at = time_ns[0] if time_ns.size else 0
    money = 0.0
    fraction = 0.0
    length = 0
    for i in range(equity.size):
        if equity[i] < peak:
            money = max(money, peak - equity[i])
            fraction = max(fraction, (peak - equity[i]) / peak)
            length = max(length, time_ns[i] - peak_at)
        else:
            if i > 0 and equity[i - 1] < peak:
                length = max(length, time_ns[i] - peak_at)
            peak = equity[i]
            peak_at = time_ns[i]
    return money, fraction, length


def _worst_case_drawdown(equity: FloatArray, worst_equity: FloatArray, initial_cash: float) -> tuple[float, float]:
    peak = initial_cash
    money = 0.0
    fraction = 0.0
    for i in range(equity.size):
        money = max(money, peak - worst_equity[i])
        fraction = max(fraction, (peak - worst_equity[i]) / peak)
        money = max(money, peak - equity[i])
        fraction = max(fraction, (peak - equity[i]) / peak)
        peak = max(peak, equity[i])
    return money, fraction


def _return_ratios(returns: FloatArray, days_per_year: int) -> tuple[float, float]:
    n = returns.size
    if n == 0:
        return np.nan, np.nan
    total = 0.0
    downside = 0.0
    for r in returns:
        total += r
        downside += min(r, 0.0) ** 2
    mean = total / n
    squares = 0.0
    for r in returns:
        squares += (r - mean) ** 2
    deviation = np.sqrt(squares / (n - 1)) if n > 1 else 0.0
    downside = np.sqrt(downside / n)
    year = np.sqrt(days_per_year)
    sharpe = mean / deviation * year if deviation > _DUST else np.nan
    sortino = mean / downside * year if downside > _DUST else np.nan
    return sharpe, sortino


def _tail_risk(returns: FloatArray, share: float) -> tuple[float, float]:
    n = returns.size
    if n == 0:
        return np.nan, np.nan
    ordered = np.sort(returns)
    position = (n - 1) * share
    below = int(position)
    above = min(below + 1, n - 1)
    value = ordered[below] + (ordered[above] - ordered[below]) * (position - below)
    total = 0.0
    count = 0
    for r in ordered:
        if r > value:
            break
        total += r
        count += 1
    return value, total / count if count > 0 else value


def _growth(final: float, initial: float, years: float) -> float:
    if not (years > 0.0 and initial > 0.0 and final >= 0.0):
        return np.nan
    if final == 0.0:
        return -1.0
    exponent = np.log(final / initial) / years
    return (final / initial) ** (1.0 / years) - 1.0 if exponent < _MOST else np.nan


def _tally(net: FloatArray) -> FloatArray:
    out = np.zeros(8)
    winning = 0
    losing = 0
    for value in net:
        winning = winning + 1 if value > 0.0 else 0
        losing = losing + 1 if value < 0.0 else 0
        if value > 0.0:
            out[0] += 1.0
            out[2] += value
        elif value < 0.0:
            out[1] += 1.0
            out[3] += value
        out[4] = max(out[4], value)
        out[5] = min(out[5], value)
        out[6] = max(out[6], winning)
        out[7] = max(out[7], losing)
    return out


def _mean_and_deviation(values: FloatArray) -> tuple[int, float, float]:
    count = 0
    total = 0.0
    largest = 0.0
    for value in values:
        if not np.isnan(value):
            count += 1
            total += value
            largest = max(largest, abs(value))
    if count == 0:
        return 0, np.nan, np.nan
    mean = total / count
    squares = 0.0
    for value in values:
        if not np.isnan(value):
            squares += (value - mean) ** 2
    deviation = np.sqrt(squares / (count - 1)) if count > 1 else np.nan
    return count, mean, deviation if deviation > 1e-12 * largest else np.nan


#: Equity at the last bar of each trading day: (equity[n], trading_day[n] int32) -> [days].
daily_closes: Callable[[FloatArray, DayArray], FloatArray] = _compiled(_OUT(_FLOATS, _DAYS))(_daily_closes)

#: (daily closes, initial cash) -> simple returns, the first against the initial cash; they end with the first day
#: after which there is nothing left to earn a return on.
daily_returns: Callable[[FloatArray, float], FloatArray] = _compiled(_OUT(_FLOATS, float64))(_daily_returns)

#: (equity, time_ns, initial cash) -> largest fall from a peak in money, as a fraction of that peak, and the longest
#: time from a peak until it was reached again (or the last bar), in nanoseconds; all are 0 where there is none.
drawdown: Callable[[FloatArray, TimeArray, float], tuple[float, float, int]] = _compiled(
    _tuple_of((float64, float64, int64))(_FLOATS, _TIMES, float64)
)(_drawdown)

#: (equity, S7.1 equity, initial cash) -> largest fall in money and as a fraction, from the peak of closing equity so
#: far to the worst the bar saw. Peaks of the worst-case row itself would hide part of the fall.
worst_case_drawdown: Callable[[FloatArray, FloatArray, float], tuple[float, float]] = _compiled(
    _tuple_of((float64, float64))(_FLOATS, _FLOATS, float64)
)(_worst_case_drawdown)

#: (daily returns, days per year) -> Sharpe (deviation with ddof 1) and Sortino (downside deviation over all days).
return_ratios: Callable[[FloatArray, int], tuple[float, float]] = _compiled(
    _tuple_of((float64, float64))(_FLOATS, int64)
)(_return_ratios)

#: (daily returns, share of the tail) -> percentile with linear interpolation, mean of the returns not above it.
tail_risk: Callable[[FloatArray, float], tuple[float, float]] = _compiled(
    _tuple_of((float64, float64))(_FLOATS, float64)
)(_tail_risk)

#: (final, initial, years) -> compound yearly growth; NaN for no time, a loss of more than everything, or overflow.
growth: Callable[[float, float, float], float] = _compiled(float64(float64, float64, float64))(_growth)

#: net results in order of exit -> [wins, losses, sum of wins, sum of losses, largest win, largest loss (negative),
#: longest winning streak, longest losing streak]; a trade of exactly 0 is neither and ends both streaks.
tally: Callable[[FloatArray], FloatArray] = _compiled(_OUT(_FLOATS))(_tally)

#: values -> how many are not NaN, their mean, their deviation (ddof 1; NaN where it is zero but for rounding).
mean_and_deviation: Callable[[FloatArray], tuple[int, float, float]] = _compiled(
    _tuple_of((int64, float64, float64))(_FLOATS)
)(_mean_and_deviation)
