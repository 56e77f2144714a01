"""What each action of the window does: moves in time, orders by hand, branches; what it shows and keeps, others do."""

import calendar
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from PyQt6.QtWidgets import QInputDialog, QMenu

from app.charts.cursor import Cursor
from app.charts.levels import LevelKind, MoveLevel, resting_price
from app.charts.prices import quantity_text
from app.charts.ticks import LocalTime
from app.dialogs.settings import SettingsDialog
from app.dialogs.small import Asking, ChangeOrderDialog, DateDialog, PauseDialog, ShortcutSheet, read_field
from app.files import Files
from app.replay.orders import OrderState
from app.replay.playback import PRESETS, Condition, PauseRule
from app.session import RunSession
from app.views import Views
from data.errors import TriphaseError
from engine.kernel.schema import Phase

if TYPE_CHECKING:
    from app.main_window import MainWindow


class Handling:
    """Slots of the window's actions.

    Args:
        window: whose actions they are.

    Attributes:
        views: what is in sight; files: what is opened, saved and exported.
    """

    def __init__(self, window: "MainWindow") -> None:
        self._window = window
        self.views, self.files = Views(window), Files(window)

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
        window.activity.export_asked.connect(self.files.ask_table)
        window.working.cancel_asked.connect(lambda number: self.act({"type": "cancel", "id": number}))
        window.working.change_asked.connect(self._change_order)
        window.branches.show_asked.connect(self._show_course)
        window.branches.delete_asked.connect(self._delete_course)
        window.branches.rename_asked.connect(self._rename_course)
        window.branches.save_asked.connect(self._save_course)
        bar = window.chart_bar
        bar.symbol_chosen.connect(self.views.choose_symbol)
        bar.timeframe_chosen.connect(window.charts.set_timeframe)
        bar.toggled.connect(self.views.toggle)
        bar.asked.connect(lambda key: self.slot(key)())
        bar.show_toggles(window.charts.shown)

    def slot(self, key: str) -> Callable[..., object]:
        """What an action does, by its key."""
        steps = self.steps()
        if key in steps:
            return steps[key][1]
        if key in self._window.charts.shown:
            return lambda on: self.views.toggle(key, on)
        return {
            "new": lambda: self.files.ask_run(None, False),
            "open": self.files.ask_folder,
            "data": self.files.ask_data,
            "save": self.files.save_as,
            "export_csv": lambda: self.files.ask_export("csv"),
            "export_parquet": lambda: self.files.ask_export("parquet"),
            "export_png": self.files.ask_picture,
            "export_html": self.files.ask_report,
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
            "longer": lambda: self._window.chart_bar.step_frame(1),
            "shorter": lambda: self._window.chart_bar.step_frame(-1),
            "indicators": self.views.ask_indicators,
            "auto": self.views.set_auto,
            "statistics": lambda: self.views.show_dock("Statistics"),
            "inspector": lambda: self.views.show_dock("Why"),
            "layout_save": self.views.save_layout,
            "shortcuts": lambda: self._window.open_dialog(ShortcutSheet(self._window)),
        }[key]

    def steps(self) -> dict[str, tuple[str, Callable[[], object]]]:
        """Steps of the control bar: icon -> what it is called and what it does."""
        return {
            "restart": ("Restart (Home)", self._step(lambda s: s.playback.restart())),
            "trade back": ("Previous trade ([)", self._step(lambda s: s.playback.step_trade(-1))),
            "bar back": ("Back by a bar (Left)", self._step(lambda s: s.playback.step_bars(-1))),
            "phase back": ("Back by a phase (Shift+Left)", self._step(lambda s: s.playback.step_phases(-1))),
            "play": ("Play or pause (Space)", self._step(_play_or_pause)),
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

    def act(self, *records: dict[str, Any]) -> None:
        """Do something at the cursor: the run branches there (S16)."""
        session = self._session
        if session is None or not records or not session.model.standing or session.branching:
            return
        try:
            session.act(*records)
        except TriphaseError as error:
            self._window.announce(str(error))
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
                price = resting_price(order.type, order.triggered)
                self.act({"type": "modify_order", "id": order.id, price: wish.price})

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
            wishes.append((f"{side.title()} {quantity_text(quantity)} {kind} {told}", record))
        chosen = {menu.addAction(text): record for text, record in wishes}
        menu.addSeparator()
        go = menu.addAction("Go to this bar") if bar is not None else None
        picked = menu.exec(where)
        if self._session is not session:
            return  # another run was loaded while the menu was open
        if picked is not None and picked is go and bar is not None:
            self._window.go(Cursor(int(bar), Phase.CLOSE))
        elif picked in chosen:
            self.act(chosen[picked])

    def _ask(self, session: RunSession, dialog: Asking, take: Callable[[], object]) -> None:
        """Ask something about a run; if another one was loaded meanwhile, the answer does not concern that."""
        dialog.accepted.connect(lambda: take() if self._session is session else None)
        self._window.open_dialog(dialog)

    def _change_order(self, order: OrderState) -> None:
        if self._session is None:
            return
        dialog = ChangeOrderDialog(order, self._session.facts.forms[order.column], self._window)
        self._ask(self._session, dialog, lambda: self.act(dialog.record()) if len(dialog.record()) > 2 else None)

    def _change_settings(self) -> None:
        """Other settings of bot or exit from the cursor on."""
        session = self._session
        if session is None or session.by_hand or not session.model.standing or session.branching:
            return
        try:
            dialog = SettingsDialog(session.config, session.settings_changes(), self._window)
        except TriphaseError as error:
            self._window.announce(str(error), "error")
            return

        self._ask(session, dialog, lambda: self.act(*dialog.records()))

    def _undo(self) -> None:
        session = self._session
        if session is not None and not session.branching and not session.undo():
            self._window.announce("There is nothing by hand in this course to take back")
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
            self._window.announce(str(error))
        self._window.wake()

    def _rename_course(self, number: int) -> None:
        session = self._session
        if session is None:
            return
        old = session.courses[number].name
        name, given = QInputDialog.getText(self._window, "Rename", "Name of the branch", text=old)
        if given and name.strip() and number in session.courses:
            session.rename(number, name.strip())
            self._window.wake()

    def _save_course(self, number: int) -> None:
        if self._session is not None and not self._session.branching:
            self._show_course(number)
            self.files.save_as()

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
        self._ask(session, dialog, lambda: self._go_to(dialog.chosen(), zone))

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
        dialog = PauseDialog(rules, date, first, last, self._window, zone.name)

        def take() -> None:
            limits = {
                Condition.DRAWDOWN: dialog.drawdown.value() / 100.0,
                Condition.DATE: float(utc_ns(read_field(dialog.date), zone)),
            }
            session.playback.rules = [PauseRule(each, limits.get(each, 0.0)) for each in dialog.conditions()]

        self._ask(session, dialog, take)

    def explain_fill(self, index: int) -> None:
        """Explain a fill, by its place among all fills."""
        if self._session is not None:
            fill = self._session.model.store.fills.rows[index]
            self._window.inspector.set_column(int(fill["symbol"]))
            self._window.inspector.explain_fill(index)
            self._window.wake()


def _play_or_pause(session: RunSession) -> None:
    """Stop where it plays; else play, at the end of a run that has ended from its begin again."""
    playback = session.playback
    if not playback.playing and not session.running and session.model.cursor_model.at_end:
        playback.restart()
    playback.play(not playback.playing)


def _to_end(session: RunSession) -> bool:
    return session.playback.go(Cursor(session.model.store.bars - 1, Phase.CLOSE))


def utc_ns(moment: datetime, zone: LocalTime) -> int:
    """A moment in a zone's time as UTC nanoseconds."""
    return int(calendar.timegm(moment.replace(tzinfo=zone.zone).astimezone(UTC).timetuple())) * 1_000_000_000
