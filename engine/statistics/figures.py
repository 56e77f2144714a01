"""Which figures a run is judged by (S13): one documented field each, with its unit and how it is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

Figure = int | float | None


class Unit(StrEnum):
    """Unit of a figure; ``FRACTION`` 0.01 is shown as 1.00 %."""

    COUNT = "count"
    MONEY = "money"
    FRACTION = "fraction"
    RATIO = "ratio"
    R = "R"
    BARS = "bars"
    TIME = "ns"


def _figure(label: str, unit: Unit, text: str) -> Any:
    return field(metadata={"label": label, "unit": unit, "help": text})


@dataclass(frozen=True, kw_only=True)
class TradeFigures:
    """Figures of closed trades; money is in account currency, after costs. ``None`` where a figure does not exist."""

    trades: int = _figure("Trades", Unit.COUNT, "Closed trades, from flat to flat.")
    long_trades: int = _figure("Long", Unit.COUNT, "Trades that bought first.")
    short_trades: int = _figure("Short", Unit.COUNT, "Trades that sold first.")
    wins: int = _figure("Wins", Unit.COUNT, "Trades with a net above zero.")
    losses: int = _figure("Losses", Unit.COUNT, "Trades with a net below zero.")
    win_rate: float | None = _figure("Win rate", Unit.FRACTION, "Wins / all trades.")
    average_win: float | None = _figure("Average win", Unit.MONEY, "Mean net of the wins.")
    average_loss: float | None = _figure("Average loss", Unit.MONEY, "Mean net of the losses, negative.")
    profit_factor: float | None = _figure("Profit factor", Unit.RATIO, "Sum of wins / |sum of losses|.")
    expectancy: float | None = _figure("Expectancy", Unit.MONEY, "Mean net of a trade.")
    expectancy_r: float | None = _figure("Expectancy in R", Unit.R, "Mean R of the trades that had a stop.")
    largest_win: float | None = _figure("Largest win", Unit.MONEY, "Highest net of a win.")
    largest_loss: float | None = _figure("Largest loss", Unit.MONEY, "Lowest net of a loss, negative.")
    longest_winning_streak: int = _figure("Longest winning streak", Unit.COUNT, "Most wins in a row.")
    longest_losing_streak: int = _figure("Longest losing streak", Unit.COUNT, "Most losses in a row.")
    sqn: float | None = _figure(
        "SQN", Unit.RATIO, "sqrt(n) x mean R / deviation of R (ddof 1), over the trades that had a stop."
    )
    average_mae: float | None = _figure(
        "Average MAE", Unit.MONEY, "Mean of the lowest gross profit while held, at most 0."
    )
    average_mfe: float | None = _figure(
        "Average MFE", Unit.MONEY, "Mean of the highest gross profit while held, at least 0."
    )
    average_bars_held: float | None = _figure("Average bars held", Unit.BARS, "Mean of exit bar - entry bar.")


@dataclass(frozen=True, kw_only=True)
class EquityFigures:
    """Figures of an equity curve and of what trading cost; fractions are of 1, times in nanoseconds."""

    initial_cash: float = _figure("Initial cash", Unit.MONEY, "Equity before the first bar.")
    final_equity: float = _figure("Final equity", Unit.MONEY, "Equity after the last bar.")
    net_profit: float = _figure("Net profit", Unit.MONEY, "Final equity - initial cash.")
    total_return: float = _figure("Return", Unit.FRACTION, "Net profit / initial cash.")
    cagr: float | None = _figure(
        "CAGR", Unit.FRACTION, "Compound growth per year of 365.25 days, from the first bar to the last."
    )
    max_drawdown: float = _figure(
        "Max drawdown, money", Unit.MONEY, "Largest fall of equity from a peak; the initial cash is the first peak."
    )
    max_drawdown_pct: float = _figure("Max drawdown", Unit.FRACTION, "Largest fall as a fraction of its peak.")
    max_drawdown_ns: int = _figure(
        "Longest drawdown", Unit.TIME, "Longest time from a peak until it was reached again, or to the last bar."
    )
    worst_case_drawdown: float | None = _figure(
        "Worst-case drawdown, money", Unit.MONEY, "Largest fall from a peak of equity to the worst inside a bar (S7.1)."
    )
    worst_case_drawdown_pct: float | None = _figure(
        "Worst-case drawdown", Unit.FRACTION, "The same as a fraction of its peak."
    )
    recovery_factor: float | None = _figure("Recovery factor", Unit.RATIO, "Net profit / max drawdown in money.")
    sharpe: float | None = _figure(
        "Sharpe", Unit.RATIO, "Mean / deviation (ddof 1) of daily returns x sqrt(252), crypto sqrt(365)."
    )
    sortino: float | None = _figure(
        "Sortino", Unit.RATIO, "Mean / downside deviation over all days, target 0, x sqrt(252), crypto sqrt(365)."
    )
    calmar: float | None = _figure("Calmar", Unit.RATIO, "CAGR / max drawdown as a fraction.")
    var_95: float | None = _figure(
        "VaR 95 %", Unit.FRACTION, "5th percentile of daily returns (linear), negative for a loss."
    )
    cvar_95: float | None = _figure("CVaR 95 %", Unit.FRACTION, "Mean of the daily returns not above the VaR.")
    exposure: float | None = _figure("Exposure", Unit.FRACTION, "Share of bars with a position.")
    turnover: float = _figure("Turnover", Unit.MONEY, "Sum of |price| x quantity x point value over all fills.")
    commission: float = _figure("Commission", Unit.MONEY, "Commission of all fills.")
    fees: float = _figure("Fees", Unit.MONEY, "Fees of all fills.")
    slippage_cost: float = _figure(
        "Slippage cost", Unit.MONEY, "Money lost between base prices and fills; contained in the net profit."
    )
    margin_calls: int = _figure("Margin calls", Unit.COUNT, "Times the broker liquidated.")


@dataclass(frozen=True, kw_only=True)
class Statistics(TradeFigures, EquityFigures):
    """All figures of S13, for the portfolio or for one symbol; ``None`` where a figure does not exist."""

    def to_dict(self) -> dict[str, Figure]:
        """Plain numbers by field name, in the order of the report: equity first."""
        return figures_of(self)


def figures_of(statistics: TradeFigures | EquityFigures) -> dict[str, Figure]:
    """Plain numbers by field name."""
    return {entry.name: getattr(statistics, entry.name) for entry in fields(statistics)}


def describe_figures(kind: type[TradeFigures | EquityFigures]) -> tuple[tuple[str, str, Unit, str], ...]:
    """(name, label, unit, help) of every figure, in the order of the report."""
    return tuple(
        (entry.name, entry.metadata["label"], entry.metadata["unit"], entry.metadata["help"]) for entry in fields(kind)
    )


_DAY_NS = 86_400_000_000_000
_EMPTY = "-"


def format_figure(value: Figure, unit: Unit) -> str:
    """A figure as text: ``1,234.50``, ``12.34 %``, ``3 d 04:05``; ``-`` where it does not exist."""
    if value is None:
        return _EMPTY
    if unit is Unit.TIME:
        return _format_time(int(value))
    if unit is Unit.COUNT:
        return f"{int(value):,}"
    if unit is Unit.FRACTION:
        return f"{_unsigned_zero(value * 100.0, 2):,.2f} %"
    if unit is Unit.R:
        return f"{_unsigned_zero(value, 2):+.2f} R"
    decimals = 1 if unit is Unit.BARS else 2
    return f"{_unsigned_zero(value, decimals):,.{decimals}f}"


def _unsigned_zero(value: float, decimals: int) -> float:
    """Rounded as it will be shown, so that -0.001 becomes 0.00 and not -0.00."""
    return round(value, decimals) + 0.0


def _format_time(value_ns: int) -> str:
    days, rest = divmod(value_ns, _DAY_NS)
    minutes = rest // 60_000_000_000
    clock = f"{minutes // 60:02d}:{minutes % 60:02d}"
    return f"{days} d {clock}" if days else clock


def format_table(columns: Mapping[str, Statistics]) -> str:
    """A text table, one row per figure and one column per name (portfolio, symbols), for the command line."""
    rows = [("", *columns)]
    for name, label, unit, _ in describe_figures(Statistics):
        rows.append((label, *(format_figure(getattr(column, name), unit) for column in columns.values())))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        row[0].ljust(widths[0]) + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    )
