"""A chart: panes over one time axis, linked to others, painted at most once a frame from (data, cursor) alone."""

from collections.abc import Sequence
from datetime import UTC

import pyqtgraph as pg
from PyQt6.QtCore import QRectF, Qt, pyqtSignal
from PyQt6.QtGui import (
    QContextMenuEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PyQt6.QtWidgets import QGraphicsView, QStyleOptionGraphicsItem, QWidget

from app.charts.axes import TimeAxis, visible_times
from app.charts.canvas import Canvas, text_width
from app.charts.crosshair import Crosshair
from app.charts.cursor import Cursor, CursorModel
from app.charts.frame import Frame, Layer, Window
from app.charts.gestures import Gestures
from app.charts.level_lines import LevelLayer
from app.charts.lines import Line, LineLayer
from app.charts.pane import Pane, PaneItem, Picture
from app.charts.prices import PriceFormat
from app.charts.sessions import Hours
from app.charts.ticks import LocalTime
from app.charts.timeframe import BarView
from app.charts.viewport import Viewport
from app.theme.fonts import numbers
from app.theme.tokens import DARK, SERIES, Theme

TIME_AXIS = 24  # logical height
SHORTEST = 48  # of a pane


class TimeAxisItem(pg.GraphicsObject):
    """The time axis on the scene."""

    def __init__(self, chart: "TimeChart") -> None:
        super().__init__()
        self._chart = chart
        self._box = QRectF(0, 0, 1, TIME_AXIS)

    def place(self, top: int, width: int) -> None:
        """Lie here in the chart, logical pixels."""
        self.prepareGeometryChange()
        self._box = QRectF(0, 0, width, TIME_AXIS)
        self.setPos(0, top)

    def boundingRect(self) -> QRectF:
        return self._box

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        picture = self._chart.picture()
        ratio = picture.window.ratio
        painter.save()
        try:
            painter.scale(1 / ratio, 1 / ratio)
            canvas = Canvas(painter, ratio)
            canvas.rect(picture.theme.chart, 0, 0, round(self._box.width() * ratio), canvas.px(TIME_AXIS))
            axis = self._chart.time_axis(picture)
            axis.paint(canvas, picture.window, picture.theme, 0, canvas.px(TIME_AXIS), picture.axis)
        finally:
            painter.restore()


class TimeChart(pg.GraphicsView):
    """Panes over one index-based time axis.

    Attributes:
        view: bars on the master timeline, in a timeframe: they give x its meaning.
        model: where the cursor is.
        viewport_model: the stretch of time; charts that share it are linked.
        crosshair: likewise.
        clock: zone of the labels.
        hours: sessions, with which days of the axis begin.
        levels: price lines, where the chart has any.
        axis_chars: digits that the value axis has room for.
        paints: how often it has been painted.

    Signals:
        changed: the view was panned, zoomed, pointed at or set: the clock should draw a frame.
        intent: a ``MoveLevel``, when a dragged line is let go.
        bar_chosen: a master bar (int), double-clicked.
        menu_asked: ``(master bar or None, value, global position)`` on a right click in a price pane.
    """

    intent = pyqtSignal(object)
    changed = pyqtSignal()
    bar_chosen = pyqtSignal(object)
    menu_asked = pyqtSignal(object)

    def __init__(
        self,
        name: str,
        view: BarView,
        model: CursorModel,
        *,
        theme: Theme = DARK,
        clock: LocalTime | None = None,
        viewport: Viewport | None = None,
        crosshair: Crosshair | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent, background=None)
        self.symbol = name
        self.view = view
        self.model = model
        self.look = theme
        self.clock = LocalTime(UTC, "UTC") if clock is None else clock
        self.viewport_model = Viewport() if viewport is None else viewport
        self.viewport_model.set_unit(view.ratio)
        self.crosshair = Crosshair() if crosshair is None else crosshair
        self.hours: Hours | None = None
        self.levels = LevelLayer()
        self.axis_chars = 9
        self.paints = 0
        self._drawn: tuple[object, ...] = ()
        self._revision = 0
        self._made: Picture | None = None
        self._items: list[PaneItem] = []
        self._gestures = Gestures(self)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.NoViewportUpdate)
        self.setCacheMode(QGraphicsView.CacheModeFlag.CacheNone)
        # Panes and axis cover every pixel: Qt need not paint the window's ground below them first.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(240, 120)
        self.setAccessibleName(f"Chart of {name}")
        self._time_item = TimeAxisItem(self)
        self.scene().addItem(self._time_item)

    # ------------------------------------------------------------------ what is shown

    @property
    def panes(self) -> list[Pane]:
        """The panes from top to bottom."""
        return [item.pane for item in self._items]

    def pane(self, name: str) -> Pane:
        """A pane by its name; KeyError if there is none."""
        return {pane.name: pane for pane in self.panes}[name]

    def add_pane(self, pane: Pane) -> None:
        """Put a pane below the others."""
        item = PaneItem(pane, self.picture)
        self._items.append(item)
        self.scene().addItem(item)
        self._relayout()

    def add_line_pane(self, name: str, lines: Sequence[Line], form: PriceFormat, extra: Sequence[Layer] = ()) -> None:
        """A pane of its own for an indicator: its lines, over ``extra`` layers such as rules."""
        layers = [*extra, *(LineLayer(line, line_colour(line, number)) for number, line in enumerate(lines))]
        self.add_pane(Pane(name, form, layers))

    def remove_pane(self, name: str) -> None:
        """Take away a pane; KeyError if there is none."""
        item = {item.pane.name: item for item in self._items}[name]
        self._items.remove(item)
        self.scene().removeItem(item)
        self._relayout()

    def set_theme(self, theme: Theme) -> None:
        """Draw with other colours."""
        self.look = theme
        self.touch()

    def set_clock(self, clock: LocalTime) -> None:
        """Label times in another zone."""
        self.clock = clock
        self.touch()

    def set_auto(self) -> None:
        """Let every value scale follow what is visible again."""
        for pane in self.panes:
            pane.manual = None
        self.touch()

    def touch(self) -> None:
        """Something shown has changed: paint in the next frame."""
        self._revision += 1
        self.changed.emit()

    # ------------------------------------------------------------------ layout

    def _relayout(self) -> None:
        width, height = self.width(), self.height()
        room = max(height - TIME_AXIS, 1)
        total = sum(item.pane.stretch for item in self._items)
        top, done = 0, 0.0
        for item in self._items:
            done += item.pane.stretch
            bottom = round(room * done / total)
            item.place(top, width, bottom - top)
            top = bottom
        self._time_item.place(room, width)
        self.touch()

    def pane_at(self, y: float) -> PaneItem | None:
        """The pane at a logical height, None on the time axis."""
        found = [item for item in self._items if item.pos().y() <= y < item.pos().y() + item.boundingRect().height()]
        return found[0] if found else None

    def split_at(self, y: float) -> int | None:
        """Number of the pane whose lower edge is at a logical height, if another one follows."""
        for number, item in enumerate(self._items[1:]):
            if abs(item.pos().y() - y) <= 3:
                return number
        return None

    def move_split(self, number: int, y: float) -> None:
        """Put the edge below a pane at a logical height; the two panes share what they had."""
        upper, lower = self._items[number], self._items[number + 1]
        top, bottom = upper.pos().y(), lower.pos().y() + lower.boundingRect().height()
        if bottom - top < 2 * SHORTEST:
            return
        share = (min(max(y, top + SHORTEST), bottom - SHORTEST) - top) / (bottom - top)
        both = upper.pane.stretch + lower.pane.stretch
        upper.pane.stretch, lower.pane.stretch = both * share, both * (1 - share)
        self._relayout()

    @property
    def axis_width(self) -> int:
        """Logical width of the value axis: fixed, so that nothing jumps while the run plays."""
        return text_width("0" * self.axis_chars, numbers(11)) + 16

    def set_axis_chars(self, chars: int) -> None:
        """Make room for that many digits on the value axis; charts of one grid take the widest."""
        self.axis_chars = chars
        self.touch()

    # ------------------------------------------------------------------ drawing

    def refresh(self) -> None:
        """Paint if the cursor, the bars, the stretch of time, the crosshair or the settings have changed."""
        if self._state() != self._drawn:
            self.viewport().update()

    def _state(self) -> tuple[object, ...]:
        return (
            self.model.cursor,
            self.view.master.revision,
            self.viewport_model.right,
            self.viewport_model.revision,
            self.crosshair.revision,
            self._revision,
        )

    def picture(self) -> Picture:
        """What this frame shows; made once a paint."""
        if self._made is None:
            self._made = self._make()
        return self._made

    def _make(self) -> Picture:
        cursor = self.model.cursor
        self.view.update()
        self.viewport_model.settle(cursor)
        self._pull(cursor)
        ratio = self.devicePixelRatioF()
        axis = round(self.axis_width * ratio)
        width = round(self.width() * ratio) - axis
        window = Window(self.view, cursor, self.viewport_model, left=0, width=width, ratio=ratio)
        marks = visible_times(window, self.clock, self.hours)
        bar, hover = self._hover(window)
        return Picture(window, marks, axis, self.look, bar, hover)

    def _pull(self, cursor: Cursor) -> None:
        """Ask for what is shown at the cursor; a kind of chart that has sources does it here."""

    def _hover(self, window: Window) -> tuple[int | None, tuple[str, float, float] | None]:
        crosshair = self.crosshair
        bar = None
        if crosshair.bar is not None and crosshair.bar <= window.cursor.bar:
            bar = self.view.index_of(crosshair.bar)
        if crosshair.owner is None or crosshair.owner[0] is not self:
            return bar, None
        item = self.pane_at(crosshair.y)
        top = 0.0 if item is None else item.pos().y()
        place = (crosshair.x * window.ratio, (crosshair.y - top) * window.ratio)
        return bar, (crosshair.owner[1], *place)

    def time_axis(self, picture: Picture) -> TimeAxis:
        """The time axis of a picture."""
        window = picture.window
        hover = None
        if picture.hover_bar is not None and window.first <= picture.hover_bar < window.last:
            moment = self.clock.moment(int(self.view.store.time_ns[picture.hover_bar]))
            hover = (window.centre(picture.hover_bar), f"{moment:%a} {moment.day} {moment:%b %Y  %H:%M}")
        return TimeAxis(picture.marks, hover, self.clock.name)

    def frame_of(self, item: PaneItem) -> Frame:
        """A pane's frame as it is now, for what the mouse does; its origin is the pane's top left corner."""
        return item.frame(self.picture())

    def paintEvent(self, event: QPaintEvent) -> None:
        self.paints += 1
        self._made = None
        super().paintEvent(event)
        self._drawn = self._state()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if hasattr(self, "_time_item"):  # pyqtgraph's constructor resizes before ours has run
            self._relayout()

    def close(self) -> bool:
        # pyqtgraph's own close() empties the scene for good; a dock that is closed may be opened again.
        return QGraphicsView.close(self)

    # ------------------------------------------------------------------ mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._gestures.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._gestures.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._gestures.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._gestures.double_click(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._gestures.wheel(event)

    def leaveEvent(self, event: object) -> None:
        self.crosshair.leave()
        self.changed.emit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self._gestures.menu(event.pos(), event.globalPos())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._gestures.cancel():
            event.accept()
        else:
            event.ignore()


def line_colour(line: Line, number: int) -> str:
    """A line's own colour, or the token that its number gives it."""
    return SERIES[number % len(SERIES)] if line.colour is None else line.colour
