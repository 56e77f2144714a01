"""Bars that went by while nothing came and nothing could be asked are asked for as soon as data come again."""

from data.tradestation.emulator import Fault, FaultKind, Scenario
from data.tradestation.events import FeedState
from tests.live.harness import RATE, running, unlike_truth


def test_a_stream_that_falls_mute_while_requests_are_refused_loses_no_bar() -> None:
    mute = Fault(kind=FaultKind.MUTE, at=70.0, seconds=330.0, path="stream/barcharts")
    refused = Fault(kind=FaultKind.TOO_MANY, at=75.0, seconds=160.0, path="marketdata/barcharts", times=1)
    with running(Scenario(rate=RATE, faults=(mute, refused))) as (emulator, consumer):
        consumer.until_live()
        consumer.until_state(FeedState.STALE)
        consumer.until_closed(4)
        consumer.until(lambda: consumer.feed.status.state is FeedState.LIVE, "live again")
        consumer.until_closed(2)

        assert unlike_truth(emulator, consumer) == {}


def test_a_stream_that_leaves_out_a_bar_is_asked_about_at_the_next_one() -> None:
    """Mute for less than the feed's patience, but for a whole bar."""
    mute = Fault(kind=FaultKind.MUTE, at=100.0, seconds=100.0, path="stream/barcharts")
    with running(Scenario(rate=RATE, faults=(mute,))) as (emulator, consumer):
        consumer.until_live()
        consumer.until_closed(6)

        assert unlike_truth(emulator, consumer) == {}
