"""How far the server's clock is from ours, from HTTP dates and heartbeats."""

import math
import threading
from collections import deque

from data.tradestation.clock import NS

WARN_S = 2.0


class SkewEstimate:
    """Server time minus ours.

    A heartbeat arrives some time after it was stamped, so each sample is too low by its latency: the largest of the
    last ones is the best. An HTTP ``Date`` is cut to whole seconds and was written at some moment while the request was
    under way: it bounds the skew on both sides, and until heartbeats have come the one of the quickest answer serves.
    """

    def __init__(self, samples: int = 16) -> None:
        self._lock = threading.Lock()
        self._heartbeats: deque[float] = deque(maxlen=samples)
        self._dates: deque[tuple[float, float]] = deque(maxlen=samples)

    def heartbeat(self, server_ns: int, received_ns: int) -> None:
        """A heartbeat stamped ``server_ns`` came in at ``received_ns`` by our clock."""
        with self._lock:
            self._heartbeats.append((server_ns - received_ns) / NS)

    def date(self, server_ns: int, asked_ns: int, received_ns: int) -> None:
        """An answer dated ``server_ns`` to a request that was under way between the two other times."""
        middle = asked_ns + (received_ns - asked_ns) // 2
        doubt_s = 0.5 + (received_ns - asked_ns) / 2 / NS
        with self._lock:
            self._dates.append((doubt_s, (server_ns - middle) / NS + 0.5))

    @property
    def seconds(self) -> float | None:
        """The estimate; None before the first sample."""
        with self._lock:
            if self._heartbeats:
                return max(self._heartbeats)
            return min(self._dates)[1] if self._dates else None

    @property
    def sure_seconds(self) -> float | None:
        """The estimate, where it is good enough to warn of: None while slow answers are all there is.

        Heartbeats that were long under way look like a clock that is ahead; they count where the dates say so too.
        """
        with self._lock:
            doubt_s, dated = min(self._dates, default=(math.inf, 0.0))
            ahead = bool(self._heartbeats) and max(self._heartbeats) < -WARN_S
            slow = abs(dated) <= doubt_s if ahead else not self._heartbeats and doubt_s > WARN_S
        return None if slow else self.seconds

    @property
    def ns(self) -> int:
        """The estimate in nanoseconds, 0 before the first sample."""
        return int((self.seconds or 0.0) * NS)
