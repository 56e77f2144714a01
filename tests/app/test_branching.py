"""Branching: an order by hand re-runs the rest from there, and the branch replays headless to the same bytes (S16)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import engine.run
import engine.snapshots
from app.charts.cursor import Cursor
from app.replay.facts import RunFacts
from app.replay.rows import Records
from app.replay.saved import open_run
from app.replay.store import JournalStore
from app.session import MAIN, RunSession
from bots.catalog import make_bot
from engine.backtest import run_backtest
from engine.kernel.schema import Phase, Source
from engine.preparing import prepare
from tests.app.runs import config_of, finished, store_of, until

TABLES = ("equity", "fills", "trades", "events", "calls", "choices", "orders")


def same(mine: Records, theirs: Records) -> bool:
    return len(mine) == len(theirs) and all(
        np.array_equal(mine[name], theirs[name], equal_nan=mine[name].dtype.kind == "f") for name in mine.dtype.names
    )


def assert_same(mine: JournalStore, theirs: JournalStore) -> None:
    for name in TABLES:
        assert same(getattr(mine, name).rows, getattr(theirs, name).rows), name


def session_of(own_process: bool | None) -> RunSession:
    config = config_of("sample", "end=2024-09-03")
    prepared = prepare(config)
    session = RunSession(RunFacts(config, prepared), own_process=own_process)
    session.start(prepared)
    return session


@pytest.fixture(params=["thread", "thread, many snapshots", "process"])
def session(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunSession]:
    if "snapshots" in request.param:
        monkeypatch.setattr(engine.run, "CHUNK_SECONDS", 0.0)
        monkeypatch.setattr(engine.run, "FIRST_CHUNK", 32)
        monkeypatch.setattr(engine.snapshots, "EVERY_SECONDS", 0.0)
    session = session_of(request.param == "process")
    yield session
    session.close()


def settled(session: RunSession) -> None:
    until(lambda: not session.branching and not session.running, session.pump)


def act_at(session: RunSession, bar: int, phase: Phase, **record: object) -> None:
    session.model.cursor_model.go(bar, phase)
    session.act(record)
    settled(session)


def test_the_engine_beside_the_window_leaves_the_headless_journal(session: RunSession) -> None:
    settled(session)
    run, _ = finished(session.config)
    assert session.course.status == "completed"
    assert_same(session.course.store, store_of(run))


def test_a_branch_and_its_extension_replay_headless_to_the_same_bytes(session: RunSession) -> None:
    settled(session)
    main = session.course.store
    act_at(session, 200, Phase.OPEN, type="market", symbol="ES_SYN", side="buy", qty=1, sl=4000.0)
    assert session.model.course == 1
    assert session.model.cursor == Cursor(200, Phase.OPEN)
    assert [row["bar"] for row in session.model.store.fills.rows if row["source"] == Source.MANUAL] == [200]
    act_at(session, 300, Phase.INTRABAR, type="close", symbol="ES_SYN")
    assert list(session.courses) == [MAIN, 1]
    assert [action["phase"] for action in session.course.interventions] == ["OPEN", "CLOSE"]
    run, _ = finished(session.config, *session.course.interventions)
    assert_same(session.course.store, store_of(run))
    run, _ = finished(session.config)
    assert_same(main, store_of(run))


def test_an_earlier_intervention_forks_and_the_last_one_is_taken_back(session: RunSession) -> None:
    settled(session)
    act_at(session, 300, Phase.OPEN, type="market", symbol="CL_SYN", side="sell", qty=1)
    first = session.course.store
    act_at(session, 100, Phase.CLOSE, type="market", symbol="GC_SYN", side="buy", qty=1)
    assert session.model.course == 2
    assert session.course.parent == 1
    assert len(session.course.interventions) == 1
    act_at(session, 150, Phase.CLOSE, type="close", symbol="GC_SYN")
    session.undo()
    settled(session)
    run, _ = finished(session.config, *session.course.interventions)
    assert_same(session.course.store, store_of(run))
    session.undo()
    assert list(session.courses) == [MAIN, 1]
    session.show(1)
    settled(session)
    run, _ = finished(session.config, *session.course.interventions)
    assert_same(first, store_of(run))


@pytest.mark.parametrize("bar", [260, 200], ids=["extends", "at the same place"])
def test_an_order_right_behind_a_save_has_the_journal_of_a_run_with_both(
    session: RunSession, bar: int, tmp_path: Path
) -> None:
    """The engine is sent to the branch twice, and says twice that it begins it: the second is the new order's."""
    settled(session)
    act_at(session, 200, Phase.OPEN, type="market", symbol="ES_SYN", side="buy", qty=1, sl=4000.0)
    session.save(tmp_path / "branch", report=False)
    act_at(session, bar, Phase.CLOSE, type="market", symbol="CL_SYN", side="sell", qty=1)

    assert len(session.course.interventions) == 2
    run, _ = finished(session.config, *session.course.interventions)
    assert_same(session.course.store, store_of(run))


def test_a_saved_branch_is_opened_again_and_goes_on(tmp_path: Path) -> None:
    session = session_of(False)
    settled(session)
    act_at(session, 200, Phase.OPEN, type="market", symbol="ES_SYN", side="buy", qty=1, sl=4000.0)
    session.save(tmp_path / "branch", report=False)
    until(lambda: session.course.folder is not None, session.pump)
    session.close()
    opened = RunSession.of_saved(open_run(tmp_path / "branch"))
    for name in TABLES[:-1]:
        assert same(getattr(opened.course.store, name).rows, getattr(session.course.store, name).rows), name
    assert opened.notices == []
    act_at(opened, 250, Phase.OPEN, type="close", symbol="ES_SYN")
    assert opened.notices == []
    assert len(opened.course.interventions) == 2
    result = run_backtest(
        opened.config, make_bot(opened.config.bot, opened.config.exit), interventions=opened.course.interventions
    )
    assert np.array_equal(result.engine.tables.equity, opened.course.store.equity.rows)
    opened.close()


def test_the_window_is_told_why_and_the_run_stays_as_it_was(session: RunSession) -> None:
    settled(session)
    answers: list[tuple[object, str]] = []
    session.ask_decision("ES_SYN", 500, lambda told, error: answers.append((told, error)))
    session.ask_fill(3, lambda told, error: answers.append((told, error)))
    session.ask_fill(10**6, lambda told, error: answers.append((told, error)))
    until(lambda: len(answers) == 3, session.pump)
    assert "gate" in str(answers[0][0])
    assert "base price" in str(answers[1][0])
    assert answers[2][0] is None
    assert "is not in the run" in answers[2][1]
    act_at(session, 700, Phase.OPEN, type="market", symbol="ES_SYN", side="buy", qty=1)
    run, _ = finished(session.config, *session.course.interventions)
    assert_same(session.course.store, store_of(run))
