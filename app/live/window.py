"""The live window: watch list, charts, states, log, and the paper account; it polls its session once a frame."""

import threading
from collections.abc import Callable
from typing import Any

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction, QCloseEvent, QKeySequence
from PyQt6.QtWidgets import QDockWidget, QFrame, QMainWindow, QToolBar, QVBoxLayout, QWidget

from app.charts.clock import FrameClock
from app.charts.levels import LevelKind, MoveLevel
from app.charts.prices import PriceFormat
from app.live.book import SymbolBook
from app.live.charts import USUAL_INDICATORS, LiveChart, LiveCharts
from app.live.logbox import LogBox
from app.live.paperdock import PaperColumn, PaperTables
from app.live.statebar import SERVICES, StateBar
from app.live.states import Told, told, worst
from app.live.watchlist import WatchList
from app.theme.tokens import DARK, Theme
from data.errors import TriphaseError
from data.tradestation.events import Event
from engine.live import LiveSession
from engine.paper import PaperRun

MOST_CHARTS = 3
SLOWER = 6  # tables of figures are read by people: ten times a second is enough for them


class LiveWindow(QMainWindow):
    """One session in a window.

    Args:
        session: not started yet.
        service: LIVE, SIM or DEMO.
        sign_in: signs in on the service's page, called in a thread; None where nobody has to.
        ended: set from outside to close the window (SIGTERM).
    """

    def __init__(
        self,
        session: LiveSession,
        service: str,
        sign_in: Callable[[], object] | None = None,
        ended: threading.Event | None = None,
        look: Theme = DARK,
    ) -> None:
        super().__init__()
        self.session, self.look = session, look
        self._sign_in, self._ended = sign_in, threading.Event() if ended is None else ended
        self.frames = FrameClock(self)
        self.books: dict[str, SymbolBook] = {}
        self.forms: dict[str, PriceFormat] = {}
        self.chosen = list(USUAL_INDICATORS)
        self.trouble = ""
        self._signing_in, self._frame = False, 0
        self.state_bar, self.watch_list = StateBar(service, look), WatchList()
        self.charts, self.log = LiveCharts(), LogBox()
        self.paper, self.tables = PaperColumn(look), PaperTables()
        self.setWindowTitle(f"{service} - Triphase live")
        self.resize(1440, 900)
        self._lay_out(service)
        self._connect()

    def _lay_out(self, service: str) -> None:
        top = QWidget()
        layout = QVBoxLayout(top)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        stripe = QFrame()
        stripe.setFixedHeight(4)
        stripe.setStyleSheet(f"background: {self.look.colour(SERVICES[service][1])}; border: none;")
        layout.addWidget(stripe)
        layout.addWidget(self.state_bar)
        bar = QToolBar("State")
        bar.setObjectName("State")
        bar.setMovable(False)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        bar.addWidget(top)
        self.addToolBar(bar)
        self.setCentralWidget(self.charts)
        left, right, below = (
            Qt.DockWidgetArea.LeftDockWidgetArea,
            Qt.DockWidgetArea.RightDockWidgetArea,
            Qt.DockWidgetArea.BottomDockWidgetArea,
        )
        self.docks = {
            "Watch list": self._dock("Watch list", self.watch_list, left),
            "Account": self._dock("Account", self.paper, right),
            "Paper": self._dock("Paper", self.tables, below),
            "Log": self._dock("Log", self.log, below),
        }
        self.resizeDocks([self.docks["Watch list"], self.docks["Account"]], [320, 270], Qt.Orientation.Horizontal)
        self.resizeDocks([self.docks["Paper"], self.docks["Log"]], [200, 200], Qt.Orientation.Vertical)
        if self.session.make_bot is None:
            for name in ("Account", "Paper"):
                self.docks[name].hide()

    def _dock(self, name: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(name, self)
        dock.setObjectName(name)
        dock.setWidget(widget)
        self.addDockWidget(area, dock)
        return dock

    def _connect(self) -> None:
        self.session.happened.connect(self._take)
        self.session.told.connect(self._say)
        self.state_bar.reconnect.connect(self.session.feed.reconnect)
        self.state_bar.reload.connect(self.session.feed.reload)
        self.state_bar.sign_in.connect(self._begin_sign_in)
        self.watch_list.added.connect(self.session.watch)
        self.watch_list.removed.connect(self._remove)
        self.watch_list.searched.connect(lambda text: self.session.search(text, self.watch_list.show_found))
        self.watch_list.chosen.connect(lambda symbol: self.charts.choose(symbol, MOST_CHARTS))
        self.paper.ticket.given.connect(self._give)
        self.tables.cancelled.connect(lambda number: self._give({"type": "cancel", "id": number}))
        for text, keys, slot in (
            ("Reconnect", "F5", self.session.feed.reconnect),
            ("Reload", "Ctrl+F5", self.session.feed.reload),
            ("Indicators", "Ctrl+I", self._indicators),
        ):
            action = QAction(text, self)
            action.setShortcut(QKeySequence(keys))
            action.triggered.connect(lambda _=False, slot=slot: slot())
            self.addAction(action)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    # Every frame

    def begin(self) -> None:
        """Start the session and the clock."""
        self.session.start()
        self.charts.setFocus()
        self.frames.add_producer(self.frame)

    def frame(self) -> None:
        """Take in what happened, once, and let every panel show it."""
        if self._ended.is_set():
            self.close()
            return
        if not self.trouble:
            try:
                self.session.poll()
            except TriphaseError as error:
                self.trouble = str(error)
        now_ns = self.session.now_ns
        self._show_watched()
        self._show_state(now_ns)
        run = self.run
        for name, chart in self.charts.charts.items():
            if chart.isVisible():
                chart.refresh_from(now_ns, self.session.quotes.get(name), run)
        self._frame += 1
        if self._frame % SLOWER == 0:
            self.watch_list.put(self.books, self.forms, self.session.quotes)
            if run is not None:
                self.paper.show_run(run)
                self.tables.show_run(run)
        self.log.refresh()

    @property
    def run(self) -> PaperRun | None:
        """The account, once it has begun."""
        return None if self.session.account is None else self.session.account.run

    def _take(self, event: Event) -> None:
        book = self.books.get(event.symbol)
        if book is None:
            self._show_watched()
            book = self.books.get(event.symbol)
        if book is not None:
            book.take(event, self.session.now_ns)

    def _show_watched(self) -> None:
        """A book and a chart for every symbol of the watch list."""
        for name, one in self.session.watched.items():
            if name not in self.books:
                self.forms[name] = PriceFormat.for_tick(one.tick_size)
                self.books[name] = SymbolBook(name, one.calendar)
                chart = LiveChart(self.books[name], self.forms[name], self.frames, self.look)
                chart.set_indicators(self.chosen)
                chart.intent.connect(self._move)
                self.charts.add(chart)
                chart.setVisible(len(self.charts.charts) <= MOST_CHARTS)

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
        self.state_bar.put(state, self.session.signed_out and self._sign_in is not None)
        self.state_bar.put_clock(now_ns, self.session.feed.client.skew.seconds)

    def _worst_book(self) -> SymbolBook | None:
        status = worst([book.status for book in self.books.values()])
        return None if status is None else self.books[status.symbol]

    # What a person does

    def _remove(self, symbol: str) -> None:
        if not self.session.unwatch(symbol):
            self._say(f"{symbol} is traded by the account and stays")
            return
        self.charts.remove(symbol)
        del self.books[symbol], self.forms[symbol]

    def _give(self, action: dict[str, Any]) -> None:
        account = self.session.account
        if account is None:
            self.paper.ticket.say("there is no account yet")
            return
        waits = account.run is not None and account.run.is_open
        try:
            account.by_hand(action)
        except (TriphaseError, KeyError, ValueError) as refused:
            self.paper.ticket.say(str(refused))
            return
        self.paper.ticket.say("waits for the bar's close; fills at the next open" if waits else "given")

    def _move(self, wish: MoveLevel) -> None:
        """A level was dragged: a stop or a target of the position."""
        keys = {LevelKind.STOP: ("modify_stop", "sl"), LevelKind.TARGET: ("modify_target", "tp")}
        if wish.kind in keys:
            kind, key = keys[wish.kind]
            self._give({"type": kind, "symbol": wish.symbol, key: wish.price})

    def _indicators(self) -> None:
        from app.dialogs.indicators import IndicatorDialog

        dialog = IndicatorDialog(self.chosen, self)
        dialog.accepted.connect(lambda: self.set_indicators(dialog.chosen()))
        dialog.open()

    def set_indicators(self, chosen: list[dict[str, Any]]) -> None:
        """Draw these on every chart."""
        self.chosen = chosen
        for chart in self.charts.charts.values():
            chart.set_indicators(chosen)

    def _begin_sign_in(self) -> None:
        if self._sign_in is None or self._signing_in:
            return
        self._signing_in = True

        def ended(text: str) -> None:
            self._signing_in = False
            self.session.ask_again()
            self._say(text)

        self.session.errands.run("sign in", self._sign_in, lambda _: ended("signed in"), lambda e: ended(str(e)))

    def _say(self, text: str) -> None:
        bar = self.statusBar()
        if bar is not None:
            bar.showMessage(text, 15_000)

    # The end

    def closeEvent(self, event: QCloseEvent | None) -> None:
        self.hide()
        self.frames.stop()
        self.log.end()
        for chart in self.charts.charts.values():
            chart.end()
        self.session.close()
        super().closeEvent(event)
