"""When the phases of a live bar run: OPEN once all have printed or the grace is over, the rest at its close (S17.1).

Bars that nobody could decide on (they came by backfill, or their opening was not seen) act late and in order, without a
decision (S17.2). A symbol whose line is down neither holds the others up for long nor loses anything: after a patience
its bar closes as far as it was seen, and the whole bar acts again, late, once it is known.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from data.tradestation.bars import LiveBar
from data.tradestation.clock import NS
from data.tradestation.events import BarClosed, BarUpdated, CloseReason, FeedState
from data.tradestation.hours import AlwaysOpen, TradingHours
from engine.paper.growing import NO_BAR

# States in which a feed may still hand over older bars.
BEHIND = frozenset(
    {FeedState.CONNECTING, FeedState.HISTORY, FeedState.RECONNECTING, FeedState.SIGNED_OUT, FeedState.FAILED}
)


class Acts(Protocol):
    """Who carries the phases out."""

    def opened(self, time_ns: int, prints: Mapping[str, tuple[int, float]], decide: bool) -> None:
        """OPEN of a master bar; per symbol when its own bar opened, and its O."""

    def closed(self, closings: Mapping[str, BarClosed]) -> None:
        """INTRABAR and CLOSE of it."""

    def missed(self, closing: BarClosed) -> None:
        """A bar of a symbol that had not printed when OPEN ran: it was synthetic."""


@dataclass(frozen=True, slots=True)
class _Print:
    own_ns: int
    price: float
    at_ns: int


@dataclass(slots=True)
class _UnderWay:
    """The master bar between OPEN and CLOSE: own opening times of its symbols, and what is known of them."""

    own: dict[str, int]
    seen: dict[str, LiveBar] = field(default_factory=dict)
    closings: dict[str, BarClosed] = field(default_factory=dict)


class PhaseKeeper:
    """Turns closings and moves of bars into phases.

    Args:
        symbols: in configuration order; bar_ns: length of a bar.
        acts: who carries them out.
        open_grace_s: how long OPEN waits for the others after the first print.
        patience_s: how long a bar waits for a symbol whose line is down, and a backfill for the backfills of others.
        hours: when each symbol trades; one whose market is closed is not waited for.
    """

    def __init__(
        self,
        symbols: Sequence[str],
        bar_ns: int,
        acts: Acts,
        *,
        open_grace_s: float = 2.0,
        patience_s: float = 30.0,
        hours: Mapping[str, TradingHours] | None = None,
    ) -> None:
        self._symbols, self._bar_ns, self._acts = tuple(symbols), bar_ns, acts
        self._grace_ns, self._patience_ns = int(open_grace_s * NS), int(patience_s * NS)
        self._hours: Mapping[str, TradingHours] = hours or {}
        self._behind: set[str] = set()
        self._last_ns = NO_BAR
        self._acted = dict.fromkeys(self._symbols, NO_BAR)
        self._under_way: _UnderWay | None = None
        self._prints: dict[str, _Print] = {}
        self._early: dict[str, BarClosed] = {}
        # By opening time, in the order in which they came: of a long outage tens of thousands may wait.
        self._late: dict[str, OrderedDict[int, BarClosed]] = {symbol: OrderedDict() for symbol in self._symbols}
        self._provisional: dict[str, LiveBar] = {}

    def begin(self, last_ns: int, acted: Mapping[str, int], under_way: Mapping[str, int] | None = None) -> None:
        """Where the account stands: the last master bar, each symbol's last bar, and the bar under way if there is."""
        self._last_ns = last_ns
        self._acted.update(acted)
        self._under_way = None if under_way is None else _UnderWay(dict(under_way))

    # What the feed tells

    def state(self, symbol: str, state: FeedState) -> None:
        """A feed's state, to know whom a backfill must wait for."""
        if state in BEHIND:
            self._behind.add(symbol)
        else:
            self._behind.discard(symbol)

    def updated(self, event: BarUpdated, now_ns: int) -> None:
        """The open bar of a symbol moved: its first print may be the OPEN that is waited for."""
        symbol, own_ns = event.symbol, event.bar.open_ns
        if self._under_way is not None and self._under_way.own.get(symbol) == own_ns:
            self._under_way.seen[symbol] = event.bar
        elif event.opened_live and own_ns > max(self._last_ns, self._acted[symbol]):
            known = self._prints.get(symbol)
            if known is None or known.own_ns != own_ns:
                self._overtaken(symbol)
                self._prints[symbol] = _Print(own_ns, event.bar.open, now_ns)
        self.pass_time(now_ns)

    def _overtaken(self, symbol: str) -> None:
        """A bar that closed before its OPEN could run, and the next one prints already: it acts late."""
        closed = self._early.pop(symbol, None)
        if closed is not None:
            self._put_off(closed)

    def closing(self, event: BarClosed, now_ns: int) -> None:
        """A bar closed."""
        self._sort(event)
        self.pass_time(now_ns)

    def _sort(self, event: BarClosed) -> None:
        """Where a closing belongs: to the bar under way, to a print that waits, to the late ones, or to nothing."""
        symbol, own_ns = event.symbol, event.bar.open_ns
        under_way, printed = self._under_way, self._prints.get(symbol)
        if under_way is not None and under_way.own.get(symbol) == own_ns:
            under_way.closings[symbol] = event
        elif own_ns == self._acted[symbol] and symbol in self._provisional:
            if self._provisional.pop(symbol).figures != event.bar.figures:
                self._put_off(replace(event, backfilled=True))
        elif own_ns <= self._acted[symbol]:
            return
        elif printed is not None and printed.own_ns == own_ns:
            self._early[symbol] = event
        elif own_ns <= self._last_ns and event.opened_live and not event.backfilled:
            self._acted[symbol] = own_ns
            self._acts.missed(event)
        else:
            self._put_off(event)

    def _put_off(self, event: BarClosed) -> None:
        """The bar acts late; where it waits for that already, by its newest figures and once."""
        self._late[event.symbol][event.bar.open_ns] = event

    def corrected(self, symbol: str, bar: LiveBar) -> bool:
        """Whether ``bar`` has closed but waits to act: then it will act by these figures."""
        waiting, own_ns = self._late[symbol], bar.open_ns
        if own_ns in waiting:
            waiting[own_ns] = replace(waiting[own_ns], bar=bar)
            return True
        closings = [self._early] if self._under_way is None else [self._early, self._under_way.closings]
        for waits in closings:
            if symbol in waits and waits[symbol].bar.open_ns == own_ns:
                waits[symbol] = replace(waits[symbol], bar=bar)
                return True
        return False

    def reloaded(self, symbol: str) -> None:
        """All history came anew with other prices: what was seen of bars that have not acted yet is worth nothing."""
        self._prints.pop(symbol, None)
        self._overtaken(symbol)
        self._provisional.pop(symbol, None)
        if self._under_way is not None:
            self._under_way.seen.pop(symbol, None)

    # What follows from it

    def pass_time(self, now_ns: int) -> None:
        """Run every phase that is due at ``now_ns``, server time."""
        while self._close_due(now_ns) or self._late_due(now_ns) or self._open_due(now_ns):
            continue

    def _close_due(self, now_ns: int) -> bool:
        bar = self._under_way
        if bar is None:
            return False
        missing = [symbol for symbol in bar.own if symbol not in bar.closings]
        if missing and now_ns < max(bar.own.values()) + self._bar_ns + self._patience_ns:
            return False
        for symbol in missing:
            seen = bar.seen.get(symbol)
            if seen is None:
                return False  # not even its O is held any more (after a restart): its history will tell
            self._provisional[symbol] = seen
            bar.closings[symbol] = BarClosed(symbol, seen, CloseReason.CLOCK, False, True, now_ns)
        self._under_way = None
        self._acts.closed(bar.closings)
        return True

    def _late_due(self, now_ns: int) -> bool:
        heads = {symbol: next(iter(waiting.values())) for symbol, waiting in self._late.items() if waiting}
        if self._under_way is not None or not heads:
            return False
        own_ns = min(event.bar.open_ns for event in heads.values())
        if any(one.own_ns <= own_ns for one in self._prints.values()):
            return False  # that bar opens first
        group = {symbol: event for symbol, event in heads.items() if event.bar.open_ns == own_ns}
        oldest_ns = min(event.seen_ns for event in group.values())
        if not self._caught_up(own_ns, group) and now_ns < oldest_ns + self._patience_ns:
            return False
        for symbol in group:
            self._late[symbol].popitem(last=False)
        opens = {symbol: (own_ns, event.bar.open) for symbol, event in group.items()}
        self._open(own_ns, opens, False)
        self._acts.closed(group)
        return True

    def _caught_up(self, own_ns: int, group: Mapping[str, BarClosed]) -> bool:
        """Whether no other symbol may still hand over a bar of that time."""
        return all(
            symbol in group
            or symbol not in self._behind
            or self._acted[symbol] >= own_ns
            or bool(self._late[symbol])
            or symbol in self._prints
            for symbol in self._symbols
        )

    def _open_due(self, now_ns: int) -> bool:
        if self._under_way is not None or not self._prints:
            return False
        own_ns = min(one.own_ns for one in self._prints.values())
        if any(next(iter(waiting)) < own_ns for waiting in self._late.values() if waiting):
            return False  # older bars act first
        present = {symbol: one for symbol, one in self._prints.items() if one.own_ns == own_ns}
        awaited = [s for s in self._symbols if s not in present and self._may_print(s, own_ns)]
        if awaited and now_ns < min(one.at_ns for one in present.values()) + self._grace_ns:
            return False
        opens = {symbol: (own_ns, one.price) for symbol, one in present.items()}
        early = {symbol: event for symbol in present if (event := self._early.pop(symbol, None)) is not None}
        for symbol in present:
            del self._prints[symbol]
        self._under_way = self._open(own_ns, opens, now_ns < own_ns + self._bar_ns)
        self._under_way.closings.update(early)
        return True

    def _may_print(self, symbol: str, own_ns: int) -> bool:
        """Whether a symbol that has not printed may still do so in this bar: its session is open, its time not past."""
        printed = self._prints.get(symbol)
        if (printed is not None and printed.own_ns > own_ns) or self._acted[symbol] >= own_ns:
            return False
        return self._hours.get(symbol, AlwaysOpen()).is_open(own_ns)

    def _open(self, own_ns: int, opens: Mapping[str, tuple[int, float]], decide: bool) -> _UnderWay:
        """OPEN of a master bar at ``own_ns``, or a nanosecond behind the last one where that is later already."""
        late = own_ns <= self._last_ns
        self._last_ns = time_ns = self._last_ns + 1 if late else own_ns
        for symbol, (at_ns, _) in opens.items():
            self._acted[symbol] = at_ns
        self._acts.opened(time_ns, opens, decide and not late)
        return _UnderWay({symbol: at_ns for symbol, (at_ns, _) in opens.items()})
