"""Reads a well-formed text file at the speed of pyarrow; hands back None where anything at all is out of the ordinary.

What is out of the ordinary is then read line by line (``careful_text``), which can say what is wrong and where.
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from data.bar_times import are_long
from data.series import TimeArray
from data.sources.arrow import floats_of, integers_of
from data.sources.layouts import Layout
from data.sources.raw import RawBars
from data.sources.stamps import FIRST_YEAR, LAST_YEAR, date_order, parse_clock, parse_date

NULL_WORDS = ("", "null", "NULL", "nan", "NaN", "NAN", "NA", "N/A", "None", "-")
_ISO = re.compile(r"^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$")
_EPOCH_NS = {10: 1_000_000_000, 13: 1_000_000, 16: 1_000, 19: 1}
_BLOCK = 1 << 22


@dataclass(frozen=True, slots=True)
class _Times:
    stamp_ns: TimeArray
    aware: bool
    dates_only: bool
    wall_ns: TimeArray | None = None
    notes: tuple[str, ...] = ()


def read_fast(content: bytes, layout: Layout) -> RawBars | None:
    """Return the rows of a text file, or None if a cell, a row or the time column needs a closer look."""
    import pyarrow

    if len(layout.sample) != len(layout.header):
        return None
    try:
        table = _table(content, layout, _stamp_types(layout))
        times = _times(table, content, layout)
        return None if times is None or not _of_our_times(times.stamp_ns) else _raw(table, times, layout)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError, ValueError):
        # Not swallowed: the careful reader meets the same cell and says what is wrong with it.
        return None


def has_plain_times(layout: Layout) -> bool:
    """Return whether each time stands for itself, ISO 8601 or a number: no order of day and month to find out."""
    if layout.columns.clock is not None or len(layout.sample) != len(layout.header):
        return False
    text = layout.sample[layout.columns.stamp]
    return _ISO.match(text) is not None or (text.isdigit() and len(text) in _EPOCH_NS)


def _of_our_times(stamp_ns: TimeArray) -> bool:
    first, last = (parse_date(f"{year}0101", "YMD") for year in (FIRST_YEAR, LAST_YEAR - 1))
    return len(stamp_ns) > 0 and first <= int(stamp_ns.min()) and int(stamp_ns.max()) < last


def _raw(table: Any, times: _Times, layout: Layout) -> RawBars:
    n = table.num_rows
    prices = [floats_of(table[str(column)]) for column in layout.columns.prices]
    volumes = [floats_of(table[str(column)]) for column in layout.columns.volume]
    volume = np.add.reduce(volumes) if len(volumes) > 1 else volumes[0] if volumes else np.zeros(n)
    adjusted = None if layout.columns.adjusted_close is None else floats_of(table[str(layout.columns.adjusted_close)])
    return RawBars(
        stamp_ns=times.stamp_ns,
        wall_ns=times.wall_ns,
        aware=times.aware,
        dates_only=times.dates_only,
        open=prices[0],
        high=prices[1],
        low=prices[2],
        close=prices[3],
        volume=volume,
        adjusted_close=adjusted,
        lines=np.arange(layout.header_lines + 1, layout.header_lines + 1 + n, dtype=np.int64),
        unreadable=np.zeros(n, dtype=bool),
        notes=times.notes,
    )


def _table(content: bytes, layout: Layout, stamp_types: dict[int, Any], only: list[int] | None = None) -> Any:
    """Parse the columns needed; pyarrow raises ArrowInvalid at the first cell or row that does not fit."""
    import pyarrow
    from pyarrow import csv

    types = dict.fromkeys(layout.columns.numbers, pyarrow.float64()) | stamp_types
    return csv.read_csv(
        pyarrow.BufferReader(content),
        read_options=csv.ReadOptions(
            skip_rows=layout.header_lines,
            column_names=[str(column) for column in range(len(layout.header))],
            block_size=_BLOCK,
            use_threads=False,  # the same speed per core, and no threads in a worker
        ),
        parse_options=csv.ParseOptions(delimiter=layout.delimiter),
        convert_options=csv.ConvertOptions(
            column_types={str(column): kind for column, kind in types.items()},
            include_columns=[str(column) for column in (types if only is None else only)],
            null_values=list(NULL_WORDS),
            decimal_point=layout.decimal,
        ),
    )


def _stamp_types(layout: Layout) -> dict[int, Any]:
    """Choose the types of the time columns by the first row: moments, integers, or words for few different texts."""
    import pyarrow

    words = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
    if layout.columns.clock is not None:
        return {layout.columns.stamp: words, layout.columns.clock: words}
    text = layout.sample[layout.columns.stamp]
    iso = _ISO.match(text)
    if iso is not None:
        return {layout.columns.stamp: pyarrow.timestamp("ns", tz="UTC" if iso.group(1) else None)}
    if text.isdigit() and len(text) in _EPOCH_NS:
        return {layout.columns.stamp: pyarrow.int64()}
    return {layout.columns.stamp: pyarrow.string()}


def _times(table: Any, content: bytes, layout: Layout) -> _Times | None:
    column = table[str(layout.columns.stamp)]
    if column.null_count or (layout.columns.clock is not None and table[str(layout.columns.clock)].null_count):
        return None
    text = layout.sample[layout.columns.stamp]
    if layout.columns.clock is not None:
        return _worded(column, table[str(layout.columns.clock)], layout)
    if _ISO.match(text):
        return _moments(column, text, content, layout)
    if text.isdigit() and len(text) in _EPOCH_NS:
        return _Times(integers_of(column) * _EPOCH_NS[len(text)], aware=True, dates_only=False)
    return _split(column, layout)


def _moments(column: Any, text: str, content: bytes, layout: Layout) -> _Times:
    iso = _ISO.match(text)
    stamp_ns = integers_of(column)
    aware = iso is not None and bool(iso.group(1))
    # Bars of a day or longer are known by their date on the file's own clock.
    wall = _wall_clock(content, layout) if aware and (are_long(stamp_ns) or len(stamp_ns) < 3) else None
    return _Times(stamp_ns, aware, dates_only=len(text) == 10, wall_ns=wall)


def _wall_clock(content: bytes, layout: Layout) -> TimeArray:
    """Return the times as written, their offsets cut off."""
    import pyarrow
    from pyarrow import compute

    column = _table(content, layout, {layout.columns.stamp: pyarrow.string()}, only=[layout.columns.stamp])[
        str(layout.columns.stamp)
    ]
    local = compute.utf8_slice_codeunits(column, 0, 19)
    return integers_of(compute.cast(local, pyarrow.timestamp("ns")))


def _worded(dates: Any, clocks: Any, layout: Layout) -> _Times:
    """Read dates and times of day of which there are few different ones: each text once."""
    days, day_words = _codes(dates)
    times, clock_words = _codes(clocks)
    order, guessed = date_order(day_words, layout.order)
    day_ns = np.array([parse_date(word, order) for word in day_words], dtype=np.int64)
    clock_ns = np.array([parse_clock(word) for word in clock_words], dtype=np.int64)
    return _Times(day_ns[days] + clock_ns[times], False, False, notes=guess_note(order, guessed))


def _split(column: Any, layout: Layout) -> _Times | None:
    """Read ``date clock`` or bare dates in one column that is not ISO 8601."""
    from pyarrow import compute

    parts = compute.split_pattern(column, " ", max_splits=1)
    width = compute.min_max(compute.list_value_length(parts)).as_py()
    if width["min"] != width["max"]:
        return None
    if width["max"] == 2:
        dates, clocks = (compute.dictionary_encode(compute.list_element(parts, place)) for place in (0, 1))
        return _worded(dates, clocks, layout)
    codes, words = _codes(compute.dictionary_encode(column))
    order, guessed = date_order(words, layout.order)
    day_ns = np.array([parse_date(word, order) for word in words], dtype=np.int64)
    return _Times(day_ns[codes], False, True, notes=guess_note(order, guessed))


def guess_note(order: str, guessed: bool) -> tuple[str, ...]:
    """Return the sentence that tells a guessed order of day and month."""
    if not guessed:
        return ()
    words = "month/day/year" if order == "MDY" else "day/month/year"
    return (f"dates were read as {words}, which the file does not decide; write dates as YYYY-MM-DD to be sure",)


def _codes(column: Any) -> tuple[TimeArray, list[str]]:
    whole = column.unify_dictionaries().combine_chunks()
    if hasattr(whole, "chunks"):
        whole = whole.chunk(0)
    return np.from_dlpack(whole.indices).astype(np.int64), whole.dictionary.to_pylist()
