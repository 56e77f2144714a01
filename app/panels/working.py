"""Working orders at the cursor: cancel or change one; and the branches of the run: show, rename, delete."""

from collections.abc import Sequence

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QPushButton, QTableWidget, QTableWidgetItem, QVBoxLayout

from app.charts.prices import number
from app.panels.activity import ROW
from app.panels.panel import Panel
from app.panels.parts import label
from app.replay.orders import OrderState
from app.session import MAIN, RunSession
from app.theme.fonts import numbers


def small_table(name: str, headings: Sequence[str]) -> QTableWidget:
    """A table of few rows."""
    table = QTableWidget(0, len(headings))
    table.setAccessibleName(name)
    table.setHorizontalHeaderLabels(list(headings))
    table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
    table.setSelectionMode(QTableWidget.SelectionMode.SingleSelection)
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.setShowGrid(False)
    rows, columns = table.verticalHeader(), table.horizontalHeader()
    if rows is not None and columns is not None:
        rows.setVisible(False)
        rows.setDefaultSectionSize(ROW)
        columns.setStretchLastSection(True)
        columns.setHighlightSections(False)
        columns.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return table


def fill_table(table: QTableWidget, rows: Sequence[Sequence[str]]) -> None:
    """Write texts; the chosen row stays."""
    chosen = table.currentRow()
    table.setRowCount(len(rows))
    for place, texts in enumerate(rows):
        for column, text in enumerate(texts):
            item = table.item(place, column)
            if item is None:
                item = QTableWidgetItem()
                item.setFont(numbers(12))
                table.setItem(place, column, item)
            item.setText(text)
    if 0 <= chosen < len(rows):
        table.setCurrentCell(chosen, 0)


class WorkingPanel(Panel):
    """Orders that can still fill.

    Signals:
        cancel_asked: id of an order; change_asked: an OrderState.
    """

    cancel_asked = pyqtSignal(object)
    change_asked = pyqtSignal(object)

    HEADINGS = ("Id", "Symbol", "Side", "Type", "Qty", "Limit", "Stop", "SL", "TP", "Time", "By")

    def __init__(self) -> None:
        super().__init__()
        self.table = small_table("Working orders", self.HEADINGS)
        self._orders: list[OrderState] = []
        self.cancel, self.change = QPushButton("Cancel order"), QPushButton("Change …")
        self.cancel.clicked.connect(self._ask_cancel)
        self.change.clicked.connect(self._ask_change)
        self.table.itemSelectionChanged.connect(self._show_buttons)
        self.table.doubleClicked.connect(self._ask_change)
        self.told = label("", "muted")
        top = QHBoxLayout()
        top.setContentsMargins(8, 4, 8, 4)
        top.setSpacing(6)
        top.addWidget(self.cancel)
        top.addWidget(self.change)
        top.addWidget(self.told, 1)
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
                [str(order.id), order.symbol, side, kind, f"{order.quantity:g}", *prices,
                 order.time_in_force.name.lower(), order.source.name.lower()]
            )  # fmt: skip
        fill_table(self.table, rows)
        self.told.setText("" if rows else "no order works at the cursor")
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
        self.table = small_table("Branches", self.HEADINGS)
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
        fill_table(self.table, [self._row(session, number_) for number_ in self._numbers])
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
