"""From the arrays of a run to its statistics (S13), for the portfolio or for one symbol."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.instruments import AssetClass
from data.series import FloatArray, TimeArray
from engine.statistics import loops
from engine.statistics.figures import EquityFigures, Statistics, TradeFigures, figures_of
from engine.statistics.loops import DayArray

Records = NDArray[Any]
TradeColumns = Records | Mapping[str, NDArray[Any]]

NS_PER_YEAR = 365.25 * 86_400e9
TAIL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsInputs:
    """What the figures are made of; arrays per master bar have length n, money is in account currency.

    Attributes:
        initial_cash: equity before the first bar, above zero.
        time_ns: times at which the master bars OPEN, int64 nanoseconds.
        trading_day: trade date of each bar, int32 days since 1970-01-01, not falling (S7.4).
        equity: marked at C of each bar (S7.3); for a symbol the equity of S7.7.
        worst_equity: S7.1, or ``None`` for a symbol, which has none.
        trades: closed trades, records of ``schema.TRADE`` in order of exit.
        bars_in_position: number of master bars with a position (``totals_of`` counts them).
        turnover, commission, fees, slippage_cost: sums over all fills.
        margin_calls: number of S7.2 events.
        days_per_year: 252, or 365 for crypto (``days_per_year``).
    """

    initial_cash: float
    time_ns: TimeArray
    trading_day: DayArray
    equity: FloatArray
    worst_equity: FloatArray | None
    trades: Records
    bars_in_position: int
    turnover: float
    commission: float
    fees: float
    slippage_cost: float
    margin_calls: int
    days_per_year: int = 252


def portfolio_statistics(inputs: StatisticsInputs) -> Statistics:
    """Every figure of S13; pure, the same bytes for the same inputs."""
    return Statistics(**figures_of(trade_figures(inputs.trades)), **figures_of(equity_figures(inputs)))  # type: ignore[arg-type]


def trade_figures(trades: TradeColumns) -> TradeFigures:
    """Figures of ``trades`` in order of exit; give a part of them for longs or shorts alone.

    Records of ``schema.TRADE``, or a mapping of arrays with its fields ``side``, ``entry_bar``, ``exit_bar``, ``net``,
    ``r_multiple``, ``mae`` and ``mfe``.
    """
    count = len(trades["net"])
    wins, losses, won, lost, best, worst, winning, losing = loops.tally(_floats(trades["net"])).tolist()
    with_risk, mean_r, deviation_r = loops.mean_and_deviation(_floats(trades["r_multiple"]))
    return TradeFigures(
        trades=count,
        long_trades=int(np.count_nonzero(trades["side"] > 0)),
        short_trades=int(np.count_nonzero(trades["side"] < 0)),
        wins=int(wins),
        losses=int(losses),
        win_rate=_ratio(wins, count),
        average_win=_ratio(won, wins),
        average_loss=_ratio(lost, losses),
        profit_factor=_ratio(won, -lost),
        expectancy=_mean(trades["net"]),
        expectancy_r=_existing(mean_r),
        largest_win=best + 0.0 if wins else None,
        largest_loss=worst + 0.0 if losses else None,
        longest_winning_streak=int(winning),
        longest_losing_streak=int(losing),
        sqn=_existing(math.sqrt(with_risk) * mean_r / deviation_r),
        average_mae=_mean(trades["mae"]),
        average_mfe=_mean(trades["mfe"]),
        average_bars_held=_mean(trades["exit_bar"].astype(np.int64) - trades["entry_bar"]),
    )


def equity_figures(inputs: StatisticsInputs) -> EquityFigures:
    """Figures of the equity curve, its daily returns, and the costs."""
    initial, equity = inputs.initial_cash, _floats(inputs.equity)
    final = float(equity[-1]) if len(equity) else initial
    money, fraction, length_ns = loops.drawdown(equity, np.ascontiguousarray(inputs.time_ns), initial)
    worst_money, worst_fraction = _worst_case(inputs)
    returns = daily_returns(inputs)
    sharpe, sortino = loops.return_ratios(returns, inputs.days_per_year)
    value_at_risk, shortfall = loops.tail_risk(returns, TAIL)
    cagr = _existing(loops.growth(final, initial, _years(inputs.time_ns)))
    return EquityFigures(
        initial_cash=initial,
        final_equity=final + 0.0,
        net_profit=final - initial + 0.0,
        total_return=(final - initial) / initial + 0.0,
        cagr=cagr,
        max_drawdown=money,
        max_drawdown_pct=fraction,
        max_drawdown_ns=int(length_ns),
        worst_case_drawdown=worst_money,
        worst_case_drawdown_pct=worst_fraction,
        recovery_factor=_ratio(final - initial, money),
        sharpe=_existing(sharpe),
        sortino=_existing(sortino),
        calmar=None if cagr is None else _ratio(cagr, fraction),
        var_95=_existing(value_at_risk),
        cvar_95=_existing(shortfall),
        exposure=_ratio(inputs.bars_in_position, len(equity)),
        turnover=inputs.turnover + 0.0,
        commission=inputs.commission + 0.0,
        fees=inputs.fees + 0.0,
        slippage_cost=inputs.slippage_cost + 0.0,
        margin_calls=inputs.margin_calls,
    )


def daily_returns(inputs: StatisticsInputs) -> FloatArray:
    """Simple returns of equity at the close of each trading day, the first against the initial cash.

    They end with the day on which equity falls to zero or below: on nothing, there is no return.
    """
    days = np.ascontiguousarray(inputs.trading_day, dtype=np.int32)
    return loops.daily_returns(loops.daily_closes(_floats(inputs.equity), days), inputs.initial_cash)


def days_per_year(asset_classes: Iterable[AssetClass]) -> int:
    """365 where every symbol is crypto, which trades each day; else 252."""
    kinds = set(asset_classes)
    return 365 if kinds == {AssetClass.CRYPTO} else 252


def _worst_case(inputs: StatisticsInputs) -> tuple[float | None, float | None]:
    if inputs.worst_equity is None:
        return None, None
    return loops.worst_case_drawdown(_floats(inputs.equity), _floats(inputs.worst_equity), inputs.initial_cash)


def _years(time_ns: TimeArray) -> float:
    return float(time_ns[-1] - time_ns[0]) / NS_PER_YEAR if len(time_ns) else 0.0


def _floats(values: Records) -> FloatArray:
    return np.ascontiguousarray(values, dtype=np.float64)


def _mean(values: Records) -> float | None:
    return _existing(loops.mean_and_deviation(_floats(values))[1])


def _ratio(numerator: float, denominator: float) -> float | None:
    return numerator / denominator + 0.0 if denominator > 0 else None


def _existing(value: float) -> float | None:
    return float(value) + 0.0 if math.isfinite(value) else None
