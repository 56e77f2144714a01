"""The ranked table of a sweep: as CSV for other programs, and its head as text for the command line."""

import csv
import io
from pathlib import Path

import numpy as np

from engine.errors import SaveError
from research.headless.printing import aligned
from research.sweeping.report import point_name, ranked_headings, ranked_rows, verdict
from research.sweeping.standings import Standings

_SHOWN_RANKS = 10


def write_ranking(standings: Standings, folder: Path) -> Path:
    """Write ``ranking.csv``: every ranked setting, best first, with full figures.

    Raises:
        SaveError: where it cannot be written.
    """
    path = folder / "ranking.csv"
    try:
        path.write_text(_csv(standings), encoding="utf-8", newline="")
    except OSError as error:
        raise SaveError(f"{path} cannot be written: {error.strerror or error}") from error
    return path


def _csv(standings: Standings) -> str:
    plan, text = standings.plan, io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    figure = plan.objective.figure
    names = (f"{figure}_mean", f"{figure}_lowest", f"{figure}_highest", f"{figure}_out_of_sample", "cells", "missing")
    writer.writerow(["rank", "bot", "exit", *plan.keys, *names])
    inside = standings.values[standings.inside]
    for rank, point in enumerate(standings.order.tolist(), 1):
        one, values = plan.points[point], dict(plan.points[point].values)
        known = inside[:, point][~np.isnan(inside[:, point])]
        later = standings.later[point]
        figures = [standings.scored[point], known.min(), known.max(), "" if np.isnan(later) else later]
        parts = [rank, plan.bots[one.bot].name, plan.exits[one.exit].name, *(values.get(key, "") for key in plan.keys)]
        writer.writerow([*parts, *figures, len(inside), int(standings.missing[point])])
    return text.getvalue()


def summary(standings: Standings, folder: Path) -> str:
    """The best settings, the verdict, and where the rest is."""
    plan = standings.plan
    failed = sum(count for _, count in standings.failures())
    headline = f"{plan.name}: {len(plan):,} runs, {failed:,} failed"
    rows = [ranked_headings(standings), *ranked_rows(standings, _SHOWN_RANKS)]
    word, why = verdict(list(standings.luck()))
    parts = [headline, aligned(rows) if len(rows) > 1 else "no run has a value to rank by", f"{word}: {why}"]
    parts += [f"failed, {count:,} runs: {error}" for error, count in standings.failures()[:_SHOWN_RANKS]]
    if standings.best is not None:
        parts.append(f"best: {point_name(plan, standings.best)}")
    return (
        "\n\n".join(parts[:2])
        + "\n\n"
        + "\n".join([*parts[2:], f"saved in {folder}: results.parquet, ranking.csv, report.html"])
    )
