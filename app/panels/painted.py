"""What panels paint themselves is painted on: a ground in the chart's colour whose unit is one pixel of the screen."""

from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from app.charts.canvas import Canvas
from app.theme.tokens import DARK, Theme


class Painted(QWidget):
    """A widget that draws itself anew whenever it is painted.

    Attributes:
        look: colours.
    """

    def __init__(self) -> None:
        super().__init__()
        self.look: Theme = DARK

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter, ratio = QPainter(self), self.devicePixelRatioF()
        painter.scale(1 / ratio, 1 / ratio)
        canvas = Canvas(painter, ratio)
        width, height = round(self.width() * ratio), round(self.height() * ratio)
        canvas.rect(self.look.chart, 0, 0, width, height)
        self.draw(canvas, width, height)
        painter.end()

    def draw(self, canvas: Canvas, width: int, height: int) -> None:
        """Draw on the ground, ``width`` times ``height`` pixels of the screen; nothing unless a class says what."""
