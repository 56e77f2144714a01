"""The tables of a run: room for whatever one call may write, growth, and rows that are used again after a rewind."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest

from engine.kernel import loops
from engine.kernel.compiling import BOUNDS_CHECKED
from engine.kernel.schema import EventKind, OrderStatus, OrderType, Phase
from engine.kernel.state import BEST_CASE, COLOUR, FLATTEN, WORST_CASE
from engine.tables import RunTables
from tests.kernel import small
from tests.kernel.watching import broken

LIMITS = {"orders_cap": "n_orders", "fills_cap": "n_fills", "trades_cap": "n_trades", "events_cap": "n_events"}
# Calls that place no orders of their own, and whether bar 0 has opened before them.
CALLS: dict[str, tuple[Callable[[RunTables], int], bool]] = {
    "begin_bar": (lambda tables: tables.call(loops.begin_bar, 0), False),
    "run_bars": (lambda tables: loops.run_bars(tables.address, 0, 1), False),
    "end_bar": (lambda tables: tables.call(loops.end_bar), True),
    "next_bar": (lambda tables: tables.call(loops.next_bar), True),
}


def crowded(rng: np.random.Generator) -> RunTables:
    """One to three symbols with 200 orders waiting for the first bar, in which prices run through all of them."""
    tables = small.made_tables(symbols=int(rng.integers(1, 4)))
    account = tables.account[0]
    account["path"] = rng.choice((WORST_CASE, BEST_CASE, COLOUR))
    account["through"] = rng.integers(2)
    tables.instruments["slip_ticks"] = float(rng.integers(3))
    small.random_orders(tables, rng, 200)
    return tables


def with_least_room(tables: RunTables) -> None:
    """Lower each capacity to the smallest one with which the kernel still begins a call that places no orders."""
    for name in LIMITS:
        low, high = 0, int(tables.account[name][0])
        while low < high:
            tables.account[name] = (low + high) // 2
            if loops.next_candidate(tables.address, len(tables.symbols)) == loops.GROW:
                low = (low + high) // 2 + 1
            else:
                high = (low + high) // 2
        tables.account[name] = low


@pytest.mark.parametrize("name", CALLS)
def test_one_call_never_writes_more_than_the_room_that_it_asked_for(name: str) -> None:
    """The kernel looks for room once, before it begins: what follows must fit, however the orders fall."""
    call, opened = CALLS[name]
    most = 0
    for seed in range(12):
        tables = crowded(np.random.default_rng(seed))
        if opened:
            loops.begin_bar(tables.address, 0)
            small.random_orders(tables, np.random.default_rng(seed + 100), 100)
        with_least_room(tables)
        room = {name: int(tables.account[name][0]) for name in LIMITS}
        before = tables.count("events")

        call(tables)

        assert all(int(tables.account[count][0]) <= room[name] for name, count in LIMITS.items()), seed
        assert {name: int(tables.account[name][0]) for name in LIMITS} == room, "the call has grown the tables"
        most = max(most, tables.count("events") - before)
    assert most > 200


def test_a_bar_of_the_base_bot_never_writes_more_than_the_room_that_it_asked_for() -> None:
    """Every symbol flattens or enters, with a hundred orders that wait for the open and the walk."""
    entries, closes = 0, 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        tables = crowded(rng)
        small.with_base_bot(tables, (0, 1, 1, 1))
        tables.account["max_positions"] = 99
        tables.flags[1] |= (rng.random(len(tables.symbols)) < 0.5) * np.uint8(FLATTEN)
        small.play(tables)
        small.random_orders(tables, rng, 100)
        with_least_room(tables)
        room = {name: int(tables.account[name][0]) for name in LIMITS}

        assert loops.run_bars(tables.address, 1, 2) == 2

        assert all(int(tables.account[count][0]) <= room[name] for name, count in LIMITS.items()), seed
        entries += int((tables.rows("events")["kind"] == EventKind.DECISION).sum())
        closes += int((tables.rows("orders")["flatten"] == 1).sum())
    assert min(entries, closes) > 3


def test_tables_grow_until_hundreds_of_orders_fit_and_keep_their_rows() -> None:
    tables = small.made_tables()
    first = small.capacities(tables)
    ids = [small.place(tables, OrderType.STOP, 1, stop=101.0 + n % 9, stop_loss=95.0) for n in range(1500)]
    loops.begin_bar(tables.address, 0)

    assert tables.call(loops.end_bar) == 0

    assert ids == list(range(1, 1501))
    assert tables.rows("orders")["id"].tolist() == ids
    assert (tables.rows("orders")["status"] == OrderStatus.FILLED).all()
    assert np.count_nonzero(tables.rows("fills")["order"]) == 1500
    assert tables.count("trades") == np.count_nonzero(tables.rows("fills")["order"] == 0)
    assert (small.capacities(tables) >= first).all()
    assert list(broken(tables)) == []


def test_growth_changes_no_byte_of_what_is_written() -> None:
    """The same orders, once in tables that must grow again and again, once in tables that never do."""
    results = []
    for early in (0, 5):
        tables = small.made_tables()
        for _ in range(early):
            tables.grow()
        small.random_orders(tables, np.random.default_rng(3), 700)
        tables.call(loops.begin_bar, 0)
        tables.call(loops.end_bar)
        results.append((small.written(tables), int(small.capacities(tables).sum())))

    (small_rows, little), (large_rows, much) = results
    assert little < much
    assert all(small.same_fields(small_rows[name], large_rows[name]) for name in small_rows)


def test_a_call_without_room_changes_nothing() -> None:
    tables = crowded(np.random.default_rng(1))
    loops.begin_bar(tables.address, 0)
    for name in (*LIMITS, "calls_cap"):
        before = int(tables.account[name][0])
        tables.account[name] = 0
        state = tables.account.tobytes(), tables.symbols.tobytes(), tables.orders.tobytes(), tables.events.tobytes()

        answers = {entry(tables.address, *arguments) for entry, arguments in EVERY_ENTRY.items()}

        assert answers == {loops.GROW}
        assert loops.run_bars(tables.address, 1, 3) == 1
        assert state == (
            tables.account.tobytes(), tables.symbols.tobytes(), tables.orders.tobytes(), tables.events.tobytes(),
        )  # fmt: skip
        tables.account[name] = before


EVERY_ENTRY: dict[Callable[..., int], tuple[float, ...]] = {
    loops.begin_bar: (1,),
    loops.end_bar: (),
    loops.next_bar: (),
    loops.run_intrabar: (),
    loops.run_close: (),
    loops.run_finish: (),
    loops.place_order: (0, 1, 0, 0, 1.0, math.nan, math.nan, math.nan, math.nan, 0),
    loops.close_position: (0, 0),
    loops.cancel_order: (1, 0),
    loops.modify_order: (1, 1.0, math.nan, math.nan, math.nan, math.nan),
    loops.modify_stop: (0, 95.0),
    loops.modify_target: (0, 95.0),
    loops.tighten_stop: (0, 95.0),
    loops.base_bar: (),
    loops.manage_positions: (),
    loops.flatten_if_due: (0,),
    loops.next_candidate: (0,),
    loops.decide: (0, 1),
    loops.decide_levels: (0, 1, 95.0, math.nan),
}


def test_a_row_used_again_after_a_rewind_keeps_nothing_of_what_stood_there() -> None:
    """Everything behind the snapshot is overwritten with rubbish; going on writes the same columns as ever."""
    tables = crowded(np.random.default_rng(7))
    tables.instruments["maintenance_abs"] = 1e9
    tables.call(loops.begin_bar, 0)
    tables.call(loops.end_bar)
    snapshot = tables.copy_state()
    go_on(tables)
    told = small.written(tables)

    for name in (*small.OUTPUTS, "equity"):
        used = 1 if name == "equity" else int(snapshot.account[f"n_{name}"][0])
        getattr(tables, name)[used:].view(np.uint8)[:] = 0xA5
    tables.links[int(snapshot.account["n_orders"][0]) :] = 12345
    tables.restore_state(snapshot)
    go_on(tables)

    again = small.written(tables)
    assert all(small.same_fields(told[name], again[name]) for name in told)
    assert len(told["calls"]) > 0
    assert len(told["orders"]) > int(snapshot.account["n_orders"][0])


def go_on(tables: RunTables) -> None:
    """The rest of the bars, with new orders at every open."""
    for bar in range(1, len(tables.bars)):
        tables.call(loops.begin_bar, bar)
        small.random_orders(tables, np.random.default_rng(bar), 40)
        tables.call(loops.end_bar)


def test_a_snapshot_taken_before_the_tables_grew_restores_into_the_larger_ones() -> None:
    tables = crowded(np.random.default_rng(9))
    tables.call(loops.begin_bar, 0)
    tables.call(loops.end_bar)
    snapshot = tables.copy_state()
    go_on(tables)
    told = small.written(tables)
    tables.grow()

    tables.restore_state(snapshot)
    go_on(tables)

    again = small.written(tables)
    assert all(small.same_fields(told[name], again[name]) for name in told)


@pytest.mark.parametrize("order", list(itertools.permutations(range(1, 5))))
def test_orders_leave_the_list_in_any_sequence(order: tuple[int, ...]) -> None:
    tables = small.made_tables(symbols=2)
    kinds = (OrderType.LIMIT, OrderType.MARKET, OrderType.STOP, OrderType.LIMIT)
    for kind in kinds:
        small.place(tables, kind, 1, limit=99.0, stop=101.0)
    small.place(tables, OrderType.LIMIT, 1, symbol=1, limit=99.0)

    for number in order:
        assert tables.call(loops.cancel_order, number, 10) == 1
        assert list(broken(tables)) == []
        assert tables.call(loops.cancel_order, number, 10) == 0

    assert tables.account["working"][0] == 1


@pytest.mark.rule("S5.6")
def test_an_order_given_before_the_first_bar_waits_for_its_open() -> None:
    tables = small.made_tables()

    small.place(tables, OrderType.MARKET, 1)

    assert tables.rows("orders")["placed_bar"].tolist() == [-1]
    assert tables.rows("orders")["placed_phase"].tolist() == [Phase.CLOSE]
    assert tables.count("fills") == 0
    tables.call(loops.begin_bar, 0)
    assert tables.rows("fills")["price"].tolist() == [100.0]


@pytest.mark.rule("S8.2")
def test_a_change_that_is_refused_leaves_every_column_of_the_order_as_it_was() -> None:
    tables = small.made_tables()
    tables.call(loops.begin_bar, 0)
    number = small.place(tables, OrderType.LIMIT, 1, limit=95.0, stop_loss=90.0, take_profit=99.0)
    before = tables.rows("orders").tobytes()

    refused = [
        tables.call(loops.modify_order, number, *terms)
        for terms in (
            (1.5, 95.0, math.nan, 90.0, 99.0),
            (1.0, math.nan, math.nan, 90.0, 99.0),
            (1.0, 95.0, math.nan, 96.0, 99.0),
            (1.0, 95.0, math.nan, 90.0, 94.0),
        )
    ]

    assert refused == [2, 3, 4, 5]
    assert tables.rows("orders").tobytes() == before


@pytest.mark.skipif(not BOUNDS_CHECKED, reason="the kernel looks at indices in checked builds only")
@pytest.mark.parametrize("symbol", [-1, 1, 99])
def test_an_index_outside_its_table_is_refused_in_a_checked_build(symbol: int) -> None:
    tables = small.made_tables()
    tables.call(loops.begin_bar, 0)

    with pytest.raises(IndexError, match="out of range"):
        loops.modify_stop(tables.address, symbol, 95.0)
