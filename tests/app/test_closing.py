"""Closing: the window is gone at once, everything that is finished is saved, and every engine has ended."""

import multiprocessing
import queue
from collections.abc import Iterator
from pathlib import Path

import pytest

import app.saving
from app.charts.cursor import Cursor
from app.engine_link import link
from app.engine_link.messages import Message, Saved
from app.main_window import MainWindow
from app.opening import new_session
from app.saving import SavingNotice
from app.session import RunSession
from engine.kernel.schema import Phase
from tests.app.runs import config_of, until
from tests.app.staging import pump


def with_branches(window: MainWindow, count: int, own_process: bool) -> RunSession:
    """A finished run with branches that are finished and not saved."""
    config = config_of("sample", "end=2024-09-03")
    window.load("a run", lambda: new_session(config, own_process))
    until(lambda: window.session is not None and not window.session.running, pump(window), most=20_000)
    session = window.session
    assert session is not None
    until(lambda: session.courses[0].folder is not None, pump(window), most=20_000)  # the first save loads a library
    for number in range(count):
        window.go(Cursor(700 - 50 * number, Phase.OPEN))
        session.act({"type": "market", "symbol": "ES_SYN", "side": "buy", "qty": 1})
        until(lambda: not session.branching and not session.running, pump(window))
    return session


@pytest.mark.parametrize("own_process", [False, True], ids=["thread", "process"])
def test_the_window_is_hidden_before_branches_are_saved_and_all_of_them_are(
    window: MainWindow, own_process: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = with_branches(window, 3, own_process)
    seen: list[tuple[bool, int, int]] = []

    def goes_on(notice: SavingNotice, done: int, total: int) -> bool:
        seen.append((window.isVisible(), done, total))
        return True

    monkeypatch.setattr(SavingNotice, "goes_on", goes_on)
    window.close()

    assert seen
    assert {(visible, total) for visible, _, total in seen} == {(False, 3)}
    assert [course.folder is not None for course in session.courses.values()] == [True] * 4
    assert len(list((tmp_path / "runs").iterdir())) == 4
    assert session.link is None
    assert not multiprocessing.active_children()


def test_saving_that_takes_long_says_how_far_it_is_and_may_be_left(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = with_branches(window, 2, False)
    monkeypatch.setattr(app.saving, "SOON", -1.0)
    told: list[str] = []
    goes_on = SavingNotice.goes_on

    def left_at_once(notice: SavingNotice, done: int, total: int) -> bool:
        goes_on(notice, done, total)
        assert notice.dialog is not None
        told.append(notice.dialog.labelText())
        notice.dialog.cancel()
        return goes_on(notice, done, total)

    monkeypatch.setattr(SavingNotice, "goes_on", left_at_once)
    window.close()

    assert told == ["Saving finished branches: 0 of 2"]
    assert session.link is None
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("own_process", [False, True], ids=["thread", "process"])
def test_a_run_that_is_being_saved_when_the_window_closes_is_saved_once(
    window: MainWindow, own_process: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The word of it comes later than the hand that closes; a second folder would be the same run again."""
    on_its_way, own = [True], link._arrived

    def arrived(arrivals: "queue.Queue[Message]", most: int) -> Iterator[Message]:
        for message in own(arrivals, most):
            if on_its_way and isinstance(message, Saved):
                arrivals.put(message)
                return
            yield message

    monkeypatch.setattr(link, "_arrived", arrived)
    config = config_of("sample", "end=2024-09-03")
    window.load("a run", lambda: new_session(config, own_process))
    until(lambda: window.session is not None and window.session.courses[0].saves > 0, pump(window), most=20_000)
    session = window.session
    assert session is not None
    assert session.courses[0].folder is None
    on_its_way.clear()
    told: list[object] = []
    send = session._send_to
    monkeypatch.setattr(session, "_send_to", lambda course: told.append(course.number) or send(course))
    window.close()
    assert told == []  # nobody asked for it once more
    assert session.courses[0].folder is not None
    assert len(list((tmp_path / "runs").iterdir())) == 1


def test_the_window_stays_awake_until_it_hears_that_a_run_is_saved(window: MainWindow) -> None:
    """However long writing takes: a run whose word was slept through would be saved again at the end."""
    session = with_branches(window, 0, False)
    assert session.course.folder is not None
    assert not session.asking
    session.save(Path("again"), report=False)
    assert session.asking
    until(lambda: not session.asking, session.pump, most=20_000)
    assert (Path("again") / "manifest.json").exists()


def test_a_folder_that_cannot_be_written_does_not_hold_the_window(window: MainWindow, tmp_path: Path) -> None:
    session = with_branches(window, 2, False)
    (tmp_path / "file").write_text("not a folder")
    session.autosave = lambda course: tmp_path / "file" / course.name
    assert session.save_finished() == 2
    assert sum("file" in notice.text for notice in session.notices) == 2
    session.autosave = None


@pytest.mark.parametrize("own_process", [False, True])
def test_a_run_that_is_still_loading_has_no_engine_left_once_the_window_is_closed(
    window: MainWindow, own_process: bool
) -> None:
    made: list[RunSession] = []

    def load() -> RunSession:
        made.append(new_session(config_of("coin_flip"), own_process))
        return made[0]

    window.load("a run", load)
    window.close()
    assert made
    assert made[0].link is None
    assert not multiprocessing.active_children()
