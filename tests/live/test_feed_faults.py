"""What a consumer sees of each fault of the line; no closed bar is lost or told twice (``Consumer``, S17.2)."""

import pytest

from data.tradestation.emulator import BarHabits, Chunking, Fault, FaultKind, Framing, Scenario
from data.tradestation.events import BarCorrected, FeedState, GapMarked, StatusChanged
from data.tradestation.frames import LineSplitter
from tests.live.harness import RATE, Consumer, running, unlike_truth

STREAM = "stream/barcharts"

ENDINGS = [
    (FaultKind.GOAWAY_V2, "goes away"),
    (FaultKind.GOAWAY_V3, "goes away"),
    (FaultKind.CUT, "broke off"),
    (FaultKind.RESET, "reset"),
    (FaultKind.END, "ended the stream"),
    (FaultKind.STREAM_ERROR, "InternalServerError"),
]


def reasons(consumer: Consumer) -> list[str]:
    return [e.status.reason for e in consumer.events if isinstance(e, StatusChanged)]


@pytest.mark.parametrize(("kind", "reason"), ENDINGS, ids=[kind.value for kind, _ in ENDINGS])
def test_a_stream_that_ends_is_reopened_and_what_was_missed_is_filled_in(kind: FaultKind, reason: str) -> None:
    """S17.2: each way to end a stream; the consumer sees a gap mark, reconnecting, then live again."""
    with running(Scenario(rate=RATE)) as (emulator, consumer):
        consumer.until_live()
        consumer.until_closed(1)
        emulator.inject(Fault(kind=kind, path=STREAM))
        consumer.until_state(FeedState.RECONNECTING)
        consumer.until_live()
        consumer.until_closed(3)

        assert any(reason in text for text in reasons(consumer))
        assert consumer.of(GapMarked)
        assert unlike_truth(emulator, consumer) == {}


@pytest.mark.parametrize("kind", [FaultKind.GOAWAY_V2, FaultKind.GOAWAY_V3])
def test_a_farewell_is_followed_by_a_new_stream_at_once(kind: FaultKind) -> None:
    with running(Scenario(rate=RATE)) as (emulator, consumer):
        consumer.until_live()
        emulator.inject(Fault(kind=kind, path=STREAM))
        consumer.until_state(FeedState.RECONNECTING)
        consumer.until_live()

        retries = [e.status.retry_in for e in consumer.events if isinstance(e, StatusChanged) and e.status.attempt]
        assert set(retries) == {0.0}


def test_silence_without_heartbeats_is_noticed_and_bars_of_the_meantime_arrive_backfilled() -> None:
    """Two minutes without a byte: the heartbeat watchdog ends the stream long before."""
    with running(Scenario(rate=RATE)) as (emulator, consumer):
        consumer.until_live()
        consumer.until_closed(1)
        emulator.inject(Fault(kind=FaultKind.HANG, path=STREAM, seconds=600.0))
        consumer.until_state(FeedState.RECONNECTING)
        consumer.until_live()
        consumer.until_closed(3)

        assert any("not even a heartbeat" in text for text in reasons(consumer))
        assert unlike_truth(emulator, consumer) == {}


def test_heartbeats_without_data_turn_stale_and_lead_to_a_new_stream() -> None:
    """Connected but mute. The feed asks, learns of newer bars, and reconnects."""
    with running(Scenario(rate=RATE)) as (emulator, consumer):
        consumer.until_live()
        consumer.until_closed(1)
        emulator.inject(Fault(kind=FaultKind.MUTE, path=STREAM, seconds=3600.0))
        consumer.until_state(FeedState.STALE)
        consumer.until_live()
        consumer.until_closed(2)

        assert any("mute" in text for text in reasons(consumer))
        assert any(closing.backfilled for closing in consumer.closings)
        assert unlike_truth(emulator, consumer) == {}


REFUSALS = [
    Fault(kind=FaultKind.UNAVAILABLE, path=STREAM, times=2),
    Fault(kind=FaultKind.TOO_MANY, path=STREAM, seconds=20.0),
    Fault(kind=FaultKind.SLOW_HEADERS, path=STREAM, seconds=60.0),
    Fault(kind=FaultKind.RESET, path=STREAM, on_request=True),
    Fault(kind=FaultKind.NOT_JSON, path="v3/marketdata/barcharts"),
    Fault(kind=FaultKind.RESET, path="v3/marketdata/barcharts", on_request=True, times=4),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=[f"{f.kind.value}-{f.path.split('/')[0]}" for f in REFUSALS])
def test_a_reconnect_that_is_refused_is_tried_again(refusal: Fault) -> None:
    with running(Scenario(rate=RATE)) as (emulator, consumer):
        consumer.until_live()
        consumer.until_closed(1)
        emulator.inject(refusal)
        emulator.inject(Fault(kind=FaultKind.CUT, path=STREAM))
        consumer.until_state(FeedState.RECONNECTING)
        consumer.until(lambda: not emulator.faults.pending, "all faults to strike")
        consumer.until_live()
        consumer.until_closed(2)

        assert unlike_truth(emulator, consumer) == {}


def test_429_without_retry_after_waits_for_the_whole_window() -> None:
    with running(Scenario(rate=RATE)) as (emulator, consumer):
        consumer.until_live()
        emulator.inject(Fault(kind=FaultKind.TOO_MANY, path=STREAM, retry_after=False))
        emulator.inject(Fault(kind=FaultKind.CUT, path=STREAM))
        consumer.until(lambda: any("429" in text for text in reasons(consumer)), "the refusal")
        waits = [
            e.status.retry_in for e in consumer.events if isinstance(e, StatusChanged) and "429" in e.status.reason
        ]

        assert 200.0 < waits[0] <= 300.0


def test_401_on_reconnect_renews_the_token_at_once() -> None:
    """A 401 on connecting is no failure of the line."""
    with running(Scenario(rate=RATE)) as (emulator, consumer):
        consumer.until_live()
        emulator.inject(Fault(kind=FaultKind.UNAUTHORIZED, path=STREAM))
        emulator.inject(Fault(kind=FaultKind.GOAWAY_V2, path=STREAM))
        consumer.until_state(FeedState.RECONNECTING)
        consumer.until_live()
        consumer.until_closed(2)

        assert not any("401" in text for text in reasons(consumer))
        assert unlike_truth(emulator, consumer) == {}


FINAL = [
    (FaultKind.DUAL_LOGON, "the same login uses real-time data elsewhere"),
    (FaultKind.NOT_ENTITLED, "lacks the market-data subscription"),
]


@pytest.mark.parametrize(("kind", "reason"), FINAL, ids=[kind.value for kind, _ in FINAL])
def test_what_reconnecting_cannot_cure_stops_the_feed_until_the_user_acts(kind: FaultKind, reason: str) -> None:
    with running(Scenario(rate=RATE)) as (emulator, consumer):
        consumer.until_live()
        consumer.until_closed(1)
        emulator.inject(Fault(kind=kind, path=STREAM))
        consumer.until_state(FeedState.FAILED)
        opened = sum(STREAM in request for request in emulator.requests)

        assert reason in consumer.feed.status.reason
        emulator.clock.wait(consumer.feed._stop, 60.0)
        assert sum(STREAM in request for request in emulator.requests) == opened

        consumer.feed.reconnect()
        consumer.until_live()
        consumer.until_closed(2)
        assert unlike_truth(emulator, consumer) == {}


def test_a_line_that_is_no_json_and_a_bar_without_figures_are_counted_and_passed_over() -> None:
    with running(Scenario(rate=RATE)) as (emulator, consumer):
        consumer.until_live()
        emulator.inject(Fault(kind=FaultKind.ERROR_LINE, path=STREAM))
        emulator.inject(Fault(kind=FaultKind.GARBAGE, path=STREAM))
        consumer.until(lambda: consumer.feed.status.unreadable == 2, "both lines")
        consumer.until_closed(2)

        assert FeedState.RECONNECTING not in consumer.states
        assert unlike_truth(emulator, consumer) == {}


def test_a_corrected_bar_is_told_as_a_correction_and_not_closed_again() -> None:
    """S17.2: a correction changes charts, no decision."""
    with running(Scenario(rate=RATE)) as (emulator, consumer):
        consumer.until_live()
        consumer.until_closed(2)
        emulator.inject(Fault(kind=FaultKind.CORRECTION, path=STREAM, bars_back=1, ticks=3))
        consumer.until(lambda: bool(consumer.of(BarCorrected)), "the correction")
        consumer.until_closed(1)

        (event,) = consumer.of(BarCorrected)
        assert isinstance(event, BarCorrected)
        assert event.before is not None
        assert event.bar.close == event.before.close + 0.75
        assert unlike_truth(emulator, consumer) == {}


def test_a_correction_during_an_outage_is_found_by_the_backfill() -> None:
    with running(Scenario(rate=RATE)) as (emulator, consumer):
        consumer.until_live()
        consumer.until_closed(2)
        emulator.inject(Fault(kind=FaultKind.UNAVAILABLE, path=STREAM))
        emulator.inject(Fault(kind=FaultKind.CUT, path=STREAM))
        consumer.until_state(FeedState.RECONNECTING)
        listing = emulator.market.find("ESH24")
        assert listing is not None
        listing.tape.correct(emulator.now_ns(), 1, -2)
        consumer.until(lambda: bool(consumer.of(BarCorrected)) or consumer.closings[-1].backfilled, "the backfill")
        consumer.until_live()
        consumer.until_closed(2)

        assert unlike_truth(emulator, consumer) == {}


LOOKS = {
    "no closed frame": Scenario(rate=RATE, bars=BarHabits(closed_frame=False)),
    "no status, no unchanged fields": Scenario(rate=RATE, bars=BarHabits(status_field=False, unchanged_fields=False)),
    "neither": Scenario(rate=RATE, bars=BarHabits(status_field=False, closed_frame=False)),
    "history out of order": Scenario(rate=RATE, bars=BarHabits(shuffled_history=True)),
    "exclusive edges": Scenario(rate=RATE, bars=BarHabits(first_inclusive=False, last_inclusive=False)),
    "duplicates, crlf, blank lines": Scenario(
        rate=RATE, framing=Framing(duplicates=True, crlf=True, blank_lines=True, chunking=Chunking.JOINED)
    ),
    "cut inside letters and numbers": Scenario(
        rate=RATE, framing=Framing(unknown_fields=True, chunking=Chunking.SPLIT)
    ),
    "seven bytes a chunk": Scenario(rate=RATE, framing=Framing(unknown_fields=True, chunking=Chunking.BYTES)),
}


@pytest.mark.parametrize("look", LOOKS)
def test_every_look_of_the_stream_gives_the_same_bars(look: str) -> None:
    with running(LOOKS[look]) as (emulator, consumer):
        consumer.until_live()
        consumer.until_closed(3)
        emulator.inject(Fault(kind=FaultKind.GOAWAY_V3, path=STREAM))
        consumer.until_closed(3)

        assert consumer.feed.status.unreadable == 0
        assert unlike_truth(emulator, consumer) == {}


def test_a_first_connection_during_an_outage_is_made_up_for() -> None:
    """A cold start offline."""
    scenario = Scenario(rate=RATE, faults=(Fault(kind=FaultKind.UNAVAILABLE, times=8),))
    with running(scenario) as (emulator, consumer):
        consumer.until_state(FeedState.RECONNECTING)
        consumer.until_live()
        consumer.until_closed(2)

        assert len(consumer.bars) >= 50
        assert unlike_truth(emulator, consumer) == {}


def test_lines_are_cut_at_line_ends_only() -> None:
    splitter = LineSplitter()

    assert splitter.feed('{"a": "é'.encode()[:-1]) == []
    assert splitter.feed("é".encode()[1:] + b'"}\r\n{"b"') == ['{"a": "é"}\r'.encode()]
    assert splitter.feed(b": 1}\n\n") == [b'{"b": 1}', b""]
