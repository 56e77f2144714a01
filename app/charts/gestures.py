"""What the mouse does to a chart: pan, zoom, scale, resize panes, point, drag price lines."""

import math
from typing import TYPE_CHECKING

from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QMouseEvent, QWheelEvent

from app.charts.level_lines import Drag, LevelLayer
from app.charts.levels import MoveLevel
from app.charts.pane import PaneItem
from app.charts.scale import Scale

if TYPE_CHECKING:
    from app.charts.time_chart import TimeChart

REACH = 5  # logical pixels within which a price line is taken hold of


class Gestures:
    """The state of the mouse over one chart.

    A press takes hold of one thing (a price line, the edge between two panes, a value axis, the time axis or the
    plot) and moves it until the button is let go. A dragged line asks for its move on release, nothing before.
    """

    def __init__(self, chart: "TimeChart") -> None:
        self._chart = chart
        self._held: str | None = None
        self._last = QPointF()
        self._split = 0
        self._item: PaneItem | None = None

    def press(self, event: QMouseEvent) -> None:
        """Take hold of what lies under the mouse."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        place = event.position()
        self._last = place
        self._held = self._grip(place)
        self._item = self._chart.pane_at(place.y())
        if self._held == "level":
            self._begin_drag(place)

    def move(self, event: QMouseEvent) -> None:
        """Move what is held, or point."""
        place = event.position()
        step = place - self._last
        if self._held is None or not event.buttons() & Qt.MouseButton.LeftButton:
            self._point(place)
        elif self._held == "plot":
            self._pan(step)
            self._point(place)
        elif self._held == "level":
            self._drag(place)
        elif self._held == "value":
            self._stretch_values(step.y())
        elif self._held == "time":
            self._zoom(math.exp(-step.x() / 200.0), self._chart.viewport_model.right)
        else:
            self._chart.move_split(self._split, place.y())
        self._last = place
        self._chart.changed.emit()

    def release(self, event: QMouseEvent) -> None:
        """Let go; a dragged line's wish is told."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if self._held == "level":
            self._commit()
        self._held = None
        self._point(event.position())
        self._chart.changed.emit()

    def cancel(self) -> bool:
        """Give up a drag: the line goes back to where it was. Tells whether there was one."""
        dragged = self._held == "level"
        if dragged:
            self._drop()
            self._held = None
        return dragged

    def double_click(self, event: QMouseEvent) -> None:
        """On an axis: automatic scale, or back to the cursor. On a bar: choose it."""
        grip = self._grip(event.position())
        item = self._chart.pane_at(event.position().y())
        if grip == "value" and item is not None:
            item.pane.manual = None
        elif grip == "time":
            self._chart.viewport_model.home()
        elif grip == "plot":
            bar = self._bar_at(event.position().x())
            if bar is not None:
                self._chart.bar_chosen.emit(bar)
        self._chart.touch()

    def wheel(self, event: QWheelEvent) -> None:
        """Zoom about the mouse; with Shift, or sideways, pan."""
        turn, chart = event.angleDelta(), self._chart
        sideways = turn.x() if turn.x() else turn.y() if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0
        if sideways:
            chart.viewport_model.pan(-sideways / 120 * chart.viewport_model.span * 0.08, chart.model.cursor)
        elif turn.y():
            self._zoom(0.87 ** (turn.y() / 120), self._place_at(event.position().x()))
        chart.changed.emit()
        event.accept()

    def menu(self, place: QPoint, where: QPoint) -> None:
        """Ask for a menu at a bar and a price."""
        item = self._chart.pane_at(place.y())
        if item is not None and item.pane.bars:
            price = item.pane.form.snapped(self._value_at(item, place.y()))
            self._chart.menu_asked.emit((self._bar_at(place.x()), price, where))

    # ------------------------------------------------------------------ what lies where

    def _grip(self, place: QPointF) -> str:
        chart = self._chart
        split = chart.split_at(place.y())
        if split is not None:
            self._split = split
            return "split"
        item = chart.pane_at(place.y())
        if item is None:
            return "time"
        if place.x() >= chart.width() - chart.axis_width:
            return "value"
        return "level" if self._level_at(item, place.y()) else "plot"

    def _level_at(self, item: PaneItem, y: float) -> str | None:
        if item.pane.levels is None:
            return None
        ratio = self._chart.devicePixelRatioF()
        frame = self._chart.frame_of(item)
        level = item.pane.levels.nearest(frame, (y - item.pos().y()) * ratio, REACH * ratio)
        return None if level is None else level.key

    def _value_at(self, item: PaneItem, y: float) -> float:
        return self._chart.frame_of(item).value_at((y - item.pos().y()) * self._chart.devicePixelRatioF())

    def _bar_at(self, x: float) -> int | None:
        window = self._chart.picture().window
        index = window.index_at(x * window.ratio)
        if not 0 <= index < window.cut.count:
            return None
        return self._chart.view.last_bar(index, window.cursor)

    def _place_at(self, x: float) -> float:
        """The place on the master timeline at a logical pixel."""
        window = self._chart.picture().window
        share = x * window.ratio / window.width
        viewport = self._chart.viewport_model
        return viewport.right - viewport.span * (1.0 - share)

    # ------------------------------------------------------------------ what is done

    def _point(self, place: QPointF) -> None:
        chart = self._chart
        item = chart.pane_at(place.y())
        grip = self._grip(place)
        chart.setCursor(_SHAPES[grip])
        hot = self._level_at(item, place.y()) if item is not None and grip == "level" else None
        if self._levels().hot != hot:
            self._levels().hot = hot
            chart.touch()
        if item is None or grip == "value":
            chart.crosshair.leave()
        else:
            chart.crosshair.move(self._bar_at(place.x()), (chart, item.pane.name), place.x(), place.y())

    def _pan(self, step: QPointF) -> None:
        chart = self._chart
        window = chart.picture().window
        chart.viewport_model.pan(-step.x() * window.ratio / window.step * chart.view.ratio, chart.model.cursor)
        if self._item is not None and self._item.pane.manual is not None:
            scale = self._item.pane.manual
            share = step.y() / max(self._item.boundingRect().height(), 1)
            self._item.pane.manual = Scale(scale.value(share), scale.value(1 + share), scale.log)

    def _zoom(self, factor: float, anchor: float) -> None:
        self._chart.viewport_model.zoom(factor, anchor, self._chart.model.cursor)

    def _stretch_values(self, step: float) -> None:
        if self._item is None:
            return
        pane = self._item.pane
        scale = self._chart.frame_of(self._item).scale
        grown = step / 200.0
        if scale.value(-grown) < scale.value(1 + grown):
            pane.manual = Scale(scale.value(-grown), scale.value(1 + grown), pane.log)
        self._chart.touch()

    def _levels(self) -> LevelLayer:
        return self._chart.levels

    def _begin_drag(self, place: QPointF) -> None:
        if self._item is None:
            return
        key = self._level_at(self._item, place.y())
        level = next(level for level in self._levels().levels if level.key == key)
        self._levels().drag = Drag(level, level.price)
        self._item.pane.held = self._chart.frame_of(self._item).scale

    def _drag(self, place: QPointF) -> None:
        layer = self._levels()
        if layer.drag is None or self._item is None:
            return
        price = self._item.pane.form.snapped(self._value_at(self._item, place.y()))
        layer.drag = Drag(layer.drag.level, price)
        self._chart.touch()

    def _drop(self) -> None:
        """Hold no line any more."""
        self._levels().drag = None
        if self._item is not None:
            self._item.pane.held = None
        self._chart.touch()

    def _commit(self) -> None:
        layer, chart = self._levels(), self._chart
        drag = layer.drag
        self._drop()
        if drag is not None and drag.price != drag.level.price:
            chart.intent.emit(
                MoveLevel(
                    symbol=chart.symbol,
                    key=drag.level.key,
                    kind=drag.level.kind,
                    old_price=drag.level.price,
                    price=drag.price,
                    cursor=chart.model.cursor,
                )
            )


_SHAPES = {
    "plot": Qt.CursorShape.CrossCursor,
    "level": Qt.CursorShape.SizeVerCursor,
    "split": Qt.CursorShape.SplitVCursor,
    "value": Qt.CursorShape.SizeVerCursor,
    "time": Qt.CursorShape.SizeHorCursor,
}
