"""Opens the live window and stays until it is closed."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from app.command import FAILED, catch_exceptions, no_display
from app.live.window import LiveWindow
from app.theme import THEMES, apply_theme
from app.workspace import Workspace
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


def show(
    session: LiveSession,
    service: Service,
    ended: threading.Event,
    settings: Path | None = None,
    theme: str | None = None,
) -> int:
    """Open the window on a session that has not begun; returns the exit code.

    Args:
        settings: file in which the window remembers its look; None: in the user's settings folder.
        theme: colours, in place of those that are remembered.
    """
    why = no_display()
    if why is not None:
        sys.stderr.write(f"error: no window can be opened: {why}; without a window: {HEADLESS}\n")
        return FAILED
    from PyQt6.QtWidgets import QApplication

    application = QApplication(sys.argv[:1])
    application.setApplicationName("Triphase live")
    workspace = Workspace.load(settings or _settings_file())
    if theme is not None:
        workspace.theme = theme
    apply_theme(application, THEMES.get(workspace.theme, THEMES["dark"]))
    window = LiveWindow(session, service.label, service.ask_sign_in, ended, workspace)
    catch_exceptions(window)
    window.show()
    window.begin()
    if workspace.told:
        window.say(workspace.told)
    application.exec()
    return 0


def _settings_file() -> Path:
    from platformdirs import user_config_path

    return user_config_path("triphase", appauthor=False) / "live.json"
