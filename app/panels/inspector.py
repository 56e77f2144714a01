"""Why: gates, side, size and stop of the decision at the cursor, and how the price of a fill came about."""

from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QComboBox, QPlainTextEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout

from app.panels.panel import Panel
from app.panels.parts import label, row_of
from app.session import RunSession
from app.theme.fonts import numbers
from engine.inspection import Explanation
from engine.kernel.schema import EventKind, Gate

QUIET = 8  # frames that the cursor must rest before the engine is asked


class InspectorPanel(Panel):
    """Explains what happened at the cursor, for one symbol."""

    def __init__(self) -> None:
        super().__init__()
        self.column = 0
        self.symbol = QComboBox()
        self.symbol.setAccessibleName("Symbol that is explained")
        self.symbol.currentIndexChanged.connect(self._chosen)
        self.tree = QTreeWidget()
        self.tree.setColumnCount(3)
        self.tree.setHeaderLabels(["What", "Value", "How"])
        self.tree.setAccessibleName("Why")
        self.tree.setRootIsDecorated(False)
        self.tree.setIndentation(12)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        self.symbol.setMinimumWidth(140)
        top = row_of(label("Why, for", "muted"), self.symbol, spacing=8)
        top.addStretch(1)
        layout.addLayout(top)
        layout.addWidget(self.tree, 1)
        self._still = 0
        self._asked: object = None
        self._ticket = 0
        self._answered: list[tuple[str, Explanation | None, str]] = []
        self._fill: int | None = None

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        for column, share, most in ((0, 0.2, 160), (1, 0.42, 372)):
            self.tree.setColumnWidth(column, min(round(share * self.width()), most))

    def begin(self) -> None:
        self._answered, self._asked, self._fill = [], None, None
        self.symbol.blockSignals(True)
        self.symbol.clear()
        if self.session is not None:
            self.symbol.addItems(list(self.session.facts.symbols))
        self.symbol.blockSignals(False)
        self.column = 0
        self.tree.clear()

    def set_column(self, column: int) -> None:
        """Explain another symbol."""
        self.symbol.setCurrentIndex(column)

    def _chosen(self, column: int) -> None:
        self.column, self._asked = max(column, 0), None

    def explain_fill(self, index: int) -> None:
        """Explain one fill, beside what is at the cursor."""
        self._fill, self._asked = index, None

    def refresh(self) -> None:
        if self.session is None or not self.in_sight or not self.session.model.standing:
            return
        session = self.session
        want = (session.model.state, self.column, self._fill)
        if want == self._asked:
            return
        if want != self._drawn:
            self._drawn, self._still = want, 0
            return
        self._still += 1
        if self._still >= QUIET and not session.playback.playing and not session.branching:
            self._asked = want
            self._ask(session)

    @property
    def waiting(self) -> bool:
        """Whether a question is about to be asked: the clock must go on until then."""
        if self.session is None or not self.in_sight or self.session.playback.playing:
            return False
        return self._asked != (self.session.model.state, self.column, self._fill)

    def _ask(self, session: RunSession) -> None:
        self._ticket += 1
        ticket, cursor = self._ticket, session.model.cursor
        self._answered = []
        symbol = session.facts.symbols[self.column]
        session.ask_decision(symbol, cursor.bar, lambda told, error: self._take(ticket, "decision", told, error))
        fills = self._fills_here(session)
        if self._fill is not None and self._fill < session.model.store.fills.count(cursor):
            fills = [self._fill, *(each for each in fills if each != self._fill)]
        for index in fills[:4]:
            session.ask_fill(index, lambda told, error: self._take(ticket, "fill", told, error))
        self._show(session)

    def _fills_here(self, session: RunSession) -> list[int]:
        """Fills of the symbol in the cursor's bar, up to its phase."""
        cursor = session.model.cursor
        own = session.model.store.fills_of(self.column)
        known = own[own < session.model.store.fills.count(cursor)]
        bars = session.model.store.fills.rows["bar"][known]
        return [int(index) for index in known[bars == cursor.bar]]

    def _take(self, ticket: int, kind: str, told: Explanation | None, error: str) -> None:
        if ticket == self._ticket and self.session is not None:
            self._answered.append((kind, told, error))
            self._show(self.session)

    def _show(self, session: RunSession) -> None:
        self.tree.clear()
        self._add_now(session)
        # A fill that was asked for comes before the decision of the bar.
        first = "decision" if self._fill is None else "fill"
        for _, told, error in sorted(self._answered, key=lambda answer: answer[0] != first):
            if told is None:
                self._row(self.tree, (error, "", ""), bold=True)
                continue
            head = self._row(self.tree, (told.title, "", ""), bold=True)
            head.setFirstColumnSpanned(True)
            for step in told.steps:
                self._row(head, (step.label, step.value, step.how))
            head.setExpanded(True)

    def _add_now(self, session: RunSession) -> None:
        """What the journal itself says: the gate's last word for the symbol."""
        events = session.model.store.events.upto(session.model.cursor)[-20_000:]
        own = events[(events["symbol"] == self.column) & (events["kind"] == EventKind.GATE)]
        if len(own):
            gate = Gate(int(own["a"][-1])).name.lower().replace("_", " ")
            self._row(self.tree, ("last gate", gate, f"since bar {int(own['bar'][-1]):,}"))

    @staticmethod
    def _row(parent: QTreeWidget | QTreeWidgetItem, texts: tuple[str, str, str], bold: bool = False) -> QTreeWidgetItem:
        item = QTreeWidgetItem(parent, list(texts))
        item.setFont(1, numbers(12))
        for column in (1, 2):
            item.setToolTip(column, texts[column])
        if bold:
            font = item.font(0)
            font.setBold(True)
            item.setFont(0, font)
        return item


class NotesPanel(Panel):
    """What the window has to say: warnings, notes, tracebacks; kept until the run is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setAccessibleName("Notes")
        self.text.setFont(numbers(12))
        self.text.setMaximumBlockCount(5000)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text)

    def begin(self) -> None:
        self.text.clear()

    def say(self, text: str) -> None:
        """Add a line."""
        self.text.appendPlainText(text)
