"""What an item draws from: the stretch of time in view, the scale, the cursor; and where bars and prices lie."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.charts.canvas import Canvas
from app.charts.columns import IntArray
from app.charts.cursor import Cursor
from app.charts.prices import PriceFormat
from app.charts.pyramid import Buckets, Cut, exponent_for
from app.charts.scale import Extent, Scale
from app.charts.timeframe import BarView
from app.charts.viewport import Viewport
from app.theme.tokens import Theme
from data.series import FloatArray
from engine.kernel.schema import Phase


class Window:
    """The stretch of time that all panes of a chart show in one frame; x in device pixels.

    Attributes:
        view: the bars, in the chart's timeframe.
        cursor: where the run stands; ``cut`` is what that lets see.
        left, width: where the plot lies.
        start: place of the left edge, in bars of the view. A bar ``i`` takes ``i`` to ``i + 1``.
        step: pixels per bar.
        exponent: bars are drawn in buckets of 2^exponent.
        buckets: what is visible, already folded.
        ratio: device pixels per logical pixel.
    """

    def __init__(
        self, view: BarView, cursor: Cursor, viewport: Viewport, *, left: int, width: int, ratio: float
    ) -> None:
        self.view = view
        self.cursor = cursor
        self.cut: Cut = view.cut(cursor)
        self.left = left
        self.width = max(width, 1)
        self.ratio = ratio
        span = viewport.span / view.ratio
        self.start = view.position(viewport.right, cursor) - span
        self.step = self.width / span
        self.exponent = exponent_for(self.step)
        self.first = max(int(np.floor(self.start)), 0)
        self.last = max(min(int(np.ceil(self.start + span)), self.cut.count), self.first)
        self.buckets: Buckets = view.pyramid.buckets(self.first, self.last, self.exponent, self.cut)

    def left_of(self, indices: IntArray) -> FloatArray:
        """Left edges of bars."""
        return self.left + (indices.astype(np.float64) - self.start) * self.step

    def centres(self, indices: IntArray) -> FloatArray:
        """Middles of bars."""
        return self.left_of(indices) + 0.5 * self.step

    def centre(self, index: int) -> float:
        """Middle of one bar."""
        return self.left + (index + 0.5 - self.start) * self.step

    def index_at(self, x: float) -> int:
        """The bar at a pixel; it may lie outside of what is there."""
        return int(np.floor(self.start + (x - self.left) / self.step))

    @cached_property
    def columns(self) -> tuple[IntArray, IntArray]:
        """Left edges and widths of what is drawn for each bucket, whole pixels; without gaps past one bar a pixel."""
        starts = self.buckets.starts
        if self.exponent:
            edges = np.floor(self.left_of(np.append(starts, starts[-1:] + self.buckets.size))).astype(np.int64)
            return edges[:-1], np.maximum(np.diff(edges), 1)
        lefts = np.floor(self.centres(starts) - self.thin / 2 + 0.5).astype(np.int64) - (self.body - self.thin) // 2
        return lefts, np.full(len(starts), self.body, dtype=np.int64)

    @property
    def thin(self) -> int:
        """Width of a wick."""
        return max(1, round(self.ratio)) if self.step >= 3 * self.ratio else 1

    @property
    def body(self) -> int:
        """Width of a body: of the wick's parity, so that the wick is in the middle."""
        width = max(min(int(self.step * 0.8), int(self.step) - 1), self.thin)
        return width - (width - self.thin) % 2

    @property
    def bar_shown(self) -> int:
        """Index of the bar that the cursor stands in."""
        return self.cut.count - 1


@dataclass(frozen=True, slots=True)
class Frame:
    """One pane in one frame: the window, the pane's scale and box (device pixels), the theme.

    Attributes:
        window: the stretch of time.
        scale: values of the pane.
        top, bottom: the box, ``bottom`` outside.
        form: how its values are written.
        theme: colours.
    """

    window: Window
    scale: Scale
    top: int
    bottom: int
    form: PriceFormat
    theme: Theme

    @property
    def left(self) -> int:
        """Left edge of the plot."""
        return self.window.left

    @property
    def right(self) -> int:
        """Right edge of the plot, outside."""
        return self.window.left + self.window.width

    def places(self, values: FloatArray) -> FloatArray:
        """Y of values, as floats; NaN stays NaN."""
        places: FloatArray = self.bottom - self.scale.shares(values) * (self.bottom - self.top)
        return places

    def near(self, values: FloatArray) -> FloatArray:
        """Y of values, held near the pane: what lies far outside would not fit Qt's integers."""
        held: FloatArray = np.minimum(np.maximum(self.places(values), self.top - 30000), self.bottom + 30000)
        return held

    def rows(self, values: FloatArray) -> IntArray:
        """Y of finite values as whole pixels, held near the pane."""
        return np.rint(self.near(values)).astype(np.int64)

    def row(self, value: float) -> int:
        """Y of one finite value."""
        place = self.bottom - self.scale.share(value) * (self.bottom - self.top)
        return round(min(max(place, self.top - 30000), self.bottom + 30000))

    def value_at(self, y: float) -> float:
        """The value at a pixel."""
        return self.scale.value((self.bottom - y) / (self.bottom - self.top))


class Layer(ABC):
    """Something that a pane draws, from the frame alone: nothing later than the cursor may change a pixel."""

    def extent(self, window: Window) -> Extent | None:
        """What of the value axis it needs, over what is visible; None if it does not mind."""
        return None

    @abstractmethod
    def paint(self, canvas: Canvas, frame: Frame) -> None:
        """Draw it."""


def is_open(window: Window) -> bool:
    """Whether the cursor's bar is an opening price alone."""
    return window.cut.opening and window.cursor.phase == Phase.OPEN
