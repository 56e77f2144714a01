"""An account lives through the roll of a continuous symbol as if nothing had been: profit, levels, orders (S17.2)."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.instruments import Instrument
from data.tradestation.bars import LiveBar
from data.tradestation.emulator import Scenario, SymbolSpec
from data.tradestation.events import (
    BarClosed,
    BarUpdated,
    CloseReason,
    Event,
    FeedState,
    FeedStatus,
    HistoryLoaded,
    RolledOver,
    StatusChanged,
)
from data.tradestation.recording import read_recording
from engine.config import BacktestConfig
from engine.kernel.schema import EventKind, OrderStatus
from engine.paper import PaperAccount
from engine.paper.growing import KnownBars
from engine.paper.replay import RECORDING
from engine.paper.rolling import roll_of, round_turn
from engine.paper.steps import Revision
from tests.live.harness import RATE
from tests.live.paper_market import (
    MINUTE,
    MINUTE_NS,
    NS,
    SYMBOLS,
    Told,
    account,
    backfilled,
    bars_of,
    bytes_of,
    config,
    differing,
    history_of,
    in_time,
    live_bar,
    play,
    replayed_bytes,
)
from tests.live.sessions import run_of, session, wait, wrong_bars

GAP = 12.5
HISTORY, LIVE = 20, 40
ROLLED = SYMBOLS[0]


def moved(bar: LiveBar, gap: float = GAP) -> LiveBar:
    return replace(bar, open=bar.open + gap, high=bar.high + gap, low=bar.low + gap, close=bar.close + gap)


def feed(own: dict[str, list[LiveBar]]) -> list[Told]:
    """All that is told when nothing rolls."""
    begun_ns = own[ROLLED][HISTORY].open_ns
    told = [one for symbol in SYMBOLS for one in history_of(symbol, own[symbol][:HISTORY], begun_ns)]
    for place, symbol in enumerate(SYMBOLS):
        for bar in own[symbol][HISTORY:]:
            told += live_bar(symbol, bar, first_s=3.0 + 0.4 * place, late_s=0.2 + 0.3 * place)
    return in_time(told)


def rolling(own: dict[str, list[LiveBar]], at_ns: int) -> list[Told]:
    """The same market, one symbol of which rolls at a time: from then on all its prices are told moved."""
    told = []
    for one in feed(own):
        event: Event = one.event
        if one.at_ns >= at_ns and event.symbol == ROLLED and hasattr(event, "bar"):
            event = replace(event, bar=moved(event.bar))
        told.append(Told(one.at_ns, event))
    past = [bar for bar in own[ROLLED] if bar.close_ns <= at_ns]
    under_way = [moved(bar) for bar in own[ROLLED] if bar.open_ns < at_ns < bar.close_ns]
    roll = [
        RolledOver(ROLLED, "ESH24", "ESM24"),
        HistoryLoaded(ROLLED, tuple(moved(bar) for bar in past), "ESM24", *under_way),
    ]
    return in_time([*told, *(Told(at_ns, event) for event in roll)])


def lived(folder: Path, told: Sequence[Told]) -> PaperAccount:
    one = account(folder, config("CoinFlip", "TrailingATR"))
    play(one, told)
    one.close()
    return one


def equity(one: PaperAccount) -> list[float]:
    assert one.run is not None
    return one.run.engine.tables.equity["equity"][: one.run.next_bar].tolist()


def fills_of(one: PaperAccount) -> list[tuple[int, float, float]]:
    assert one.run is not None
    rows = one.run.engine.tables.rows("fills")
    return [(int(row["bar"]), float(row["lots"] * row["side"]), float(row["cash"])) for row in rows]


@pytest.fixture(scope="module")
def bars() -> dict[str, list[LiveBar]]:
    return {symbol: bars_of(symbol, HISTORY + LIVE) for symbol in SYMBOLS}


@pytest.fixture(scope="module")
def never(bars: dict[str, list[LiveBar]], tmp_path_factory: pytest.TempPathFactory) -> PaperAccount:
    """The account in whose market nothing rolled."""
    return lived(tmp_path_factory.mktemp("never"), feed(bars))


# The symbol's bar has closed and waits for the other one's; between two bars; in the middle of one.
MOMENTS = [pytest.param(0.4, id="closed"), pytest.param(1.5, id="between-bars"), pytest.param(40.0, id="mid-bar")]


@pytest.mark.rule("S17.2")
@pytest.mark.parametrize("second", MOMENTS)
@pytest.mark.parametrize("minute", [15, *(pytest.param(minute, marks=pytest.mark.slow) for minute in (4, 26, 37))])
def test_a_roll_changes_neither_money_nor_fills(
    bars: dict[str, list[LiveBar]], never: PaperAccount, minute: int, second: float, tmp_path: Path
) -> None:
    """S17.2: the account that rolls ends as the one in whose market nothing rolled, bar by bar."""
    at_ns = bars[ROLLED][HISTORY + minute].open_ns + int(second * NS)
    rolled = lived(tmp_path, rolling(bars, at_ns))

    assert len(fills_of(never)) > 10
    assert fills_of(rolled) == fills_of(never)
    assert equity(rolled) == equity(never)


@pytest.mark.rule("S17.3")
@pytest.mark.parametrize("second", MOMENTS)
def test_a_recording_with_a_roll_replays_to_the_same_bytes(
    bars: dict[str, list[LiveBar]], second: float, tmp_path: Path
) -> None:
    """S17.3."""
    at_ns = bars[ROLLED][HISTORY + 12].open_ns + int(second * NS)
    one = lived(tmp_path, rolling(bars, at_ns))
    assert one.run is not None

    assert one.run.shifts_taken == {ROLLED: 1}
    assert differing(bytes_of(one), replayed_bytes(tmp_path, config("CoinFlip", "TrailingATR"))) == []
    seen = read_recording(tmp_path / RECORDING, ROLLED, MINUTE)
    assert seen.known.close.tolist() == [moved(bar).close for bar in bars[ROLLED]]


@pytest.mark.rule("S17.3")
@pytest.mark.parametrize("second", MOMENTS)
@pytest.mark.parametrize("state", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["state", "recording"])
def test_an_account_that_was_killed_after_a_roll_goes_on_with_the_same_bytes(
    bars: dict[str, list[LiveBar]], second: float, state: bool, tmp_path: Path
) -> None:
    given = config("CoinFlip", "TrailingATR")
    at_ns = bars[ROLLED][HISTORY + 12].open_ns + int(second * NS)
    told = rolling(bars, at_ns)
    whole = lived(tmp_path / "whole", told)
    later = 0 if state and second > 30 else 2  # at once in the bar that rolled, or two bars on
    cut_ns = bars[ROLLED][HISTORY + 12 + later].open_ns + 45 * NS
    cut = next(number for number, each in enumerate(told) if each.at_ns > cut_ns)
    one = account(tmp_path / "cut", given)
    play(one, told[:cut])
    if not state:
        (tmp_path / "cut" / "state.npz").unlink()
    again = account(tmp_path / "cut", given)
    assert again.run is not None
    assert again.run.shifts_taken == {ROLLED: 1}
    if state:
        play(again, told[cut:])
        assert differing(bytes_of(whole), bytes_of(again)) == []
    else:
        assert one.run is not None
        count = again.run.next_bar
        assert again.run.engine.tables.equity["equity"][:count].tolist() == equity(one)[:count]


def test_an_account_that_slept_through_a_roll_follows_it_when_it_starts(
    bars: dict[str, list[LiveBar]], tmp_path: Path
) -> None:
    """No roll is told of then: history that has moved as a whole says it."""
    given = config("CoinFlip", "TrailingATR")
    stop = HISTORY + 15
    before = {symbol: own[:stop] for symbol, own in bars.items()}
    lived(tmp_path, feed(before))
    again = account(tmp_path, given)
    now_ns = bars[ROLLED][stop + 2].open_ns
    for symbol in SYMBOLS:
        own = bars[symbol][: stop + 2]
        play(again, history_of(symbol, [moved(bar) for bar in own] if symbol == ROLLED else own, now_ns))
    assert again.run is not None
    asleep = lived(tmp_path / "never", feed(before))
    for symbol in SYMBOLS:
        play(asleep, [backfilled(symbol, bar, now_ns) for bar in bars[symbol][stop : stop + 2]])

    assert again.run.shifts_taken == {ROLLED: 1}
    assert equity(again) == equity(asleep)


def test_levels_and_orders_move_and_the_report_says_so(bars: dict[str, list[LiveBar]], tmp_path: Path) -> None:
    """S17.2: a stop moves with an event, resting orders and brackets move, money does not."""
    given = config("CoinFlip", "TrailingATR")
    one = account(tmp_path, given)
    told = feed(bars)
    at_ns = bars[ROLLED][HISTORY + 12].open_ns + int(1.5 * NS)
    play(one, [each for each in told if each.at_ns < at_ns])
    assert one.run is not None
    price = bars[ROLLED][HISTORY + 11].close
    one.by_hand({"type": "limit", "symbol": ROLLED, "side": "buy", "qty": 1, "limit": price - 200.0})
    engine = one.run.engine
    before = engine.tables.symbols.copy()
    money = engine.get_portfolio().equity
    past = tuple(moved(bar) for bar in bars[ROLLED] if bar.close_ns <= at_ns)
    one.take(HistoryLoaded(ROLLED, past, "ESM24"), at_ns)
    after = engine.tables.symbols

    assert before["lots"][0] != 0.0
    ticks = GAP / 0.25
    for name in ("average", "stop", "mark", "trigger_up", "trigger_down", "run_low", "run_high"):
        assert after[name][0] == before[name][0] + ticks
        assert after[name][1] == before[name][1] or np.isnan(before[name][1])
    assert engine.tables.rows("orders")["limit"][-1] == (price - 200.0 + GAP) / 0.25
    assert engine.get_orders()[-1].status is OrderStatus.ACCEPTED
    assert engine.get_portfolio().equity == money
    event = engine.tables.rows("events")[-1]
    assert (event["kind"], event["a"] - event["b"]) == (EventKind.STOP_MOVED, ticks)
    (note,) = [note for note in engine.notes if "rolled: earlier prices moved by +12.5" in note]
    contracts = abs(before["lots"][0])
    cost = contracts * 2 * (2.0 + 12.5)  # commission and a tick, for selling and for buying
    assert note.endswith(
        f"; a roll of {contracts:g} contracts costs some {cost:,.2f} USD of commissions and slippage, which are not "
        "booked"
    )


def test_what_a_roll_costs_is_twice_all_that_a_fill_costs() -> None:
    """S9: selling the old contracts, buying the new ones."""
    facts = Instrument(
        symbol="@ES", tick_size=0.25, tick_value=12.5, initial_margin=1.0, maintenance_margin=1.0,
        commission_per_contract=2.0, fee_per_trade=0.5, slippage_ticks=2.0,
    )  # fmt: skip
    assert round_turn(facts, 3.0, 5_000.0) == 2 * (3 * (2.0 + 25.0) + 0.5)
    share = replace(facts, slippage_ticks=None, slippage_pct=0.0001)
    assert round_turn(share, 3.0, 5_000.0) == pytest.approx(2 * (3 * (2.0 + 0.5 * 50.0) + 0.5))


def test_history_that_moves_by_a_factor_is_warned_of_while_something_is_held(
    bars: dict[str, list[LiveBar]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A ratio-adjusted symbol rolls: bars follow; position and levels do not, which must not happen in silence."""
    one = account(tmp_path, config("CoinFlip", "TrailingATR"))
    at_ns = bars[ROLLED][HISTORY + 12].open_ns + int(1.5 * NS)
    play(one, [each for each in feed(bars) if each.at_ns < at_ns])
    assert one.run is not None
    before = one.run.engine.tables.symbols.copy()
    past = [bar for bar in bars[ROLLED] if bar.close_ns <= at_ns]
    ratio = tuple(moved(bar, round(bar.close * 0.04) * 0.25) for bar in past)
    with caplog.at_level(logging.WARNING):
        one.take(HistoryLoaded(ROLLED, ratio, "ESM24"), at_ns)

    assert before["lots"][0] != 0.0
    assert one.run.engine.tables.symbols["average"][0] == before["average"][0]
    (told,) = [text for text in caplog.messages if "not all by one gap" in text]
    assert told.startswith(f"{ROLLED}: {len(past)} earlier bars")
    assert "the position with its levels" in told


def known_of(bars: Sequence[LiveBar]) -> KnownBars:
    known = KnownBars(ROLLED, MINUTE_NS)
    for bar in bars:
        known.put(bar.open_ns, bar.figures)
    return known


def test_a_roll_is_one_gap_for_all_earlier_bars_and_nothing_else_is_one() -> None:
    bars = bars_of(ROLLED, 60)
    new = [moved(bar) for bar in bars]
    ratio = [moved(bar, round(number * 0.4) * 0.25 + 2.5) for number, bar in enumerate(bars)]

    known = known_of(bars).get
    assert roll_of(known, bars, 0.25) is None
    assert roll_of(known, ratio, 0.25) is None
    assert roll_of(known, [*new[:2], *bars[2:]], 0.25) is None
    found = roll_of(known, [*new[:10], moved(bars[10], 1.0), *new[11:50], *bars[50:]], 0.25)
    assert found is not None
    assert (found.gap, found.since_ns) == (GAP, bars[49].open_ns + 1)


def test_bars_and_positions_that_had_the_new_prices_already_do_not_move(
    bars: dict[str, list[LiveBar]], tmp_path: Path
) -> None:
    """The roll was discovered late: ten bars have come with new prices, and a position was opened on them."""
    one = account(tmp_path, config("CoinFlip", "TrailingATR"))
    old, new = bars[ROLLED][:30], [moved(bar) for bar in bars[ROLLED][30:]]
    told = feed({ROLLED: [*old, *new], SYMBOLS[1]: bars[SYMBOLS[1]]})
    at_ns = bars[ROLLED][45].open_ns + int(1.5 * NS)
    play(one, [each for each in told if each.at_ns < at_ns])
    assert one.run is not None
    before = one.run.engine.tables.symbols.copy()
    assert before["entry_bar"][0] >= 30
    one.take(HistoryLoaded(ROLLED, tuple([*(moved(bar) for bar in old), *new][:45]), "ESM24"), at_ns)

    for name in ("average", "stop", "mark"):
        assert one.run.engine.tables.symbols[name][0] == before[name][0]
    assert one.run.bars.known[0].series().close.tolist() == [moved(bar).close for bar in bars[ROLLED][:45]]


def test_bars_that_nobody_acted_on_and_that_are_still_to_be_taken_in_move_too(
    bars: dict[str, list[LiveBar]], tmp_path: Path
) -> None:
    """They were synthetic when they came, told with prices from before the roll, and count from the next OPEN on."""
    one = account(tmp_path, config("CoinFlip", "TrailingATR"))
    told = feed(bars)
    stop = HISTORY + 10
    at_ns = bars[ROLLED][stop].open_ns + int(1.5 * NS)
    play(one, [each for each in told if each.at_ns < at_ns])
    assert one.run is not None
    for bar in bars[ROLLED][stop : stop + 3]:
        one.run.take(Revision(symbol=ROLLED, open_ns=bar.open_ns, figures=bar.figures))
    one.take(HistoryLoaded(ROLLED, tuple(moved(bar) for bar in bars[ROLLED][: stop + 3]), "ESM24"), at_ns)
    play(one, [backfilled(SYMBOLS[1], bar, at_ns) for bar in bars[SYMBOLS[1]][stop : stop + 4]])

    known = one.run.bars.known[0].series()
    assert known.close.tolist() == [moved(bar).close for bar in bars[ROLLED][: stop + 3]]


def test_a_bar_that_waits_to_act_once_more_when_the_roll_comes_acts_by_the_new_prices(
    bars: dict[str, list[LiveBar]], tmp_path: Path
) -> None:
    """Its line was down: it closed as far as it was seen, came whole with the old prices, and then all moved."""
    one = account(tmp_path, config("CoinFlip", "TrailingATR"), patience_s=30.0)
    told = feed(bars)
    bar, behind = bars[ROLLED][HISTORY + 10], bars[SYMBOLS[1]][HISTORY + 10 : HISTORY + 14]
    play(one, [each for each in told if each.at_ns < bar.open_ns + NS])
    one.take(StatusChanged(SYMBOLS[1], FeedStatus(SYMBOLS[1], FeedState.RECONNECTING)), bar.open_ns + NS)
    own = [each for each in told if each.event.symbol == ROLLED]
    play(one, [each for each in own if bar.open_ns + NS < each.at_ns < bar.open_ns + 50 * NS])
    now_ns = bar.close_ns + 40 * NS
    one.pass_time(now_ns)  # what was seen of it acts
    one.take(BarClosed(ROLLED, bar, CloseReason.STATUS, False, True, now_ns), now_ns)
    past = tuple(moved(each) for each in bars[ROLLED] if each.close_ns <= now_ns)
    one.take(HistoryLoaded(ROLLED, past, "ESM24"), now_ns + 1)
    play(one, [backfilled(SYMBOLS[1], each, now_ns + NS) for each in behind])
    one.pass_time(now_ns + 300 * NS)
    assert one.run is not None
    one.close()

    assert one.run.bars.known[0].get(bar.open_ns) == moved(bar).figures
    assert differing(bytes_of(one), replayed_bytes(tmp_path, config("CoinFlip", "TrailingATR"))) == []


def test_a_print_from_before_the_roll_opens_nothing(bars: dict[str, list[LiveBar]], tmp_path: Path) -> None:
    """It waits for the other symbol when the roll comes: its price is none any more."""
    one = account(tmp_path, config("CoinFlip", "TrailingATR"))
    told = feed(bars)
    bar = bars[ROLLED][HISTORY + 5]
    play(one, [each for each in told if each.at_ns < bar.open_ns + NS // 2])
    one.take(BarUpdated(ROLLED, bar), bar.open_ns + NS // 2)
    past = tuple(moved(each) for each in bars[ROLLED] if each.close_ns <= bar.open_ns)
    one.take(HistoryLoaded(ROLLED, past, "ESM24"), bar.open_ns + NS // 2 + 1)
    assert one.run is not None
    one.pass_time(bar.open_ns + 10 * NS)

    assert one.run.bars.last_ns < bar.open_ns


@pytest.mark.rule("S17.3")
def test_an_account_that_is_stopped_in_the_bar_that_rolled_replays_to_the_same_bytes(
    bars: dict[str, list[LiveBar]], tmp_path: Path
) -> None:
    """S17.3: the recording does not hold the bar under way, its state does; an order by hand waits for its close."""
    given = config("CoinFlip", "TrailingATR")
    at_ns = bars[ROLLED][HISTORY + 12].open_ns + 40 * NS
    told = [each for each in rolling(bars, at_ns) if each.at_ns < at_ns + 5 * NS]
    one = account(tmp_path, given)
    play(one, told)
    one.by_hand({"type": "limit", "symbol": ROLLED, "side": "buy", "qty": 1, "limit": 4_000.0})
    one.close()
    assert one.run is not None
    assert one.run.is_open

    assert differing(bytes_of(one), replayed_bytes(tmp_path, given)) == []


def test_a_session_holds_its_position_through_a_roll_of_the_service(tmp_path: Path) -> None:
    """From the service's roll to the account: the contract is asked for, history comes anew, nothing jumps."""
    spec = SymbolSpec(symbol="@ES", contracts=("ESH24", "ESM24"), rolls_at=(720.0,), roll_gap=400, volatility=1.0)
    given = BacktestConfig(
        initial_cash=500_000,
        assets=[{"symbol": "@ES", "calendar": "24/7", "slippage_ticks": 0, "contract": "ES"}],
        bot={"name": "Scripted"},
        exit={"name": "TrailingATR"},
    )
    with session(tmp_path, Scenario(rate=RATE, symbols=(spec,)), given) as (emulator, made):
        run = run_of(made)
        made.account.by_hand({"type": "market", "symbol": "@ES", "side": "buy", "qty": 2, "sl": 4_000.0})
        wait(made.poll, lambda: bool(run.engine.tables.count("fills")), "a position")
        assert emulator.clock.monotonic() < spec.rolls_at[0], "the position must be there before the roll"
        wait(made.poll, lambda: bool(run.shifts_taken), "the roll")
        begun = run.next_bar
        wait(made.poll, lambda: run.next_bar >= begun + 3, "three bars")
        wait(made.poll, lambda: wrong_bars(emulator, made) == {}, "all bars as the market made them")
        values = run.engine.tables.equity["equity"][: run.next_bar]
        moves = np.abs(np.diff(values))

        assert run.shifts_taken == {"@ES": 1}
        assert run.engine.tables.symbols["stop"][0] == (4_000.0 + 100.0) / 0.25
        # The gap is 100 points, 10,000 for two contracts; a minute of this market moves some points.
        assert 0.0 < moves.max() < 5_000.0
