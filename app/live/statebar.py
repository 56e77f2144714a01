"""The bar on top: which service this is, the feed's state in words, the clock, and what a person can do about it."""

from collections.abc import Callable
from datetime import UTC

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton

from app.charts.ticks import LocalTime
from app.live.delay import delay_text
from app.live.states import Told, skew_text
from app.panels.parts import label, set_tone
from app.panels.toolbar import NarrowLabel
from app.theme.tokens import Theme

# What each service is called, the theme's colour of it, and what it means in a sentence.
SERVICES = {
    "LIVE": ("LIVE", "down", "Real market, real account behind the login. This window sends no orders."),
    "SIM": ("SIM", "accent", "TradeStation's simulated accounts. This window sends no orders."),
    "DEMO": ("DEMO", "violet", "Replayed synthetic bars by a service on this machine. Nothing here is real."),
}


class StateBar(QFrame):
    """State of everything, always in sight.

    Signals:
        reconnect: new connections, bars stay. reload: all history anew. sign_in: sign in on the service's page.
    """

    reconnect = pyqtSignal()
    reload = pyqtSignal()
    sign_in = pyqtSignal()

    def __init__(self, service: str, look: Theme) -> None:
        super().__init__()
        self.setProperty("role", "card")
        name, self._colour, meaning = SERVICES[service]
        self.badge = QLabel(name)
        self.badge.setToolTip(meaning)
        self.badge.setAccessibleName(f"Service: {name}. {meaning}")
        self.state, self.detail = label("", "heading"), NarrowLabel(Qt.AlignmentFlag.AlignLeft)
        self.detail.setProperty("role", "muted")
        self.delay, self.skew, self.clock = label("", "muted"), label("", "muted"), label("", "number")
        self.delay.setToolTip(
            "From a price's arrival at this machine to the end of its painting, the median of the last 50"
        )
        self.delay.setAccessibleName("Delay of the charts")
        self.state.setAccessibleName("State of the feed")
        self.sign_in_button = self._button("Sign in", "Sign in on TradeStation's own page", self.sign_in.emit)
        self.sign_in_button.setProperty("tone", "accent")
        self.reconnect_button = self._button(
            "Reconnect", "New connections; bars, indicators and the account stay", self.reconnect.emit
        )
        self.reload_button = self._button("Reload", "All history anew; the account stays", self.reload.emit)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(10)
        row.addWidget(self.badge)
        row.addWidget(label("Feed", "muted"))
        row.addWidget(self.state)
        row.addWidget(self.detail, 1)
        for right in (
            self.delay,
            self.skew,
            self.clock,
            self.sign_in_button,
            self.reconnect_button,
            self.reload_button,
        ):
            row.addWidget(right)
        self.sign_in_button.hide()
        self.set_look(look, LocalTime(UTC, "UTC"))

    @staticmethod
    def _button(text: str, tip: str, slot: Callable[[], object]) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.setAccessibleName(f"{text}: {tip}")
        button.clicked.connect(lambda: slot())
        return button

    def set_look(self, look: Theme, clock: LocalTime) -> None:
        """Other colours, another zone."""
        self._zone = clock
        fill = look.colour(self._colour)
        self.badge.setStyleSheet(
            f"background: {fill}; color: {look.on_fill}; font-weight: 700; padding: 3px 12px; border-radius: 4px;"
        )

    def put(self, told: Told, signed_out: bool) -> None:
        """Show a state."""
        if self.state.text() != told.word:
            self.state.setText(told.word)
        set_tone(self.state, told.tone)
        if self.detail.text() != told.detail:
            self.detail.setText(told.detail)
            self.detail.setToolTip(told.detail)
        if self.sign_in_button.isHidden() == signed_out:
            self.sign_in_button.setVisible(signed_out)

    def put_delay(self, ms: float | None) -> None:
        """Show how long news takes from the socket to the chart."""
        text, tone = delay_text(ms)
        if self.delay.text() != text:
            self.delay.setText(text)
            set_tone(self.delay, tone)

    def put_clock(self, now_ns: int, skew_s: float | None) -> None:
        """Show server time and the skew of this machine's clock."""
        text, tone = skew_text(skew_s)
        if self.skew.text() != text:
            self.skew.setText(text)
            set_tone(self.skew, tone)
        moment = f"{self._zone.moment(now_ns):%Y-%m-%d %H:%M:%S} {self._zone.name}"
        if self.clock.text() != moment:
            self.clock.setText(moment)
