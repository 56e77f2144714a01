"""All live symbols of one login: subscribe, drain, and every event arrives as a signal in the drainer's thread."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

from psygnal import Signal

from data.errors import CalendarError
from data.sessions import SessionCalendar
from data.tradestation.bars import Interval
from data.tradestation.events import (
    BarClosed,
    BarCorrected,
    BarUpdated,
    Event,
    FeedStatus,
    GapMarked,
    HistoryLoaded,
    RolledOver,
    StatusChanged,
)
from data.tradestation.feed import SymbolFeed
from data.tradestation.history import HistoryCache
from data.tradestation.hours import AlwaysOpen, CalendarHours, TradingHours
from data.tradestation.patience import FeedSettings
from data.tradestation.rest import TradeStationClient


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a chart asks for; ``calendar`` names the session calendar, None where sessions are not known."""

    symbol: str
    interval: Interval
    history_bars: int = 5_000
    template: str | None = None
    calendar: str | None = None


class LiveFeed:
    """Feeds of several symbols. Only ``drain`` emits, so listeners run in the thread that calls it.

    Attributes:
        settings: patience of the feeds.

    Signals (each with the event object of that kind):
        history_loaded, bar_updated, bar_closed, bar_corrected, gap_marked, rolled_over, status_changed.
    """

    history_loaded = Signal(HistoryLoaded)
    bar_updated = Signal(BarUpdated)
    bar_closed = Signal(BarClosed)
    bar_corrected = Signal(BarCorrected)
    gap_marked = Signal(GapMarked)
    rolled_over = Signal(RolledOver)
    status_changed = Signal(StatusChanged)

    def __init__(
        self,
        client: TradeStationClient,
        rng: random.Random,
        *,
        settings: FeedSettings | None = None,
        cache: HistoryCache | None = None,
    ) -> None:
        self.client = client
        self._rng = rng
        self.settings = FeedSettings() if settings is None else settings
        self._cache = cache
        self._feeds: dict[Subscription, SymbolFeed] = {}

    # ----------------------------------------------------------------------------------- subscriptions

    def subscribe(self, subscription: Subscription) -> SymbolFeed:
        """Begin to feed; the same subscription again gives the same feed. CalendarError: unknown calendar."""
        known = self._feeds.get(subscription)
        if known is not None:
            return known
        feed = SymbolFeed(
            self.client,
            subscription.symbol,
            subscription.interval,
            subscription.history_bars,
            rng=random.Random(self._rng.random()),
            hours=self._hours(subscription),
            settings=self.settings,
            cache=self._cache,
            template=subscription.template,
        )
        self._feeds[subscription] = feed
        feed.start()
        return feed

    def _hours(self, subscription: Subscription) -> TradingHours:
        if subscription.calendar is None:
            return AlwaysOpen()
        hours = CalendarHours(SessionCalendar.named(subscription.calendar))
        now_ns = self.client.clock.now_ns()
        try:
            hours.is_open(now_ns)
        except CalendarError as error:
            raise CalendarError(f"{subscription.symbol}: {error}") from error
        return hours

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a feed; what it still had to tell is dropped."""
        feed = self._feeds.pop(subscription, None)
        if feed is not None:
            feed.stop()

    @property
    def feeds(self) -> dict[Subscription, SymbolFeed]:
        """The running feeds."""
        return dict(self._feeds)

    def statuses(self) -> dict[Subscription, FeedStatus]:
        """State of every feed right now."""
        return {subscription: feed.status for subscription, feed in self._feeds.items()}

    # ---------------------------------------------------------------------------------------- control

    def drain(self, enough: Callable[[], bool] = lambda: False) -> int:
        """Emit what happened since the last call; the number of events.

        ``enough`` is asked after each feed that had something to tell: once it is true, the others' turn comes first
        in the next call.
        """
        count = 0
        for subscription, feed in list(self._feeds.items()):
            events = feed.drain()
            for event in events:
                self._emit(event)
            count += len(events)
            if events and enough():
                self._let_others_first(subscription)
                break
        return count

    def _let_others_first(self, served: Subscription) -> None:
        """Put the feeds up to ``served`` behind the others."""
        names = list(self._feeds)
        place = names.index(served) + 1 if served in self._feeds else 0
        self._feeds = {name: self._feeds[name] for name in names[place:] + names[:place]}

    def _emit(self, event: Event) -> None:
        signals = {
            HistoryLoaded: self.history_loaded,
            BarUpdated: self.bar_updated,
            BarClosed: self.bar_closed,
            BarCorrected: self.bar_corrected,
            GapMarked: self.gap_marked,
            RolledOver: self.rolled_over,
            StatusChanged: self.status_changed,
        }
        signals[type(event)].emit(event)

    def reconnect(self) -> None:
        """New connections for all; bars are kept."""
        for feed in self._feeds.values():
            feed.reconnect()

    def reload(self) -> None:
        """All history anew."""
        for feed in self._feeds.values():
            feed.reload()

    def sign_in_changed(self) -> None:
        """Someone signed in: wake the feeds that wait for it. Safe from any thread."""
        for feed in list(self._feeds.values()):
            feed.sign_in_changed()

    def stop(self) -> None:
        """End all feeds and requests within about a second, however the lines hang."""
        self.client.abort()
        feeds = list(self._feeds.values())
        enders = [threading.Thread(target=feed.stop, name=f"ending {feed.symbol}", daemon=True) for feed in feeds]
        for ender in enders:
            ender.start()
        for ender in enders:
            ender.join(2.0)
        self._feeds.clear()
        self.client.close()
