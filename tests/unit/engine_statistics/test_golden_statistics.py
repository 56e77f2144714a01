"""Figures against reference values of other libraries and of first principles (S13)."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.statistics import StatisticsInputs, equity_figures, trade_figures
from tests.unit.engine_statistics.conftest import MakeInputs, MakeTrades

pytestmark = pytest.mark.rule("S13")


@pytest.fixture(scope="module")
def golden(shared_dir: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((shared_dir / "golden" / "stats.json").read_text())
    return content


@pytest.fixture
def share(shared_dir: Path, make_inputs: MakeInputs) -> StatisticsInputs:
    """One share held from its first close on: equity is the price."""
    with (shared_dir / "data" / "GOOG_1d.csv").open(newline="") as handle:
        rows = list(csv.reader(handle))
    column = rows[0].index("close")
    prices = np.array([float(row[column]) for row in rows[1:]])
    days = np.array([row[0][:10] for row in rows[1:]], dtype="datetime64[D]").astype(np.int64)
    return make_inputs(
        prices,
        initial_cash=float(prices[0]),
        time_ns=days * 86_400_000_000_000,
        trading_day=days.astype(np.int32),
    )


def test_daily_returns_of_a_share_give_the_reference_ratios(golden: dict[str, Any], share: StatisticsInputs) -> None:
    first = golden["returns"]["first_principles"]
    # The first day's return against the initial cash is zero and no part of the reference: the curve starts after it.
    rest = StatisticsInputs(
        initial_cash=share.initial_cash,
        time_ns=share.time_ns[1:],
        trading_day=share.trading_day[1:],
        equity=share.equity[1:],
        worst_equity=None,
        trades=share.trades,
        bars_in_position=0,
        turnover=0.0,
        commission=0.0,
        fees=0.0,
        slippage_cost=0.0,
        margin_calls=0,
    )

    figures = equity_figures(rest)

    assert figures.sharpe == pytest.approx(first["sharpe_ddof1"], rel=1e-9)
    assert figures.sharpe == pytest.approx(golden["returns"]["quantstats"]["sharpe"], rel=1e-9)
    assert figures.sortino == pytest.approx(first["sortino_full_n"], rel=1e-9)
    assert figures.sortino == pytest.approx(golden["returns"]["empyrical"]["sortino"], rel=1e-9)
    assert figures.var_95 == pytest.approx(first["var95_hist_linear"], rel=1e-9)
    assert figures.cvar_95 == pytest.approx(first["cvar95_hist_le_var"], rel=1e-9)
    assert figures.cvar_95 == pytest.approx(golden["returns"]["empyrical"]["cvar_95"], rel=1e-9)
    assert figures.total_return == pytest.approx(golden["returns"]["empyrical"]["cum_return"], rel=1e-9)
    assert -figures.max_drawdown_pct == pytest.approx(first["max_dd"], rel=1e-9)


def test_growth_and_drawdown_of_a_share_give_the_reference_values(
    golden: dict[str, Any], share: StatisticsInputs
) -> None:
    first = golden["returns"]["first_principles"]

    figures = equity_figures(share)

    assert figures.cagr == pytest.approx(first["cagr_365.25_calendar"], rel=1e-9)
    assert -figures.max_drawdown_pct == pytest.approx(golden["returns"]["quantstats"]["max_dd_from_prices"], rel=1e-12)
    assert figures.calmar == pytest.approx(first["cagr_365.25_calendar"] / -first["max_dd"], rel=1e-9)


def test_ten_trades_give_the_reference_figures(
    golden: dict[str, Any], make_trades: MakeTrades, make_inputs: MakeInputs
) -> None:
    reference = golden["trades"]
    nets = np.array(reference["trades"], dtype=np.float64)

    figures = trade_figures(make_trades(nets, r=nets))
    curve = equity_figures(make_inputs(reference["equity"][1:], initial_cash=reference["equity"][0]))

    assert (figures.trades, figures.wins, figures.losses) == (
        reference["n"],
        reference["wins"],
        reference["losses"],
    )
    for ours, theirs in (
        (figures.profit_factor, "profit_factor"),
        (figures.win_rate, "win_rate_all"),
        (figures.average_win, "avg_win"),
        (figures.average_loss, "avg_loss"),
        (figures.expectancy, "expectancy"),
        (figures.sqn, "sqn"),
        (figures.longest_losing_streak, "max_consec_losses_zero_breaks"),
        (curve.net_profit, "net"),
    ):
        assert ours == pytest.approx(reference[theirs], rel=1e-12), theirs
    assert -curve.max_drawdown == reference["max_dd_abs"]
    assert -curve.max_drawdown_pct == pytest.approx(reference["max_dd_pct"], rel=1e-12)
