"""How bars are drawn: candles of whole device pixels, buckets past one bar a pixel, O alone in the OPEN phase."""

import numpy as np

from app.charts.canvas import Canvas
from app.charts.columns import BoolArray, IntArray
from app.charts.frame import Frame, Layer, Window
from app.charts.scale import Extent, extent_of


class CandleLayer(Layer):
    """Candles: wicks, then bodies, one call for each colour.

    The highest and the lowest pixel of a bucket are those of its highest and lowest price, at any zoom.
    """

    def extent(self, window: Window) -> Extent | None:
        return extent_of(window.buckets.low, window.buckets.high)

    def paint(self, canvas: Canvas, frame: Frame) -> None:
        window, theme = frame.window, frame.theme
        real = ~np.isnan(window.buckets.open)
        if window.cut.opening and window.exponent == 0 and window.last == window.cut.count and len(real):
            real[-1] = False  # drawn by the mark for O
            self._opening(canvas, frame)
        rising = window.buckets.close >= window.buckets.open
        for which, body, wick in (
            (real & rising, theme.up, theme.wick_up),
            (real & ~rising, theme.down, theme.wick_down),
        ):
            self._candles(canvas, frame, which, body, wick)
        if theme.hollow and window.body >= 4 * window.thin and window.exponent == 0:
            self._hollow(canvas, frame, real & rising)

    def _candles(self, canvas: Canvas, frame: Frame, which: BoolArray, body: str, wick: str) -> None:
        window, buckets = frame.window, frame.window.buckets
        lefts, widths = (column[which] for column in window.columns)
        high, low = frame.rows(buckets.high[which]), frame.rows(buckets.low[which])
        if window.exponent:
            canvas.rects(wick, lefts, high, widths, np.maximum(low - high, 1))
        else:
            middle = lefts + (window.body - window.thin) // 2
            canvas.rects(wick, middle, high, window.thin, np.maximum(low - high, 1))
        top, height = self._bodies(frame, which)
        canvas.rects(body, lefts, top, widths, height)

    def _bodies(self, frame: Frame, which: BoolArray) -> tuple[IntArray, IntArray]:
        buckets = frame.window.buckets
        top = frame.rows(np.maximum(buckets.open[which], buckets.close[which]))
        bottom = frame.rows(np.minimum(buckets.open[which], buckets.close[which]))
        return top, np.maximum(bottom - top, frame.window.thin)

    def _hollow(self, canvas: Canvas, frame: Frame, which: BoolArray) -> None:
        window = frame.window
        edge = window.thin
        top, height = self._bodies(frame, which)
        deep = height > 2 * edge
        inside = window.columns[0][which][deep] + edge
        canvas.rects(frame.theme.chart, inside, top[deep] + edge, window.body - 2 * edge, height[deep] - 2 * edge)

    def _opening(self, canvas: Canvas, frame: Frame) -> None:
        """O as a short bar in the cursor's colour: the only price of the bar there is (S5.2)."""
        window = frame.window
        if window.cut.tail is None:
            return
        left = int(window.columns[0][-1])
        thick = 2 * window.thin
        canvas.rect(frame.theme.amber, left, frame.row(window.cut.tail.open) - window.thin, max(window.body, 2), thick)


class GapLayer(Layer):
    """Marks of synthetic bars: where the symbol did not trade, its last close goes on as a thin line (S3.2)."""

    def paint(self, canvas: Canvas, frame: Frame) -> None:
        window, buckets = frame.window, frame.window.buckets
        empty = np.isnan(buckets.open) & ~np.isnan(buckets.close)
        if not empty.any():
            return
        lefts = window.left_of(buckets.starts[empty]).astype(np.int64)
        width = max(int(np.ceil(window.step * buckets.size)), 1)
        canvas.rects(frame.theme.faint, lefts, frame.rows(buckets.close[empty]), width, window.thin)
        foot = 3 * canvas.px(1)
        canvas.rects(frame.theme.faint, lefts, frame.bottom - foot, width, foot)
