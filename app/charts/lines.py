"""How series are drawn over the bars: indicator lines, equity and drawdown areas, all from min-max pyramids."""

import numpy as np

from app.charts.canvas import Canvas
from app.charts.columns import IntArray
from app.charts.cursor import Cursor
from app.charts.frame import Frame, Layer, Window
from app.charts.line_pyramid import LinePyramid, Spans
from app.charts.prices import PriceFormat
from app.charts.scale import Extent, extent_of
from app.charts.timeframe import BarView
from app.theme.tokens import blend
from data.series import FloatArray
from engine.kernel.schema import Phase


class Line:
    """A named series, one value per master bar.

    Attributes:
        name: as the legend shows it ("EMA 50").
        data: the values; more may be appended.
        known_at: the phase of a bar in which its value is known: CLOSE for indicators and equity (S7).
        colour: a token of the theme or a ``#rrggbb``; None for the next of the theme's series.
        form: how values are written, None for the pane's own.
    """

    def __init__(
        self,
        name: str,
        data: LinePyramid,
        *,
        known_at: Phase = Phase.CLOSE,
        colour: str | None = None,
        form: PriceFormat | None = None,
    ) -> None:
        self.name = name
        self.data = data
        self.known_at = known_at
        self.colour = colour
        self.form = form
        self._sampled: tuple[BarView, int, LinePyramid] | None = None

    def in_view(self, view: BarView, cursor: Cursor) -> tuple[LinePyramid, int]:
        """The values per bar of a view, and how many of them are known at the cursor."""
        known = min(cursor.known(self.known_at), len(self.data))
        if view.timeframe is None:
            return self.data, known
        if self._sampled is None or self._sampled[0] is not view or self._sampled[1] != len(self.data):
            self._sampled = (view, len(self.data), self._sample(view))
        return self._sampled[2], view.complete(known)

    def _sample(self, view: BarView) -> LinePyramid:
        """The value at the end of each bar of the view."""
        return LinePyramid(self.data.at(view.ends(view.complete(len(self.data)))))

    def value_at(self, index: int, view: BarView, cursor: Cursor) -> float:
        """The value at a bar of the view, or the last one known there; NaN if there is none."""
        known = min(cursor.known(self.known_at), len(self.data))
        bar = min(view.last_bar(index, cursor), known - 1)
        return float(self.data.at(slice(bar, bar + 1))[0]) if bar >= 0 else float("nan")


class LineLayer(Layer):
    """A line; past one bar a pixel each column reaches from the lowest to the highest value in it.

    Attributes:
        line: what is drawn.
        colour: how: a token of the theme or a ``#rrggbb``.
        stretch: whether the pane's scale gives way to it.
    """

    def __init__(self, line: Line, colour: str, stretch: bool = True) -> None:
        self.line = line
        self.colour = colour
        self.stretch = stretch
        self._made: tuple[Window, Spans] | None = None

    def extent(self, window: Window) -> Extent | None:
        spans = self._spans(window)
        return extent_of(spans.low, spans.high)

    def _spans(self, window: Window) -> Spans:
        """What is seen of the line; made once a frame: every frame has a window of its own."""
        if self._made is None or self._made[0] is not window:
            data, known = self.line.in_view(window.view, window.cursor)
            # One more on either side, so that the line runs on to the edges.
            first = max(window.first - window.buckets.size, 0)
            spans = data.spans(first, window.last + window.buckets.size, window.exponent, known)
            self._made = (window, spans)
        return self._made[1]

    def paint(self, canvas: Canvas, frame: Frame) -> None:
        spans = self._spans(frame.window)
        if frame.window.exponent:
            self._columns(canvas, frame, spans)
            return
        x, y = frame.window.centres(spans.starts), frame.near(spans.last)
        for begin, end in stretches(y):
            canvas.polyline(frame.theme.colour(self.colour), x[begin:end], y[begin:end], canvas.px(1))

    def _columns(self, canvas: Canvas, frame: Frame, spans: Spans) -> None:
        there = ~np.isnan(spans.low)
        low, high = spans.low[there], spans.high[there]
        if not len(low):
            return
        # Each column also reaches to where the one before it ended, so that the line hangs together.
        before = np.concatenate((spans.first[there][:1], spans.last[there][:-1]))
        before = np.where(np.isnan(before), low, before)
        top = frame.rows(np.fmax(high, before))
        bottom = frame.rows(np.fmin(low, before))
        lefts, widths = bucket_columns(frame.window, spans)
        canvas.rects(
            frame.theme.colour(self.colour), lefts[there], top, widths[there], np.maximum(bottom - top, canvas.px(1))
        )


class AreaLayer(LineLayer):
    """A line with the area between it and a base filled.

    Attributes:
        base: value that the area stands on, None for the foot of the pane.
    """

    def __init__(self, line: Line, colour: str, base: float | None = None) -> None:
        super().__init__(line, colour)
        self.base = base

    def extent(self, window: Window) -> Extent | None:
        extent = super().extent(window)
        if extent is None or self.base is None:
            return extent
        return extent.joined(Extent(self.base, self.base))

    def paint(self, canvas: Canvas, frame: Frame) -> None:
        fill = blend(frame.theme.colour(self.colour), frame.theme.chart, 0.16)
        spans = self._spans(frame.window)
        foot = frame.bottom if self.base is None else frame.row(self.base)
        if frame.window.exponent:
            there = ~np.isnan(spans.low)
            lefts, widths = (column[there] for column in bucket_columns(frame.window, spans))
            edge = frame.rows(np.where(spans.last[there] >= (self.base or 0.0), spans.high[there], spans.low[there]))
        else:
            lefts, edge = self._pixels(frame, spans)
            widths = np.ones(len(lefts), dtype=np.int64)
        canvas.rects(fill, lefts, np.minimum(edge, foot), widths, np.maximum(np.abs(foot - edge), 1))
        super().paint(canvas, frame)

    @staticmethod
    def _pixels(frame: Frame, spans: Spans) -> tuple[IntArray, IntArray]:
        """The line's height at every pixel column between its first and its last point."""
        there = ~np.isnan(spans.last)
        if there.sum() < 2:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        x, y = frame.window.centres(spans.starts[there]), frame.near(spans.last[there])
        begin, end = max(int(x[0]), frame.left), min(int(x[-1]), frame.right)
        columns = np.arange(begin, max(end, begin), dtype=np.int64)
        return columns, np.rint(np.interp(columns + 0.5, x, y)).astype(np.int64)


class RuleLayer(Layer):
    """Horizontal rules at given values, such as 30 and 70 of an RSI."""

    def __init__(self, values: tuple[float, ...]) -> None:
        self.values = values

    def paint(self, canvas: Canvas, frame: Frame) -> None:
        for value in self.values:
            if frame.scale.low < value < frame.scale.high:
                y = frame.row(value)
                canvas.row(frame.theme.line, y, frame.left, frame.right, canvas.px(4), canvas.px(4))


def bucket_columns(window: Window, spans: Spans) -> tuple[IntArray, IntArray]:
    """Left edges and widths of buckets of values, without gaps."""
    starts = spans.starts
    edges = np.floor(window.left_of(np.append(starts, starts[-1:] + spans.size))).astype(np.int64)
    return edges[:-1], np.maximum(np.diff(edges), 1)


def stretches(values: FloatArray) -> list[tuple[int, int]]:
    """Ranges without NaN."""
    there = np.concatenate(([False], np.isfinite(values), [False]))
    edges = np.nonzero(there[1:] != there[:-1])[0]
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]


def drawdown(equity: FloatArray, start: float) -> FloatArray:
    """Drawdown as a fraction of the peak so far, at most 0; ``start`` is the first peak (S13)."""
    peak = np.maximum.accumulate(np.maximum(equity, start))
    fall: FloatArray = (equity - peak) / peak
    return fall
