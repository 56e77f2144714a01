"""Working orders at the cursor: cancel or change one; and the branches of the run: show, rename, delete."""

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout

from app.charts.prices import number, quantity_text
from app.panels.panel import Panel
from app.replay.orders import OrderState
from app.session import MAIN, RunSession
from app.tables.views import SmallTable

FORCES = {"gtc": "good till cancelled", "day": "day", "ioc": "immediate or cancel"}


class WorkingPanel(Panel):
    """Orders that can still fill.

    Signals:
        cancel_asked: id of an order; change_asked: an OrderState.
    """

    cancel_asked = pyqtSignal(object)
    change_asked = pyqtSignal(object)

    HEADINGS = ("Id", "Symbol", "Side", "Type", "Qty", "Limit", "Stop", "SL", "TP", "Time", "By")
    FIGURES = ("Id", "Qty", "Limit", "Stop", "SL", "TP")

    def __init__(self) -> None:
        super().__init__()
        self.table = SmallTable("Working orders", self.HEADINGS, self.FIGURES, "No order works at the cursor")
        for column, width in enumerate((60, 110, 70, 110, 70, 100, 100, 100, 100, 150)):
            self.table.setColumnWidth(column, width)
        self._orders: list[OrderState] = []
        self.cancel, self.change = QPushButton("Cancel order"), QPushButton("Change …")
        self.cancel.clicked.connect(self._ask_cancel)
        self.change.clicked.connect(self._ask_change)
        self.table.itemSelectionChanged.connect(self._show_buttons)
        self.table.doubleClicked.connect(self._ask_change)
        top = QHBoxLayout()
        top.setContentsMargins(8, 4, 8, 4)
        top.setSpacing(6)
        top.addWidget(self.cancel)
        top.addWidget(self.change)
        top.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self.table)
        self._show_buttons()

    def _chosen(self) -> OrderState | None:
        row = self.table.currentRow()
        return self._orders[row] if 0 <= row < len(self._orders) else None

    def _ask_cancel(self) -> None:
        order = self._chosen()
        if order is not None:
            self.cancel_asked.emit(order.id)

    def _ask_change(self) -> None:
        order = self._chosen()
        if order is not None:
            self.change_asked.emit(order)

    def choose(self, row: int) -> None:
        """Choose an order by its place in the list."""
        self.table.setCurrentCell(row, 0)

    def _show_buttons(self) -> None:
        chosen = self._chosen() is not None
        for button in (self.cancel, self.change):
            button.setEnabled(chosen)

    def show_state(self, session: RunSession) -> None:
        self._orders = list(session.model.working)
        rows = []
        for order in self._orders:
            form = session.facts.forms[order.column]
            prices = [
                "" if price is None else form.text(price)
                for price in (order.limit, order.stop, order.stop_loss, order.take_profit)
            ]
            side = "B buy" if order.side > 0 else "S sell"
            kind = order.type.name.lower().replace("_", "-") + (" triggered" if order.triggered else "")
            rows.append(
                [str(order.id), order.symbol, side, kind, quantity_text(order.quantity), *prices,
                 FORCES[order.time_in_force.name.lower()], order.source.name.lower()]
            )  # fmt: skip
        self.table.fill(rows)
        self._show_buttons()


class BranchesPanel(Panel):
    """The courses of the run.

    Signals:
        show_asked, delete_asked, rename_asked, save_asked: number of a course.
    """

    show_asked = pyqtSignal(object)
    delete_asked = pyqtSignal(object)
    rename_asked = pyqtSignal(object)
    save_asked = pyqtSignal(object)

    HEADINGS = ("", "Name", "From", "Parted at", "By hand", "Bars", "Equity", "Against parent", "State", "Saved in")

    def __init__(self) -> None:
        super().__init__()
        self.table = SmallTable("Branches", self.HEADINGS, ("By hand", "Bars", "Equity", "Against parent"))
        for column, width in enumerate((28, 120, 90, 200, 76, 90, 120, 130, 100)):
            self.table.setColumnWidth(column, width)
        self._numbers: list[int] = []
        top = QHBoxLayout()
        top.setContentsMargins(8, 4, 8, 4)
        top.setSpacing(6)
        self.buttons: dict[str, QPushButton] = {}
        for text, signal in (
            ("Show", self.show_asked), ("Rename …", self.rename_asked), ("Save", self.save_asked),
            ("Delete", self.delete_asked),
        ):  # fmt: skip
            button = QPushButton(text)
            button.clicked.connect(lambda _=False, asked=signal: self._ask(asked))
            self.buttons[text] = button
            top.addWidget(button)
        top.addStretch(1)
        self.table.doubleClicked.connect(lambda: self._ask(self.show_asked))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self.table)

    def _ask(self, signal: object) -> None:
        row, session = self.table.currentRow(), self.session
        if session is None or not 0 <= row < len(self._numbers) or not hasattr(signal, "emit"):
            return
        if self._numbers[row] in session.courses:  # it may have been deleted since the list was written
            signal.emit(self._numbers[row])

    def key(self, session: RunSession) -> object:
        told = tuple((c.name, c.store.bars, c.status, c.folder) for c in session.courses.values())
        return (session.model.state, told)

    def show_state(self, session: RunSession) -> None:
        """Results are told up to the cursor's bar alone."""
        self._numbers = sorted(session.courses)
        self.table.fill([self._row(session, number_) for number_ in self._numbers])
        branch = session.course.number != MAIN
        self.buttons["Delete"].setEnabled(branch or len(self._numbers) > 1)

    def _row(self, session: RunSession, which: int) -> list[str]:
        course = session.courses[which]
        bar = min(session.model.cursor.bar, course.store.bars - 1)
        equity = float(course.store.equity.rows["equity"][bar]) if bar >= 0 else session.facts.initial_cash
        against = ""
        parent = session.courses.get(course.parent) if course.parent is not None else None
        if parent is not None and 0 <= bar < parent.store.bars:
            against = number(equity - float(parent.store.equity.rows["equity"][bar]), 2, signed=True)
        parted = "" if course.parent is None else f"{self.time(course.fork.bar)} {course.fork.phase.name}"
        return [
            "\N{BLACK CIRCLE}" if session.model.course == which else "",
            course.name,
            "" if parent is None else parent.name,
            parted,
            str(len(course.interventions)),
            f"{course.store.bars:,}",
            number(equity, 2),
            against,
            course.status,
            "" if course.folder is None else course.folder.name,
        ]
