"""Which bar is open, which are closed, and what changed: a pure state machine fed with bars and the time.

A bar T counts as closed on the first of: a copy that says ``Closed``; a copy of a later bar; server time beyond
T + grace while the session was open at T and the stream has been alive after T (so that a dead line never closes a bar
on half its trades). Whatever comes for T afterwards is a correction. Times are server times in UTC nanoseconds.
"""

import bisect
from collections.abc import Callable, Iterable, Sequence

from data.tradestation.bars import Interval, LiveBar
from data.tradestation.clock import NS
from data.tradestation.events import BarClosed, BarCorrected, BarUpdated, CloseReason, Event

GRACE_S = 3.0


class BarAssembler:
    """Bars of one symbol; every method returns the events that it causes, in order of time.

    Attributes:
        watching_since_ns: bars that open from here on are seen from their first print; None while nobody watches.
    """

    def __init__(self, symbol: str, interval: Interval, grace_s: float = GRACE_S) -> None:
        self.symbol = symbol
        self.interval = interval
        self._grace_ns = int(grace_s * NS)
        self._closed: dict[int, BarClosed] = {}
        self._order: list[int] = []
        self._open: LiveBar | None = None
        self._open_is_backfill = False
        self._opened_live = False
        self._doubtful = False
        self.watching_since_ns: int | None = None

    # ------------------------------------------------------------------------------------------ state

    @property
    def last_closed_ns(self) -> int | None:
        """Stamp of the newest closed bar."""
        return self._order[-1] if self._order else None

    @property
    def newest_ns(self) -> int | None:
        """Stamp of the newest bar, open or closed."""
        return self._open.close_ns if self._open is not None else self.last_closed_ns

    @property
    def open_bar(self) -> LiveBar | None:
        """The bar that is open, as last seen."""
        return self._open

    def closed_bars(self, count: int | None = None) -> tuple[LiveBar, ...]:
        """Closed bars, oldest first, the last ``count`` of them."""
        keys = self._order if count is None else self._order[-count:]
        return tuple(self._closed[key].bar for key in keys)

    def closings_after(self, close_ns: int) -> list[BarClosed]:
        """What was told about the bars closed after ``close_ns``, for a consumer that missed it."""
        start = bisect.bisect_right(self._order, close_ns)
        return [self._closed[key] for key in self._order[start:]]

    def overlap_ns(self, back: int = 2) -> int | None:
        """Stamp from which a backfill asks: the last closed bar and ``back`` before it."""
        return self._order[-1 - min(back, len(self._order) - 1)] if self._order else None

    def moves_history(self, bar: LiveBar) -> bool:
        """Whether ``bar`` is a closed one whose prices have all moved alike: history is another one, as by a roll."""
        known = self._closed.get(bar.close_ns)
        if known is None:
            return False
        gaps = {round(new - old, 9) for new, old in zip(bar.figures[:4], known.bar.figures[:4], strict=True)}
        return len(gaps) == 1 and gaps != {0.0}

    def take_doubt(self) -> bool:
        """True once if a buffered copy of a closed bar differed: only a new request can tell which is later."""
        doubtful, self._doubtful = self._doubtful, False
        return doubtful

    # ----------------------------------------------------------------------------------------- intake

    def replace(self, bars: Sequence[LiveBar], now_ns: int) -> None:
        """Forget everything and begin with ``bars`` (ascending); tells nothing."""
        self._closed.clear()
        self._order.clear()
        self._open = None
        self.watching_since_ns = None
        for bar in bars[:-1]:
            self._store(bar, CloseReason.HISTORY, True, False, now_ns)
        if bars and self._ended(bars[-1], now_ns):
            self._store(bars[-1], CloseReason.HISTORY, True, False, now_ns)
        elif bars:
            self._open, self._open_is_backfill, self._opened_live = bars[-1], True, False

    def splice(self, bars: Sequence[LiveBar], now_ns: int) -> list[Event]:
        """Take in the answer to a request (ascending): what is new closes as backfilled, what differs corrects."""
        events: list[Event] = []
        for bar in bars[:-1]:
            events += self._past(bar, now_ns)
        if bars:
            last = bars[-1]
            events += self._past(last, now_ns) if self._ended(last, now_ns) else self._present(last, now_ns)
        return events

    def update(self, bar: LiveBar, now_ns: int, *, buffered: bool = False) -> list[Event]:
        """Take in a copy from the stream.

        ``buffered`` copies waited while a request was under way: of closed bars the request knows better.
        """
        if self._order and bar.close_ns <= self._order[-1]:
            return self._late(bar, now_ns, buffered)
        events: list[Event] = []
        if self._open is not None and bar.close_ns > self._open.close_ns:
            events += self._close_open(CloseReason.LATER_BAR, now_ns)
        elif self._open is not None and bar.close_ns < self._open.close_ns:
            return [self._store(bar, CloseReason.LATER_BAR, False, False, now_ns)]
        elif buffered and self._open is not None and not bar.closed and bar.volume < self._open.volume:
            return []  # the answer to the request was made after this copy
        events += self._move(bar, now_ns)
        if bar.closed:
            events += self._close_open(CloseReason.STATUS, now_ns)
        return events

    def tick(self, now_ns: int, alive_ns: int | None, is_open: Callable[[int], bool]) -> list[Event]:
        """Let time pass: close a quiet bar. ``alive_ns``: when the stream last sent a byte."""
        bar = self._open
        if bar is None or now_ns <= bar.close_ns + self._grace_ns:
            return []
        if alive_ns is None or alive_ns < bar.close_ns or not is_open(bar.close_ns - 1):
            return []
        return self._close_open(CloseReason.CLOCK, now_ns)

    # ---------------------------------------------------------------------------------------- details

    def _ended(self, bar: LiveBar, now_ns: int) -> bool:
        """Whether the last bar of an answer is closed: by its status, without one by the time."""
        return bar.closed if bar.closed is not None else bar.close_ns + self._grace_ns <= now_ns

    def _past(self, bar: LiveBar, now_ns: int) -> list[Event]:
        if self._order and bar.close_ns <= self._order[-1]:
            return self._amend(bar, now_ns)
        mine = self._open
        events: list[Event] = []
        live = False
        if mine is not None and mine.close_ns <= bar.close_ns:
            if mine.close_ns < bar.close_ns:
                events += self._close_open(CloseReason.LATER_BAR, now_ns)
            else:
                live, self._open = self._opened_live, None
        return [*events, self._store(bar, CloseReason.HISTORY, True, live, now_ns)]

    def _present(self, bar: LiveBar, now_ns: int) -> list[Event]:
        if self._order and bar.close_ns <= self._order[-1]:
            return []  # closed here by the clock or a later bar; the service still calls it open
        events: list[Event] = []
        if self._open is not None and self._open.close_ns < bar.close_ns:
            events += self._close_open(CloseReason.LATER_BAR, now_ns)
        new = self._open is None
        moved = new or self._open != bar
        self._open, self._open_is_backfill = bar, True
        if new:
            self._opened_live = False
        if moved:
            events.append(BarUpdated(self.symbol, bar, self._opened_live))
        return events

    def _move(self, bar: LiveBar, now_ns: int) -> list[Event]:
        same = self._open is not None and self._open.figures == bar.figures
        if self._open is None:
            since = self.watching_since_ns
            self._opened_live = since is not None and bar.open_ns >= since
        self._open, self._open_is_backfill = bar, False
        return [] if same or bar.closed else [BarUpdated(self.symbol, bar, self._opened_live, now_ns)]

    def _late(self, bar: LiveBar, now_ns: int, buffered: bool) -> list[Event]:
        known = self._closed.get(bar.close_ns)
        if not buffered:
            # A request may have been quicker than the stream: what the stream says then is old, not a correction.
            old = known is not None and not bar.closed and bar.volume < known.bar.volume
            return [] if old else self._amend(bar, now_ns)
        if bar.closed and (known is None or known.bar.figures != bar.figures):
            self._doubtful = True
        return []

    def _amend(self, bar: LiveBar, now_ns: int) -> list[Event]:
        known = self._closed.get(bar.close_ns)
        if known is None:
            if bar.close_ns < self._order[0]:
                return []  # older than anything that was asked for
            self._store(bar, CloseReason.HISTORY, True, False, now_ns)
            return [BarCorrected(self.symbol, None, bar, now_ns)]
        if known.bar.figures == bar.figures:
            return []
        before = known.bar
        self._closed[bar.close_ns] = BarClosed(
            self.symbol, bar, known.reason, known.backfilled, known.opened_live, known.seen_ns
        )
        return [BarCorrected(self.symbol, before, bar, now_ns)]

    def _close_open(self, reason: CloseReason, now_ns: int) -> list[Event]:
        bar = self._open
        if bar is None:
            return []
        self._open = None
        return [self._store(bar, reason, self._open_is_backfill, self._opened_live, now_ns)]

    def _store(self, bar: LiveBar, reason: CloseReason, backfilled: bool, live: bool, now_ns: int) -> BarClosed:
        closing = BarClosed(self.symbol, bar, reason, backfilled, live, now_ns)
        if self._order and bar.close_ns < self._order[-1]:
            bisect.insort(self._order, bar.close_ns)
        else:
            self._order.append(bar.close_ns)
        self._closed[bar.close_ns] = closing
        return closing


def in_order(bars: Iterable[LiveBar]) -> list[LiveBar]:
    """Bars sorted by stamp; copies of one bar keep the order in which they came."""
    return sorted(bars, key=lambda bar: bar.close_ns)
