"""How a pane's heading is drawn: a strip of its own above the plot, never over the candles."""

from collections.abc import Sequence

from PyQt6.QtGui import QFont

from app.charts.canvas import LEFT, Canvas, text_width
from app.charts.crosshair import Words
from app.theme.fonts import numbers, words
from app.theme.tokens import Theme

STRIP = 22  # logical height of one row
APART = 12  # logical pixels between groups of words
TIED = 4  # and within one


def paint_heading(
    canvas: Canvas, theme: Theme, title: str, rows: Sequence[Sequence[Words]], width: int, top: int = 0
) -> None:
    """A title and pieces of text in rows; what does not fit in a row's width is left away, name and number together."""
    left = canvas.px(10)
    at = left
    height = canvas.px(STRIP)
    if title:
        font = words(canvas.px(12), QFont.Weight.DemiBold)
        at += _put(canvas, title, theme.text, font, at, top, height)
    for row in rows:
        for group in _groups(row):
            faces = [numbers(canvas.px(11)) if piece.numeric else words(canvas.px(12)) for piece in group]
            sizes = [text_width(piece.text, face) for piece, face in zip(group, faces, strict=True)]
            gap = canvas.px(APART) if at > left else 0
            if at + gap + sum(sizes) + canvas.px(TIED) * (len(group) - 1) > width - left:
                break
            at += gap
            for piece, face in zip(group, faces, strict=True):
                at += _put(canvas, piece.text, piece.colour, face, at, top, height) + canvas.px(TIED)
            at -= canvas.px(TIED)
        top, at = top + height, left


def told_names(names: Sequence[str]) -> list[str]:
    """Names as a heading tells them: what a line has in common with the one before it is said once.

    >>> told_names(["EMA 20", "EMA 50", "BOLLINGER 20 2 upper", "BOLLINGER 20 2 middle", "BOLLINGER 20 2 lower"])
    ['EMA 20', 'EMA 50', 'BOLLINGER 20 2 upper', 'middle', 'lower']
    """
    told: list[str] = []
    before = ""
    for name in names:
        head, _, last = name.rpartition(" ")
        told.append(last if head and head == before and last.isalpha() else name)
        before = head
    return told


def _groups(row: Sequence[Words]) -> list[list[Words]]:
    """Pieces with those that are tied to them."""
    groups: list[list[Words]] = []
    for piece in row:
        if piece.tied and groups:
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return groups


def _put(canvas: Canvas, text: str, colour: str, font: QFont, left: int, top: int, height: int) -> int:
    width = text_width(text, font)
    canvas.text(text, colour, font, left, top, width + canvas.px(2), height, LEFT)
    return width
