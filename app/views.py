"""What of a run is in sight: its charts and what is drawn on them, docks, layouts, theme and zone of times."""

from typing import TYPE_CHECKING, Any

from PyQt6.QtWidgets import QInputDialog, QMenu

from app.dialogs.indicators import IndicatorDialog
from app.menus import ZONES, choice_menu
from app.session import RunSession
from app.theme import THEMES
from engine import indicators

if TYPE_CHECKING:
    from app.main_window import MainWindow


class Views:
    """Slots of what the window shows.

    Args:
        window: whose views they are.

    Attributes:
        layouts: the menu of layouts; of_a_run: menus that there is nothing to choose from without a run.
    """

    def __init__(self, window: "MainWindow") -> None:
        self._window = window
        self._placed = False  # whether the floating dock has been put where it is seen
        self.layouts: QMenu | None = None
        self.of_a_run: tuple[QMenu, ...] = ()

    def choose_symbol(self, column: int) -> None:
        """Show a symbol's position, ticket and reasons, and its chart first."""
        session = self._window.session
        if session is None:
            return
        for panel in (self._window.account, self._window.ticket, self._window.inspector):
            panel.set_column(column)
        others = [each for each in self._window.charts.symbols or [] if each != column]
        self._window.charts.show_symbols([column, *others[:1]])
        self._window.wake()

    def toggle(self, what: str, on: bool) -> None:
        """Show or hide something on the charts; button and menu say the same."""
        self._window.charts.toggle(what, on)
        self._window.chart_bar.show_toggles(self._window.charts.shown)
        self._window.actions_by_key[what].setChecked(on)
        self._window.wake()

    def set_auto(self) -> None:
        """Let scales follow what is visible, and the cursor be followed."""
        self._window.charts.set_auto()
        self._window.wake()

    def indicators_of(self, session: RunSession) -> list[dict[str, Any]]:
        """What is drawn on a run that is opened: what was chosen before, else the bot's average, or a plain one."""
        known = indicators.names()
        chosen = [one for one in self._window.workspace.indicators if one.get("name") in known]
        span = session.config.bot.settings.get("ema_span", 50)
        return chosen or [{"name": "ema", "parameters": {"period": int(span)}}]

    def ask_indicators(self) -> None:
        """Ask what is to be drawn."""
        dialog = IndicatorDialog(self._window.charts.chosen, self._window)
        dialog.accepted.connect(lambda: self.take_indicators(dialog.chosen()))
        self._window.open_dialog(dialog)

    def take_indicators(self, chosen: list[dict[str, Any]]) -> None:
        """Draw these, and remember them."""
        self._window.charts.set_indicators(chosen)
        self._window.workspace.indicators = chosen
        self._window.wake()

    def show_dock(self, name: str) -> None:
        """Bring a dock to the front; one that floats is hidden where it was in sight."""
        dock = self._window.docks[name]
        dock.setVisible(not dock.isVisible() or not dock.isFloating())
        if dock.isFloating() and not self._placed:
            self._placed = True
            middle = self._window.geometry().center()
            dock.move(middle.x() - dock.width() // 2, middle.y() - dock.height() // 2)
        dock.raise_()
        self._window.wake()

    def fill_menu(self, menu: QMenu) -> None:
        """Panels, themes, zones and layouts below the view's actions."""
        menu.addSeparator()
        panels, charts = menu.addMenu("Panels"), menu.addMenu("Charts")
        self.layouts = menu.addMenu("Layouts")
        if panels is None or charts is None or self.layouts is None:
            return
        self.of_a_run = (panels, charts, self.layouts)
        panels.aboutToShow.connect(lambda: self._list_panels(panels))
        charts.aboutToShow.connect(lambda: self._list_charts(charts))
        self.layouts.aboutToShow.connect(self._list_layouts)
        workspace, themes = self._window.workspace, {name: name.title() for name in THEMES}
        choice_menu(menu, "Theme", themes, workspace.theme, self._window.set_theme)
        choice_menu(menu, "Time zone", ZONES, workspace.zone, self._set_zone)

    def _set_zone(self, zone: str) -> None:
        self._window.workspace.zone = zone
        self._window.dress()

    def _list_charts(self, menu: QMenu) -> None:
        """One entry per symbol: which of them have a chart in the grid."""
        menu.clear()
        shown = self._window.charts.symbols or []
        for column, symbol in enumerate(self._window.session.facts.symbols if self._window.session is not None else ()):
            action = menu.addAction(symbol)
            if action is not None:
                action.setCheckable(True)
                action.setChecked(column in shown)
                action.toggled.connect(lambda on, column=column: self.show_chart(column, on))

    def show_chart(self, column: int, on: bool) -> None:
        """Put a symbol's chart into the grid, or take it away; one always stays."""
        kept = [each for each in self._window.charts.symbols or [] if each != column]
        wanted = sorted([*kept, column]) if on else kept
        if wanted:
            self._window.charts.show_symbols(wanted)
        self._window.wake()

    def _list_panels(self, menu: QMenu) -> None:
        menu.clear()
        for dock in self._window.docks.values():
            menu.addAction(dock.toggleViewAction())

    def _list_layouts(self) -> None:
        menu = self.layouts
        if menu is None:
            return
        menu.clear()
        for name, state in {"As at first": None, **self._window.workspace.layouts}.items():
            action = menu.addAction(name)
            if action is not None:
                action.triggered.connect(lambda _=False, name=name, state=state: self.use_layout(name, state))

    def use_layout(self, name: str, state: str | None) -> None:
        """Put the docks as a layout has them; a damaged one is said and forgotten."""
        if not self._window.arrangement.restore(state):
            self._window.workspace.layouts.pop(name, None)
            self._window.announce(f"The layout {name} is damaged: the window is as at first, the layout is forgotten")
        self._window.wake()

    def save_layout(self) -> None:
        """Ask for a name and keep the docks' places under it."""
        name, given = QInputDialog.getText(self._window, "Save layout", "Name of the layout")
        if given and name.strip():
            self._window.workspace.layouts[name.strip()] = self._window.arrangement.text()
