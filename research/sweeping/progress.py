"""How far a sweep is, on stderr: runs per second, the best so far, time left."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from tqdm import tqdm

from engine.statistics import Statistics, describe_figures, format_figure
from research.sweeping.driving import Listener, Standing
from research.sweeping.plan import Plan

_SECONDS_BETWEEN_LINES = 5.0
_SECONDS_ON_A_TERMINAL = 0.1


@contextmanager
def progress_of(stream: TextIO, plan: Plan, show: bool) -> Iterator[Listener | None]:
    """A listener that draws a bar on ``stream``; None where nothing is to be shown."""
    if not show:
        yield None
        return
    between = _SECONDS_ON_A_TERMINAL if stream.isatty() else _SECONDS_BETWEEN_LINES
    unit = {name: unit for name, _, unit, _ in describe_figures(Statistics)}[plan.objective.figure]
    with tqdm(
        desc=plan.name,
        unit="run",
        unit_scale=True,
        dynamic_ncols=True,
        file=stream,
        mininterval=between,
        total=len(plan),
    ) as bar:

        def listener(standing: Standing) -> None:
            if bar.n < standing.begun:
                bar.initial = standing.begun
                bar.update(standing.begun - bar.n)
            failed = f", {standing.failed:,} failed" if standing.failed else ""
            best = format_figure(standing.best, unit)
            bar.set_postfix_str(f"best {plan.objective.figure} {best}{failed}", refresh=False)
            bar.update(standing.done - bar.n)

        yield listener
