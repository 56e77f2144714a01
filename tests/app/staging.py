"""How tests stand a window on a run, let frames pass and move its cursor."""

from collections.abc import Callable

from PyQt6.QtWidgets import QApplication

from app.charts.cursor import Cursor
from app.main_window import MainWindow
from app.opening import new_session
from app.session import RunSession
from engine.kernel.schema import Phase
from tests.app.runs import config_of, until

TABLES = ("fills", "trades", "events", "calls", "choices", "orders")


def pump(window: MainWindow) -> Callable[[], object]:
    """Lets one frame pass, each time it is called."""

    def once() -> None:
        window.clock.tick()
        QApplication.processEvents()

    return once


def opened(window: MainWindow, *overrides: str, name: str = "sample") -> RunSession:
    """Run a shipped configuration in the window, to its end."""
    config = config_of(name, *overrides)
    window.load("the sample", lambda: new_session(config, False))
    until(lambda: window.session is not None and not window.session.running, pump(window))
    assert window.session is not None
    return window.session


def go(window: MainWindow, bar: int, phase: Phase = Phase.CLOSE) -> None:
    """Move the cursor, and draw; tables show the last of several moves in the frame after it."""
    window.go(Cursor(bar, phase))
    for _ in range(2):
        pump(window)()


def settled(window: MainWindow) -> None:
    """Let frames pass until no branch is being computed any more."""
    session = window.session
    assert session is not None
    until(lambda: not session.branching and not session.running, pump(window))
    pump(window)()
