"""CPU time measured in turns, and what is made of it: medians of paired ratios."""

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

Timed = Callable[[], object]
# Before each measurement, outside of it: what the work needs fresh every time.
Prepared = Callable[[], Timed]


def cpu_seconds(work: Timed) -> float:
    """CPU time of this process for one call, without the garbage collector."""
    gc.collect()
    gc.disable()
    try:
        begun = time.process_time()
        work()
        return time.process_time() - begun
    finally:
        gc.enable()


@dataclass(frozen=True)
class Series:
    """CPU seconds of several works, measured in turns."""

    seconds: dict[str, list[float]]

    def typical(self, name: str) -> float:
        """Median of one work."""
        return median(self.seconds[name])

    def ratio(self, name: str, to: str) -> float:
        """Median of the ratios of the pairs, each measured in one turn."""
        return median(a / b for a, b in zip(self.seconds[name], self.seconds[to], strict=True))


def in_turns(works: dict[str, Prepared], turns: int) -> Series:
    """Measure every work once a turn, after one turn that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(turns + 1):
        for name, prepare in works.items():
            taken = cpu_seconds(prepare())
            if turn:
                seconds[name].append(taken)
    return Series(seconds)


def slope(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Least-squares slope through the origin's neighbourhood: seconds per unit of size."""
    n, mean_x, mean_y = len(sizes), sum(sizes) / len(sizes), sum(seconds) / len(seconds)
    above = sum((x - mean_x) * (y - mean_y) for x, y in zip(sizes, seconds, strict=True))
    return above / sum((x - mean_x) ** 2 for x in sizes) if n > 1 else 0.0
