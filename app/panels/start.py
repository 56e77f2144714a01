"""The start page: recent runs, the sample, a data file, a new run, replay by hand: three clicks to a playing replay."""

from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QGridLayout, QLabel, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from app.panels.parts import label, set_tone
from app.theme.fonts import words

CHOICES = (
    ("sample", "Play the sample", "Four synthetic futures, trend following with an ATR trailing stop"),
    ("data", "Open data file …", "Bars from CSV or Parquet, then choose bot and exit"),
    ("new", "New run …", "A configuration, or every setting as a form"),
    ("hand", "Replay by hand …", "No bot decides: orders are yours alone"),
    ("open", "Open run folder …", "A run that was saved, also one made headless"),
)


class StartPage(QWidget):
    """Where the window begins.

    Signals:
        chosen: one of ``CHOICES`` by its key; recent_chosen: a run folder or configuration (text).
    """

    chosen = pyqtSignal(str)
    recent_chosen = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        outer = QGridLayout(self)
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
        layout.setSpacing(4)
        self.buttons: dict[str, QPushButton] = {}
        for key, text, why in CHOICES:
            button = QPushButton(text)
            button.setAccessibleDescription(why)
            if key == "sample":
                button.setProperty("tone", "accent")
            button.clicked.connect(lambda _=False, key=key: self.chosen.emit(key))
            self.buttons[key] = button
            layout.addWidget(button)
            hint = label(why, "muted")
            hint.setContentsMargins(2, 0, 0, 8)
            layout.addWidget(hint)
        layout.addStretch(1)
        return layout

    def _recent(self) -> QVBoxLayout:
        layout = QVBoxLayout()
        layout.setSpacing(6)
        layout.addWidget(label("RECENT", "heading"))
        self.recent = QListWidget()
        self.recent.setAccessibleName("Recent runs")
        self.recent.itemClicked.connect(lambda item: self.recent_chosen.emit(item.data(Qt.ItemDataRole.UserRole)))
        self.recent.itemActivated.connect(lambda item: self.recent_chosen.emit(item.data(Qt.ItemDataRole.UserRole)))
        layout.addWidget(self.recent, 1)
        return layout

    def set_recent(self, recent: list[str]) -> None:
        """Show recent run folders and configurations, newest first; those that are gone are left out."""
        self.recent.clear()
        for text in recent:
            path = Path(text)
            if path.exists():
                item = QListWidgetItem(f"{path.name}\n{path.parent}")
                item.setData(Qt.ItemDataRole.UserRole, text)
                self.recent.addItem(item)

    def say(self, text: str, error: bool = False) -> None:
        """A line below: what is going on, or what went wrong."""
        self.told.setText(text)
        set_tone(self.told, "down" if error else "")
