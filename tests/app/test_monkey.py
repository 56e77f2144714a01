"""A monkey at the window: whatever is done in whatever order, the window lives and shows what the journal says."""

import gc
import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QApplication

from app.main_window import MainWindow
from app.opening import hand_session, new_session, saved_session
from app.session import RunSession
from bots.catalog import make_bot
from engine.backtest import run_backtest
from tests.app.monkey import Monkey, engines, same_headless, sent_away, settled
from tests.app.runs import config_of, until
from tests.app.staging import pump


def played(monkey: Monkey, actions: int) -> None:
    """Let it play; what it did last is told where something goes wrong."""
    try:
        monkey.play(actions)
    except BaseException as raised:
        raised.add_note("\n".join(monkey.done[-25:]))
        raise


def courses_after(window: MainWindow, seed: int, actions: int, folder: Path, patch: pytest.MonkeyPatch) -> RunSession:
    """The run at which it has played, once its engine has nothing more to tell."""
    played(Monkey(window, seed, folder, patch), actions)
    settled(window)
    assert window.session is not None
    return window.session


def test_whatever_is_done_the_window_shows_what_the_journal_says(
    on_a_day: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Account, position, orders, tables, lines, marks and curve after every action; all courses run headless."""
    session = courses_after(on_a_day, 1, 60, tmp_path, monkeypatch)
    assert same_headless(session) == len(session.courses) > 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 112))
def test_hundreds_of_actions_in_a_run(
    on_a_day: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    session = courses_after(on_a_day, seed, 300, tmp_path, monkeypatch)
    assert same_headless(session) == len(session.courses)


def runs_for(window: MainWindow, folder: Path) -> list[Callable[[], object]]:
    """Runs of all kinds: bots compiled and in Python, by hand, saved, failing, and what cannot be opened."""
    day = "end=2024-09-03"
    python = {"name": "Watchful", "module": "tests.app.python_bots"}
    failing = {"name": "Failing", "module": "tests.app.python_bots"}
    sample, coin = config_of("sample", day), config_of("coin_flip", day)
    saved = run_backtest(coin, make_bot(coin.bot, coin.exit)).save(folder / "saved")
    loads = (
        lambda: new_session(sample, False), lambda: new_session(coin, True), lambda: hand_session(sample, False),
        lambda: new_session(sample.with_part("bot", python, "a bot in Python")),
        lambda: new_session(sample.with_part("bot", failing, "a bot that fails")),
        lambda: saved_session(saved), lambda: saved_session(folder / "nowhere"),
    )  # fmt: skip
    return [lambda load=load: window.load("a run", load) for load in loads]  # type: ignore[misc]


def sessions() -> int:
    """Runs that are still in memory."""
    gc.collect()  # a run and what answers it are in a circle
    return sum(type(thing) is RunSession for thing in gc.get_objects())


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 208))
def test_run_after_run_leaves_nothing_behind(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Runs begun, opened and closed in the middle of anything, and the window closed at last."""
    monkey = Monkey(window, seed, tmp_path, monkeypatch, runs_for(window, tmp_path))
    played(monkey, 20)
    window.close_session()
    until(lambda: window.loading is None, pump(window))
    window.close_session()
    sent_away(window)
    views, shown = len(window.clock._views), len(QApplication.allWidgets())

    played(monkey, 250)

    for dialog in tuple(window.dialogs):
        dialog.close()
    window.close_session()
    until(lambda: window.loading is None, pump(window))
    window.close_session()
    sent_away(window)
    assert len(window.clock._views) == views
    assert sessions() == 0
    assert len(QApplication.allWidgets()) <= shown + 60
    window.close()
    assert not list(engines())
    assert not multiprocessing.active_children()
