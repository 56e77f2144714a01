"""An engine in the window's process whose work is saved is let go; what a person asks or does wakes another."""

import gc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import engine.run
from app.charts.cursor import Cursor
from app.replay.facts import RunFacts
from app.session import MAIN, RunSession
from engine.inspection import Explanation
from engine.kernel.schema import Phase
from engine.preparing import prepare
from engine.tables import RunTables
from tests.app.runs import config_of, finished, store_of, until

TABLES = ("equity", "fills", "trades", "events", "calls", "choices", "orders")


def held() -> set[int]:
    """Every run's tables that somebody keeps."""
    gc.collect()
    return {id(each) for each in gc.get_objects() if isinstance(each, RunTables)}


@pytest.fixture
def before() -> set[int]:
    return held()


def session_of(own_process: bool, folder: Path) -> RunSession:
    config = config_of("sample", "end=2024-09-03")
    prepared = prepare(config)
    session = RunSession(RunFacts(config, prepared), own_process=own_process)
    session.autosave = lambda course: folder / course.name
    session.start(prepared)
    until(lambda: not session.running and not session.asking, session.pump)
    return session


@pytest.fixture
def session(before: set[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunSession]:
    """A run that is saved, and counts as a long one."""
    monkeypatch.setattr("app.session.LEAST_ASSET_BARS", 1)
    made = session_of(False, tmp_path)
    yield made
    made.close()


def rests(session: RunSession) -> bool:
    return session.link is None


def told(session: RunSession, fill: int) -> tuple[str, str]:
    """Why a fill, and why the decision in its bar."""
    answers: list[Explanation | None] = []
    bar = int(session.model.store.fills.rows["bar"][fill])
    session.ask_fill(fill, lambda found, error: answers.append(found))
    session.ask_decision("ES_SYN", bar, lambda found, error: answers.append(found))
    until(lambda: len(answers) == 2, session.pump)
    first, second = sorted(map(str, answers), key=lambda text: not text.startswith("fill"))
    return first, second


def assert_its_own(session: RunSession) -> None:
    run, _ = finished(session.config, *session.course.interventions)
    theirs = store_of(run)
    for name in TABLES:
        mine, other = getattr(session.course.store, name).rows, getattr(theirs, name).rows
        for field in mine.dtype.names:
            np.testing.assert_array_equal(mine[field], other[field], f"{name}, {field}")


def test_nothing_of_the_engine_stays_once_the_run_is_saved(before: set[int], session: RunSession) -> None:
    assert rests(session)
    assert held() <= before
    assert "bars" not in vars(session.facts.market)


def test_the_same_is_shown_told_and_branched_afterwards(session: RunSession) -> None:
    """S14, S16: the engine begins anew, and gives the same bytes."""
    assert_its_own(session)
    last = len(session.model.store.fills) - 1
    first, second = told(session, last)
    assert first.startswith(f"fill {last}: ")
    assert "gate" in second
    until(lambda: session.model.store.equity.rows.base is not None, session.pump)
    assert_its_own(session)
    session.model.cursor_model.go(700, Phase.OPEN)
    session.act({"type": "market", "symbol": "ES_SYN", "side": "buy", "qty": 1})
    until(lambda: not session.branching and not session.running, session.pump)
    assert session.course.number != MAIN
    assert_its_own(session)
    session.show(MAIN)
    assert_its_own(session)


def test_a_journal_that_is_here_stands_still_while_the_engine_comes_to_it(
    session: RunSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.run, "CHUNK_SECONDS", 0.0)
    monkeypatch.setattr(engine.run, "FIRST_CHUNK", 32)
    session.model.cursor_model.go(session.model.store.bars - 1, Phase.CLOSE)
    store, revision = session.model.store, session.model.cursor_model.revision
    orders = store.orders.rows.copy()
    session.ask_fill(len(store.fills) - 1, lambda found, error: None)

    def pumped() -> None:
        session.pump()
        assert np.array_equal(store.orders.rows["status"], orders["status"])

    until(lambda: not session.asking, pumped)
    assert session.model.cursor == Cursor(store.bars - 1, Phase.CLOSE)
    assert session.model.cursor_model.revision <= revision + 2


def test_a_branch_that_is_not_saved_keeps_its_engine(session: RunSession, tmp_path: Path) -> None:
    session.model.cursor_model.go(700, Phase.OPEN)
    session.act({"type": "market", "symbol": "ES_SYN", "side": "buy", "qty": 1})
    until(lambda: not session.branching and not session.running, session.pump)
    session.report(tmp_path / "report")
    until(lambda: not session.asking, session.pump)
    assert not rests(session)
    session.save(tmp_path / "branch", report=False)
    until(lambda: not session.asking, session.pump)
    assert rests(session)
    assert_its_own(session)


@pytest.mark.parametrize("own_process", [False, True])
def test_a_short_run_and_an_engine_with_a_process_of_its_own_stay(
    own_process: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if own_process:
        monkeypatch.setattr("app.session.LEAST_ASSET_BARS", 1)
    session = session_of(own_process, tmp_path)
    assert not rests(session)
    session.close()
