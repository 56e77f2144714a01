"""The small deciding parts: backoff, windows, skew, hours, queues, frames, sockets."""

import logging
import random
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import CalendarError, QuotaError
from data.sessions import SessionCalendar
from data.tradestation.bars import LiveBar, parse_time
from data.tradestation.clock import NS, ScaledClock, SystemClock
from data.tradestation.events import (
    BarClosed,
    BarCorrected,
    BarUpdated,
    CloseReason,
    Event,
    FeedState,
    FeedStatus,
    GapMarked,
    HistoryLoaded,
    StatusChanged,
)
from data.tradestation.frames import (
    Content,
    EndSnapshot,
    GoAway,
    Heartbeat,
    LineSplitter,
    StreamFault,
    Unreadable,
    parse_line,
)
from data.tradestation.hours import AlwaysOpen, CalendarHours, SessionTimes
from data.tradestation.limiter import Category, FixedWindows, Quota
from data.tradestation.outbox import Outbox
from data.tradestation.reconnect import Backoff, ReconnectPolicy
from data.tradestation.skew import SkewEstimate
from data.tradestation.stream import Inbox, Received, StreamEndedError
from data.tradestation.transport import SocketRegister
from data.tradestation.worker import StreamWorker

# ------------------------------------------------------------------------------------------------- backoff


def policy(**settings: float) -> ReconnectPolicy:
    return ReconnectPolicy(random.Random(3), Backoff(**settings))


def test_delays_double_from_one_second_to_a_minute() -> None:
    made = policy(jitter=0.0)

    assert [made.failed(0.0) for _ in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert made.attempt == 9


@given(st.integers(0, 2**32))
def test_jitter_only_shortens_and_by_a_quarter_at_most(seed: int) -> None:
    made = ReconnectPolicy(random.Random(seed))
    delays = [made.failed(0.0) for _ in range(8)]

    for delay, full in zip(delays, [1, 2, 4, 8, 16, 32, 60, 60], strict=True):
        assert 0.75 * full <= delay <= full


def test_a_stable_minute_forgets_failures_and_a_shorter_one_does_not() -> None:
    made = policy(jitter=0.0)
    made.failed(0.0)
    made.failed(1.0)
    made.connected(10.0)
    assert made.failed(69.0) == 4.0
    made.connected(100.0)
    made.healthy(160.0)
    assert made.attempt == 0
    assert made.failed(161.0) == 1.0


def test_one_farewell_is_followed_at_once_and_a_second_one_is_not() -> None:
    made = policy(jitter=0.0)

    assert [made.failed(0.0, farewell=True), made.failed(0.0, farewell=True)] == [0.0, 1.0]


# ------------------------------------------------------------------------------------------------- windows


class HandClock(SystemClock):
    def __init__(self) -> None:
        self.time = 0.0

    def monotonic(self) -> float:
        return self.time


def test_a_window_is_fixed_from_its_first_request_on() -> None:
    """Not a sliding one."""
    clock = HandClock()
    windows = FixedWindows(clock, {Category.QUOTES: Quota(2, 60.0), Category.BARS: Quota(1, 60.0)})
    windows.acquire(Category.QUOTES)
    clock.time = 59.0
    windows.acquire(Category.QUOTES)
    with pytest.raises(QuotaError) as caught:
        windows.acquire(Category.QUOTES)
    assert caught.value.retry_in == 1.0
    windows.acquire(Category.BARS)

    clock.time = 60.0
    windows.acquire(Category.QUOTES)
    windows.acquire(Category.QUOTES)


def test_a_refusal_by_the_service_closes_the_window_until_its_end() -> None:
    clock = HandClock()
    windows = FixedWindows(clock, {Category.QUOTES: Quota(30, 60.0)})
    windows.acquire(Category.QUOTES)
    clock.time = 20.0
    assert windows.refused(Category.QUOTES, None) == 40.0
    assert windows.refused(Category.QUOTES, 5.0) == 5.0
    assert windows.refused(Category.QUOTES, 0.0) == 1.0, "a service that says at once, and refuses, is not stormed"
    with pytest.raises(QuotaError):
        windows.acquire(Category.QUOTES)
    clock.time = 25.0
    windows.acquire(Category.QUOTES)


# ---------------------------------------------------------------------------------------------- skew, hours


def test_the_largest_heartbeat_sample_is_the_skew_because_latency_only_lowers_it() -> None:
    skew = SkewEstimate()
    assert skew.seconds is None
    skew.date(100 * NS, 98 * NS, 99 * NS)
    assert skew.seconds == 2.0
    for latency in (0.9, 0.1, 0.5):
        skew.heartbeat(100 * NS, int((97.0 + latency) * NS))
    assert skew.seconds == pytest.approx(2.9)
    assert skew.ns == pytest.approx(2.9e9)


def test_the_date_of_the_quickest_answer_is_the_skew_and_slow_answers_warn_of_nothing() -> None:
    skew = SkewEstimate()
    sure: list[float | None] = []
    for asked, received in ((90, 98), (98, 99), (91, 99)):
        skew.date(100 * NS, asked * NS, received * NS)
        sure.append(skew.sure_seconds)

    assert sure == [None, 2.0, 2.0]
    assert skew.seconds == 2.0


def test_heartbeats_long_under_way_are_not_taken_for_a_clock_that_is_ahead() -> None:
    """A line that stalls, or a demo at two hundred times the speed, makes every heartbeat late."""
    late, wrong = SkewEstimate(), SkewEstimate()
    late.date(100 * NS, 100 * NS, 101 * NS)
    wrong.date(100 * NS, 105 * NS, 106 * NS)
    for skew in (late, wrong):
        skew.heartbeat(100 * NS, 105 * NS)

    assert late.sure_seconds is None
    assert wrong.sure_seconds == -5.0
    late.heartbeat(106 * NS, 106 * NS)
    assert late.sure_seconds == 0.0


def test_open_seconds_leave_out_what_lies_between_sessions() -> None:
    hours = SessionTimes([10 * NS, 40 * NS], [20 * NS, 50 * NS])

    assert [hours.is_open(t * NS) for t in (9, 10, 19, 20, 45)] == [False, True, True, False, True]
    assert hours.open_seconds(15 * NS, 45 * NS) == 10.0
    assert hours.open_seconds(20 * NS, 40 * NS) == 0.0
    assert AlwaysOpen().open_seconds(15 * NS, 45 * NS) == 30.0


def test_hours_follow_a_session_calendar_its_breaks_and_weekends() -> None:
    """S7.4: CME from 18:00 to 17:00 New York; Friday evening to Sunday evening is closed."""
    hours = CalendarHours(SessionCalendar.named("CME_Equity_Index"))
    friday, sunday = parse_time("2024-03-08T21:30:00Z"), parse_time("2024-03-10T22:30:00Z")

    assert hours.is_open(parse_time("2024-03-06T21:59:00Z"))
    assert not hours.is_open(parse_time("2024-03-06T22:30:00Z"))
    assert hours.is_open(parse_time("2024-03-06T23:00:00Z"))
    assert hours.open_seconds(friday, sunday) == 1800.0 + 1800.0
    assert hours.open_seconds(0, parse_time("2024-03-06T15:00:00Z")) > 86_400.0


def test_hours_that_a_calendar_does_not_have_are_an_error_every_time(tmp_path: Path) -> None:
    hours = CalendarHours(SessionCalendar.named("NYSE", overrides=tmp_path / "none.yaml", cache_dir=tmp_path))

    for _ in range(2):
        with pytest.raises(CalendarError, match="cannot be read"):
            hours.is_open(parse_time("2024-03-06T15:00:00Z"))


def test_market_time_runs_faster_and_can_be_wrong() -> None:
    clock = ScaledClock(1_000 * NS, 100.0)
    wrong = clock.shifted(-3.0)

    assert clock.real_seconds(50.0) == 0.5
    assert abs((clock.now_ns() - wrong.now_ns()) / NS - 3.0) < 2.0
    assert not clock.wait(threading.Event(), 0.1)


# -------------------------------------------------------------------------------------------------- queues


def live_bar(number: int, close: float = 1.0) -> LiveBar:
    return LiveBar((number - 1) * NS, number * NS, 1.0, max(1.0, close), 1.0, close, 1.0)


class Memory:
    """A feed's memory and outbox, as ``SymbolFeed`` joins them."""

    def __init__(self, capacity: int) -> None:
        self.closings: dict[int, BarClosed] = {}
        self.outbox = Outbox("ES", capacity, threading.RLock(), self.after)

    def after(self, close_ns: int) -> list[BarClosed]:
        return [closing for key, closing in sorted(self.closings.items()) if key > close_ns]

    def close(self, number: int) -> None:
        closing = BarClosed("ES", live_bar(number), CloseReason.STATUS, False, True, 0)
        self.closings[closing.bar.close_ns] = closing
        self.outbox.put(closing)


def told(events: list[Event]) -> list[int]:
    return [e.bar.close_ns // NS for e in events if isinstance(e, BarClosed)]


@given(st.integers(1, 5), st.lists(st.integers(0, 6), max_size=12))
def test_every_closing_reaches_the_consumer_once_whatever_fits(capacity: int, bursts: list[int]) -> None:
    memory = Memory(capacity)
    number, seen = 0, []
    for burst in bursts:
        for _ in range(burst):
            number += 1
            memory.close(number)
        seen += told(memory.outbox.drain())

    assert seen == list(range(1, number + 1))


def test_an_overflow_keeps_history_state_and_corrections_of_what_was_told() -> None:
    memory = Memory(2)
    memory.close(1)
    memory.outbox.drain()
    loaded = HistoryLoaded("ES", (live_bar(1),), None)
    state = StatusChanged("ES", FeedStatus("ES", FeedState.STALE))
    memory.outbox.put(loaded)
    for number in (2, 3, 4):
        memory.close(number)
    correction = BarCorrected("ES", live_bar(1), live_bar(1, 2.0), 0)
    memory.outbox.put(correction)
    memory.outbox.put(state)
    events = memory.outbox.drain()

    assert events[:4] == [loaded, state, correction, GapMarked("ES", NS, "the consumer came too late")]
    assert told(events) == [2, 3, 4]


def test_only_the_newest_move_of_the_open_bar_waits() -> None:
    memory = Memory(10)
    memory.outbox.put(BarUpdated("ES", live_bar(1, 2.0)))
    memory.outbox.put(BarUpdated("ES", live_bar(1, 3.0)))
    assert memory.outbox.drain() == [BarUpdated("ES", live_bar(1, 3.0))]

    memory.outbox.put(BarUpdated("ES", live_bar(1, 4.0)))
    memory.close(1)
    assert told(memory.outbox.drain()) == [1]
    assert memory.outbox.drain() == []


def received(text: str) -> Received:
    return Received(Unreadable(text), 0)


def test_a_full_inbox_forgets_and_says_so_once() -> None:
    inbox = Inbox(2)
    for text in "abc":
        inbox.put(received(text))
    inbox.put(received("d"))

    assert inbox.get(0.0) is None
    assert inbox.take_overflow()
    assert not inbox.take_overflow()
    inbox.put(received("e"))
    assert inbox.get(0.0) == received("e")


def test_what_came_before_the_end_is_read_before_it() -> None:
    inbox = Inbox(2)
    inbox.put(received("a"))
    inbox.end(StreamEndedError("over"))

    assert inbox.get(0.0) == received("a")
    with pytest.raises(StreamEndedError, match="over"):
        inbox.get(0.0)


# -------------------------------------------------------------------------------------------------- frames


@pytest.mark.parametrize(
    ("line", "frame"),
    [
        ('{"Heartbeat":3,"Timestamp":"1970-01-01T00:00:02Z"}', Heartbeat(2 * NS)),
        ('{"Heartbeat":3,"Timestamp":"soon"}', Heartbeat(None)),
        ('{"StreamStatus":"GoAway"}', GoAway()),
        ('{"Error":"GoAway","Message":"The server is about to shut down."}', GoAway()),
        ('{"StreamStatus":"EndSnapshot"}', EndSnapshot()),
        ('{"Symbol":"AAPL","Error":"DualLogon"}', StreamFault("DualLogon", "", "AAPL")),
        ('{"Error":"InternalServerError","Message":"oops"}', StreamFault("InternalServerError", "oops")),
        ("ERROR - FAILED, EX_NOT_ENTITLED", StreamFault("Forbidden", "ERROR - FAILED, EX_NOT_ENTITLED")),
        ("ERROR - RESET", Unreadable("ERROR - RESET")),
        ("END", Unreadable("END")),
        ("[1, 2]", Unreadable("[1, 2]")),
        ('{"Close":"1"}', Content({"Close": "1"})),
        ("  \r", None),
    ],
)
def test_every_shape_of_line_has_its_meaning(line: str, frame: object) -> None:
    """All shapes that the service is known to send."""
    assert parse_line(line.encode()) == frame


@given(st.lists(st.text(alphabet="aé€{}", max_size=6), max_size=8), st.data())
def test_lines_are_the_same_however_the_bytes_are_cut(lines: list[str], data: st.DataObject) -> None:
    whole = "".join(line + "\n" for line in lines).encode()
    splitter, found = LineSplitter(), []
    while whole:
        cut = data.draw(st.integers(1, len(whole)))
        found += splitter.feed(whole[:cut])
        whole = whole[cut:]

    assert found == [line.encode() for line in lines]


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 10 bytes"):
        LineSplitter(max_line=10).feed(b"x" * 11)


def test_sockets_connected_after_an_abort_are_shut_too() -> None:
    one, two = socket.socketpair()
    register = SocketRegister()
    register.abort()
    register.add(one)

    assert two.recv(1) == b""
    one.close()
    two.close()


class Broken(StreamWorker):
    """A feed with a fault of its own."""

    def _session(self) -> None:
        raise ZeroDivisionError("of our own, Bearer abcdefgh12345")

    def _told(self, status: FeedStatus) -> None:
        """Read from ``status``."""

    def _lost(self, reason: str) -> None:
        """Nothing to note."""


def test_an_error_of_our_own_fails_the_feed_and_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    feed = Broken("ES", SystemClock(), random.Random(1))
    with caplog.at_level(logging.ERROR):
        feed.start()
        feed._thread.join(5.0)

    assert feed.status.state is FeedState.FAILED
    assert "the log has it" in feed.status.reason
    assert "ZeroDivisionError: of our own" in caplog.text
    assert "abcdefgh12345" not in caplog.text
