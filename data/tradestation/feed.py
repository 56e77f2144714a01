"""One symbol's bars, live: history, stream, what was missed, and the state of it all.

A session: check which contract a continuous symbol stands for; load history if there is none (or the contract is
another one); open the stream; ask for the bars since the last closed one minus two while live copies wait; splice;
let the waiting copies in; go on live. Silence ends a session (``stream``); heartbeats without data make the feed ask
whether there is anything newer: if so the line is dead and the session ends, if not the symbol is quiet.
"""

import random
import threading
from collections.abc import Sequence

from data.errors import NetworkError, QuotaError, RequestError
from data.tradestation.assembler import BarAssembler, in_order
from data.tradestation.bars import BarUnit, Interval, LiveBar, MalformedBarError, bar_from_json
from data.tradestation.clock import NS
from data.tradestation.events import (
    BarClosed,
    CloseReason,
    Event,
    FeedState,
    FeedStatus,
    GapMarked,
    HistoryLoaded,
    RolledOver,
    StatusChanged,
)
from data.tradestation.frames import Content, Heartbeat, StreamFault, Unreadable
from data.tradestation.history import HistoryCache, load_history
from data.tradestation.hours import AlwaysOpen, TradingHours
from data.tradestation.limiter import Category
from data.tradestation.outbox import Outbox
from data.tradestation.patience import FeedSettings
from data.tradestation.rest import TradeStationClient
from data.tradestation.stream import LineStream, Received, StreamEndedError
from data.tradestation.worker import LOG, StreamWorker


class SymbolFeed(StreamWorker):
    """The live bars of one symbol; ``drain`` hands over what happened since the last call."""

    def __init__(
        self,
        client: TradeStationClient,
        symbol: str,
        interval: Interval,
        history_bars: int,
        *,
        rng: random.Random,
        hours: TradingHours | None = None,
        settings: FeedSettings | None = None,
        cache: HistoryCache | None = None,
        template: str | None = None,
    ) -> None:
        self._settings = FeedSettings() if settings is None else settings
        super().__init__(symbol, client.clock, rng, self._settings.backoff)
        self.interval = interval
        self._client = client
        self._hours: TradingHours = AlwaysOpen() if hours is None else hours
        self._history_bars = history_bars
        self._cache = cache
        self._template = template
        self._lock = threading.RLock()
        self._bars = BarAssembler(symbol, interval, self._settings.grace_s)
        self._outbox = Outbox(symbol, self._settings.outbox, self._lock, self._bars.closings_after)
        self._underlying: str | None = None
        self._contract_checked: float | None = None
        self._reload = threading.Event()
        self._last_data_ns: int | None = None
        self._asked_ns: int | None = None
        self._suspected_ns: int | None = None
        self._doubted = False
        self._ask_from_ns: int | None = None
        self._confirmed_ns = 0

    # --------------------------------------------------------------------------------- consumer's side

    def drain(self) -> list[Event]:
        """Events in order; call it regularly from one thread."""
        return self._outbox.drain()

    def closed_bars(self, count: int | None = None) -> tuple[LiveBar, ...]:
        """The last ``count`` closed bars as they are known now, corrections included."""
        with self._lock:
            return self._bars.closed_bars(count)

    def reload(self) -> None:
        """Forget all bars and load history anew."""
        self._reload.set()
        self.reconnect()

    def server_now_ns(self) -> int:
        """Server time, as well as it is known."""
        return self._clock.now_ns() + self._client.skew.ns

    # ---------------------------------------------------------------------------------------- session

    def _session(self) -> None:
        self._begin()
        self._check_contract()
        if self._reload.is_set() or self._bars.last_closed_ns is None:
            self._load_history()
        stream = self._opened()
        try:
            self._policy.connected(self._clock.monotonic())
            self._suspected_ns = None
            self._note_byte(self.server_now_ns())
            self._check_delay()
            self._catch_up(stream)
            self._set_live()
            while not self._stop.is_set():
                self._step(stream)
        finally:
            stream.stop()

    def _opened(self) -> LineStream:
        params = self.interval.query | {"barsback": str(self._settings.stream_back)}
        if self._template is not None:
            params["sessiontemplate"] = self._template
        return self._open(
            LineStream(
                self._client,
                Category.BAR_STREAM,
                f"{self._client.endpoints.api}/marketdata/stream/barcharts/{self.symbol}",
                params,
                what=f"bar stream of {self.symbol}",
                silence_s=self._settings.silence_s,
                capacity=self._settings.inbox,
            )
        )

    def _step(self, stream: LineStream) -> None:
        """Take in one frame, or let a little time pass."""
        self._heed()
        real = min(0.25, max(0.002, self._clock.real_seconds(0.5)))
        received = stream.inbox.get(real)
        if stream.inbox.take_overflow():
            self._tell(self._gap("frames came faster than they were taken in"))
            self._catch_up(stream)
            self._set_live()
        if received is not None:
            was_stale, newest_ns = self.status.state is FeedState.STALE, self._bars.newest_ns
            for event in self._take(received):
                self._tell(event)
            self._ask_where_doubtful(was_stale and self.status.state is not FeedState.STALE, newest_ns)
        self._pass_time(idle=received is None)

    def _ask_where_doubtful(self, was_stale: bool, before_ns: int | None) -> None:
        """A bar begins behind one that no Closed copy ended: ask whether that had more to come.

        A request that fails is made again with the next bar; after a stale time its failure ends the session.
        """
        newest_ns = self._bars.newest_ns
        if was_stale:
            self._splice()
        if before_ns is not None and newest_ns != before_ns and self._doubted and self.interval.unit is BarUnit.MINUTE:
            self._reconcile("whether bars were left out")

    def _reconcile(self, what: str, before_ns: int | None = None) -> None:
        """Compare the bars since the last request with the service's; what cannot be asked now stays doubted."""
        self._doubted = True
        try:
            self._splice(before_ns)
        except (NetworkError, QuotaError) as error:
            LOG.info("%s: %s could not be asked: %s", self.symbol, what, error)

    def _pass_time(self, *, idle: bool) -> None:
        now_ns = self.server_now_ns()
        if idle:  # copies that wait may still say more about the bar whose time is over
            with self._lock:
                for event in self._bars.tick(now_ns, self.status.last_byte_ns, self._hours.is_open):
                    self._tell(event)
        self._watch_data(now_ns)
        self._check_bars_again(now_ns)
        self._check_contract_again()

    def _check_bars_again(self, now_ns: int) -> None:
        """Ask after a long time without asking, counted in open market."""
        due_s = self._settings.reconcile_s
        if now_ns - self._confirmed_ns < int(due_s * NS):
            return
        if self._hours.open_seconds(self._confirmed_ns, now_ns) >= due_s:
            self._confirmed_ns = now_ns  # if it fails, the next bar asks
            self._reconcile("whether all bars are right")

    # ----------------------------------------------------------------------------------------- frames

    def _take(self, received: Received, *, buffered: bool = False) -> list[Event]:
        """The events of one frame; raises what ends the session."""
        frame = received.frame
        server_ns = received.received_ns + self._client.skew.ns
        self._note_byte(server_ns)
        if isinstance(frame, Content):
            return self._take_bar(frame, server_ns, buffered)
        if isinstance(frame, Heartbeat) and frame.server_ns is not None:
            self._client.skew.heartbeat(frame.server_ns, received.received_ns)
        elif isinstance(frame, StreamFault):
            self._raise_fault(f"bar stream of {self.symbol}", frame)
        elif isinstance(frame, Unreadable):
            self._unreadable(frame.text)
        return []

    def _take_bar(self, frame: Content, server_ns: int, buffered: bool) -> list[Event]:
        bar = self._bar_of(frame)
        if bar is None:
            return []
        self._note_data(server_ns)
        if not buffered and self._may_have_rolled(bar):
            self._ask_for_contract()
        if not buffered and self._leaves_out(bar):
            self._reconcile("what lies between two bars", before_ns=bar.close_ns)
        with self._lock:
            return self._bars.update(bar, server_ns, buffered=buffered)

    def _leaves_out(self, bar: LiveBar) -> bool:
        """Whether it does not follow the newest one: quiet minutes, a pause, or bars that nobody has seen (a sleep)."""
        newest_ns = self._bars.newest_ns
        follows = newest_ns is None or bar.close_ns - newest_ns <= self.interval.bar_ns
        return not follows and self.interval.unit is BarUnit.MINUTE

    def _may_have_rolled(self, bar: LiveBar) -> bool:
        """Contracts change between sessions: the first bar behind a pause is told only once that has been asked."""
        newest_ns = self._bars.newest_ns
        pause_ns = int(self._settings.roll_pause_s * NS) + self.interval.bar_ns
        behind_pause = newest_ns is not None and bar.close_ns - newest_ns >= pause_ns
        return self.symbol.startswith("@") and (behind_pause or self._bars.moves_history(bar))

    def _bar_of(self, frame: Content) -> LiveBar | None:
        try:
            return bar_from_json(frame.row, self.interval)
        except MalformedBarError as error:
            self._unreadable(str(error))
            return None

    def _unreadable(self, text: str) -> None:
        LOG.warning("%s: cannot be used: %s", self.symbol, text)
        self._doubted = True  # what could not be read may have been a bar's end
        self._keep(unreadable=self.status.unreadable + 1)

    # ---------------------------------------------------------------------------- history and backfill

    def _load_history(self) -> None:
        self._set(FeedState.HISTORY, "loading history")
        bars = load_history(
            self._client, self.symbol, self.interval, self._history_bars, self._underlying, self._template, self._cache
        )
        with self._lock:
            self._bars.replace(bars, self.server_now_ns())
            closed = self._bars.closed_bars()
            self._confirm(bars)
            self._reload.clear()
            self._tell(HistoryLoaded(self.symbol, closed, self._underlying, self._bars.open_bar))

    def _catch_up(self, stream: LineStream) -> None:
        """Fill in what was missed, then let in the copies that waited meanwhile."""
        self._set(FeedState.HISTORY, "filling in")
        self._splice()
        waiting = self._waiting(stream)
        with self._lock:
            self._bars.watching_since_ns = self.server_now_ns()
            for frame in waiting:
                for event in self._bars.update(frame, self.server_now_ns(), buffered=True):
                    self._tell(event)
        if self._bars.take_doubt():
            self._splice()

    def _splice(self, before_ns: int | None = None) -> bool:
        """Ask for the bars since the last answer's newest but two; True if the service had a newer bar than we.

        ``before_ns``: of those, take in what is stamped before; the stream has just told of a later one.
        """
        first_ns = self._ask_from_ns
        newest_ns = self._bars.newest_ns
        if first_ns is None:
            bars = self._client.last_bars(self.symbol, self.interval, self._history_bars, self._template)
        else:
            bars = self._client.bars_between(self.symbol, self.interval, first_ns, template=self._template)
        if before_ns is not None:
            bars = [bar for bar in bars if bar.close_ns < before_ns]
        with self._lock:
            for event in self._bars.splice(bars, self.server_now_ns()):
                self._tell(event)
            self._confirm(bars)
        return bool(bars) and (newest_ns is None or bars[-1].close_ns > newest_ns)

    def _confirm(self, answer: Sequence[LiveBar]) -> None:
        """All bars so far are as the service has them now; one closed here that it still calls open stays doubted."""
        last_ns = self._bars.last_closed_ns
        self._ask_from_ns = self._bars.overlap_ns()
        self._confirmed_ns = self.server_now_ns()
        self._doubted = any(bar.close_ns == last_ns and bar.closed is False for bar in answer[-1:])

    def _waiting(self, stream: LineStream) -> list[LiveBar]:
        """Bars that came on the stream so far, its history complete, in order of their stamps."""
        bars: list[LiveBar] = []
        patience = self._clock.monotonic() + self._settings.settle_s
        settled = False
        while not self._stop.is_set():
            received = stream.inbox.get(0.0 if settled else self._clock.real_seconds(0.1))
            if received is None and (settled or self._clock.monotonic() > patience):
                break
            if received is None:
                continue
            if not isinstance(received.frame, Content):
                self._take(received, buffered=True)
                settled = settled or isinstance(received.frame, Heartbeat)
            elif (bar := self._bar_of(received.frame)) is not None:
                bars.append(bar)
                self._note_data(received.received_ns + self._client.skew.ns)
                settled = settled or bar.end_of_history
        return in_order(bars)

    # --------------------------------------------------------------------------------- data watchdog

    def _watch_data(self, now_ns: int) -> None:
        """Heartbeats, but no data for long in an open market: ask whether there is anything newer."""
        if self._suspected_ns is not None and now_ns - self._suspected_ns > int(self._settings.settle_s * NS):
            self._set(FeedState.STALE, "no data on the stream though the service has newer bars")
            raise StreamEndedError(f"bar stream of {self.symbol}: alive but mute")
        since_ns = max(self._last_data_ns or 0, self._asked_ns or 0)
        limit = max(self._settings.mute_s, self._settings.mute_bars * self.interval.bar_ns / NS)
        self._keep(session_open=self._hours.is_open(now_ns))
        if self._hours.open_seconds(since_ns, now_ns) < limit:
            return
        self._asked_ns = now_ns
        try:
            newer = self._splice()
        except (NetworkError, QuotaError) as error:
            self._set(FeedState.STALE, f"no data for {limit:.0f} s, and asking for them failed: {error}")
            return
        if newer:
            self._suspected_ns = now_ns  # unless the stream is just about to say the same
            return
        self._keep(quiet=True)
        self._set_live()

    # -------------------------------------------------------------------------------- contract (roll)

    def _check_contract(self) -> None:
        """Ask which contract a continuous symbol stands for; another one than before means all history anew."""
        if not self.symbol.startswith("@"):
            return
        facts = self._client.symbols([self.symbol])[self.symbol]
        self._contract_checked = self._clock.monotonic()
        before, self._underlying = self._underlying, facts.underlying
        self._keep(underlying=facts.underlying)
        if before is not None and facts.underlying is not None and before != facts.underlying:
            self._tell(RolledOver(self.symbol, before, facts.underlying))
            self._reload.set()

    def _check_contract_again(self) -> None:
        checked = self._contract_checked
        if checked is not None and self._clock.monotonic() - checked >= self._settings.roll_check_s:
            self._ask_for_contract()

    def _ask_for_contract(self) -> None:
        """End the session for a new one if the contract is another one now."""
        try:
            self._check_contract()
        except (NetworkError, QuotaError) as error:
            LOG.info("%s: the contract could not be asked for: %s", self.symbol, error)
            self._contract_checked = self._clock.monotonic()
        if self._reload.is_set():
            raise StreamEndedError(f"{self.symbol} stands for {self._underlying} now", farewell=True)

    def _check_delay(self) -> None:
        """Whether the exchange's data come late by contract; what cannot be asked stays as it was."""
        try:
            row = self._client.quotes([self.symbol]).get(self.symbol, {})
        except (NetworkError, QuotaError, RequestError) as error:
            LOG.info("%s: whether data are delayed could not be asked: %s", self.symbol, error)
            return
        self._keep(delayed=bool((row.get("MarketFlags") or {}).get("IsDelayed")))

    # ------------------------------------------------------------------------------------------ telling

    def _set_live(self) -> None:
        self._set(FeedState.DELAYED if self.status.delayed else FeedState.LIVE)

    def _note_byte(self, server_ns: int) -> None:
        self._keep(last_byte_ns=server_ns, skew_s=self._client.skew.seconds)

    def _note_data(self, server_ns: int) -> None:
        self._last_data_ns = server_ns
        self._suspected_ns = None
        self._keep(last_data_ns=server_ns, quiet=False)
        self._policy.healthy(self._clock.monotonic())
        if self.status.state is FeedState.STALE:
            self._set_live()

    def _tell(self, event: Event) -> None:
        if isinstance(event, BarClosed):
            self._keep(last_closed_ns=event.bar.close_ns)
            # No copy said that it was the last: the line may have been mute at its end. The next bar asks.
            self._doubted = self._doubted or event.reason in (CloseReason.CLOCK, CloseReason.LATER_BAR)
        self._outbox.put(event)

    def _told(self, status: FeedStatus) -> None:
        self._outbox.put(StatusChanged(self.symbol, status))

    def _gap(self, reason: str) -> GapMarked:
        return GapMarked(self.symbol, self._bars.last_closed_ns or 0, reason)

    def _lost(self, reason: str) -> None:
        with self._lock:
            self._bars.watching_since_ns = None
        if self._bars.last_closed_ns is not None:
            self._tell(self._gap(reason))
