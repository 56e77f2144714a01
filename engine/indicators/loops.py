"""Recursive averages and rolling windows, compiled: the arithmetic of the indicators that every run needs.

Each function walks forward once and never looks ahead, so a prefix of its input gives a prefix of its output to the
last bit (S10.2). Seeds and formulas are TA-Lib's (S10.1; Wilder, New Concepts in Technical Trading Systems, 1978):
an average starts as the simple mean of its first ``period`` values. They live here, and not behind TA-Lib, because
its Python package imports pandas, which would double the time to a run's first bar.

Inputs are contiguous float64, read-only ones too; outputs are new arrays, NaN until warm. ``first`` is the index of
the first usable input value.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import float64, int32, int64, njit, types

from data.series import FloatArray
from engine.indicators.bars import SessionArray

_IN = types.Array(float64, 1, "C", readonly=True)
_OUT = types.Array(float64, 1, "C")
_SESSION = types.Array(int32, 1, "C", readonly=True)


class _Compiled:
    """A function that is compiled, or read from the cache, at its first call: of these a run needs one or two."""

    __slots__ = ("_function", "_ready", "_signature")

    def __init__(self, function: Callable[..., Any], signature: Any) -> None:
        self._function, self._signature = function, signature
        self._ready: Callable[..., Any] | None = None

    def load(self) -> Callable[..., Any]:
        """The compiled function."""
        if self._ready is None:
            self._ready = njit(self._signature, cache=True, nogil=True)(self._function)
        return self._ready

    def __call__(self, *arguments: Any) -> Any:
        return self.load()(*arguments)


def _compiled(signature: Any) -> Callable[[Any], Any]:
    return lambda function: _Compiled(function, signature)


def _moving_mean(values: FloatArray, period: int) -> FloatArray:
    out = np.full(values.size, np.nan)
    total = 0.0
    for i in range(values.size):
        total += values[i]
        if i >= period - 1:
            out[i] = total / period
            total -= values[i - period + 1]
    return out


def _exponential_mean(values: FloatArray, period: int, first: int) -> FloatArray:
    out = np.full(values.size, np.nan)
    start = first + period - 1
    if start >= values.size:
        return out
    mean = 0.0
    for i in range(first, start + 1):
        mean += values[i]
    mean /= period
    out[start] = mean
    weight = 2.0 / (period + 1.0)
    for i in range(start + 1, values.size):
        mean += (values[i] - mean) * weight
        out[i] = mean
    return out


def _wilder_mean(values: FloatArray, period: int, first: int) -> FloatArray:
    out = np.full(values.size, np.nan)
    start = first + period - 1
    if start >= values.size:
        return out
    mean = 0.0
    for i in range(first, start + 1):
        mean += values[i]
    mean /= period
    out[start] = mean
    for i in range(start + 1, values.size):
        mean = (mean * (period - 1) + values[i]) / period
        out[i] = mean
    return out


def _true_range(high: FloatArray, low: FloatArray, close: FloatArray) -> FloatArray:
    out = np.full(close.size, np.nan)
    for i in range(1, close.size):
        before = close[i - 1]
        out[i] = max(high[i] - low[i], abs(high[i] - before), abs(low[i] - before))
    return out


def _strength(values: FloatArray, period: int) -> FloatArray:
    out = np.full(values.size, np.nan)
    gain = 0.0
    loss = 0.0
    for i in range(1, values.size):
        change = values[i] - values[i - 1]
        up = max(change, 0.0)
        down = max(-change, 0.0)
        if i <= period:
            gain += up / period
            loss += down / period
        else:
            gain = (gain * (period - 1) + up) / period
            loss = (loss * (period - 1) + down) / period
        if i >= period:
            total = gain + loss
            out[i] = 100.0 * gain / total if total > 0.0 else 0.0
    return out


def _moving_deviation(values: FloatArray, means: FloatArray, period: int) -> FloatArray:
    out = np.full(values.size, np.nan)
    for i in range(period - 1, values.size):
        total = 0.0
        for k in range(i - period + 1, i + 1):
            total += (values[k] - means[i]) ** 2
        out[i] = np.sqrt(total / period)
    return out


def _moving_highest(values: FloatArray, period: int) -> FloatArray:
    out = np.full(values.size, np.nan)
    best = 0
    for i in range(values.size):
        if values[i] >= values[best]:
            best = i
        elif best <= i - period:
            best = i - period + 1
            for k in range(best + 1, i + 1):
                if values[k] >= values[best]:
                    best = k
        if i >= period - 1:
            out[i] = values[best]
    return out


def _session_vwap(price: FloatArray, volume: FloatArray, session: SessionArray) -> FloatArray:
    out = np.full(price.size, np.nan)
    money = 0.0
    traded = 0.0
    for i in range(price.size):
        if i == 0 or session[i] != session[i - 1]:
            money = 0.0
            traded = 0.0
        money += price[i] * volume[i]
        traded += volume[i]
        if traded > 0.0:
            out[i] = money / traded
    return out


moving_mean: Callable[[FloatArray, int], FloatArray] = _compiled(_OUT(_IN, int64))(_moving_mean)
exponential_mean: Callable[[FloatArray, int, int], FloatArray] = _compiled(_OUT(_IN, int64, int64))(_exponential_mean)
wilder_mean: Callable[[FloatArray, int, int], FloatArray] = _compiled(_OUT(_IN, int64, int64))(_wilder_mean)
true_range: Callable[[FloatArray, FloatArray, FloatArray], FloatArray] = _compiled(_OUT(_IN, _IN, _IN))(_true_range)
strength: Callable[[FloatArray, int], FloatArray] = _compiled(_OUT(_IN, int64))(_strength)
moving_deviation: Callable[[FloatArray, FloatArray, int], FloatArray] = _compiled(_OUT(_IN, _IN, int64))(
    _moving_deviation
)
moving_highest: Callable[[FloatArray, int], FloatArray] = _compiled(_OUT(_IN, int64))(_moving_highest)
session_vwap: Callable[[FloatArray, FloatArray, SessionArray], FloatArray] = _compiled(_OUT(_IN, _IN, _SESSION))(
    _session_vwap
)


def compile_all() -> None:
    """Compile, or read from the cache, every loop of this module."""
    for value in list(globals().values()):
        if isinstance(value, _Compiled):
            value.load()
