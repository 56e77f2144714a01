"""What really happens in the emulated market: the ground truth of one symbol, minute by minute and print by print.

Minute bars are made (or read) once for the whole run; what a client may see of them at an instant is a function of that
instant, so truth and answers cannot drift apart. Longer bars are built from the minutes.
"""

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.tradestation.bars import BarUnit, Interval
from data.tradestation.clock import NS

MINUTE_NS = 60 * NS
Rows = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TapeBar:
    """A bar as the market made it up to some instant; ``closed`` once its time is over."""

    close_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    closed: bool


@dataclass(slots=True)
class Minutes:
    """Minute bars: stamps (closing times, ascending) and rows of open, high, low, close, volume."""

    close_ns: NDArray[np.int64]
    rows: Rows


class Tape:
    """One symbol's market.

    Args:
        rolls: (instant, gap) pairs: at the instant all earlier prices rise by the gap, as back-adjustment does.
        prints: how many prints show the making of a minute.

    Attributes:
        corrected: how often a closed bar was changed.
    """

    def __init__(
        self, minutes: Minutes, tick_size: float, *, seed: int, prints: int, rolls: tuple[tuple[int, float], ...] = ()
    ) -> None:
        self._minutes = minutes
        self._tick = tick_size
        self._seed = seed
        self._prints = max(4, prints)
        self._rolls = rolls
        self._lock = threading.Lock()
        self._corrections: dict[int, tuple[float, float]] = {}
        self.corrected = 0
        self._paths: dict[int, tuple[NDArray[np.int64], Rows]] = {}

    # ------------------------------------------------------------------------------------------- views

    def bars(self, interval: Interval, now_ns: int, first_ns: int, last_ns: int) -> list[TapeBar]:
        """Bars stamped within [first_ns, last_ns] as known at ``now_ns``, the open one included."""
        edge_ns = self._stamp(np.array([first_ns], np.int64), interval)[0] - 2 * interval.bar_ns
        start = int(np.searchsorted(self._minutes.close_ns, edge_ns, side="left"))
        stop = int(np.searchsorted(self._minutes.close_ns, now_ns, side="right"))
        stamps = self._minutes.close_ns[start:stop]
        rows = self._known(start, stop, now_ns)
        building = self._building(stop, now_ns)
        if building is not None:
            stamps = np.append(stamps, self._minutes.close_ns[stop])
            rows = np.vstack([rows, building])
        bars = self._grouped(stamps, rows, interval, now_ns)
        return [bar for bar in bars if first_ns <= bar.close_ns <= last_ns]

    def last(self, interval: Interval, now_ns: int, count: int, until_ns: int | None = None) -> list[TapeBar]:
        """The last ``count`` bars stamped up to ``until_ns`` (None: the open one too)."""
        end_ns = now_ns + 31 * 1440 * MINUTE_NS if until_ns is None else until_ns
        # Few bars need few minutes, unless the market was closed meanwhile.
        for days in (0, 4):
            span = 4 * count * interval.bar_ns + days * 1440 * MINUTE_NS
            bars = self.bars(interval, now_ns, min(now_ns, end_ns) - span, end_ns)
            if len(bars) >= count:
                break
        else:
            bars = self.bars(interval, now_ns, int(self._minutes.close_ns[0]) - interval.bar_ns, end_ns)
        return bars[-count:]

    def prints_between(self, after_ns: int, until_ns: int) -> list[int]:
        """Instants in (after_ns, until_ns] at which something is printed."""
        first = int(np.searchsorted(self._minutes.close_ns, after_ns, side="right"))
        instants: list[int] = []
        for i in range(first, len(self._minutes.close_ns)):
            times, _ = self._path(i)
            if times[0] > until_ns:
                break
            instants += [int(t) for t in times if after_ns < t <= until_ns]
        return instants

    def stands_still(self, after_ns: int, until_ns: int) -> bool:
        """Whether no bar looks different for what happened in (after_ns, until_ns]; corrections aside."""
        stamps = self._minutes.close_ns
        first = int(np.searchsorted(stamps, after_ns, side="right"))
        if first < len(stamps) and stamps[first] <= until_ns:
            return False
        if any(after_ns < at_ns <= until_ns for at_ns, _ in self._rolls):
            return False
        if first >= len(stamps):
            return True
        times, _ = self._path(first)
        return int(np.searchsorted(times, after_ns, side="right")) == int(np.searchsorted(times, until_ns, "right"))

    def price(self, now_ns: int) -> float | None:
        """Price of the last print; None before the first."""
        bars = self.last(Interval(1), now_ns, 1)
        return bars[-1].close if bars else None

    # ------------------------------------------------------------------------------------ what happens

    def correct(self, now_ns: int, bars_back: int, ticks: int) -> int:
        """Change the ``bars_back``-th last closed minute by ``ticks``; returns its stamp."""
        stop = int(np.searchsorted(self._minutes.close_ns, now_ns, side="right"))
        index = stop - bars_back
        stamp = int(self._minutes.close_ns[index])
        with self._lock:
            price, volume = self._corrections.get(stamp, (0.0, 0.0))
            self._corrections[stamp] = (price + ticks * self._tick, volume + 1.0)
            self.corrected += 1
        return stamp

    # ----------------------------------------------------------------------------------------- details

    def _shift(self, now_ns: int) -> float:
        """By how much prices from before the rolls still to come lie below their final, adjusted ones."""
        return sum(gap for at_ns, gap in self._rolls if at_ns > now_ns)

    def _known(self, start: int, stop: int, now_ns: int) -> Rows:
        rows = self._minutes.rows[start:stop].copy()
        with self._lock:
            corrections = dict(self._corrections)
        for stamp, (price, volume) in corrections.items():
            index = int(np.searchsorted(self._minutes.close_ns, stamp)) - start
            if 0 <= index < len(rows):
                _correct(rows[index], price, volume)
        rows[:, :4] -= self._shift(now_ns)
        return rows

    def _building(self, index: int, now_ns: int) -> Rows | None:
        """The minute under way as printed so far; None before its first print."""
        if index >= len(self._minutes.close_ns):
            return None
        times, rows = self._path(index)
        seen = int(np.searchsorted(times, now_ns, side="right"))
        if seen == 0:
            return None
        row: Rows = rows[seen - 1].copy()
        row[:4] -= self._shift(now_ns)
        return row

    def _path(self, index: int) -> tuple[NDArray[np.int64], Rows]:
        """Instants of a minute's prints and the bar after each; the last one is the whole minute."""
        with self._lock:
            known = self._paths.get(index)
        if known is None:
            known = self._make_path(index)
            with self._lock:
                if len(self._paths) > 512:
                    self._paths.clear()
                self._paths[index] = known
        return known

    def _make_path(self, index: int) -> tuple[NDArray[np.int64], Rows]:
        rng = np.random.default_rng((self._seed, index))
        open_, high, low, close, volume = self._minutes.rows[index]
        extremes = [high, low] if rng.random() < 0.5 else [low, high]
        steps = self._prints - 4
        corners = np.array([open_, *extremes, close])
        places = np.sort(rng.random(steps)) * 3.0
        between = np.interp(places, np.arange(4.0), corners)
        prices = np.concatenate([corners, np.round(between / self._tick) * self._tick])
        prices = np.clip(prices[np.argsort(np.concatenate([np.arange(4.0), places]), kind="stable")], low, high)
        n = len(prices)
        offsets = np.sort(rng.uniform(0.01, 0.97, n))
        times = self._minutes.close_ns[index] - MINUTE_NS + (offsets * MINUTE_NS).astype(np.int64)
        rows = np.empty((n, 5))
        rows[:, 0] = open_
        rows[:, 1] = np.maximum.accumulate(prices)
        rows[:, 2] = np.minimum.accumulate(prices)
        rows[:, 3] = prices
        rows[:, 4] = np.maximum(1.0, np.floor(volume * np.arange(1, n + 1) / n))
        return times, rows

    def _stamp(self, close_ns: NDArray[np.int64], interval: Interval) -> NDArray[np.int64]:
        """Stamp of the longer bar that each minute belongs to; days end at 21:00 UTC, weeks and months by blocks."""
        width = interval.bar_ns
        shift = 0 if interval.unit is BarUnit.MINUTE else 21 * 60 * MINUTE_NS
        return (close_ns - 1 - shift) // width * width + width + shift

    def _grouped(self, stamps: NDArray[np.int64], rows: Rows, interval: Interval, now_ns: int) -> list[TapeBar]:
        if not len(stamps):
            return []
        labels = self._stamp(stamps, interval)
        starts = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1]])
        ends = np.r_[starts[1:], len(labels)] - 1
        columns = (
            rows[starts, 0],
            np.maximum.reduceat(rows[:, 1], starts),
            np.minimum.reduceat(rows[:, 2], starts),
            rows[ends, 3],
            np.add.reduceat(rows[:, 4], starts),
        )
        values = zip(labels[starts].tolist(), *(column.tolist() for column in columns), strict=True)
        return [TapeBar(t, o, h, lo, c, v, t <= now_ns) for t, o, h, lo, c, v in values]


def _correct(row: Rows, price: float, volume: float) -> None:
    """A late print: the close moves, the range widens if it must."""
    row[3] += price
    row[1] = max(row[1], row[3])
    row[2] = min(row[2], row[3])
    row[4] += volume
