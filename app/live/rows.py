"""A plain table of texts that is filled anew when its rows change."""

from collections.abc import Callable
from typing import Any

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, Qt, pyqtSignal
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from app.theme.tokens import DARK, Theme

_NONE = QModelIndex()
Row = tuple[str, ...]
# A heading and its row give the theme's token of a text; empty for the usual one.
Tone = Callable[[str, Row], str]
_SIDES = {True: Qt.AlignmentFlag.AlignLeft, False: Qt.AlignmentFlag.AlignRight}


class RowsModel(QAbstractTableModel):
    """Rows of texts under fixed headings.

    Args:
        headings: of the columns; words: those whose texts stand to the left, all others are figures.
        tone: colours texts by what they mean.

    Signals:
        widened: a text is longer than any was in its column.
    """

    widened = pyqtSignal()

    def __init__(self, headings: Row, words: Row = (), tone: Tone | None = None) -> None:
        super().__init__()
        self._headings, self._words, self._tone = headings, frozenset(words), tone
        self._look = DARK
        self._rows: list[Row] = []
        self._longest = [0] * len(headings)

    def set_look(self, look: Theme) -> None:
        """Other colours."""
        self._look = look
        if self._rows:
            self._changed(0, len(self._rows) - 1)

    def put(self, rows: list[Row]) -> None:
        """Show these rows; where as many are there, only texts that differ change, so that a selection stays."""
        before = self._rows
        if len(rows) != len(before):
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()
            differ = list(range(len(rows)))
        else:
            self._rows = rows
            differ = [number for number, row in enumerate(rows) if row != before[number]]
            if differ:
                self._changed(differ[0], differ[-1])
        self._measure([rows[number] for number in differ])

    def _measure(self, rows: list[Row]) -> None:
        longest = [max([before, *map(len, texts)]) for before, *texts in zip(self._longest, *rows, strict=True)]
        if longest != self._longest:
            self._longest = longest
            self.widened.emit()

    def _changed(self, first: int, last: int) -> None:
        self.dataChanged.emit(self.index(first, 0), self.index(last, len(self._headings) - 1))

    def row(self, number: int) -> Row:
        """One row."""
        return self._rows[number]

    def rowCount(self, parent: QModelIndex = _NONE) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex = _NONE) -> int:
        return 0 if parent.isValid() else len(self._headings)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row, heading = self._rows[index.row()], self._headings[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return row[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(_SIDES[heading in self._words] | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ForegroundRole and self._tone is not None:
            token = self._tone(heading, row)
            return QColor(self._look.colour(token)) if token else None
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        heading = self._headings[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return heading
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(_SIDES[heading in self._words] | Qt.AlignmentFlag.AlignVCenter)
        return None


def table(name: str, model: RowsModel) -> QTableView:
    """A view of such a table; a column is as wide as the longest text that it had."""
    view = QTableView()
    view.setModel(model)
    view.setProperty("role", "number")
    view.setAccessibleName(name)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    view.setShowGrid(False)
    view.setWordWrap(False)
    rows, columns = view.verticalHeader(), view.horizontalHeader()
    if rows is not None:
        rows.setVisible(False)
        rows.setDefaultSectionSize(22)
    if columns is not None:
        columns.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        columns.setHighlightSections(False)
        columns.setStretchLastSection(True)
    # Not at every change of a text: measuring fifty rows ten times a second costs more than painting them.
    model.widened.connect(view.resizeColumnsToContents)
    return view
