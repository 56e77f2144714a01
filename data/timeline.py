"""Decides the master timeline: the sorted union of all symbols' bar times, and who has a real bar when (S3.1, S3.2)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.bar_times import length_text
from data.errors import TimelineError
from data.series import BarSeries, TimeArray
from data.sources.stamps import stamp_text
from data.zones import DAY_NS


@dataclass(frozen=True, slots=True)
class Timeline:
    """Master bars of a run; ``n`` master bars, ``k`` symbols in configuration order.

    Attributes:
        symbols: names, in the order of the columns.
        time_ns: int64[n], times at which the bars open, UTC, strictly increasing.
        real: bool[n, k], the symbol has a bar at that time; where not, its bar is synthetic (S3.2).
        row: int32[n, k], index into the symbol's series of its last real bar at or before that time; -1 before
            its first.
    """

    symbols: tuple[str, ...]
    time_ns: TimeArray
    real: NDArray[np.bool_]
    row: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.time_ns)


def build_timeline(series: Sequence[BarSeries]) -> Timeline:
    """Return the union of the bar times of all symbols.

    Raises TimelineError where there is no symbol, one comes twice, or a bar of one symbol would not be over when a bar
    of another opens (S3.5).
    """
    _check_symbols(series)
    symbols = tuple(one.symbol for one in series)
    if all(np.array_equal(series[0].time_ns, one.time_ns) for one in series[1:]):
        return _complete(symbols, series[0].time_ns)
    master = _union([one.time_ns for one in series])
    real = np.empty((len(master), len(series)), dtype=np.bool_)
    row = np.empty((len(master), len(series)), dtype=np.int32)
    for column, one in enumerate(series):
        _check_over(one, master, series)
        found = np.searchsorted(one.time_ns, master, side="right") - 1
        row[:, column] = found
        real[:, column] = (found >= 0) & (one.time_ns[np.maximum(found, 0)] == master)
    return Timeline(symbols, master, real, row)


def _complete(symbols: tuple[str, ...], master: TimeArray) -> Timeline:
    """The timeline of symbols that have a bar at each of its times: one column stands for all of them."""
    shape = (len(master), len(symbols))
    rows = np.arange(len(master), dtype=np.int32).reshape(-1, 1)
    return Timeline(symbols, master, np.broadcast_to(np.True_, shape), np.broadcast_to(rows, shape))


def _check_symbols(series: Sequence[BarSeries]) -> None:
    if not series:
        raise TimelineError("a timeline needs at least one symbol, none was given; list symbols under `assets`")
    names = [one.symbol for one in series]
    for one in series:
        if names.count(one.symbol) > 1:
            raise TimelineError(f"symbol {one.symbol} is given {names.count(one.symbol)} times; name each symbol once")
        if not len(one):
            raise TimelineError(
                f"{one.symbol}: {one.source} has no bars in the range asked for; widen `start` and `end`"
            )


def _union(times: Sequence[TimeArray]) -> TimeArray:
    # The stable sort is a merge of runs: sorted inputs cost one pass each.
    merged = np.sort(np.concatenate(times), kind="stable")
    union: TimeArray = merged[np.concatenate(([True], np.diff(merged) > 0))]
    return union


def _check_over(one: BarSeries, master: TimeArray, series: Sequence[BarSeries]) -> None:
    """Raise if a bar is still running at the next master time (S3.5); a symbol's own next bar ends the one before."""
    last = np.iinfo(np.int64).max
    own_next = np.concatenate((one.time_ns[1:], [last]))
    ends = np.minimum(one.time_ns + one.bar_ns, own_next)
    place = np.searchsorted(master, one.time_ns, side="right")
    following = np.concatenate((master, [last]))[place]
    running = ends > following
    if not running.any():
        return
    row = int(np.argmax(running))
    moment = int(following[row])
    other = next(two for two in series if two is not one and moment in _around(two.time_ns, moment))
    raise TimelineError(
        f"{one.symbol}'s {length_text(one.bar_ns)} bar of {stamp_text(int(one.time_ns[row]))} UTC is not over when "
        f"{other.symbol}'s {length_text(other.bar_ns)} bar opens at {stamp_text(moment)} UTC; {int(running.sum())} of "
        f"{len(one)} bars are such (S3.5). {_cure(one, other)}"
    )


def _cure(one: BarSeries, other: BarSeries) -> str:
    if one.bar_ns >= DAY_NS > other.bar_ns:
        return "Daily bars carry dates and share a timeline with daily bars only: give both files of one bar length."
    if one.bar_ns > other.bar_ns:
        length = length_text(one.bar_ns)
        return f"Give {one.symbol} a file with bars of {length_text(other.bar_ns)}, or set `bar: {length}` for the run."
    return "Bring both to one grid with `bar`, or correct `timestamp` or `timezone` of one of them."


def _around(times: TimeArray, moment: int) -> TimeArray:
    place = int(np.searchsorted(times, moment))
    return times[place : place + 1]
