"""Goes the way of the window's tutorial through the real window: what each step shows, by the step's name."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PyQt6.QtWidgets import QApplication

from app.actions import ACTIONS
from app.charts.cursor import Cursor
from app.dialogs.settings import SettingsDialog
from app.dialogs.small import PauseDialog
from app.main_window import MainWindow
from app.replay.playback import Condition
from app.session import RunSession
from app.theme import DARK, apply_theme
from app.workspace import Workspace
from engine import load_config
from engine.kernel.schema import Phase
from tests.docs.pages import ROOT, blocks_of

PAGE = ROOT / "docs/tutorials/asking_why.md"


class Reader:
    """A person at the window: presses what the page says, and reads."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window

    @property
    def session(self) -> RunSession:
        assert self.window.session is not None
        return self.window.session

    def until(self, done: Callable[[], bool]) -> None:
        for _ in range(4000):
            self.window.clock.tick()
            QApplication.processEvents()
            if done():
                return
            time.sleep(0.002)
        raise AssertionError("waited in vain")

    def press(self, shortcut: str) -> None:
        """Trigger the action of a shortcut, as Qt would."""
        (key,) = [kind.key for kind in ACTIONS if kind.shortcut == shortcut]
        self.window.actions_by_key[key].trigger()
        QApplication.processEvents()

    def steps(self) -> dict[str, str]:
        """What each step of the page shows."""
        self.begin()
        return {name: getattr(self, name)() for name in ("stopped", "fill", "open", "decision", "branch")}

    def begin(self) -> None:
        config = load_config(ROOT / "configs/coin_flip.yaml").with_overrides(["end=2024-09-04"])
        self.window.handling.files.run(config, False)
        self.until(lambda: self.window.session is not None and not self.session.running)

    def stopped(self) -> str:
        self.press("Ctrl+P")
        dialog = self._dialog(PauseDialog)
        dialog.boxes[Condition.STOP_HIT].setChecked(True)
        dialog.accept()
        self.press("Home")
        self.press("Space")
        self.until(lambda: not self.session.playback.playing)
        return self._place()

    def fill(self) -> str:
        self.press("W")
        return self._why("fill ")

    def open(self) -> str:
        self.press("Shift+Left")
        self.until(lambda: True)
        return f"{self._place()}\n{self.window.account.position.figure('Side, quantity')}"

    def decision(self) -> str:
        while self.session.model.positions:
            self.press("[")
            if self._opens():
                break
        self.session.playback.go(Cursor(self.session.model.cursor.bar, Phase.OPEN))
        return self._why(f"ES_SYN at OPEN of bar {self.session.model.cursor.bar},")

    def _opens(self) -> bool:
        held = self.session.model.position(0)
        return held is not None and held.entry_bar == self.session.model.cursor.bar

    def branch(self) -> str:
        self.press("Ctrl+E")
        dialog = self._dialog(SettingsDialog)
        dialog.form.fields["atr_multiple"].put(6)
        dialog.accept()
        self.until(lambda: not self.session.branching and not self.session.running)
        courses = len(self.session.courses)
        self.press("Ctrl+Z")
        return f"{courses} courses, after Ctrl+Z {len(self.session.courses)}"

    def _place(self) -> str:
        cursor = self.session.model.cursor
        return f"bar {cursor.bar}, {cursor.phase.name}"

    def _dialog(self, kind: type) -> Any:
        found = [dialog for dialog in self.window.dialogs if isinstance(dialog, kind)]
        return found[-1]

    def _why(self, head: str) -> str:
        tree = self.window.inspector.tree

        def heads() -> list[int]:
            items = [tree.topLevelItem(row) for row in range(tree.topLevelItemCount())]
            return [row for row, item in enumerate(items) if item is not None and item.text(0).startswith(head)]

        self.until(lambda: bool(heads()))
        item = tree.topLevelItem(heads()[0])
        assert item is not None
        rows = [item.child(row) for row in range(item.childCount())]
        lines = [[row.text(column) for column in range(3)] for row in rows if row is not None]
        return "\n".join([item.text(0), *(f"{what:<16} {value:<32} {how}".rstrip() for what, value, how in lines)])


@contextmanager
def opened(folder: Path) -> Iterator[Reader]:
    """A window and its reader; closed at the end."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    apply_theme(application, DARK)
    window = MainWindow(Workspace(folder / "window.json"), own_process=False)
    window.show()
    try:
        yield Reader(window)
    finally:
        window.close()
        window.deleteLater()
        application.processEvents()


def renewed_page(folder: Path) -> str:
    """The page with what the window shows now."""
    text, kept = PAGE.read_text(encoding="utf-8"), QApplication.instance() or QApplication(["triphase"])
    with opened(folder) as reader:
        shown = reader.steps()
    for block in reversed(blocks_of(text)):
        text = f"{text[: block.start]}{shown[block.options['step']]}\n{text[block.end :]}"
    del kept
    return text
