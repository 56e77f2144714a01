"""The window: start page or run, panels in docks, one frame clock, and what happens when a run is opened or closed."""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction, QCloseEvent, QKeyEvent, QKeySequence
from PyQt6.QtWidgets import QApplication, QDialog, QDockWidget, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.actions import ACTIONS
from app.arrangement import Arrangement
from app.bridge import FrameBridge
from app.charts.clock import FrameClock
from app.charts.cursor import Cursor
from app.charts.ticks import LocalTime
from app.dialogs.small import TextDialog, is_told, show_beside
from app.handling import Handling
from app.loading import Loading
from app.panels.account import AccountPanel
from app.panels.activity import ActivityPanel
from app.panels.charts import ChartsPanel
from app.panels.controls import ControlBar
from app.panels.equity import EquityPanel
from app.panels.inspector import InspectorPanel, NotesPanel
from app.panels.learned import LearnedPanel
from app.panels.panel import Panel
from app.panels.parts import Scrolled
from app.panels.start import StartPage
from app.panels.statistics import StatisticsPanel
from app.panels.ticket import TicketPanel
from app.panels.toolbar import ChartBar
from app.panels.working import BranchesPanel, WorkingPanel
from app.saving import SavingNotice
from app.session import Course, Notice, RunSession
from app.theme import THEMES, apply_theme
from app.theme.tokens import Theme
from app.workspace import Workspace
from engine.errors import CatalogError
from engine.kernel.schema import Phase
from engine.run_folders import new_folder

IDLE_FRAMES = 45
STAYS = 5.0  # seconds that what came of something is told at the foot of the window
WARM_UP = 120  # bars that are shown when a new run begins


class MainWindow(QMainWindow):
    """The application's window.

    Attributes:
        session: the run that is open, None on the start page; workspace: what is remembered.
        clock: lets everything draw once a frame; bridge: hands what happens to Qt once a frame.
    """

    def __init__(self, workspace: Workspace | None = None, own_process: bool | None = None) -> None:
        super().__init__()
        self.workspace = Workspace() if workspace is None else workspace
        self.own_process = own_process
        self.session: RunSession | None = None
        self.clock, self.bridge = FrameClock(self), FrameBridge(self)
        self.bridge.arrived.connect(self._tell)
        self.loading: Loading[RunSession] | None = None
        self._loaded: Callable[[RunSession], None] | None = None
        self._what = ""  # is being loaded
        self._last, self._idle, self._awake, self._begin_at = time.perf_counter(), 0, False, -1
        self._told_until = 0.0
        self.dialogs: list[QDialog] = []
        self.handling = Handling(self)
        self.setWindowTitle("Triphase")
        self.setObjectName("triphase")
        self.resize(1440, 900)
        self.setDockOptions(QMainWindow.DockOption.AllowTabbedDocks | QMainWindow.DockOption.AllowNestedDocks)
        foot = self.statusBar()
        if foot is not None:
            foot.messageChanged.connect(self._foot_cleared)
        self._make_panels()
        self._make_actions()
        self._place()
        self.arrangement = Arrangement(self)
        self.arrangement.recall(self.workspace.arrangement)
        self.set_theme(self.workspace.theme)
        self._show_run(False)
        self.start_page.set_recent(self.workspace.recent)
        if self.workspace.told:
            self.start_page.say(self.workspace.told, error=True)

    # Making

    def _make_panels(self) -> None:
        self.start_page = StartPage()
        self.start_page.chosen.connect(self.handling.files.start_choice)
        self.start_page.recent_chosen.connect(self.handling.files.open_recent)
        self.charts, self.chart_bar = ChartsPanel(self.clock), ChartBar()
        self.controls = ControlBar(self.handling.steps())
        self.account, self.ticket = AccountPanel(), TicketPanel()
        self.equity, self.activity = EquityPanel(self.clock), ActivityPanel()
        self.working, self.branches = WorkingPanel(), BranchesPanel()
        self.inspector, self.notes, self.statistics = InspectorPanel(), NotesPanel(), StatisticsPanel()
        self.learned = LearnedPanel()
        self.activity.add_page(self.learned, "Multiples")
        self.activity.add_page(self.working, "Working")
        self.activity.add_page(self.branches, "Branches")
        self.activity.add_page(self.notes, "Notes")
        self.panels: tuple[Panel, ...] = (
            self.charts, self.controls, self.account, self.ticket, self.equity, self.activity, self.working,
            self.branches, self.inspector, self.notes, self.statistics, self.learned,
        )  # fmt: skip
        for panel in self.panels:
            self.clock.add_view(panel)
        self.handling.connect()
        for tabs in (self.activity.tabs, self.statistics.tabs):
            tabs.currentChanged.connect(lambda: self.wake())
        for box in (self.inspector.symbol, self.equity.of, self.learned.of):
            box.currentIndexChanged.connect(lambda: self.wake())

    def _make_actions(self) -> None:
        self.actions_by_key: dict[str, QAction] = {}
        menus: dict[str, Any] = {}
        bar = self.menuBar()
        for kind in ACTIONS:
            action = QAction(kind.text, self)
            action.setShortcut(QKeySequence(kind.shortcut))
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            action.setCheckable(kind.toggles)
            slot = self.handling.slot(kind.key)
            action.triggered.connect(lambda on=False, slot=slot, toggles=kind.toggles: slot(on) if toggles else slot())
            self.actions_by_key[kind.key] = action
            if bar is not None:
                if kind.menu not in menus:
                    menus[kind.menu] = bar.addMenu(f"&{kind.menu}")
                menus[kind.menu].addAction(action)
        for key, on in self.charts.shown.items():
            self.actions_by_key[key].setChecked(on)
        self.menus = menus
        self.handling.views.fill_menu(menus["View"])

    def _place(self) -> None:
        self.stack = QStackedWidget()
        run = QWidget()
        layout = QVBoxLayout(run)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.chart_bar)
        layout.addWidget(self.charts, 1)
        layout.addWidget(self.controls)
        self.stack.addWidget(self.start_page)
        self.stack.addWidget(run)
        self.setCentralWidget(self.stack)
        self.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        side = QWidget()
        stacked = QVBoxLayout(side)
        stacked.setContentsMargins(0, 0, 0, 0)
        stacked.setSpacing(0)
        stacked.addWidget(Scrolled(self.account))
        # The buttons are never out of sight, however low the window is.
        stacked.addWidget(self.ticket)
        stacked.addStretch(1)
        side.setMinimumWidth(306)
        self.docks: dict[str, QDockWidget] = {}
        bottom, right = Qt.DockWidgetArea.BottomDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
        self._dock("Trade", side, right)
        self._dock("Equity and drawdown", self.equity, bottom)
        self._dock("Activity", self.activity, bottom)
        self._dock("Why", self.inspector, bottom)
        self._dock("Statistics", self.statistics, right)
        self.tabifyDockWidget(self.docks["Activity"], self.docks["Why"])
        self.docks["Statistics"].setFloating(True)
        self.docks["Statistics"].resize(860, 620)
        self.docks["Activity"].raise_()

    def _dock(self, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> None:
        dock = QDockWidget(title, self)
        dock.setObjectName(title)
        dock.setWidget(widget)
        self.addDockWidget(area, dock)
        dock.visibilityChanged.connect(self.wake)
        self.docks[title] = dock

    def add_panel(self, title: str, panel: Panel) -> None:
        """Add a dock with one panel more; it is told of runs, frames, theme and zone like all others.

        Raises:
            CatalogError: where a dock has this title already.
        """
        if title in self.docks:
            raise CatalogError(f"the window has a panel {title!r} already; give the class another name")
        self.panels = (*self.panels, panel)
        self.clock.add_view(panel)
        panel.set_look(self.look, self.local_time())
        panel.set_session(self.session)
        self._dock(title, panel, Qt.DockWidgetArea.RightDockWidgetArea)
        self.docks[title].setVisible(self.session is not None)

    # The look

    @property
    def look(self) -> Theme:
        """The theme that is chosen."""
        return THEMES[self.workspace.theme]

    def set_theme(self, name: str) -> None:
        """Choose a theme by its name; an unknown one is the default."""
        self.workspace.theme = name if name in THEMES else "dark"
        application = QApplication.instance()
        if isinstance(application, QApplication):
            apply_theme(application, self.look)
        self.dress()

    def dress(self) -> None:
        """Give every panel the theme and the zone; charts have their own symbol's."""
        zones = self.zones()
        self.charts.clocks = zones
        for panel in self.panels:
            panel.set_look(self.look, zones[0])
        self.wake()

    def zones(self) -> list[LocalTime]:
        """By symbol, the zone that its times are written in: its exchange's, this machine's, or UTC."""
        calendars = () if self.session is None else self.session.facts.market.calendars
        names = [calendar.zone for calendar in calendars] or [None]
        made = {name: LocalTime.chosen(self.workspace.zone, name) for name in names}
        return [made[name] for name in names]

    def local_time(self) -> LocalTime:
        """The zone of what is no single symbol's: the first symbol's."""
        return self.zones()[0]

    # Runs

    def load(self, what: str, load: Callable[[], RunSession], then: Callable[[RunSession], None] | None = None) -> None:
        """Load a run in the background and open it; errors are told on the start page or in the notes."""
        if self.loading is not None:
            if what == self._what:
                return  # a double click
            self.say_status("Another run is being loaded; try again once it is there")
            return
        self.start_page.say(f"Loading {what} …")
        self.say_status(f"Loading {what} …")
        self.loading, self._loaded, self._what = Loading(load), then, what
        self.wake()

    def _take_loaded(self) -> None:
        loading, then = self.loading, self._loaded
        if loading is None or not loading.done:
            return
        self.loading, self._loaded = None, None
        if loading.error is not None or loading.result is None:
            self._tell_failure(loading.error or "nothing was loaded")
            return
        self.open_session(loading.result)
        if then is not None:
            then(loading.result)

    def _tell_failure(self, error: str) -> None:
        self.start_page.say(error, error=True)
        self.say_status("Not opened")
        if self.session is not None:
            self._show_notice(Notice(kind="error", text=error))

    def open_session(self, session: RunSession) -> None:
        """Show a run."""
        self.close_session()
        self.session = session
        session.autosave = lambda course: folder_for(session, course)
        session.playback.speed = self.controls.chosen_speed
        self.bridge.add_source(session.take_notices)
        self.charts.chosen = self.handling.views.indicators_of(session)
        for panel in self.panels:
            panel.set_session(session)
        self.chart_bar.set_session(session)
        self.dress()
        self._begin_at = -1
        if session.course.status == "running":
            self._begin_at = min(WARM_UP, session.facts.bars // 4)
        self.setWindowTitle(f"{session.config.name} \N{EN DASH} Triphase")
        self.start_page.say("")
        self._show_run(True)
        self.stack.setFocus()
        self.wake()

    def close_session(self) -> None:
        """Close the run; what was finished is saved, its engine ends."""
        if self.session is None:
            return
        session, self.session = self.session, None
        notice = SavingNotice()
        session.save_finished(notice.goes_on)
        notice.end()
        session.close()
        self.remember(session)
        self.bridge.remove_source(session.take_notices)
        for panel in self.panels:
            panel.set_session(None)
        self.setWindowTitle("Triphase")
        self._show_run(False)
        self.start_page.set_recent(self.workspace.recent)

    def remember(self, session: RunSession) -> None:
        """Put a saved run first among the recent ones."""
        folder = session.courses[0].folder
        if folder is not None:
            self.workspace.remember(str(Path(folder).resolve()))

    def _show_run(self, on: bool) -> None:
        self.stack.setCurrentIndex(int(on))
        self.arrangement.show(on)
        for kind in ACTIONS:
            self.actions_by_key[kind.key].setEnabled(on or not kind.needs_run)
        for menu in self.handling.views.of_a_run:
            menu.setEnabled(on)  # of docks and charts that are there: the start page has none
        self.say_status("")

    # Frames

    def wake(self) -> None:
        """Something is going on: draw frames until it is over."""
        self._idle = 0
        if not self._awake:
            self._awake = True
            self._last = time.perf_counter()
            self.clock.add_producer(self._tick)

    def _tick(self) -> None:
        now = time.perf_counter()
        elapsed, self._last = min(now - self._last, 0.25), now
        self._take_loaded()
        busy = self.loading is not None
        if self.session is not None:
            busy = self._advance(self.session, elapsed) or busy
        self.bridge.hand_on()
        self._idle = 0 if busy else self._idle + 1
        if self._idle > IDLE_FRAMES:
            self._awake = False
            self.clock.remove_producer(self._tick)

    def _advance(self, session: RunSession, elapsed: float) -> bool:
        """Take in what the engine told, and let time pass; returns whether more is to come."""
        session.pump()
        if self._begin_at >= 0 and session.model.store.bars > self._begin_at:
            if not session.playback.playing and session.model.cursor.bar <= 0:
                session.model.cursor_model.go(self._begin_at, Phase.CLOSE)
            self._begin_at = -1
        session.playback.advance(elapsed, session.running)
        self._status_of(session)
        waits = session.branching or session.asking or self.inspector.waiting
        return session.playback.playing or (session.running and session.link is not None) or waits

    def _status_of(self, session: RunSession) -> None:
        if time.monotonic() < self._told_until:
            return
        course = session.course
        engine = "no engine" if session.link is None else f"engine: {session.link.kind}"
        done = f"{course.store.bars:,} of {session.facts.bars:,} bars"
        state = "computing the branch …" if session.branching else course.status
        stopped = session.playback.stopped_by
        paused = [f"paused at: {stopped.value}"] if stopped is not None and not session.playback.playing else []
        hints = "Space play   \N{LEFTWARDS ARROW} \N{RIGHTWARDS ARROW} bar   Shift phase   [ ] trade   F1 shortcuts"
        told = (engine, done, f"{course.name}: {state}", *paused, hints)
        self.say_status("   \N{BOX DRAWINGS LIGHT VERTICAL}   ".join(told))

    def announce(self, text: str, kind: str = "info") -> None:
        """Tell what came of something, and note it with the run."""
        if self.session is not None:
            self.session.notices.append(Notice(kind=kind, text=text))
        self.wake()
        self.tell(text)

    def tell(self, text: str) -> None:
        """Write what came of something a person did; it stays for a while."""
        self._told_until = time.monotonic() + STAYS
        bar = self.statusBar()
        if bar is not None:
            bar.showMessage(text, round(1000 * STAYS))

    def _foot_cleared(self, text: str) -> None:
        """What was told for a while is gone: say again what goes on."""
        if not text and self.session is not None:
            self._told_until = 0.0
            self.wake()

    def say_status(self, text: str) -> None:
        """Write the line at the foot of the window."""
        bar = self.statusBar()
        if bar is not None and bar.currentMessage() != text:
            bar.showMessage(text)

    # What is told

    def _tell(self, batch: list[Any]) -> None:
        for each in batch:
            if isinstance(each, Notice):
                self._show_notice(each)

    def _show_notice(self, notice: Notice) -> None:
        self.notes.say(f"{notice.kind}: {notice.text}" + (f"\n{notice.details}" if notice.details else ""))
        if notice.kind == "crash":
            self.open_dialog(TextDialog("The bot stopped the run", notice.text, notice.details or notice.text, self))
            self.go_to_error()
        elif notice.kind == "info":
            self.tell(notice.text.partition("\n")[0])
        elif notice.kind == "error":
            self.activity.tabs.setCurrentWidget(self.notes)

    def tell_exception(self, text: str, details: str) -> None:
        """Something in the window itself went wrong: say it; the window lives on."""
        if is_told(self.dialogs, details):
            return
        self.notes.say(f"error: {text}\n{details}")
        self.open_dialog(TextDialog("Something went wrong", f"{text}. The window goes on.", details, self))

    def go_to_error(self) -> None:
        """Move the cursor to the last bar that there is: where a bot failed."""
        if self.session is not None:
            self.session.model.cursor_model.go(self.session.model.store.bars - 1, Phase.CLOSE)
            self._begin_at = -1

    def open_dialog(self, dialog: QDialog) -> None:
        """Show a dialog that does not hold the window up."""
        show_beside(self.dialogs, dialog)

    def go(self, cursor: Cursor) -> None:
        """Move the cursor, and show the place."""
        if self.session is not None:
            self.session.playback.go(cursor)
            self._begin_at = -1
            self.follow_cursor()
            self.wake()

    def follow_cursor(self) -> None:
        """Let the charts show the cursor's place again."""
        self._begin_at = -1
        for chart in self.charts.charts[:1]:
            if not chart.viewport_model.follow:
                chart.viewport_model.home()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Enter or escape in a field gives the keys back to the replay: B in a field is a letter, not an order."""
        if event is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape):
            self.stack.setFocus()
        super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """End everything: engine, loading, clock; nothing is left behind.

        The window is gone at once; what is finished and not saved yet is saved, with a notice where that takes long.
        """
        self.hide()
        if self.loading is not None:
            self.loading.wait()
            if self.loading.result is not None:
                self.loading.result.close()  # its engine has begun, though nobody has seen it
            self.loading = None
        self.close_session()
        for dialog in tuple(self.dialogs):
            dialog.close()
        if self._awake:
            self._awake = False
            self.clock.remove_producer(self._tick)
        self.clock.stop()
        self.bridge.release()
        self.workspace.arrangement = self.arrangement.remembered()
        try:
            self.workspace.save()
        except OSError as error:
            self.say_status(f"{self.workspace.file} cannot be written: {error.strerror}")
        if event is not None:
            event.accept()


def folder_for(session: RunSession, course: Course) -> Path:
    """Where a course is saved: a new folder below the configuration's output folder."""
    name = session.config.name if course.number == 0 else f"{session.config.name}_{course.name}"
    return new_folder(session.config.output.folder, name, datetime.now())  # noqa: DTZ005 - the user's own time
