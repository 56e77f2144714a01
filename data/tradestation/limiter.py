"""How many requests may still be sent: fixed windows per category, counted as the service counts them.

A window starts with the first request of its category and ends after its length, whatever comes in between.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from data.errors import QuotaError
from data.tradestation.clock import Clock

SHORTEST_S = 1.0  # market seconds between a refusal and the next request of its kind


class Category(StrEnum):
    """Kinds of request that the service counts separately."""

    ACCOUNTS = "accounts"
    BALANCES = "balances"
    POSITIONS = "positions"
    ORDERS = "orders"
    BARS = "bars"
    BAR_STREAM = "bar stream"
    QUOTE_STREAM = "quote stream"
    QUOTES = "quotes"
    SYMBOLS = "symbols"


@dataclass(frozen=True, slots=True)
class Quota:
    """At most ``count`` requests in ``seconds``."""

    count: int
    seconds: float


# The service lists these, but for bars and symbols, where the streams' quota is assumed.
DEFAULT_QUOTAS: Mapping[Category, Quota] = {
    Category.ACCOUNTS: Quota(250, 300.0),
    Category.BALANCES: Quota(250, 300.0),
    Category.POSITIONS: Quota(250, 300.0),
    Category.ORDERS: Quota(250, 300.0),
    Category.BARS: Quota(500, 300.0),
    Category.BAR_STREAM: Quota(500, 300.0),
    Category.QUOTE_STREAM: Quota(500, 300.0),
    Category.QUOTES: Quota(30, 60.0),
    Category.SYMBOLS: Quota(500, 300.0),
}


class FixedWindows:
    """Counts requests per category; one object for all that share a login."""

    def __init__(self, clock: Clock, quotas: Mapping[Category, Quota] | None = None) -> None:
        self._clock = clock
        self._quotas = dict(DEFAULT_QUOTAS if quotas is None else quotas)
        self._lock = threading.Lock()
        self._started: dict[Category, float] = {}
        self._used: dict[Category, int] = {}
        self._blocked_until: dict[Category, float] = {}

    def acquire(self, category: Category) -> None:
        """Count one request, or raise QuotaError with the seconds until the window is over."""
        with self._lock:
            now = self._clock.monotonic()
            self._renew(category, now)
            self._refuse_if_blocked(category, now)
            quota = self._quotas[category]
            if self._used[category] >= quota.count:
                self._refuse(category, self._started[category] + quota.seconds - now)
            self._used[category] += 1

    def refused(self, category: Category, retry_after: float | None) -> float:
        """The service answered 429: nothing more until its window is over; returns the seconds until then.

        Without ``retry_after`` the window counted here is taken; where that has just begun (another program shares
        the login), its whole length. A service that says "at once" and refuses again is not asked without a pause.
        """
        with self._lock:
            now = self._clock.monotonic()
            self._renew(category, now)
            rest = self._started[category] + self._quotas[category].seconds - now
            wait = rest if retry_after is None else max(SHORTEST_S, retry_after)
            self._blocked_until[category] = now + wait
            return wait

    def _renew(self, category: Category, now: float) -> None:
        started = self._started.get(category)
        if started is None or now >= started + self._quotas[category].seconds:
            self._started[category] = now
            self._used[category] = 0

    def _refuse_if_blocked(self, category: Category, now: float) -> None:
        until = self._blocked_until.get(category)
        if until is not None and now < until:
            self._refuse(category, until - now)

    def _refuse(self, category: Category, seconds: float) -> None:
        quota = self._quotas[category]
        raise QuotaError(
            f"{category}: {quota.count} requests in {quota.seconds:.0f} s are used up; next one in {seconds:.0f} s",
            seconds,
        )
