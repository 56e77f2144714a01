"""How the live window looks and what of it is remembered: theme, zone, layouts, timeframe, indicators, charts."""

from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QByteArray
from PyQt6.QtWidgets import QApplication, QInputDialog, QMenu

from app.charts.ticks import LocalTime
from app.live.choices import SHOWN, Choices
from app.menus import ZONES, choice_menu
from app.theme import THEMES, apply_theme
from app.theme.tokens import Theme

if TYPE_CHECKING:
    from app.live.window import LiveWindow

LAYOUT_VERSION = 2


class Looks:
    """What a person chooses of the look of a live window; kept in its workspace, written when the window closes.

    Attributes:
        choices: of all charts.
    """

    def __init__(self, window: "LiveWindow", account: str) -> None:
        self._window, self._account = window, account
        self.workspace = window.workspace
        self.choices = Choices.recalled(self._kept("charts"), window.bar_ns)
        self._first = QByteArray()

    @property
    def theme(self) -> Theme:
        """The theme that is chosen; an unknown one is the default."""
        return THEMES.get(self.workspace.theme, THEMES["dark"])

    def _kept(self, key: str) -> dict[str, Any]:
        value = self.workspace.live.get(key)
        return value if isinstance(value, dict) else {}

    # Remembering

    def recall(self) -> None:
        """Put the docks as they were when the window was closed."""
        self._first = self._window.saveState(LAYOUT_VERSION)
        layout, place = self.workspace.live.get("layout"), self.workspace.live.get("place")
        if isinstance(place, str):
            self._window.restoreGeometry(QByteArray.fromBase64(place.encode("ascii", "replace")))
        if isinstance(layout, str):
            self._restore(layout)

    def symbols(self, key: str) -> list[str]:
        """Names that were kept under ``key`` for this account: ``watched`` or ``order``."""
        found = self._kept(key).get(self._account, [])
        return [str(name) for name in found] if isinstance(found, list) else []

    def remember(self, watched: list[str], order: list[str]) -> None:
        """Keep all of it; OSError where it cannot be written."""
        live = self.workspace.live
        live["charts"] = self.choices.kept()
        live["layout"] = self.layout_text()
        live["place"] = _text(self._window.saveGeometry())
        for key, names in (("watched", watched), ("order", order)):
            live[key] = self._kept(key) | {self._account: names}
        self.workspace.save()

    # The look

    def fill_menu(self, menu: QMenu) -> None:
        """Panels, layouts, themes and zones below the view's actions."""
        menu.addSeparator()
        panels, self._layouts = menu.addMenu("Panels"), menu.addMenu("Layouts")
        assert panels is not None
        for dock in self._window.docks.values():
            panels.addAction(dock.toggleViewAction())
        if self._layouts is not None:
            self._layouts.aboutToShow.connect(self._list_layouts)
        themes = {name: name.title() for name in THEMES}
        choice_menu(menu, "Theme", themes, self.theme.name, self.set_theme)
        choice_menu(menu, "Time zone", ZONES, self.workspace.zone, self.set_zone)

    def set_theme(self, name: str) -> None:
        """Choose a theme by its name."""
        self.workspace.theme = name
        application = QApplication.instance()
        if isinstance(application, QApplication):
            apply_theme(application, self.theme)
        self._window.dress()

    def set_zone(self, zone: str) -> None:
        """Write times as the exchange, this machine or UTC has them."""
        self.workspace.zone = zone
        self._window.dress()

    def local_time(self, symbol: str | None = None) -> LocalTime:
        """The zone that times are written in: a symbol's own, or the first exchange's of those that are watched."""
        books = self._window.books
        names = [book.calendar.zone for name, book in books.items() if symbol in (None, name)]
        return LocalTime.chosen(self.workspace.zone, next((name for name in names if name is not None), None))

    # Layouts

    def _list_layouts(self) -> None:
        menu = self._layouts
        if menu is None:
            return
        menu.clear()
        for name, state in {"As at first": None, **self.workspace.layouts}.items():
            action = menu.addAction(name)
            if action is not None:
                action.triggered.connect(lambda _=False, name=name, state=state: self.use_layout(name, state))

    def use_layout(self, name: str, state: str | None) -> None:
        """Put the docks as a layout has them; a damaged one is said and forgotten."""
        if state is None:
            self._window.restoreState(self._first, LAYOUT_VERSION)
        elif not self._restore(state):
            self.workspace.layouts.pop(name, None)
            self._window.say(f"The layout {name} is damaged: the window is as at first, the layout is forgotten")

    def _restore(self, text: str) -> bool:
        good = self._window.restoreState(QByteArray.fromBase64(text.encode("ascii", "replace")), LAYOUT_VERSION)
        if not good:
            self._window.restoreState(self._first, LAYOUT_VERSION)
        return good

    def save_layout(self) -> None:
        """Ask for a name and keep the docks' places under it."""
        name, given = QInputDialog.getText(self._window, "Save layout", "Name of the layout")
        if given and name.strip():
            self.workspace.layouts[name.strip()] = self.layout_text()

    def layout_text(self) -> str:
        """The docks' places, as text."""
        return _text(self._window.saveState(LAYOUT_VERSION))

    # Charts

    def set_timeframe(self, name: str | None) -> None:
        """Show other bars: None for those that come."""
        self.choices.timeframe = name
        self._window.redraw()

    def set_indicators(self, chosen: list[dict[str, Any]]) -> None:
        """Draw these on every chart: ``{"name": "ema", "parameters": {"period": 21}}``."""
        self.choices.indicators = chosen
        self._window.redraw()

    def toggle(self, what: str, on: bool) -> None:
        """Show or hide volume, sessions or trades, or make prices logarithmic."""
        if what in SHOWN:
            self.choices.shown[what] = on
            self._window.redraw()

    def set_charts(self, count: int) -> None:
        """Keep so many charts in sight."""
        self.choices.charts = count
        self._window.charts.show_most(count)


def _text(state: QByteArray) -> str:
    return bytes(state.toBase64().data()).decode("ascii")
