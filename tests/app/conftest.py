"""Fixtures of the window's tests: the fonts are there, the mouse is not rate-limited, no timer is left running."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pyqtgraph as pg
import pytest
from PyQt6.QtCore import QThread, QTimer
from PyQt6.QtWidgets import QApplication

from app.charts.clock import FrameClock
from app.main_window import MainWindow
from app.replay.facts import RunFacts
from app.replay.store import JournalStore
from app.session import RunSession
from app.theme import DARK, apply_theme
from app.workspace import Workspace
from tests.app.runs import config_of, finished, store_of
from tests.app.staging import TABLES, go, standing


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    return ["tests"]


@pytest.fixture
def look(qapp: QApplication) -> QApplication:
    """The application with the default look."""
    if qapp.styleSheet() == "":
        apply_theme(qapp, DARK)
    pg.setConfigOption("mouseRateLimit", 0)
    return qapp


@pytest.fixture
def clock(look: QApplication) -> Iterator[FrameClock]:
    """A frame clock that is stopped at the end."""
    clock = FrameClock()
    yield clock
    clock.stop()


@pytest.fixture
def window(look: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    """A window that works in an empty folder; its engines are threads."""
    monkeypatch.chdir(tmp_path)
    with standing(Workspace(tmp_path / "window.json"), False, (1440, 900)) as made:
        yield made


@pytest.fixture(scope="session")
def day() -> tuple[RunFacts, JournalStore]:
    """The shipped sample over one day, run to its end; nobody changes it."""
    config = config_of("sample", "end=2024-09-03")
    run, prepared = finished(config)
    return RunFacts(config, prepared), store_of(run)


@pytest.fixture
def on_a_day(window: MainWindow, day: tuple[RunFacts, JournalStore]) -> MainWindow:
    """A window on that day, without an engine until one is needed."""
    facts, store = day
    counts = {name: len(getattr(store, name)) for name in TABLES}
    window.open_session(RunSession(facts, store=store.cut(store.bars, counts), status="completed"))
    go(window, 700)
    return window


@pytest.fixture(scope="session")
def modules_set_aside() -> None:
    """Keep what the imports made out of later searches for what tests have left."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def nothing_runs_on(request: pytest.FixtureRequest, modules_set_aside: None) -> Iterator[None]:
    """Fail a test that leaves a timer or a thread of Qt running."""
    yield
    if "qapp" not in request.fixturenames:
        return
    gc.collect()
    # A chart's clock belongs to its window; what no window owns any more must not tick on.
    # By type(): isinstance asks a weak proxy for the class of what it stood for, which may be gone.
    left = [thing for thing in gc.get_objects() if issubclass(type(thing), (QTimer, QThread)) and _running(thing)]
    assert not left, f"left running: {left}"


def _running(thing: QTimer | QThread) -> bool:
    try:
        return thing.isActive() if isinstance(thing, QTimer) else thing.isRunning()
    except RuntimeError:  # Qt has deleted it already
        return False
