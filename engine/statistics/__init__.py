"""Statistics of a run (rulebook S13): figures, tables, and what fills add up to."""

from engine.statistics.compute import (
    StatisticsInputs,
    daily_returns,
    days_per_year,
    equity_figures,
    portfolio_statistics,
    trade_figures,
)
from engine.statistics.figures import (
    EquityFigures,
    Statistics,
    TradeFigures,
    Unit,
    describe_figures,
    format_figure,
    format_table,
)
from engine.statistics.tables import Histogram, MonthlyReturns, drawdown_series, monthly_returns, r_histogram
from engine.statistics.totals import FillTotals, totals_of

__all__ = [
    "EquityFigures",
    "FillTotals",
    "Histogram",
    "MonthlyReturns",
    "Statistics",
    "StatisticsInputs",
    "TradeFigures",
    "Unit",
    "daily_returns",
    "days_per_year",
    "describe_figures",
    "drawdown_series",
    "equity_figures",
    "format_figure",
    "format_table",
    "monthly_returns",
    "portfolio_statistics",
    "r_histogram",
    "totals_of",
    "trade_figures",
]
