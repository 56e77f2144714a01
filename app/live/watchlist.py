"""The watch list: every symbol with its last price, change and state, and a search for more."""

from collections.abc import Mapping

from PyQt6.QtCore import QModelIndex, QStringListModel, Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import QCompleter, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.charts.prices import PriceFormat
from app.live.book import SymbolBook
from app.live.rows import RowsModel, table
from data.tradestation.quotes import Quote

HEADINGS = ("Symbol", "State", "Last", "Change", "Bid", "Ask")
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
        self.field.setPlaceholderText("Add a symbol")
        self.field.setAccessibleName("Search symbols and add one")
        self._found = QStringListModel()
        completer = QCompleter(self._found, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self.field.setCompleter(completer)
        self.remove_button = QPushButton("Remove")
        self.remove_button.setAccessibleName("Remove the chosen symbol from the list")
        self.model = RowsModel(HEADINGS)
        self.view = table("Watch list", self.model)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._lay_out()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.field, 1)
        top.addWidget(self.remove_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addLayout(top)
        layout.addWidget(self.view)
        self.field.textEdited.connect(lambda _: self._pause.start())
        self.field.returnPressed.connect(self._add)
        self._pause.timeout.connect(self._search)
        self.view.clicked.connect(self._choose)
        self.remove_button.clicked.connect(self._remove)

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
        words = self.field.text().split()
        if words:
            self._pause.stop()
            self.field.clear()
            self.added.emit(words[0])

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
    change = "" if last is None or before is None else f"{last - before:+.{form.decimals}f}"
    return (
        book.symbol,
        book.status.state.value if quote is None or not quote.halted else "halted",
        "" if last is None else form.text(last),
        change,
        "" if quote is None or quote.bid is None else form.text(quote.bid),
        "" if quote is None or quote.ask is None else form.text(quote.ask),
    )
