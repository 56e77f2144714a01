"""What the viewer knows of a symbol: its bars as a chart wants them, its state, its last price; no Qt."""

import numpy as np

from app.charts.bars import Bar, BarStore
from app.charts.cursor import CursorModel
from app.charts.sessions import Hours
from app.charts.timeframe import BarView
from data.sessions import SessionCalendar
from data.tradestation.bars import LiveBar
from data.tradestation.events import (
    BarClosed,
    BarCorrected,
    BarUpdated,
    CloseReason,
    Event,
    FeedState,
    FeedStatus,
    HistoryLoaded,
    StatusChanged,
)
from engine.kernel.schema import Phase
from engine.paper.growing import RememberedCalendar


class SymbolBook:
    """Bars and state of one symbol.

    Args:
        calendar: its name, or one that several books share: what was looked up for one is known to all.

    Attributes:
        view, cursor: what a chart draws; both are made anew where history is (``generation`` tells).
        closed: how many of the bars have closed; generation: grows when the bars are other ones.
        status, told_ns: the feed's state and when it was told.
        forming: the bar under way.
        news_ns: when what is newest came in on the stream, server time; None where that has been drawn, or passed over.
    """

    def __init__(self, symbol: str, calendar: RememberedCalendar | str | None) -> None:
        self.symbol = symbol
        if not isinstance(calendar, RememberedCalendar):
            calendar = RememberedCalendar.of(SessionCalendar.named(calendar))
        self.calendar = calendar
        self.status = FeedStatus(symbol, FeedState.CONNECTING)
        self.told_ns = 0
        self.generation = 0
        self.closed = 0
        self.forming: LiveBar | None = None
        self.news_ns: int | None = None
        self._base: tuple[tuple[int, int], float | None] = ((-1, -1), None)
        self._begin(())

    def _begin(self, bars: tuple[LiveBar, ...]) -> None:
        self.store = BarStore()
        if bars:
            table = np.array([bar.figures for bar in bars], np.float64)
            times = np.array([bar.open_ns for bar in bars], np.int64)
            self.store.extend(times, *(np.ascontiguousarray(table[:, place]) for place in range(5)))
        self.view, self.cursor = BarView(self.store), CursorModel(len(bars))
        self.cursor.go(len(bars) - 1, Phase.CLOSE)
        self.closed, self.forming = len(bars), None
        self.generation += 1

    def take(self, event: Event, now_ns: int) -> None:
        """Take in an event of this symbol."""
        if isinstance(event, StatusChanged):
            self.status, self.told_ns = event.status, now_ns
        elif isinstance(event, HistoryLoaded):
            self._begin(event.bars)
        elif isinstance(event, BarUpdated):
            self.forming = event.bar
            self.news_ns = event.seen_ns or None
            self._put(event.bar)
        elif isinstance(event, BarClosed):
            self.forming = None
            self.news_ns = event.seen_ns if event.reason is CloseReason.STATUS else None
            self._put(event.bar)
            self.closed = len(self.store)
        elif isinstance(event, BarCorrected):
            self._correct(event.bar)

    def know(self, status: FeedStatus) -> None:
        """Figures of the state that change without an event: whether the session is open, or all is quiet."""
        if (status.state, status.reason, status.attempt) == (
            self.status.state,
            self.status.reason,
            self.status.attempt,
        ):
            self.status = status

    def _put(self, bar: LiveBar) -> None:
        """The newest bar: another copy of it, or the next one."""
        count = len(self.store)
        last_ns = int(self.store.time_ns[-1]) if count else -1
        if bar.open_ns == last_ns:
            self.store.amend(count - 1, Bar(*bar.figures))
        elif bar.open_ns > last_ns:
            self.store.append(bar.open_ns, Bar(*bar.figures))
        self.view.update()
        self.cursor.grow(len(self.store))
        self.cursor.go(len(self.store) - 1, Phase.CLOSE)

    def _correct(self, bar: LiveBar) -> None:
        """Repaint a bar; one that had not existed makes the bars anew (S17.2)."""
        times = self.store.time_ns
        place = int(np.searchsorted(times, bar.open_ns))
        if place < len(times) and times[place] == bar.open_ns:
            self.store.amend(place, Bar(*bar.figures))
            self.view.update()
            return
        columns = (self.store.open, self.store.high, self.store.low, self.store.close, self.store.volume)
        new = [np.insert(column, place, value) for column, value in zip(columns, bar.figures, strict=True)]
        store = BarStore()
        store.extend(np.insert(times, place, bar.open_ns), *new)
        forming, closed = self.forming, self.closed + 1
        self.store, self.view = store, BarView(store)
        self.cursor = CursorModel(len(store))
        self.cursor.go(len(store) - 1, Phase.CLOSE)
        self.forming, self.closed = forming, closed
        self.generation += 1

    @property
    def last(self) -> float | None:
        """The newest price."""
        return float(self.store.close[-1]) if len(self.store) else None

    @property
    def before(self) -> float | None:
        """The last close of the trading day before, to tell the day's change; None where it is not among the bars."""
        state = (self.generation, len(self.store))
        if self._base[0] != state:
            self._base = (state, self._day_base())
        return self._base[1]

    def _day_base(self) -> float | None:
        if not len(self.store):
            return None
        days = self.calendar.table(self.store.time_ns).trading_day
        place = int(np.searchsorted(days, days[-1])) - 1
        return float(self.store.close[place]) if place >= 0 else None

    def hours(self) -> Hours | None:
        """Sessions for shading; None around the clock."""
        if self.calendar.continuous or not len(self.store):
            return None
        table = self.calendar.table(self.store.time_ns)
        return Hours(table.trading_day.astype(np.int64), table.regular)
