"""The paper account in the window: the backtest's account, position and ticket, and tables of what works and filled."""

from typing import cast

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QKeySequence, QShortcut
from PyQt6.QtWidgets import QLabel, QPushButton, QTabWidget, QVBoxLayout, QWidget

from app.charts.ticks import LocalTime
from app.live.papers import FILLS, ORDERS, POSITIONS, WORDS, fill_rows, order_rows, paper_tone, position_rows
from app.live.rows import RowsModel, table
from app.live.seat import LastPrice, PaperSeat
from app.panels.account import AccountPanel
from app.panels.parts import Scrolled, label, set_tone
from app.panels.ticket import TicketPanel
from app.session import RunSession
from app.theme.tokens import Theme
from engine.paper import PaperRun

WHEN = {
    True: "The bar is under way: an order waits for its close and fills at the next open.",
    False: "An order fills at the next open.",
}


class PaperColumn(QWidget):
    """Account, position and ticket below each other; they show nothing until the account has begun.

    Args:
        last: the newest price of a symbol.

    Signals:
        said: what became of something that was asked for.
    """

    said = pyqtSignal(str)

    def __init__(self, last: LastPrice) -> None:
        super().__init__()
        self._last = last
        self.account, self.ticket = AccountPanel(), TicketPanel()
        self.seat: PaperSeat | None = None
        self.waits, self.note = QLabel(), label("", "muted")
        self.waits.setWordWrap(True)
        self.note.setWordWrap(True)
        self.note.setAccessibleName("What became of the last order by hand")
        for text in (self.waits, self.note):
            text.setContentsMargins(16, 4, 12, 8)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.waits)
        layout.addWidget(Scrolled(self.account))
        # The buttons are never out of sight, however low the window is.
        layout.addWidget(self.ticket)
        layout.addWidget(self.note)
        layout.addStretch(1)
        self.setMinimumWidth(306)
        # Beside a service that says LIVE, nobody is to take this account for a real one.
        self.account.account.heading.setText("PAPER ACCOUNT")
        self._begun(False)

    def _begun(self, on: bool) -> None:
        self.waits.setVisible(not on)
        for widget in (self.account, self.ticket, self.note):
            widget.setVisible(on)

    def set_look(self, look: Theme, clock: LocalTime) -> None:
        """Other colours, another zone."""
        self.account.set_look(look, clock)
        self.ticket.set_look(look, clock)

    def set_symbol(self, symbol: str) -> None:
        """Show a symbol's position, and write orders for it."""
        if self.seat is not None and symbol in self.seat.facts.symbols:
            column = self.seat.facts.symbols.index(symbol)
            if column != self.ticket.column:
                self.account.set_column(column)
                self.ticket.set_column(column)

    def say(self, text: str, tone: str = "") -> None:
        """Say what became of something that was asked for."""
        self.note.setText(text)
        set_tone(self.note, tone)
        self.said.emit(text)

    def show_waiting(self, text: str) -> None:
        """Say for what the account waits."""
        if self.seat is None and self.waits.text() != text:
            self.waits.setText(text)

    def show_run(self, run: PaperRun) -> None:
        """Show where the account stands."""
        if self.seat is None or self.seat.run is not run:
            self.seat = PaperSeat(run, self._last)
            # The seat answers what these two panels ask of a run; a test drives both on it.
            session = cast(RunSession, self.seat)
            self.account.set_session(session)
            self.ticket.set_session(session)
            self._begun(True)
        self.account.refresh()
        self.ticket.refresh()
        when = WHEN[run.is_open]
        if self.ticket.toolTip() != when:
            self.ticket.setToolTip(when)


class PaperTables(QTabWidget):
    """Positions, orders and fills.

    Signals:
        cancelled: id of a working order that is to be cancelled.
    """

    cancelled = pyqtSignal(int)

    def __init__(self) -> None:
        super().__init__()
        self.models = {
            "Positions": RowsModel(POSITIONS, WORDS, paper_tone(POSITIONS)),
            "Orders": RowsModel(ORDERS, WORDS, paper_tone(ORDERS)),
            "Fills": RowsModel(FILLS, WORDS, paper_tone(FILLS)),
        }
        self.positions, self.orders, self.fills = self.models.values()
        self.views = {name: table(f"{name} on paper", model) for name, model in self.models.items()}
        for name, view in self.views.items():
            self.addTab(view, name)
        self.cancel_button = QPushButton("Cancel order")
        self.cancel_button.setAccessibleName("Cancel the chosen order (Del)")
        self.cancel_button.setToolTip("Cancel the chosen order (Del)")
        self.setCornerWidget(self.cancel_button)
        self.cancel_button.clicked.connect(lambda: self._cancel())
        orders = self.views["Orders"]
        QShortcut(QKeySequence("Del"), orders, self._cancel, context=Qt.ShortcutContext.WidgetShortcut)
        chosen = orders.selectionModel()
        if chosen is not None:
            chosen.selectionChanged.connect(lambda: self._offer())
        self.currentChanged.connect(lambda: self._offer())
        self.orders.modelReset.connect(self._offer)
        self._offer()
        self._shown: object = None

    def _chosen(self) -> str:
        """Id of the chosen order; empty for none, or for one that only waits."""
        selected = self.views["Orders"].selectionModel()
        rows = [] if selected is None else selected.selectedRows()
        return self.orders.row(rows[0].row())[0] if rows else ""

    def _offer(self) -> None:
        self.cancel_button.setVisible(self.currentIndex() == 1)
        self.cancel_button.setEnabled(bool(self._chosen()))

    def _cancel(self) -> None:
        number = self._chosen()
        if number:
            self.cancelled.emit(int(number))

    def set_look(self, look: Theme) -> None:
        """Other colours."""
        for model in self.models.values():
            model.set_look(look)

    def show_run(self, run: PaperRun) -> None:
        """Show rows anew where something happened."""
        tables = run.engine.tables
        key = (tables.count("events"), tables.count("fills"), run.next_bar, run.is_open, len(run.held))
        if key != self._shown:
            self._shown = key
            for name, rows in (
                ("Positions", position_rows(run)),
                ("Orders", order_rows(run)),
                ("Fills", fill_rows(run)),
            ):
                self.models[name].put(rows)
                count = "" if name == "Fills" or not rows else f" ({len(rows)})"
                self.setTabText(list(self.models).index(name), name + count)
