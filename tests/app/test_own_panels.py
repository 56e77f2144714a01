"""Panels of a user's own: found by file and class, told of runs like all others; what is wrong is said."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QApplication

from app.main_window import MainWindow
from app.own_panels import add_own_panel
from app.workspace import Workspace
from engine.errors import CatalogError

MODULE = """
from app.panels.panel import Panel

class BarsPanel(Panel):
    begun = 0

    def begin(self):
        self.begun += 1

class Nothing:
    pass
"""


@pytest.fixture
def window(look: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_panels.py").write_text(MODULE, encoding="utf-8")
    made = MainWindow(Workspace(tmp_path / "window.json"), own_process=False)
    yield made
    made.close()
    made.deleteLater()


def test_a_panel_is_added_with_look_and_dock(window: MainWindow) -> None:
    add_own_panel(window, "my_panels.py:BarsPanel")

    panel = window.docks["Bars"].widget()
    assert panel is window.panels[-1]
    assert window.panels[-1].look is window.look
    assert panel.begun == 1  # type: ignore[union-attr]  # of the module above


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("my_panels.py", "names no class; write it as my_panels.py:MyPanel"),
        ("nowhere.py:BarsPanel", "nowhere.py does not exist"),
        ("my_panels.py:Nobody", "has no class 'Nobody'"),
        ("my_panels.py:Nothing", "is not derived from Panel"),
    ],
)
def test_what_is_no_panel_is_said(window: MainWindow, text: str, said: str) -> None:
    with pytest.raises(CatalogError, match=said):
        add_own_panel(window, text)


def test_a_name_that_is_taken_is_said(window: MainWindow) -> None:
    add_own_panel(window, "my_panels.py:BarsPanel")
    with pytest.raises(CatalogError, match="has a panel 'Bars' already"):
        add_own_panel(window, "my_panels.py:BarsPanel")
