"""History, stream and closings of an undisturbed feed."""

from data.tradestation.emulator import Scenario
from data.tradestation.events import FeedState
from tests.live.harness import RATE, running, unlike_truth


def test_history_and_stream_join_without_a_hole_or_a_double() -> None:
    """S17.1: closed bars equal the market's, bar by bar."""
    with running(Scenario(rate=RATE)) as (emulator, consumer):
        consumer.until_live()
        consumer.until_closed(3)

        assert consumer.states[:3] == [FeedState.HISTORY, FeedState.HISTORY, FeedState.LIVE]
        assert len(consumer.bars) >= 52
        assert unlike_truth(emulator, consumer) == {}


def test_bars_seen_from_their_first_print_are_told_apart() -> None:
    """S17.2: a bar that was under way when the feed connected gets no decision."""
    with running(Scenario(rate=RATE)) as (_, consumer):
        consumer.until_closed(4)
        seen = [closing.opened_live for closing in consumer.closings]

        assert seen[0] is False
        assert seen[-1] is True
        assert seen == sorted(seen), "once watching, every bar is seen from its first print"
