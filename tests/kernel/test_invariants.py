"""What the kernel keeps beside the rows (lists, counters, cached triggers) agrees with them after every call."""

from collections.abc import Iterator

import pytest

from engine import backtester
from engine.run import Run
from tests.kernel.watching import WatchedTables, negative_zeros
from tests.properties.cases import case_of
from tests.scenarios import kernel

SEEDS = range(2000, 2250)


@pytest.fixture
def watched_runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs of random cases, phase by phase, whose tables are looked over after every call."""
    monkeypatch.setattr(backtester, "RunTables", WatchedTables)
    return (watched_run(seed) for seed in SEEDS)


def watched_run(seed: int) -> Run:
    """A run that somebody listens to goes phase by phase, through ``RunTables.call`` alone."""
    run = kernel.make_run(case_of(seed))
    run.engine.bar_closed.connect(lambda event: None)
    return run


def test_lists_counters_and_cached_triggers_agree_with_the_rows_after_every_call(watched_runs: Iterator[Run]) -> None:
    for run in watched_runs:
        run.complete()

        assert run.error is None, run.error


@pytest.mark.rule("S14")
def test_no_output_holds_a_negative_zero() -> None:
    for seed in SEEDS:
        run = kernel.make_run(case_of(seed))

        run.complete()

        assert negative_zeros(run.engine.tables) == [], seed
