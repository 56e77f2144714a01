"""The watch list: every symbol with its last price, change and state, and a search for more."""

from collections.abc import Mapping

from PyQt6.QtCore import QModelIndex, QStringListModel, Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import QCompleter, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.charts.prices import MINUS, PriceFormat, number
from app.live.book import SymbolBook
from app.live.rows import RowsModel, table
from data.tradestation.quotes import Quote

HEADINGS = ("Symbol", "Last", "Change", "State")
WORDS = ("Symbol", "State")
USUAL_STATES = ("live", "history", "connecting")
PAUSE_MS = 300


class WatchList(QWidget):
    """Symbols and a search.

    Signals:
        chosen: a symbol was clicked. searched: a text is to be looked up. added, removed: a symbol.
    """

    chosen = pyqtSignal(str)
    searched = pyqtSignal(str)
    added = pyqtSignal(str)
    removed = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self.field = QLineEdit()
        self.field.setPlaceholderText("Add a symbol: type to search")
        self.field.setAccessibleName("Search symbols and add one")
        self._found = QStringListModel()
        completer = QCompleter(self._found, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self.field.setCompleter(completer)
        # The field takes the chosen text first.
        completer.activated.connect(lambda _: QTimer.singleShot(0, self._add))
        self.remove_button = QPushButton("Remove")
        self.remove_button.setAccessibleName("Remove the chosen symbol from the list")
        self.remove_button.setEnabled(False)
        self.model = RowsModel(HEADINGS, WORDS, _tone)
        self.view = table("Watch list", self.model)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._lay_out()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.field, 1)
        top.addWidget(self.remove_button)
        self.setMinimumWidth(334)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addLayout(top)
        layout.addWidget(self.view)
        self.field.textEdited.connect(lambda _: self._pause.start())
        self.field.returnPressed.connect(self._add)
        self._pause.timeout.connect(self._search)
        self.view.clicked.connect(self._choose)
        self.view.activated.connect(self._choose)
        chosen = self.view.selectionModel()
        if chosen is not None:
            chosen.selectionChanged.connect(lambda: self._offer())
        self.model.modelReset.connect(self._offer)
        self.remove_button.clicked.connect(self._remove)

    def _offer(self) -> None:
        # Asked anew: a slot that held the selection itself would be collected as garbage together with it.
        chosen = self.view.selectionModel()
        self.remove_button.setEnabled(chosen is not None and chosen.hasSelection())

    def _search(self) -> None:
        text = self.field.text().strip()
        if text:
            self.searched.emit(text)

    def show_found(self, found: list[tuple[str, str]]) -> None:
        """Offer what the service has found."""
        self._found.setStringList([f"{name}  {about}".rstrip() for name, about in found])
        completer = self.field.completer()
        if found and self.field.hasFocus() and completer is not None:
            completer.complete()

    def _add(self) -> None:
        text = self.field.text()
        # What was found reads "NQH24  E-mini Nasdaq"; what is typed may be several symbols with commas between them.
        pieces = text.split(",") if "," in text else text.split()[:1]
        self._pause.stop()
        self.field.clear()
        for piece in pieces:
            if piece.strip():
                self.added.emit(piece.strip().upper())

    def _choose(self, index: QModelIndex) -> None:
        self.chosen.emit(self.model.row(index.row())[0])

    def _remove(self) -> None:
        index = self.view.currentIndex()
        if index.isValid():
            self.removed.emit(self.model.row(index.row())[0])

    def put(
        self, books: Mapping[str, SymbolBook], forms: Mapping[str, PriceFormat], quotes: Mapping[str, Quote]
    ) -> None:
        """Show the newest figures."""
        self.model.put([_row(book, forms[name], quotes.get(name)) for name, book in books.items()])


def _row(book: SymbolBook, form: PriceFormat, quote: Quote | None) -> tuple[str, ...]:
    last, before = book.last, book.before
    change = "" if last is None or before is None else number(last - before, form.decimals, signed=True)
    halted = quote is not None and quote.halted
    state = "halted" if halted else book.status.state.value
    return (book.symbol, "" if last is None else form.text(last), change, state)


def _tone(heading: str, row: tuple[str, ...]) -> str:
    """Gains and losses, and every state that is not as it should be."""
    if heading == "Change":
        return "" if row[2].strip("+0.") == "" else "down" if row[2].startswith(MINUS) else "up"
    if heading == "State":
        return "muted" if row[3] in USUAL_STATES else "amber"
    return ""
