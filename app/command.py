"""What ``run_backtest.py`` does from command line to exit code: a window, or a clear error without a display."""

import argparse
import ctypes.util
import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol

from data.errors import TriphaseError

DONE, FAILED = 0, 2
HEADLESS = "python run_backtest_headless.py --config configs/sample.yaml"
EPILOG = """examples:
  run_backtest.py
  run_backtest.py --config configs/sample.yaml
  run_backtest.py --config configs/sample.yaml --set bot.ema_span=34 --set exit.atr_multiple=2
  run_backtest.py --config configs/sample.yaml --by-hand
  run_backtest.py --open runs/sample_2024-03-08 --theme light

--set takes any key of docs/reference/configuration.md; bot.x and exit.x mean settings, assets.ES.x the asset ES.
In the window F1 shows every key.

exit codes: 0 closed; 2 an error, said in a sentence or two, such as a display that is missing.
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        description="Open the window: step through a backtest, go back, branch, and ask why.\nWithout a window: "
        + HEADLESS,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--config", type=Path, metavar="FILE", help="run this configuration, such as configs/sample.yaml")
    made.add_argument("--open", type=Path, metavar="FOLDER", help="open a saved run, such as runs/sample_2024-03-08")
    made.add_argument("--by-hand", action="store_true", help="with --config: no bot decides, orders are yours alone")
    made.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="set a key; may be given several times"
    )
    made.add_argument(
        "--panel", action="append", default=[], metavar="FILE.py:NAME", help="add a panel of your own (docs/adding.md)"
    )
    made.add_argument("--theme", choices=("dark", "light", "high contrast", "colour-blind"), help="colours")
    made.add_argument("--settings", type=Path, metavar="FILE", help="where layouts and recent runs are kept")
    return made


def no_display() -> str | None:
    """Why no window can be opened here, None where one can."""
    chosen = os.environ.get("QT_QPA_PLATFORM", "")
    if chosen or sys.platform in ("win32", "darwin"):
        return None
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        return "neither DISPLAY nor WAYLAND_DISPLAY is set"
    display = os.environ.get("DISPLAY", "")
    return None if os.environ.get("WAYLAND_DISPLAY") or _answers(display) else f"display {display} does not answer"


def _answers(display: str) -> bool:
    """Whether an X server answers; Qt itself would end the process where none does."""
    name = ctypes.util.find_library("xcb")
    if name is None:
        return True
    xcb = ctypes.CDLL(name)
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(display.encode(), None))
    wrong = int(xcb.xcb_connection_has_error(connection))
    xcb.xcb_disconnect(connection)
    return wrong == 0


def main(argv: Sequence[str]) -> int:
    """Open the window and stay until it is closed."""
    given = parser().parse_args(argv)
    why = no_display()
    if why is not None:
        _complain(f"error: no window can be opened: {why}; without a window: {HEADLESS}")
        return FAILED
    try:
        return _run(given)
    except TriphaseError as error:
        _complain(f"error: {error}")
        return FAILED
    except ImportError as error:
        _complain(f"error: the window's libraries cannot be loaded: {error}; without a window: {HEADLESS}")
        return FAILED


def _run(given: argparse.Namespace) -> int:
    from PyQt6.QtCore import QTimer
    from PyQt6.QtWidgets import QApplication

    from app.main_window import MainWindow
    from app.opening import config_at
    from app.own_panels import add_own_panel
    from app.workspace import Workspace
    from engine.freeing import hand_large_blocks_back, read_tables_through_the_c_library

    read_tables_through_the_c_library()
    hand_large_blocks_back()
    config = None if given.config is None else config_at(given.config).with_overrides(given.set)
    application = QApplication(sys.argv[:1])
    application.setApplicationName("Triphase")
    workspace = Workspace.load(given.settings or _settings_file())
    if given.theme is not None:
        workspace.theme = given.theme
    window = MainWindow(workspace)
    for text in given.panel:
        add_own_panel(window, text)
    catch_exceptions(window)
    window.show()
    if given.open is not None:
        window.handling.files.open_folder(given.open)
    elif config is not None:
        window.handling.files.run(config, given.by_hand)
    # Python's signal handlers run only while Python does.
    signal.signal(signal.SIGINT, lambda *_: window.close())
    signal.signal(signal.SIGTERM, lambda *_: window.close())
    pulse = QTimer()
    pulse.timeout.connect(lambda: None)
    pulse.start(250)
    application.exec()
    pulse.stop()
    for child in multiprocessing.active_children():
        child.kill()
    return DONE


def _complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _settings_file() -> Path:
    from platformdirs import user_config_path

    return user_config_path("triphase", appauthor=False) / "window.json"


class TellingWindow(Protocol):
    """A window that can say what went wrong in it."""

    def close(self) -> bool:
        """Close it."""

    def tell_exception(self, text: str, details: str) -> None:
        """Say it."""


def catch_exceptions(window: TellingWindow) -> None:
    """An exception in a slot would end the process: tell it in the window instead, and on stderr."""

    def told(kind: type[BaseException], raised: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            window.close()
            return
        text = "".join(traceback.format_exception(kind, raised, trace))
        _complain(text)
        window.tell_exception(f"{kind.__name__}: {raised}", text)

    sys.excepthook = told
