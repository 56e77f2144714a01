"""The paper account in the window: account figures, positions, orders, fills, and a ticket for orders by hand."""

from typing import Any

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QFrame,
    QLineEdit,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.live.papers import FILLS, ORDERS, POSITIONS, fill_rows, order_rows, position_rows
from app.live.rows import RowsModel, table
from app.panels.parts import Figures, label, money, row_of, tone_of
from app.theme.tokens import Theme
from engine.paper import PaperRun

NAMES = ("Equity", "Cash", "Unrealised", "Used margin", "Free margin", "Day's result", "Realised", "Costs")


class AccountCard(Figures):
    """Figures of the account at its marks."""

    def __init__(self, look: Theme) -> None:
        super().__init__("Paper account", NAMES)
        self.set_look(look)

    def show_run(self, run: PaperRun) -> None:
        """Show where the account stands."""
        now = run.engine.get_portfolio()
        for name, value, signed in (
            ("Equity", now.equity, False),
            ("Cash", now.cash, False),
            ("Unrealised", now.unrealised, True),
            ("Used margin", now.used_margin, False),
            ("Free margin", now.free_margin, False),
            ("Day's result", now.day_result, True),
            ("Realised", now.realised, True),
            ("Costs", now.costs, False),
        ):
            self.put(name, money(value, signed), tone_of(value) if signed else "")


class Ticket(QFrame):
    """An order by hand; in mid-bar it waits for the close and fills at the next open, and the ticket says so (S17.3).

    Signals:
        given: an action record (``engine.actions``).
    """

    given = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.symbol, self.kind = QComboBox(), QComboBox()
        self.kind.addItems(["market", "limit", "stop"])
        self.quantity = QDoubleSpinBox()
        self.quantity.setRange(0.0, 1e9)
        self.quantity.setDecimals(4)
        self.quantity.setValue(1.0)
        self.quantity.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        self.price, self.stop, self.target = QLineEdit(), QLineEdit(), QLineEdit()
        self.note = label("", "muted")
        self.note.setWordWrap(True)
        for widget, name in (
            (self.symbol, "Symbol of the order"),
            (self.kind, "Type of the order"),
            (self.quantity, "Quantity"),
            (self.price, "Price of a limit or stop order"),
            (self.stop, "Stop loss"),
            (self.target, "Take profit"),
        ):
            widget.setAccessibleName(name)
        self._lay_out()

    def _lay_out(self) -> None:
        form = QFormLayout()
        for text, widget in (
            ("Symbol", self.symbol),
            ("Type", self.kind),
            ("Quantity", self.quantity),
            ("Price", self.price),
            ("Stop loss", self.stop),
            ("Take profit", self.target),
        ):
            form.addRow(label(text, "muted"), widget)
        self.buy = self._button("Buy", "up", lambda: self._give("buy"))
        self.sell = self._button("Sell", "down", lambda: self._give("sell"))
        self.flat = self._button("Close", "", lambda: self.given.emit(self._bare("close")))
        layout = QVBoxLayout(self)
        layout.addWidget(label("ORDER ON PAPER", "heading"))
        layout.addLayout(form)
        layout.addLayout(row_of(self.buy, self.sell, self.flat))
        layout.addWidget(self.note)

    @staticmethod
    def _button(text: str, tone: str, slot: Any) -> QPushButton:
        button = QPushButton(text)
        button.setProperty("tone", tone)
        button.clicked.connect(lambda: slot())
        return button

    def _bare(self, kind: str) -> dict[str, Any]:
        return {"type": kind, "symbol": self.symbol.currentText()}

    def _give(self, side: str) -> None:
        kind = self.kind.currentText()
        record = self._bare(kind) | {"side": side, "qty": self.quantity.value()}
        fields = {"sl": self.stop, "tp": self.target} | ({kind: self.price} if kind != "market" else {})
        try:
            record |= {key: float(field.text()) for key, field in fields.items() if field.text().strip()}
        except ValueError:
            self.say("a price is not a number; write it like 5012.25")
            return
        self.given.emit(record)

    def say(self, text: str) -> None:
        """Say something below the buttons."""
        if self.note.text() != text:
            self.note.setText(text)

    def show_run(self, run: PaperRun) -> None:
        """Offer the account's symbols; say when an order would fill."""
        if self.symbol.count() != len(run.bars.symbols):
            self.symbol.clear()
            self.symbol.addItems(list(run.bars.symbols))
        when = "the bar is under way: an order waits for its close and fills at the next open"
        self.setToolTip(when if run.is_open else "an order fills at the next open")


class PaperTables(QTabWidget):
    """Positions, orders and fills.

    Signals:
        cancelled: id of an order that was double-clicked.
    """

    cancelled = pyqtSignal(int)

    def __init__(self) -> None:
        super().__init__()
        self.positions, self.orders, self.fills = RowsModel(POSITIONS), RowsModel(ORDERS), RowsModel(FILLS)
        self.views = {
            "Positions": table("Positions on paper", self.positions),
            "Orders": table("Working orders on paper", self.orders),
            "Fills": table("Fills on paper", self.fills),
        }
        for name, view in self.views.items():
            self.addTab(view, name)
        self.views["Orders"].setToolTip("Double-click to cancel")
        self.views["Orders"].doubleClicked.connect(lambda index: self._cancel(index.row()))
        self._shown: object = None

    def _cancel(self, row: int) -> None:
        number = self.orders.row(row)[0]
        if number:
            self.cancelled.emit(int(number))

    def show_run(self, run: PaperRun) -> None:
        """Show rows anew where something happened."""
        tables = run.engine.tables
        key = (tables.count("events"), tables.count("fills"), run.next_bar, run.is_open, len(run.held))
        if key != self._shown:
            self._shown = key
            self.positions.put(position_rows(run))
            self.orders.put(order_rows(run))
            self.fills.put(fill_rows(run))


class PaperColumn(QWidget):
    """Account and ticket below each other."""

    def __init__(self, look: Theme) -> None:
        super().__init__()
        self.card, self.ticket = AccountCard(look), Ticket()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.card)
        layout.addWidget(self.ticket)
        layout.addStretch(1)

    def show_run(self, run: PaperRun) -> None:
        """Show where the account stands."""
        self.card.show_run(run)
        self.ticket.show_run(run)
