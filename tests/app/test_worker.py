"""What the engine beside the window does with commands that come while it still runs another course (S16)."""

from collections.abc import Sequence
from pathlib import Path

import pytest

import engine.run
from app.engine_link.messages import Command, Ended, Follow, Job, Message, RunTo, Save, Saved, Stop
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
