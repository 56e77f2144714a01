"""Which bars a chart draws: columns of one symbol on the master timeline (rulebook S3)."""

from dataclasses import dataclass

import numpy as np

from app.charts.columns import BoolArray, Columns, IntArray
from data.series import BarSeries, FloatArray, TimeArray


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, or several folded into one. A synthetic bar has NaN for open, high and low (S3.2)."""

    open: float
    high: float
    low: float
    close: float
    volume: float

    @property
    def synthetic(self) -> bool:
        """Whether no real bar is in it."""
        return self.open != self.open

    def merged(self, later: "Bar") -> "Bar":
        """This bar and a later one as one: first open, highest high, lowest low, last close, summed volume."""
        return Bar(
            later.open if self.synthetic else self.open,
            float(np.fmax(self.high, later.high)),
            float(np.fmin(self.low, later.low)),
            later.close,
            self.volume + later.volume,
        )

    def opening(self) -> "Bar":
        """What is known of the bar in its OPEN phase: O alone (S5.2)."""
        return Bar(self.open, self.open, self.open, self.open, 0.0)


class BarStore:
    """Columns of one symbol's bars, one row per master bar; rows are appended, and may be amended.

    Attributes:
        revision: grows with every change; what is derived from the bars keeps the one it has taken in.
    """

    def __init__(self) -> None:
        self._times = np.empty(0, dtype=np.int64)
        self._columns = Columns(5)
        self.revision = 0
        self._amended: dict[int, int] = {}  # index -> revision, in the order of revisions

    @classmethod
    def fixed(
        cls,
        time_ns: TimeArray,
        open_: FloatArray,
        high: FloatArray,
        low: FloatArray,
        close: FloatArray,
        volume: FloatArray,
    ) -> "BarStore":
        """A store over arrays that are there already (not copied); synthetic rows as S3.2 has them."""
        store = cls()
        store._times = time_ns
        store._columns = Columns(5, (open_, high, low, close, volume))
        return store

    @classmethod
    def from_series(
        cls, series: BarSeries, time_ns: TimeArray | None = None, row: IntArray | None = None
    ) -> "BarStore":
        """A symbol's bars on the master timeline.

        ``time_ns`` are the master times and ``row`` gives, per master bar, the index of the symbol's last real
        bar at or before it (-1: none yet); without them the series is its own timeline.
        """
        if time_ns is None or row is None:
            return cls.fixed(series.time_ns, series.open, series.high, series.low, series.close, series.volume)
        known = row >= 0
        at = np.where(known, row, 0)
        real = known & (series.time_ns[at] == time_ns)
        open_, high, low = (np.where(real, column[at], np.nan) for column in (series.open, series.high, series.low))
        close = np.where(known, series.close[at], np.nan)
        return cls.fixed(time_ns, open_, high, low, close, np.where(real, series.volume[at], 0.0))

    def __len__(self) -> int:
        return len(self._columns)

    def append(self, time_ns: int, bar: Bar) -> None:
        """Add the next master bar."""
        self.extend(np.array([time_ns]), *([value] for value in _row(bar)))

    def extend(self, time_ns: TimeArray, *columns: object) -> None:
        """Add master bars: their times, then open, high, low, close, volume."""
        count, added = len(self._columns), len(time_ns)
        if count + added > len(self._times):
            times = np.empty(max(count + added, count + count // 4, 256), dtype=np.int64)
            times[:count] = self._times[:count]
            self._times = times
        self._times[count : count + added] = time_ns
        self._columns.extend([np.asarray(column, dtype=np.float64) for column in columns])
        self.revision += 1

    def amend(self, index: int, bar: Bar) -> None:
        """Replace a bar: the one that is forming on a live feed, or one that the feed has corrected (S17.2)."""
        self._columns.put(index, _row(bar))
        self.revision += 1
        self._amended.pop(index, None)
        self._amended[index] = self.revision

    def amended_since(self, revision: int) -> list[int]:
        """Indices of bars amended after a revision."""
        indices = []
        for index, at in reversed(self._amended.items()):
            if at <= revision:
                break
            indices.append(index)
        return indices

    def bar(self, index: int) -> Bar:
        """One bar as Python floats."""
        return Bar(*(float(self._columns[column][index]) for column in range(5)))

    @property
    def time_ns(self) -> TimeArray:
        """Times at which the bars open, UTC nanoseconds."""
        return self._times[: len(self._columns)]

    @property
    def open(self) -> FloatArray:
        """First prices, NaN where synthetic."""
        return self._columns[0]

    @property
    def high(self) -> FloatArray:
        """Highest prices, NaN where synthetic."""
        return self._columns[1]

    @property
    def low(self) -> FloatArray:
        """Lowest prices, NaN where synthetic."""
        return self._columns[2]

    @property
    def close(self) -> FloatArray:
        """Last prices; on a synthetic bar the last close before it."""
        return self._columns[3]

    @property
    def volume(self) -> FloatArray:
        """Volumes, 0 where synthetic."""
        return self._columns[4]

    @property
    def synthetic(self) -> BoolArray:
        """Where the symbol has no real bar."""
        return np.isnan(self._columns[0])

    @property
    def nbytes(self) -> int:
        """Memory held by prices and volumes, spare room included."""
        return self._columns.nbytes


def _row(bar: Bar) -> tuple[float, float, float, float, float]:
    return bar.open, bar.high, bar.low, bar.close, bar.volume
