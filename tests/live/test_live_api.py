"""The data-only adapter and the session around it: honest capabilities, bars, states, troubles, what is recorded."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from data.errors import InstrumentError, SignInError, SourceError
from data.instruments import Instrument
from data.tradestation.bars import LiveBar
from data.tradestation.clock import SystemClock
from data.tradestation.emulator import Emulator, Fault, FaultKind, Scenario
from data.tradestation.emulator.tokens import GrantedTokens
from data.tradestation.endpoints import Endpoints
from data.tradestation.events import BarClosed, BarUpdated, CloseReason, FeedState, HistoryLoaded
from data.tradestation.live import LiveFeed
from data.tradestation.recording import read_rows
from data.tradestation.rest import TradeStationClient
from data.tradestation.symbols import SymbolFacts
from engine.environment import TradingEnvironment
from engine.errors import ConfigError
from engine.kernel.schema import OrderStatus, Phase
from engine.live import TradeStationLiveAPI, load_live_config
from engine.live.api import NO_TRADING
from engine.live.session import read_instruments
from engine.orders import OrderRequest, Side
from engine.paper import replay
from tests.live.harness import MINUTE, QUICK, figures
from tests.live.paper_market import config, differing, fresh_bot, journal_bytes
from tests.live.sessions import SYMBOLS, run_of, session, wait, wrong_bars

ES = Instrument(symbol="ESH24", tick_size=0.25, tick_value=12.5, initial_margin=10_000.0, maintenance_margin=9_000.0)


@contextmanager
def adapter(scenario: Scenario) -> Iterator[tuple[Emulator, TradeStationLiveAPI]]:
    with Emulator(scenario) as emulator:
        client = TradeStationClient(emulator.endpoints, GrantedTokens(emulator), emulator.clock)
        made = TradeStationLiveAPI(LiveFeed(client, random.Random(1), settings=QUICK), [ES], MINUTE, history_bars=50)
        made.connect()
        try:
            yield emulator, made
        finally:
            made.disconnect()


def test_a_data_only_adapter_says_that_it_does_not_trade() -> None:
    with adapter(Scenario(rate=240.0)) as (_, made):
        refused: list[object] = []
        made.order_rejected.connect(refused.append)
        order = made.place_order(OrderRequest(symbol="ESH24", side=Side.BUY, quantity=1))

        assert not made.capabilities.can_trade
        assert made.capabilities.order_types == frozenset()
        assert (order.status, order.reason) == (OrderStatus.REJECTED, NO_TRADING)
        assert made.close_position("ESH24").reason == NO_TRADING
        assert not made.cancel_order(1)
        assert not made.modify_stop_loss("ESH24", 4000.0)
        assert len(refused) == 2
        with pytest.raises(ValueError, match="does not trade"):
            made.modify_order(1, quantity=2.0)


def test_bars_indicators_and_the_open_bar_are_what_the_service_has() -> None:
    """S5.2: of the bar that is open, O alone."""
    with adapter(Scenario(rate=240.0)) as (emulator, made):
        closed: list[object] = []
        made.bar_closed.connect(closed.append)
        wait(made.poll, lambda: len(closed) >= 3 and made.phase is Phase.OPEN, "three bars and a fourth begun")
        env = TradingEnvironment()
        env.set_api(made)
        frame = made.get_asset_data("ESH24")
        truth = {bar.close_ns - MINUTE.bar_ns: figures(bar) for bar in emulator.truth("ESH24", MINUTE, 0, 2**62)}
        latest = made.get_latest_data("ESH24")

        rows = zip(frame.index, frame.itertuples(index=False), strict=True)
        assert all(tuple(row[:5]) == truth[int(at.value)] for at, row in rows)
        assert latest.last_close == frame["close"].iloc[-1]
        assert latest.high != latest.high
        assert env.indicator("sma", "ESH24", period=5) == pytest.approx(frame["close"].iloc[-5:].mean())
        assert made.statuses["ESH24"].state is FeedState.LIVE
        assert made.get_portfolio().cash != made.get_portfolio().cash


_FAULTS = [
    FaultKind.HANG, FaultKind.MUTE, FaultKind.GOAWAY_V2, FaultKind.GOAWAY_V3, FaultKind.CUT, FaultKind.RESET,
    FaultKind.END, FaultKind.STREAM_ERROR, FaultKind.ERROR_LINE, FaultKind.GARBAGE, FaultKind.CORRECTION,
    FaultKind.UNAVAILABLE, FaultKind.TOO_MANY, FaultKind.UNAUTHORIZED, FaultKind.SLOW_HEADERS, FaultKind.NOT_JSON,
]  # fmt: skip


@pytest.mark.parametrize("kind", _FAULTS)
def test_whatever_breaks_the_account_has_every_bar_once_and_replays_to_the_same_journal(
    kind: FaultKind, tmp_path: Path
) -> None:
    """S17.2, S17.3: one of two lines breaks; no closed bar is lost or doubled, and the recording tells all of it."""
    given = config(symbols=("ESH24", "NQH24"))
    fault = Fault(
        kind=kind, at=130.0, seconds=200.0, symbol="ESH24", path="stream/barcharts", text="InternalServerError"
    )
    faults = (fault,) if kind is FaultKind.CORRECTION else (fault, Fault(kind=FaultKind.CUT, at=129.0, symbol="ESH24"))
    scenario = Scenario(rate=240.0, symbols=SYMBOLS, faults=faults)
    with session(tmp_path, scenario, given) as (emulator, made):
        run = run_of(made)
        begun = run.next_bar
        wait(made.poll, lambda: run.next_bar >= begun + 9, "nine bars")
        wait(made.poll, lambda: all(s.state is FeedState.LIVE for s in made.statuses.values()), "both lines live")
        begun = run.next_bar
        wait(made.poll, lambda: run.next_bar >= begun + 2, "two more bars")
        # A bar that no last copy ended is asked about when the next one prints.
        wait(made.poll, lambda: wrong_bars(emulator, made) == {}, "all bars as the market made them")
    instruments = read_instruments(tmp_path)
    assert instruments is not None
    again = replay(tmp_path, given, instruments, MINUTE, lambda: fresh_bot(given))

    assert differing(journal_bytes(run.engine, run.next_bar), journal_bytes(again.engine, again.next_bar)) == []


def test_no_network_at_the_start_is_a_state_and_not_the_end(tmp_path: Path) -> None:
    given = config(symbols=("ESH24",))
    outage = Fault(kind=FaultKind.UNAVAILABLE, at=0.0, times=3, path="marketdata/symbols")
    with session(tmp_path, Scenario(rate=240.0, symbols=SYMBOLS, faults=(outage,)), given) as (_, made):
        wait(made.poll, lambda: made.trouble != "", "the trouble to be said")
        assert "503" in made.trouble or "fails" in made.trouble
        wait(made.poll, lambda: made.instruments is not None, "details in the end")

        assert made.trouble == ""


def test_an_unknown_symbol_is_said_with_its_name(tmp_path: Path) -> None:
    given = config(symbols=("ESH24", "ESX99"))
    given = given.with_overrides(["assets.ESX99.contract=ES"])
    with session(tmp_path, Scenario(rate=240.0, symbols=SYMBOLS), given) as (_, made):
        wait(made.poll, lambda: made.trouble != "", "the trouble to be said")

        assert "ESX99" in made.trouble


def test_a_contradiction_between_configuration_and_service_is_refused(tmp_path: Path) -> None:
    given = config(symbols=("ESH24",))
    scenario = Scenario(rate=240.0, symbols=SYMBOLS)
    given = type(given)(**(given.given() | {"assets": [{"symbol": "ESH24", "tick_size": 0.1}]}))
    with session(tmp_path, scenario, given) as (_, made), pytest.raises(ConfigError, match="tick_size"):
        wait(made.poll, lambda: made.instruments is not None, "details")


def test_without_a_bot_bars_are_recorded_and_nothing_trades(tmp_path: Path) -> None:
    given = config(symbols=("ESH24",))
    with session(tmp_path, Scenario(rate=240.0, symbols=SYMBOLS), given, trades=False) as (_, made):
        wait(made.poll, lambda: len(list((tmp_path / "bars").glob("*/*/*.parquet"))) > 3, "recorded bars")

        assert made.account is None
    with pytest.raises(SourceError, match="no recording"):
        replay(tmp_path, given, [ES], MINUTE, lambda: fresh_bot(given))


def test_the_shipped_live_configurations_are_valid(repo_root: Path) -> None:
    paths = sorted((repo_root / "configs/live").glob("*.yaml"))
    assert paths
    for path in paths:
        given, live = load_live_config(path)

        assert given.bot.name == "TrendFollowing"
        assert live.interval.bar_ns >= MINUTE.bar_ns


def test_a_wrong_key_of_the_live_section_names_its_place(tmp_path: Path) -> None:
    file = tmp_path / "live.yaml"
    file.write_text("assets: [{symbol: ES}]\nlive:\n  minuts: 5\n")

    with pytest.raises(ConfigError, match=r"live\.yaml:3 live\.minuts"):
        load_live_config(file)


def minute_bar(minute: int, close: float = 10.0) -> LiveBar:
    at = minute * MINUTE.bar_ns
    return LiveBar(at, at + MINUTE.bar_ns, 10.0, max(10.0, close), 10.0, close, 5.0)


@pytest.fixture
def told_by_hand() -> Iterator[TradeStationLiveAPI]:
    """An adapter whose feed tells what a test emits."""
    clock = SystemClock()
    client = TradeStationClient(Endpoints.at("http://localhost:1"), SignedOut(), clock)
    made = TradeStationLiveAPI(LiveFeed(client, random.Random(1)), [ES], MINUTE)
    yield made
    made.disconnect()


class SignedOut:
    """No tokens: nothing here is asked for."""

    def access_token(self) -> str:
        raise SignInError("not signed in")

    def renew(self, failed: str) -> None:
        raise SignInError("not signed in")


def test_an_older_bar_that_closes_late_leaves_the_bar_under_way(told_by_hand: TradeStationLiveAPI) -> None:
    """S5.2: the bar opens once, and its O stays to be seen."""
    feed, opened = told_by_hand.feed, []
    told_by_hand.bar_advanced.connect(opened.append)
    feed.history_loaded.emit(HistoryLoaded("ESH24", (minute_bar(1),), None))
    feed.bar_updated.emit(BarUpdated("ESH24", minute_bar(3)))
    feed.bar_closed.emit(BarClosed("ESH24", minute_bar(2), CloseReason.LATER_BAR, False, False, 0))
    phase = told_by_hand.phase
    feed.bar_updated.emit(BarUpdated("ESH24", minute_bar(3, 11.0)))

    assert phase is Phase.OPEN
    assert len(opened) == 1
    assert told_by_hand.get_latest_data("ESH24").time_ns == minute_bar(3).open_ns


def test_history_anew_ends_the_bar_that_was_under_way_when_it_has_it(told_by_hand: TradeStationLiveAPI) -> None:
    """After an outage over the session's end no later bar comes to say that it is over."""
    feed = told_by_hand.feed
    feed.history_loaded.emit(HistoryLoaded("ESH24", (minute_bar(1),), None))
    feed.bar_updated.emit(BarUpdated("ESH24", minute_bar(2)))
    feed.history_loaded.emit(HistoryLoaded("ESH24", (minute_bar(1), minute_bar(2, 12.0)), None))

    assert told_by_hand.phase is Phase.CLOSE
    assert told_by_hand.get_latest_data("ESH24").close == 12.0


def test_history_that_rolled_moves_the_open_of_the_bar_under_way(told_by_hand: TradeStationLiveAPI) -> None:
    feed = told_by_hand.feed
    feed.history_loaded.emit(HistoryLoaded("ESH24", (minute_bar(1),), None))
    feed.bar_updated.emit(BarUpdated("ESH24", minute_bar(2)))
    moved = replace(minute_bar(2), open=20.0, high=20.0, low=20.0, close=20.0)
    feed.history_loaded.emit(HistoryLoaded("ESH24", (minute_bar(1),), None, open_bar=moved))

    assert told_by_hand.get_latest_data("ESH24").open == 20.0


def test_details_that_make_no_instrument_are_said_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: TradeStationClient, names: Sequence[str]) -> dict[str, SymbolFacts]:
        raise InstrumentError(f"{names[0]}: the service gives Increment as None, not a number")

    monkeypatch.setattr(TradeStationClient, "symbols", refuse)
    with (
        session(tmp_path, Scenario(symbols=SYMBOLS), config(symbols=("ESH24",))) as (_, made),
        pytest.raises(InstrumentError, match="Increment"),
    ):
        wait(made.poll, lambda: made.instruments is not None, "instruments", seconds=3.0)


def test_bars_are_shown_though_the_folder_of_watched_bars_cannot_be_made(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "bars").write_text("in the way")
    with (
        caplog.at_level("WARNING"),
        session(tmp_path, Scenario(rate=240.0, symbols=SYMBOLS), config(symbols=("ESH24",)), trades=False) as (_, made),
    ):
        seen: list[object] = []
        made.feed.history_loaded.connect(seen.append)
        wait(made.poll, lambda: bool(seen), "history")

    assert any("ESH24: its bars are not recorded" in text for text in caplog.messages)


def test_a_symbol_of_the_account_that_is_asked_for_too_early_stays_the_account_s(tmp_path: Path) -> None:
    with session(tmp_path, Scenario(rate=240.0, symbols=SYMBOLS), config(symbols=("ESH24",))) as (_, made):
        done: list[str] = []
        made.watch("ESH24")
        wait(lambda: None, lambda: not made.errands._done.empty(), "the answer")
        wait(made.poll, lambda: made.instruments is not None, "instruments")
        made.errands.run("last", lambda: "last", done.append, str)
        wait(made.poll, lambda: bool(done), "all errands")

        assert made.watched["ESH24"].traded
        assert not made.unwatch("ESH24")


def test_a_symbol_that_is_watched_again_goes_on_with_its_recording(tmp_path: Path) -> None:
    """Two writers of one series would give the same numbers to different rows."""
    with session(tmp_path, Scenario(rate=240.0, symbols=SYMBOLS), config(symbols=("ESH24",))) as (_, made):
        wait(made.poll, lambda: made.instruments is not None, "instruments")
        for _ in range(3):
            histories: list[HistoryLoaded] = []
            made.feed.history_loaded.connect(histories.append)
            made.watch("NQH24")
            wait(made.poll, lambda: any(one.symbol == "NQH24" for one in histories), "history")  # noqa: B023
            assert made.unwatch("NQH24")
            made.feed.history_loaded.disconnect(histories.append)
        made.close()
        assert made.written(30.0)

    rows = read_rows(tmp_path / "bars", "NQH24", MINUTE)
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    assert sum(row["kind"] == "history" for row in rows) >= 3 * 119
