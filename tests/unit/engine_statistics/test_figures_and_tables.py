"""How figures are written, and the series and tables drawn from a run (S13)."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.kernel.schema import FILL, Phase
from engine.statistics import (
    Statistics,
    Unit,
    describe_figures,
    drawdown_series,
    format_figure,
    format_table,
    monthly_returns,
    portfolio_statistics,
    r_histogram,
    totals_of,
)
from tests.unit.engine_statistics.conftest import DAY_NS, MakeInputs, MakeTrades

pytestmark = pytest.mark.rule("S13")


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (None, Unit.RATIO, "-"),
        (1234.5, Unit.MONEY, "1,234.50"),
        (-0.001, Unit.MONEY, "0.00"),
        (0.12345, Unit.FRACTION, "12.35 %"),
        (-0.00001, Unit.FRACTION, "0.00 %"),
        (12_345, Unit.COUNT, "12,345"),
        (-0.004, Unit.R, "+0.00 R"),
        (-1.25, Unit.R, "-1.25 R"),
        (7.25, Unit.BARS, "7.2"),
        (3 * DAY_NS + 3_900_000_000_000, Unit.TIME, "3 d 01:05"),
        (3_900_000_000_000, Unit.TIME, "01:05"),
    ],
)
def test_a_figure_is_written_in_its_unit(value: float | None, unit: Unit, expected: str) -> None:
    assert format_figure(value, unit) == expected


def test_every_figure_has_a_label_a_unit_and_a_sentence(make_inputs: MakeInputs) -> None:
    described = describe_figures(Statistics)

    assert [name for name, *_ in described] == list(portfolio_statistics(make_inputs([10_000])).to_dict())
    assert len(described) == 41
    for _, label, unit, text in described:
        assert label
        assert isinstance(unit, Unit)
        assert text.endswith(".")


def test_the_table_has_a_column_per_name(make_inputs: MakeInputs, make_trades: MakeTrades) -> None:
    statistics = portfolio_statistics(make_inputs([10_500], trades=make_trades([500.0], r=[2.0])))

    lines = format_table({"Portfolio": statistics, "ES": statistics}).splitlines()

    assert lines[0].split() == ["Portfolio", "ES"]
    assert ["Net", "profit", "500.00", "500.00"] in [line.split() for line in lines]
    assert any(line.startswith("Max drawdown  ") and line.endswith("0.00 %") for line in lines)
    assert len({len(line) for line in lines}) == 1


def test_the_drawdown_series_is_never_above_zero() -> None:
    np.testing.assert_allclose(drawdown_series(np.array([90.0, 120.0, 60.0, 121.0]), 100.0), [-0.1, 0.0, -0.5, 0.0])
    assert drawdown_series(np.zeros(0), 100.0).shape == (0,)


def test_monthly_returns_chain_from_the_initial_cash() -> None:
    days = np.array(["2023-11-29", "2023-11-30", "2024-01-02", "2024-01-31", "2024-03-01"], dtype="datetime64[D]")

    table = monthly_returns(days.astype(np.int32), np.array([105.0, 110.0, 99.0, 121.0, 60.5]), 100.0)

    np.testing.assert_array_equal(table.years, [2023, 2024])
    np.testing.assert_allclose(table.returns[0], [np.nan] * 10 + [0.1, np.nan])
    np.testing.assert_allclose(table.returns[1], [0.1, np.nan, -0.5] + [np.nan] * 9)
    np.testing.assert_allclose(table.totals, [0.1, -0.45])


def test_a_month_after_ruin_has_no_return() -> None:
    days = np.array(["2024-01-31", "2024-02-29", "2025-01-31"], dtype="datetime64[D]")

    table = monthly_returns(days.astype(np.int32), np.array([-5.0, 3.0, 4.0]), 100.0)

    assert table.returns[0, 0] == pytest.approx(-1.05)
    assert np.isnan(table.returns[0, 1])
    assert table.totals[0] == pytest.approx(-0.97)
    assert monthly_returns(np.zeros(0, dtype=np.int32), np.zeros(0), 100.0).returns.shape == (0, 12)


def test_the_histogram_of_r_has_an_edge_at_zero_and_gathers_what_lies_far_out() -> None:
    histogram = r_histogram(np.array([-1.0, -0.01, 0.0, 0.49, 0.5, 99.0, np.nan]), width=0.5, limit=2.0)

    np.testing.assert_array_equal(histogram.edges, [-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0])
    np.testing.assert_array_equal(histogram.counts, [1, 1, 2, 1, 0, 1])
    assert len(r_histogram(np.array([np.nan])).counts) == 0


def _fills(*rows: tuple[int, int, int, float, float, float]) -> NDArray[Any]:
    """(symbol, bar, phase, price in ticks, lots, position after)."""
    fills = np.zeros(len(rows), dtype=FILL)
    for fill, (symbol, bar, phase, price, lots, position) in zip(fills, rows, strict=True):
        fill["symbol"], fill["bar"], fill["phase"] = symbol, bar, phase
        fill["price"], fill["lots"], fill["position"] = price, lots, position
        fill["commission"], fill["fee"], fill["slippage_cost"] = 2.0, 0.5, 12.5
    return fills


def test_bars_in_position_count_those_held_after_their_open() -> None:
    fills = _fills(
        (0, 1, Phase.OPEN, 100.0, 1.0, 1.0),
        (0, 3, Phase.OPEN, 102.0, 1.0, 0.0),  # held in bars 1 and 2
        (1, 4, Phase.INTRABAR, -50.0, 2.0, -2.0),
        (1, 4, Phase.INTRABAR, -49.0, 2.0, 0.0),  # in and out inside bar 4
        (0, 6, Phase.OPEN, 101.0, 1.0, 1.0),
        (0, 6, Phase.OPEN, 101.0, 1.0, 0.0),  # in and out at one open: no time at all
        (1, 8, Phase.OPEN, -50.0, 1.0, 1.0),
        (1, 9, Phase.INTRABAR, -50.0, 2.0, -1.0),  # reversed, and still held at the end of the data
    )
    money = np.array([12.5, 5.0])

    assert totals_of(fills, 12, money).bars_in_position == 2 + 1 + 4
    assert totals_of(fills, 12, money, [0]).bars_in_position == 2
    assert totals_of(fills, 12, money, [1]).bars_in_position == 5
    assert totals_of(fills[:0], 12, money).bars_in_position == 0


def test_turnover_counts_negative_prices_at_their_size() -> None:
    fills = _fills((0, 1, 0, 100.0, 1.0, 1.0), (1, 2, 0, -50.0, 2.0, -2.0))

    totals = totals_of(fills, 5, np.array([12.5, 5.0]))

    assert totals.turnover == 100 * 1 * 12.5 + 50 * 2 * 5.0
    assert (totals.commission, totals.fees, totals.slippage_cost) == (4.0, 1.0, 25.0)
    assert totals_of(fills, 5, np.array([12.5, 5.0]), [1]).turnover == 500.0
