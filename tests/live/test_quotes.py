"""Live quotes: full first, changes merged, one bad symbol hurts no other."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from data.tradestation.emulator import Emulator, Fault, FaultKind, Scenario, SymbolSpec
from data.tradestation.emulator.tokens import GrantedTokens
from data.tradestation.events import FeedState
from data.tradestation.quotes import Quote, QuoteBook, QuoteFeed
from data.tradestation.reconnect import Backoff
from data.tradestation.rest import TradeStationClient
from tests.live.harness import RATE
from tests.live.sessions import wait

STREAM = "stream/quotes"
SCENARIO = Scenario(rate=RATE, symbols=(SymbolSpec(symbol="ESH24"), SymbolSpec(symbol="NQH24", delayed=True)))


@contextmanager
def quoting(*names: str) -> Iterator[tuple[Emulator, QuoteFeed]]:
    with Emulator(SCENARIO) as emulator:
        client = TradeStationClient(emulator.endpoints, GrantedTokens(emulator), emulator.clock)
        feed = QuoteFeed(client, names, rng=random.Random(1), backoff=Backoff(first=5.0), silence_s=60.0)
        feed.start()
        try:
            yield emulator, feed
        finally:
            feed.stop()
            client.close()


def until(condition: Callable[[], bool], what: str) -> None:
    wait(lambda: None, condition, what)


def test_quotes_follow_the_market_whatever_the_case_of_their_names() -> None:
    with quoting("ESH24", "NQH24") as (_, feed):
        seen: list[Quote] = []
        until(lambda: bool(seen.extend(feed.drain()) or len(seen) >= 8), "eight changes")

        assert {quote.symbol for quote in seen} == {"ESH24", "NQH24"}
        assert feed.quote("NQH24").delayed
        assert not feed.quote("ESH24").delayed
        assert len({quote.last for quote in seen if quote.symbol == "ESH24"}) > 1
        quote = feed.quote("ESH24")
        assert quote.bid is not None
        assert quote.ask is not None
        assert quote.ask - quote.bid == 0.25


def test_an_unknown_symbol_has_an_error_and_the_others_go_on() -> None:
    with quoting("NOPE", "ESH24") as (_, feed):
        until(lambda: feed.quote("ESH24").last is not None and bool(feed.quote("NOPE").error), "both")

        assert feed.quote("NOPE").error == "FAILED, INVALID SYMBOL"
        assert feed.status.state is FeedState.LIVE


@pytest.mark.parametrize("kind", [FaultKind.GOAWAY_V2, FaultKind.CUT, FaultKind.HANG, FaultKind.STREAM_ERROR])
def test_a_quote_stream_that_ends_is_reopened(kind: FaultKind) -> None:
    with quoting("ESH24") as (emulator, feed):
        until(lambda: feed.quote("ESH24").last is not None, "a quote")
        emulator.inject(Fault(kind=kind, path=STREAM, seconds=600.0))
        until(lambda: sum(STREAM in request for request in emulator.requests) >= 2, "a second stream")
        until(lambda: feed.status.state is FeedState.LIVE, "live")
        feed.drain()
        seen: list[Quote] = []
        until(lambda: bool(seen.extend(feed.drain()) or seen), "a change")

        assert {quote.symbol for quote in seen} == {"ESH24"}


def test_a_dual_logon_stops_the_quotes_until_the_user_acts() -> None:
    with quoting("ESH24") as (emulator, feed):
        until(lambda: feed.status.state is FeedState.LIVE, "live")
        emulator.inject(Fault(kind=FaultKind.DUAL_LOGON, path=STREAM))
        until(lambda: feed.status.state is FeedState.FAILED, "failed")
        assert "elsewhere" in feed.status.reason
        feed.reconnect()
        until(lambda: feed.status.state is FeedState.LIVE, "live again")


def test_changes_keep_what_they_do_not_name() -> None:
    book = QuoteBook(["@ES"])
    book.merge({"Symbol": "@ES", "Last": "10", "Bid": "9.75", "MarketFlags": {"IsDelayed": True, "IsHalted": False}})
    book.merge({"Symbol": "@es", "Last": "11", "MarketFlags": {"IsHalted": True}})

    assert book.quote("@ES") == Quote("@ES", last=11.0, bid=9.75, delayed=True, halted=True)
    assert book.merge({"Symbol": "@NQ", "Last": "1"}) is None


@pytest.mark.parametrize("count", [0, 101])
def test_a_stream_carries_one_to_a_hundred_symbols(count: int) -> None:
    with Emulator(SCENARIO) as emulator:
        client = TradeStationClient(emulator.endpoints, GrantedTokens(emulator), emulator.clock)
        with pytest.raises(ValueError, match=f"{count} symbols"):
            QuoteFeed(client, ["X"] * count, rng=random.Random(1))
        client.close()
