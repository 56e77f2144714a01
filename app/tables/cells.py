"""How a cell of a table is drawn: its text alone, without asking the style sheet for every cell of every frame."""

from typing import Any

from PyQt6.QtCore import QModelIndex, Qt
from PyQt6.QtGui import QPainter
from PyQt6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.charts.canvas import colour_of, text_width
from app.theme.fonts import numbers, words

INSET = 10  # from a cell's edge to its text: the style sheet's padding and the style's own margin
PIXELS = 12
_MARKED = (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_HasFocus).value
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


class CellPainter(QStyledItemDelegate):
    """Draws cells of a ``CursorTable``; those that are chosen or pointed at are drawn by the style."""

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        if painter is None or option.state.value & _MARKED:
            super().paint(painter, option, index)
            return
        table: Any = index.model()
        text, numeric, colour = table.cell(index.row(), index.column())
        if not text:
            return
        font, room = numbers(PIXELS) if numeric else words(PIXELS), option.rect.adjusted(INSET, 0, -INSET, 0)
        if text_width(text, font) > room.width():
            text = option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width())
        painter.setFont(font)
        painter.setPen(colour_of(colour))
        painter.drawText(room, _RIGHT if numeric else _LEFT, text)
