"""How sessions are drawn: shade outside regular hours, a hairline where a trading day begins."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.charts.canvas import Canvas
from app.charts.columns import BoolArray, IntArray
from app.charts.frame import Frame, Layer, Window
from app.theme.tokens import blend

FINEST = 24  # logical pixels that a day must take for its hours to be worth drawing


class Hours:
    """Sessions of a symbol, told per master bar and kept per stretch of bars that have the same: of millions of bars
    some thousands of stretches.

    Args:
        day: trading day of every master bar, days since 1970-01-01 (S7.4).
        regular: whether the bar opens within regular hours; None: every one does.
    """

    def __init__(self, day: NDArray[np.integer[Any]], regular: BoolArray | None = None) -> None:
        self._day_starts, self._days = _stretches(day.astype(np.int64, copy=False))
        own = np.ones(min(len(day), 1), np.bool_) if regular is None else regular
        self._regular_starts, self._regular = _stretches(own)

    def days(self, bars: IntArray) -> IntArray:
        """Trading days of master bars."""
        found: IntArray = self._days[np.searchsorted(self._day_starts, bars, side="right") - 1]
        return found

    def regular(self, bars: IntArray) -> BoolArray:
        """Which master bars open within regular hours."""
        found: BoolArray = self._regular[np.searchsorted(self._regular_starts, bars, side="right") - 1]
        return found


def _stretches(values: NDArray[Any]) -> tuple[IntArray, NDArray[Any]]:
    """Where each stretch of equal values begins, and its value."""
    starts = np.concatenate(([0], np.flatnonzero(values[1:] != values[:-1]) + 1)).astype(np.int64)
    return starts, values[starts[: len(values)]]


class SessionLayer(Layer):
    """Shade and hairlines behind everything else; nothing where days are too narrow."""

    def __init__(self, hours: Hours) -> None:
        self.hours = hours

    def paint(self, canvas: Canvas, frame: Frame) -> None:
        window = frame.window
        count = window.last - window.first
        if count < 1 or window.exponent > 4:
            return
        bars = np.arange(window.first, window.last, dtype=np.int64)
        master = window.view.first_bars(bars)
        days, regular = self.hours.days(master), self.hours.regular(master)
        begins = bars[1:][np.diff(days) != 0]
        if window.width / (len(begins) + 1) < canvas.px(FINEST):
            return
        self._shade(canvas, frame, bars, regular)
        lefts = np.rint(window.left_of(begins)).astype(np.int64)
        canvas.rects(frame.theme.line, lefts, frame.top, 1, frame.bottom - frame.top)

    @staticmethod
    def _shade(canvas: Canvas, frame: Frame, bars: IntArray, regular: BoolArray) -> None:
        outside = np.concatenate(([False], ~regular, [False]))
        edges = np.nonzero(outside[1:] != outside[:-1])[0].reshape(-1, 2)
        if not len(edges) or regular.all() or not regular.any():
            return
        begins = np.rint(frame.window.left_of(bars[0] + edges[:, 0])).astype(np.int64)
        ends = np.rint(frame.window.left_of(bars[0] + edges[:, 1])).astype(np.int64)
        shade = blend(frame.theme.bg0, frame.theme.chart, 0.55)
        canvas.rects(shade, begins, frame.top, np.maximum(ends - begins, 1), frame.bottom - frame.top)


def day_starts(window: Window, hours: Hours | None, bars: IntArray) -> IntArray | None:
    """Trading days of bars of a view, None where the calendar is not known."""
    if hours is None:
        return None
    return hours.days(window.view.first_bars(bars))
