"""Decides how prices are freed of splits and dividends: factor files, or a column of adjusted closes.

A factor file has lines ``date, price factor, split factor, reference price``, without a header: its factors hold up to
and including that date, those of the next line after it. Adjusted price = price x price factor x split factor, adjusted
volume = volume / split factor. The reference price is that date's unadjusted close, and tells whether the file fits.
"""

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from data.errors import SourceError
from data.series import FloatArray, TimeArray
from data.sources.raw import RawBars
from data.sources.stamps import parse_date, stamp_text

_MISFIT = 0.02


@dataclass(frozen=True, slots=True)
class Factors:
    """Factors of one symbol; arrays of one length, dates as midnight UTC, ascending."""

    date_ns: TimeArray
    price: FloatArray
    split: FloatArray
    reference: FloatArray


def read_factors(content: bytes, path: Path) -> Factors:
    """Read a factor file; SourceError names the line that is not one."""
    rows = list(_factor_rows(content, path))
    if not rows:
        raise SourceError(f"{path}: the factor file is empty; it needs lines of date, price factor, split factor")
    dates = np.array([row[0] for row in rows], dtype=np.int64)
    if bool((np.diff(dates) <= 0).any()):
        line = rows[int(np.argmax(np.diff(dates) <= 0)) + 1][4]
        raise SourceError(f"{path} line {line}: dates of a factor file must ascend; sort it")
    price, split, reference = (np.array([row[place] for row in rows], dtype=np.float64) for place in (1, 2, 3))
    return Factors(dates, price, split, reference)


def apply_factors(rows: RawBars, date_ns: TimeArray, factors: Factors, *, split: bool, dividend: bool) -> RawBars:
    """Return rows with prices times the factors of their dates, and volume divided by the split factor."""
    place = np.minimum(np.searchsorted(factors.date_ns, date_ns, side="left"), len(factors.date_ns) - 1)
    # After the last line's date nothing is left to adjust for.
    after = date_ns > factors.date_ns[-1]
    split_factor = np.where(after, 1.0, factors.split[place]) if split else np.ones(len(date_ns))
    price_factor = np.where(after, 1.0, factors.price[place]) if dividend else np.ones(len(date_ns))
    return replace(_scaled(rows, split_factor * price_factor), volume=rows.volume / split_factor)


def factor_misfit(symbol: str, rows: RawBars, date_ns: TimeArray, factors: Factors) -> str | None:
    """Return a sentence if closes differ from the file's reference prices (wrong symbol, or adjusted already), or None.

    Give unadjusted daily rows.
    """
    _, mine, theirs = np.intersect1d(date_ns, factors.date_ns, assume_unique=True, return_indices=True)
    # Where a file knows no reference price it says 0, or 1 in its first line.
    known = (factors.reference[theirs] > 0) & ~((theirs == 0) & (factors.reference[theirs] == 1))
    mine, theirs = mine[known], theirs[known]
    close, reference = rows.close[mine], factors.reference[theirs]
    wrong = np.abs(close - reference) > _MISFIT * np.abs(reference)
    if not wrong.any():
        return None
    row = int(np.argmax(wrong))
    return (
        f"{symbol}: {int(wrong.sum())} of {len(wrong)} closes differ from the factor file's reference prices, first on "
        f"{stamp_text(int(date_ns[mine[row]]))[:10]} ({close[row]:g}, not {reference[row]:g}): "
        "the file may be another symbol's, or the prices adjusted already"
    )


def apply_adjusted_close(rows: RawBars, source: str, place: str) -> RawBars:
    """Return rows with all prices times adjusted close / close; SourceError if there is no such column or ratio."""
    if rows.adjusted_close is None:
        raise SourceError(
            f"{source}: `use_adjusted_close` is set, and there is no column Adj Close; download it, or unset the key"
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = rows.adjusted_close / rows.close
    wrong = ~(np.isfinite(ratio) & (ratio > 0))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise SourceError(
            f"{source} {place} {int(rows.lines[row])}: adjusted close {rows.adjusted_close[row]:g} for a close of "
            f"{rows.close[row]:g}; {int(wrong.sum())} rows are such; correct the file, or unset `use_adjusted_close`"
        )
    return _scaled(rows, ratio)


def _scaled(rows: RawBars, factor: FloatArray) -> RawBars:
    """Return rows with each price times its row's factor; rounding keeps high and low around open and close."""
    prices = {name: getattr(rows, name) * factor for name in ("open", "high", "low", "close")}
    return replace(rows, **prices)


def _factor_rows(content: bytes, path: Path) -> Iterator[tuple[int, float, float, float, int]]:
    """Date, price factor, split factor, reference price and line number of each line."""
    for number, row in enumerate(csv.reader(content.decode("utf-8-sig", errors="replace").splitlines()), start=1):
        if not row:
            continue
        try:
            day = parse_date(row[0].partition(" ")[0], "YMD")
            price, split = float(row[1]), float(row[2])
            reference = float(row[3]) if len(row) > 3 else math.nan
        except (ValueError, IndexError) as wrong:
            raise SourceError(
                f"{path} line {number}: {','.join(row)!r} is not date, price factor, split factor, reference price"
            ) from wrong
        if not (math.isfinite(price) and math.isfinite(split) and price > 0 and split > 0):
            raise SourceError(f"{path} line {number}: factors {row[1]} and {row[2]} must be above 0")
        yield day, price, split, reference, number
