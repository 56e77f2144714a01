"""The named indicators: averages, RSI, ATR, Bollinger, Donchian and session VWAP, TA-Lib's values (S10.1).

MACD and ADX come from TA-Lib itself and are only given readable names here.
"""

from collections.abc import Callable

import numpy as np

from data.series import FloatArray
from engine.indicators import loops
from engine.indicators.bars import PRICE_SOURCES, IndicatorBars, SessionArray
from engine.indicators.definition import Bounds, Function, Indicator, Where, parameters_of

_TEXTS = {
    "period": "Number of bars",
    "price": "Which price of a bar goes in",
    "deviations": "Width of the bands in standard deviations (population)",
}
_CHOICES = {"price": PRICE_SOURCES}
_NS_PER_DAY = 86_400_000_000_000


def _indicator(
    name: str,
    title: str,
    where: Where,
    function: Function,
    lookback: Callable[..., int],
    outputs: tuple[str, ...] = ("value",),
    bounds: dict[str, Bounds] | None = None,
) -> Indicator:
    return Indicator(
        name=name,
        title=title,
        help=" ".join((function.__doc__ or "").split()),
        where=where,
        parameters=parameters_of(function, bounds or {}, _CHOICES, _TEXTS),
        outputs=outputs,
        function=function,
        lookback=lookback,
    )


def _column(values: FloatArray) -> FloatArray:
    return np.ascontiguousarray(values, dtype=np.float64)


def _sma(bars: IndicatorBars, period: int = 20, price: str = "close") -> FloatArray:
    """Simple moving average."""
    return loops.moving_mean(_column(bars.price(price)), period)


def _ema(bars: IndicatorBars, period: int = 20, price: str = "close") -> FloatArray:
    """Exponential moving average, weight 2 / (period + 1), seeded with the simple average of the first bars."""
    return loops.exponential_mean(_column(bars.price(price)), period, 0)


def _rma(bars: IndicatorBars, period: int = 14, price: str = "close") -> FloatArray:
    """Wilder's moving average, weight 1 / period, seeded with the simple average of the first bars."""
    return loops.wilder_mean(_column(bars.price(price)), period, 0)


def _rsi(bars: IndicatorBars, period: int = 14, price: str = "close") -> FloatArray:
    """Relative strength index with Wilder's averages, 0 to 100; 0 where price has not moved at all."""
    return loops.strength(_column(bars.price(price)), period)


def _true_range(bars: IndicatorBars) -> FloatArray:
    """Largest of high - low and the distances of high and low from the close before."""
    return loops.true_range(_column(bars.high), _column(bars.low), _column(bars.close))


def _atr(bars: IndicatorBars, period: int = 14) -> FloatArray:
    """Average true range: Wilder's average of the true range, in price."""
    return loops.wilder_mean(_true_range(bars), period, 1)


def _bollinger(
    bars: IndicatorBars, period: int = 20, deviations: float = 2.0, price: str = "close"
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Simple moving average and bands that many population standard deviations above and below it."""
    values = _column(bars.price(price))
    middle = loops.moving_mean(values, period)
    width = deviations * loops.moving_deviation(values, middle, period)
    return middle + width, middle, middle - width


def _donchian(bars: IndicatorBars, period: int = 20) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Highest high, lowest low and their mean over the last bars, the newest closed one included."""
    upper = loops.moving_highest(_column(bars.high), period)
    lower = -loops.moving_highest(_column(-bars.low), period)
    return upper, (upper + lower) / 2.0, lower


def _session_vwap(bars: IndicatorBars) -> FloatArray:
    """Volume-weighted average of (high + low + close) / 3 since the session began; NaN until something traded."""
    return loops.session_vwap(_column(bars.price("hlc3")), _column(bars.volume), _sessions(bars))


def _sessions(bars: IndicatorBars) -> SessionArray:
    if bars.session is not None:
        return np.ascontiguousarray(bars.session, dtype=np.int32)
    return (bars.time_ns // _NS_PER_DAY).astype(np.int32)


def _before_window(period: int, **_: object) -> int:
    return period - 1


def _before_change(period: int, **_: object) -> int:
    return period


_FROM_TWO: dict[str, Bounds] = {"period": (2, 100_000)}

BUILT_IN: tuple[Indicator, ...] = (
    _indicator("sma", "Simple moving average", Where.OVERLAY, _sma, _before_window),
    _indicator("ema", "Exponential moving average", Where.OVERLAY, _ema, _before_window),
    _indicator("rma", "Wilder's moving average", Where.OVERLAY, _rma, _before_window),
    _indicator("rsi", "Relative strength index", Where.PANE, _rsi, _before_change, bounds=_FROM_TWO),
    _indicator("true_range", "True range", Where.PANE, _true_range, lambda: 1),
    _indicator("atr", "Average true range", Where.PANE, _atr, _before_change),
    _indicator(
        "bollinger",
        "Bollinger bands",
        Where.OVERLAY,
        _bollinger,
        _before_window,
        outputs=("upper", "middle", "lower"),
        bounds={"period": (2, 100_000), "deviations": (0.0, 100.0)},
    ),
    _indicator(
        "donchian",
        "Donchian channel",
        Where.OVERLAY,
        _donchian,
        _before_window,
        outputs=("upper", "middle", "lower"),
        bounds=_FROM_TWO,
    ),
    _indicator("session_vwap", "Session VWAP", Where.OVERLAY, _session_vwap, lambda: 0),
)
