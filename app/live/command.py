"""Opens the live window and stays until it is closed."""

import sys
import threading
from collections.abc import Callable
from typing import Protocol

from app.command import FAILED, no_display
from app.live.window import LiveWindow
from app.theme import DARK, apply_theme
from engine.live import LiveSession

HEADLESS = "python run_live.py --demo --headless"


class Service(Protocol):
    """What the window must know of the service."""

    @property
    def label(self) -> str:
        """LIVE, SIM or DEMO."""

    @property
    def ask_sign_in(self) -> Callable[[], object] | None:
        """Signs in on the service's page, blocking; None where nobody has to."""


def show(session: LiveSession, service: Service, ended: threading.Event) -> int:
    """Open the window on a session that has not begun; returns the exit code."""
    why = no_display()
    if why is not None:
        sys.stderr.write(f"error: no window can be opened: {why}; without a window: {HEADLESS}\n")
        return FAILED
    from PyQt6.QtWidgets import QApplication

    application = QApplication(sys.argv[:1])
    application.setApplicationName("Triphase live")
    apply_theme(application, DARK)
    window = LiveWindow(session, service.label, service.ask_sign_in, ended)
    window.show()
    window.begin()
    application.exec()
    return 0
