"""One live session: feeds, and a paper account or a plain recording on them; whoever shows or logs it polls it.

Symbol details are asked for in a thread of their own, again and again until the service answers: no network at the
start is a state like another. Everything else happens in the thread that polls.
"""

import json
import logging
import math
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path

from psygnal import Signal

from data.errors import InstrumentError, LiveDataError, SignInError, SourceError
from data.instruments import AssetClass, Instrument
from data.json_text import parsed
from data.tradestation.clock import Clock
from data.tradestation.events import (
    BarUpdated,
    Event,
    FeedState,
    FeedStatus,
    StatusChanged,
)
from data.tradestation.live import LiveFeed, Subscription
from data.tradestation.quotes import Quote, QuoteFeed
from data.tradestation.recorder import Recorder
from data.tradestation.rest import MAX_QUOTES
from data.tradestation.skew import WARN_S
from engine.config import BacktestConfig
from engine.errors import ConfigError, SaveError
from engine.live.behind import Behind
from engine.live.details import ask_instruments
from engine.live.errands import Errands
from engine.live.section import LiveSection
from engine.paper import PaperAccount, PaperSettings, write_journal
from engine.paper.replay import MakeBot

LOG = logging.getLogger(__name__)
RETRY_S = 10.0
QUOTES_APART_S = 0.5
JOINING_S = 0.2
WRITING_S = 0.5
JOURNAL = "journal"
INSTRUMENTS = "instruments.json"


@dataclass(slots=True)
class _Details:
    """What the thread that asks for symbol details has come to."""

    instruments: list[Instrument] | None = None
    warnings: list[str] = field(default_factory=list)
    trouble: str = ""
    signed_out: bool = False
    refused: ConfigError | InstrumentError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A symbol on the watch list; ``traded`` by the account, or looked at only."""

    symbol: str
    tick_size: float
    calendar: str | None
    description: str
    traded: bool


class LiveSession:
    """Feeds of a configuration's symbols, and of others that are only looked at.

    Args:
        config, live: what is watched and traded.
        feed: feeds of one login, nothing subscribed yet; clock: market time.
        make_bot: a fresh bot with its exit; None: no account, bars are recorded only.
        folder: where all of it is kept.

    Attributes:
        account: None without a bot, and until the symbols' details are known.
        instruments: None until they are known.
        watched: symbols whose feeds run, by name; quotes: the newest of each.
        happened: every event, after the account has acted on it.
        told: a sentence about something that was asked for and could not be done.
    """

    happened = Signal(object)
    told = Signal(str)

    def __init__(
        self,
        config: BacktestConfig,
        live: LiveSection,
        feed: LiveFeed,
        clock: Clock,
        make_bot: MakeBot | None,
        folder: Path,
    ) -> None:
        self.config, self.live, self.feed, self.clock, self.folder = config, live, feed, clock, folder
        self.account: PaperAccount | None = None
        self.instruments: list[Instrument] | None = None
        self.make_bot = make_bot
        self._recorders: dict[str, Recorder] = {}
        self._behind = Behind("recording")
        self.watched: dict[str, Watched] = {}
        self.quotes: dict[str, Quote] = {}
        self.errands = Errands()
        self._quote_feed: QuoteFeed | None = None
        self._quotes_due, self._quotes_from = False, 0.0
        self._warned_of_clock = False
        self._stop, self._again = threading.Event(), threading.Event()
        self._details = _Details()
        self._asking = threading.Thread(target=self._ask, name="symbol details", daemon=True)
        for signal in (
            feed.history_loaded,
            feed.bar_updated,
            feed.bar_closed,
            feed.bar_corrected,
            feed.gap_marked,
            feed.rolled_over,
            feed.status_changed,
        ):
            signal.connect(self._take)

    # Control

    def start(self) -> None:
        """Begin: feeds subscribe once the details tell each symbol's calendar."""
        self._asking.start()

    def poll(self, most_s: float = math.inf) -> None:
        """Take in what happened; call it some tens of times a second.

        Args:
            most_s: after so many seconds what other feeds have to tell waits for the next call: fifty symbols bring
                their history at once, and a window must not stand still meanwhile.

        Raises:
            ConfigError: details and configuration contradict each other, or the account belongs to another one.
            InstrumentError: the service's details of a symbol lack its money facts.
            SaveError: the account cannot be kept in its folder.
        """
        if self.instruments is None:
            self._begin()
        self.errands.poll()
        until = time.monotonic() + most_s
        with nullcontext() if self.account is None else self.account.keeper.together():
            self._take_in(until)
        self._watch_clock()

    def _take_in(self, until: float) -> None:
        """What the feeds tell until then, quotes, and the passing of time."""
        self.feed.drain(lambda: time.monotonic() > until)
        if self._quotes_due and time.monotonic() >= self._quotes_from:
            self._renew_quotes()
        if self._quote_feed is not None:
            self.quotes.update({quote.symbol: quote for quote in self._quote_feed.drain()})
        if self.account is not None:
            self.account.pass_time(self.now_ns)

    def close(self) -> None:
        """End within about a second, however the lines hang; leave everything on disk."""
        self._stop.set()
        self._again.set()
        self.feed.client.abort()
        if self._quote_feed is not None:
            threading.Thread(target=self._quote_feed.stop, name="ending quotes", daemon=True).start()
        self.feed.stop()
        if self.account is not None:
            self.account.close()
            if self.account.run is not None:
                try:
                    write_journal(self.account.run, self.folder / JOURNAL)
                except OSError as error:
                    LOG.warning("the journal cannot be written: %s", error)
        # Joining the day's parts into one file must not hold up who closes a window.
        until = time.monotonic() + JOINING_S
        for symbol, recorder in self._recorders.items():
            self._behind.run(f"{symbol}: its parts could not be joined", _unless_late(recorder.close, until))
        if not self._behind.finish(WRITING_S):
            LOG.info("bars are still being written")
        if self._asking.is_alive():
            self._asking.join(1.0)

    def written(self, seconds: float) -> bool:
        """After ``close``: wait so long until all bars that were only watched are on disk; tells whether they are."""
        return self._behind.finish(seconds)

    # States

    @property
    def now_ns(self) -> int:
        """Server time, as well as it is known."""
        return self.clock.now_ns() + self.feed.client.skew.ns

    @property
    def statuses(self) -> dict[str, FeedStatus]:
        """State of every feed right now."""
        return {subscription.symbol: status for subscription, status in self.feed.statuses().items()}

    @property
    def trouble(self) -> str:
        """What stands in the way at the moment, a sentence; empty for nothing."""
        if self.instruments is None:
            return self._details.trouble
        return "" if self.account is None else self.account.keeper.trouble

    @property
    def signed_out(self) -> bool:
        """Whether somebody must sign in before anything goes on."""
        feeds = self.feed.statuses().values()
        return self._details.signed_out or any(one.state is FeedState.SIGNED_OUT for one in feeds)

    def ask_again(self) -> None:
        """Somebody signed in: do not wait for the next try."""
        self._again.set()
        self.feed.sign_in_changed()

    # Beginning

    def _ask(self) -> None:
        """Ask for the symbols' details until there is an answer."""
        while not self._stop.is_set():
            try:
                found, warnings = ask_instruments(self.config, self.feed.client)
            except (ConfigError, InstrumentError) as refused:
                self._details.refused = refused
                return
            except LiveDataError as error:
                if self._stop.is_set():
                    return
                if str(error) != self._details.trouble:
                    LOG.warning("%s; asking again every %.0f s", error, RETRY_S)
                self._details.trouble, self._details.signed_out = str(error), isinstance(error, SignInError)
                self.clock.wait(self._again, RETRY_S)
                self._again.clear()
                continue
            self._details.warnings, self._details.trouble, self._details.signed_out = warnings, "", False
            self._details.instruments = found
            return

    def _begin(self) -> None:
        if self._details.refused is not None:
            raise self._details.refused
        found = self._details.instruments
        if found is None:
            return
        self.instruments = found
        self._keep_details(found)
        for text in self._details.warnings:
            LOG.warning("%s", text)
        self._open_account(found)
        for one in found:
            self._watch(
                Watched(
                    symbol=one.symbol,
                    tick_size=one.tick_size,
                    calendar=one.calendar,
                    description="",
                    traded=self.make_bot is not None,
                )
            )

    def _watch_clock(self) -> None:
        """Say once that this machine's clock is wrong; bars are closed by the service's time whatever it shows."""
        skew_s = self.feed.client.skew.sure_seconds or 0.0
        wrong = abs(skew_s) > WARN_S
        if wrong and not self._warned_of_clock:
            behind = "behind" if skew_s > 0 else "ahead of"
            LOG.warning("this machine's clock is %.0f s %s the service's; set it by the network", abs(skew_s), behind)
        self._warned_of_clock = wrong

    # The watch list

    def watch(self, symbol: str) -> None:
        """Look at another symbol; what the service says of it is asked for aside."""
        if symbol and symbol not in self.watched:
            client = self.feed.client
            self.errands.run(
                f"details of {symbol}",
                lambda: client.symbols([symbol])[symbol],
                lambda facts: self._watch(
                    Watched(
                        symbol=symbol,
                        tick_size=facts.tick_size,
                        calendar=facts.calendar,
                        description=facts.description,
                        traded=False,
                    )
                ),
                lambda error: self.told.emit(str(error)),
            )

    def _watch(self, one: Watched) -> None:
        if one.symbol in self.watched and not one.traded:
            return  # asked for twice, or traded by the account since
        self.watched[one.symbol] = one
        if self.account is None or one.symbol not in self.account.symbols:
            self._record(one.symbol)
        self.feed.subscribe(self._subscription(one))
        self._quotes_due = True

    def _record(self, symbol: str) -> None:
        """Let the bars of a symbol be recorded; one that is watched again goes on with the recorder that it had."""
        if symbol in self._recorders:
            return
        try:
            self._recorders[symbol] = Recorder(self.folder / "bars", symbol, self.live.interval)
        except OSError as error:
            LOG.warning("%s: its bars are not recorded: %s", symbol, error.strerror or error)

    def unwatch(self, symbol: str) -> bool:
        """Look at a symbol no longer; False for one that the account trades."""
        one = self.watched.get(symbol)
        if one is None or one.traded:
            return False
        del self.watched[symbol]
        self.feed.unsubscribe(self._subscription(one))
        if symbol in self._recorders:
            self._behind.run(f"{symbol}: its parts could not be joined", self._recorders[symbol].close)
        self._quotes_due = True
        return True

    def search(self, text: str, found: Callable[[list[tuple[str, str]]], object]) -> None:
        """Symbols that begin like ``text``, as (name, description), handed to ``found`` by a later poll."""
        client = self.feed.client
        self.errands.run(
            f"search {text}",
            lambda: [(str(row.get("Name")), str(row.get("Description") or "")) for row in client.search(text)],
            found,
            lambda error: self.told.emit(str(error)),
        )

    def _renew_quotes(self) -> None:
        """One stream of quotes for all; symbols that come one after another wait for each other."""
        self._quotes_due, self._quotes_from = False, time.monotonic() + QUOTES_APART_S
        old, self._quote_feed = self._quote_feed, None
        if old is not None:
            threading.Thread(target=old.stop, name="ending quotes", daemon=True).start()
        names = list(self.watched)[:MAX_QUOTES]
        if names:
            silence_s = self.feed.settings.silence_s
            self._quote_feed = QuoteFeed(self.feed.client, names, rng=random.Random(len(names)), silence_s=silence_s)
            self._quote_feed.start()

    def _keep_details(self, found: Sequence[Instrument]) -> None:
        """Leave the contract facts for replays; a disk that refuses is told by the account's own writing."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            text = json.dumps([asdict(one) for one in found], indent=1)
            (self.folder / INSTRUMENTS).write_text(text, encoding="utf-8")
        except OSError as error:
            LOG.warning("%s cannot be written: %s", self.folder / INSTRUMENTS, error.strerror or error)

    def _subscription(self, one: Watched) -> Subscription:
        return Subscription(
            one.symbol, self.live.interval, self.live.history_bars, self.live.session_template, one.calendar
        )

    def _open_account(self, instruments: Sequence[Instrument]) -> None:
        if self.make_bot is None:
            return
        patience = PaperSettings(open_grace_s=self.live.open_grace, patience_s=self.live.patience)
        try:
            self.account = PaperAccount(
                self.config, instruments, self.live.interval, self.make_bot, self.folder, patience
            )
        except OSError as error:
            raise SaveError(
                f"{self.folder}: no account can be kept there: {error.strerror or error}; make room, or give another "
                "--folder"
            ) from error

    # What the feeds tell

    def _take(self, event: Event) -> None:
        if isinstance(event, StatusChanged):
            _log_status(event.status)
        if self.account is not None:
            self.account.take(event, self.now_ns)
        if event.symbol in self._recorders and not isinstance(event, BarUpdated | StatusChanged):
            recorder, now_ns = self._recorders[event.symbol], self.now_ns
            self._behind.run(f"{event.symbol}: a bar could not be recorded", lambda: recorder.take(event, now_ns))
        self.happened.emit(event)


def _unless_late(work: Callable[[], object], until: float) -> Callable[[], object]:
    return lambda: work() if time.monotonic() < until else None


def _log_status(status: FeedStatus) -> None:
    again = f", attempt {status.attempt}, next in {status.retry_in:.0f} s" if status.retry_in else ""
    why = f": {status.reason}" if status.reason else ""
    LOG.info("%s %s%s%s", status.symbol, status.state, why, again)


def read_instruments(folder: Path) -> list[Instrument] | None:
    """Contract facts that a session has left in its folder; None where there are none.

    Raises:
        SourceError: the file is damaged.
    """
    path = folder / INSTRUMENTS
    if not path.is_file():
        return None
    try:
        rows = parsed(path.read_bytes())
        return [Instrument(**(row | {"asset_class": AssetClass(row["asset_class"])})) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SourceError(
            f"{path} cannot be read: {error}; go on with the account once, which writes it anew"
        ) from error


def describe_run(session: LiveSession, say: Callable[[str], object]) -> None:
    """Say where the account stands, a line."""
    run = None if session.account is None else session.account.run
    if run is None:
        return
    portfolio = run.engine.get_portfolio()
    held = ", ".join(f"{one.symbol} {one.quantity:+g} @ {one.average:g}" for one in run.engine.get_positions())
    fills = run.engine.tables.count("fills")
    say(f"{run.next_bar} bars, {fills} fills, equity {portfolio.equity:,.2f}, {held or 'flat'}")
