"""The hub: several symbols, signals in the drainer's thread, one stop for all."""

import random
import threading

import pytest

from data.errors import CalendarError
from data.tradestation import BarClosed, HistoryLoaded, LiveFeed, StatusChanged, Subscription, TradeStationClient
from data.tradestation.emulator import Emulator, Fault, FaultKind, Scenario, SymbolSpec
from data.tradestation.emulator.tokens import GrantedTokens
from data.tradestation.events import FeedState
from tests.live.harness import MINUTE, QUICK, RATE
from tests.live.sessions import wait

SCENARIO = Scenario(rate=RATE, symbols=(SymbolSpec(symbol="ESH24"), SymbolSpec(symbol="NQH24", price=15000.0)))
ES, NQ = Subscription("ESH24", MINUTE, 30), Subscription("NQH24", MINUTE, 30, calendar="CME_Equity_Index")


def hub(emulator: Emulator) -> LiveFeed:
    client = TradeStationClient(emulator.endpoints, GrantedTokens(emulator), emulator.clock)
    return LiveFeed(client, random.Random(1), settings=QUICK)


def test_signals_arrive_in_the_thread_that_drains() -> None:
    with Emulator(SCENARIO) as emulator:
        live = hub(emulator)
        threads: set[threading.Thread] = set()
        closed: list[BarClosed] = []
        loaded: list[HistoryLoaded] = []
        states: list[StatusChanged] = []
        live.bar_closed.connect(closed.append)
        live.bar_closed.connect(lambda _: threads.add(threading.current_thread()))
        live.history_loaded.connect(loaded.append)
        live.status_changed.connect(states.append)
        live.subscribe(ES)
        live.subscribe(NQ)
        wait(live.drain, lambda: {event.symbol for event in closed} == {"ESH24", "NQH24"}, "a closing of each")
        statuses = live.statuses()
        live.stop()

        assert threads == {threading.current_thread()}
        assert {event.symbol for event in loaded} == {"ESH24", "NQH24"}
        assert {status.state for status in statuses.values()} == {FeedState.LIVE}
        assert states


def test_one_symbol_that_fails_leaves_the_others_alone() -> None:
    with Emulator(SCENARIO) as emulator:
        live = hub(emulator)
        live.subscribe(ES)
        bad = live.subscribe(Subscription("NOPE", MINUTE, 30))
        wait(live.statuses, lambda: live.statuses()[ES].state is FeedState.LIVE, "the good one")
        wait(live.statuses, lambda: bad.status.state is FeedState.FAILED, "the bad one")
        reason = bad.status.reason
        live.stop()

        assert "NOPE" in reason
        assert "spelling" in reason


def test_subscribing_twice_gives_one_feed_and_unsubscribing_ends_it() -> None:
    with Emulator(SCENARIO) as emulator:
        live = hub(emulator)
        feed = live.subscribe(ES)
        assert live.subscribe(ES) is feed
        live.unsubscribe(ES)
        live.unsubscribe(ES)

        assert feed.status.state is FeedState.STOPPED
        assert live.feeds == {}
        live.stop()


def test_an_unknown_calendar_is_said_at_once() -> None:
    with Emulator(SCENARIO) as emulator:
        live = hub(emulator)
        with pytest.raises(CalendarError, match="CME_Equty"):
            live.subscribe(Subscription("ESH24", MINUTE, 30, calendar="CME_Equty"))
        live.stop()


def test_one_stop_ends_feeds_that_hang_in_every_way() -> None:
    """No thread is left, though nothing here would time out by itself within the test."""
    faults = (
        Fault(kind=FaultKind.HANG, path="stream/barcharts", symbol="ESH24", seconds=1e6),
        Fault(kind=FaultKind.SLOW_HEADERS, path="v3/marketdata/barcharts", symbol="NQH24", seconds=1e6),
    )
    with Emulator(Scenario(rate=1.0, symbols=SCENARIO.symbols, faults=faults)) as emulator:
        live = hub(emulator)
        live.subscribe(ES)
        live.subscribe(NQ)
        wait(live.statuses, lambda: not emulator.faults.pending, "both to hang")
        live.stop()

        assert [t.name for t in threading.enumerate() if "H24" in t.name] == []
