"""How long news takes from the socket to the chart: the middle of the newest paintings, in real milliseconds; no Qt."""

from collections import deque
from statistics import median

from data.tradestation.clock import NS, Clock

KEPT = 50
WARN_MS = 250.0


class Delay:
    """Times from a frame's arrival to the end of the painting that shows it.

    Args:
        clock: market time, in which arrivals are told; a demo's runs faster than the wall's.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: deque[float] = deque(maxlen=KEPT)

    def painted(self, seen_ns: int, now_ns: int) -> None:
        """A chart has been painted at ``now_ns`` with what came in at ``seen_ns``, both server time."""
        self._kept.append(max(0.0, self._clock.real_seconds((now_ns - seen_ns) / NS) * 1000))

    @property
    def ms(self) -> float | None:
        """Milliseconds; None before the first."""
        return median(self._kept) if self._kept else None


def delay_text(ms: float | None) -> tuple[str, str]:
    """The delay in words and its tone; from a quarter of a second on it is a warning."""
    if ms is None:
        return "", "muted"
    return f"drawn after {ms:.0f} ms", "amber" if ms >= WARN_MS else "muted"
