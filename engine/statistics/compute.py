"""From the arrays of a run to its statistics (S13), for the portfolio or for one symbol."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

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


class RunTotals(Protocol):
    """What a run adds up to besides its curve: fields of StatisticsInputs of the same names."""

    @property
    def initial_cash(self) -> float:
        """Equity before the first bar."""

    @property
    def bars_in_position(self) -> int:
        """Master bars with a position."""

    @property
    def turnover(self) -> float:
        """Sum over all fills, as the next three."""

    @property
    def commission(self) -> float:
        """Money."""

    @property
    def fees(self) -> float:
        """Money."""

    @property
    def slippage_cost(self) -> float:
        """Money."""

    @property
    def margin_calls(self) -> int:
        """Number of S7.2 events."""

    @property
    def days_per_year(self) -> int:
        """252, or 365 for crypto."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What the figures need of an equity curve.

    Attributes:
        final_equity: at the last bar, or the initial cash where there is none.
        bars: number of master bars; years: from the first bar to the last, of 365.25 days.
        drawdown, drawdown_fraction, drawdown_ns: the largest fall from a peak, and the longest.
        worst, worst_fraction: the largest fall to the worst inside a bar (S7.1); None for a symbol.
        returns: daily returns, float64[days].
    """

    final_equity: float
    bars: int
    years: float
    drawdown: float
    drawdown_fraction: float
    drawdown_ns: int
    worst: float | None
    worst_fraction: float | None
    returns: FloatArray


def portfolio_statistics(inputs: StatisticsInputs) -> Statistics:
    """Every figure of S13; pure, the same bytes for the same inputs."""
    return statistics_of(inputs.trades, curve_of(inputs), inputs)


def statistics_of(trades: TradeColumns, curve: Curve, run: RunTotals) -> Statistics:
    """Every figure of S13 where the curve has been gone through already."""
    parts = figures_of(trade_figures(trades)) | figures_of(figures_of_curve(curve, run))
    return Statistics(**parts)  # type: ignore[arg-type]


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


def curve_of(inputs: StatisticsInputs) -> Curve:
    """The equity curve of a run that kept a row per bar."""
    equity = _floats(inputs.equity)
    money, fraction, length_ns = loops.drawdown(equity, np.ascontiguousarray(inputs.time_ns), inputs.initial_cash)
    worst_money, worst_fraction = _worst_case(inputs)
    return Curve(
        final_equity=float(equity[-1]) if len(equity) else inputs.initial_cash,
        bars=len(equity),
        years=years_between(inputs.time_ns),
        drawdown=money,
        drawdown_fraction=fraction,
        drawdown_ns=int(length_ns),
        worst=worst_money,
        worst_fraction=worst_fraction,
        returns=daily_returns(inputs),
    )


def equity_figures(inputs: StatisticsInputs) -> EquityFigures:
    """Figures of the equity curve, its daily returns, and the costs."""
    return figures_of_curve(curve_of(inputs), inputs)


def figures_of_curve(curve: Curve, run: RunTotals) -> EquityFigures:
    """The same where the curve has been gone through already."""
    initial, final = run.initial_cash, curve.final_equity
    sharpe, sortino = loops.return_ratios(curve.returns, run.days_per_year)
    value_at_risk, shortfall = loops.tail_risk(curve.returns, TAIL)
    cagr = _existing(loops.growth(final, initial, curve.years))
    return EquityFigures(
        initial_cash=initial,
        final_equity=final + 0.0,
        net_profit=final - initial + 0.0,
        total_return=(final - initial) / initial + 0.0,
        cagr=cagr,
        max_drawdown=curve.drawdown,
        max_drawdown_pct=curve.drawdown_fraction,
        max_drawdown_ns=curve.drawdown_ns,
        worst_case_drawdown=curve.worst,
        worst_case_drawdown_pct=curve.worst_fraction,
        recovery_factor=_ratio(final - initial, curve.drawdown),
        sharpe=_existing(sharpe),
        sortino=_existing(sortino),
        calmar=None if cagr is None else _ratio(cagr, curve.drawdown_fraction),
        var_95=_existing(value_at_risk),
        cvar_95=_existing(shortfall),
        exposure=_ratio(run.bars_in_position, curve.bars),
        turnover=run.turnover + 0.0,
        commission=run.commission + 0.0,
        fees=run.fees + 0.0,
        slippage_cost=run.slippage_cost + 0.0,
        margin_calls=run.margin_calls,
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


def years_between(time_ns: TimeArray) -> float:
    """Years of 365.25 days from the first bar to the last."""
    return float(time_ns[-1] - time_ns[0]) / NS_PER_YEAR if len(time_ns) else 0.0


def _floats(values: Records) -> FloatArray:
    return np.ascontiguousarray(values, dtype=np.float64)


def _mean(values: Records) -> float | None:
    return _existing(loops.mean_and_deviation(_floats(values))[1])


def _ratio(numerator: float, denominator: float) -> float | None:
    return numerator / denominator + 0.0 if denominator > 0 else None


def _existing(value: float) -> float | None:
    return float(value) + 0.0 if math.isfinite(value) else None
