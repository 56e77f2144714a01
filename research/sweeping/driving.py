"""What a sweep does from its plan to its table: the missing runs, kept as they come, with progress."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from research.sweeping.plan import Plan
from research.sweeping.rows import Row
from research.sweeping.store import Store
from research.sweeping.ways import Way

SLICE = 100  # runs
_KEPT_EVERY_SECONDS = 2.0
_KEPT_EVERY_ROWS = 20_000


@dataclass(kw_only=True)
class Standing:
    """How far a sweep is.

    Attributes:
        done: runs whose rows are there, those of earlier starts included; runs: all of them; failed: of this start.
        seconds: since this start; rate: runs per second of this start; left: seconds, None where not known.
        best: the best value of the objective in this start, in sample; None where there is none.
    """

    runs: int
    done: int
    failed: int = 0
    begun: int = 0
    seconds: float = 0.0
    best: float | None = None

    @property
    def rate(self) -> float:
        """Runs per second of this start."""
        return (self.done - self.begun) / self.seconds if self.seconds > 0 else 0.0

    @property
    def left(self) -> float | None:
        """Seconds until all is done, if it goes on so."""
        return (self.runs - self.done) / self.rate if self.rate > 0 else None

    def take(self, rows: list[Row], plan: Plan) -> None:
        """Count a slice's rows."""
        figure, sign = plan.objective.figure, plan.objective.sign
        for row in rows:
            self.done += 1
            self.failed += row["status"] == "failed"
            value = row[figure]
            if value is None or row["part"] == "out" or (row["trades"] or 0) < plan.objective.minimum_trades:
                continue
            if self.best is None or value * sign > self.best * sign:
                self.best = value


Listener = Callable[[Standing], None]


def drive(
    plan: Plan, store: Store, way: Way, listener: Listener | None = None, clock: Callable[[], float] = time.perf_counter
) -> Standing:
    """Do what is missing and keep it; Ctrl-C ends it with what is done kept.

    Args:
        clock: seconds, forward only; decides how often rows are written, and nothing in them.

    Raises:
        KeyboardInterrupt: after the rows that are there have been kept.
        SaveError: where they cannot be.
    """
    done = int(store.done().sum())
    standing = Standing(runs=len(plan), done=done, begun=done)
    begun = kept = clock()
    waiting: list[Row] = []
    try:
        with closing(way.rows(store.missing(SLICE))) as arriving:
            for rows in arriving:
                waiting += rows
                standing.take(rows, plan)
                standing.seconds = clock() - begun
                if clock() - kept > _KEPT_EVERY_SECONDS or len(waiting) > _KEPT_EVERY_ROWS:
                    store.append(waiting)
                    waiting, kept = [], clock()
                if listener is not None:
                    listener(standing)
    finally:
        if waiting:
            store.append(waiting)
    return standing
