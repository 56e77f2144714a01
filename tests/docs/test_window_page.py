"""The tutorial of the window, gone through in the real window, offscreen: each step shows what the page says."""

import re
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QApplication

from app.actions import ACTIONS
from tests.docs.pages import blocks_of
from tests.docs.window import PAGE, opened


def test_each_step_shows_what_the_page_says(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with opened(tmp_path) as reader:
        shown = reader.steps()
    blocks = blocks_of(PAGE.read_text(encoding="utf-8"))
    assert shown == {block.options["step"]: block.text.rstrip() for block in blocks}


def test_every_key_that_the_page_names_is_a_shortcut() -> None:
    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:Ctrl\+|Shift\+)?(?:[A-Z]|F1|Home|Space|Left|\[))`", text))
    assert named >= {"Ctrl+P", "W", "[", "F1"}
    assert named <= {kind.shortcut for kind in ACTIONS}
