"""The page that a sweep is read by: one file that needs nothing else; the same results give the same bytes."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from data.series import FloatArray
from engine.errors import SaveError
from engine.report import page_of
from engine.statistics import Statistics, describe_figures, format_figure
from research.sweeping import pictures
from research.sweeping.luck import ENOUGH, HALF, rank_correlation
from research.sweeping.plan import Cell, Plan
from research.sweeping.standings import CellLuck, Standings

TOP = 50
_MOST_POINTS = 20_000
_TEMPLATE = Path(__file__).parent / "templates" / "sweep.html"
_UNITS = {name: (label, unit) for name, label, unit, _ in describe_figures(Statistics)}
_SHOWN = ("net_profit", "max_drawdown_pct", "sharpe", "trades", "win_rate", "profit_factor")


def write_sweep_report(standings: Standings, folder: Path) -> Path:
    """Write ``report.html`` into a sweep's folder.

    Raises:
        SaveError: where it cannot be written.
    """
    path = folder / "report.html"
    try:
        path.write_text(render(standings), encoding="utf-8")
    except OSError as error:
        raise SaveError(f"{path} cannot be written: {error.strerror or error}") from error
    return path


def render(standings: Standings) -> str:
    """The page as text."""
    return page_of(_TEMPLATE, _content(standings))


def verdict(luck: Sequence[CellLuck]) -> tuple[str, str]:
    """``overfitted``, ``holds up`` or ``not judged``, and why in a sentence."""
    if not luck:
        return "not judged", "Fewer than two settings traded in any cell: there is no choice to judge."
    good = sum(one.holds_up for one in luck)
    counted = f"In {good} of {len(luck)} cells the" if len(luck) > 1 else "The"
    alone = len(luck) == 1 and not good
    stands, joined, carries = ("does not stand", "or", "does not carry") if alone else ("stands", "and", "carries")
    text = (
        f"{counted} best setting {stands} out from the best of that many useless ones (with a probability of "
        f"{ENOUGH:.2f} or more), {joined} the choice of the best {carries} over to other days (probability of "
        f"overfitting below {HALF:.2f}). "
    )
    if 2 * good >= len(luck):
        return "holds up", text + "New data may still show otherwise."
    return "overfitted", text + "Take the best result for luck until new data show otherwise."


def cell_name(cell: Cell, plan: Plan) -> str:
    """A cell in words, by what differs between the plan's cells."""
    words = [" ".join(cell.symbols)]
    if cell.span.fold >= 0:
        words.append(f"fold {cell.span.fold + 1} {cell.span.part}")
    if len({one.path for one in plan.cells}) > 1:
        words.append(cell.path)
    if len({one.seed for one in plan.cells}) > 1:
        words.append(f"seed {cell.seed}")
    return ", ".join(words)


def point_name(plan: Plan, point: int) -> str:
    """A setting in words: bot and exit, where there are several, and its swept values."""
    one = plan.points[point]
    words = [plan.bots[one.bot].name] if len(plan.bots) > 1 else []
    words += [plan.exits[one.exit].name] if len(plan.exits) > 1 else []
    words += [f"{key.partition('.')[2] or key} {value}" for key, value in one.values]
    return ", ".join(words) or f"{plan.bots[one.bot].name} with {plan.exits[one.exit].name}"


def figure_text(name: str, value: float) -> str:
    """A figure of the statistics as text; a dash where there is none."""
    return format_figure(None if np.isnan(value) else value, _UNITS[name][1])


def _content(standings: Standings) -> dict[str, Any]:
    plan, luck = standings.plan, list(standings.luck())
    word, why = verdict(luck)
    figure = plan.objective.figure
    return {
        "title": plan.name,
        "objective": _UNITS[figure][0],
        "runs": f"{len(plan):,}",
        "settings": f"{len(plan.points):,}",
        "cells": f"{len(plan.cells):,}",
        "failed": f"{sum(count for _, count in standings.failures()):,}",
        "verdict": word,
        "why": why,
        "best": _best(standings),
        "plateau": _plateau(standings),
        "luck": [_luck_row(one, plan) for one in luck],
        "ranked": list(ranked_rows(standings, TOP)),
        "headings": ranked_headings(standings),
        "map_data": json.dumps(_map_data(standings), allow_nan=False).replace("</", "<\\/"),
        "symbols": pictures.boxes(_spread(standings, lambda cell: " ".join(cell.symbols)), figure_texts(figure)),
        "folds": pictures.boxes(_spread(standings, _fold_name), figure_texts(figure)),
        "scatter": _scatter(standings),
        "forward": [_forward_row(standings, row) for row in standings.walk_forward()],
        "failures": [{"text": text, "count": f"{count:,}"} for text, count in standings.failures()[:TOP]],
    }


def figure_texts(name: str) -> Any:
    """What words a figure's values."""
    return lambda value: figure_text(name, value)


def _best(standings: Standings) -> dict[str, str] | None:
    if standings.best is None:
        return None
    figure, best = standings.plan.objective.figure, standings.best
    return {
        "name": point_name(standings.plan, best),
        "value": figure_text(figure, float(standings.scored[best])),
        "later": figure_text(figure, float(standings.later[best])),
    }


def _plateau(standings: Standings) -> str:
    found = standings.plateau()
    if found is None:
        return "Nothing numeric is swept, so the best setting has no neighbours."
    if found.mean is None or found.percentile is None:
        return "The best setting has no neighbours with a result."
    figure = standings.plan.objective.figure
    kind = "a plateau" if found.percentile >= 0.8 else "a slope" if found.percentile >= 0.6 else "a lone peak"
    return (
        f"Its {found.neighbours} neighbours come to {figure_text(figure, found.mean)} on average, each at least as "
        f"good as {found.percentile:.0%} of all settings on average: {kind}. On a plateau that share is near 100 %, "
        "around a lone peak near 50 %."
    )


def _luck_row(one: CellLuck, plan: Plan) -> list[str]:
    best, halves = one.deflated, one.overfitting
    return [
        cell_name(one.cell, plan),
        f"{best.trials:,}",
        f"{best.sharpe:.4f}",
        f"{best.expected:.4f}",
        "-" if best.probability is None else f"{best.probability:.3f}",
        "-" if best.against_luck is None else f"{best.against_luck:.3f}",
        "-" if halves is None else f"{halves.probability:.3f}",
        "-" if halves is None else f"{halves.loss:.3f}",
        "-" if halves is None or halves.slope is None else f"{halves.slope:+.2f}",
        "holds up" if one.holds_up else "overfitted",
    ]


def ranked_headings(standings: Standings) -> list[str]:
    """Headings of the ranked table."""
    label = _UNITS[standings.plan.objective.figure][0]
    outside = [f"{label}, out of sample"] if not standings.inside.all() else []
    return ["Rank", "Setting", f"{label}, mean", *outside, "Cells", *(f"{_UNITS[name][0]}" for name in _SHOWN)]


def ranked_rows(standings: Standings, most: int) -> Iterator[list[str]]:
    """The best settings; every figure is the mean over the cells in sample."""
    figure = standings.plan.objective.figure
    tables = {name: np.atleast_2d(standings.figure(name)[standings.inside]) for name in _SHOWN}
    cells = int(standings.inside.sum())
    for rank, point in enumerate(standings.order[:most].tolist(), 1):
        row = [str(rank), point_name(standings.plan, point), figure_text(figure, float(standings.scored[point]))]
        if not standings.inside.all():
            row.append(figure_text(figure, float(standings.later[point])))
        row.append(f"{cells - int(standings.missing[point])}/{cells}")
        yield row + [figure_text(name, _mean(table[:, point])) for name, table in tables.items()]


def _mean(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _map_data(standings: Standings) -> dict[str, Any]:
    """What the heat map draws: per setting its swept values and its score; drawn by the page, for any two keys."""
    plan = standings.plan
    chosen = range(min(len(plan.points), _MOST_POINTS))
    names = {"bot": len(plan.bots) > 1, "exit": len(plan.exits) > 1}
    columns: dict[str, list[Any]] = {}
    if names["bot"]:
        columns["bot"] = [plan.bots[plan.points[point].bot].name for point in chosen]
    if names["exit"]:
        columns["exit"] = [plan.exits[plan.points[point].exit].name for point in chosen]
    values = [dict(plan.points[point].values) for point in chosen]
    columns |= {key: [each.get(key) for each in values] for key in plan.keys}
    scores = {"in sample": standings.scored, "out of sample": standings.later}
    return {
        "keys": list(columns),
        "values": list(columns.values()),
        "scores": {
            name: [None if np.isnan(table[point]) else float(table[point]) for point in chosen]
            for name, table in scores.items()
            if not np.isnan(table).all()
        },
        "sign": plan.objective.sign,
    }


def _fold_name(cell: Cell) -> str:
    return "whole range" if cell.span.fold < 0 else f"fold {cell.span.fold + 1} {cell.span.part}"


def _spread(standings: Standings, name: Any) -> dict[str, FloatArray]:
    """Values of the objective by a property of their cell."""
    groups: dict[str, list[FloatArray]] = {}
    for number, cell in enumerate(standings.plan.cells):
        values = standings.values[number]
        groups.setdefault(name(cell), []).append(values[~np.isnan(values)])
    return {group: np.concatenate(parts) for group, parts in groups.items()}


def _scatter(standings: Standings) -> dict[str, str] | None:
    both = ~np.isnan(standings.scored) & ~np.isnan(standings.later)
    if not both.any():
        return None
    inside, later = standings.scored[both], standings.later[both]
    found = rank_correlation(inside, later)
    return {
        "picture": pictures.scatter(inside, later, figure_texts(standings.plan.objective.figure)),
        "correlation": "-" if found is None else f"{found:+.2f}",
    }


def _forward_row(standings: Standings, row: tuple[Cell, int, float, float]) -> list[str]:
    cell, point, there, middle = row
    figure = standings.plan.objective.figure
    names = [cell_name(cell, standings.plan), point_name(standings.plan, point)]
    return [*names, figure_text(figure, there), figure_text(figure, middle)]
