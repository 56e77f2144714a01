"""What a run prints: a table for people, one JSON object for programs."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from engine.config import BacktestConfig
from engine.statistics import Statistics, describe_figures, format_figure, format_table
from research.headless.services import RunResult

_BOUND_FIGURES = (
    "net_profit", "total_return", "max_drawdown_pct", "sharpe", "trades", "win_rate", "profit_factor", "expectancy_r",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All that a run ended with: ``seconds`` with loading, ``folder`` None where nothing was saved."""

    config: BacktestConfig
    result: RunResult
    folder: Path | None
    seconds: float
    notes: tuple[str, ...]
    learned: tuple[str, ...] = ()


def table(outcome: Outcome) -> str:
    """The summary for people: what was run, the figures of the portfolio and each symbol, bounds, warnings."""
    result = outcome.result
    columns = {"portfolio": result.statistics}
    if len(result.symbol_statistics) > 1:
        columns |= result.symbol_statistics
    parts = [_headline(outcome), format_table(columns), f"Ambiguous trades: {result.ambiguous_trades:,}"]
    if result.bounds:
        parts.append("Bounds\n" + bounds_table(result.bounds))
    if outcome.learned:
        parts.append("Learned\n" + "\n".join(outcome.learned))
    parts += [f"Warning: {warning}" for warning in result.warnings]
    if outcome.folder is not None:
        parts.append(f"Saved in {outcome.folder}")
    return "\n\n".join(parts[:2]) + "\n" + "\n".join(parts[2:])


def _headline(outcome: Outcome) -> str:
    config, result = outcome.config, outcome.result
    rate = f" ({result.bars / result.seconds:,.0f} bars/s)" if result.seconds > 0 else ""
    return (
        f"{config.name}: {config.bot.name} with {config.exit.name} on {', '.join(config.symbols)}\n"
        f"{result.bars:,} bars, {config.simulation.path}, {result.drive} drive, seed {config.seed}, "
        f"{outcome.seconds:.2f} s{rate}, status {result.status}"
    )


def bounds_table(bounds: Mapping[str, RunResult]) -> str:
    """The results of the path policies side by side, with the number of ambiguous trades (S6.9)."""
    described = {name: (label, unit) for name, label, unit, _ in describe_figures(Statistics)}
    rows = [["", *bounds]]
    for name in _BOUND_FIGURES:
        label, unit = described[name]
        rows.append([label, *(format_figure(getattr(run.statistics, name), unit) for run in bounds.values())])
    rows.append(["Ambiguous trades", *(f"{run.ambiguous_trades:,}" for run in bounds.values())])
    return aligned(rows)


def aligned(rows: list[list[str]]) -> str:
    """Rows of cells as text: the first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in rows
    )


def as_json(outcome: Outcome) -> str:
    """One JSON object on one line; a figure that does not exist is null."""
    config, result = outcome.config, outcome.result
    return plain_json(
        {
            "name": config.name,
            "config_hash": config.hash(),
            "config": config.model_dump(mode="python"),
            "symbols": list(config.symbols),
            "status": result.status,
            "interrupted": result.interrupted,
            "error": None if result.error is None else str(result.error),
            "drive": result.drive,
            "bars": result.bars,
            "seconds": outcome.seconds,
            "statistics": result.statistics.to_dict(),
            "per_symbol": {name: figures.to_dict() for name, figures in result.symbol_statistics.items()},
            "ambiguous_trades": result.ambiguous_trades,
            "bounds": {
                name: {"statistics": run.statistics.to_dict(), "ambiguous_trades": run.ambiguous_trades}
                for name, run in result.bounds.items()
            },
            "warnings": list(result.warnings),
            "notes": list(outcome.notes),
            "learned": list(outcome.learned),
            "folder": outcome.folder,
        }
    )


def plain_json(value: object) -> str:
    """JSON without NaN and infinity, which the format does not have."""
    return json.dumps(_plain(value), allow_nan=False, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Path) else value
