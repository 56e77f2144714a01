"""Requests: pages, edges, errors, quotas, symbols, quotes, search, accounts."""

import re
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from data.errors import (
    EntitlementError,
    InstrumentError,
    LiveDataError,
    NetworkError,
    QuotaError,
    RequestError,
    SignInError,
    UnknownSymbolError,
)
from data.instruments import AssetClass
from data.tradestation.bars import BarUnit, Interval
from data.tradestation.clock import SystemClock
from data.tradestation.emulator import (
    AuthHabits,
    BarHabits,
    Emulator,
    Fault,
    FaultKind,
    Limit,
    Scenario,
    SymbolSpec,
)
from data.tradestation.emulator.tokens import GrantedTokens
from data.tradestation.endpoints import Endpoints
from data.tradestation.limiter import Category, FixedWindows, Quota
from data.tradestation.rest import TradeStationClient
from data.tradestation.symbols import symbol_from_json
from tests.live.harness import MINUTE, figures

NEVER = threading.Event()
CORN = SymbolSpec(symbol="@C", tick_size=0.25, point_value=50.0, price_style="Fraction", fraction=8, root="C")
NOTE = SymbolSpec(
    symbol="@FV",
    tick_size=0.0078125,
    point_value=1000.0,
    price=110.0,
    price_style="SubFraction",
    fraction=32,
    sub_fraction=4,
    root="FV",
    contracts=("FVH24",),
)
SCENARIO = Scenario(symbols=(SymbolSpec(symbol="ESH24", root="ES"), CORN, NOTE))


def client_of(emulator: Emulator, *scopes: str, limiter: FixedWindows | None = None) -> TradeStationClient:
    return TradeStationClient(emulator.endpoints, GrantedTokens(emulator, *scopes), emulator.clock, limiter=limiter)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(SCENARIO) as running:
        yield running


@pytest.fixture
def client(emulator: Emulator) -> Iterator[TradeStationClient]:
    made = client_of(emulator)
    yield made
    made.close()


# ---------------------------------------------------------------------------------------------------- bars


@pytest.mark.parametrize("inclusive", [True, False], ids=["edges inclusive", "edges exclusive"])
def test_more_bars_than_a_page_holds_come_in_pages_without_a_hole_or_a_double(inclusive: bool) -> None:
    """57,600 intraday bars a request; whether the edges belong to an answer is not documented."""
    habits = BarHabits(first_inclusive=inclusive, last_inclusive=inclusive)
    with Emulator(Scenario(history_days=42.0, live_hours=1.0, bars=habits)) as emulator:
        client = client_of(emulator)
        bars = client.last_bars("ESH24", MINUTE, 60_000)
        truth = emulator.truth("ESH24", MINUTE, bars[0].close_ns - 1)
        pages = sum("barcharts" in request for request in emulator.requests)
        client.close()

        assert len(bars) == 60_000
        assert pages == 2
        assert [figures(b) for b in bars[:-1]] == [figures(b) for b in truth][: len(bars) - 1]


def test_a_range_longer_than_a_page_comes_in_pages_too() -> None:
    with Emulator(Scenario(history_days=42.0, live_hours=1.0)) as emulator:
        client = client_of(emulator)
        truth = emulator.truth("ESH24", MINUTE, 0)
        bars = client.bars_between("ESH24", MINUTE, truth[5].close_ns, truth[-3].close_ns)
        client.close()

        assert [b.close_ns for b in bars] == [b.close_ns for b in truth[5:-2]]


def test_fewer_bars_than_asked_for_end_the_paging(client: TradeStationClient) -> None:
    assert len(client.last_bars("ESH24", MINUTE, 57_600)) == 2 * 1440 + 1


@pytest.mark.parametrize("unit", [BarUnit.DAILY, BarUnit.WEEKLY, BarUnit.MONTHLY])
def test_days_weeks_and_months_stand_at_their_date(client: TradeStationClient, unit: BarUnit) -> None:
    """S3.5: whatever the stamp's hour."""
    bars = client.last_bars("ESH24", Interval(1, unit), 3)

    assert bars
    assert {bar.open_ns % 86_400_000_000_000 for bar in bars} == {0}


REFUSED = [
    ({"unit": "Daily", "interval": "5"}, "one at a time"),
    ({"unit": "Minute", "interval": "1441"}, "1 to 1440"),
    ({"unit": "Hour", "interval": "1"}, "unit is"),
    ({"unit": "Minute", "barsback": "57601"}, "at most 57600"),
    ({"unit": "Minute", "barsback": "5", "firstdate": "2024-03-05"}, "exclude each other"),
    ({"unit": "Minute", "firstdate": "5 March"}, "neither"),
]


@pytest.mark.parametrize(("params", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_the_service_forbids_is_a_request_error_with_its_words(
    client: TradeStationClient, params: dict[str, str], words: str
) -> None:
    with pytest.raises(RequestError, match=words):
        client.get(Category.BARS, "/marketdata/barcharts/ESH24", params, what="bars of ESH24")


# ------------------------------------------------------------------------------------------ symbols, quotes


def test_tick_value_is_increment_times_point_value(client: TradeStationClient) -> None:
    """Corn 12.50, five-year note 7.8125."""
    facts = client.symbols(["@C", "@FV"])

    assert facts["@C"].instrument().tick_value == 12.5
    assert facts["@FV"].instrument().tick_value == 7.8125
    assert facts["@FV"].underlying == "FVH24"
    assert facts["@FV"].continuous
    assert facts["@C"].underlying is None


def test_prices_are_written_as_traders_write_them(client: TradeStationClient) -> None:
    facts = client.symbols(["@C", "@FV", "ESH24"])

    assert facts["ESH24"].price_format.display(4512.25) == "4512.25"
    assert facts["@C"].price_format.display(412.75) == "412'6"
    assert facts["@FV"].price_format.display(125.92969) == "125'29.7"
    assert facts["@FV"].price_format.display(-0.5) == "-0'16.0"
    assert facts["@C"].price_format.display(413.0) == "413'0"


def test_the_calendar_follows_from_the_root_or_the_asset_type(client: TradeStationClient) -> None:
    assert client.symbols(["ESH24"])["ESH24"].calendar == "CME Globex Equity"
    share = symbol_from_json({"Symbol": "MSFT", "AssetType": "STOCK", "PriceFormat": PRICE_FORMAT})
    assert share.calendar == "NYSE"
    assert share.instrument().asset_class is AssetClass.EQUITY
    assert symbol_from_json({"Symbol": "XYZ", "PriceFormat": PRICE_FORMAT}).calendar is None


PRICE_FORMAT = {"Format": "Decimal", "Decimals": "2", "Increment": "0.01", "PointValue": "1"}


def test_an_increment_schedule_is_looked_up_by_price() -> None:
    steps = [{"Increment": "0.05", "StartsAt": "3"}, {"Increment": "0.01", "StartsAt": "0"}]
    form = PRICE_FORMAT | {"IncrementStyle": "Schedule", "IncrementSchedule": steps}
    facts = symbol_from_json({"Symbol": "O", "PriceFormat": form})

    assert [facts.price_format.increment(price) for price in (1.0, 2.99, 3.0, 50.0)] == [0.01, 0.01, 0.05, 0.05]
    assert facts.tick_size == 0.01


@pytest.mark.parametrize("key", ["Increment", "PointValue"])
def test_a_symbol_without_its_money_facts_is_an_error(key: str) -> None:
    for value, words in ((None, "not a number"), ("0", "must be positive")):
        with pytest.raises(InstrumentError, match=f"{key}.*{words}"):
            symbol_from_json({"Symbol": "X", "PriceFormat": {**PRICE_FORMAT, key: value}})


def test_an_unknown_symbol_is_named(client: TradeStationClient) -> None:
    with pytest.raises(UnknownSymbolError, match="NOPE, NADA"):
        client.symbols(["ESH24", "NOPE", "NADA"])
    with pytest.raises(UnknownSymbolError, match=r"bars of NOPE.*404"):
        client.last_bars("NOPE", MINUTE, 5)


def test_quotes_come_under_the_name_that_was_asked_for(client: TradeStationClient) -> None:
    quotes = client.quotes(["esh24", "NOPE"])

    assert list(quotes) == ["esh24"]
    assert float(quotes["esh24"]["Last"]) > 0


def test_search_finds_names_that_begin_alike(client: TradeStationClient) -> None:
    assert [row["Name"] for row in client.search("f")] == ["@FV"]
    assert client.search("zzz") == []


# ----------------------------------------------------------------------------------------------- accounts


def test_accounts_balances_positions_and_orders_can_be_read(client: TradeStationClient) -> None:
    names = [row["AccountID"] for row in client.accounts()]

    assert names == ["SIM1234567F", "SIM1234567M"]
    assert {row["CashBalance"] for row in client.balances(names)} == {"100000"}
    assert client.positions(names) == []
    assert client.orders(names) == []
    with pytest.raises(LiveDataError, match="NOBODY"):
        client.balances(["NOBODY"])


# -------------------------------------------------------------------------------------------------- errors


def test_a_scope_that_is_missing_is_an_entitlement_error(emulator: Emulator) -> None:
    client = client_of(emulator, "openid", "MarketData")
    with pytest.raises(EntitlementError, match="ReadAccount"):
        client.accounts()
    client.close()


def test_a_get_is_repeated_on_503_and_a_lasting_outage_is_a_network_error(emulator: Emulator) -> None:
    client = client_of(emulator)
    emulator.inject(Fault(kind=FaultKind.UNAVAILABLE, path="barcharts", times=2))
    assert len(client.last_bars("ESH24", MINUTE, 3)) == 3

    emulator.inject(Fault(kind=FaultKind.UNAVAILABLE, path="barcharts", times=3))
    with pytest.raises(NetworkError, match=r"bars of ESH24.*503.*emulated outage"):
        client.last_bars("ESH24", MINUTE, 3)
    client.close()


def test_a_401_renews_the_token_and_asks_once_more(emulator: Emulator) -> None:
    tokens = GrantedTokens(emulator)
    refused = tokens.access_token()
    client = TradeStationClient(emulator.endpoints, tokens, emulator.clock)
    emulator.inject(Fault(kind=FaultKind.UNAUTHORIZED, path="barcharts"))
    asked = len(emulator.requests)
    client.last_bars("ESH24", MINUTE, 3)
    assert tokens.access_token() != refused
    assert len(emulator.requests) == asked + 2

    emulator.inject(Fault(kind=FaultKind.UNAUTHORIZED, path="barcharts", times=2))
    with pytest.raises(SignInError, match="sign in again"):
        client.last_bars("ESH24", MINUTE, 3)
    client.close()


def test_an_answer_that_is_no_json_is_shown(client: TradeStationClient, emulator: Emulator) -> None:
    emulator.inject(Fault(kind=FaultKind.NOT_JSON, path="barcharts"))
    with pytest.raises(NetworkError, match="no JSON but b'<html>"):
        client.last_bars("ESH24", MINUTE, 3)


def test_a_service_that_is_not_there_is_a_network_error_without_the_query() -> None:
    class Tokens:
        def access_token(self) -> str:
            return "secret"

        def renew(self, failed: str) -> None:
            raise AssertionError(failed)

    client = TradeStationClient(Endpoints.at("http://127.0.0.1:9"), Tokens(), SystemClock(), retries=0)
    with pytest.raises(NetworkError, match="cannot be reached") as caught:
        client.last_bars("ESH24", MINUTE, 3)
    assert not re.search("secret|barsback", str(caught.value))
    client.close()


def test_a_bar_that_is_none_is_left_out_and_told(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    client = TradeStationClient(emulator.endpoints, GrantedTokens(emulator), emulator.clock, on_unreadable=told.append)
    rows = {"Bars": [{"TimeStamp": "2024-03-06T15:01:00Z", "Open": None}]}
    monkeypatch.setattr(client, "get", lambda *_, **__: rows)

    assert client.last_bars("ESH24", MINUTE, 1) == []
    assert told == ["ESH24: a bar is left out, Open is None, not a number"]
    client.close()


# -------------------------------------------------------------------------------------------------- quotas


def test_our_own_count_stops_before_the_service_does(emulator: Emulator) -> None:
    limiter = FixedWindows(emulator.clock, {Category.BARS: Quota(2, 300.0)})
    client = client_of(emulator, limiter=limiter)
    before = len(emulator.requests)
    client.last_bars("ESH24", MINUTE, 3)
    client.last_bars("ESH24", MINUTE, 3)
    with pytest.raises(QuotaError, match="2 requests in 300 s") as caught:
        client.last_bars("ESH24", MINUTE, 3)

    assert 290.0 < caught.value.retry_in <= 300.0
    assert len(emulator.requests) - before == 2
    client.close()


def test_the_service_counts_by_fixed_windows_and_429_closes_the_category_here() -> None:
    scenario = replace(SCENARIO, limits={"bars": Limit(count=2, seconds=30.0)}, rate=60.0)
    with Emulator(scenario) as emulator:
        quotas = {Category.BARS: Quota(500, 30.0), Category.SYMBOLS: Quota(500, 30.0)}
        client = client_of(emulator, limiter=FixedWindows(emulator.clock, quotas))
        client.last_bars("ESH24", MINUTE, 3)
        client.last_bars("ESH24", MINUTE, 3)
        with pytest.raises(QuotaError, match="Rate quota exceeded"):
            client.last_bars("ESH24", MINUTE, 3)
        before = len(emulator.requests)
        with pytest.raises(QuotaError):
            client.last_bars("ESH24", MINUTE, 3)
        assert len(emulator.requests) == before, "nothing is sent before the window is over"

        client.symbols(["ESH24"])
        while True:
            try:
                assert len(client.last_bars("ESH24", MINUTE, 3)) == 3
                break
            except QuotaError as error:
                emulator.clock.wait(NEVER, error.retry_in)
        client.close()


def test_retry_after_shortens_the_wait(emulator: Emulator) -> None:
    client = client_of(emulator)
    emulator.inject(Fault(kind=FaultKind.TOO_MANY, path="barcharts", seconds=7.0))
    with pytest.raises(QuotaError) as caught:
        client.last_bars("ESH24", MINUTE, 3)

    assert caught.value.retry_in == 7.0
    client.close()


def test_an_expired_token_is_refused_on_every_path() -> None:
    with Emulator(Scenario(auth=AuthHabits(expires_in=100.0), rate=100.0)) as emulator:
        tokens = GrantedTokens(emulator)
        old = tokens.access_token()
        emulator.clock.wait(NEVER, 101.0)
        client = TradeStationClient(emulator.endpoints, tokens, emulator.clock)
        client.last_bars("ESH24", MINUTE, 2)

        assert tokens.access_token() != old
        client.close()


def test_a_symbol_that_the_service_passes_over_in_silence_is_unknown(
    client: TradeStationClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "get", lambda *_, **__: {"Symbols": [], "Errors": []})

    with pytest.raises(UnknownSymbolError, match="does not know ESH24"):
        client.symbols(["ESH24"])


@pytest.mark.parametrize("change", [{"Decimals": "two"}, {"IncrementStyle": "Schedule", "IncrementSchedule": [{}]}])
def test_a_symbol_whose_price_format_is_none_is_an_error(change: dict[str, object]) -> None:
    with pytest.raises(InstrumentError, match="X: the service gives"):
        symbol_from_json({"Symbol": "X", "PriceFormat": PRICE_FORMAT | change})
