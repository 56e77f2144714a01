"""Figures of closed trades (S13)."""

import numpy as np
import pytest

from engine.statistics import trade_figures
from tests.unit.engine_statistics.conftest import MakeTrades

pytestmark = pytest.mark.rule("S13")


def test_ten_trades_with_one_of_zero(make_trades: MakeTrades) -> None:
    nets = [500, -250, 300, -250, -250, 1000, -125, 0, 750, -250]

    figures = trade_figures(make_trades(nets, r=np.array(nets) / 250.0, side=[1, -1] * 5))

    assert (figures.trades, figures.long_trades, figures.short_trades) == (10, 5, 5)
    assert (figures.wins, figures.losses) == (4, 5)
    assert figures.win_rate == 0.4
    assert figures.average_win == 637.5
    assert figures.average_loss == -225.0
    assert figures.profit_factor == pytest.approx(2550 / 1125, rel=1e-15)
    assert figures.expectancy == pytest.approx(142.5)
    assert figures.expectancy_r == pytest.approx(0.57)
    assert (figures.largest_win, figures.largest_loss) == (1000.0, -250.0)
    assert (figures.longest_winning_streak, figures.longest_losing_streak) == (1, 2)
    assert figures.average_bars_held == 2.0
    assert figures.average_mae == pytest.approx((-1125 - 100) / 10)
    assert figures.average_mfe == pytest.approx((2550 + 200) / 10)


def test_without_trades_counts_are_zero_and_ratios_empty(make_trades: MakeTrades) -> None:
    figures = trade_figures(make_trades([]))

    counted = ("trades", "long_trades", "short_trades", "wins", "losses")
    streaks = ("longest_winning_streak", "longest_losing_streak")
    for name in (*counted, *streaks):
        assert getattr(figures, name) == 0
    averages = ("average_win", "average_loss", "average_mae", "average_mfe", "average_bars_held")
    ratios = ("win_rate", "profit_factor", "expectancy", "expectancy_r", "sqn", "largest_win", "largest_loss")
    for name in (*averages, *ratios):
        assert getattr(figures, name) is None, name


def test_wins_only_have_no_profit_factor_and_no_loss(make_trades: MakeTrades) -> None:
    figures = trade_figures(make_trades([100, 50, 25]))

    assert figures.profit_factor is None
    assert figures.average_loss is None
    assert figures.largest_loss is None
    assert figures.win_rate == 1.0
    assert figures.longest_winning_streak == 3


def test_losses_only_have_a_profit_factor_and_a_win_rate_of_zero(make_trades: MakeTrades) -> None:
    figures = trade_figures(make_trades([-100, -50]))

    assert figures.profit_factor == 0.0
    assert figures.win_rate == 0.0
    assert str(figures.profit_factor) == "0.0"  # no negative zero (S14)
    assert figures.average_win is None
    assert figures.largest_win is None
    assert figures.longest_losing_streak == 2


def test_a_trade_of_zero_ends_a_streak(make_trades: MakeTrades) -> None:
    figures = trade_figures(make_trades([-1, -1, 0, -1, 2, 2, 0, 2]))

    assert figures.longest_losing_streak == 2
    assert figures.longest_winning_streak == 2


def test_one_trade_has_a_mean_r_but_no_sqn(make_trades: MakeTrades) -> None:
    figures = trade_figures(make_trades([100], r=[1.5]))

    assert figures.expectancy_r == 1.5
    assert figures.sqn is None


def test_sqn_leaves_out_trades_without_a_stop(make_trades: MakeTrades) -> None:
    figures = trade_figures(make_trades([1, 2, 3, 4], r=[1.0, np.nan, -1.0, 3.0]))

    assert figures.expectancy_r == 1.0
    assert figures.sqn == pytest.approx(np.sqrt(3) * 1.0 / 2.0)  # deviation of 1, -1, 3 with ddof 1 is 2


@pytest.mark.parametrize("r", [0.1, -1.0, 0.0])
def test_equal_r_have_no_deviation_and_no_sqn(r: float, make_trades: MakeTrades) -> None:
    assert trade_figures(make_trades([1.0] * 7, r=[r] * 7)).sqn is None


def test_long_and_short_are_figured_from_a_part_of_the_trades(make_trades: MakeTrades) -> None:
    trades = make_trades([10, -5, 20], side=[1, -1, -1])

    shorts = trade_figures(trades[trades["side"] < 0])

    assert (shorts.trades, shorts.long_trades, shorts.short_trades) == (2, 0, 2)
    assert shorts.expectancy == 7.5


def test_columns_by_name_do_as_well_as_records(make_trades: MakeTrades) -> None:
    trades = make_trades([10, -5, 20], r=[1.0, -0.5, 2.0], side=[1, -1, -1])
    columns = {name: trades[name] for name in ("side", "entry_bar", "exit_bar", "net", "r_multiple", "mae", "mfe")}

    assert trade_figures(columns) == trade_figures(trades)
