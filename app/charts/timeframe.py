"""Which bars a timeframe shows: the same master bars, resampled, and never beyond the cursor (rulebook S3.6)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.charts.bars import Bar, BarStore
from app.charts.columns import IntArray
from app.charts.cursor import Cursor
from app.charts.pyramid import BarPyramid, Cut
from data.series import FloatArray, TimeArray
from engine.kernel.schema import Phase

NS_PER_DAY = 86_400_000_000_000


@dataclass(frozen=True, slots=True)
class Timeframe:
    """A bar length to look at.

    Attributes:
        name: as buttons and legends show it ("5m").
        bar_ns: length in nanoseconds.
        session_open: gives, for times of bars, the opening time of each one's session; buckets are aligned to it
            and cut at its end. Without it they are aligned to UTC midnight.
    """

    name: str
    bar_ns: int
    session_open: Callable[[TimeArray], TimeArray] | None = None

    def keys(self, time_ns: TimeArray) -> IntArray:
        """The begin of the timeframe's bar that each master bar belongs to, UTC nanoseconds."""
        if self.session_open is None:
            anchor = time_ns - time_ns % NS_PER_DAY
        else:
            anchor = self.session_open(time_ns)
        keys: IntArray = anchor + (time_ns - anchor) // self.bar_ns * self.bar_ns
        return keys


class BarView:
    """The bars of one symbol as one timeframe shows them.

    x on a chart is an index into this view; ``index_of`` and ``first_bar`` translate from and to master bars.

    Attributes:
        master: the bars as they are.
        store: the bars shown (the same object where no timeframe is given).
        pyramid: the levels over them.
        ratio: master bars in a full bar of the view.
    """

    def __init__(
        self,
        master: BarStore,
        timeframe: Timeframe | None = None,
        master_ns: int = 1,
        pyramid: BarPyramid | None = None,
    ) -> None:
        self.master = master
        self.timeframe = timeframe
        self.ratio = 1.0 if timeframe is None else max(timeframe.bar_ns / master_ns, 1.0)
        self._fine = BarPyramid(master) if pyramid is None else pyramid
        self.store = master if timeframe is None else BarStore()
        self.pyramid = self._fine if timeframe is None else BarPyramid(self.store)
        self._starts = np.empty(0, dtype=np.int64)
        self._taken = 0
        self._revision = 0
        self.update()

    def in_timeframe(self, timeframe: Timeframe | None, master_ns: int) -> "BarView":
        """The same bars in another timeframe; ``master_ns`` is the length of a master bar."""
        return BarView(self.master, timeframe, master_ns, self._fine)

    def update(self) -> None:
        """Take in bars that were appended or amended."""
        amended = self.master.amended_since(self._revision)
        self._revision = self.master.revision
        self._fine.update()
        if self.timeframe is None:
            return
        self._taken = min(self._taken, *amended) if amended else self._taken
        if self._taken < len(self.master):
            self._resample(self.timeframe)

    def _resample(self, timeframe: Timeframe) -> None:
        """Bars from the last complete one on, anew."""
        kept = max(int(np.searchsorted(self._starts, self._taken, side="right")) - 1, 0)
        begin = int(self._starts[kept]) if len(self._starts) else 0
        times = self.master.time_ns[begin:]
        keys = timeframe.keys(times)
        starts = begin + np.concatenate(([0], np.nonzero(np.diff(keys))[0] + 1))
        columns = _resampled(self.master, begin, starts)
        self._starts = np.concatenate((self._starts[:kept], starts))
        if kept == 0:
            self.store = BarStore.fixed(keys[starts - begin], *columns)
            self.pyramid = BarPyramid(self.store)
        else:
            self._take(kept, keys[starts - begin], columns)
        self._taken = len(self.master)

    def _take(self, kept: int, times: TimeArray, columns: tuple[FloatArray, ...]) -> None:
        old = len(self.store) - kept
        for offset in range(old):
            self.store.amend(kept + offset, Bar(*(float(column[offset]) for column in columns)))
        if len(times) > old:
            self.store.extend(times[old:], *(column[old:] for column in columns))
        self.pyramid.update()

    def index_of(self, bar: int) -> int:
        """The view's bar that a master bar belongs to."""
        if self.timeframe is None:
            return bar
        return int(np.searchsorted(self._starts, bar, side="right")) - 1

    def indices_of(self, bars: IntArray) -> IntArray:
        """The view's bars that master bars belong to."""
        if self.timeframe is None:
            return bars
        return np.searchsorted(self._starts, bars, side="right").astype(np.int64) - 1

    def complete(self, known: int) -> int:
        """How many bars of the view are complete within the first ``known`` master bars."""
        if self.timeframe is None:
            return known
        return int(np.searchsorted(self._starts[1:], known, side="right"))

    def ends(self, count: int) -> IntArray:
        """The last master bars of the first ``count`` bars of a resampled view."""
        last: IntArray = self._starts[1 : count + 1] - 1
        return last

    def first_bar(self, index: int) -> int:
        """The master bar with which a bar of the view begins."""
        return index if self.timeframe is None else int(self._starts[index])

    def first_bars(self, indices: IntArray) -> IntArray:
        """The master bars with which bars of the view begin."""
        return indices if self.timeframe is None else self._starts[indices]

    def last_bar(self, index: int, cursor: Cursor) -> int:
        """The last master bar of a bar of the view, not beyond the cursor."""
        if self.timeframe is None:
            return index
        if index + 1 < len(self._starts):
            return min(int(self._starts[index + 1]) - 1, cursor.bar)
        return cursor.bar

    def cut(self, cursor: Cursor) -> Cut:
        """What the cursor lets see: whole bars, and what is known of the bar it stands in."""
        bar = min(cursor.bar, len(self.master) - 1)
        if bar < 0:
            return Cut(0)
        now = self.master.bar(bar)
        opening = cursor.phase == Phase.OPEN and not now.synthetic
        if opening:
            now = now.opening()
        if self.timeframe is None:
            return Cut(bar, now, opening)
        index = self.index_of(bar)
        start = int(self._starts[index])
        if start == bar:
            return Cut(index, now, opening)
        before = self._fine.fold(start, bar)
        return Cut(index, before.merged(now))

    def position(self, place: float, cursor: Cursor) -> float:
        """A place on the master timeline as a place in the view; known bars only, evenly spaced beyond them."""
        if self.timeframe is None:
            return place
        if place < 0 or cursor.bar < 0:
            return place / self.ratio
        bar = min(int(place), cursor.bar)
        index = self.index_of(bar)
        return index + (place - float(self._starts[index])) / self.ratio


def _resampled(master: BarStore, begin: int, starts: IntArray) -> tuple[FloatArray, ...]:
    at = starts - begin
    opens = master.open[begin:]
    real = np.where(np.isnan(opens), len(opens), np.arange(len(opens)))
    first = np.minimum.reduceat(real, at)
    ends = np.append(at[1:], len(opens))
    open_ = np.where(first < ends, opens[np.minimum(first, len(opens) - 1)], np.nan)
    high = np.fmax.reduceat(master.high[begin:], at)
    low = np.fmin.reduceat(master.low[begin:], at)
    return open_, high, low, master.close[begin:][ends - 1], np.add.reduceat(master.volume[begin:], at)
