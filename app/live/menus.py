"""Every action of the live window: name, shortcut, menu; the help sheet is made from this table."""

from collections.abc import Callable, Mapping

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QMainWindow, QMenu

from app.actions import ActionKind

ACTIONS: tuple[ActionKind, ...] = (
    ActionKind("reconnect", "Feed", "Reconnect: bars, indicators and the account stay", "F5"),
    ActionKind("reload", "Feed", "Reload: all history anew", "Ctrl+F5"),
    ActionKind("search", "Feed", "Add a symbol …", "Ctrl+F"),
    ActionKind("quit", "Feed", "Quit", "Ctrl+Q"),
    ActionKind("buy", "Trade", "Buy on paper as the ticket says", "B"),
    ActionKind("sell", "Trade", "Sell on paper as the ticket says", "S"),
    ActionKind("flatten", "Trade", "Close the position on paper", "F"),
    ActionKind("indicators", "View", "Indicators …", "I"),
    ActionKind("volume", "View", "Volume", "V", toggles=True),
    ActionKind("sessions", "View", "Sessions", "H", toggles=True),
    ActionKind("trades", "View", "Trades on the chart", "T", toggles=True),
    ActionKind("log", "View", "Logarithmic prices", "L", toggles=True),
    ActionKind("auto", "View", "Scales and time by themselves", "A"),
    ActionKind("charts 1", "View", "One chart", "Ctrl+1"),
    ActionKind("charts 2", "View", "Two charts", "Ctrl+2"),
    ActionKind("charts 3", "View", "Three charts", "Ctrl+3"),
    ActionKind("charts 4", "View", "Four charts", "Ctrl+4"),
    ActionKind("layout_save", "View", "Save layout …", "Ctrl+L"),
    ActionKind("shortcuts", "Help", "Shortcuts", "F1"),
)
Slots = Mapping[str, Callable[..., object]]


def make_menus(window: QMainWindow, slots: Slots, without: tuple[str, ...]) -> tuple[dict[str, QAction], QMenu]:
    """The menu bar of a window, less the menus ``without``: its actions by key, and the View menu."""
    actions: dict[str, QAction] = {}
    menus: dict[str, QMenu] = {}
    bar = window.menuBar()
    assert bar is not None
    for kind in ACTIONS:
        if kind.menu in without:
            continue
        if kind.menu not in menus:
            menu = bar.addMenu(f"&{kind.menu}")
            assert menu is not None
            menus[kind.menu] = menu
        action = QAction(kind.text, window)
        action.setShortcut(QKeySequence(kind.shortcut))
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        action.setCheckable(kind.toggles)
        slot = slots[kind.key]
        action.triggered.connect(lambda on=False, slot=slot, toggles=kind.toggles: slot(on) if toggles else slot())
        menus[kind.menu].addAction(action)
        actions[kind.key] = action
    return actions, menus["View"]
