"""Decides what kind of text file it is, from its header: who made it, and what its makers mean by a time.

Known: TradeStation's API columns and desktop export, the downloads of Yahoo Finance (one header line, or three with a
ticker on each column), and plain tables of bars with any delimiter.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from data.errors import SourceError
from data.sources.columns import PRICE_NAMES, STAMP_NAMES, TICK_VOLUME_NAMES, Columns, find_columns, plain_name
from data.sources.raw import Label
from data.sources.stamps import Order

_LEVEL_NAMES = {"price", "ticker", "attributes", "symbols", ""}
_LABELS: dict[str, Label] = {"opentime": "open", "closetime": "close"}
_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What one text file is.

    Attributes:
        decimal: decimal mark of its numbers.
        header: the column names as written; their number is every row's number of cells.
        header_lines: lines before the first row.
        sample: the cells of the first row; empty where there is none.
        label: which end of a bar its time marks, where the maker is known to do it so.
        order: order of day and month, where known.
        exchange_time: times without an offset are the exchange's.
    """

    delimiter: str
    decimal: str = "."
    header: tuple[str, ...]
    header_lines: int
    sample: tuple[str, ...]
    columns: Columns
    label: Label | None = None
    order: Order | None = None
    exchange_time: bool = False


def recognise(
    lines: Sequence[str], path: Path, symbol: str, ticker: str | None, names: Sequence[str] | None = None
) -> Layout:
    """Recognise a file from its first lines, or take its columns to be those of ``names``, in this order.

    Raises:
        SourceError: a column is missing, the ticker is not in it, or there are more or fewer columns than names.
    """
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    delimiter = _delimiter(lines[first])
    if names is not None:
        return _named(names, lines, first, delimiter, path)
    rows = [split_line(line, delimiter) for line in lines[first : first + 3]]
    if _has_three_headers(rows):
        return _yahoo(rows, _first_row(lines[first + 3 :], delimiter), first + 3, path, _Wanted(symbol, ticker))
    return _one_header(rows[0], lines[first + 1 :], first + 1, delimiter, path)


def split_line(line: str, delimiter: str) -> list[str]:
    """Return the cells of one line, without quotes and surrounding spaces."""
    if '"' not in line:
        return [cell.strip() for cell in line.split(delimiter)]
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The ticker whose columns are wanted: the one set, else the symbol, else the only one."""

    symbol: str
    ticker: str | None

    def choose(self, known: Sequence[str], path: Path) -> str:
        wanted = self.symbol if self.ticker is None else self.ticker
        if wanted in known:
            return wanted
        if self.ticker is None and len(known) == 1:
            return known[0]
        raise SourceError(
            f"{path} line 1: no columns for ticker {wanted}; the file has {', '.join(known)}; set `ticker`"
        )


def _one_header(header: list[str], below: Sequence[str], header_lines: int, delimiter: str, path: Path) -> Layout:
    plain = [plain_name(name) for name in header]
    columns = _with_a_volume(_columns(header, path, header_lines), plain, below, delimiter)
    desktop = "date" in plain and ({"up", "down"} <= set(plain) or {"vol", "oi"} <= set(plain))
    api = "timestamp" in plain and "totalvolume" in plain
    yahoo = bool({"adjclose", "stocksplits"} & set(plain)) or plain[1:6] == ["close", "high", "low", "open", "volume"]
    label: Label | None = "close" if api or desktop else "open" if yahoo else _LABELS.get(plain[columns.stamp])
    return Layout(
        delimiter=delimiter,
        decimal=_decimal(below, columns, delimiter),
        header=tuple(header),
        header_lines=header_lines,
        sample=tuple(_first_row(below, delimiter)),
        columns=columns,
        label=label,
        order="MDY" if desktop else None,
        exchange_time=desktop,
    )


def _with_a_volume(columns: Columns, plain: Sequence[str], below: Sequence[str], delimiter: str) -> Columns:
    """Count ticks where they are given and the volume beside them is 0: MetaTrader writes so what it does not know."""
    ticks = next((plain.index(name) for name in TICK_VOLUME_NAMES if name in plain), None)
    if ticks is None or columns.volume == (ticks,):
        return columns
    rows = (split_line(line, delimiter) for line in below)
    known = any(row[place].strip("0.,") for row in rows for place in columns.volume if place < len(row))
    return columns if known else replace(columns, volume=(ticks,))


def _named(names: Sequence[str], lines: Sequence[str], first: int, delimiter: str, path: Path) -> Layout:
    """Name the columns of a file that has no header, or not one that is understood; such a header is passed over."""
    row = split_line(lines[first], delimiter)
    columns = find_columns(names)
    if not isinstance(columns, Columns):
        raise SourceError(
            f"{path}: `columns` ({', '.join(names)}) has no column for {columns}; name it where it stands"
        )
    if len(row) != len(names):
        raise SourceError(
            f"{path} line {first + 1}: there are {len(row)} cells, and `columns` names {len(names)} "
            f"({', '.join(names)}); name all columns in their order, those of no use with any other word"
        )
    has_header = not _is_number(row[columns.open])
    below = lines[first + has_header :]
    return Layout(
        delimiter=delimiter,
        decimal=_decimal(below, columns, delimiter),
        header=tuple(names),
        header_lines=first + has_header,
        sample=tuple(_first_row(below, delimiter)),
        columns=columns,
        label=_LABELS.get(plain_name(names[columns.stamp])),
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _yahoo(rows: list[list[str]], sample: list[str], header_lines: int, path: Path, wanted: _Wanted) -> Layout:
    """Read three header lines: fields and tickers, in either order, then the name of the index."""
    fields, tickers = (rows[0], rows[1]) if _names_prices(rows[0]) else (rows[1], rows[0])
    ticker = wanted.choose(list(dict.fromkeys(tickers[1:])), path)
    # Columns of other tickers get a name that plays no part.
    chosen = [field if name == ticker else "other" for field, name in zip(fields, tickers, strict=True)]
    return Layout(
        delimiter=",",
        header=tuple(f"{field} {name}" for field, name in zip(fields, tickers, strict=True)),
        header_lines=header_lines,
        sample=tuple(sample),
        columns=_columns([rows[2][0], *chosen[1:]], path, header_lines),
        label="open",
    )


def _has_three_headers(rows: list[list[str]]) -> bool:
    if len(rows) < 3 or len({len(row) for row in rows}) != 1 or len(rows[0]) < 2:
        return False
    index = rows[2]
    levels = {plain_name(rows[0][0]), plain_name(rows[1][0])}
    named = levels <= _LEVEL_NAMES and plain_name(index[0]) in STAMP_NAMES and not any(index[1:])
    return named and (_names_prices(rows[0]) or _names_prices(rows[1]))


def _names_prices(row: Sequence[str]) -> bool:
    return set(PRICE_NAMES) <= {plain_name(name) for name in row}


def _columns(names: Sequence[str], path: Path, line: int) -> Columns:
    found = find_columns(names)
    if isinstance(found, Columns):
        return found
    raise SourceError(
        f"{path} line {line}: no column for {found}; the header has {', '.join(names)}; "
        "name them timestamp, open, high, low, close, volume, or give their order by `columns` if there is no header"
    )


def _first_row(lines: Sequence[str], delimiter: str) -> list[str]:
    return next((split_line(line, delimiter) for line in lines if line.strip()), [])


def _delimiter(header: str) -> str:
    bare = re.sub(r'"[^"]*"', "", header)
    best = max(_DELIMITERS, key=bare.count)
    return best if best in bare else " "


def _decimal(lines: Sequence[str], columns: Columns, delimiter: str) -> str:
    """Return the decimal mark, which is that of the first price with one: many a row has whole prices alone.

    A comma is none where it separates cells or thousands.
    """
    if delimiter == ",":
        return "."
    for line in lines:
        row = split_line(line, delimiter)
        for price in (row[column] for column in columns.prices if column < len(row)):
            if "." in price or "," in price:
                return "." if "." in price else ","
    return "."
