"""What time it is, and how long a wait lasts: the wall clock, or a market time that runs faster.

Everything in this package that reads a clock, waits or times out does so through a ``Clock`` handed to it. Seconds are
market seconds; ``real_seconds`` turns them into what a socket's timeout needs.
"""

import threading
import time
from typing import Protocol

NS = 1_000_000_000


class Clock(Protocol):
    """Time as the feed sees it."""

    def now_ns(self) -> int:
        """UTC now, int64 nanoseconds since 1970."""
        ...

    def monotonic(self) -> float:
        """Market seconds since some instant; never goes back."""
        ...

    def real_seconds(self, seconds: float) -> float:
        """Seconds of the machine in which ``seconds`` of the market pass."""
        ...

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait until ``event`` is set or ``seconds`` of the market have passed; True if it is set."""
        ...


class SystemClock:
    """The machine's own time."""

    def now_ns(self) -> int:
        """UTC now."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Seconds since some instant."""
        return time.monotonic()

    def real_seconds(self, seconds: float) -> float:
        """The same."""
        return seconds

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait for ``event``."""
        return event.wait(max(0.0, seconds))


class ScaledClock:
    """Market time that starts at ``start_ns`` and runs ``rate`` times as fast as the machine's.

    Example: ``ScaledClock(start, 60.0)`` lets a one-minute bar pass in a second.
    """

    def __init__(self, start_ns: int, rate: float = 1.0, *, origin: float | None = None) -> None:
        self.start_ns = start_ns
        self.rate = rate
        self.origin = time.monotonic() if origin is None else origin

    def now_ns(self) -> int:
        """Market time."""
        return self.start_ns + int(self.monotonic() * NS)

    def monotonic(self) -> float:
        """Market seconds since the origin."""
        return (time.monotonic() - self.origin) * self.rate

    def real_seconds(self, seconds: float) -> float:
        """Seconds of the machine."""
        return seconds / self.rate

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait for ``event``, at most ``seconds`` of the market."""
        return event.wait(max(0.0, seconds / self.rate))

    def shifted(self, seconds: float) -> "ScaledClock":
        """The same clock, wrong by ``seconds``: positive runs ahead."""
        return ScaledClock(self.start_ns + int(seconds * NS), self.rate, origin=self.origin)
