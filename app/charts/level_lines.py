"""How price lines are drawn: dashes across the pane, a label that is never cut off, a tag on the axis."""

from dataclasses import dataclass

from PyQt6.QtGui import QFont

from app.charts.canvas import CENTRE, Canvas, text_width
from app.charts.frame import Frame, Layer
from app.charts.levels import Level, LevelKind
from app.charts.tags import spread
from app.theme.fonts import words
from app.theme.tokens import Theme, blend

LABEL = 18  # logical height of a label
INSET = 8


@dataclass(frozen=True, slots=True)
class Drag:
    """A line that is being dragged: which, and the price (on the tick grid) at which it is held."""

    level: Level
    price: float


class LevelLayer(Layer):
    """The lines of a position and of orders.

    Attributes:
        levels: what there is at the cursor.
        drag: the line under the mouse's hand, drawn where it is held and, faintly, where it was.
        hot: key of the line that the mouse is over.
    """

    def __init__(self) -> None:
        self.levels: tuple[Level, ...] = ()
        self.drag: Drag | None = None
        self.hot: str | None = None

    def shown(self) -> list[tuple[Level, float]]:
        """Levels with the price at which each is drawn."""
        return [(level, self._price(level)) for level in self.levels]

    def _price(self, level: Level) -> float:
        if self.drag is not None and self.drag.level.key == level.key:
            return self.drag.price
        return level.price

    def paint(self, canvas: Canvas, frame: Frame) -> None:
        for level, price in self.shown():
            colour = level_colour(level.kind, frame.theme)
            if price != level.price:
                faded = blend(colour, frame.theme.chart, 0.4)
                canvas.row(faded, frame.row(level.price), frame.left, frame.right, canvas.px(2), canvas.px(4))
            thick = canvas.px(2 if level.key == self.hot else 1)
            canvas.row(colour, frame.row(price), frame.left, frame.right, canvas.px(5), canvas.px(3), thick)

    def paint_labels(self, canvas: Canvas, frame: Frame) -> None:
        """The labels, over everything else on the pane; those of lines outside the pane stay at its edge."""
        shown = self.shown()
        height = canvas.px(LABEL)
        font = words(canvas.px(11), QFont.Weight.DemiBold)
        # Held near the pane: a logarithmic scale has no place for a price of nothing or less.
        rows = [float(frame.row(price)) for _, price in shown]
        for (level, price), place in zip(shown, spread(rows, height + 2, frame.top, frame.bottom), strict=True):
            if place + height / 2 > frame.bottom + 1:
                continue
            row = frame.row(price)
            beyond = (
                "  \N{UPWARDS ARROW}"
                if row < frame.top - 1
                else "  \N{DOWNWARDS ARROW}"
                if row > frame.bottom + 1
                else ""
            )
            text = level.label(price) + beyond
            width = min(text_width(text, font) + canvas.px(14), frame.right - frame.left - 2 * canvas.px(INSET))
            left, top = frame.left + canvas.px(INSET), round(place - height / 2)
            canvas.badge(level_colour(level.kind, frame.theme), left, top, width, height)
            canvas.text(text, frame.theme.on_fill, font, left, top, width, height, CENTRE)

    def nearest(self, frame: Frame, y: float, reach: float) -> Level | None:
        """The draggable line within ``reach`` pixels of a height, the closest one."""
        near = [
            (abs(frame.row(level.price) - y), number) for number, level in enumerate(self.levels) if level.draggable
        ]
        if not near or min(near)[0] > reach:
            return None
        return self.levels[min(near)[1]]


def level_colour(kind: LevelKind, theme: Theme) -> str:
    """The colour of a kind of line."""
    return {
        LevelKind.ENTRY: theme.accent,
        LevelKind.STOP: theme.down,
        LevelKind.TARGET: theme.up,
        LevelKind.ORDER: theme.amber,
    }[kind]
