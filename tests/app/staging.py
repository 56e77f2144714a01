"""How tests stand a window on a run, let frames pass and move its cursor."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PyQt6.QtCore import QCoreApplication, QEvent
from PyQt6.QtWidgets import QApplication

from app.charts.cursor import Cursor
from app.main_window import MainWindow
from app.opening import new_session
from app.replay.orders import OrderState
from app.session import RunSession
from app.workspace import Workspace
from engine.kernel.schema import Phase
from tests.app.runs import config_of, until

TABLES = ("fills", "trades", "events", "calls", "choices", "orders")


@contextmanager
def standing(workspace: Workspace, own_process: bool | None, size: tuple[int, int]) -> Iterator[MainWindow]:
    """A window that is shown, and gone at the end."""
    made = MainWindow(workspace, own_process=own_process)
    made.resize(*size)
    made.show()
    yield made
    made.close()
    made.deleteLater()
    # Without a running event loop Qt would keep it until the end, and polish it at every change of the theme.
    QCoreApplication.sendPostedEvents(made, QEvent.Type.DeferredDelete)


def frame(window: MainWindow) -> None:
    """Let one frame pass."""
    window.clock.tick()
    QApplication.processEvents()


def pump(window: MainWindow) -> Callable[[], object]:
    """Lets one frame pass, each time it is called."""
    return lambda: frame(window)


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
        frame(window)


def rest_far_below(window: MainWindow) -> OrderState:
    """At OPEN of bar 30, give a limit order by hand that will not be reached."""
    session = window.session
    assert session is not None
    go(window, 30, Phase.OPEN)
    form, mark = session.facts.forms[0], session.facts.mark(0, session.model.cursor)
    far = form.snapped(mark - 400 * form.tick)
    window.handling.act({"type": "limit", "symbol": "ES_SYN", "side": "buy", "qty": 1.0, "limit": far})
    settled(window)
    (order,) = session.model.working
    return order


def settled(window: MainWindow) -> None:
    """Let frames pass until no branch is being computed any more."""
    session = window.session
    assert session is not None
    until(lambda: not session.branching and not session.running, pump(window))
    frame(window)
