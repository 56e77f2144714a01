"""How shapes reach the screen: integer device pixels, many in one call, opaque colours, no outlines."""

from functools import cache, lru_cache

import numpy as np
from PyQt6.QtCore import QPointF, QRect, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from app.charts import primitives
from app.charts.columns import IntArray
from data.series import FloatArray

LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
CENTRE = int(Qt.AlignmentFlag.AlignCenter)
# Looked up once: a frame sets hundreds of them.
_NO_PEN, _NO_BRUSH = Qt.PenStyle.NoPen, Qt.BrushStyle.NoBrush
_SMOOTH = QPainter.RenderHint.Antialiasing


@cache
def colour_of(name: str) -> QColor:
    """A token's colour as Qt has it."""
    return QColor(name)


@cache
def _measure(font: QFont) -> QFontMetricsF:
    return QFontMetricsF(font)


@lru_cache(8192)
def text_width(text: str, font: QFont) -> int:
    """Width of a text, in pixels of what is drawn on."""
    return int(np.ceil(_measure(font).horizontalAdvance(text)))


@lru_cache(4096)
def whole_pixels(logical: float, ratio: float) -> int:
    """Logical pixels in whole device pixels, at least one."""
    return max(1, round(logical * ratio))


class Canvas:
    """A painter whose unit is one pixel of the device, whatever the screen's scale.

    Arrays given are integers (rectangles) or floats (lines) of one length; numbers stand for all. Pen, brush and
    smoothing are set on the painter only where they differ from what it has: nobody else sets them between two calls.

    Attributes:
        painter: the painter, for what is not here.
        ratio: device pixels per logical pixel.
    """

    def __init__(self, painter: QPainter, ratio: float) -> None:
        self.painter = painter
        self.ratio = ratio
        self._ink: str | None = None
        self._fill: str | None = None
        self._smooth = False
        painter.setPen(_NO_PEN)
        painter.setBrush(_NO_BRUSH)
        painter.setRenderHint(_SMOOTH, False)

    def px(self, logical: float) -> int:
        """Logical pixels in whole device pixels, at least one."""
        return whole_pixels(logical, self.ratio)

    def rects(
        self,
        colour: str,
        x: IntArray | int,
        y: IntArray | int,
        width: IntArray | int,
        height: IntArray | int,
    ) -> None:
        """Filled rectangles, all in one call."""
        count = next((len(side) for side in (x, y, width, height) if isinstance(side, np.ndarray)), 1)
        if not count:
            return
        boxes, memory = primitives.boxes(count)
        memory[:, 0], memory[:, 1] = x, y
        memory[:, 2], memory[:, 3] = x + width - 1, y + height - 1
        self._shape(colour, False)
        self.painter.drawRects(boxes)

    def rect(self, colour: str, x: int, y: int, width: int, height: int) -> None:
        """One filled rectangle."""
        self.painter.fillRect(x, y, width, height, colour_of(colour))

    def row(self, colour: str, y: int, left: int, right: int, on: int = 0, off: int = 0, thick: int = 1) -> None:
        """A horizontal line, dashed where ``on`` and ``off`` are given."""
        if not on:
            self.rect(colour, left, y, right - left, thick)
            return
        starts = np.arange(left, right, on + off, dtype=np.int64)
        self.rects(colour, starts, y, np.minimum(on, right - starts), thick)

    def column(self, colour: str, x: int, top: int, bottom: int, on: int = 0, off: int = 0, thick: int = 1) -> None:
        """A vertical line, dashed where ``on`` and ``off`` are given."""
        if not on:
            self.rect(colour, x, top, thick, bottom - top)
            return
        starts = np.arange(top, bottom, on + off, dtype=np.int64)
        self.rects(colour, x, starts, thick, np.minimum(on, bottom - starts))

    def polyline(self, colour: str, x: FloatArray, y: FloatArray, thick: int = 1) -> None:
        """A smooth line through points, ``thick`` pixels high."""
        count = len(x)
        if count < 2:
            return
        points, memory = primitives.points(count)
        memory[:, 0] = x
        self._pen(colour)
        # Several lines of one pixel: a wider pen is twenty times slower.
        for offset in range(thick):
            memory[:, 1] = y + offset - (thick - 1) / 2
            self.painter.drawPolyline(points)

    def segments(
        self, colour: str, x0: FloatArray, y0: FloatArray, x1: FloatArray, y1: FloatArray, dashed: bool
    ) -> None:
        """Separate straight lines of one pixel."""
        count = len(x0)
        if not count:
            return
        lines, memory = primitives.lines(count)
        memory[:, 0], memory[:, 1], memory[:, 2], memory[:, 3] = x0, y0, x1, y1
        self._pen(colour, [4.0 * self.ratio, 3.0 * self.ratio] if dashed else None)
        self.painter.drawLines(lines)

    def polygon(self, colour: str, points: list[tuple[float, float]]) -> None:
        """A filled shape with smooth edges."""
        self._shape(colour, True)
        self.painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in points]))

    def badge(self, colour: str, x: int, y: int, width: int, height: int) -> None:
        """A filled rectangle with slightly rounded corners."""
        self._shape(colour, True)
        radius = 3.0 * self.ratio
        self.painter.drawRoundedRect(QRectF(x, y, width, height), radius, radius)

    def text(self, words: str, colour: str, font: QFont, x: int, y: int, width: int, height: int, align: int) -> None:
        """A text in a box."""
        self._set_smooth(False)
        if self._ink != colour:
            self._ink = colour
            self.painter.setPen(colour_of(colour))
        self.painter.setFont(font)
        self.painter.drawText(QRect(x, y, width, height), align, words)

    def clip(self, x: int, y: int, width: int, height: int) -> None:
        """Draw nothing outside this box from now on."""
        self.painter.setClipRect(x, y, width, height)

    def unclip(self) -> None:
        """Draw everywhere again."""
        self.painter.setClipping(False)

    def _shape(self, colour: str, smooth: bool) -> None:
        """Fill with a colour, without an outline."""
        self._set_smooth(smooth)
        if self._ink is not None:
            self._ink = None
            self.painter.setPen(_NO_PEN)
        if self._fill != colour:
            self._fill = colour
            self.painter.setBrush(colour_of(colour))

    def _set_smooth(self, on: bool) -> None:
        if self._smooth is not on:
            self._smooth = on
            self.painter.setRenderHint(_SMOOTH, on)

    def _pen(self, colour: str, dashes: list[float] | None = None) -> None:
        pen = QPen(colour_of(colour), 1)
        pen.setCosmetic(True)
        if dashes is not None:
            pen.setDashPattern(dashes)
        self._set_smooth(True)
        self._fill, self._ink = None, "a line's"
        self.painter.setBrush(_NO_BRUSH)
        self.painter.setPen(pen)
