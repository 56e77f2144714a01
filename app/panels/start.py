"""The start page: recent runs, the sample, a data file, a new run, replay by hand: three clicks to a playing replay."""

from pathlib import Path

from PyQt6.QtCore import QModelIndex, QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QPainter, QPalette
from PyQt6.QtWidgets import (
    QApplication,
    QFrame,
    QGridLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.panels.parts import label, set_tone
from app.theme.fonts import words

BELOW = int(Qt.ItemDataRole.UserRole) + 1  # where an entry of the recent ones lies
CHOICES = (
    ("sample", "Play the sample", "Four synthetic futures, trend following, ATR trailing stop"),
    ("data", "Open data file …", "Bars from CSV or Parquet, then choose bot and exit"),
    ("new", "New run …", "A configuration, or every setting as a form"),
    ("hand", "Replay by hand …", "No bot decides: orders are yours alone"),
    ("open", "Open run folder …", "A run that was saved, also one made headless"),
)


def choice_button(text: str, why: str, tone: str = "") -> QPushButton:
    """A button that says in a second line what it leads to."""
    button = QPushButton()
    button.setProperty("role", "choice")
    if tone:
        button.setProperty("tone", tone)
    button.setAccessibleName(text)
    button.setAccessibleDescription(why)
    lines = QVBoxLayout(button)
    lines.setContentsMargins(14, 0, 14, 0)
    lines.setSpacing(2)
    lines.addStretch(1)
    for words_, role in ((text, "name"), (why, "" if tone else "muted")):
        line = label(words_, role)
        line.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        lines.addWidget(line)
    lines.addStretch(1)
    return button


class TwoLines(QStyledItemDelegate):
    """Entries with a name and, below it and fainter, where it lies: its end is kept where there is little room."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return QSize(0, 46)

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        if painter is None:
            return
        plain = QStyleOptionViewItem(option)
        plain.text = ""
        widget, style = option.widget, QApplication.style()
        if style is not None:
            style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, plain, painter, widget)
        box = option.rect.adjusted(12, 5, -12, -5)
        tall, role = box.height() // 2, QPalette.ColorRole
        for place, (text, colour) in enumerate(((index.data(), role.Text), (index.data(BELOW), role.PlaceholderText))):
            line = QRect(box.left(), box.top() + place * tall, box.width(), tall)
            shown = option.fontMetrics.elidedText(str(text or ""), Qt.TextElideMode.ElideLeft, line.width())
            painter.setPen(option.palette.color(colour))
            painter.drawText(line, int(Qt.AlignmentFlag.AlignVCenter), shown)


class StartPage(QScrollArea):
    """Where the window begins; it scrolls where there is little room, so that it never keeps the window large.

    Signals:
        chosen: one of ``CHOICES`` by its key; recent_chosen: a run folder or configuration (text).
    """

    chosen = pyqtSignal(str)
    recent_chosen = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        page = QWidget()
        self.setWidget(page)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        outer = QGridLayout(page)
        outer.setRowStretch(0, 1)
        outer.setRowStretch(2, 2)
        outer.setColumnStretch(0, 1)
        outer.setColumnStretch(2, 1)
        card = QFrame()
        card.setFixedWidth(860)
        outer.addWidget(card, 1, 1)
        grid = QGridLayout(card)
        grid.setHorizontalSpacing(32)
        grid.setVerticalSpacing(12)
        title = QLabel("Triphase")
        title.setFont(words(34, words(34).Weight.DemiBold))
        title.setStyleSheet("font-size: 34px; font-weight: 600;")
        grid.addWidget(title, 0, 0, 1, 2)
        line = label("Step through a backtest bar by bar and phase by phase, go back, branch, and ask why.", "muted")
        grid.addWidget(line, 1, 0, 1, 2)
        grid.setRowMinimumHeight(2, 12)
        grid.addLayout(self._choices(), 3, 0)
        grid.addLayout(self._recent(), 3, 1)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        self.told = QLabel()
        self.told.setWordWrap(True)
        self.told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        grid.addWidget(self.told, 4, 0, 1, 2)

    def _choices(self) -> QVBoxLayout:
        layout = QVBoxLayout()
        layout.setSpacing(8)
        layout.addWidget(label("BEGIN", "heading"))
        self.buttons: dict[str, QPushButton] = {}
        for key, text, why in CHOICES:
            button = choice_button(text, why, tone="accent" if key == "sample" else "")
            button.clicked.connect(lambda _=False, key=key: self.chosen.emit(key))
            self.buttons[key] = button
            layout.addWidget(button)
        layout.addStretch(1)
        return layout

    def _recent(self) -> QVBoxLayout:
        layout = QVBoxLayout()
        layout.setSpacing(8)
        layout.addWidget(label("RECENT", "heading"))
        self.recent = QListWidget()
        self.recent.setAccessibleName("Recent runs")
        self.recent.setItemDelegate(TwoLines(self.recent))
        self.recent.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.recent.itemClicked.connect(lambda item: self.recent_chosen.emit(item.data(Qt.ItemDataRole.UserRole)))
        self.recent.itemActivated.connect(lambda item: self.recent_chosen.emit(item.data(Qt.ItemDataRole.UserRole)))
        layout.addWidget(self.recent, 1)
        self.nothing = label("Runs that were saved, and configurations, will stand here.", "muted")
        self.nothing.setContentsMargins(2, 0, 0, 0)
        self.nothing.setWordWrap(True)
        layout.addWidget(self.nothing)
        layout.addStretch(0)
        self.set_recent([])
        return layout

    def set_recent(self, recent: list[str]) -> None:
        """Show recent run folders and configurations, newest first; those that are gone are left out."""
        self.recent.clear()
        for text in recent:
            path = Path(text)
            if path.exists():
                item = QListWidgetItem(path.name)
                item.setData(Qt.ItemDataRole.UserRole, text)
                item.setData(BELOW, str(path.parent))
                item.setToolTip(text)
                self.recent.addItem(item)
        self.recent.setVisible(self.recent.count() > 0)
        self.nothing.setVisible(not self.recent.count())

    def say(self, text: str, error: bool = False) -> None:
        """A line below: what is going on, or what went wrong."""
        self.told.setText(text)
        set_tone(self.told, "down" if error else "")
