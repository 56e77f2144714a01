"""What a pane shows, and in which order it is drawn: from its layers, the window and the cursor, nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF
from PyQt6.QtGui import QPainter
from PyQt6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from app.charts.axes import Tag, marks_of, paint_price_axis
from app.charts.canvas import Canvas
from app.charts.crosshair import NOTHING, Words, bar_at, bar_words
from app.charts.frame import Frame, Layer, Window
from app.charts.legend import STRIP, paint_heading, told_names
from app.charts.level_lines import LevelLayer, level_colour
from app.charts.lines import Line, LineLayer
from app.charts.prices import PriceFormat
from app.charts.scale import Extent, Scale
from app.charts.ticks import TimeMark
from app.theme.tokens import Theme

TWO_ROWS = 260  # logical height from which a pane's heading may take a second row


@dataclass(slots=True)
class Pane:
    """A strip of a chart with its own value axis.

    Attributes:
        name: names it within its chart ("price", "volume", "RSI 14").
        form: how its values are written; its tick is the finest step of the axis.
        layers: what it draws, from back to front.
        title: begins the heading.
        stretch: share of the chart's height, against the other panes'.
        levels: price lines, on the price pane.
        bars: the heading tells O H L C, the axis the last price.
        log: logarithmic where values allow.
        manual: a scale set by hand; None follows what is visible.
        held: the scale while a price line is dragged: nothing moves under the mouse.
        below: air under the lowest value, as a share of the height.
    """

    name: str
    form: PriceFormat
    layers: list[Layer] = field(default_factory=list)
    title: str = ""
    stretch: float = 1.0
    levels: LevelLayer | None = None
    bars: bool = False
    log: bool = False
    manual: Scale | None = None
    held: Scale | None = None
    below: float = 0.08

    def lines(self) -> list[tuple[Line, str]]:
        """The lines drawn, with their colours' tokens."""
        return [(layer.line, layer.colour) for layer in self.layers if isinstance(layer, LineLayer)]

    def scale(self, window: Window) -> Scale:
        """The pane's scale: from what is visible up to the cursor, or as set by hand."""
        if self.held is not None:
            return self.held
        if self.manual is not None:
            return Scale(self.manual.low, self.manual.high, self.log)
        extent: Extent | None = None
        for layer in self.layers:
            extent = _stretched(extent, layer, window)
        if extent is not None and self.levels is not None:
            bars = extent
            for _, price in self.levels.shown():
                extent = extent.joined(bars.reached(price, 0.8))
        return Scale.around(extent, self.form.tick, self.log, above=0.06, below=self.below)


def _stretched(extent: Extent | None, layer: Layer, window: Window) -> Extent | None:
    wanted = layer.extent(window)
    if wanted is None or (extent is None and not getattr(layer, "stretch", True)):
        return extent
    if extent is None or getattr(layer, "stretch", True):
        return wanted.joined(extent)
    return extent.reached(wanted.low, 0.2).reached(wanted.high, 0.2)


@dataclass(frozen=True, slots=True)
class Picture:
    """What all panes of a chart share in one frame.

    Attributes:
        window: the stretch of time.
        marks: of the time axis; their lines run through all panes.
        axis: width of the value axis, device pixels.
        hover_bar: bar of the view that the crosshair is on, None for none.
        hover: pane and place (device pixels within the chart) of the mouse, if it is in this chart.
    """

    window: Window
    marks: list[TimeMark]
    axis: int
    theme: Theme
    hover_bar: int | None = None
    hover: tuple[str, float, float] | None = None


class PaneItem(pg.GraphicsObject):
    """A pane on the scene; it asks for the picture when it is painted and keeps nothing from frame to frame."""

    def __init__(self, pane: Pane, picture: Callable[[], Picture]) -> None:
        super().__init__()
        self.pane = pane
        self._picture = picture
        self._box = QRectF(0, 0, 1, 1)

    def place(self, top: int, width: int, height: int) -> None:
        """Lie here in the chart, logical pixels."""
        self.prepareGeometryChange()
        self._box = QRectF(0, 0, width, height)
        self.setPos(0, top)

    def boundingRect(self) -> QRectF:
        return self._box

    def frame(self, picture: Picture) -> Frame:
        """The pane's plot in its own device pixels."""
        window = picture.window
        top = round(self.heading_rows() * STRIP * window.ratio)
        bottom = max(round(self._box.height() * window.ratio), top + 1)
        return Frame(window, self.pane.scale(window), top, bottom, self.pane.form, picture.theme)

    def heading_rows(self) -> int:
        """Rows that the heading takes."""
        return 2 if self.pane.bars and self.pane.lines() and self._box.height() >= TWO_ROWS else 1

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        picture = self._picture()
        painter.save()
        try:
            self._paint(painter, picture)
        finally:
            painter.restore()

    def _paint(self, painter: QPainter, picture: Picture) -> None:
        # Whole device pixels from here on, also where the screen's scale is a fraction.
        origin = painter.deviceTransform().map(QPointF(0.0, 0.0))
        ratio = picture.window.ratio
        painter.scale(1 / ratio, 1 / ratio)
        painter.translate(round(origin.x()) - origin.x(), round(origin.y()) - origin.y())
        paint_pane(Canvas(painter, ratio), self.pane, self.frame(picture), picture, self.heading_rows())


def paint_pane(canvas: Canvas, pane: Pane, frame: Frame, picture: Picture, rows: int) -> None:
    """Draw a pane: ground, grid, layers, price lines, crosshair, axis, heading."""
    theme = frame.theme
    canvas.rect(theme.chart, 0, 0, frame.right + picture.axis, frame.bottom)
    canvas.clip(frame.left, frame.top, frame.right - frame.left, frame.bottom - frame.top)
    marks = marks_of(frame, canvas)
    back = [layer for layer in pane.layers[:1] if not isinstance(layer, LineLayer) and pane.bars]
    for layer in back:
        layer.paint(canvas, frame)
    _grid(canvas, frame, marks, picture.marks)
    for layer in pane.layers[len(back) :]:
        layer.paint(canvas, frame)
    _crosshair(canvas, pane, frame, picture)
    if pane.levels is not None:
        pane.levels.paint(canvas, frame)
        pane.levels.paint_labels(canvas, frame)
    canvas.unclip()
    canvas.rect(theme.line, frame.right, 0, canvas.px(1), frame.bottom)
    if not pane.bars:
        canvas.rect(theme.line, 0, 0, frame.right + picture.axis, canvas.px(1))
    paint_price_axis(canvas, frame, marks, _tags(pane, frame, picture), picture.axis)
    paint_heading(canvas, theme, pane.title, _heading(pane, frame, picture, rows), frame.right)


def _grid(canvas: Canvas, frame: Frame, marks: list[float], times: list[TimeMark]) -> None:
    for mark in marks:
        canvas.row(frame.theme.grid, frame.row(mark), frame.left, frame.right)
    for time in times:
        canvas.column(frame.theme.grid, int(frame.window.centre(time.bar)), frame.top, frame.bottom)


def _crosshair(canvas: Canvas, pane: Pane, frame: Frame, picture: Picture) -> None:
    on, off = canvas.px(1), canvas.px(3)
    if picture.hover_bar is not None and frame.window.first <= picture.hover_bar < frame.window.last:
        x = int(frame.window.centre(picture.hover_bar))
        canvas.column(frame.theme.muted, x, frame.top, frame.bottom, on, off, canvas.px(1))
    elif picture.hover is not None:
        canvas.column(frame.theme.muted, int(picture.hover[1]), frame.top, frame.bottom, on, off, canvas.px(1))
    if picture.hover is not None and picture.hover[0] == pane.name:
        canvas.row(frame.theme.muted, int(picture.hover[2]), frame.left, frame.right, on, off, canvas.px(1))


def _tags(pane: Pane, frame: Frame, picture: Picture) -> list[Tag]:
    theme = frame.theme
    tags: list[Tag] = []
    last = bar_at(frame.window, frame.window.bar_shown) if pane.bars else None
    if last is not None and last.close == last.close:
        rising = last.close >= last.open or last.synthetic
        fill = theme.amber if frame.window.cut.opening else theme.up if rising else theme.down
        tags.append(Tag(last.close, frame.form.text(last.close), fill, theme.on_fill))
    if pane.levels is not None:
        for level, price in pane.levels.shown():
            tags.append(Tag(price, frame.form.text(price), level_colour(level.kind, theme), theme.on_fill))
    if not pane.bars:
        tags += _line_tags(pane, frame)
    if picture.hover is not None and picture.hover[0] == pane.name:
        value = frame.value_at(picture.hover[2])
        tags.append(Tag(value, frame.form.text(frame.form.snapped(value)), theme.hover, theme.text))
    return tags


def _line_tags(pane: Pane, frame: Frame) -> list[Tag]:
    window = frame.window
    tags = []
    for line, colour in pane.lines():
        value = line.value_at(window.bar_shown, window.view, window.cursor) if window.cut.count else float("nan")
        if value == value:
            tags.append(Tag(value, frame.form.text(value), frame.theme.colour(colour), frame.theme.on_fill))
    return tags


def _heading(pane: Pane, frame: Frame, picture: Picture, rows: int) -> list[list[Words]]:
    window = frame.window
    index = window.bar_shown if picture.hover_bar is None else picture.hover_bar
    first = bar_words(window, index, frame.form, frame.theme) if pane.bars else []
    values: list[Words] = []
    lines = pane.lines()
    for (line, colour), name in zip(lines, told_names([line.name for line, _ in lines]), strict=True):
        value = line.value_at(index, window.view, window.cursor) if index >= 0 else float("nan")
        form = frame.form if line.form is None else line.form
        ink = frame.theme.colour(colour)
        values += [Words(name, ink, numeric=False), Words(form.text(value) or NOTHING, ink, tied=True)]
    return [first, values] if rows == 2 else [[*first, *values]]
