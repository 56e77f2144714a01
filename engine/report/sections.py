"""What each section of a report says, as plain rows of text for its template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from engine.report.source import Columns, ReportSource
from engine.statistics import (
    Statistics,
    TradeFigures,
    Unit,
    describe_figures,
    format_figure,
    monthly_returns,
    trade_figures,
)
from engine.statistics.figures import Figure

MAX_TRADES = 1000
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_CARDS = ("net_profit", "total_return", "cagr", "max_drawdown_pct", "sharpe", "profit_factor", "win_rate", "trades")
_PER_SYMBOL = (
    "trades",
    "win_rate",
    "net_profit",
    "profit_factor",
    "expectancy_r",
    "max_drawdown_pct",
    "sharpe",
    "exposure",
    "commission",
    "fees",
    "slippage_cost",
)
_BOUNDS = (
    "net_profit",
    "total_return",
    "max_drawdown_pct",
    "trades",
    "win_rate",
    "profit_factor",
    "expectancy_r",
    "sharpe",
)
_SIGNED = frozenset({"net_profit", "total_return", "cagr", "expectancy", "expectancy_r"})


class Cell(NamedTuple):
    """Text with a class that colours it: ``up``, ``down`` or nothing."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Headings, rows of cells; the first column is text, the others are numbers."""

    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


_FIGURES = {name: (label, unit, text) for name, label, unit, text in describe_figures(Statistics)}


def cards(statistics: Statistics, currency: str) -> list[tuple[str, Cell]]:
    """The figures shown large at the top, with their labels."""
    made = []
    for name in _CARDS:
        label, unit, _ = _FIGURES[name]
        made.append((f"{label}, {currency}" if unit is Unit.MONEY else label, figure_cell(statistics, name)))
    return made


def figure_cell(statistics: TradeFigures | Statistics, name: str) -> Cell:
    """One figure in its unit, coloured where its sign matters."""
    value: Figure = getattr(statistics, name)
    tone = _tone(value) if name in _SIGNED and value is not None else ""
    return Cell(format_figure(value, _FIGURES[name][1]), tone)


def figure_list(statistics: Statistics) -> list[tuple[str, str, Cell]]:
    """(label, explanation, value) of every figure of S13."""
    return [(label, text, figure_cell(statistics, name)) for name, (label, _, text) in _FIGURES.items()]


def months(source: ReportSource) -> Table:
    """Returns by month in percent, with the year's."""
    table = monthly_returns(source.trading_day, source.equity, source.initial_cash)
    rows = []
    for year, returns, total in zip(table.years, table.returns, table.totals, strict=True):
        rows.append((Cell(str(year)), *(_percent(value) for value in returns), _percent(float(total))))
    return Table(("Year", *MONTHS, "Year total"), tuple(rows))


def per_symbol(source: ReportSource) -> Table:
    """The main figures of each symbol."""
    rows = tuple(
        (Cell(symbol), *(figure_cell(figures, name) for name in _PER_SYMBOL))
        for symbol, figures in source.symbol_statistics.items()
    )
    return Table(("Symbol", *(_FIGURES[name][0] for name in _PER_SYMBOL)), rows)


def bounds(source: ReportSource) -> Table:
    """The run beside its bounds, a column for each assumption."""
    columns = {"this run": source.statistics, **source.bounds}
    rows = tuple(
        (Cell(_FIGURES[name][0]), *(figure_cell(figures, name) for figures in columns.values())) for name in _BOUNDS
    )
    return Table(("", *columns), rows)


def sides(source: ReportSource) -> Table:
    """The figures of long and short trades side by side."""
    columns = [
        trade_figures({name: source.trades[name][source.trades["side"] * sign > 0] for name in _SIDE_COLUMNS})
        for sign in (1, -1)
    ]
    described = [(name, label) for name, label, *_ in describe_figures(TradeFigures) if not name.endswith("_trades")]
    rows = tuple((Cell(label), *(figure_cell(column, name) for column in columns)) for name, label in described)
    return Table(("", "▲ Long", "▼ Short"), rows)


_SIDE_COLUMNS = ("side", "entry_bar", "exit_bar", "net", "r_multiple", "mae", "mfe")


def costs(statistics: Statistics) -> Table:
    """What trading cost, and how much of it there would have been to earn without."""
    parts = [
        ("Commission", statistics.commission),
        ("Fees", statistics.fees),
        ("Slippage", statistics.slippage_cost),
    ]
    total = sum(value for _, value in parts)
    rows = [(Cell(label), Cell(_money(value)), Cell(_share(value, statistics.turnover))) for label, value in parts]
    rows.append((Cell("Total"), Cell(_money(total)), Cell(_share(total, statistics.turnover))))
    rows.append((Cell("Net profit before costs"), Cell(_money(statistics.net_profit + total)), Cell("")))
    return Table(("", "Money", "Of turnover, bp"), tuple(rows))


def margin_calls(source: ReportSource) -> Table:
    """Each liquidation by the broker."""
    calls = source.margin_calls
    rows = tuple(
        (Cell(moment(int(calls["time_ns"][i]))), *(Cell(_money(float(calls[name][i]))) for name in _CALL_COLUMNS))
        for i in range(len(calls["time_ns"]))
    )
    return Table(("Time", "Worst-case equity", "Maintenance margin", "Close to worst price", "Equity after"), rows)


_CALL_COLUMNS = ("worst_equity", "required", "between", "equity_after")


def trades(source: ReportSource) -> Table:
    """The last trades, newest last; at most ``MAX_TRADES``."""
    count = len(source.trades["net"])
    shown = range(max(0, count - MAX_TRADES), count)
    decimals = _decimals(source.trades, shown)
    return Table(_TRADE_HEADINGS, tuple(_trade_row(source, i, decimals) for i in shown))


def _decimals(columns: Columns, shown: range) -> dict[str, int]:
    """By symbol, decimals of its finest price: all its prices have as many, so that they stand under each other."""
    found: dict[str, int] = {}
    for i in shown:
        texts = [price(float(columns[name][i])) for name in ("entry_price", "exit_price")]
        symbol = str(columns["symbol"][i])
        found[symbol] = max(found.get(symbol, 0), *(len(text.partition(".")[2]) for text in texts))
    return found


_TRADE_HEADINGS = (
    "No", "Symbol", "Side", "Quantity", "Entry", "Price", "Exit", "Price", "Exit by", "Bars", "MAE", "MFE", "Costs",
    "Net", "R",
)  # fmt: skip


def _trade_row(source: ReportSource, i: int, decimals: Mapping[str, int]) -> tuple[Cell, ...]:
    row = {name: column[i] for name, column in source.trades.items()}
    net, r = float(row["net"]), float(row["r_multiple"])
    entry, leave = (price(float(row[name]), decimals[str(row["symbol"])]) for name in ("entry_price", "exit_price"))
    paid = float(row["commission"] + row["fees"] + row["slippage_cost"])
    return (
        Cell(f"{row['number']}{' ?' if row['ambiguous'] else ''}"),
        Cell(str(row["symbol"])),
        Cell("▲ long" if row["side"] > 0 else "▼ short"),
        Cell(price(float(row["quantity"]))),
        Cell(moment(int(row["entry_time_ns"]))),
        Cell(entry),
        Cell(moment(int(row["exit_time_ns"]))),
        Cell(leave),
        Cell(str(row["exit_reason"]).replace("_", " ")),
        Cell(str(int(row["exit_bar"]) - int(row["entry_bar"]))),
        Cell(_money(float(row["mae"]))),
        Cell(_money(float(row["mfe"]))),
        Cell(_money(paid)),
        Cell(_money(net), _tone(net)),
        Cell(format_figure(None if np.isnan(r) else r, Unit.R)),
    )


def repairs(source: ReportSource) -> list[str]:
    """One sentence per symbol and kind of repair."""
    return [
        f"{symbol}: {count:,} rows repaired ({kind})"
        for symbol, kinds in source.repairs.items()
        for kind, count in kinds.items()
        if count
    ]


def configuration_text(values: Any, indent: int = 0) -> str:
    """Plain values as indented ``key: value`` lines, in the order they have."""
    pad = "  " * indent
    if isinstance(values, Mapping):
        return "".join(_entry(pad, f"{key}:", value, indent) for key, value in values.items())
    return "".join(_entry(pad, "-", value, indent) for value in values)


def _entry(pad: str, head: str, value: Any, indent: int) -> str:
    if isinstance(value, Mapping) or (isinstance(value, Sequence) and not isinstance(value, str)):
        return f"{pad}{head}\n{configuration_text(value, indent + 1)}" if value else f"{pad}{head} none\n"
    return f"{pad}{head} {'none' if value is None else value}\n"


def moment(time_ns: int) -> str:
    """``2024-03-08 14:35`` in UTC, with seconds only where there are some."""
    text = str(np.datetime64(time_ns, "ns").astype("datetime64[s]")).replace("T", " ")
    return text.removesuffix(":00")


def price(value: float, least: int = 0) -> str:
    """Up to six decimals, ``least`` of them at least, no other that is zero."""
    whole, _, decimals = f"{round(value, 6) + 0.0:,.6f}".partition(".")
    decimals = decimals.rstrip("0").ljust(least, "0")
    return f"{whole}.{decimals}" if decimals else whole


def _percent(value: float) -> Cell:
    if np.isnan(value):
        return Cell("")
    return Cell(f"{round(value * 100.0, 2) + 0.0:+.2f}" if value else "0.00", _tone(value))


def _money(value: float) -> str:
    return format_figure(value, Unit.MONEY)


def _share(part: float, whole: float) -> str:
    """In basis points: costs are a few of them, and nothing in percent with two decimals."""
    return format_figure(1e4 * part / whole if whole > 0 else None, Unit.RATIO)


def _tone(value: float) -> str:
    return "up" if value > 0 else "down" if value < 0 else ""
