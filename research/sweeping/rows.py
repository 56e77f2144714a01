"""What is written down of each run: one row, the same columns and types for every run of a sweep."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from data.series import FloatArray
from engine.batch import BatchResult
from engine.statistics import Statistics, Unit, describe_figures
from engine.statistics.loops import daily_returns
from research.sweeping.plan import Plan

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]

#: Blocks of consecutive days that the returns of a run are kept in; their halves are compared for overfitting.
BLOCKS = 16

FIGURES = tuple((name, unit) for name, _, unit, _ in describe_figures(Statistics))
_WHOLE = (Unit.COUNT, Unit.TIME)


def run_columns(plan: Plan, index: int) -> Row:
    """What says which run it is."""
    cell, point = plan.run(index)
    span = cell.span
    values = dict(point.values)
    return {
        "run": index,
        "hash": plan.hash(cell, point),
        "symbols": " ".join(cell.symbols),
        "bot": plan.bots[point.bot].name,
        "exit": plan.exits[point.exit].name,
        "path": cell.path,
        "seed": cell.seed,
        "fold": span.fold,
        "part": span.part,
        "start": None if span.start is None else span.start.isoformat(),
        "end": None if span.end is None else span.end.isoformat(),
        **{key: values.get(key) for key in plan.keys},
    }


def failed_row(plan: Plan, index: int, error: str) -> Row:
    """The row of a run that could not be done."""
    nothing = dict.fromkeys([name for name, _ in FIGURES])
    kept = {"ambiguous_trades": None, "bars": None, "days": None, "skewness": None, "kurtosis": None}
    ends: Row = {"block_days": [], "block_sum": [], "block_squares": [], "digest": None}
    return run_columns(plan, index) | {"status": "failed", "error": error} | nothing | kept | ends


def finished_row(plan: Plan, index: int, result: BatchResult, bars: int) -> Row:
    """The row of a run that ended at the end of the data."""
    figures = result.statistics.to_dict()
    returns = padded_returns(result.daily_equity, result.statistics.initial_cash)
    skewness, kurtosis = moments(returns)
    days, sums, squares = block_sums(returns)
    return (
        run_columns(plan, index)
        | {"status": result.status, "error": None}
        | {name: figures[name] for name, _ in FIGURES}
        | {"ambiguous_trades": result.ambiguous_trades, "bars": bars, "days": len(returns)}
        | {"skewness": skewness, "kurtosis": kurtosis}
        | {"block_days": days, "block_sum": sums, "block_squares": squares, "digest": result.digest}
    )


def padded_returns(daily_equity: FloatArray, initial_cash: float) -> FloatArray:
    """Daily returns of every day; 0 once there is nothing left to earn a return on."""
    known = daily_returns(daily_equity, initial_cash)
    padded = np.zeros(len(daily_equity))
    padded[: len(known)] = known
    return padded


def moments(returns: FloatArray) -> tuple[float | None, float | None]:
    """Skewness and kurtosis (3 for a normal distribution) of a sample, by its central moments; None without spread."""
    if len(returns) < 2:
        return None, None
    off = returns - returns.mean()
    squares = off * off
    variance = float(squares.mean())
    if not variance > 0.0:
        return None, None
    return float((squares * off).mean()) / variance**1.5 + 0.0, float((squares * squares).mean()) / variance**2 + 0.0


def block_sums(returns: FloatArray) -> tuple[list[int], list[float], list[float]]:
    """Days, sum and sum of squares of the returns in each of ``BLOCKS`` blocks, as even as can be.

    From these the Sharpe ratio of any union of blocks follows, so that no run has to keep its returns.
    """
    edges = np.linspace(0, len(returns), BLOCKS + 1).astype(np.int64)
    days = np.diff(edges)
    kept = days > 0
    sums, squares = np.zeros(BLOCKS), np.zeros(BLOCKS)
    if len(returns):
        sums[kept] = np.add.reduceat(returns, edges[:-1][kept])
        squares[kept] = np.add.reduceat(returns**2, edges[:-1][kept])
    return days.tolist(), (sums + 0.0).tolist(), (squares + 0.0).tolist()


def schema(plan: Plan) -> "pa.Schema":
    """Column types of the table of results; a swept key is a number where all its values are."""
    import pyarrow as pa

    texts = ("hash", "symbols", "bot", "exit", "path")
    named = [("run", pa.int64()), *((name, pa.string()) for name in texts)]
    named += [("seed", pa.int64()), ("fold", pa.int64()), ("part", pa.string())]
    named += [("start", pa.string()), ("end", pa.string())]
    named += [(key, _key_type(plan, key)) for key in plan.keys]
    named += [("status", pa.string()), ("error", pa.string())]
    named += [(name, pa.int64() if unit in _WHOLE else pa.float64()) for name, unit in FIGURES]
    named += [("ambiguous_trades", pa.int64()), ("bars", pa.int64()), ("days", pa.int64())]
    named += [("skewness", pa.float64()), ("kurtosis", pa.float64()), ("block_days", pa.list_(pa.int64()))]
    named += [("block_sum", pa.list_(pa.float64())), ("block_squares", pa.list_(pa.float64()))]
    return pa.schema([*named, ("digest", pa.string())])


def table(plan: Plan, rows: Sequence[Row]) -> "pa.Table":
    """Rows as a table of ``schema``."""
    import pyarrow as pa

    kinds = schema(plan)
    columns = [
        pa.array([_as(kind.type, row[kind.name]) for row in rows], kind.type)
        if kind.name in plan.keys
        else pa.array([row[kind.name] for row in rows], kind.type)
        for kind in kinds
    ]
    return pa.Table.from_arrays(columns, schema=kinds)


def _as(kind: Any, value: Any) -> Any:
    """A swept value as its column has it; what is neither number nor bool is written as text."""
    if value is None or str(kind) != "string":
        return value
    return value if isinstance(value, str) else str(value)


def _key_type(plan: Plan, key: str) -> Any:
    import pyarrow as pa

    kinds = plan.key_kinds[key]
    if kinds and kinds <= {int}:
        return pa.int64()
    if kinds and kinds <= {int, float}:
        return pa.float64()
    return pa.bool_() if kinds == {bool} else pa.string()
