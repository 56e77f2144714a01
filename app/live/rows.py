"""A plain table of texts that is filled anew when its rows change."""

from typing import Any

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, Qt
from PyQt6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

_NONE = QModelIndex()
Row = tuple[str, ...]


class RowsModel(QAbstractTableModel):
    """Rows of texts under fixed headings."""

    def __init__(self, headings: Row) -> None:
        super().__init__()
        self._headings = headings
        self._rows: list[Row] = []

    def put(self, rows: list[Row]) -> None:
        """Show these rows; where as many are there, only their texts change, so that a selection stays."""
        if rows == self._rows:
            return
        if len(rows) != len(self._rows):
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()
            return
        self._rows = rows
        self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(self._headings) - 1))

    def row(self, number: int) -> Row:
        """One row."""
        return self._rows[number]

    def rowCount(self, parent: QModelIndex = _NONE) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex = _NONE) -> int:
        return 0 if parent.isValid() else len(self._headings)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if index.isValid() and role == Qt.ItemDataRole.DisplayRole:
            return self._rows[index.row()][index.column()]
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return self._headings[section]
        return None


def table(name: str, model: RowsModel) -> QTableView:
    """A view of such a table."""
    view = QTableView()
    view.setModel(model)
    view.setProperty("role", "number")
    view.setAccessibleName(name)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    view.setShowGrid(False)
    rows, columns = view.verticalHeader(), view.horizontalHeader()
    if rows is not None:
        rows.setVisible(False)
        rows.setDefaultSectionSize(22)
    if columns is not None:
        columns.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        columns.setStretchLastSection(True)
    return view
