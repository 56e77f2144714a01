"""Menus that both windows have: one entry of several holds."""

from collections.abc import Callable, Mapping

from PyQt6.QtGui import QActionGroup
from PyQt6.QtWidgets import QMenu

ZONES = {"exchange": "Exchange's time", "local": "This machine's time", "utc": "UTC"}


def choice_menu(menu: QMenu, text: str, words: Mapping[str, str], now: str, choose: Callable[[str], object]) -> None:
    """A submenu ``text``: the entries ``words`` by key, ``now`` checked; ``choose`` is told the key of the next."""
    submenu = menu.addMenu(text)
    assert submenu is not None
    group = QActionGroup(submenu)
    for key, word in words.items():
        action = submenu.addAction(word)
        assert action is not None
        action.setCheckable(True)
        action.setChecked(key == now)
        group.addAction(action)
        action.triggered.connect(lambda _=False, key=key: choose(key))
