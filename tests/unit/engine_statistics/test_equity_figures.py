"""Figures of the equity curve (S13)."""

import numpy as np
import pytest

from data.instruments import AssetClass
from engine.statistics import daily_returns, days_per_year, equity_figures, portfolio_statistics
from tests.unit.engine_statistics.conftest import DAY_NS, MakeInputs, MakeTrades

pytestmark = pytest.mark.rule("S13")


def test_drawdown_in_money_and_as_a_fraction_may_lie_in_different_places(make_inputs: MakeInputs) -> None:
    # 100 -> 80 is 20 of 100 (20 %); 400 -> 350 is 50 of 400 (12.5 %).
    figures = equity_figures(make_inputs([80, 400, 350, 360], initial_cash=100.0))

    assert figures.max_drawdown == 50.0
    assert figures.max_drawdown_pct == pytest.approx(0.2)
    assert figures.recovery_factor == pytest.approx(260 / 50)


def test_the_initial_cash_is_the_first_peak(make_inputs: MakeInputs) -> None:
    figures = equity_figures(make_inputs([90, 95, 99], initial_cash=100.0))

    assert figures.max_drawdown == 10.0
    assert figures.max_drawdown_ns == 2 * DAY_NS


def test_the_longest_drawdown_runs_from_its_peak_to_the_bar_that_regains_it(make_inputs: MakeInputs) -> None:
    # Peak 120 on day 1, regained on day 4; peak 130 on day 5, not regained on day 7, the last.
    figures = equity_figures(make_inputs([110, 120, 119, 118, 120, 130, 90, 91], initial_cash=100.0))

    assert figures.max_drawdown_ns == 3 * DAY_NS
    assert figures.max_drawdown == 40.0


def test_without_a_fall_there_is_no_recovery_factor_and_no_calmar(make_inputs: MakeInputs) -> None:
    figures = equity_figures(make_inputs([101, 102, 104], initial_cash=100.0))

    assert (figures.max_drawdown, figures.max_drawdown_pct, figures.max_drawdown_ns) == (0.0, 0.0, 0)
    assert figures.recovery_factor is None
    assert figures.calmar is None
    assert figures.sortino is None
    assert figures.sharpe is not None


def test_worst_case_drawdown_is_measured_from_peaks_at_the_close(make_inputs: MakeInputs) -> None:
    inputs = make_inputs([110, 108, 112], initial_cash=100.0, worst_equity=np.array([70.0, 99.0, 104.0]))

    figures = equity_figures(inputs)

    # Bar 0: 100 -> 70; bar 1: 110 -> 99.
    assert figures.worst_case_drawdown == 30.0
    assert figures.worst_case_drawdown_pct == pytest.approx(0.3)
    assert figures.max_drawdown == 2.0


def test_a_symbol_has_no_worst_case_drawdown(make_inputs: MakeInputs) -> None:
    figures = equity_figures(make_inputs([110, 108]))

    assert figures.worst_case_drawdown is None
    assert figures.worst_case_drawdown_pct is None


def test_daily_returns_take_the_last_bar_of_each_trading_day(make_inputs: MakeInputs) -> None:
    inputs = make_inputs(
        [105, 110, 90, 121, 121],
        initial_cash=100.0,
        trading_day=np.array([5, 5, 6, 6, 9], dtype=np.int32),
    )

    np.testing.assert_allclose(daily_returns(inputs), [0.1, 0.1, 0.0], atol=1e-15)


def test_daily_returns_end_with_the_day_that_loses_everything(make_inputs: MakeInputs) -> None:
    inputs = make_inputs([50, -25, 10, 20], initial_cash=100.0)

    np.testing.assert_allclose(daily_returns(inputs), [-0.5, -1.5])
    figures = equity_figures(inputs)
    assert figures.max_drawdown_pct == 1.25
    assert figures.cagr is not None


def test_negative_final_equity_has_no_cagr(make_inputs: MakeInputs) -> None:
    figures = equity_figures(make_inputs([50, -25], initial_cash=100.0))

    assert figures.cagr is None
    assert figures.calmar is None
    assert figures.total_return == -1.25


def test_a_loss_of_everything_grows_by_minus_one_a_year(make_inputs: MakeInputs) -> None:
    assert equity_figures(make_inputs([50, 0], initial_cash=100.0)).cagr == -1.0


def test_sharpe_sortino_and_tail_by_hand(make_inputs: MakeInputs) -> None:
    returns = np.array([0.01, -0.02, 0.03, 0.0, -0.01])
    figures = equity_figures(make_inputs(np.cumprod(1.0 + returns) * 100.0, initial_cash=100.0))

    deviation = np.sqrt(np.sum((returns - 0.002) ** 2) / 4)
    assert figures.sharpe == pytest.approx(0.002 / deviation * np.sqrt(252))
    assert figures.sortino == pytest.approx(0.002 / np.sqrt(0.0005 / 5) * np.sqrt(252))
    assert figures.var_95 == pytest.approx(-0.018)  # a fifth of the way from -0.02 to -0.01
    assert figures.cvar_95 == pytest.approx(-0.02)


def test_crypto_has_365_days_a_year(make_inputs: MakeInputs) -> None:
    curve = [101, 99, 104]

    futures = equity_figures(make_inputs(curve, initial_cash=100.0))
    crypto = equity_figures(make_inputs(curve, initial_cash=100.0, days_per_year=365))

    assert futures.sharpe is not None
    assert crypto.sharpe == pytest.approx(futures.sharpe * np.sqrt(365 / 252))
    assert days_per_year([AssetClass.CRYPTO, AssetClass.CRYPTO]) == 365
    assert days_per_year([AssetClass.CRYPTO, AssetClass.FUTURE]) == 252
    assert days_per_year([]) == 252


@pytest.mark.parametrize("rate", [0.0, 0.001, -0.003])
def test_returns_without_deviation_have_no_sharpe(rate: float, make_inputs: MakeInputs) -> None:
    figures = equity_figures(make_inputs(10_000 * (1.0 + rate) ** np.arange(1, 30)))

    assert figures.sharpe is None


def test_one_day_has_a_tail_but_no_sharpe_and_no_cagr(make_inputs: MakeInputs) -> None:
    figures = equity_figures(make_inputs([9_900.0]))

    assert figures.sharpe is None
    assert figures.cagr is None
    assert figures.var_95 == pytest.approx(-0.01)
    assert figures.cvar_95 == pytest.approx(-0.01)
    assert figures.exposure == 0.0


def test_no_bars_leave_the_initial_cash(make_inputs: MakeInputs) -> None:
    figures = equity_figures(make_inputs([]))

    assert figures.final_equity == 10_000.0
    assert figures.net_profit == 0.0
    assert figures.exposure is None
    assert figures.var_95 is None
    assert figures.max_drawdown_ns == 0


def test_growth_beyond_any_number_is_empty(make_inputs: MakeInputs) -> None:
    inputs = make_inputs([10_000.0, 20_000.0], time_ns=np.array([0, 60_000_000_000], dtype=np.int64))

    assert equity_figures(inputs).cagr is None


def test_costs_and_counts_are_handed_on(make_inputs: MakeInputs, make_trades: MakeTrades) -> None:
    inputs = make_inputs(
        [10_050.0, 10_000.0],
        trades=make_trades([1.0]),
        bars_in_position=1,
        turnover=250_000.0,
        commission=4.0,
        fees=0.5,
        slippage_cost=25.0,
        margin_calls=2,
    )

    statistics = portfolio_statistics(inputs)

    assert statistics.exposure == 0.5
    assert statistics.turnover == 250_000.0
    assert (statistics.commission, statistics.fees, statistics.slippage_cost) == (4.0, 0.5, 25.0)
    assert statistics.margin_calls == 2
    assert statistics.trades == 1


@pytest.mark.rule("S14")
def test_no_figure_is_a_negative_zero_or_not_a_number(make_inputs: MakeInputs, make_trades: MakeTrades) -> None:
    for equity, nets in (([10_000.0] * 3, [-0.0]), ([9_999.0, 10_000.0], [-1.0]), ([], [])):
        for name, value in portfolio_statistics(make_inputs(equity, trades=make_trades(nets))).to_dict().items():
            assert value is None or np.isfinite(value), name
            assert value is None or not (value == 0 and np.signbit(value)), name


@pytest.mark.rule("S14")
def test_the_same_arrays_give_the_same_bytes_read_only_or_not(make_inputs: MakeInputs) -> None:
    curve = 10_000 + np.cumsum(np.random.default_rng(3).normal(0, 50, 500))
    frozen = curve.copy()
    frozen.setflags(write=False)

    assert portfolio_statistics(make_inputs(curve)) == portfolio_statistics(make_inputs(frozen))
