"""Marks of trades, working orders and sums of results grow with the journal: as if they were made at its end."""

import numpy as np
import pytest

from app.charts.cursor import PHASES, Cursor
from app.replay.chunk import JournalTap
from app.replay.rows import OrderRows, TimedRows, ended_keys
from app.replay.store import JournalStore
from bots.catalog import make_bot
from engine.kernel.schema import FILL, ORDER, Phase
from engine.preparing import engine_of, prepare
from engine.run import Run
from tests.app.runs import config_of


@pytest.fixture(scope="module")
def stores() -> tuple[JournalStore, JournalStore]:
    """A journal that was taken in piece by piece, with every derived table asked for in between; and one at once."""
    config = config_of("coin_flip", "end=2024-09-03")
    run = Run(engine_of(config, prepare(config)), make_bot(config.bot, config.exit), drive="step")
    grown, tap = JournalStore(), JournalTap(run.engine)
    columns = range(len(run.engine.market.symbols))
    while run.next_bar < run.bars:
        run.advance(min(run.next_bar + 97, run.bars))
        grown.add(tap.take(0, run.next_bar, run.seconds))
        for column in columns:
            grown.marks_of(column)
        grown.nets()
        grown.orders.working(Cursor(run.next_bar - 1, Phase.OPEN))
    whole = JournalStore()
    whole.add(JournalTap(run.engine).take(0, run.next_bar, run.seconds))
    return grown, whole


def test_marks_taken_in_piece_by_piece_are_those_of_the_whole_run(stores: tuple[JournalStore, JournalStore]) -> None:
    """S8.8: flat to flat, an entry at its first fill."""
    grown, whole = stores
    assert len(whole.trades) > 20
    for column in range(4):
        first, second = grown.marks_of(column), whole.marks_of(column)
        for name in (
            "entry_bar",
            "entry_price",
            "exit_bar",
            "exit_phase",
            "exit_price",
            "side",
            "net",
            "begun",
            "ended",
        ):
            assert np.array_equal(getattr(first, name), getattr(second, name), equal_nan=True), name


def test_marks_agree_with_the_trades_of_the_journal(stores: tuple[JournalStore, JournalStore]) -> None:
    grown, _ = stores
    for column in range(4):
        trades = grown.trades.rows[grown.trades.rows["symbol"] == column]
        marks = grown.marks_of(column)
        closed = marks.exit_bar >= 0
        assert closed.sum() == len(trades)
        assert np.array_equal(marks.entry_bar[closed], trades["entry_bar"])
        assert np.array_equal(marks.exit_bar[closed], trades["exit_bar"])
        assert np.array_equal(marks.net[closed], trades["net"])
        assert np.array_equal(marks.begun[closed], trades["entry_bar"] * PHASES + trades["entry_phase"])


def test_sums_of_results_are_those_of_the_trades(stores: tuple[JournalStore, JournalStore]) -> None:
    grown, whole = stores
    assert grown.nets()[0] == 0.0
    assert np.allclose(grown.nets()[1:], np.cumsum(whole.trades.rows["net"]), rtol=0, atol=1e-6)


def test_working_orders_are_found_without_looking_at_all(stores: tuple[JournalStore, JournalStore]) -> None:
    """The same as from every order's own times, at every bar and phase."""
    grown, _ = stores
    for ordinal in range(0, grown.bars * PHASES, 7):
        cursor = Cursor(ordinal // PHASES, Phase(ordinal % PHASES))
        wanted = np.flatnonzero(ended_keys(grown.orders.upto(cursor)) > ordinal)
        assert np.array_equal(grown.orders.working(cursor), wanted)


def test_an_order_that_ends_later_is_found_until_then_in_whatever_block_it_stands() -> None:
    orders, rows = OrderRows(), np.zeros(1000, ORDER)
    rows["placed_bar"], rows["ended_bar"] = np.arange(1000), np.arange(1000)
    rows["ended_bar"][300] = -1
    orders.write(0, rows[:290])
    orders.write(290, rows[290:])
    assert orders.working(Cursor(999, Phase.CLOSE)).tolist() == [300]
    ended = rows[300:301].copy()
    ended["ended_bar"] = 600
    orders.put(np.array([300]), ended)
    assert orders.working(Cursor(599, Phase.CLOSE)).tolist() == [300]
    assert orders.working(Cursor(600, Phase.OPEN)).tolist() == []
    assert orders.cut(400).working(Cursor(500, Phase.CLOSE)).tolist() == [300]


def test_an_engine_that_plays_a_known_run_again_hides_nothing_of_it() -> None:
    """The window looks into the engine's table of equity only once the engine has come as far as is known."""
    config = config_of("coin_flip", "end=2024-09-03")
    run = Run(engine_of(config, prepare(config)), make_bot(config.bot, config.exit), drive="step")
    known = JournalStore()
    run.complete()
    known.add(JournalTap(run.engine).take(0, run.next_bar, run.seconds))
    wanted = known.equity.rows.copy()
    again = Run(engine_of(config, prepare(config)), make_bot(config.bot, config.exit), drive="step")
    tap = JournalTap(again.engine, shared=True)
    while again.next_bar < again.bars:
        again.advance(min(again.next_bar + 200, again.bars))
        known.add(tap.take(0, again.next_bar, again.seconds))
        assert np.array_equal(known.equity.rows, wanted)
    assert known.equity.rows.base is again.engine.tables.equity


def test_a_course_that_is_left_keeps_its_equity_when_the_engine_goes_back() -> None:
    """S16: the parent stays as it was, though its rows were the engine's own."""
    config = config_of("coin_flip", "end=2024-09-03")
    run = Run(engine_of(config, prepare(config)), make_bot(config.bot, config.exit), drive="step", snapshots=True)
    tap, parent = JournalTap(run.engine, shared=True), JournalStore()
    run.complete()
    parent.add(tap.take(0, run.next_bar, run.seconds))
    wanted = parent.equity.rows.copy()
    tap.leave_curve()
    run.go_back(100)
    run.engine.tables.equity[100:] = 0.0
    assert np.array_equal(parent.equity.rows, wanted)
    run.complete()
    assert np.array_equal(run.engine.tables.equity, wanted)


def test_records_are_copied_whole_and_a_cut_goes_on_by_itself() -> None:
    """What a table keeps are its rows' bytes, also behind a cut, and with rows that lie apart."""
    given = np.zeros(9, FILL)
    given["bar"], given["price"], given["phase"] = np.arange(9), np.linspace(1.0, 2.0, 9), np.arange(9) % 3
    table = TimedRows(FILL)
    table.reserve(4)
    table.write(0, given[:3])
    table.write(3, given[3:9:2])  # beyond the room, every second one
    assert table.rows["bar"].tolist() == [0, 1, 2, 3, 5, 7]
    assert table.rows["price"].tolist() == given["price"][[0, 1, 2, 3, 5, 7]].tolist()
    cut = table.cut(4)
    cut.write(4, given[8:])
    assert cut.rows["bar"].tolist() == [0, 1, 2, 3, 8]
    assert cut.keys.tolist() == [3 * bar + bar % 3 for bar in (0, 1, 2, 3, 8)]
    assert len(table) == 6
    table.write(0, given[4:5])
    assert cut.rows["bar"].tolist() == [0, 1, 2, 3, 8]
