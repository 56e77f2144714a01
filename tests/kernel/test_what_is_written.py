"""Every field of every kind of event, the figures of every refusal: what the journal tells and the run never reads."""

import math
from typing import Any

import numpy as np
import pytest

from engine.kernel import loops
from engine.kernel.broker import BY_HAND, FLATTENING, REDUCE_ONLY
from engine.kernel.hooking import CHOOSE, hook
from engine.kernel.schema import EventKind, Gate, OrderType, Phase, Reject, TimeInForce
from engine.kernel.state import FLATTEN, REAL, SESSION_FIRST, put_float
from engine.tables import RunTables
from tests.kernel import small
from tests.kernel.watching import negative_zeros

NAN = math.nan
DETOUR = ((100.0, 110.0, 90.0, 105.0),)


def events(tables: RunTables, kind: EventKind) -> list[tuple[Any, ...]]:
    """Bar, phase, symbol, reference and figures of the events of a kind; NaN is told as None."""
    rows = tables.rows("events")
    own = rows[rows["kind"] == kind]
    return [
        (
            int(row["bar"]),
            Phase(int(row["phase"])).name,
            int(row["symbol"]),
            int(row["ref"]),
            *(None if math.isnan(row[name]) else float(row[name]) for name in "abc"),
        )
        for row in own
    ]


def opened(**given: Any) -> RunTables:
    """Two symbols at OPEN of the first bar (O 100, H 110, L 90, C 105)."""
    tables = small.made_tables(symbols=2, **given)
    tables.call(loops.begin_bar, 0)
    return tables


def test_an_accepted_order_tells_its_id_limit_stop_and_lots() -> None:
    tables = opened()
    small.place(tables, OrderType.LIMIT, 1, limit=95.4)

    small.place(tables, OrderType.STOP_LIMIT, -1, 3.0, symbol=1, limit=94.0, stop=93.0)

    assert events(tables, EventKind.ORDER_ACCEPTED) == [
        (0, "OPEN", 0, 1, 95.0, None, 1.0),
        (0, "OPEN", 1, 2, 94.0, 93.0, 3.0),
    ]


def test_a_change_tells_id_limit_stop_and_lots_as_they_are_now() -> None:
    tables = opened()
    small.place(tables, OrderType.LIMIT, 1, limit=95.0)
    number = small.place(tables, OrderType.STOP_LIMIT, 1, symbol=1, limit=104.0, stop=103.0)

    tables.call(loops.modify_order, number, 2.0, 106.9, 105.1, NAN, NAN)

    assert events(tables, EventKind.ORDER_MODIFIED) == [(0, "OPEN", 1, 2, 106.0, 106.0, 2.0)]


def test_a_change_tells_the_levels_of_the_bracket_that_are_others_now() -> None:
    """New and old; a level that stays, or that there is none of before and after, is not told."""
    tables = opened()
    number = small.place(tables, OrderType.LIMIT, 1, symbol=1, limit=95.0, stop_loss=90.0)

    for stop_loss, take_profit in ((90.0, NAN), (88.0, NAN), (88.0, 120.0), (NAN, 121.0)):
        tables.call(loops.modify_order, number, 1.0, 95.0, NAN, stop_loss, take_profit)

    assert events(tables, EventKind.BRACKET_STOP_MOVED) == [
        (0, "OPEN", 1, number, 88.0, 90.0, 0.0),
        (0, "OPEN", 1, number, None, 88.0, 0.0),
    ]
    assert events(tables, EventKind.BRACKET_TARGET_MOVED) == [
        (0, "OPEN", 1, number, 120.0, None, 0.0),
        (0, "OPEN", 1, number, 121.0, 120.0, 0.0),
    ]


def test_a_level_that_stays_as_it_is_is_not_told() -> None:
    """Neither the same price once more, nor none where there was none."""
    tables = opened()
    small.place(tables, OrderType.MARKET, 1)
    for call in (loops.modify_stop, loops.modify_target):
        tables.call(call, 0, NAN)
    for _ in range(2):
        tables.call(loops.modify_stop, 0, 95.0)
        tables.call(loops.modify_target, 0, 109.0)

    assert events(tables, EventKind.STOP_MOVED) == [(0, "OPEN", 0, 0, 95.0, None, 0.0)]
    assert events(tables, EventKind.TARGET_MOVED) == [(0, "OPEN", 0, 0, 109.0, None, 0.0)]


def test_a_cancelled_order_tells_its_id_and_why() -> None:
    tables = opened()
    small.place(tables, OrderType.LIMIT, 1, limit=95.0)
    number = small.place(tables, OrderType.LIMIT, 1, symbol=1, limit=95.0)

    tables.call(loops.cancel_order, number, int(Reject.BY_HAND))

    assert events(tables, EventKind.ORDER_CANCELLED) == [(0, "OPEN", 1, 2, float(Reject.BY_HAND), 0.0, 0.0)]


def test_an_expired_order_tells_its_id() -> None:
    tables = small.made_tables(DETOUR, symbols=2)
    tables.call(loops.begin_bar, 0)
    small.place(tables, OrderType.LIMIT, 1, limit=80.0)
    small.place(tables, OrderType.LIMIT, 1, symbol=1, limit=80.0, tif=TimeInForce.DAY)

    tables.call(loops.end_bar)

    assert events(tables, EventKind.ORDER_EXPIRED) == [(0, "CLOSE", 1, 2, 0.0, 0.0, 0.0)]


def test_a_stop_limit_that_triggers_tells_its_id_and_the_price() -> None:
    tables = opened()
    small.place(tables, OrderType.LIMIT, 1, limit=80.0)
    small.place(tables, OrderType.STOP_LIMIT, 1, symbol=1, limit=101.0, stop=104.0)

    tables.call(loops.end_bar)

    assert events(tables, EventKind.ORDER_TRIGGERED) == [(0, "INTRABAR", 1, 2, 104.0, 0.0, 0.0)]


def test_a_trade_tells_fills_levels_number_and_net() -> None:
    """S8.8. Long 2 at 100, levels 95 and 108, stopped at 95 on the way to L: 10 lost."""
    tables = opened()
    small.place(tables, OrderType.MARKET, 1, 2.0, symbol=1, stop_loss=95.0, take_profit=108.0)

    tables.call(loops.modify_target, 1, 109.0)
    tables.call(loops.end_bar)

    assert events(tables, EventKind.FILL) == [(0, "OPEN", 1, 0, 0.0, 0.0, 0.0), (0, "INTRABAR", 1, 1, 0.0, 0.0, 0.0)]
    assert events(tables, EventKind.TRADE_OPENED) == [(0, "OPEN", 1, 1, 0.0, 0.0, 0.0)]
    assert events(tables, EventKind.STOP_MOVED) == [(0, "OPEN", 1, 0, 95.0, None, 0.0)]
    assert events(tables, EventKind.TARGET_MOVED) == [
        (0, "OPEN", 1, 0, 108.0, None, 0.0),
        (0, "OPEN", 1, 0, 109.0, 108.0, 0.0),
    ]
    assert events(tables, EventKind.TRADE_CLOSED) == [(0, "INTRABAR", 1, 1, -10.0, 0.0, 0.0)]


def test_a_margin_call_tells_worst_equity_and_requirement() -> None:
    """S7.2. Long 1 at 100, worst at 90: equity 40 - 10 = 30, required 31; sold at 105, from 90 to there are 15."""
    tables = opened(cash=40.0)
    tables.instruments["maintenance_abs"] = 31.0
    small.place(tables, OrderType.MARKET, 1, symbol=1)

    tables.call(loops.end_bar)

    assert events(tables, EventKind.MARGIN_CALL) == [(0, "CLOSE", -1, 0, 30.0, 31.0, 0.0)]
    assert tables.rows("calls").tolist() == [(0, 1, 1, 30.0, 31.0, 15.0, 45.0)]


def test_a_bankruptcy_tells_the_equity() -> None:
    """S7.3. Short 1 at 100 with cash 4, bought back at 105."""
    tables = opened(cash=4.0)
    tables.instruments["maintenance_abs"] = 1.0
    small.place(tables, OrderType.MARKET, -1)

    tables.call(loops.end_bar)

    assert events(tables, EventKind.BANKRUPT) == [(0, "CLOSE", -1, 0, -1.0, 0.0, 0.0)]
    assert (tables.account["bankrupt"][0], tables.account["bankrupt_bar"][0]) == (1, 0)
    assert small.place(tables, OrderType.MARKET, 1) == 2
    assert refusals(tables) == [(Reject.BANKRUPT, -1.0, None, None)]


def refusals(tables: RunTables) -> list[tuple[Any, ...]]:
    """Reason and figures of the rejected orders, the same in their rows and in their events."""
    rows = tables.rows("orders")
    rows = rows[rows["status"] == 3]
    told = [
        (Reject(int(row["reject"])), *(None if math.isnan(row[name]) else float(row[name]) for name in FIGURES))
        for row in rows
    ]
    written = [(at[3], *at[4:]) for at in events(tables, EventKind.ORDER_REJECTED)]
    assert written == [(int(row["id"]), *one[1:]) for row, one in zip(rows, told, strict=True)]
    return told


FIGURES = ("figure_a", "figure_b", "figure_c")


@pytest.mark.rule("S8.2")
def test_a_refusal_of_a_level_tells_the_level_and_the_entry() -> None:
    tables = opened()

    small.place(tables, OrderType.LIMIT, 1, limit=95.0, stop_loss=95.0, take_profit=99.0)
    small.place(tables, OrderType.STOP, -1, stop=95.0, stop_loss=99.0, take_profit=96.0)
    small.place(tables, OrderType.MARKET, 1, stop_loss=101.0)
    small.place(tables, OrderType.STOP, 1)

    assert refusals(tables) == [
        (Reject.STOP_LOSS_SIDE, 95.0, 95.0, None),
        (Reject.TAKE_PROFIT_SIDE, 96.0, 95.0, None),
        (Reject.STOP_LOSS_SIDE, 101.0, 100.0, None),
        (Reject.PRICE_MISSING, None, None, None),
    ]


@pytest.mark.rule("S8.4")
def test_a_refusal_for_margin_tells_what_is_needed_there_is_and_could_be_had() -> None:
    """Cash 100, margin 30, commission 1, fee 2.

    Five lots need 150 of 100 - 5 - 2 = 93; 98 / 31 buys three. With those, 100 - 5 - 90 = 5 is free: one more needs
    30 of 5 - 1 - 2 = 2, none can be had. Eight sold close three, which frees 90, and open five: 150 of
    5 + 90 - 8 - 2 = 85; after the fee and the three closed 90 are left, two can be opened, so five in all.
    """
    tables = opened(cash=100.0)
    tables.instruments["initial_abs"], tables.instruments["commission"], tables.instruments["fee"] = 30.0, 1.0, 2.0

    small.place(tables, OrderType.MARKET, 1, 5.0)
    small.place(tables, OrderType.MARKET, 1, 3.0)
    small.place(tables, OrderType.MARKET, 1, 1.0)
    small.place(tables, OrderType.MARKET, -1, 8.0)

    assert refusals(tables) == [
        (Reject.MARGIN, 150.0, 93.0, 3.0),
        (Reject.MARGIN, 30.0, 2.0, 0.0),
        (Reject.MARGIN, 150.0, 85.0, 5.0),
    ]


@pytest.mark.rule("S8.4")
def test_without_money_for_the_costs_no_lot_can_be_had() -> None:
    tables = opened(cash=1.0)
    tables.instruments["fee"] = 2.0

    small.place(tables, OrderType.MARKET, 1)

    assert refusals(tables) == [(Reject.MARGIN, 0.0, -1.0, 0.0)]


@pytest.mark.rule("S8.4")
def test_money_for_the_costs_alone_suffices_where_no_margin_is_asked() -> None:
    tables = opened(cash=2.0)
    tables.instruments["fee"] = 2.0

    small.place(tables, OrderType.MARKET, 1)

    assert tables.rows("fills")["cash"].tolist() == [0.0]
    assert refusals(tables) == []


@pytest.mark.rule("S8.1")
def test_a_change_of_a_close_leaves_its_quantity() -> None:
    """A close waiting for the next open stays whole; a reduce-only order takes the new quantity but no levels."""
    tables = opened()
    tables.account["next_open"] = 1
    tables.call(loops.modify_stop, 0, 95.0)
    small.place(tables, OrderType.LIMIT, 1, 4.0, limit=100.0)
    whole = tables.call(loops.close_position, 0, BY_HAND)
    part = small.place(tables, OrderType.LIMIT, -1, 2.0, limit=120.0, flags=REDUCE_ONLY, stop_loss=130.0)

    assert tables.call(loops.modify_order, whole, 2.0, NAN, NAN, NAN, NAN) == 0
    assert tables.call(loops.modify_order, part, 3.0, 121.0, NAN, 130.0, 90.0) == 0

    rows = tables.rows("orders")
    assert rows["lots"].tolist() == [4.0, 4.0, 3.0]
    assert rows["source"].tolist() == [0, 1, 0]
    assert rows["whole"].tolist() == [0, 1, 0]
    assert all(math.isnan(rows[name][2]) for name in ("stop_loss", "take_profit"))


@pytest.mark.rule("S11.2", "S11.3")
def test_a_decision_tells_order_side_stop_and_lots_and_a_verdict_its_change() -> None:
    """Equity 100,000, 1 % at risk, stop 2 x 5 below 100: 1,000 / 10 = 100 lots."""
    tables = small.made_tables(symbols=2, cash=100_000.0, bars=((100.0, 101.0, 99.0, 100.0),) * 4)
    small.with_base_bot(tables, (0, 1, 1, 1))

    small.play(tables, 3)

    first = 2
    assert events(tables, EventKind.DECISION) == [
        (1, "OPEN", 0, 1, 1.0, 90.0, 100.0),
        (1, "OPEN", 1, first, 1.0, 90.0, 100.0),
    ]
    gates = [event for event in events(tables, EventKind.GATE) if event[2] == 1]
    assert gates == [
        (0, "OPEN", 1, 0, float(Gate.ATR), -1.0, 0.0),
        (1, "OPEN", 1, 0, float(Gate.ENTERED), float(Gate.ATR), 0.0),
        (2, "OPEN", 1, 0, float(Gate.HOLDING), float(Gate.ENTERED), 0.0),
    ]
    assert tables.gates[1].tolist() == [0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]


@pytest.mark.rule("S11.1")
def test_a_late_flatten_is_told_and_counted() -> None:
    """Held over the session's end without a bar to flatten in: closed at the next session's first open."""
    tables = small.made_tables(symbols=2, cash=100_000.0, bars=((100.0, 101.0, 99.0, 100.0),) * 4)
    small.with_base_bot(tables, (0, 1, 0, 0))
    tables.flags[2, 1] |= SESSION_FIRST
    tables.flags[3, 0] |= FLATTEN

    small.play(tables, 4)

    assert events(tables, EventKind.LATE_FLATTEN) == [(2, "OPEN", 1, 0, 0.0, 0.0, 0.0)]
    assert tables.symbols["late_flattens"].tolist() == [0, 1]
    assert tables.rows("trades")[["symbol", "exit_bar", "exit_reason"]].tolist() == [(1, 2, 4), (0, 3, 4)]


@pytest.mark.rule("S11.2")
@pytest.mark.parametrize(("limit", "gate"), [(0.25, Gate.DAILY_LOSS), (0.3, Gate.NO_SIGNAL)])
def test_a_daily_loss_that_just_reaches_the_cap_closes_the_gate(limit: float, gate: Gate) -> None:
    """1,000 at the day's start, 25 lots bought at 100 and sold at 90 by their stop: 250 lost, a quarter."""
    tables = small.made_tables(cash=1_000.0)
    small.with_base_bot(tables, (0, 0, 0, 0))
    tables.account["max_daily_loss_pct"] = limit
    tables.call(loops.begin_bar, 0)
    small.place(tables, OrderType.MARKET, 1, 25.0, stop_loss=90.0)
    tables.call(loops.end_bar)

    small.play(tables)

    assert tables.account["equity"][0] == 750.0
    assert tables.symbols["gate"][0] == gate


def test_a_flatten_by_order_tells_its_reason_and_fills_at_this_open() -> None:
    """S11.1: whatever ``market_fill`` says."""
    tables = opened()
    small.place(tables, OrderType.MARKET, 1, 3.0)
    tables.account["next_open"] = 1

    tables.call(loops.close_position, 0, FLATTENING)

    assert tables.rows("fills")[["side", "reason", "lots", "order"]].tolist() == [(1, 0, 3.0, 1), (-1, 6, 3.0, 2)]
    assert tables.rows("orders")["flatten"].tolist() == [0, 1]


@pytest.mark.rule("S8.8")
def test_the_open_at_which_the_walk_begins_belongs_to_the_prices_seen() -> None:
    """Long 1 from 100; the next bar opens at 120 and goes down first: the best price seen is 120, the exit 95."""
    tables = small.made_tables(((100.0, 110.0, 96.0, 105.0), (120.0, 125.0, 90.0, 100.0)))
    tables.call(loops.begin_bar, 0)
    small.place(tables, OrderType.MARKET, 1, stop_loss=95.0)
    tables.call(loops.end_bar)

    small.play(tables)

    (trade,) = tables.rows("trades")
    assert (trade["mae"], trade["mfe"], trade["exit_price"]) == (-5.0, 20.0, 95.0)


@pytest.mark.rule("S8.1")
def test_calls_answer_whether_they_had_an_effect() -> None:
    tables = opened()
    without_position = [
        tables.call(call, 0, 95.0) for call in (loops.modify_stop, loops.modify_target, loops.tighten_stop)
    ]
    small.place(tables, OrderType.MARKET, 1)
    limit = small.place(tables, OrderType.LIMIT, 1, limit=80.0)

    assert without_position == [0, 0, 0]
    assert [tables.call(loops.modify_stop, 0, stop) for stop in (94.0, math.inf, NAN)] == [1, 0, 1]
    assert [tables.call(loops.modify_target, 0, target) for target in (108.0, -math.inf, NAN)] == [1, 0, 1]
    assert [tables.call(loops.tighten_stop, 0, stop) for stop in (NAN, 93.0, 93.0, 92.0, 94.0)] == [0, 1, 0, 0, 1]
    assert [tables.call(loops.modify_order, number, 1.0, 81.0, NAN, NAN, NAN) for number in (0, 1, limit, 3)] == [
        -1, -1, 0, -1,
    ]  # fmt: skip
    assert [tables.call(loops.cancel_order, number, 9) for number in (0, 1, limit, limit, 3)] == [0, 0, 1, 0, 0]
    assert math.isnan(tables.symbols["target"][0])
    assert tables.symbols["stop"][0] == 94.0


@pytest.mark.rule("S6.7")
@pytest.mark.parametrize(("side", "short_of_a_tick", "a_tick"), [(1, 108.5, 109.0), (-1, 91.5, 91.0)])
def test_through_wants_a_whole_tick_also_of_an_open_off_the_grid(
    side: int, short_of_a_tick: float, a_tick: float
) -> None:
    """S2.6: the target at 108 (92) is not reached by an open half a tick beyond it, and filled by one a tick beyond."""
    tables = small.made_tables([(price, price, price, price) for price in (100.0, short_of_a_tick, a_tick)])
    tables.account["through"] = 1
    tables.call(loops.begin_bar, 0)
    small.place(tables, OrderType.MARKET, side, take_profit=100.0 + 8 * side)
    tables.call(loops.end_bar)

    small.play(tables, 2)

    assert tables.rows("fills")[["bar", "price"]].tolist() == [(0, 100.0), (2, a_tick)]


@pytest.mark.rule("S14")
def test_a_negative_zero_that_is_given_is_not_written_down() -> None:
    """Not even where the order is refused, so that its prices stay as they were given."""
    tables = opened()

    for lots in (-0.0, 1.5):
        small.place(tables, OrderType.STOP_LIMIT, 1, lots, limit=-0.0, stop=-0.0, stop_loss=-0.0, take_profit=-0.0)

    assert refusals(tables) == [(Reject.QUANTITY, None, None, None)] * 2
    assert tables.rows("orders")[["limit", "stop", "stop_loss", "take_profit"]].tolist() == [(0.0,) * 4] * 2
    assert negative_zeros(tables) == []


def test_a_fill_tells_the_trade_it_belongs_to_and_a_reversal_the_one_that_it_ends() -> None:
    tables = opened()
    small.place(tables, OrderType.MARKET, 1)
    small.place(tables, OrderType.MARKET, 1, symbol=1)
    small.place(tables, OrderType.MARKET, -1, 2.0)
    small.place(tables, OrderType.MARKET, 1)

    assert tables.rows("fills")["trade"].tolist() == [1, 2, 1, 3]
    assert tables.rows("trades")["number"].tolist() == [1, 3]


def test_a_protective_fill_has_no_giver_though_its_order_was_given_by_hand() -> None:
    tables = opened()
    small.place(tables, OrderType.MARKET, 1, stop_loss=95.0, flags=BY_HAND)
    tables.call(loops.end_bar)

    assert tables.rows("fills")["source"].tolist() == [1, 0]


@pytest.mark.rule("S5.1")
def test_a_level_that_the_mark_is_through_waits_for_a_real_bar() -> None:
    """Long 1, marked at 105; the stop goes to 106 at CLOSE, the next bar is synthetic, the one after opens at 100."""
    tables = small.made_tables()
    tables.flags[1, 0] &= ~np.uint8(REAL)
    tables.call(loops.begin_bar, 0)
    small.place(tables, OrderType.MARKET, 1)
    tables.call(loops.end_bar)
    tables.call(loops.modify_stop, 0, 106.0)

    small.play(tables, 2)

    assert tables.rows("fills")[["bar", "price"]].tolist() == [(0, 100.0), (2, 100.0)]


def choose_two(told: int, moment: int, symbol: int, value: int) -> float:
    """A learned exit that always chooses twice the ATR and notes what it is told of each symbol."""
    if moment != CHOOSE:
        put_float(told, symbol, value)
    return 2.0


@pytest.mark.rule("S12.3")
@pytest.mark.parametrize(("max_lots", "orders"), [((np.inf, np.inf), (1.0, 2.0)), ((0.5, np.inf), (0.0, 1.0))])
def test_a_learned_exit_is_told_the_order_that_its_choice_became_or_that_there_is_none(
    max_lots: tuple[float, float], orders: tuple[float, float]
) -> None:
    """Two symbols enter in bar 1; where half a lot is the most, the first gets no order and the second is order 1."""
    tables = small.made_tables(symbols=2, cash=100_000.0, bars=((100.0, 101.0, 99.0, 100.0),) * 2)
    small.with_base_bot(tables, (0, 1), multiple=math.nan)
    tables.instruments["max_lots"] = max_lots
    told = np.full(2, NAN)
    address, alive = hook(choose_two)
    tables.account["hook_a"], tables.account["learned_a"] = address, told.ctypes.data

    small.play(tables, 2)

    assert alive is not None
    assert told.tolist() == list(orders)
    assert tables.rows("orders")["stop_loss"].tolist() == [90.0] * int(max(orders))
    assert tables.symbols["exit_multiple"].tolist() == [2.0, 2.0]
