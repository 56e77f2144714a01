"""What waits for the consumer: bounded, never losing a closing.

Moves of the open bar are coalesced (only the newest matters). When more waits than fits, the bars give way to one gap
mark, and the closings since are taken from the feed's own memory when the consumer comes.
"""

import threading
from collections import deque
from collections.abc import Callable

from data.tradestation.events import (
    BarClosed,
    BarCorrected,
    BarUpdated,
    Event,
    GapMarked,
    HistoryLoaded,
    RolledOver,
    StatusChanged,
)


class Outbox:
    """Events of one symbol on their way to another thread.

    Args:
        lock: held while the feed changes its memory and tells of it, so that both always agree.
        refetch: the closings after a stamp, from that memory; called in the consumer's thread.
    """

    def __init__(
        self, symbol: str, capacity: int, lock: threading.RLock, refetch: Callable[[int], list[BarClosed]]
    ) -> None:
        self._symbol = symbol
        self._capacity = capacity
        self._refetch = refetch
        self._lock = lock
        self._events: deque[Event] = deque()
        self._latest: BarUpdated | None = None
        self._delivered_ns = 0
        self._gap = False
        self._corrections: dict[int, BarCorrected] = {}

    def put(self, event: Event) -> None:
        """Queue ``event``; on an overflow bars give way to a gap mark."""
        with self._lock:
            if isinstance(event, BarUpdated):
                self._latest = event
                return
            if isinstance(event, BarClosed | HistoryLoaded):
                self._latest = None  # they say more
            self._events.append(event)
            if len(self._events) > self._capacity or self._gap:
                self._shrink()

    def drain(self) -> list[Event]:
        """Everything that waits, in order; after an overflow a gap mark and all closings that it hides."""
        with self._lock:
            waiting, self._events = self._events, deque()
            latest, self._latest = self._latest, None
            events = [event for event in waiting if self._is_news(event)]
            if self._gap:
                events += self._catch_up()
            if latest is not None and latest.bar.close_ns > self._delivered_ns:
                events.append(latest)
            return events

    def _shrink(self) -> None:
        """Keep only what the memory cannot tell: the newest history, roll and state, and corrections since."""
        for event in [self._events[-1]] if self._gap else self._events:
            if isinstance(event, BarCorrected):
                self._corrections[event.bar.close_ns] = event
            elif isinstance(event, HistoryLoaded):
                self._corrections.clear()
        self._gap = True
        newest = {type(event): event for event in self._events}
        kinds = (RolledOver, HistoryLoaded, StatusChanged)
        self._events = deque(newest[kind] for kind in kinds if kind in newest)

    def _catch_up(self) -> list[Event]:
        since, self._gap = self._delivered_ns, False
        corrections = [event for key, event in self._corrections.items() if key <= since]
        self._corrections = {}
        closings = [event for event in self._refetch(since) if self._is_news(event)]
        return [*corrections, GapMarked(self._symbol, since, "the consumer came too late"), *closings]

    def _is_news(self, event: Event) -> bool:
        """False for a closing that was told already; notes what is told now."""
        if isinstance(event, HistoryLoaded):
            self._delivered_ns = event.bars[-1].close_ns if event.bars else 0
        elif isinstance(event, BarClosed):
            if event.bar.close_ns <= self._delivered_ns:
                return False
            self._delivered_ns = event.bar.close_ns
        return True
