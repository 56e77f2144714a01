"""What the engine beside the window does with commands that come while it still runs another course (S16)."""

from collections.abc import Sequence
from pathlib import Path

import pytest

import engine.run
from app.engine_link.messages import (
    AskFill,
    Command,
    Ended,
    Explained,
    Follow,
    Job,
    Message,
    RunTo,
    Save,
    Saved,
    Stop,
    Turned,
)
from app.engine_link.worker import Worker
from tests.app.runs import config_of

BUY = {"bar": 100, "phase": "OPEN", "source": "manual", "type": "market", "symbol": "ES_SYN", "side": "buy", "qty": 1}


class ScriptedLine:
    """Gives commands one by one, the last ones once a course has ended; keeps what it is told."""

    shared = False

    def __init__(self, commands: Sequence[Command], after: Sequence[Command]) -> None:
        self._commands, self._after = list(commands), [*after, Stop()]
        self.told: list[Message] = []

    def send(self, message: Message) -> None:
        self.told.append(message)

    def receive(self, wait: bool) -> Command | None:
        if self._commands:
            return self._commands.pop(0)
        return self._after.pop(0) if wait else None

    def saved(self) -> list[tuple[int, str, bool]]:
        """Course, folder's name and whether it was written, of every answer."""
        return [(each.course, each.folder.name, not each.error) for each in self.told if isinstance(each, Saved)]


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.run, "CHUNK_SECONDS", 0.0)
    monkeypatch.setattr(engine.run, "FIRST_CHUNK", 32)


def served(commands: Sequence[Command], after: Sequence[Command] = ()) -> ScriptedLine:
    line = ScriptedLine(commands, after)
    Worker(Job(config=config_of("sample", "end=2024-09-03")), line).serve()
    return line


def test_a_course_that_is_left_before_its_end_is_not_saved_as_another_one(tmp_path: Path) -> None:
    """A save waits until its course is whole; where the engine turns to a branch instead, that is said."""
    line = served([RunTo(), Save(folder=tmp_path / "run", report=False), Follow(course=1, interventions=(BUY,))])
    assert [each.course for each in line.told if isinstance(each, Ended)] == [1]
    assert line.saved() == [(0, "run", False)]
    error = next(each.error for each in line.told if isinstance(each, Saved))
    assert str(tmp_path / "run") in error
    assert "save it again" in error
    assert not (tmp_path / "run").exists()


def test_a_save_waits_for_the_end_of_its_course(tmp_path: Path) -> None:
    line = served(
        [RunTo(), Save(folder=tmp_path / "a", report=False), Follow(course=0, interventions=())],
        [Follow(course=1, interventions=(BUY,)), Save(folder=tmp_path / "b", report=False)],
    )
    assert line.saved() == [(0, "a", True), (1, "b", True)]
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}


def test_a_fill_that_the_run_has_not_come_to_is_explained_when_it_has() -> None:
    """An engine that is started for the question of a saved run has no bars yet."""
    line = served([AskFill(ask=1, index=40), AskFill(ask=2, index=10**6), RunTo(), AskFill(ask=3, index=40)])
    answers = {each.ask: each for each in line.told if isinstance(each, Explained)}
    assert "is not in the run, which has 0 fills" in answers[1].error
    assert "is not in the run" in answers[2].error
    assert answers[3].explanation is not None
    assert answers[3].explanation.title.startswith("fill 40: ")


def test_a_question_about_a_course_that_is_left_is_answered_before_the_other_one() -> None:
    line = served([RunTo(), AskFill(ask=1, index=40), Follow(course=1, interventions=(BUY,))])
    kinds = [type(each) for each in line.told if isinstance(each, Explained | Turned)]
    assert kinds == [Explained, Turned]
