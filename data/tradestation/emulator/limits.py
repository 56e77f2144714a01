"""Whether the emulated service still takes a request: fixed windows per category, from the first request on."""

import re
import threading
from collections.abc import Callable, Mapping

from data.tradestation.clock import NS
from data.tradestation.emulator.scenario import Limit

FIVE_MINUTES = 300.0
QUOTAS: Mapping[str, Limit] = {
    "accounts": Limit(count=250, seconds=FIVE_MINUTES),
    "orders": Limit(count=250, seconds=FIVE_MINUTES),
    "balances": Limit(count=250, seconds=FIVE_MINUTES),
    "positions": Limit(count=250, seconds=FIVE_MINUTES),
    "quote_stream": Limit(count=500, seconds=FIVE_MINUTES),
    "bar_stream": Limit(count=500, seconds=FIVE_MINUTES),
    "quotes": Limit(count=30, seconds=60.0),
    "bars": Limit(count=500, seconds=FIVE_MINUTES),
}
CONCURRENT = 40
_CATEGORIES = (
    (r"/v3/marketdata/stream/barcharts/", "bar_stream"),
    (r"/v3/marketdata/stream/quotes/", "quote_stream"),
    (r"/v3/marketdata/barcharts/", "bars"),
    (r"/v3/marketdata/quotes/", "quotes"),
    (r"/v3/brokerage/accounts/[^/]+/(bod)?balances", "balances"),
    (r"/v3/brokerage/accounts/[^/]+/positions", "positions"),
    (r"/v3/brokerage/accounts/[^/]+/(historical)?orders", "orders"),
    (r"/v3/brokerage/accounts$", "accounts"),
)


def category_of(path: str) -> str | None:
    """The category that a request counts in; None for those that are not counted."""
    return next((name for pattern, name in _CATEGORIES if re.match(pattern, path)), None)


class Windows:
    """Counts requests."""

    def __init__(self, overrides: Mapping[str, Limit], now_ns: Callable[[], int]) -> None:
        self._limits = dict(QUOTAS) | dict(overrides)
        self._now_ns = now_ns
        self._lock = threading.Lock()
        self._started: dict[str, int] = {}
        self._used: dict[str, int] = {}
        self._streams = 0

    def admit(self, category: str) -> bool:
        """Count a request; False where the window is used up."""
        limit = self._limits.get(category)
        if limit is None:
            return True
        with self._lock:
            now_ns = self._now_ns()
            started = self._started.get(category)
            if started is None or now_ns >= started + int(limit.seconds * NS):
                self._started[category], self._used[category] = now_ns, 0
            self._used[category] += 1
            return self._used[category] <= limit.count

    def open_stream(self) -> bool:
        """Count an order or position stream; False where too many are open."""
        with self._lock:
            self._streams += 1
            return self._streams <= CONCURRENT

    def close_stream(self) -> None:
        """One of them ended."""
        with self._lock:
            self._streams -= 1
