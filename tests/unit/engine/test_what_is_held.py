"""What a market and a run keep in memory: nothing twice that can be read from one place."""

from dataclasses import replace

import numpy as np
import pytest

from data.sessions import SessionCalendar
from engine.kernel import loops
from engine.market import Market
from engine.tables import RunTables, empty_bars, empty_instruments
from tests.proof import reference_work as work
from tests.unit.engine.small_runs import flat_rows, instrument, market, series


@pytest.mark.rule("S7.4")
def test_a_session_table_holds_four_bytes_a_bar() -> None:
    """Opens, closes and trading days are kept once per session."""
    time_ns = 1_709_899_200_000_000_000 + np.arange(50_000, dtype=np.int64) * 60_000_000_000
    table = SessionCalendar.named("CME_Equity_Index").table(time_ns)
    assert table.time_ns is time_ns
    assert table.session.nbytes == 4 * len(time_ns)
    assert len(table.schedule) < 2_000
    for bar in (0, 1, 4_321, 49_999):
        assert table.hours_at(bar) == (table.session_open_ns[bar], table.session_close_ns[bar])


def test_prices_of_a_single_symbol_are_its_series_and_cannot_be_written() -> None:
    one = market({"ES": flat_rows(20)})
    assert np.shares_memory(one.close, one.series[0].close)
    with pytest.raises(ValueError, match="read-only"):
        one.close[0] = 1.0


def test_symbols_with_the_same_times_share_one_column_of_the_timeline() -> None:
    two = market({"A": flat_rows(20), "B": flat_rows(20)})
    assert two.timeline.row.strides[1] == two.timeline.real.strides[1] == 0
    assert two.timeline.real.all()
    assert two.timeline.row.tolist() == [[bar, bar] for bar in range(20)]


def test_a_table_in_ticks_does_not_keep_the_one_in_prices() -> None:
    one = market({"ES": flat_rows(40)})
    ticks = one.indicator_in_ticks("atr", period=5)
    assert one._tables == {("atr", "in ticks", (("period", 5),)): ticks}
    assert np.array_equal(ticks, one.indicator("atr", period=5) / 0.25, equal_nan=True)


def test_a_compiled_run_keeps_only_what_its_kernel_reads() -> None:
    """The averages that the sides were made from are forgotten; asked for again, they are computed again."""
    one = series("ES", flat_rows(200))
    bars = Market([instrument("ES")], [one])
    run = work.run_here(bars)
    assert bars._tables == {}
    assert run.complete() == "completed"
    again = work.run_here(Market([instrument("ES")], [replace(one)]))
    again.complete()
    assert run.engine.tables.equity.tobytes() == again.engine.tables.equity.tobytes()


def test_a_grown_table_holds_its_rows_and_nothing_behind_them() -> None:
    tables = RunTables(empty_bars(4, 1), np.zeros((4, 1), np.uint8), empty_instruments(1), 1e5)
    for _ in range(3):
        tables.call(loops.place_order, 0, 1, 1, 0, 1.0, 50.0, np.nan, np.nan, np.nan, 0)
    before = tables.rows("orders").tobytes()
    tables.orders["id"][3:] = 77
    tables.grow()
    assert tables.rows("orders").tobytes() == before
    assert not tables.orders["id"][3:].any()
