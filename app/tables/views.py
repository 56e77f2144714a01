"""Table views that say in words why nothing stands in them, and small tables whose figures stand to the right."""

from collections.abc import Sequence

from PyQt6.QtCore import QRect, Qt
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QAbstractItemView, QTableView, QTableWidget, QTableWidgetItem

from app.theme.fonts import numbers, words

ROW = 22


class TellingTable(QTableView):
    """A table view.

    Attributes:
        nothing: what is said where there are no rows.
    """

    nothing = ""

    def paintEvent(self, event: QPaintEvent | None) -> None:
        super().paintEvent(event)
        paint_nothing(self, self.nothing)


class SmallTable(QTableWidget):
    """A table of few rows.

    Args:
        name: of it; headings: of its columns; figures: headings of those whose texts stand to the right.
        nothing: what is said where there are no rows.
    """

    def __init__(self, name: str, headings: Sequence[str], figures: Sequence[str] = (), nothing: str = "") -> None:
        super().__init__(0, len(headings))
        self._figures = frozenset(place for place, heading in enumerate(headings) if heading in figures)
        self._nothing = nothing
        self.setAccessibleName(name)
        self.setHorizontalHeaderLabels(list(headings))
        self.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.setSelectionMode(QTableWidget.SelectionMode.SingleSelection)
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        if rows is not None and columns is not None:
            rows.setVisible(False)
            rows.setDefaultSectionSize(ROW)
            columns.setStretchLastSection(True)
            columns.setHighlightSections(False)
            columns.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column in self._figures:
            head = self.horizontalHeaderItem(column)
            if head is not None:
                head.setTextAlignment(self._side(column))

    def _side(self, column: int) -> Qt.AlignmentFlag:
        side = Qt.AlignmentFlag.AlignRight if column in self._figures else Qt.AlignmentFlag.AlignLeft
        return side | Qt.AlignmentFlag.AlignVCenter

    def fill(self, rows: Sequence[Sequence[str]]) -> None:
        """Write texts; the chosen row stays."""
        chosen = self.currentRow()
        self.setRowCount(len(rows))
        for place, texts in enumerate(rows):
            for column, text in enumerate(texts):
                item = self.item(place, column)
                if item is None:
                    item = QTableWidgetItem()
                    item.setFont(numbers(12) if column in self._figures else words(12))
                    item.setTextAlignment(self._side(column))
                    self.setItem(place, column, item)
                item.setText(text)
        if 0 <= chosen < len(rows):
            self.setCurrentCell(chosen, 0)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        super().paintEvent(event)
        paint_nothing(self, self._nothing)


def paint_nothing(view: QAbstractItemView, text: str) -> None:
    """Say something in the middle of a view that has no rows."""
    model, viewport = view.model(), view.viewport()
    if not text or model is None or viewport is None or model.rowCount():
        return
    painter = QPainter(viewport)
    painter.setFont(words(13))
    painter.setPen(view.palette().placeholderText().color())
    painter.drawText(QRect(viewport.rect()), int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), text)
    painter.end()
