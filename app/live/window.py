"""The live window: watch list, charts, states, log, and the paper account; it polls its session once a frame."""

import logging
import threading
from collections.abc import Callable

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QCloseEvent
from PyQt6.QtWidgets import QDialog, QDockWidget, QFrame, QMainWindow, QStackedWidget, QToolBar, QVBoxLayout, QWidget

from app.charts.clock import FrameClock
from app.charts.prices import PriceFormat
from app.live.book import SymbolBook
from app.live.charts import LiveChart, LiveCharts
from app.live.delay import Delay
from app.live.hands import Hands
from app.live.logbox import LogBox
from app.live.looks import Looks
from app.live.menus import make_menus
from app.live.paperdock import PaperColumn, PaperTables
from app.live.statebar import SERVICES, StateBar
from app.live.states import Told, told, worst
from app.live.watchlist import WatchList
from app.panels.parts import label
from app.panels.toolbar import ChartBar, bot_words
from app.theme.tokens import Theme
from app.workspace import Workspace
from data.errors import TriphaseError
from data.sessions import SessionCalendar
from data.tradestation.events import Event
from engine.live import LiveSession
from engine.paper import PaperRun
from engine.paper.growing import RememberedCalendar

LOG = logging.getLogger(__name__)
HINTS = "Drag stops, targets and orders on the chart     right click: orders at a price     F1 shortcuts"
POLL_S = 0.008  # of a frame's 16 ms, for what the feeds tell
SLOWER = 6  # tables of figures are read by people: ten times a second is enough for them


class LiveWindow(QMainWindow):
    """One session in a window.

    Args:
        session: not started yet.
        service: LIVE, SIM or DEMO.
        sign_in: signs in on the service's page, called in a thread; None where nobody has to.
        ended: set from outside to close the window (SIGTERM).
        workspace: what is remembered from the last time; None: nothing is kept.

    Attributes:
        books, forms: bars and state of every symbol, and how its prices are written.
        wanted: symbols that a person has just asked for: they are shown as soon as they are known.
        looks: what is chosen and remembered; hands: what a person does; delay: from the socket to the chart.
    """

    def __init__(
        self,
        session: LiveSession,
        service: str,
        sign_in: Callable[[], object] | None = None,
        ended: threading.Event | None = None,
        workspace: Workspace | None = None,
    ) -> None:
        super().__init__()
        self.session, self.service = session, service
        self.workspace = Workspace() if workspace is None else workspace
        self.ask_sign_in, self._ended = sign_in, threading.Event() if ended is None else ended
        self.bar_ns = session.live.interval.bar_ns
        self.frames = FrameClock(self)
        self.delay = Delay(session.clock)
        self.books: dict[str, SymbolBook] = {}
        self.forms: dict[str, PriceFormat] = {}
        self.wanted: set[str] = set()
        self._calendars: dict[str | None, RememberedCalendar] = {}
        self.dialogs: list[QDialog] = []
        self.trouble = ""
        self._frame = 0
        self.looks = Looks(self, f"{service} {session.config.name}")
        self._recalled, self._order = self.looks.symbols("watched"), self.looks.symbols("order")
        self.state_bar, self.watch_list, self.chart_bar = StateBar(service, self.look), WatchList(), ChartBar()
        self.charts, self.log = LiveCharts(self._chart), LogBox()
        self.charts.most = self.looks.choices.charts
        self.paper, self.tables = PaperColumn(self.last), PaperTables()
        self.hands = Hands(self)
        self.setWindowTitle(f"{service} \N{EN DASH} {session.config.name} \N{EN DASH} Triphase live")
        self.resize(1440, 900)
        self._lay_out()
        self._connect()
        self._make_menus()
        self.looks.recall()
        self.dress()

    def _lay_out(self) -> None:
        self.stripe = QFrame()
        self.stripe.setFixedHeight(4)
        self._bar("State", _column(self.stripe, self.state_bar))
        self.addToolBarBreak()
        self._bar("Charts", self.chart_bar)
        self.empty = label("", "muted")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.centre = QStackedWidget()
        self.centre.addWidget(self.empty)
        self.centre.addWidget(self.charts)
        self.centre.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCentralWidget(self.centre)
        foot = self.statusBar()
        if foot is not None:
            hints = label(HINTS, "muted")
            hints.setContentsMargins(8, 0, 0, 0)
            foot.addWidget(hints)
        left, right, below = (
            Qt.DockWidgetArea.LeftDockWidgetArea,
            Qt.DockWidgetArea.RightDockWidgetArea,
            Qt.DockWidgetArea.BottomDockWidgetArea,
        )
        self.setCorner(Qt.Corner.BottomRightCorner, right)
        self.docks = {
            "Watch list": self._dock("Watch list", self.watch_list, left),
            "Account": self._dock("Account", self.paper, right, "Paper account"),
            "Paper": self._dock("Paper", self.tables, below),
            "Log": self._dock("Log", self.log, below),
        }
        self._proportion()
        if self.session.make_bot is None:
            for name in ("Account", "Paper"):
                self.docks[name].hide()

    def _bar(self, name: str, widget: QWidget) -> None:
        """A bar across the window that is never out of sight."""
        bar = QToolBar(name)
        bar.setObjectName(name)
        bar.setMovable(False)
        bar.addWidget(widget)
        hiding = bar.toggleViewAction()
        if hiding is not None:
            hiding.setEnabled(False)
            hiding.setVisible(False)
        self.addToolBar(bar)

    def _proportion(self) -> None:
        across, down = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        lower = [self.docks["Paper"], self.docks["Log"]]
        self.resizeDocks([self.docks["Watch list"], self.docks["Account"]], [340, 320], across)
        self.resizeDocks(lower, [180, 180], down)
        self.resizeDocks(lower, [620, 440], across)

    def _dock(self, name: str, widget: QWidget, area: Qt.DockWidgetArea, title: str = "") -> QDockWidget:
        dock = QDockWidget(title or name, self)
        dock.setObjectName(name)
        dock.setWidget(widget)
        self.addDockWidget(area, dock)
        return dock

    def _connect(self) -> None:
        self.session.happened.connect(self._take)
        self.session.told.connect(self.say)
        self.state_bar.reconnect.connect(self.session.feed.reconnect)
        self.state_bar.reload.connect(self.session.feed.reload)
        self.state_bar.sign_in.connect(self.hands.sign_in)
        self.watch_list.added.connect(self.hands.add)
        self.watch_list.removed.connect(self.hands.remove)
        self.watch_list.searched.connect(self.hands.search)
        self.watch_list.chosen.connect(self.choose)
        self.paper.ticket.sent.connect(self.hands.give)
        self.paper.ticket.flatten.connect(lambda symbol: self.hands.give({"type": "close", "symbol": symbol}))
        self.paper.said.connect(self.say)
        self.tables.cancelled.connect(lambda number: self.hands.give({"type": "cancel", "id": number}))
        self.chart_bar.symbol_chosen.connect(lambda place: self.choose(list(self.books)[place]))
        self.chart_bar.timeframe_chosen.connect(self.looks.set_timeframe)
        self.chart_bar.toggled.connect(self.looks.toggle)

    def _make_menus(self) -> None:
        slots = self.hands.slots()
        self.actions_by_key, view = make_menus(self, slots, ("Trade",) if self.session.make_bot is None else ())
        self.looks.fill_menu(view)
        self.chart_bar.asked.connect(lambda key: slots[key]())
        self.chart_bar.toggles["path"].hide()
        by_whom = "Bars only: nothing is traded"
        if self.session.make_bot is not None:
            by_whom = f"On paper     {bot_words(self.session.config, False)}"
        self.chart_bar.say(by_whom)
        self._show_choices()

    def _show_choices(self) -> None:
        """Press the buttons of what is chosen."""
        self.chart_bar.set_frames(self.bar_ns, self.looks.choices.timeframe)
        self.chart_bar.show_toggles(self.looks.choices.shown)
        for key, on in self.looks.choices.shown.items():
            self.actions_by_key[key].setChecked(on)

    # The look

    @property
    def look(self) -> Theme:
        """The theme that is chosen."""
        return self.looks.theme

    def dress(self) -> None:
        """Give everything the theme and the zone."""
        look, clock = self.look, self.looks.local_time()
        self.stripe.setStyleSheet(f"background: {look.colour(SERVICES[self.service][1])}; border: none;")
        self.state_bar.set_look(look, clock)
        self.paper.set_look(look, clock)
        self.tables.set_look(look)
        self.watch_list.model.set_look(look)
        for name, chart in self.charts.charts.items():
            chart.set_look(look, self.looks.local_time(name))

    def redraw(self) -> None:
        """Make all charts anew: something else is to be shown on them."""
        self._show_choices()
        for chart in self.charts.charts.values():
            chart.dress()

    # Every frame

    def begin(self) -> None:
        """Start the session and the clock."""
        self.session.start()
        self.centre.setFocus()
        self.frames.add_producer(self.frame)

    def frame(self) -> None:
        """Take in what happened, once, and let every panel show it."""
        if self._ended.is_set():
            self.close()
            return
        if not self.trouble:
            try:
                self.session.poll(POLL_S)
            except TriphaseError as error:
                self.trouble = str(error)
        if self._recalled and self.session.instruments is not None:
            recalled, self._recalled = self._recalled, []
            for symbol in recalled:
                self.session.watch(symbol)
        now_ns, run = self.session.now_ns, self.run
        self._show_watched()
        self._show_state(now_ns)
        for chart in self.charts.visible:
            chart.refresh_from(now_ns, self.session.quotes.get(chart.book.symbol), run)
        for book in self.books.values():
            book.news_ns = None
        self.charts.align()
        self._frame += 1
        if self._frame % SLOWER == 0:
            self.state_bar.put_delay(self.delay.ms)
            self._show_tables(run)
        self.log.refresh()

    def _show_tables(self, run: PaperRun | None) -> None:
        for symbol, status in self.session.statuses.items():
            if symbol in self.books:
                self.books[symbol].know(status)
        self.watch_list.put(self.books, self.forms, self.session.quotes)
        if run is None:
            account = self.session.account
            waits = () if account is None else account.waits_for
            history = f"for the history of {', '.join(waits)}" if waits else "for the symbols' details"
            self.paper.show_waiting(f"The account waits {history}.")
            return
        self.paper.show_run(run)
        self.tables.show_run(run)
        self.hands.tell_outcome()
        self.hands.tell_failure()

    @property
    def run(self) -> PaperRun | None:
        """The account, once it has begun."""
        return None if self.session.account is None else self.session.account.run

    def last(self, symbol: str) -> float | None:
        """The newest price of a symbol; None before its first bar."""
        book = self.books.get(symbol)
        return None if book is None else book.last

    def _take(self, event: Event) -> None:
        book = self.books.get(event.symbol)
        if book is None:
            self._show_watched()
            book = self.books.get(event.symbol)
        if book is not None:
            book.take(event, self.session.now_ns)

    def _show_watched(self) -> None:
        """A book for every symbol of the watch list."""
        fresh = [name for name in self.session.watched if name not in self.books]
        for name in fresh:
            one = self.session.watched[name]
            if one.calendar not in self._calendars:
                self._calendars[one.calendar] = RememberedCalendar.of(SessionCalendar.named(one.calendar))
            self.forms[name] = PriceFormat.for_tick(one.tick_size)
            self.books[name] = SymbolBook(name, self._calendars[one.calendar])
        if fresh:
            self.centre.setCurrentWidget(self.charts)
            self.charts.add(fresh, self._order)
            self._list_symbols()
            self.dress()
        for name in self.wanted.intersection(fresh):
            self.wanted.discard(name)
            self.choose(name)

    def _chart(self, name: str) -> LiveChart:
        chart = LiveChart(self.books[name], self.forms[name], self.frames, self.looks.choices, self.bar_ns)
        chart.set_look(self.look, self.looks.local_time(name))
        chart.intent.connect(self.hands.move)
        chart.menu_asked.connect(self.hands.chart_menu)
        chart.drawn.connect(lambda seen_ns: self.delay.painted(seen_ns, self.session.now_ns))
        return chart

    def _list_symbols(self) -> None:
        self.chart_bar.set_symbols(list(self.books))
        if self.charts.order:
            self._mark(self.charts.order[0])

    def _mark(self, symbol: str) -> None:
        """Let the bar over the charts and the ticket speak of a symbol."""
        box = self.chart_bar.symbol
        box.blockSignals(True)
        box.setCurrentText(symbol)
        box.blockSignals(False)
        self.paper.set_symbol(symbol)

    def choose(self, symbol: str) -> None:
        """Show a symbol's chart; write orders for it, where the account trades it."""
        self.charts.choose(symbol)
        self._order = list(self.charts.order)
        self._mark(symbol)

    def forget(self, symbol: str) -> None:
        """Show a symbol no longer."""
        self.charts.remove(symbol)
        del self.books[symbol], self.forms[symbol]
        self._list_symbols()

    def _show_state(self, now_ns: int) -> None:
        book = self._worst_book()
        trouble = self.trouble or self.session.trouble
        if self.trouble:
            state = Told("FAILED", "down", self.trouble)
        elif book is None and self.session.signed_out:
            state = Told("SIGNED-OUT", "down", trouble)
        elif book is None:
            state = Told("CONNECTING", "amber" if trouble else "accent", trouble or "asking for symbol details")
        else:
            state = told(book.status, book.told_ns, now_ns)
            named = f"{book.symbol}: {state.detail}" if state.detail and len(self.books) > 1 else state.detail
            waits = self.session.account.waits_for if self.session.account is not None else ()
            more = [trouble] if trouble else [f"the account waits for {', '.join(waits)}"] if waits else []
            detail = "; ".join([*([named] if named else []), *more])
            state = Told(state.word, "amber" if trouble else state.tone, detail)
        if book is None:
            waiting = f"{state.detail or state.word}"
            self.empty.setText(waiting[:1].upper() + waiting[1:] + ("" if self.trouble else " \N{HORIZONTAL ELLIPSIS}"))
        self.state_bar.put(state, self.session.signed_out and self.ask_sign_in is not None)
        self.state_bar.put_clock(now_ns, self.session.feed.client.skew.sure_seconds)

    def _worst_book(self) -> SymbolBook | None:
        status = worst([book.status for book in self.books.values()])
        return None if status is None else self.books[status.symbol]

    # What is told

    def say(self, text: str) -> None:
        """Write a sentence in the line at the foot of the window."""
        bar = self.statusBar()
        if bar is not None:
            bar.showMessage(text, 15_000)

    def tell_exception(self, text: str, details: str) -> None:
        """Something in the window itself went wrong: say it; the window lives on."""
        from app.dialogs.small import TextDialog, is_told

        if is_told(self.dialogs, details):
            return
        LOG.error("%s", details)
        self.open_dialog(TextDialog("Something went wrong", f"{text}. The window goes on.", details, self))

    def open_dialog(self, dialog: QDialog) -> None:
        """Show a dialog that does not hold the window up."""
        from app.dialogs.small import show_beside

        show_beside(self.dialogs, dialog)

    # The end

    def closeEvent(self, event: QCloseEvent | None) -> None:
        watched = [name for name, one in self.session.watched.items() if not one.traded]
        try:
            self.looks.remember([*watched, *self._recalled], self.charts.order)
        except OSError as error:
            LOG.warning("%s cannot be written: %s", self.workspace.file, error.strerror or error)
        self.hide()
        for dialog in tuple(self.dialogs):
            dialog.close()
        self.frames.stop()
        self.log.end()
        for chart in self.charts.charts.values():
            chart.end()
        self.session.close()
        super().closeEvent(event)


def _column(*widgets: QWidget) -> QWidget:
    """Widgets below each other, the last of them as high as there is room."""
    made = QWidget()
    layout = QVBoxLayout(made)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    for widget in widgets:
        layout.addWidget(widget, int(widget is widgets[-1]))
    return made
