"""How a random case is run on the engine in every way that must not matter, and what is compared byte for byte."""

from typing import Any

from engine.run import Drive, Run
from tests.reference.model import Case
from tests.scenarios import kernel

# A bot that never enters and never moves a stop: the actions of a case become interventions of a compiled run.
IDLE: dict[str, Any] = {"kind": "given", "sides": {}, "exit": {"kind": "fixed_ratio", "atr_multiple": 1.0}}
_TABLES = ("orders", "fills", "trades", "events", "calls")


def made(case: Case, drive: Drive) -> Run:
    """A run of the case before its first bar; without a bot the step drive has a scripted one, the compiled an idle."""
    run = kernel.make_run(case if drive == "step" or case.get("bot") else {**case, "bot": IDLE}, drive)
    run.snapshots.take(run.snapshot())  # the case's own flags were set after the run took its first one
    return run


def simulate(case: Case, drive: Drive) -> dict[str, Any]:
    """The result of a case, in the names of the reference."""
    run = made(case, drive)
    run.complete()
    if run.error is not None:
        raise run.error
    return kernel.result_of(run, case)


def whole(case: Case, drive: Drive) -> bytes:
    """All bytes that a run of the case from start to end leaves behind."""
    run = made(case, drive)
    run.complete()
    return left_by(run)


def left_by(run: Run) -> bytes:
    """All bytes that a run has left behind so far."""
    tables = run.engine.tables
    rows = [tables.rows(name).tobytes() for name in _TABLES]
    return b"".join([tables.equity[: run.next_bar].tobytes(), *rows])
