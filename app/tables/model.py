"""Qt's view of a table at the cursor: rows come and go at the end as it moves; sorted and filtered on demand."""

from typing import Any

import numpy as np
from PyQt6.QtCore import QAbstractTableModel, QModelIndex, Qt
from PyQt6.QtGui import QColor

from app.charts.columns import IntArray
from app.replay.model import ReplayModel
from app.tables.columns import TableKind
from app.theme.fonts import numbers, words
from app.theme.tokens import Theme

Role = Qt.ItemDataRole
_NONE = QModelIndex()


class CursorTable(QAbstractTableModel):
    """Rows that are known at the cursor.

    Attributes:
        kind: which table; look: its colours.
    """

    def __init__(self, kind: TableKind, model: ReplayModel, look: Theme) -> None:
        super().__init__()
        self.kind, self.look = kind, look
        self._model = model
        self._count = 0
        self._state: object = None
        self._sort: tuple[int, bool] | None = None
        self._filter: tuple[str, ...] = ()
        self._order: IntArray | None = None

    # What the cursor changes

    def set_model(self, model: ReplayModel) -> None:
        """Show another run."""
        self.beginResetModel()
        self._model, self._count, self._order, self._state = model, 0, None, None
        self.endResetModel()
        self.refresh()

    def refresh(self) -> None:
        """Take in where the cursor is."""
        state = self._model.state
        if state == self._state:
            return
        other = self._state is None or state[:2] != self._state[:2]  # type: ignore[index]
        self._state = state
        count = self.known
        if other or self._arranged:
            self._reset(count)
        else:
            self._grow(count)

    @property
    def known(self) -> int:
        """Rows that are known at the cursor, those too that a filter leaves out."""
        return self.kind.count(self._model) if self._model.standing else 0

    @property
    def _arranged(self) -> bool:
        return self._sort is not None or bool(self._filter)

    def _grow(self, count: int) -> None:
        if count > self._count:
            self.beginInsertRows(_NONE, self._count, count - 1)
            self._count = count
            self.endInsertRows()
        elif count < self._count:
            self.beginRemoveRows(_NONE, count, self._count - 1)
            self._count = count
            self.endRemoveRows()
        if count and self.kind.changes:
            # What is in view is asked again.
            self.dataChanged.emit(self.index(0, 0), self.index(count - 1, len(self.kind.columns) - 1))

    def _reset(self, count: int) -> None:
        self.beginResetModel()
        self._order = self._arrange(count) if self._arranged else None
        self._count = count if self._order is None else len(self._order)
        self.endResetModel()

    def _arrange(self, count: int) -> IntArray:
        order = np.flatnonzero(self._kept(count)).astype(np.int64)
        if self._sort is not None:
            column, down = self._sort
            values = self.kind.columns[column].values(self._model, count)[order]
            order = order[np.argsort(values, kind="stable")]
            order = order[::-1] if down else order
        return order

    def _kept(self, count: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Rows in which every word of the filter is found in a column of words."""
        kept = np.ones(count, np.bool_)
        for wanted in self._filter:
            hit = np.zeros(count, np.bool_)
            for column in self.kind.columns:
                if column.words is not None:
                    codes, names = column.words(self._model, count)
                    hit |= np.array([*(wanted in name.lower() for name in names), False])[codes]
            kept &= hit
        return kept

    # What a person arranges

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._sort = None if column < 0 else (column, order == Qt.SortOrder.DescendingOrder)
        self._reset(self.known)

    def set_filter(self, text: str) -> None:
        """Show rows alone that hold these words: ``es long stop``."""
        self._filter = tuple(text.lower().split())
        self._reset(self.known)

    def source_row(self, row: int) -> int:
        """Index in the journal of a row that is shown."""
        return row if self._order is None else int(self._order[row])

    def place(self, row: int) -> Any:
        """Where a shown row happened, as a cursor."""
        return self.kind.place(self._model, self.source_row(row))

    # What Qt asks

    def rowCount(self, parent: QModelIndex = _NONE) -> int:
        return 0 if parent.isValid() else self._count

    def columnCount(self, parent: QModelIndex = _NONE) -> int:
        return 0 if parent.isValid() else len(self.kind.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Role.DisplayRole:
            return self.kind.columns[section].title
        if orientation == Qt.Orientation.Horizontal and role == Role.TextAlignmentRole:
            return self._alignment(section)
        return None

    def _alignment(self, column: int) -> Qt.AlignmentFlag:
        side = Qt.AlignmentFlag.AlignRight if self.kind.columns[column].numeric else Qt.AlignmentFlag.AlignLeft
        return side | Qt.AlignmentFlag.AlignVCenter

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= self._count:
            return None
        column, row = self.kind.columns[index.column()], self.source_row(index.row())
        if role == Role.DisplayRole:
            return column.text(self._model, row)
        if role == Role.TextAlignmentRole:
            return self._alignment(index.column())
        if role == Role.FontRole:
            return numbers(12) if column.numeric else words(12)
        if role == Role.ForegroundRole and column.tone is not None:
            tone = column.tone(self._model, row)
            return QColor(self.look.colour(tone)) if tone else None
        return None

    def cell(self, row: int, column: int) -> tuple[str, bool, str]:
        """Text of a cell, whether it is a number, and its colour: what painting needs, in one call."""
        about, source = self.kind.columns[column], self.source_row(row)
        tone = about.tone(self._model, source) if about.tone is not None else ""
        return about.text(self._model, source), about.numeric, self.look.colour(tone or "text")

    def text(self, rows: list[int]) -> str:
        """Rows as text with tabs, with headings: for the clipboard."""
        columns = self.kind.columns
        lines = ["\t".join(column.title for column in columns)]
        lines += ["\t".join(column.text(self._model, self.source_row(row)) for column in columns) for row in rows]
        return "\n".join(lines)
