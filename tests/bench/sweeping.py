"""What two threads of one process gain in a sweep: the critical path of their CPU time, so that other load is left out.

A thread's work on a slice is Python under the interpreter's lock, compiled bars without it, and Python again. Each
stretch is measured as CPU time of one thread; then two threads are played, each waiting for the other's lock.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import engine.batch
from research.sweeping.plan import Slice
from research.sweeping.stage import Workplace
from tests.bench.rows import Row
from tests.sweep.worlds import HUNDRED, planned

LEAST_GAIN, SLICES = 1.8, 10


@dataclass(frozen=True, slots=True)
class Stretch:
    """CPU seconds with or without the interpreter's lock."""

    seconds: float
    locked: bool


def stretches(work: Callable[[], object]) -> list[Stretch]:
    """The stretches of a slice, in their order."""
    found: list[Stretch] = []
    own, since = engine.batch.run_lanes, [time.thread_time()]

    def timed(*arguments: Any) -> int:
        begun = time.thread_time()
        found.append(Stretch(begun - since[0], locked=True))
        answer = own(*arguments)
        since[0] = time.thread_time()
        found.append(Stretch(since[0] - begun, locked=False))
        return answer

    with mock.patch.object(engine.batch, "run_lanes", timed):
        work()
    found.append(Stretch(time.thread_time() - since[0], locked=True))
    return found


def together(slices: list[list[Stretch]], threads: int) -> float:
    """Seconds until all slices are done by threads that take one after the other, and turns with the lock."""
    left, free, lock = iter(slices), [0.0] * threads, 0.0
    at: list[list[Stretch]] = [[] for _ in range(threads)]
    while True:
        for number in range(threads):
            at[number] = at[number] or list(next(left, []))
        waiting = [number for number in range(threads) if at[number]]
        if not waiting:
            return max(free)
        number = min(waiting, key=lambda each: free[each])
        stretch = at[number].pop(0)
        begin = max(free[number], lock) if stretch.locked else free[number]
        free[number] = begin + stretch.seconds
        lock = free[number] if stretch.locked else lock


def rows(bars: int, turns: int) -> Iterator[Row]:
    """The gain of two threads, and what a bar of a run costs in a sweep."""
    with tempfile.TemporaryDirectory() as folder:
        plan, library = planned(Path(folder), HUNDRED, bars=bars)
        place, piece = Workplace(plan, library), Slice(0, 0, 100)
        place.run(piece)
        found = min((stretches(lambda: place.run(piece)) for _ in range(turns)), key=_seconds)
    whole = _seconds(found)
    locked = sum(each.seconds for each in found if each.locked) / whole
    gain = SLICES * whole / together([found] * SLICES, 2)
    yield Row("sweep, 100 settings, one thread", whole / (100 * library.bars_of(("AA",))) * 1e9, "ns per bar and run",
              None, f"{locked:.0%} of it Python under the lock")  # fmt: skip
    yield Row(
        "sweep, two threads, critical path to the work", 1 / gain, "x", 1 / LEAST_GAIN, f"{gain:.2f} times as fast"
    )


def _seconds(found: list[Stretch]) -> float:
    return sum(each.seconds for each in found)
