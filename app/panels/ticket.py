"""The order ticket: what an order would risk, need and gain is said before it is sent, and why it would be refused."""

from collections.abc import Callable

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QGridLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.charts.prices import PriceFormat, number, quantity_text
from app.panels.panel import Panel
from app.panels.parts import Still, label, money, row_of, set_tone
from app.replay.ticket import Distance, Estimate, Ticket, Unit, estimate
from app.session import RunSession
from engine.kernel.schema import OrderType

TYPES = {"Market": OrderType.MARKET, "Limit": OrderType.LIMIT, "Stop": OrderType.STOP,
         "Stop-limit": OrderType.STOP_LIMIT}  # fmt: skip
SIZES = ("Qty", "Risk %")
TIMES = {"Good till cancelled": "gtc", "Day": "day", "Immediate or cancel": "ioc"}


def spin(name: str, decimals: int, step: float, most: float, value: float = 0.0) -> QDoubleSpinBox:
    """A field for a number."""
    field = QDoubleSpinBox()
    field.setDecimals(decimals)
    field.setRange(-most if decimals > 2 else 0.0, most)
    field.setSingleStep(step)
    field.setValue(value)
    field.setAccessibleName(name)
    field.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
    field.setKeyboardTracking(True)
    # A field's own wish is as wide as its widest number.
    field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    field.setMinimumWidth(84)
    return field


def combo(name: str, words: tuple[str, ...]) -> QComboBox:
    """A field for a choice."""
    field = QComboBox()
    field.addItems(words)
    field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    field.setMinimumWidth(84)
    field.setAccessibleName(name)
    return field


class TicketPanel(Panel):
    """Writes orders by hand at the cursor.

    Signals:
        sent: the record of an order (S16); flatten: a symbol whose position is to be closed.
    """

    sent = pyqtSignal(object)
    flatten = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self.column = 0
        self._filling = False
        card = QFrame()
        card.setProperty("role", "card")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(8, 8, 8, 8)
        outer.addWidget(card)
        outer.addStretch(1)
        layout = QVBoxLayout(card)
        layout.setContentsMargins(12, 10, 12, 12)
        layout.setSpacing(6)
        self.heading = label("ORDER TICKET", "heading")
        layout.addWidget(self.heading)
        self._make_fields()
        layout.addLayout(self._grid())
        self.told = label("", "figures")
        self.told.setWordWrap(True)
        self.told.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.told.setAccessibleName("Risk, reward and margin of the order")
        layout.addWidget(Still(self.told, least=68))
        self._make_buttons(layout)

    def _make_fields(self) -> None:
        self.type = combo("Order type", tuple(TYPES))
        self.size_by = combo("Size by", SIZES)
        self.quantity = spin("Quantity", 2, 1.0, 1e9, 1.0)
        self.risk = spin("Risk in percent of equity", 2, 0.1, 100.0, 1.0)
        self.limit = spin("Limit price", 5, 0.25, 1e9)
        self.stop = spin("Stop price", 5, 0.25, 1e9)
        self.loss_unit = combo("Stop loss given as", tuple(unit.value for unit in Unit))
        self.loss = spin("Stop loss", 5, 0.25, 1e9)
        self.profit_unit = combo("Take profit given as", tuple(unit.value for unit in Unit))
        self.profit = spin("Take profit", 5, 0.25, 1e9)
        self.force = combo("Time in force", tuple(TIMES))
        self.reduce = QCheckBox("Reduce only")
        for named, tip in (
            (self.type, "Market fills at the next price; the others wait for theirs"),
            (self.size_by, "A quantity, or what may be lost at the stop in percent of equity"),
            (self.loss_unit, "How the stop's distance from the entry is given"),
            (self.profit_unit, "How the target's distance from the entry is given"),
            (self.force, "How long the order works"),
            (self.reduce, "It may make a position smaller, never larger or the other way round"),
        ):
            named.setToolTip(tip)
        self.type.currentIndexChanged.connect(lambda: self._fill_prices())
        for box in (self.size_by, self.loss_unit, self.profit_unit, self.force):
            box.currentIndexChanged.connect(lambda: self._changed())
        for field in (self.quantity, self.risk, self.limit, self.stop, self.loss, self.profit):
            field.valueChanged.connect(lambda: self._changed())
        self.reduce.toggled.connect(lambda: self._changed())

    def _grid(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setVerticalSpacing(5)
        grid.setHorizontalSpacing(6)
        self._rows: dict[str, tuple[QWidget, ...]] = {}
        rows: tuple[tuple[str, QWidget, QWidget | None], ...] = (
            ("Type", self.type, None), ("Size", self.size_by, self.quantity), ("Risk", self.risk, None),
            ("Limit", self.limit, None), ("Stop", self.stop, None), ("Stop loss", self.loss_unit, self.loss),
            ("Take profit", self.profit_unit, self.profit), ("Time", self.force, None), ("", self.reduce, None),
        )  # fmt: skip
        for row, (name, first, second) in enumerate(rows):
            head = label(name, "muted")
            grid.addWidget(head, row, 0)
            grid.addWidget(first, row, 1, 1, 1 if second else 2)
            if second is not None:
                grid.addWidget(second, row, 2)
            self._rows[name] = (head, first, *((second,) if second is not None else ()))
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        return grid

    def _make_buttons(self, layout: QVBoxLayout) -> None:
        self.buy, self.sell = QPushButton("BUY"), QPushButton("SELL")
        self.close_position = QPushButton("Flatten")
        for button, tone, name, slot in (
            (self.buy, "up", "Buy (B)", lambda: self.send(1)),
            (self.sell, "down", "Sell (S)", lambda: self.send(-1)),
            (self.close_position, "", "Close the position (F)", self.ask_flatten),
        ):
            self._button(button, tone, name, slot)
        layout.addLayout(row_of(self.buy, self.sell, spacing=6))
        layout.addWidget(self.close_position)

    @staticmethod
    def _button(button: QPushButton, tone: str, name: str, slot: Callable[[], object]) -> None:
        if tone:
            button.setProperty("tone", tone)
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.clicked.connect(lambda: slot())

    def begin(self) -> None:
        self.column = 0
        self._fill_prices()

    def set_column(self, column: int) -> None:
        """Write orders for another symbol."""
        self.column = column
        self._fill_prices()

    def _fill_prices(self) -> None:
        """Fields in the symbol's tick, begun at the mark."""
        if self.session is None:
            return
        facts, form = self.session.facts, self.session.facts.forms[self.column]
        self.heading.setText(f"ORDER TICKET \N{MIDDLE DOT} {facts.symbols[self.column]}")
        self._filling = True
        mark = facts.mark(self.column, self.session.model.cursor) if self.session.model.standing else 0.0
        for field in (self.limit, self.stop, self.loss, self.profit):
            field.setDecimals(max(form.decimals, 2))
            field.setSingleStep(form.tick)
            field.setRange(-1e9, 1e9)
        lot = facts.contracts[self.column].facts.lot_size
        self.quantity.setDecimals(PriceFormat.for_tick(lot).decimals)
        self.quantity.setSingleStep(lot)
        for field in (self.limit, self.stop):
            field.setValue(mark if mark == mark else 0.0)
        self._filling = False
        self._changed()

    def _changed(self) -> None:
        if not self._filling:
            self._drawn = None
            self._show_rows()
            if self.session is not None and self.session.model.standing:
                self.show_state(self.session)

    def _show_rows(self) -> None:
        kind = TYPES[self.type.currentText()]
        by_risk = self.size_by.currentText() == SIZES[1]
        shown = {
            "Limit": kind in (OrderType.LIMIT, OrderType.STOP_LIMIT),
            "Stop": kind in (OrderType.STOP, OrderType.STOP_LIMIT),
            "Risk": by_risk,
        }
        for name, visible in shown.items():
            for widget in self._rows[name]:
                widget.setVisible(visible)
        self.quantity.setEnabled(not by_risk)
        self.loss.setEnabled(self.loss_unit.currentText() != Unit.NONE.value)
        self.profit.setEnabled(self.profit_unit.currentText() != Unit.NONE.value)

    def ticket(self, side: int) -> Ticket:
        """What the fields say."""
        by_risk = self.size_by.currentText() == SIZES[1]
        return Ticket(
            column=self.column,
            side=side,
            type=TYPES[self.type.currentText()],
            quantity=None if by_risk else self.quantity.value(),
            risk=self.risk.value() / 100.0,
            limit=self.limit.value(),
            stop=self.stop.value(),
            stop_loss=Distance(Unit(self.loss_unit.currentText()), self.loss.value()),
            take_profit=Distance(Unit(self.profit_unit.currentText()), self.profit.value()),
            time_in_force=TIMES[self.force.currentText()],
            reduce_only=self.reduce.isChecked(),
        )

    def show_state(self, session: RunSession) -> None:
        if not session.model.standing:
            return
        both = {side: estimate(session.model, self.ticket(side)) for side in (1, -1)}
        busy = session.branching
        self.buy.setEnabled(not both[1].refusal and not busy)
        self.sell.setEnabled(not both[-1].refusal and not busy)
        self.close_position.setEnabled(session.model.position(self.column) is not None and not busy)
        text, refused = self._words(session, both)
        if self.told.text() != text:
            self.told.setText(text)
        set_tone(self.told, "down" if refused else "")

    def key(self, session: RunSession) -> object:
        return (session.model.state, session.branching)

    @staticmethod
    def _words(session: RunSession, both: dict[int, Estimate]) -> tuple[str, bool]:
        """What the order comes to, or why neither (or one) side would be taken."""
        refused = {side: each.refusal for side, each in both.items() if each.refusal}
        if len(refused) == 2:
            same = refused[1].replace("buy", "") == refused[-1].replace("sell", "")
            return f"Refused: {refused[1]}" if same else f"Refused: {refused[1]}; {refused[-1]}", True
        taken = both[1] if not both[1].refusal else both[-1]
        lines = [f"Qty    {quantity_text(taken.quantity)}", f"Risk   {_risk(taken, session.config.currency)}"]
        if taken.reward is not None:
            lines.append(f"Reward {number(taken.reward, 2)} R")
        lines.append(f"Margin {_margins(both)}")
        lines += [f"{'Buy' if side > 0 else 'Sell'} refused: {why}" for side, why in refused.items()]
        return "\n".join(lines), False

    def send(self, side: int) -> None:
        """Send the order, unless it would be refused."""
        if self.session is None or not self.session.model.standing or self.session.branching:
            return
        found = estimate(self.session.model, self.ticket(side))
        if found.refusal:
            self.told.setText(f"Refused: {found.refusal}")
            set_tone(self.told, "down")
            return
        self.sent.emit(found.record)

    def ask_flatten(self) -> None:
        """Close the position of the symbol."""
        if self.session is not None and self.session.model.position(self.column) is not None:
            self.flatten.emit(self.session.facts.symbols[self.column])


def _risk(taken: Estimate, currency: str) -> str:
    """Money and share of equity between entry and stop."""
    if taken.risk is None or taken.risk_share is None:
        return "open: no stop"
    return f"{money(taken.risk)} {currency} ({number(100 * taken.risk_share, 2)} %)"


def _margins(both: dict[int, Estimate]) -> str:
    """Margin that the order needs, of what there is; each side's where they differ, as where one closes a position."""
    told = {side: f"{money(each.margin)} of {money(each.available)}" for side, each in both.items() if not each.refusal}
    if len(set(told.values())) == 1:
        return next(iter(told.values()))
    return "\n       ".join(f"{'buy ' if side > 0 else 'sell'} {text}" for side, text in told.items())
