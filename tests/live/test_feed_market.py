"""Sessions, quiet symbols, rolls, clocks, slow consumers and stopping: what the market and the user do to a feed."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from data.tradestation.bars import Interval, parse_time
from data.tradestation.clock import NS
from data.tradestation.emulator import (
    BarHabits,
    Emulator,
    Fault,
    FaultKind,
    Framing,
    Scenario,
    SymbolSpec,
)
from data.tradestation.emulator.tokens import GrantedTokens
from data.tradestation.events import (
    BarClosed,
    BarUpdated,
    CloseReason,
    FeedState,
    GapMarked,
    HistoryLoaded,
    RolledOver,
    StatusChanged,
)
from data.tradestation.history import HistoryCache, load_history, series_key
from data.tradestation.hours import SessionTimes
from data.tradestation.rest import TradeStationClient
from tests.live.harness import MINUTE, QUICK, RATE, figures, no_threads_of, running, unlike_truth

STREAM = "stream/barcharts"


def test_a_quiet_symbol_closes_its_bars_by_the_clock_and_is_not_stale() -> None:
    """Minutes without trades make no bar; the last one must not stay open until the next trade."""
    scenario = Scenario(
        rate=RATE,
        symbols=(SymbolSpec(symbol="ESH24", quiet=0.8),),
        bars=BarHabits(closed_frame=False, status_field=False),
    )
    with running(scenario) as (emulator, consumer):
        consumer.until_live()
        consumer.until(lambda: CloseReason.CLOCK in {c.reason for c in consumer.closings}, "a closing by the clock")
        consumer.until(lambda: consumer.feed.status.quiet, "the feed to ask and learn that nothing is newer")

        assert FeedState.STALE not in consumer.states
        assert FeedState.RECONNECTING not in consumer.states
        assert unlike_truth(emulator, consumer) == {}


def test_a_closed_market_is_neither_stale_nor_asked_about() -> None:
    """22:00 UTC is 17:00 New York; the last bar closes, then silence is as it should be."""
    scenario = Scenario(rate=RATE, session="cme", start="2024-03-06T21:58:30Z", bars=BarHabits(closed_frame=False))
    hours = SessionTimes([parse_time("2024-03-05T23:00:00Z")], [parse_time("2024-03-06T22:00:00Z")])
    with running(scenario, hours=hours) as (emulator, consumer):
        consumer.until_live()
        last = parse_time("2024-03-06T22:00:00Z")
        consumer.until(lambda: last in consumer.bars, "the session's last bar")
        asked = len(emulator.requests)
        emulator.clock.wait(threading.Event(), 400.0)
        consumer.drain()

        assert consumer.closings[-1].reason is CloseReason.CLOCK
        assert len(emulator.requests) == asked
        assert consumer.feed.status.state is FeedState.LIVE
        assert not consumer.feed.status.session_open
        assert unlike_truth(emulator, consumer) == {}


def test_a_session_that_begins_again_goes_on_without_a_reconnect() -> None:
    scenario = Scenario(rate=1200.0, session="cme", start="2024-03-06T21:58:30Z")
    hours = SessionTimes(
        [parse_time("2024-03-05T23:00:00Z"), parse_time("2024-03-06T23:00:00Z")],
        [parse_time("2024-03-06T22:00:00Z"), parse_time("2024-03-07T22:00:00Z")],
    )
    patient = replace(QUICK, silence_s=600.0, mute_s=900.0, grace_s=60.0)
    with running(scenario, hours=hours, settings=patient) as (emulator, consumer):
        first = parse_time("2024-03-06T23:01:00Z")
        consumer.until(lambda: first in consumer.bars, "the next session's first bar")
        consumer.until_closed(2)

        assert sum(STREAM in request for request in emulator.requests) == 1
        assert unlike_truth(emulator, consumer) == {}


ROLLING = SymbolSpec(symbol="@ES", root="ES", contracts=("ESH24", "ESM24"), rolls_at=(200.0,), roll_gap=40)


def test_a_roll_is_told_and_all_history_is_loaded_anew() -> None:
    """Back-adjusted history shifts as a whole; nothing is appended across a roll."""
    settings = replace(QUICK, roll_check_s=30.0)
    with running(Scenario(rate=RATE, symbols=(ROLLING,)), symbol="@ES", settings=settings) as (emulator, consumer):
        consumer.until_live()
        consumer.until(lambda: bool(consumer.of(RolledOver)), "the roll")
        consumer.until(lambda: len(consumer.of(HistoryLoaded)) == 2, "history of the new contract")
        consumer.until_closed(2)

        assert consumer.of(RolledOver) == [RolledOver("@ES", "ESH24", "ESM24")]
        before, after = (event for event in consumer.events if isinstance(event, HistoryLoaded))
        assert (before.underlying, after.underlying) == ("ESH24", "ESM24")
        old = {bar.close_ns: bar.close for bar in before.bars}
        shifts = {bar.close - old[bar.close_ns] for bar in after.bars if bar.close_ns in old}
        assert shifts == {10.0}
        assert unlike_truth(emulator, consumer, "@ES") == {}


def test_a_roll_during_an_outage_is_noticed_on_reconnecting() -> None:
    outage = (Fault(kind=FaultKind.CUT, at=150.0, path=STREAM), Fault(kind=FaultKind.UNAVAILABLE, at=150.0, times=12))
    with running(Scenario(rate=RATE, symbols=(ROLLING,), faults=outage), symbol="@ES") as (emulator, consumer):
        consumer.until(lambda: bool(consumer.of(RolledOver)), "the roll")
        consumer.until_live()
        consumer.until_closed(2)

        assert unlike_truth(emulator, consumer, "@ES") == {}


def test_the_cache_is_used_within_a_contract_and_never_across_a_roll(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Emulator(Scenario(rate=1200.0, symbols=(replace(ROLLING, rolls_at=(1200.0,)),))) as emulator:
        client = TradeStationClient(emulator.endpoints, GrantedTokens(emulator), emulator.clock)
        cache = HistoryCache(tmp_path, "emulated")
        first = load_history(client, "@ES", MINUTE, 300, "ESH24", None, cache)
        kept = cache.read(series_key("@ES", MINUTE, "ESH24", None), MINUTE)
        with monkeypatch.context() as patch:
            patch.setattr(client, "last_bars", None)  # the whole history must not be asked for again
            again = load_history(client, "@ES", MINUTE, 300, "ESH24", None, cache)
        emulator.clock.wait(threading.Event(), 1200.0 - emulator.clock.monotonic() + 60.0)
        rolled = load_history(client, "@ES", MINUTE, 300, "ESM24", None, cache)
        stale = load_history(client, "@ES", MINUTE, 300, "ESH24", None, cache)
        client.close()

        assert [figures(bar) for bar in kept] == [figures(bar) for bar in first[:-1]]
        assert len(again) == 300
        by_stamp = {bar.close_ns: bar.close for bar in first[:-1]}
        assert {bar.close - by_stamp[bar.close_ns] for bar in rolled if bar.close_ns in by_stamp} == {10.0}
        fresh = {bar.close_ns: figures(bar) for bar in rolled[:-1]}
        both = [bar for bar in stale[:-1] if bar.close_ns in fresh]
        assert len(both) > 100
        assert all(figures(bar) == fresh[bar.close_ns] for bar in both), "a kept series that shifted must not be used"


@pytest.mark.parametrize("offset", [-4.0, 7.0, 5_400.0])
def test_the_clock_skew_is_measured_and_bars_close_right_in_spite_of_it(offset: float) -> None:
    """From the Date header at first, from heartbeats then."""
    scenario = Scenario(rate=60.0, clock_offset_s=offset)
    with running(scenario, settings=replace(QUICK, silence_s=30.0)) as (emulator, consumer):
        consumer.until_live()
        consumer.until_closed(2)
        skew = consumer.feed.status.skew_s

        assert skew is not None
        assert abs(skew - offset) < 2.0
        assert consumer.closings[-1].opened_live
        assert unlike_truth(emulator, consumer) == {}


def test_delayed_data_are_shown_as_delayed() -> None:
    with running(Scenario(rate=RATE, symbols=(SymbolSpec(symbol="ESH24", delayed=True),))) as (_, consumer):
        consumer.until_live()

        assert consumer.feed.status.state is FeedState.DELAYED
        assert FeedState.LIVE not in consumer.states


@pytest.mark.parametrize("interval", [Interval(5), Interval(15)], ids=lambda i: i.label)
def test_longer_bars_are_built_likewise(interval: Interval) -> None:
    framing = Framing(heartbeat_s=600.0)
    scenario = Scenario(rate=interval.minutes * RATE / 2, history_days=20.0, framing=framing)
    patient = replace(QUICK, silence_s=3600.0, mute_s=7200.0, grace_s=300.0)
    with running(scenario, interval=interval, settings=patient) as (emulator, consumer):
        consumer.until_live()
        consumer.until_closed(2)

        assert unlike_truth(emulator, consumer) == {}


def test_frames_that_come_too_fast_leave_a_gap_mark_and_are_fetched_anew() -> None:
    """Bounded queues mark a gap and refetch; nothing is dropped in silence."""
    settings = replace(QUICK, inbox=3)
    slow = Fault(kind=FaultKind.SLOW_HEADERS, path="v3/marketdata/barcharts", seconds=240.0)
    framing = Framing(heartbeat_s=5.0)
    with running(Scenario(rate=RATE, framing=framing), settings=settings) as (emulator, consumer):
        consumer.until_live()
        consumer.until_closed(1)
        emulator.inject(slow)
        emulator.inject(Fault(kind=FaultKind.GOAWAY_V3, path=STREAM))
        marks = "faster than they were taken in"
        consumer.until(
            lambda: any(marks in e.reason for e in consumer.events if isinstance(e, GapMarked)), "a gap mark"
        )
        consumer.until_live()
        consumer.until_closed(2)

        assert unlike_truth(emulator, consumer) == {}


def test_a_consumer_that_comes_late_sees_a_gap_mark_and_then_every_closing() -> None:
    with running(Scenario(rate=RATE), settings=replace(QUICK, outbox=3)) as (emulator, consumer):
        consumer.until_live()
        told = len(consumer.closings)
        emulator.clock.wait(threading.Event(), 600.0)
        consumer.drain()

        assert len(consumer.closings) - told >= 8
        assert any("consumer" in event.reason for event in consumer.events if isinstance(event, GapMarked))
        assert unlike_truth(emulator, consumer) == {}


def test_moves_of_the_open_bar_are_coalesced() -> None:
    with running(Scenario(rate=RATE, bars=BarHabits(updates_per_minute=30))) as (emulator, consumer):
        consumer.until_live()
        begun = emulator.clock.monotonic()
        emulator.clock.wait(threading.Event(), 50.0)
        events = consumer.feed.drain()
        minutes = (emulator.clock.monotonic() - begun) / 60.0

        assert sum(isinstance(event, BarUpdated) for event in events) <= 1
        assert sum(isinstance(event, BarClosed) for event in events) <= minutes + 2


def test_reconnect_keeps_bars_and_reload_begins_anew() -> None:
    """Two buttons."""
    with running(Scenario(rate=RATE)) as (emulator, consumer):
        consumer.until_live()
        consumer.feed.reconnect()
        consumer.until(lambda: sum(STREAM in r for r in emulator.requests) == 2, "a second stream")
        consumer.until_live()
        assert len(consumer.of(HistoryLoaded)) == 1

        consumer.feed.reload()
        consumer.until(lambda: len(consumer.of(HistoryLoaded)) == 2, "history again")
        consumer.until_closed(2)
        assert unlike_truth(emulator, consumer) == {}


HANGS = {
    "hanging stream": Fault(kind=FaultKind.HANG, path=STREAM, seconds=1e6),
    "slow headers of a stream": Fault(kind=FaultKind.SLOW_HEADERS, path=STREAM, seconds=1e6),
    "slow headers of a request": Fault(kind=FaultKind.SLOW_HEADERS, path="v3/marketdata/barcharts", seconds=1e6),
}


@pytest.mark.parametrize("hang", HANGS)
def test_stopping_never_waits_for_a_line_that_hangs(hang: str) -> None:
    """No timeout of ours helps within the test."""
    patient = replace(QUICK, silence_s=1e5)
    with running(Scenario(rate=1.0, faults=(HANGS[hang],)), settings=patient) as (emulator, consumer):
        consumer.until(lambda: not emulator.faults.pending, "the hang")

    assert no_threads_of(consumer.feed)


def test_the_status_names_attempt_and_wait() -> None:
    """Reconnecting (attempt n, next in s)."""
    scenario = Scenario(rate=RATE, faults=(Fault(kind=FaultKind.UNAVAILABLE, times=9),))
    with running(scenario) as (_, consumer):
        consumer.until(lambda: consumer.feed.status.attempt >= 2, "a second attempt")
        waits = [
            (e.status.attempt, e.status.retry_in)
            for e in consumer.events
            if isinstance(e, StatusChanged) and e.status.retry_in
        ]

        assert [attempt for attempt, _ in waits[:2]] == [1, 2]
        assert 3.75 <= waits[0][1] <= 5.0
        assert 7.5 <= waits[1][1] <= 10.0


def test_the_last_closing_is_in_the_status() -> None:
    with running(Scenario(rate=RATE)) as (emulator, consumer):
        consumer.until_closed(2)
        status = consumer.feed.status

        assert status.last_closed_ns is not None
        assert status.last_closed_ns >= consumer.closings[-1].bar.close_ns
        assert status.last_byte_ns is not None
        assert abs(emulator.now_ns() - status.last_byte_ns) < 3600 * NS
