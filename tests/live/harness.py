"""What the live tests share: a feed on an emulator, a consumer that keeps what it is told, and waiting with a limit."""

import random
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from data.tradestation.bars import Interval, LiveBar
from data.tradestation.emulator import Emulator, Scenario
from data.tradestation.emulator.tape import TapeBar
from data.tradestation.emulator.tokens import GrantedTokens
from data.tradestation.events import (
    BarClosed,
    BarCorrected,
    BarUpdated,
    Event,
    FeedState,
    HistoryLoaded,
    StatusChanged,
)
from data.tradestation.feed import SymbolFeed
from data.tradestation.hours import TradingHours
from data.tradestation.patience import FeedSettings
from data.tradestation.reconnect import Backoff
from data.tradestation.rest import TradeStationClient

MINUTE = Interval(1)
RATE = 240.0
# Patience in market seconds; at this rate 20 of them are 83 ms, which a busy machine may need for a frame.
QUICK = FeedSettings(
    grace_s=20.0, settle_s=30.0, silence_s=120.0, mute_s=150.0, backoff=Backoff(first=5.0, longest=40.0)
)


class Consumer:
    """Drains a feed and keeps what a chart would show."""

    def __init__(self, feed: SymbolFeed) -> None:
        self.feed = feed
        self.events: list[Event] = []
        self.bars: dict[int, LiveBar] = {}
        self.closings: list[BarClosed] = []
        self.states: list[FeedState] = []
        self.open_bar: LiveBar | None = None

    def drain(self) -> None:
        for event in self.feed.drain():
            self.events.append(event)
            if isinstance(event, HistoryLoaded):
                self.bars = {bar.close_ns: bar for bar in event.bars}
            elif isinstance(event, BarClosed):
                assert event.bar.close_ns not in self.bars, "a bar was closed twice"
                assert event.bar.close_ns > max(self.bars, default=0), "closings are out of order"
                self.bars[event.bar.close_ns] = event.bar
                self.closings.append(event)
            elif isinstance(event, BarCorrected):
                self.bars[event.bar.close_ns] = event.bar
            elif isinstance(event, BarUpdated):
                self.open_bar = event.bar
            elif isinstance(event, StatusChanged):
                self.states.append(event.status.state)

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    def until(self, condition: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
        """Drain until ``condition`` holds."""
        deadline = time.monotonic() + seconds
        while True:
            self.drain()
            if condition():
                return
            if time.monotonic() > deadline:
                raise AssertionError(f"waited in vain for {what}; status {self.feed.status}; states {self.states}")
            time.sleep(0.005)

    def until_live(self) -> None:
        self.until(lambda: self.feed.status.state in (FeedState.LIVE, FeedState.DELAYED), "live")

    def until_closed(self, count: int) -> None:
        """Wait for ``count`` more closings."""
        goal = len(self.closings) + count
        self.until(lambda: len(self.closings) >= goal, f"{count} closings")

    def until_state(self, state: FeedState) -> None:
        self.until(lambda: state in self.states, str(state))


@contextmanager
def running(
    scenario: Scenario,
    *,
    symbol: str = "ESH24",
    history: int = 50,
    settings: FeedSettings = QUICK,
    interval: Interval = MINUTE,
    hours: TradingHours | None = None,
    skew_s: float = 0.0,
    tls: ssl.SSLContext | None = None,
) -> Iterator[tuple[Emulator, Consumer]]:
    """An emulator and a started feed of one symbol on it."""
    with Emulator(scenario, tls=tls) as emulator:
        client = TradeStationClient(emulator.endpoints, GrantedTokens(emulator), emulator.clock.shifted(skew_s))
        feed = SymbolFeed(client, symbol, interval, history, rng=random.Random(7), settings=settings, hours=hours)
        feed.start()
        try:
            yield emulator, Consumer(feed)
        finally:
            feed.stop()
            client.abort()
            client.close()
            assert no_threads_of(feed), "a feed's thread outlived its stop"


def no_threads_of(feed: SymbolFeed) -> bool:
    deadline = time.monotonic() + 2.0
    while time.monotonic() < deadline:
        if not [t for t in threading.enumerate() if feed.symbol in t.name]:
            return True
        time.sleep(0.01)
    return False


def figures(bar: LiveBar | TapeBar) -> tuple[float, ...]:
    return (bar.open, bar.high, bar.low, bar.close, bar.volume)


def unlike_truth(emulator: Emulator, consumer: Consumer, symbol: str = "ESH24") -> dict[int, object]:
    """Closed bars between the consumer's first and last one whose figures are not the market's, by their close.

    With each what was seen and what is true, None where there is no such bar. A bar that no last copy ended (a busy
    machine is late with it) is asked about when the next one prints: it is given five seconds.
    """
    first, last = min(consumer.bars), max(consumer.bars)

    def differing() -> dict[int, object]:
        truth = {b.close_ns: figures(b) for b in emulator.truth(symbol, consumer.feed.interval, first - 1, last)}
        seen = {key: figures(bar) for key, bar in consumer.bars.items() if key <= last}
        return {key: (seen.get(key), truth.get(key)) for key in seen | truth if seen.get(key) != truth.get(key)}

    deadline = time.monotonic() + 5.0
    while differing() and time.monotonic() < deadline:
        consumer.drain()
        time.sleep(0.01)
    return differing()
