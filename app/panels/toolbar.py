"""The bar over the charts: symbol, timeframe, what is drawn, and what runs."""

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from app.panels.charts import MINUTE_NS, MINUTES, length_text
from app.session import RunSession
from engine.config import BacktestConfig

TOGGLES = (("volume", "Volume"), ("sessions", "Sessions"), ("trades", "Trades"), ("path", "Path"), ("log", "Log"))

LEAST = 60  # pixels, less than which words are left out altogether
# What a button says more than its word, and its key.
TIPS = {
    "volume": "Volume of each bar (V)",
    "sessions": "Regular hours and the begin of days (H)",
    "trades": "Entries and exits, joined by a line (T)",
    "path": "The way that price is assumed to go through the bar (P)",
    "log": "Logarithmic prices (L)",
    "indicators": "Which indicators are drawn (I)",
    "auto": "Scales fit what is in sight, and time follows the cursor (A)",
}


class NarrowLabel(QLabel):
    """Words to one side that give way first where the window is narrow: their end is left out, never their begin."""

    def __init__(self, side: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignRight) -> None:
        super().__init__()
        self._side = side
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        if self.width() < LEAST:
            return  # two letters tell nobody anything
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), int(self._side | Qt.AlignmentFlag.AlignVCenter), text)
        painter.end()


class ChartBar(QWidget):
    """Choices of what the charts show.

    Signals:
        symbol_chosen: column; timeframe_chosen: name or None; toggled: (what, on); asked: indicators or auto.
    """

    symbol_chosen = pyqtSignal(object)
    timeframe_chosen = pyqtSignal(object)
    toggled = pyqtSignal(str, bool)
    asked = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 5, 8, 5)
        layout.setSpacing(4)
        self.symbol = QComboBox()
        self.symbol.setMinimumWidth(100)
        self.symbol.setAccessibleName("Symbol")
        self.symbol.currentIndexChanged.connect(self._chosen)
        layout.addWidget(self.symbol)
        layout.addSpacing(6)
        self.frames: dict[str | None, QToolButton] = {}
        for name in (None, *MINUTES):
            self.frames[name] = self._button(name or "bars", f"Timeframe {name or 'of the run'}", True)
            self.frames[name].setToolTip(f"Bars of {name}" if name else "The run's own bars")
            self.frames[name].clicked.connect(lambda _=False, name=name: self._frame(name))
            layout.addWidget(self.frames[name])
        layout.addSpacing(10)
        self.toggles: dict[str, QToolButton] = {}
        for key, text in TOGGLES:
            button = self._button(text, text, True)
            button.setToolTip(TIPS[key])
            button.clicked.connect(lambda on, key=key: self.toggled.emit(key, on))
            self.toggles[key] = button
            layout.addWidget(button)
        for key, text in (("indicators", "Indicators …"), ("auto", "Auto")):
            button = self._button(text, text, False)
            button.setToolTip(TIPS[key])
            button.clicked.connect(lambda _=False, key=key: self.asked.emit(key))
            layout.addWidget(button)
        self.told = NarrowLabel()
        layout.addWidget(self.told, 1)

    @staticmethod
    def _button(text: str, name: str, checkable: bool) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setAccessibleName(name)
        button.setCheckable(checkable)
        button.setProperty("role", "bar")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return button

    def set_session(self, session: RunSession) -> None:
        """Choices of a run."""
        self.set_symbols(list(session.facts.symbols))
        self.set_frames(session.facts.master_ns, None)
        self.say(bot_words(session.config, session.by_hand))

    def set_symbols(self, names: list[str]) -> None:
        """Offer these symbols."""
        self.symbol.blockSignals(True)
        self.symbol.clear()
        self.symbol.addItems(names)
        self.symbol.blockSignals(False)

    def set_frames(self, bar_ns: int, chosen: str | None) -> None:
        """Offer the bars themselves and the timeframes that bars of ``bar_ns`` can be joined to."""
        self.frames[None].setText(length_text(bar_ns))
        for name, button in self.frames.items():
            length = 0 if name is None else MINUTES[name] * MINUTE_NS
            button.setVisible(name is None or (length > bar_ns and length % bar_ns == 0))
            button.setChecked(name == chosen)

    def step_frame(self, by: int) -> None:
        """Choose the next longer (1) or shorter (-1) bars of those that are offered."""
        offered = [name for name, button in self.frames.items() if not button.isHidden()]
        now = next(place for place, name in enumerate(offered) if self.frames[name].isChecked())
        wanted = offered[min(max(now + by, 0), len(offered) - 1)]
        if wanted != offered[now]:
            self._frame(wanted)

    def say(self, text: str) -> None:
        """Words to the right."""
        self.told.setText(text)
        self.told.setToolTip(text)

    def show_toggles(self, shown: dict[str, bool]) -> None:
        """Press the buttons of what is shown."""
        for key, on in shown.items():
            if key in self.toggles:
                self.toggles[key].setChecked(on)

    def _chosen(self, column: int) -> None:
        if column >= 0:
            self.symbol_chosen.emit(column)

    def _frame(self, name: str | None) -> None:
        for each, button in self.frames.items():
            button.setChecked(each == name)
        self.timeframe_chosen.emit(name)


def bot_words(config: BacktestConfig, by_hand: bool) -> str:
    """Who decides, and who sets the stop."""
    if by_hand:
        return "By hand"
    return f"Bot: {config.bot.name}     Exit: {config.exit.name}"
