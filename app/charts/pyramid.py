"""Which bars stand for many: buckets of 2^k bars from a pyramid of radix 4, cut at a cursor.

Level ``n`` holds one row per 4^n bars: first open, highest high, lowest low, summed volume; the last close of a bucket
is read from the store. A true extreme is therefore never lost, however far out the view is. Level 0 is the store
itself, and there is no level 1, which would take three quarters of the memory of all: buckets of up to 8 bars are
folded from the store when they are asked for. Memory is a fifteenth of the bars'.
"""

from dataclasses import dataclass

import numpy as np

from app.charts.bars import Bar, BarStore
from app.charts.columns import Columns, IntArray
from data.series import FloatArray

RADIX = 4
#: The first level that is kept; below it there are the bars alone.
LOWEST = 2


@dataclass(frozen=True, slots=True)
class Cut:
    """What of the bars may be seen.

    Attributes:
        whole: bars before this index are visible as they are in the store.
        tail: what is visible of the bar at that index, if anything.
        opening: the tail is an opening price alone (phase OPEN of a bar that begins there).
    """

    whole: int
    tail: Bar | None = None
    opening: bool = False

    @property
    def count(self) -> int:
        """Bars of which something is visible."""
        return self.whole + (self.tail is not None)


@dataclass(frozen=True, slots=True)
class Buckets:
    """Consecutive buckets of ``size`` bars, aligned to absolute index; arrays of one length.

    ``first`` is the bar with which the first bucket begins; where all bars of a bucket are synthetic, open, high
    and low are NaN.
    """

    size: int
    first: int
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    def __len__(self) -> int:
        return len(self.open)

    @property
    def starts(self) -> IntArray:
        """Index of the first bar of each bucket."""
        return self.first + self.size * np.arange(len(self.open), dtype=np.int64)


class BarPyramid:
    """Levels over a bar store; only completed buckets are kept, the rest is folded when asked for."""

    def __init__(self, store: BarStore) -> None:
        self.store = store
        self._levels: list[Columns] = []  # [n]: one row per 4^(n+2) bars
        self._taken = -1
        self.update()

    def update(self) -> None:
        """Take in what was appended or amended since the last time: O(levels) per bar, nothing if nothing is new."""
        if self.store.revision == self._taken:
            return
        self._redo_amended()
        lower: Columns | BarStore = self.store
        number, radix = 0, RADIX**LOWEST
        while len(lower) >= radix:
            if number == len(self._levels):
                self._levels.append(Columns(4))
            level = self._levels[number]
            if len(lower) // radix == len(level):
                break
            level.extend(_reduced(_parts(lower, len(level) * radix, len(lower) // radix * radix), radix))
            lower, number, radix = level, number + 1, RADIX
        self._taken = self.store.revision

    def _redo_amended(self) -> None:
        for index in self.store.amended_since(self._taken):
            lower: Columns | BarStore = self.store
            radix = RADIX**LOWEST
            for level in self._levels:
                index //= radix
                if index >= len(level):
                    break
                parts = _reduced(_parts(lower, index * radix, (index + 1) * radix), radix)
                level.put(index, [float(part[0]) for part in parts])
                lower, radix = level, RADIX

    def buckets(self, first: int, last: int, exponent: int, cut: Cut) -> Buckets:
        """Buckets of ``2**exponent`` bars that cover bars ``first`` to ``last`` (exclusive), as far as ``cut`` allows.

        The bucket that the cut falls into is folded from the bars before it only, so nothing later shows.
        """
        size = 1 << exponent
        begin = max(first, 0) // size
        end = min(-(-last // size), -(-cut.count // size))
        if end <= begin:
            return Buckets(size, begin * size, *(np.empty(0) for _ in range(5)))
        whole = min(max(self._complete(exponent, cut), begin), end)
        ready = self._ready(begin, whole, exponent)
        rest = [self._folded(number * size, min((number + 1) * size, cut.count), cut) for number in range(whole, end)]
        if not rest:
            return Buckets(size, begin * size, *ready)
        rows = np.array([(bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in rest])
        joined = [np.concatenate((part, rows[:, column])) for column, part in enumerate(ready)]
        return Buckets(size, begin * size, *joined)

    def _complete(self, exponent: int, cut: Cut) -> int:
        """Number of buckets from the start that are visible in full and whose level is built so far."""
        visible = cut.whole >> exponent
        level = exponent // 2 - LOWEST
        if level < 0:
            return visible
        if level >= len(self._levels):
            return 0
        return min(visible, len(self._levels[level]) >> (exponent % 2))

    def _ready(self, begin: int, end: int, exponent: int) -> list[FloatArray]:
        level, odd = divmod(exponent, 2)
        kept = level >= LOWEST and end > begin
        rows: Columns | BarStore = self._levels[level - LOWEST] if kept else self.store
        size = 1 << exponent
        width = 1 + odd if kept else size
        parts = _parts(rows, begin * width, end * width)
        if width > 1:
            parts = _reduced(parts, width)
        open_, high, low, volume = parts
        close = self.store.close[(begin + 1) * size - 1 : end * size : size]
        return [open_, high, low, close, volume]

    def _folded(self, start: int, stop: int, cut: Cut) -> Bar:
        """Bars ``start`` to ``stop`` (exclusive) of what the cut shows, as one."""
        bar = self.fold(start, min(stop, cut.whole))
        return bar.merged(cut.tail) if stop > cut.whole and cut.tail is not None else bar

    def fold(self, start: int, stop: int) -> Bar:
        """Bars ``start`` to ``stop`` (exclusive) as one, by the widest levels that fit: O(levels) steps."""
        bar = Bar(np.nan, np.nan, np.nan, np.nan, 0.0)
        place = start
        while place < stop:
            number = self._widest(place, stop)
            span = RADIX**number
            rows: Columns | BarStore = self._levels[number - LOWEST] if number else self.store
            # Up to the next place where a wider level fits, or to the last row that lies in the range.
            radix = RADIX if number else RADIX**LOWEST
            ahead = radix - (place // span) % radix
            count = min(ahead, (stop - place) // span, len(rows) - place // span)
            bar = bar.merged(self._merged_rows(rows, place // span, count, place + count * span))
            place += count * span
        return bar

    def _widest(self, place: int, stop: int) -> int:
        """The widest level of which a row begins at a bar and ends before another; 0 for the bars themselves."""
        widest = 0
        for number, level in enumerate(self._levels, LOWEST):
            span = RADIX**number
            if place % span or place + span > stop or place // span >= len(level):
                break
            widest = number
        return widest

    def _merged_rows(self, rows: Columns | BarStore, begin: int, count: int, stop: int) -> Bar:
        open_, high, low, volume = _reduced(_parts(rows, begin, begin + count), count)
        return Bar(float(open_[0]), float(high[0]), float(low[0]), float(self.store.close[stop - 1]), float(volume[0]))

    @property
    def nbytes(self) -> int:
        """Memory held beyond the store."""
        return sum(level.nbytes for level in self._levels)


def _parts(rows: Columns | BarStore, begin: int, end: int) -> list[FloatArray]:
    """Open, high, low and volume of some rows of a level."""
    if isinstance(rows, BarStore):
        return [column[begin:end] for column in (rows.open, rows.high, rows.low, rows.volume)]
    return [rows[column][begin:end] for column in range(4)]


def _reduced(parts: list[FloatArray], radix: int) -> list[FloatArray]:
    """Each ``radix`` rows as one; NaN (synthetic) rows do not count."""
    open_, high, low, volume = (part.reshape(-1, radix) for part in parts)
    first = open_[:, 0].copy()
    for column in range(1, radix):
        missing = np.isnan(first)
        if not missing.any():
            break
        first[missing] = open_[missing, column]
    return [first, np.fmax.reduce(high, axis=1), np.fmin.reduce(low, axis=1), volume.sum(axis=1)]


def exponent_for(pixels_per_bar: float) -> int:
    """Smallest k for which 2^k bars take at least one pixel."""
    if pixels_per_bar >= 1.0:
        return 0
    return int(np.ceil(np.log2(1.0 / pixels_per_bar)))
