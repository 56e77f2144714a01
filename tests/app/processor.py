"""Processor time of the tests' thread, and what this machine takes for a fixed piece of Python to hold it against."""

import time
from collections.abc import Callable

CALIBRATION_MS = 0.6


def cpu_ms(work: Callable[[], object], times: int, rounds: int = 3) -> float:
    """Least CPU time of this thread for one call, over some rounds."""
    best = float("inf")
    for _ in range(rounds):
        begin = time.thread_time()
        for _ in range(times):
            work()
        best = min(best, (time.thread_time() - begin) / times * 1000)
    return best


def _additions() -> int:
    """The piece."""
    total = 0
    for number in range(20_000):
        total += number * number
    return total


def budget(milliseconds: float) -> float:
    """A budget in this machine's milliseconds."""
    return milliseconds * cpu_ms(_additions, 1, 15) / CALIBRATION_MS


def million_additions() -> float:
    """Processor seconds of a million additions, the best of five."""

    def additions() -> None:
        total = 0
        for number in range(1_000_000):
            total += number

    return cpu_ms(additions, 1, 5) / 1000
