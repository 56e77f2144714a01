"""How long to wait before trying again: 1 s doubling to a minute, with jitter, forgotten after a stable minute."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Settings, in market seconds; ``jitter`` is the part of a delay that is drawn at random."""

    first: float = 1.0
    longest: float = 60.0
    jitter: float = 0.25
    stable_after: float = 60.0


class ReconnectPolicy:
    """Counts failures of one stream and gives the delay before the next attempt."""

    def __init__(self, rng: random.Random, settings: Backoff | None = None) -> None:
        self._rng = rng
        self._settings = Backoff() if settings is None else settings
        self._failures = 0
        self._farewells = 0
        self._connected_at: float | None = None

    @property
    def attempt(self) -> int:
        """Attempts since the connection was last stable."""
        return self._failures + self._farewells

    def connected(self, monotonic: float) -> None:
        """The stream is up."""
        self._connected_at = monotonic

    def healthy(self, monotonic: float) -> None:
        """Data are flowing; after a stable minute of it earlier failures are forgotten."""
        if self._connected_at is not None and monotonic - self._connected_at >= self._settings.stable_after:
            self._failures = self._farewells = 0

    def failed(self, monotonic: float, *, farewell: bool = False) -> float:
        """Seconds until the next attempt: none after a farewell, unless farewells follow one another."""
        self.healthy(monotonic)
        self._connected_at = None
        if farewell and self._farewells == 0:
            self._farewells = 1
            return 0.0
        self._failures += 1
        settings = self._settings
        delay = min(settings.longest, settings.first * 2.0 ** min(self._failures - 1, 16))
        return delay * (1.0 - settings.jitter * self._rng.random())

    def reset(self) -> None:
        """Someone asked to reconnect: begin anew."""
        self._failures = self._farewells = 0
        self._connected_at = None
