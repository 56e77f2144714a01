"""How trades are drawn: an arrow where one was entered, a square where it was closed, a line between them."""

import numpy as np

from app.charts.canvas import Canvas
from app.charts.columns import BoolArray, IntArray
from app.charts.frame import Frame, Layer
from app.charts.marks import TradeMarks
from data.series import FloatArray

FEW = 40  # logical pixels per trade in view down to which each gets an arrow...
DENSE = 6  # ... and down to which it gets a tick; closer ones would hide the bars


class TradeLayer(Layer):
    """Entries point up (long) or down (short); the line is whole for a gain, dashed for a loss.

    Where trades are close, entries are ticks; where they would hide the bars, nothing is drawn.
    """

    def __init__(self, marks: TradeMarks) -> None:
        self.marks = marks

    def paint(self, canvas: Canvas, frame: Frame) -> None:
        window = frame.window
        if window.last <= window.first:
            return
        first = window.view.first_bar(window.first)
        found, ended = self.marks.between(first, window.view.last_bar(window.last - 1, window.cursor), window.cursor)
        if not len(ended):
            return
        x0 = window.centres(window.view.indices_of(self.marks.entry_bar[found]))
        y0 = frame.near(self.marks.entry_price[found])
        exits = np.where(ended, self.marks.exit_bar[found], 0)
        x1 = window.centres(window.view.indices_of(exits))
        y1 = frame.near(np.where(ended, self.marks.exit_price[found], np.nan))
        gain = self.marks.net[found] >= 0
        room = window.width / len(ended)
        if room < DENSE * window.ratio:
            return
        few = room >= FEW * window.ratio
        for which, colour, dashed in ((ended & gain, frame.theme.up, False), (ended & ~gain, frame.theme.down, few)):
            canvas.segments(colour, x0[which], y0[which], x1[which], y1[which], dashed)
        if few:
            self._arrows(canvas, frame, x0, y0, self.marks.side[found])
            self._exits(canvas, frame, x1, y1, ended, gain)
        else:
            self._ticks(canvas, frame, x0, y0, found)

    @staticmethod
    def _arrows(canvas: Canvas, frame: Frame, x: FloatArray, y: FloatArray, side: IntArray) -> None:
        for at, price, direction in zip(x.tolist(), y.tolist(), side.tolist(), strict=True):
            colour = frame.theme.accent if direction > 0 else frame.theme.violet
            # A rim in the ground's colour sets the arrow off from the candles.
            for rim, ink in ((2, frame.theme.chart), (0, colour)):
                half, tip, base = canvas.px(5 + rim), canvas.px(3 - rim), canvas.px(12 + rim / 2)
                points = [(at, price + direction * tip), (at - half, price + direction * base)]
                canvas.polygon(ink, [*points, (at + half, price + direction * base)])

    @staticmethod
    def _exits(canvas: Canvas, frame: Frame, x: FloatArray, y: FloatArray, ended: BoolArray, gain: BoolArray) -> None:
        for which, colour in ((ended & gain, frame.theme.up), (ended & ~gain, frame.theme.down)):
            for logical, ink in ((10, frame.theme.chart), (8, frame.theme.text), (4, colour)):
                size = canvas.px(logical)
                lefts = np.rint(x[which] - size / 2).astype(np.int64)
                canvas.rects(ink, lefts, np.rint(y[which] - size / 2).astype(np.int64), size, size)

    def _ticks(self, canvas: Canvas, frame: Frame, x: FloatArray, y: FloatArray, found: slice) -> None:
        side = self.marks.side[found]
        size = canvas.px(2)
        for direction, colour in ((1, frame.theme.accent), (-1, frame.theme.violet)):
            lefts = np.rint(x[side == direction]).astype(np.int64)
            tops = np.rint(y[side == direction]).astype(np.int64)
            canvas.rects(colour, lefts, tops, size, 2 * size)


class PathLayer(Layer):
    """The assumed path of the cursor's bar in its INTRABAR phase, as a zigzag beside it (S6).

    Attributes:
        path: the prices in the order in which the walk reaches them (O, E1, E2, C, with turns in mid-bar), or
            empty where none is to be drawn.
    """

    def __init__(self) -> None:
        self.path: tuple[float, ...] = ()

    def paint(self, canvas: Canvas, frame: Frame) -> None:
        window = frame.window
        if len(self.path) < 2 or not window.first <= window.bar_shown < window.last:
            return
        width = max(window.step, canvas.px(30))
        begin = window.centre(window.bar_shown)
        x = begin + np.linspace(0.0, width, len(self.path))
        y = frame.near(np.array(self.path))
        canvas.polyline(frame.theme.amber, x, y, 2 * canvas.px(1))
        dot = canvas.px(5)
        for at, price in ((x[0], y[0]), (x[-1], y[-1])):
            canvas.rect(frame.theme.amber, round(at - dot / 2), round(price - dot / 2), dot, dot)
