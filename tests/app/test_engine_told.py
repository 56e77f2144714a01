"""What a session tells its engine, and what it takes from it: the course that is shown is the one that goes on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.charts.cursor import Cursor
from app.engine_link.messages import Broken, Command, Ended, Follow, Message, Save, Turned
from app.replay.chunk import JournalTap
from app.replay.facts import RunFacts
from app.session import MAIN, Course, RunSession
from bots.catalog import make_bot
from engine.preparing import Prepared, engine_of, prepare
from engine.run import Run
from tests.app.runs import config_of, store_of


class Line:
    """An engine that does nothing; a test speaks for it."""

    kind = "thread"

    def __init__(self) -> None:
        self.told: list[Command] = []
        self.says: list[Message] = []

    def send(self, command: Command) -> None:
        self.told.append(command)

    def messages(self, most: int = 64) -> Iterator[Message]:
        said, self.says = self.says[:most], self.says[most:]
        yield from said

    def close(self) -> None:
        pass

    @property
    def course(self) -> int:
        """The course that it was told to run last."""
        return next((each.course for each in reversed(self.told) if isinstance(each, Follow)), MAIN)


@pytest.fixture(scope="module")
def facts() -> RunFacts:
    config = config_of("coin_flip", "end=2024-09-03")
    return RunFacts(config, prepare(config))


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[Line]:
    """Engines that were started."""
    made: list[Line] = []

    def start(job: object, prepared: Prepared | None, own_process: bool | None) -> Line:
        made.append(Line())
        return made[-1]

    monkeypatch.setattr("app.session.start_engine", start)
    return made


@pytest.fixture
def session(facts: RunFacts, lines: list[Line]) -> RunSession:
    """A run and a branch, both under way; the engine is at the run."""
    session = RunSession(facts)
    session.start()
    store = session.courses[MAIN].store
    session.courses[1] = Course(1, "branch 1", MAIN, Cursor(), ({"bar": 5, "phase": "OPEN"},), store, own=1)
    return session


def test_who_looks_at_a_branch_and_at_once_back_at_the_run_sees_the_run_go_on(
    session: RunSession, lines: list[Line]
) -> None:
    session.show(1)
    assert lines[0].course == 1
    session.show(MAIN)  # before the engine has said that it has begun the branch
    assert lines[0].course == MAIN

    lines[0].says = [Turned(course=1, bars=0, counts={}), Turned(course=MAIN, bars=0, counts={})]
    session.pump()
    session.show(1)
    assert lines[0].course == 1


def test_an_engine_that_is_started_anew_is_sent_to_the_branch_that_is_asked_about(
    session: RunSession, lines: list[Line]
) -> None:
    session.show(1)
    lines[0].says = [Turned(course=1, bars=0, counts={}), Broken(text="the engine's process ended by itself")]
    session.pump()

    session.ask_decision("ES_SYN", 3, lambda told, error: None)

    assert len(lines) == 2
    assert lines[1].course == 1


def test_what_came_of_a_course_is_told_and_saved_once(session: RunSession, lines: list[Line], tmp_path: Path) -> None:
    """Whoever saves or asks sends the engine there again, and it says again that the course is over."""
    session.autosave = lambda course: tmp_path / course.name
    ended = Ended(course=MAIN, status="failed", error="ZeroDivisionError\nin line 3", notes=("a note",))
    lines[0].says = [ended]
    session.pump()
    session.save(tmp_path / "saved", report=False)
    lines[0].says = [ended]
    session.pump()

    assert [(notice.kind, notice.text) for notice in session.notices] == [
        ("info", "a note"), ("crash", "ZeroDivisionError"),
    ]  # fmt: skip
    saves = [command.folder.name for command in lines[0].told if isinstance(command, Save)]
    assert saves == ["run", "saved"]


def test_a_run_that_ends_when_the_engine_was_sent_to_a_branch_is_not_saved_as_that(
    session: RunSession, lines: list[Line], tmp_path: Path
) -> None:
    """What is saved is what the engine runs; the run itself is saved when it is closed."""
    session.autosave = lambda course: tmp_path / course.name
    session.show(1)
    lines[0].says = [Ended(course=MAIN, status="completed", error=None)]
    session.pump()
    assert not any(isinstance(command, Save) for command in lines[0].told)


def test_a_course_that_is_over_is_drawn_anew(session: RunSession, lines: list[Line]) -> None:
    """Its last bar is shown as it will stay, also where word of the end comes a frame after the bar."""
    before = session.model.state
    lines[0].says = [Ended(course=MAIN, status="completed", error=None)]
    session.pump()
    assert session.model.state != before


def test_a_course_that_is_computed_once_more_stays_as_it_is_known(facts: RunFacts, lines: list[Line]) -> None:
    """The engine comes back from a branch: on its way, orders that have ended long since still work."""
    given = {"bar": 100, "phase": "CLOSE", "type": "limit", "symbol": "ES_SYN", "side": "buy", "qty": 1, "limit": 1.0,
             "tif": "day"}  # fmt: skip
    first, again = (Run(engine_of(facts.config, facts.prepared), make_bot(facts.config.bot, facts.config.exit),
                        interventions=(given,)) for _ in range(2))  # fmt: skip
    tap = JournalTap(first.engine)
    first.advance(300)
    parts = [tap.take(MAIN, first.next_bar, 0.0)]
    first.complete()
    parts.append(tap.take(MAIN, first.next_bar, 0.0))
    session = RunSession(facts)
    session.start()
    lines[0].says = [*parts, Ended(course=MAIN, status="completed", error=None)]
    session.pump()
    whole = store_of(first)
    assert ((whole.orders.rows["placed_bar"] < 300) & (whole.orders.rows["ended_bar"] > 300)).any()

    again.advance(300)
    lines[0].says = [JournalTap(again.engine).take(MAIN, again.next_bar, 0.0)]
    session.pump()

    assert session.course.store.orders.rows.tobytes() == whole.orders.rows.tobytes()
    assert session.course.store.equity.rows.tobytes() == whole.equity.rows.tobytes()
