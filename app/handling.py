"""What each action of the window does: moves, orders by hand, branches, exports, dialogs."""

import calendar
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyQt6.QtWidgets import QFileDialog, QInputDialog, QMenu

from app.charts.cursor import Cursor
from app.charts.levels import LevelKind, MoveLevel
from app.charts.ticks import LocalTime
from app.dialogs.indicators import IndicatorDialog
from app.dialogs.run import RunDialog
from app.dialogs.settings import SettingsDialog
from app.dialogs.small import ChangeOrderDialog, DateDialog, PauseDialog, ShortcutSheet, read_field
from app.menus import choice_menu
from app.opening import hand_session, new_session, sample_config, saved_session
from app.replay.export import columns_of, write_columns, write_tables
from app.replay.orders import OrderState
from app.replay.playback import PRESETS, Condition, PauseRule
from app.session import Notice, RunSession
from app.theme import THEMES
from data.errors import TriphaseError
from engine import indicators
from engine.config import BacktestConfig
from engine.errors import SaveError
from engine.kernel.schema import Phase
from engine.run_folders import new_folder

if TYPE_CHECKING:
    from app.main_window import MainWindow

ZONES = {"exchange": "Exchange's time", "local": "This machine's time", "utc": "UTC"}


class Handling:
    """Slots of the window's actions.

    Args:
        window: whose actions they are.
    """

    def __init__(self, window: "MainWindow") -> None:
        self._window = window
        self._placed = False  # whether the floating dock has been put where it is seen

    @property
    def _session(self) -> RunSession | None:
        return self._window.session

    def connect(self) -> None:
        """Join the panels' wishes to what is done."""
        window = self._window
        window.controls.speed_chosen.connect(self._speed)
        window.controls.scrub.moved.connect(window.go)
        window.charts.intent.connect(self.move_level)
        window.charts.menu_asked.connect(self._chart_menu)
        window.charts.bar_chosen.connect(lambda bar: window.go(Cursor(int(bar), Phase.CLOSE)))
        window.ticket.sent.connect(self.act)
        window.ticket.flatten.connect(lambda symbol: self.act({"type": "close", "symbol": symbol}))
        window.activity.jumped.connect(window.go)
        window.activity.fill_chosen.connect(self.explain_fill)
        window.activity.export_asked.connect(self._export_table)
        window.working.cancel_asked.connect(lambda number: self.act({"type": "cancel", "id": number}))
        window.working.change_asked.connect(self._change_order)
        window.branches.show_asked.connect(self._show_course)
        window.branches.delete_asked.connect(self._delete_course)
        window.branches.rename_asked.connect(self._rename_course)
        window.branches.save_asked.connect(self._save_course)
        bar = window.chart_bar
        bar.symbol_chosen.connect(self.choose_symbol)
        bar.timeframe_chosen.connect(window.charts.set_timeframe)
        bar.toggled.connect(self._toggle)
        bar.asked.connect(lambda key: self.slot(key)())
        bar.show_toggles(window.charts.shown)

    def slot(self, key: str) -> Callable[..., object]:
        """What an action does, by its key."""
        steps = self.steps()
        if key in steps:
            return steps[key][1]
        if key in self._window.charts.shown:
            return lambda on: self._toggle(key, on)
        return {
            "new": lambda: self._run_dialog(None, False),
            "open": self._open_folder,
            "data": self._open_data,
            "save": self._save_as,
            "export_csv": lambda: self._export_all("csv"),
            "export_parquet": lambda: self._export_all("parquet"),
            "export_png": self._export_png,
            "export_html": self._export_html,
            "close_run": self._window.close_session,
            "quit": self._window.close,
            "date": self._go_to_date,
            "faster": lambda: self._step_speed(1),
            "slower": lambda: self._step_speed(-1),
            "conditions": self._conditions,
            "buy": lambda: self._window.ticket.send(1),
            "sell": lambda: self._window.ticket.send(-1),
            "flatten": self._window.ticket.ask_flatten,
            "undo": self._undo,
            "setting": self._change_settings,
            "parent": self._show_parent,
            "indicators": self._indicators,
            "auto": self._auto,
            "statistics": lambda: self._show_dock("Statistics"),
            "inspector": lambda: self._show_dock("Why"),
            "layout_save": self._save_layout,
            "shortcuts": lambda: self._window.open_dialog(ShortcutSheet(self._window)),
        }[key]

    def steps(self) -> dict[str, tuple[str, Callable[[], object]]]:
        """Steps of the control bar: icon -> what it is called and what it does."""
        return {
            "restart": ("Restart (Home)", self._step(lambda s: s.playback.restart())),
            "trade back": ("Previous trade ([)", self._step(lambda s: s.playback.step_trade(-1))),
            "bar back": ("Back by a bar (Left)", self._step(lambda s: s.playback.step_bars(-1))),
            "phase back": ("Back by a phase (Shift+Left)", self._step(lambda s: s.playback.step_phases(-1))),
            "play": ("Play or pause (Space)", self._step(lambda s: s.playback.play(not s.playback.playing))),
            "phase on": ("On by a phase (Shift+Right)", self._step(lambda s: s.playback.step_phases(1))),
            "bar on": ("On by a bar (Right)", self._step(lambda s: s.playback.step_bars(1))),
            "trade on": ("Next trade (])", self._step(lambda s: s.playback.step_trade(1))),
            "end": ("To the last bar (End)", self._step(_to_end)),
            "rewind": ("Rewind (PgUp)", self._step(lambda s: s.playback.step_bars(-self._window.controls.jump_bars))),
            "forward": (
                "Fast-forward (PgDown)",
                self._step(lambda s: s.playback.step_bars(self._window.controls.jump_bars)),
            ),
        }

    def _step(self, move: Callable[[RunSession], object]) -> Callable[[], None]:
        def step() -> None:
            if self._session is not None:
                move(self._session)
                self._window.follow_cursor()
                self._window.wake()

        return step

    def _speed(self, speed: float) -> None:
        if self._session is not None:
            self._session.playback.speed = speed

    def _step_speed(self, by: int) -> None:
        slider = self._window.controls.speed
        slider.setValue(min(max(slider.value() + by, 0), len(PRESETS) - 1))

    # By hand

    def act(self, record: dict[str, Any]) -> None:
        """Do something at the cursor: the run branches there (S16)."""
        session = self._session
        if session is None or not session.model.standing or session.branching:
            return
        try:
            session.act(record)
        except TriphaseError as error:
            self._say(str(error))
        self._window.wake()

    def move_level(self, wish: MoveLevel) -> None:
        """A dragged line: the stop, the target or an order's price."""
        if wish.kind is LevelKind.STOP:
            self.act({"type": "modify_stop", "symbol": wish.symbol, "sl": wish.price})
        elif wish.kind is LevelKind.TARGET:
            self.act({"type": "modify_target", "symbol": wish.symbol, "tp": wish.price})
        elif wish.kind is LevelKind.ORDER and self._session is not None:
            order = next((each for each in self._session.model.working if str(each.id) == wish.key), None)
            if order is not None:
                name = "limit" if order.price == order.limit else "stop"
                self.act({"type": "modify_order", "id": order.id, name: wish.price})

    def _chart_menu(self, asked: tuple[int, int | None, float, Any]) -> None:
        """A right click: protective levels and orders at the price, or the place in time."""
        column, bar, price, where = asked
        session = self._session
        if session is None or not session.model.standing:
            return
        form, symbol = session.facts.forms[column], session.facts.symbols[column]
        at, told = form.snapped(price), form.text(form.snapped(price))
        menu = QMenu(self._window)
        position = session.model.position(column)
        wishes: list[tuple[str, dict[str, Any]]] = []
        if position is not None:
            wishes += [
                (f"Stop loss at {told}", {"type": "modify_stop", "symbol": symbol, "sl": at}),
                (f"Take profit at {told}", {"type": "modify_target", "symbol": symbol, "tp": at}),
                ("Close the position", {"type": "close", "symbol": symbol}),
            ]
        below = at < session.facts.mark(column, session.model.cursor)
        quantity = self._window.ticket.quantity.value()
        for side, kind in (("buy", "limit" if below else "stop"), ("sell", "stop" if below else "limit")):
            record = {"type": kind, "symbol": symbol, "side": side, "qty": quantity, kind: at}
            wishes.append((f"{side.title()} {quantity:g} {kind} {told}", record))
        chosen = {menu.addAction(text): record for text, record in wishes}
        menu.addSeparator()
        go = menu.addAction("Go to this bar") if bar is not None else None
        picked = menu.exec(where)
        if picked is not None and picked is go and bar is not None:
            self._window.go(Cursor(int(bar), Phase.CLOSE))
        elif picked in chosen:
            self.act(chosen[picked])

    def _change_order(self, order: OrderState) -> None:
        if self._session is None:
            return
        dialog = ChangeOrderDialog(order, self._session.facts.forms[order.column], self._window)
        dialog.accepted.connect(lambda: self.act(dialog.record()) if len(dialog.record()) > 2 else None)
        self._window.open_dialog(dialog)

    def _change_settings(self) -> None:
        """Other settings of bot or exit from the cursor on."""
        session = self._session
        if session is None or session.by_hand or not session.model.standing or session.branching:
            return
        try:
            dialog = SettingsDialog(session.config, session.settings_changes(), self._window)
        except TriphaseError as error:
            self._say(str(error), "error")
            return

        def take() -> None:
            for record in dialog.records():
                self.act(record)

        dialog.accepted.connect(take)
        self._window.open_dialog(dialog)

    def _undo(self) -> None:
        if self._session is not None and not self._session.undo():
            self._say("There is nothing by hand in this course to take back")
        self._window.wake()

    # Branches

    def _show_course(self, number: int) -> None:
        if self._session is not None and not self._session.branching:
            self._session.show(number)
            self._window.wake()

    def _show_parent(self) -> None:
        if self._session is not None and self._session.course.parent is not None:
            self._show_course(self._session.course.parent)

    def _delete_course(self, number: int) -> None:
        if self._session is None or self._session.branching:
            return
        try:
            self._session.delete(number)
        except ValueError as error:
            self._say(str(error))
        self._window.wake()

    def _rename_course(self, number: int) -> None:
        if self._session is None:
            return
        old = self._session.courses[number].name
        name, given = QInputDialog.getText(self._window, "Rename", "Name of the branch", text=old)
        if given and name.strip():
            self._session.rename(number, name.strip())
            self._window.wake()

    def _save_course(self, number: int) -> None:
        self._show_course(number)
        self._save_as()

    # Views

    def choose_symbol(self, column: int) -> None:
        """Show a symbol's position, ticket and reasons, and its chart first."""
        session = self._session
        if session is None:
            return
        for panel in (self._window.account, self._window.ticket, self._window.inspector):
            panel.set_column(column)
        others = [each for each in self._window.charts.symbols or [] if each != column]
        self._window.charts.show_symbols([column, *others[:1]])
        self._window.wake()

    def _toggle(self, what: str, on: bool) -> None:
        self._window.charts.toggle(what, on)
        self._window.chart_bar.show_toggles(self._window.charts.shown)
        self._window.actions_by_key[what].setChecked(on)
        self._window.wake()

    def _auto(self) -> None:
        self._window.charts.set_auto()
        self._window.wake()

    def indicators_of(self, session: RunSession) -> list[dict[str, Any]]:
        """What is drawn on a run that is opened: what was chosen before, else the bot's average, or a plain one."""
        known = indicators.names()
        chosen = [one for one in self._window.workspace.indicators if one.get("name") in known]
        span = session.config.bot.settings.get("ema_span", 50)
        return chosen or [{"name": "ema", "parameters": {"period": int(span)}}]

    def _indicators(self) -> None:
        dialog = IndicatorDialog(self._window.charts.chosen, self._window)
        dialog.accepted.connect(lambda: self._take_indicators(dialog.chosen()))
        self._window.open_dialog(dialog)

    def _take_indicators(self, chosen: list[dict[str, Any]]) -> None:
        self._window.charts.set_indicators(chosen)
        self._window.workspace.indicators = chosen
        self._window.wake()

    def _show_dock(self, name: str) -> None:
        dock = self._window.docks[name]
        dock.setVisible(not dock.isVisible() or not dock.isFloating())
        if dock.isFloating() and not self._placed:
            self._placed = True
            middle = self._window.geometry().center()
            dock.move(middle.x() - dock.width() // 2, middle.y() - dock.height() // 2)
        dock.raise_()
        self._window.wake()

    def fill_view_menu(self, menu: QMenu) -> None:
        """Panels, themes, zones and layouts below the view's actions."""
        menu.addSeparator()
        panels, charts = menu.addMenu("Panels"), menu.addMenu("Charts")
        self._layouts = menu.addMenu("Layouts")
        if panels is None or charts is None or self._layouts is None:
            return
        panels.aboutToShow.connect(lambda: self._list_panels(panels))
        charts.aboutToShow.connect(lambda: self._list_charts(charts))
        self._layouts.aboutToShow.connect(self._list_layouts)
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
        for column, symbol in enumerate(self._session.facts.symbols if self._session is not None else ()):
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
        menu = self._layouts
        if menu is None:
            return
        menu.clear()
        for name, state in {"As at first": None, **self._window.workspace.layouts}.items():
            action = menu.addAction(name)
            if action is not None:
                action.triggered.connect(lambda _=False, name=name, state=state: self.use_layout(name, state))

    def use_layout(self, name: str, state: str | None) -> None:
        """Put the docks as a layout has them; a damaged one is said and forgotten."""
        if not self._window.restore_layout(state):
            self._window.workspace.layouts.pop(name, None)
            self._say(f"The layout {name} is damaged: the window is as at first, the layout is forgotten")
        self._window.wake()

    def _save_layout(self) -> None:
        name, given = QInputDialog.getText(self._window, "Save layout", "Name of the layout")
        if given and name.strip():
            self._window.workspace.layouts[name.strip()] = self._window.layout_text()

    # Places in time

    def _span(self, session: RunSession) -> tuple[datetime, datetime, datetime, LocalTime]:
        """Now, first and last moment in the window's zone."""
        zone, facts = self._window.local_time(), session.facts
        bars = (max(session.model.cursor.bar, 0), 0, facts.bars - 1)
        now, first, last = (zone.moment(facts.time_ns(bar)).replace(tzinfo=None) for bar in bars)
        return now, first, last, zone

    def _go_to_date(self) -> None:
        session = self._session
        if session is None:
            return
        now, first, last, zone = self._span(session)
        dialog = DateDialog(now, first, last, zone.name, self._window)
        dialog.accepted.connect(lambda: self._go_to(dialog.chosen(), zone))
        self._window.open_dialog(dialog)

    def _go_to(self, moment: datetime, zone: LocalTime) -> None:
        if self._session is not None:
            self._session.playback.go_to_time(utc_ns(moment, zone))
            self._window.follow_cursor()
            self._window.wake()

    def _conditions(self) -> None:
        session = self._session
        if session is None:
            return
        now, first, last, zone = self._span(session)
        rules = session.playback.rules
        given = [zone.moment(int(rule.limit)) for rule in rules if rule.condition is Condition.DATE]
        date = given[0].replace(tzinfo=None) if given else now
        dialog = PauseDialog(rules, date, first, last, self._window)

        def take() -> None:
            limits = {
                Condition.DRAWDOWN: dialog.drawdown.value() / 100.0,
                Condition.DATE: float(utc_ns(read_field(dialog.date), zone)),
            }
            session.playback.rules = [PauseRule(each, limits.get(each, 0.0)) for each in dialog.conditions()]

        dialog.accepted.connect(take)
        self._window.open_dialog(dialog)

    def explain_fill(self, index: int) -> None:
        """Explain a fill, by its place among all fills."""
        if self._session is not None:
            fill = self._session.model.store.fills.rows[index]
            self._window.inspector.set_column(int(fill["symbol"]))
            self._window.inspector.explain_fill(index)
            self._window.wake()

    # Opening

    def start_choice(self, key: str) -> None:
        """A choice on the start page."""
        if key == "sample":
            self.run(sample_config(), False)
        elif key == "data":
            self._open_data()
        elif key == "open":
            self._open_folder()
        else:
            self._run_dialog(None, key == "hand")

    def open_recent(self, text: str) -> None:
        """A recent run folder or configuration."""
        path = Path(text)
        if path.is_dir():
            self.open_folder(path)
        else:
            self._run_dialog(path, False)

    def run(self, config: BacktestConfig, by_hand: bool) -> None:
        """Begin a run and play it from its first bars."""
        make = hand_session if by_hand else new_session
        own_process = self._window.own_process
        self._window.load(config.name, lambda: make(config, own_process))

    def open_folder(self, folder: Path) -> None:
        """Open a saved run."""
        self._window.load(str(folder), lambda: saved_session(folder))

    def _open_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self._window, "Open run folder", "runs")
        if folder:
            self.open_folder(Path(folder))

    def _open_data(self) -> None:
        file, _ = QFileDialog.getOpenFileName(
            self._window, "Open data file", "", "Bars (*.csv *.csv.gz *.txt *.parquet);;All files (*)"
        )
        if file:
            self._show_run_dialog(RunDialog.for_data(Path(file), self._window))

    def _run_dialog(self, file: Path | None, by_hand: bool) -> None:
        self._show_run_dialog(RunDialog(file, by_hand=by_hand, parent=self._window))

    def _show_run_dialog(self, dialog: RunDialog) -> None:
        dialog.accepted.connect(lambda: self._begin(dialog))
        self._window.open_dialog(dialog)

    def _begin(self, dialog: RunDialog) -> None:
        if dialog.config is not None:
            self.run(dialog.config, dialog.by_hand.isChecked())
            if dialog.file is not None:
                self._window.workspace.remember(str(dialog.file.resolve()))

    # Keeping and exporting

    def _save_as(self) -> None:
        session = self._session
        if session is None:
            return
        proposed = str(new_folder(session.config.output.folder, session.config.name, datetime.now()))  # noqa: DTZ005 - own time
        name, _ = QFileDialog.getSaveFileName(self._window, "Save run as a folder", proposed)
        if name:
            session.save(Path(name), report=True)
            self._window.wake()

    def _export_all(self, kind: str) -> None:
        session = self._session
        folder = QFileDialog.getExistingDirectory(self._window, "Export tables into a folder") if session else ""
        if session is not None and folder:
            self.export_all(session, Path(folder), kind)

    def export_all(self, session: RunSession, folder: Path, kind: str) -> None:
        """Write every table up to the cursor."""
        try:
            files = write_tables(session.facts, session.model.store, session.model.cursor, folder, kind)
            self._say(f"{len(files)} tables up to the cursor are in {folder}")
        except SaveError as error:
            self._say(str(error), "error")

    def _export_table(self, table: str) -> None:
        session, name = self._session, {"log": "events"}.get(table, table)
        if session is None:
            return
        file, _ = QFileDialog.getSaveFileName(
            self._window, f"Export {table}", f"{name}.csv", "CSV (*.csv);;Parquet (*.parquet)"
        )
        if not file:
            return
        path = Path(file) if Path(file).suffix in (".csv", ".parquet") else Path(f"{file}.csv")
        try:
            write_columns(columns_of(session.facts, session.model.store, name, session.model.cursor), path)
            self._say(f"{table} up to the cursor are in {path}")
        except OSError as error:
            self._say(f"{path} cannot be written: {error.strerror}; choose another place", "error")

    def _export_png(self) -> None:
        names = [*(chart.symbol for chart in self._window.charts.charts), "Equity and drawdown"]
        name, given = QInputDialog.getItem(self._window, "Export chart", "Which chart", names, 0, False)
        if not given:
            return
        file, _ = QFileDialog.getSaveFileName(self._window, "Export chart", f"{name}.png", "PNG (*.png)")
        if file:
            self.export_png(Path(file), -1 if name == names[-1] else names.index(name))

    def export_png(self, file: Path, which: int = 0) -> None:
        """Write a chart as it is shown; ``which`` counts from the top, -1 is the equity chart."""
        chart = self._window.equity.chart if which < 0 else self._window.charts.charts[which]
        if chart is not None and chart.grab().save(str(file), "PNG"):
            self._say(f"The chart is in {file}")
        else:
            self._say(f"{file} cannot be written; choose another place", "error")

    def _export_html(self) -> None:
        session = self._session
        folder = QFileDialog.getExistingDirectory(self._window, "Write report.html into a folder") if session else ""
        if session is not None and folder:
            session.report(Path(folder))
            self._window.wake()

    def _say(self, text: str, kind: str = "info") -> None:
        if self._session is not None:
            self._session.notices.append(Notice(kind=kind, text=text))
        self._window.wake()
        self._window.tell(text)


def _to_end(session: RunSession) -> bool:
    return session.playback.go(Cursor(session.model.store.bars - 1, Phase.CLOSE))


def utc_ns(moment: datetime, zone: LocalTime) -> int:
    """A moment in a zone's time as UTC nanoseconds."""
    return int(calendar.timegm(moment.replace(tzinfo=zone.zone).astimezone(UTC).timetuple())) * 1_000_000_000
