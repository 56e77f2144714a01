"""Reads a Parquet table of bars; times are a column or a stored index, with or without a zone."""

from pathlib import Path
from typing import Any

import numpy as np

from data.bar_times import are_long
from data.errors import SourceError
from data.series import FloatArray, TimeArray
from data.sources.arrow import floats_of, integers_of
from data.sources.columns import Columns, find_columns
from data.sources.raw import Defect, RawBars
from data.sources.stamps import parse_stamp
from data.zones import to_wall, zone_named

_MAGIC = b"PAR1"


def is_parquet(content: bytes) -> bool:
    """Return whether the bytes begin as a Parquet file does."""
    return content.startswith(_MAGIC)


def read_parquet(content: bytes, path: Path) -> RawBars:
    """Return the rows of a Parquet file, counted from 1; SourceError if it is damaged or a column is missing."""
    import pyarrow
    from pyarrow import parquet

    try:
        # Not read_table: it would import pandas by way of data sets of many files.
        table = parquet.ParquetFile(pyarrow.BufferReader(content)).read()
    except (pyarrow.ArrowInvalid, OSError) as damaged:
        raise SourceError(f"{path}: the Parquet file is damaged or cut off ({damaged}); get it again") from damaged
    columns = find_columns(table.column_names)
    if not isinstance(columns, Columns):
        raise SourceError(
            f"{path}: no column for {columns}; the table has {', '.join(table.column_names)}; "
            "name the columns timestamp, open, high, low, close, volume"
        )
    if not table.num_rows:
        raise SourceError(f"{path}: the table has no rows; export it again")
    try:
        return _rows(table, columns, path)
    except pyarrow.ArrowInvalid as unfit:
        raise SourceError(
            f"{path}: a value does not fit into nanoseconds or float64 ({unfit}); correct the file"
        ) from unfit


def _rows(table: Any, columns: Columns, path: Path) -> RawBars:
    n = table.num_rows
    stamp_ns, wall_ns, aware, dates_only, defects = _times(table.column(columns.stamp), path)
    numbers = {place: _numbers(table, place, path) for place in columns.numbers}
    unreadable = np.zeros(n, dtype=bool)
    unreadable[[defect.line - 1 for defect in defects]] = True
    open_, high, low, close = (numbers[place] for place in columns.prices)
    return RawBars(
        stamp_ns=stamp_ns,
        wall_ns=wall_ns,
        aware=aware,
        dates_only=dates_only,
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=np.add.reduce([numbers[place] for place in columns.volume]) if columns.volume else np.zeros(n),
        adjusted_close=None if columns.adjusted_close is None else numbers[columns.adjusted_close],
        lines=np.arange(1, n + 1, dtype=np.int64),
        defects=tuple(defects),
        unreadable=unreadable,
        notes=() if columns.volume else ("there is no volume; it is taken as 0",),
    )


def _numbers(table: Any, place: int, path: Path) -> FloatArray:
    import pyarrow

    column = table.column(place)
    kind = column.type
    if not (pyarrow.types.is_floating(kind) or pyarrow.types.is_integer(kind) or pyarrow.types.is_decimal(kind)):
        raise SourceError(f"{path}: column {table.column_names[place]} holds {kind}, not numbers; store it as float64")
    return floats_of(column)


def _times(column: Any, path: Path) -> tuple[TimeArray, TimeArray | None, bool, bool, list[Defect]]:
    """Return moments or wall-clock times, the wall clock where dates matter, whether there is a zone, bare dates."""
    import pyarrow
    from pyarrow import compute

    defects = [
        Defect(row + 1, "time", "the time is empty") for row, empty in enumerate(column.is_null().to_pylist()) if empty
    ] if column.null_count else []  # fmt: skip
    kind = column.type
    if pyarrow.types.is_date(kind):
        days = compute.cast(column, pyarrow.timestamp("s")).cast(pyarrow.timestamp("ns"))
        return integers_of(_filled(days)), None, False, True, defects
    if pyarrow.types.is_timestamp(kind):
        stamp_ns = integers_of(_filled(column.cast(pyarrow.timestamp("ns", tz=kind.tz))))
        zoned = kind.tz is not None
        wall = to_wall(stamp_ns, zone_named(kind.tz)) if zoned and are_long(stamp_ns) else None
        return stamp_ns, wall, zoned, False, defects
    if pyarrow.types.is_integer(kind) or pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind):
        return _written(column, defects)
    raise SourceError(f"{path}: the time column holds {kind}; store it as a timestamp, in UTC where it can be")


def _filled(column: Any) -> Any:
    """Return integers in place of times, 0 where one is empty (those rows carry a defect)."""
    import pyarrow

    numbers = column.cast(pyarrow.int64())
    return numbers.fill_null(0) if numbers.null_count else numbers


def _written(column: Any, defects: list[Defect]) -> tuple[TimeArray, TimeArray | None, bool, bool, list[Defect]]:
    """Read times that are stored as text or as epoch numbers, one by one."""
    walls, offsets, timed = [], [], []
    for row, text in enumerate(column.to_pylist()):
        try:
            wall, offset, has_clock = (0, None, True) if text is None else parse_stamp(str(text), "YMD")
        except ValueError:
            defects.append(Defect(row + 1, "time", f"the time is {text!r}"))
            wall, offset, has_clock = 0, None, True
        walls.append(wall)
        offsets.append(offset)
        timed.append(has_clock)
    aware = any(offset is not None for offset in offsets)
    known = {defect.line for defect in defects}
    defects += [
        Defect(row + 1, "mixed_zone", "the time has no offset, others have one")
        for row, offset in enumerate(offsets)
        if aware and offset is None and row + 1 not in known
    ]
    wall_ns = np.array(walls, dtype=np.int64)
    shift = np.array([offset or 0 for offset in offsets], dtype=np.int64)
    return wall_ns - shift, wall_ns if aware else None, aware, not any(timed), defects
