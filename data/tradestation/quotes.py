"""Live quotes: a full one per symbol first, then changes merged into it."""

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from data.tradestation.events import FeedState, FeedStatus
from data.tradestation.frames import Content, Heartbeat, StreamFault, Unreadable
from data.tradestation.limiter import Category
from data.tradestation.reconnect import Backoff
from data.tradestation.rest import MAX_QUOTES, TradeStationClient
from data.tradestation.stream import SILENCE_S, LineStream, StreamEndedError
from data.tradestation.worker import LOG, StreamWorker


@dataclass(frozen=True, slots=True)
class Quote:
    """A symbol's quote; prices are None where the service gives none. Of ``row`` numbers are strings.

    Attributes:
        delayed: the exchange's data come late by contract: to be shown.
        error: why there is no quote, empty where there is one.
    """

    symbol: str
    last: float | None = None
    bid: float | None = None
    ask: float | None = None
    volume: float | None = None
    delayed: bool = False
    halted: bool = False
    error: str = ""


class QuoteBook:
    """The state of all quotes, kept by merging; finds symbols whatever the case of their letters."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = {name.casefold(): name for name in names}
        self._rows: dict[str, dict[str, Any]] = {}
        self._errors: dict[str, str] = {}

    def merge(self, row: dict[str, Any]) -> str | None:
        """Take in a full quote or changes; the symbol as it was asked for, None for one that was not."""
        name = self._names.get(str(row.get("Symbol")).casefold())
        if name is None:
            return None
        self._errors.pop(name, None)
        known = self._rows.setdefault(name, {})
        flags = dict(known.get("MarketFlags") or {}) | dict(row.get("MarketFlags") or {})
        known.update(row)
        known["MarketFlags"] = flags
        return name

    def refuse(self, symbol: str, error: str) -> str | None:
        """The service has no quote for ``symbol``."""
        name = self._names.get(symbol.casefold())
        if name is not None:
            self._errors[name] = error
        return name

    def quote(self, name: str) -> Quote:
        """The quote as known now."""
        row = self._rows.get(name, {})
        flags = row.get("MarketFlags") or {}
        return Quote(
            symbol=name,
            last=_figure(row, "Last"),
            bid=_figure(row, "Bid"),
            ask=_figure(row, "Ask"),
            volume=_figure(row, "Volume"),
            delayed=bool(flags.get("IsDelayed")),
            halted=bool(flags.get("IsHalted")),
            error=self._errors.get(name, ""),
        )

    def clear(self) -> None:
        """Forget all figures: a new stream begins with full quotes."""
        self._rows.clear()
        self._errors.clear()


def _figure(row: dict[str, Any], key: str) -> float | None:
    try:
        return float(row[key])
    except (KeyError, TypeError, ValueError):
        return None


class QuoteFeed(StreamWorker):
    """Quotes of up to 100 symbols on one stream; ``drain`` gives the newest of each that changed."""

    def __init__(
        self,
        client: TradeStationClient,
        names: Sequence[str],
        *,
        rng: random.Random,
        backoff: Backoff | None = None,
        silence_s: float = SILENCE_S,
    ) -> None:
        if not 1 <= len(names) <= MAX_QUOTES:
            raise ValueError(f"{len(names)} symbols on one quote stream; 1 to {MAX_QUOTES} are possible")
        super().__init__("quotes", client.clock, rng, backoff)
        self._client = client
        self._names = tuple(names)
        self._silence_s = silence_s
        self._lock = threading.Lock()
        self._book = QuoteBook(names)
        self._changed: dict[str, None] = {}

    def drain(self) -> list[Quote]:
        """Quotes that changed since the last call."""
        with self._lock:
            changed, self._changed = self._changed, {}
            return [self._book.quote(name) for name in changed]

    def quote(self, name: str) -> Quote:
        """The quote as known now."""
        with self._lock:
            return self._book.quote(name)

    def _session(self) -> None:
        self._begin()
        stream = self._open(
            LineStream(
                self._client,
                Category.QUOTE_STREAM,
                f"{self._client.endpoints.api}/marketdata/stream/quotes/{quote(','.join(self._names), safe=',@.=')}",
                {},
                what="quote stream",
                silence_s=self._silence_s,
            )
        )
        try:
            self._policy.connected(self._clock.monotonic())
            with self._lock:
                self._book.clear()
            self._set(FeedState.LIVE)
            while not self._stop.is_set():
                self._step(stream)
        finally:
            stream.stop()

    def _step(self, stream: LineStream) -> None:
        self._heed()
        received = stream.inbox.get(0.25)
        if stream.inbox.take_overflow():
            raise StreamEndedError("quote stream: quotes came faster than they were taken in", farewell=True)
        if received is None:
            return
        frame = received.frame
        server_ns = received.received_ns + self._client.skew.ns
        self._keep(last_byte_ns=server_ns)
        self._policy.healthy(self._clock.monotonic())
        if isinstance(frame, Content):
            self._note(frame)
            self._keep(last_data_ns=server_ns)
        elif isinstance(frame, Heartbeat) and frame.server_ns is not None:
            self._client.skew.heartbeat(frame.server_ns, received.received_ns)
        elif isinstance(frame, StreamFault):
            self._refused(frame)
        elif isinstance(frame, Unreadable):
            LOG.warning("quotes: cannot be used: %s", frame.text)
            self._keep(unreadable=self.status.unreadable + 1)

    def _note(self, frame: Content) -> None:
        with self._lock:
            name = self._book.merge(frame.row)
            if name is not None:
                self._changed[name] = None

    def _refused(self, fault: StreamFault) -> None:
        """A fault with a symbol concerns that symbol alone, unless it is one of the login."""
        if fault.symbol is not None and fault.error not in ("DualLogon", "Forbidden"):
            with self._lock:
                name = self._book.refuse(fault.symbol, f"{fault.error} {fault.message}".rstrip())
                if name is not None:
                    self._changed[name] = None
            return
        self._raise_fault("quote stream", fault)

    def _told(self, status: FeedStatus) -> None:
        """The state is read from ``status``."""

    def _lost(self, reason: str) -> None:
        """Nothing is missed: the next stream begins with full quotes."""
