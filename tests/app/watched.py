"""The real application, which tells in a file where its controls lie and what it shows.

``python -m tests.app.watched FILE``: what drives it from outside, by a mouse and a keyboard of the X server, reads the
file to know where to go and what came of it. Arguments after the file are those of ``run_backtest.py``.
"""

import json
import sys
from pathlib import Path
from typing import Any

from PyQt6.QtCore import QPoint, QTimer
from PyQt6.QtWidgets import QApplication, QToolButton, QWidget

import app.command
import app.main_window
from app.main_window import MainWindow
from app.panels.activity import TablePage

EVERY = 40  # milliseconds


def on_screen(widget: QWidget, place: QPoint) -> list[int]:
    """A place in a widget on the screen."""
    found = widget.mapToGlobal(place)
    return [found.x(), found.y()]


def middle(widget: QWidget) -> list[int]:
    """The middle of a widget on the screen."""
    return on_screen(widget, widget.rect().center())


def told(window: MainWindow) -> dict[str, Any]:
    """What the window shows, and where its controls lie."""
    dialog = QApplication.activeModalWidget()
    found: dict[str, Any] = {
        "title": window.windowTitle(), "active": window.isActiveWindow(),
        "dialog": "" if dialog is None else dialog.windowTitle(),
        "menu": QApplication.activePopupWidget() is not None,
        "size": [window.width(), window.height()], "theme": window.workspace.theme,
        "recent": window.start_page.recent.isVisible(), "recents": middle(window.start_page.recent),
        "start": {key: middle(button) for key, button in window.start_page.buttons.items()},
    }  # fmt: skip
    session = window.session
    if session is None or not session.model.standing:
        return found
    model, course = session.model, session.course
    return found | {
        "bar": model.cursor.bar, "phase": int(model.cursor.phase), "playing": session.playback.playing,
        "course": model.course, "courses": len(session.courses), "branching": session.branching,
        "status": course.status, "rows": window.activity.page_of("trades").table.rowCount(),
        "position": window.account.position.figure("Side, quantity"), "notes": window.notes.text.toPlainText(),
        "fills": [[int(row[name]) for name in ("bar", "phase", "symbol", "reason")]
                  for row in model.store.fills.upto(model.cursor)[-12:]],
    } | places(window) | stop_of(window)  # fmt: skip


def places(window: MainWindow) -> dict[str, Any]:
    """Where tabs, buttons and rows are."""
    tabs = window.activity.tabs
    bar = tabs.tabBar()
    assert bar is not None
    page, table = window.activity.page_of("trades"), window.branches.table
    viewport = table.viewport()
    assert viewport is not None
    scrub, chart = window.controls.scrub, window.charts.charts[0]
    return {
        "scrub": [on_screen(scrub, QPoint(share * scrub.width() // 100, scrub.height() // 2)) for share in (1, 50, 99)],
        "chart": middle(chart), "controls": {name: middle(button) for name, button in icons_of(window).items()},
        "tabs": {tabs.tabText(place): on_screen(bar, bar.tabRect(place).center()) for place in range(tabs.count())},
        "buttons": {text: middle(button) for text, button in window.branches.buttons.items()},
        "branches": [on_screen(viewport, table.visualRect(model.index(row, 1)).center())
                     for model in [table.model()] if model is not None for row in range(table.rowCount())],
        "export": middle(export_of(page)),
    }  # fmt: skip


def icons_of(window: MainWindow) -> dict[str, QWidget]:
    """Buttons of the control bar by their icon's name."""
    found = window.controls.findChildren(QToolButton)
    return {str(button.property("icon_name")): button for button in found if button.property("icon_name")}


def export_of(page: TablePage) -> QWidget:
    """The button that exports a table."""
    return next(button for button in page.findChildren(QWidget) if button.accessibleName().startswith("Export"))


def stop_of(window: MainWindow) -> dict[str, Any]:
    """The first symbol's stop: its price, and where its line and the edges of its pane are."""
    assert window.session is not None
    position, charts = window.session.model.position(0), window.charts.charts
    if position is None or position.stop is None or not charts or window.session.facts.symbols[0] != charts[0].symbol:
        return {}
    chart = charts[0]
    frame = chart.frame_of(chart._items[0])
    ratio = chart.devicePixelRatioF()
    where = [on_screen(chart, QPoint(chart.width() // 2, round(y / ratio)))
             for y in (frame.row(position.stop), frame.top, frame.bottom)]  # fmt: skip
    return {"stop": position.stop, "side": position.side, "stop_at": where[0], "pane": [where[1][1], where[2][1]]}


class Watched(MainWindow):
    """A window that tells."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._telling = QTimer(self)
        self._telling.timeout.connect(self._tell_file)
        self._telling.start(EVERY)

    def _tell_file(self) -> None:
        file = Path(sys.argv[1])
        part = file.with_suffix(".part")
        part.write_text(json.dumps(told(self)), encoding="utf-8")
        part.replace(file)


if __name__ == "__main__":
    app.main_window.MainWindow = Watched  # type: ignore[misc]
    sys.exit(app.command.main(sys.argv[2:]))
