"""Reads a text file line by line and notes what is wrong with each row: the slow reader, for files with faults.

Every row gets a place in the arrays, with NaN where a number cannot be read, so that later rules can still be applied
to the rest of it. A row has at most one defect from here.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data.errors import SourceError
from data.sources.content import text_lines
from data.sources.fast_text import NULL_WORDS, guess_note
from data.sources.layouts import Layout, split_line
from data.sources.raw import Defect, RawBars
from data.sources.stamps import Order, date_order, parse_stamp
from data.zones import SECOND_NS

_NOTHING = math.nan
_NULLS = frozenset(NULL_WORDS)


@dataclass(slots=True)
class _Rows:
    """Columns as they grow, row by row; ``plain``: the columns that Python's own reading of numbers
    is good enough for.
    """

    lines: list[int] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)
    offsets: list[int | None] = field(default_factory=list)
    timed: list[bool] = field(default_factory=list)
    numbers: list[list[float]] = field(default_factory=list)
    unreadable: list[bool] = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)
    plain: tuple[int, ...] = ()


def read_carefully(content: bytes, layout: Layout, path: Path) -> RawBars:
    """Return all rows of a text file with what is wrong with them; SourceError if there is no row at all."""
    lines = text_lines(content, path)
    cells = list(_cells(lines, layout))
    if not cells:
        raise SourceError(f"{path}: the file has a header and no bars; export it again")
    order, guessed = date_order(
        (row[layout.columns.stamp] for _, row in cells if len(row) > layout.columns.stamp), layout.order
    )
    rows = _Rows(plain=layout.columns.numbers if _is_plain(content, lines, layout) else ())
    cut = len(lines) if lines[-1] else None
    for line, row in cells:
        _read_row(rows, line, row, layout, order, line == cut)
    return _raw(rows, layout, guess_note(order, guessed))


def _cells(lines: Sequence[str], layout: Layout) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(lines[layout.header_lines :], start=layout.header_lines + 1):
        if line.strip():
            yield number, split_line(line, layout.delimiter)


def _read_row(rows: _Rows, line: int, row: list[str], layout: Layout, order: Order, cut: bool) -> None:
    """Add one row; ``cut``: it is the last one and has no line end."""
    defect = _count_defect(line, row, layout, cut)
    wall, offset, timed, fault = _stamp(line, row, layout, order)
    quick = _plain_numbers(row, rows.plain) if rows.plain else None
    numbers, faulty = _numbers(line, row, layout) if quick is None else (_six(quick, layout), None)
    defect = defect or fault or faulty
    rows.lines.append(line)
    rows.stamps.append(wall)
    rows.offsets.append(offset)
    rows.timed.append(timed)
    rows.numbers.append(numbers)
    rows.unreadable.append(defect is not None)
    if defect is not None:
        rows.defects.append(defect)


def _count_defect(line: int, row: list[str], layout: Layout, cut: bool) -> Defect | None:
    width = len(layout.header)
    if len(row) == width:
        return None
    text = f"{len(row)} fields where the header has {width}"
    return Defect(line, "cut_off" if cut and len(row) < width else "fields", text)


def _stamp(line: int, row: list[str], layout: Layout, order: Order) -> tuple[int, int | None, bool, Defect | None]:
    """Return wall clock, offset, whether there is a time of day, and what is wrong."""
    columns = [layout.columns.stamp] if layout.columns.clock is None else [layout.columns.stamp, layout.columns.clock]
    text = " ".join(row[column] for column in columns if column < len(row))
    try:
        wall, offset, timed = parse_stamp(text, order)
    except ValueError:
        return 0, None, True, Defect(line, "time", f"{layout.header[layout.columns.stamp] or 'time'} is {text!r}")
    return wall, offset, timed, None


def _numbers(line: int, row: list[str], layout: Layout) -> tuple[list[float], Defect | None]:
    """Return open, high, low, close, volume and adjusted close (NaN where there is none), and what is wrong first."""
    defect: Defect | None = None
    values: list[float] = []
    for column in layout.columns.numbers:
        text = row[column] if column < len(row) else ""
        value, kind = _number(text, layout.decimal)
        values.append(value)
        if kind is not None and defect is None:
            defect = Defect(
                line, kind, f"{layout.header[column]} is {text!r}" if text else f"{layout.header[column]} is empty"
            )
    return _six(values, layout), defect


def _six(values: list[float], layout: Layout) -> list[float]:
    """Return open, high, low, close, volume and adjusted close of a row's numbers."""
    volumes = values[4 : 4 + len(layout.columns.volume)]
    return [*values[:4], sum(volumes), _NOTHING if layout.columns.adjusted_close is None else values[-1]]


def _plain_numbers(row: list[str], columns: Sequence[int]) -> list[float] | None:
    """Return the numbers of a row in which nothing is wrong, else None."""
    try:
        values = [float(row[column]) for column in columns]
    except (ValueError, IndexError):
        return None
    return values if math.isfinite(sum(values)) else None


def _is_plain(content: bytes, lines: Sequence[str], layout: Layout) -> bool:
    """Return whether no cell can be of the kinds of number that Python reads and no export writes."""
    return layout.decimal == "." and content.isascii() and not any("_" in line for line in lines[layout.header_lines :])


def _number(text: str, decimal: str) -> tuple[float, str | None]:
    if text in _NULLS:
        return _NOTHING, "missing"
    # Python reads 1_000 as a number, and digits of other scripts; no export writes either.
    if "_" in text or not text.isascii():
        return _NOTHING, "text"
    try:
        value = float(text if decimal == "." else text.replace(decimal, "."))
    except ValueError:
        return _NOTHING, "text"
    return value, None if math.isfinite(value) else "missing"


def _raw(rows: _Rows, layout: Layout, notes: tuple[str, ...]) -> RawBars:
    readable = ~np.array(rows.unreadable, dtype=bool)
    aware = [offset is not None for offset in rows.offsets]
    zoned = aware[int(np.argmax(readable))]
    _note_mixed_zones(rows, aware, zoned)
    wall = np.array(rows.stamps, dtype=np.int64)
    offsets = np.array([offset or 0 for offset in rows.offsets], dtype=np.int64)
    numbers = np.array(rows.numbers, dtype=np.float64)
    return RawBars(
        stamp_ns=wall - offsets,
        wall_ns=wall if zoned else None,
        aware=zoned,
        dates_only=not any(timed for timed, good in zip(rows.timed, readable, strict=True) if good),
        open=numbers[:, 0].copy(),
        high=numbers[:, 1].copy(),
        low=numbers[:, 2].copy(),
        close=numbers[:, 3].copy(),
        volume=numbers[:, 4].copy(),
        adjusted_close=None if layout.columns.adjusted_close is None else numbers[:, 5].copy(),
        lines=np.array(rows.lines, dtype=np.int64),
        defects=tuple(rows.defects),
        unreadable=_mask(rows),
        notes=notes,
    )


def _note_mixed_zones(rows: _Rows, aware: list[bool], zoned: bool) -> None:
    for place, (line, one) in enumerate(zip(rows.lines, aware, strict=True)):
        if one != zoned and not rows.unreadable[place]:
            rows.unreadable[place] = True
            offset = rows.offsets[place]
            words = "no offset" if offset is None else f"offset {offset // SECOND_NS // 60:+d} minutes"
            rows.defects.append(
                Defect(line, "mixed_zone", f"the time has {words}, the file's first has {'one' if zoned else 'none'}")
            )


def _mask(rows: _Rows) -> NDArray[np.bool_]:
    return np.array(rows.unreadable, dtype=bool)
