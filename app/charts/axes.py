"""How the axes are drawn: round prices and tags that never overlap, times of the sessions in a named zone."""

from dataclasses import dataclass

import numpy as np
from PyQt6.QtGui import QFont

from app.charts.canvas import CENTRE, Canvas, text_width
from app.charts.frame import Frame, Window
from app.charts.sessions import Hours, day_starts
from app.charts.tags import spread
from app.charts.ticks import LocalTime, TimeMark, price_marks, time_marks
from app.theme.fonts import numbers, words
from app.theme.tokens import Theme

ROW = 18  # logical height of a label
TIME_GAP = 88  # logical pixels between time labels, about


@dataclass(frozen=True, slots=True)
class Tag:
    """A filled label on the price axis."""

    value: float
    text: str
    fill: str
    ink: str


def marks_of(frame: Frame, canvas: Canvas) -> list[float]:
    """Round values of a pane, some 44 logical pixels apart; closer in a low pane."""
    if frame.scale.empty:
        return []
    height = frame.bottom - frame.top
    apart = 44 if height > canvas.px(160) else 24
    return price_marks(frame.scale, frame.form.tick, max(height // canvas.px(apart), 1))


def paint_price_axis(canvas: Canvas, frame: Frame, marks: list[float], tags: list[Tag], width: int) -> None:
    """Labels of round values, then tags; a round value that a tag would touch is left away.

    ``width`` is the axis's, in device pixels; it begins at the frame's right edge.
    """
    height = canvas.px(ROW)
    font = numbers(canvas.px(11))
    inside = [tag for tag in tags if frame.top - 1 <= frame.row(tag.value) <= frame.bottom + 1]
    rows = frame.places(np.array([tag.value for tag in inside])).tolist()
    places = spread(rows, height + 1, frame.top, frame.bottom)
    for mark in marks:
        y = frame.row(mark)
        clear = all(abs(y - place) >= height for place in places)
        if clear and frame.top <= y <= frame.bottom - height // 2:
            canvas.text(
                frame.form.text(mark), frame.theme.muted, font, frame.right, y - height // 2, width, height, CENTRE
            )
    for tag, place in zip(inside, places, strict=True):
        top = round(place - height / 2)
        if top + height > frame.bottom + 2:  # no room for all: the last ones are left away
            continue
        canvas.badge(tag.fill, frame.right + canvas.px(2), top, width - canvas.px(4), height)
        canvas.text(tag.text, tag.ink, font, frame.right, top, width, height, CENTRE)


def visible_times(window: Window, clock: LocalTime, hours: Hours | None) -> list[TimeMark]:
    """Marks of the time axis over what is visible, none of them beyond the cursor or too close to another."""
    buckets = window.buckets
    if not len(buckets):
        return []
    size = buckets.size
    bars = buckets.starts
    if bars[0] >= size:  # the bar before tells whether the first one begins something
        bars = np.concatenate(([bars[0] - size], bars))
    covered = min(window.width, len(buckets) * size * window.step)  # a run that begins fills little of the width
    most = max(round(covered) // round(TIME_GAP * window.ratio), 1)
    marks = time_marks(bars, window.view.store.time_ns[bars], clock, most, day_starts(window, hours, bars))
    return _apart(marks, window)


def _apart(marks: list[TimeMark], window: Window) -> list[TimeMark]:
    least = TIME_GAP * 0.6 * window.ratio
    kept: list[TimeMark] = []
    for mark in marks:
        if kept and (mark.bar - kept[-1].bar) * window.step < least:
            if not mark.major or kept[-1].major:
                continue
            kept.pop()
        kept.append(mark)
    return kept


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """What the time axis shows in one frame.

    Attributes:
        marks: bars and labels.
        hover: place (device pixels) and words of the crosshair's tag, if it is over a bar.
        zone: name of the zone the labels are in.
    """

    marks: list[TimeMark]
    hover: tuple[float, str] | None
    zone: str

    def paint(self, canvas: Canvas, window: Window, theme: Theme, top: int, height: int, axis: int) -> None:
        """Draw it ``height`` pixels high; ``axis`` is the width of the price axis, above which the zone stands."""
        right = window.left + window.width
        font, strong = numbers(canvas.px(11)), numbers(canvas.px(11), QFont.Weight.Medium)
        canvas.rect(theme.line, 0, top, right + axis, canvas.px(1))
        box = self._tag_box(canvas, window)
        for mark in self.marks:
            ink, face = (theme.text, strong) if mark.major else (theme.muted, font)
            width = text_width(mark.label, face)
            left = round(window.centre(mark.bar) - width / 2)
            clear = box is None or left + width <= box[0] or left >= box[0] + box[1]
            if clear and left >= window.left and left + width <= right:
                canvas.text(mark.label, ink, face, left, top, width, height, CENTRE)
        self._cursor(canvas, window, theme, top)
        canvas.text(self.zone, theme.muted, words(canvas.px(11)), right, top, axis, height, CENTRE)
        if self.hover is not None and box is not None:
            edge = canvas.px(2)
            canvas.badge(theme.hover, box[0], top + edge, box[1], height - 2 * edge)
            canvas.text(self.hover[1], theme.text, font, box[0], top, box[1], height, CENTRE)

    def _tag_box(self, canvas: Canvas, window: Window) -> tuple[int, int] | None:
        """Left edge and width of the crosshair's tag, held within the plot."""
        if self.hover is None:
            return None
        width = text_width(self.hover[1], numbers(canvas.px(11))) + canvas.px(14)
        left = min(max(round(self.hover[0] - width / 2), window.left), window.left + window.width - width)
        return left, width

    def _cursor(self, canvas: Canvas, window: Window, theme: Theme, top: int) -> None:
        at = window.centre(window.bar_shown)
        if window.cut.count and window.left <= at <= window.left + window.width:
            half = canvas.px(4)
            canvas.polygon(theme.amber, [(at, top), (at - half, top + half + 1), (at + half, top + half + 1)])
