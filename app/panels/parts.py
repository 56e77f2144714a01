"""What panels are made of: cards with rows of figures, headings, buttons with drawn icons."""

from collections.abc import Callable

from PyQt6.QtCore import QEvent, QPointF, QSize, Qt
from PyQt6.QtGui import QColor, QIcon, QPainter, QPaintEvent, QPixmap, QPolygonF, QResizeEvent
from PyQt6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.charts.prices import number
from app.theme.fonts import numbers
from app.theme.tokens import DARK, Theme

DASH = "\N{EN DASH}"
# Icons on a grid of 16: triangles as points, bars as (x, y, width, height).
Shape = tuple[tuple[tuple[tuple[float, float], ...], ...], tuple[tuple[float, float, float, float], ...]]
_RIGHT = ((4.0, 3.0), (13.0, 8.0), (4.0, 13.0))
_LEFT = ((12.0, 3.0), (3.0, 8.0), (12.0, 13.0))
ICONS: dict[str, Shape] = {
    "restart": ((((14.0, 3.0), (6.0, 8.0), (14.0, 13.0)),), ((3.0, 3.0, 2.0, 10.0),)),
    "end": ((((2.0, 3.0), (10.0, 8.0), (2.0, 13.0)),), ((11.0, 3.0, 2.0, 10.0),)),
    "play": ((_RIGHT,), ()),
    "pause": ((), ((4.0, 3.0, 3.0, 10.0), (9.0, 3.0, 3.0, 10.0))),
    "bar back": ((_LEFT,), ()),
    "bar on": ((_RIGHT,), ()),
    "phase back": ((((9.0, 4.0), (3.0, 8.0), (9.0, 12.0)),), ((11.0, 7.0, 2.0, 2.0),)),
    "phase on": ((((7.0, 4.0), (13.0, 8.0), (7.0, 12.0)),), ((3.0, 7.0, 2.0, 2.0),)),
    "rewind": ((((8.0, 3.0), (1.0, 8.0), (8.0, 13.0)), ((15.0, 3.0), (8.0, 8.0), (15.0, 13.0))), ()),
    "forward": ((((1.0, 3.0), (8.0, 8.0), (1.0, 13.0)), ((8.0, 3.0), (15.0, 8.0), (8.0, 13.0))), ()),
    "trade back": ((((8.0, 3.0), (2.0, 8.0), (8.0, 13.0)),), ((10.0, 4.0, 5.0, 2.0), (12.0, 4.0, 1.5, 9.0))),
    "trade on": ((((8.0, 3.0), (14.0, 8.0), (8.0, 13.0)),), ((1.0, 4.0, 5.0, 2.0), (3.0, 4.0, 1.5, 9.0))),
}


def icon(name: str, colour: str) -> QIcon:
    """A drawn icon, crisp at one and two device pixels per logical one."""
    made = QIcon()
    for ratio in (1, 2, 3):
        picture = QPixmap(16 * ratio, 16 * ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour))
        painter.scale(ratio, ratio)
        triangles, bars = ICONS[name]
        for points in triangles:
            painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in points]))
        for bar in bars:
            painter.drawRect(*(round(side * ratio) // ratio if side == int(side) else int(side) for side in bar))
        painter.end()
        picture.setDevicePixelRatio(ratio)
        made.addPixmap(picture)
    return made


def icon_button(name: str, text: str, slot: Callable[[], object]) -> QToolButton:
    """A small button with an icon; its text is what a screen reader says."""
    button = QToolButton()
    button.setAccessibleName(text)
    button.setToolTip(text)
    button.setIconSize(QSize(16, 16))
    button.setProperty("icon_name", name)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    button.clicked.connect(lambda: slot())
    return button


def paint_icons(owner: QWidget, look: Theme) -> None:
    """Give the icon buttons of a widget the theme's colour."""
    for button in owner.findChildren(QAbstractButton):
        name = button.property("icon_name")
        if isinstance(name, str):
            filled = button.property("tone") == "accent"
            button.setIcon(icon(name, look.on_fill if filled else look.text))


def label(text: str = "", role: str = "", tone: str = "") -> QLabel:
    """A label in one of the style sheet's roles."""
    made = QLabel(text)
    if role:
        made.setProperty("role", role)
    if tone:
        made.setProperty("tone", tone)
    return made


def set_tone(widget: QWidget, tone: str) -> None:
    """Colour a widget by meaning; styles are computed anew only where the tone changes."""
    if (widget.property("tone") or "") != tone:
        widget.setProperty("tone", tone)
        style = widget.style()
        if style is not None:
            style.unpolish(widget)
            style.polish(widget)


class Still(QWidget):
    """Holds a label whose text or tone changes as the run plays: the rest of the window is not laid out anew for it.

    Args:
        held: the label; least: height that it has at least; wide: its width, None for what the layout gives.
    """

    def __init__(self, held: QLabel, least: int = 0, wide: int | None = None) -> None:
        super().__init__()
        self._held, self._least = held, least
        held.setParent(self)
        if wide is not None:
            self.setFixedWidth(wide)
        self._fit()

    def event(self, event: QEvent | None) -> bool:
        # A label asks its parent for room with every text; only another height concerns anyone else.
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        self._fit()

    def _fit(self) -> None:
        held, width = self._held, self.width()
        needed = held.heightForWidth(width) if held.hasHeightForWidth() else held.sizeHint().height()
        height = max(needed, self._least)
        held.setGeometry(0, 0, width, height)
        if self.minimumHeight() != height:
            self.setFixedHeight(height)


class Scrolled(QScrollArea):
    """Holds a panel at its own height where there is room for that, and scrolls it where there is not."""

    def __init__(self, panel: QWidget) -> None:
        super().__init__()
        self.setWidget(panel)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def sizeHint(self) -> QSize:
        # Qt's own is never higher than a few lines of text.
        held = self.widget()
        return super().sizeHint() if held is None else held.sizeHint()


class Value(QWidget):
    """A figure that changes every frame: it paints itself, where a label would have the whole dock laid out anew."""

    def __init__(self, name: str, pixels: int = 12) -> None:
        super().__init__()
        self._text, self._tone, self._look = "", "", DARK
        self._pixels = pixels
        self.setAccessibleName(name)
        self.setFixedHeight(pixels + 6)

    def text(self) -> str:
        """What is written."""
        return self._text

    def put(self, text: str, tone: str = "") -> None:
        """Write a text in a tone."""
        if (text, tone) != (self._text, self._tone):
            self._text, self._tone = text, tone
            self.update()

    def set_look(self, look: Theme) -> None:
        """Other colours."""
        self._look = look
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setFont(numbers(self._pixels))
        painter.setPen(QColor(self._look.colour(self._tone or "text")))
        side = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.rect(), int(side), self._text)
        painter.end()


class Figures(QFrame):
    """A card: a heading, and rows with a name to the left and a figure to the right."""

    def __init__(self, heading: str, names: tuple[str, ...]) -> None:
        super().__init__()
        self.setProperty("role", "card")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(12, 10, 12, 10)
        outer.setSpacing(6)
        self.heading = label(heading.upper(), "heading")
        outer.addWidget(self.heading)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        outer.addLayout(grid)
        self._values: dict[str, Value] = {}
        for row, name in enumerate(names):
            value = Value(name)
            grid.addWidget(label(name, "muted"), row, 0)
            grid.addWidget(value, row, 1)
            self._values[name] = value
        grid.setColumnStretch(1, 1)

    def put(self, name: str, text: str, tone: str = "") -> None:
        """Write a figure; nothing is drawn again where it stands already."""
        self._values[name].put(text, tone)

    def set_look(self, look: Theme) -> None:
        """Other colours."""
        for value in self._values.values():
            value.set_look(look)

    def figure(self, name: str) -> str:
        """What is written."""
        return self._values[name].text()


def money(value: float, signed: bool = False) -> str:
    """Money with two decimals."""
    return number(value, 2, signed)


def tone_of(value: float) -> str:
    """Up for a gain, down for a loss."""
    return "up" if value > 0 else "down" if value < 0 else ""


def row_of(*widgets: QWidget, spacing: int = 4) -> QHBoxLayout:
    """Widgets beside each other."""
    layout = QHBoxLayout()
    layout.setSpacing(spacing)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        layout.addWidget(widget)
    return layout
