"""Somebody at the real window, on an X server with a window manager of their own.

Every click and key goes through the server, as those of a mouse and a keyboard do. ``TRIPHASE_SCREENSHOTS`` names a
folder for a picture of each step.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("Xvfb", "openbox", "xdotool")
MISSING = [name for name in NEEDED if shutil.which(name) is None]
PATIENCE = 120.0
SCREEN = "1600x1000x24"


class Person:
    """Looks at the window, moves the mouse, presses keys.

    Attributes:
        display: of the X server; file: in which the window tells what it shows; window: its process.
        said: what it wrote to its standard error.
    """

    def __init__(self, display: str, file: Path, window: subprocess.Popen[bytes], said: Path) -> None:
        self.display, self.file, self.window, self.said = display, file, window, said
        self._step = 0

    def complaints(self) -> list[str]:
        """Exceptions that the window had to tell of."""
        return [line for line in self.said.read_text(encoding="utf-8").splitlines() if "Error" in line]

    def sees(self) -> dict[str, Any]:
        """What the window shows now."""
        return dict(json.loads(self.file.read_text(encoding="utf-8"))) if self.file.exists() else {}

    def waits(self, what: str, seen: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Look until it is seen."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            now = self.sees()
            if now and seen(now):
                return now
            time.sleep(0.05)
        self.picture("failed")
        raise AssertionError(f"waited {PATIENCE:g} s for {what}; seen: {self.sees()}")

    def does(self, *words: str) -> None:
        """One command of xdotool."""
        environment = os.environ | {"DISPLAY": self.display}
        subprocess.run(["xdotool", *words], env=environment, check=True, timeout=30)

    def clicks(self, place: list[int]) -> None:
        """Click with the left button."""
        self.does("mousemove", str(place[0]), str(place[1]), "click", "1")

    def clicks_twice(self, place: list[int]) -> None:
        """A double click."""
        self.does("mousemove", str(place[0]), str(place[1]), "click", "--repeat", "2", "--delay", "60", "1")

    def presses(self, key: str) -> None:
        """Press a key, with its modifiers."""
        self.does("key", "--clearmodifiers", key)

    def presses_and_sees(self, key: str, what: str, seen: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Press a key, and wait for what comes of it."""
        self.presses(key)
        return self.waits(f"{what} after {key}", seen)

    def drags(self, start: list[int], end: list[int]) -> None:
        """Drag with the left button, by way of the middle."""
        self.does("mousemove", str(start[0]), str(start[1]), "mousedown", "1")
        for share in (0.25, 0.5, 0.75, 1.0):
            x, y = (round(a + share * (b - a)) for a, b in zip(start, end, strict=True))
            self.does("mousemove", str(x), str(y))
            time.sleep(0.05)
        self.does("mouseup", "1")

    def picture(self, name: str) -> None:
        """A screenshot, where they are wanted and can be had."""
        folder, tool = os.environ.get("TRIPHASE_SCREENSHOTS"), shutil.which("import")
        self._step += 1
        if folder and tool:
            time.sleep(0.4)
            file = Path(folder) / f"{self._step:02}-{name}.png"
            environment = os.environ | {"DISPLAY": self.display}
            subprocess.run([tool, "-window", "root", str(file)], env=environment, check=False, timeout=30)


@pytest.fixture
def screen() -> Iterator[str]:
    """An X server with a window manager; both are ended."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", SCREEN, "-nolisten", "tcp"],
        pass_fds=(writing,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as told:
        display = f":{told.readline().strip()}"
    manager = subprocess.Popen(["openbox"], env=os.environ | {"DISPLAY": display}, stderr=subprocess.DEVNULL)
    yield display
    for process in (manager, server):
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def person(screen: str, tmp_path: Path) -> Iterator[Person]:
    """Somebody before the application."""
    file, said = tmp_path / "told.json", tmp_path / "said.txt"
    plain = {key: value for key, value in os.environ.items() if key not in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY")}
    with said.open("wb") as heard:
        window = subprocess.Popen(
            [sys.executable, "-m", "tests.app.watched", str(file), "--settings", str(tmp_path / "window.json")],
            cwd=tmp_path,
            env=plain | {"DISPLAY": screen, "QT_QPA_PLATFORM": "xcb", "PYTHONPATH": str(ROOT)},
            stderr=heard,
        )
    yield Person(screen, file, window, said)
    if window.poll() is None:
        window.terminate()
        window.wait(timeout=60)
