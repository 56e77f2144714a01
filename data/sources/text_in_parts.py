"""Reads a text file with a fault in pieces: fast where nothing is wrong, line by line only where something is.

The rows, their line numbers and what is said of them are those of ``careful_text``; where pieces alone could not tell,
as with dates whose order the whole file decides, nothing is handed back, and the whole is read line by line.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from data.bar_times import are_long
from data.sources.careful_text import read_carefully
from data.sources.fast_text import has_plain_times, read_fast
from data.sources.layouts import Layout
from data.sources.raw import RawBars

_COLUMNS = ("stamp_ns", "open", "high", "low", "close", "volume", "lines", "unreadable")
_PIECE = 1 << 18  # bytes, some thousand rows


def read_in_parts(content: bytes, layout: Layout, path: Path) -> RawBars | None:
    """Return all rows with what is wrong with them, or None where the file has to be looked at as a whole."""
    if not has_plain_times(layout) or not content.isascii() or content.count(b"\r") != content.count(b"\r\n"):
        return None
    parts: list[RawBars] = []
    first: RawBars | None = None
    for line, piece in _pieces(content, layout.header_lines):
        part = _fast(piece, replace(layout, header_lines=0))
        if part is None:
            part = read_carefully(piece, replace(layout, header_lines=0), path)
        elif first is None:
            first = part
        parts.append(_moved(part, line))
    return None if first is None or not _agree(parts, first) else _joined(parts, first)


def _pieces(content: bytes, header_lines: int) -> Iterator[tuple[int, bytes]]:
    """Whole lines behind the header, and how many lines stand before them; pieces of blank lines are left out."""
    begin = 0
    for _ in range(header_lines):
        begin = content.index(b"\n", begin) + 1
    line = header_lines
    while begin < len(content):
        end = content.find(b"\n", begin + _PIECE) + 1 or len(content)
        piece = content[begin:end]
        if not piece.isspace():
            yield line, piece
        line += piece.count(b"\n")
        begin = end


def _fast(piece: bytes, layout: Layout) -> RawBars | None:
    """The rows of a piece in which nothing is out of the ordinary: each line is one, and each number finite."""
    rows = read_fast(piece, layout)
    if rows is None or len(rows) != piece.count(b"\n") + (not piece.endswith(b"\n")):
        return None
    numbers = [rows.open, rows.high, rows.low, rows.close, rows.volume]
    numbers += [] if rows.adjusted_close is None else [rows.adjusted_close]
    return rows if all(bool(np.isfinite(column).all()) for column in numbers) else None


def _moved(part: RawBars, lines: int) -> RawBars:
    """The rows of a piece with line numbers of the file."""
    defects = tuple(replace(defect, line=defect.line + lines) for defect in part.defects)
    return replace(part, lines=part.lines + lines, defects=defects)


def _agree(parts: Sequence[RawBars], first: RawBars) -> bool:
    """Whether pieces were understood alike, so that the whole would have been; bars of a day need their dates too."""
    if are_long(first.stamp_ns) or any(part.notes for part in parts):
        return False
    return all((part.aware, part.dates_only) == (first.aware, first.dates_only) for part in parts)


def _joined(parts: Sequence[RawBars], first: RawBars) -> RawBars:
    adjusted = () if first.adjusted_close is None else ("adjusted_close",)
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in (*_COLUMNS, *adjusted)
    }
    return RawBars(
        **columns,
        aware=first.aware,
        dates_only=first.dates_only,
        defects=tuple(defect for part in parts for defect in part.defects),
    )
