"""Which values of a line are drawn: each bucket's lowest and highest, from a min-max pyramid of radix 4.

Level ``n`` holds one row per 4^n values; level 0 are the values, and as with bars (`app.charts.pyramid`) there is no
level 1: memory is a sixth of the values'.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.charts.columns import Columns, IntArray
from app.charts.pyramid import LOWEST, RADIX
from data.series import FloatArray

Source = Callable[[slice | IntArray], FloatArray]
_BLOCK = 1 << 16  # values that are brought together at a time: a multiple of every small span


@dataclass(frozen=True, slots=True)
class Spans:
    """Consecutive buckets of ``size`` values, aligned to absolute index: lowest, highest, first and last of each."""

    size: int
    begin: int
    low: FloatArray
    high: FloatArray
    first: FloatArray
    last: FloatArray

    @property
    def starts(self) -> IntArray:
        """Index of the first value of each bucket."""
        return self.begin + self.size * np.arange(len(self.low), dtype=np.int64)


class LinePyramid:
    """A column of values (NaN: none), one per bar, with the levels above it; values are appended.

    Args:
        values: those that are there; source: gives the values at some places, ascending ones: those of whoever keeps
            them already, or can derive them: then no copy is made.

    Example: ``LinePyramid(values).spans(0, 1000, 4, known=500)`` gives 32 buckets of 16 values, the last one
    made of the values 496 to 499 only.
    """

    def __init__(self, values: FloatArray | None = None, source: Source | None = None) -> None:
        self._base = Columns(1, None if values is None else [values])
        self._source = source
        self._length = len(self._base)
        self._levels: list[Columns] = []
        self._grow()

    def __len__(self) -> int:
        return self._length

    @property
    def values(self) -> FloatArray:
        """The values themselves; derived ones are all derived for it."""
        return self.at(slice(0, self._length))

    def at(self, places: slice | IntArray) -> FloatArray:
        """The values at some places."""
        found: FloatArray = self._base[0][places] if self._source is None else self._source(places)
        return found

    def extend(self, values: FloatArray) -> None:
        """Add values: O(levels) each."""
        self._base.extend([values])
        self.take_in(len(values))

    def take_in(self, count: int) -> None:
        """Let the values that come next in the source be seen."""
        self._length += count
        self._grow()

    def _grow(self) -> None:
        radix = RADIX**LOWEST
        # What lies apart in a source is brought together, in blocks: only what no level has yet.
        while True:
            begin = len(self._levels[0]) * radix if self._levels else 0
            end = min(begin + _BLOCK, self._length // radix * radix)
            if begin == end:
                break
            values = np.ascontiguousarray(self.at(slice(begin, end)))
            self._add(0, _lowest(values, radix), _highest(values, radix))
        number = 1
        while number <= len(self._levels) and len(self._levels[number - 1]) >= RADIX:
            low, high = self._levels[number - 1][0], self._levels[number - 1][1]
            begin = len(self._levels[number]) * RADIX if number < len(self._levels) else 0
            end = len(low) // RADIX * RADIX
            if begin == end:
                break
            self._add(number, _lowest(low[begin:end], RADIX), _highest(high[begin:end], RADIX))
            number += 1

    def _add(self, number: int, low: FloatArray, high: FloatArray) -> None:
        if number == len(self._levels):
            self._levels.append(Columns(2))
        self._levels[number].extend([low, high])

    def spans(self, first: int, last: int, exponent: int, known: int) -> Spans:
        """Buckets of ``2**exponent`` values over ``first`` to ``last`` (exclusive), of the first ``known`` only."""
        size = 1 << exponent
        known = min(known, len(self))
        begin = max(first, 0) // size
        end = max(min(-(-last // size), -(-known // size)), begin)
        whole = max(min(known // size, end), begin)
        low, high = self._ready(begin, whole, exponent)
        if whole < end:
            bounds = self._bounds(whole * size, known)
            low, high = np.append(low, bounds[0]), np.append(high, bounds[1])
        ends = np.minimum((begin + 1 + np.arange(end - begin)) * size, known) - 1
        first_values = self.at(slice(begin * size, max((end - 1) * size + 1, begin * size), size))
        return Spans(size, begin * size, low, high, first_values, self.at(ends))

    def _bounds(self, start: int, stop: int) -> tuple[float, float]:
        """Lowest and highest from ``start``, a bucket's begin, to ``stop`` (exclusive), by the levels."""
        low, high = np.nan, np.nan
        place = start
        for number in (*range(len(self._levels) + LOWEST - 1, LOWEST - 1, -1), 0):
            span = RADIX**number
            there = len(self._levels[number - LOWEST]) if number else self._length
            count = min((stop - place) // span, there - place // span) if place % span == 0 else 0
            if count > 0:
                lower, upper = self._rows(number, slice(place // span, place // span + count))
                low = float(np.fmin(low, np.fmin.reduce(lower)))
                high = float(np.fmax(high, np.fmax.reduce(upper)))
                place += count * span
        return low, high

    def _rows(self, number: int, at: slice) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest of some rows of a level."""
        if number < LOWEST:
            values = self.at(at)
            return values, values
        level = self._levels[number - LOWEST]
        return level[0][at], level[1][at]

    def _ready(self, begin: int, end: int, exponent: int) -> tuple[FloatArray, FloatArray]:
        level, odd = divmod(exponent, 2)
        if begin == end:
            return np.empty(0), np.empty(0)
        width = 1 << (odd if level >= LOWEST else exponent)
        low, high = self._rows(level, slice(begin * width, end * width))
        return (_lowest(low, width), _highest(high, width)) if width > 1 else (low, high)

    @property
    def nbytes(self) -> int:
        """Memory held beyond the values."""
        return sum(level.nbytes for level in self._levels)


def _lowest(values: FloatArray, radix: int) -> FloatArray:
    lowest: FloatArray = np.fmin.reduce(values.reshape(-1, radix), axis=1)
    return lowest


def _highest(values: FloatArray, radix: int) -> FloatArray:
    highest: FloatArray = np.fmax.reduce(values.reshape(-1, radix), axis=1)
    return highest
