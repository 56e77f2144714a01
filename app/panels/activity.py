"""The tables of trades, fills, orders and the log: click jumps there; sort, filter, copy, export."""

from collections.abc import Callable

from PyQt6.QtCore import QModelIndex, QPoint, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QMenu,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.charts.ticks import LocalTime
from app.panels.panel import Panel
from app.panels.parts import Still, label
from app.replay.model import ReplayModel
from app.session import RunSession
from app.tables.cells import CellPainter
from app.tables.columns import TableKind, Time, choices_table, fills_table, log_table, orders_table, trades_table
from app.tables.model import CursorTable
from app.tables.views import ROW, TellingTable
from app.theme.tokens import Theme

DIGIT, MARGINS = 7.3, 20  # widths of a digit of the tables' font, and of the space beside a text
EVERY = 3
RUSHING = 4


def plain_table(name: str) -> TellingTable:
    """A table view with the window's row height and manners."""
    view = TellingTable()
    view.setAccessibleName(name)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setAlternatingRowColors(True)
    view.setShowGrid(False)
    view.setWordWrap(False)
    rows, columns = view.verticalHeader(), view.horizontalHeader()
    if rows is not None and columns is not None:
        rows.setVisible(False)
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(ROW)
        rows.setMinimumSectionSize(ROW)
        columns.setHighlightSections(False)
        columns.setStretchLastSection(True)
    return view


class TablePage(QWidget):
    """One table with its filter.

    Signals:
        jumped: where a clicked row happened.
    """

    jumped = pyqtSignal(object)
    export_asked = pyqtSignal(object)

    def __init__(self, kind: TableKind, model: ReplayModel, look: Theme) -> None:
        super().__init__()
        self.table = CursorTable(kind, model, look)
        self.table.setParent(self)  # it must not go before the view does, which may still be about to lay itself out
        self.view = plain_table(kind.name)
        self.view.setModel(self.table)
        self.view.setItemDelegate(CellPainter(self.view))
        header = self.view.horizontalHeader()
        if header is not None:
            header.setSortIndicatorClearable(True)
            header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.view.setSortingEnabled(True)
        for number, column in enumerate(kind.columns):
            self.view.setColumnWidth(number, round(column.chars * DIGIT) + MARGINS)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter: symbol, side, reason …")
        self.filter.setAccessibleName(f"Filter of {kind.name}")
        self.filter.setClearButtonEnabled(True)
        self.filter.setFixedWidth(230)
        self.filter.textChanged.connect(self._filtered)
        self.shown = label("", "muted")
        self._none = kind.none
        self._spare = 0  # pixels below the view
        self._lay_out(kind)
        self.view.clicked.connect(self._jump)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._menu)
        self._following = True
        bar = self.view.verticalScrollBar()
        if bar is not None:
            bar.actionTriggered.connect(lambda: self._scrolled())

    def _lay_out(self, kind: TableKind) -> None:
        export = QToolButton()
        export.setText("Export …")
        export.setToolTip(f"Write the {kind.name.lower()} up to the cursor into a file")
        export.setAccessibleName(f"Export {kind.name}")
        export.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        export.clicked.connect(lambda: self.export_asked.emit(kind.name.lower()))
        top = QHBoxLayout()
        top.setContentsMargins(8, 4, 8, 4)
        top.setSpacing(8)
        top.addWidget(self.filter)
        top.addWidget(Still(self.shown, wide=170))
        top.addStretch(1)
        top.addWidget(export)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self.view, 1)

    def minimumSizeHint(self) -> QSize:
        return super().minimumSizeHint() - QSize(0, self._spare)  # what is left over is asked for by nobody

    def _leave_whole_rows(self) -> None:
        """Give the view a height of whole rows: at its end, half a row would stand below the headings."""
        viewport, layout = self.view.viewport(), self.layout()
        if viewport is None or layout is None:
            return
        spare = max(viewport.height() + self._spare, 0) % ROW
        if spare != self._spare:
            self._spare = spare
            layout.setContentsMargins(0, 0, 0, spare)
            layout.activate()  # now, before anything is painted

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._leave_whole_rows()
        if self._following:
            self.view.scrollToBottom()

    def _scrolled(self) -> None:
        """A person moved the view: it follows again once it is at its end."""
        bar = self.view.verticalScrollBar()
        self._following = bar is None or bar.sliderPosition() >= bar.maximum()

    def _jump(self, index: QModelIndex) -> None:
        self.jumped.emit(self.table.place(index.row()))

    def _menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        copy = menu.addAction("Copy rows")
        viewport = self.view.viewport()
        if copy is not None and viewport is not None and menu.exec(viewport.mapToGlobal(place)) is copy:
            self.copy()

    def copy(self) -> None:
        """Put the chosen rows into the clipboard, with headings."""
        chosen = self.view.selectionModel()
        clipboard = QGuiApplication.clipboard()
        if chosen is not None and clipboard is not None:
            clipboard.setText(self.table.text(sorted(index.row() for index in chosen.selectedRows())))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        if event is not None and event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def _filtered(self, text: str) -> None:
        self.table.set_filter(text)
        self._count()

    def _count(self) -> None:
        """How many rows there are, and of how many where some are filtered out."""
        shown, known = self.table.rowCount(), self.table.known
        text = f"{shown:,} rows" if shown == known else f"{shown:,} of {known:,} rows"
        self.view.nothing = self._none if not known else "No row has these words"
        if self.shown.text() != text:
            self.shown.setText(text)

    def refresh(self) -> None:
        """Take in where the cursor is; the newest row stays in view until somebody scrolls up."""
        before = self.table.rowCount()
        self.table.refresh()
        count = self.table.rowCount()
        self._count()
        self._leave_whole_rows()  # a scroll bar may have come or gone
        bar = self.view.verticalScrollBar()
        if self._following and bar is not None and (count != before or bar.value() < bar.maximum()):
            self.view.scrollToBottom()


class ActivityPanel(Panel):
    """Tables in tabs.

    Signals:
        jumped: where a clicked row happened (Cursor); export_asked: name of a table; fill_chosen: index of a fill.
    """

    jumped = pyqtSignal(object)
    export_asked = pyqtSignal(object)
    fill_chosen = pyqtSignal(object)

    of_figures = False  # it has turns of its own
    KINDS: tuple[Callable[[Time], TableKind], ...] = (trades_table, fills_table, orders_table, log_table, choices_table)

    def __init__(self) -> None:
        super().__init__()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName("Activity")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tabs)
        self.pages: list[TablePage] = []
        self._page = ""  # in sight when the last run was closed
        self._turn = 0
        self._last: object = None
        self._extra: list[tuple[QWidget, str]] = []

    def add_page(self, page: QWidget, title: str) -> None:
        """A page of another kind behind the tables."""
        self._extra.append((page, title))
        self.tabs.addTab(page, title)

    def begin(self) -> None:
        if self.session is None:
            self._drop()
            return
        if not self.pages:
            for number, kind in enumerate(self.KINDS):
                page = TablePage(kind(self.time), self.session.model, self.look)
                page.jumped.connect(self.jumped)
                page.export_asked.connect(self.export_asked)
                self.pages.append(page)
                self.tabs.insertTab(number, page, page.table.kind.name)
            self.pages[1].view.clicked.connect(
                lambda index: self.fill_chosen.emit(self.pages[1].table.source_row(index.row()))
            )
            titles = [self.tabs.tabText(number) for number in range(self.tabs.count())]
            self.tabs.setCurrentIndex(titles.index(self._page) if self._page in titles else 0)
        for page in self.pages:
            page.table.set_model(self.session.model)

    def _drop(self) -> None:
        """Tables hold the run that they show; they go with it."""
        if self.pages:
            self._page = self.tabs.tabText(self.tabs.currentIndex())
        for page in self.pages:
            self.tabs.removeTab(self.tabs.indexOf(page))
            page.deleteLater()
        self.pages = []

    def set_look(self, look: Theme, clock: LocalTime) -> None:
        super().set_look(look, clock)
        for page in self.pages:
            page.table.look = look

    def key(self, session: RunSession) -> object:
        """While the run plays, or the cursor is dragged, every third frame will do: nobody reads sixty tables a second.

        The first move is drawn at once, and the last one in the frame after it. While bars rush by it is every fourth
        frame, one in which no other figures are drawn.
        """
        state = (session.model.state, self.tabs.currentIndex())
        self._turn = self._turn + 1 if session.playback.playing or state != self._last else 0
        self._last = state
        playback = session.playback
        due = playback.turn % RUSHING == 1 if playback.rushing else self._turn == 0 or self._turn % EVERY == 1
        return state if due else self._drawn

    def show_state(self, session: RunSession) -> None:
        page = self.tabs.currentWidget()
        if isinstance(page, TablePage):
            page.refresh()

    def page_of(self, name: str) -> TablePage:
        """A table's page by its name, lower case; KeyError where there is none."""
        return {page.table.kind.name.lower(): page for page in self.pages}[name]
