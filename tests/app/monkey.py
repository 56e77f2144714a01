"""A monkey at the window: actions by chance from a seed, and after each of them what is shown against the journal."""

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QContextMenuEvent, QWheelEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFileDialog,
    QInputDialog,
    QMenu,
    QTabWidget,
    QWidget,
)

from app.charts.widget import ChartWidget
from app.dialogs.run import RunDialog
from app.main_window import MainWindow
from app.panels.activity import TablePage
from app.panels.panel import Panel
from app.panels.parts import DASH, money
from app.panels.ticket import TicketPanel
from app.replay.model import ReplayModel
from app.replay.ticket import estimate
from app.session import RunSession
from app.theme import THEMES
from engine import indicators
from engine.backtester import BacktesterEngine
from engine.kernel.schema import Phase
from tests.app.runs import finished, until
from tests.app.staging import TABLES, pump

LEFT = Qt.MouseButton.LeftButton
NOT_PRESSED = {"quit", "new", "open", "data", "close_run", "shortcuts"}  # what ends a run, or asks for one, has its own
DRAWN = 5  # frames after which everything that is in sight has been drawn
WORDS = ("", "es", "long", "stop", "es_syn short", "no such word")


class Stubs:
    """Answers for what would wait for a person: files, names, menus; some answers are a refusal."""

    def __init__(self, patch: pytest.MonkeyPatch, rng: random.Random, folder: Path) -> None:
        self._rng, self._folder, self._made = rng, folder, 0
        patch.setattr(QFileDialog, "getExistingDirectory", lambda *_: self._path(""))
        patch.setattr(QFileDialog, "getSaveFileName", lambda *given: (self._path(Path(str(given[2])).suffix), ""))
        patch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
        patch.setattr(QInputDialog, "getText", lambda *_, **__: self._word())
        patch.setattr(QInputDialog, "getItem", lambda *given: (rng.choice(given[3]), rng.random() < 0.8))
        patch.setattr(QMenu, "exec", self._picked)

    def _path(self, suffix: str) -> str:
        self._made += 1
        return "" if self._rng.random() < 0.2 else str(self._folder / f"made_{self._made}{suffix}")

    def _word(self) -> tuple[str, bool]:
        return self._rng.choice(("one", "another name", "  ", "<b>")), self._rng.random() < 0.8

    def _picked(self, menu: QMenu, *_: object) -> Any:
        offered = [action for action in menu.actions() if action.isEnabled() and not action.isSeparator()]
        return self._rng.choice([None, *offered])


class Monkey:
    """Does things at a window by chance.

    Args:
        window: with or without a run; seed: of everything that it does; runs: begin another run, by chance one of them.

    Attributes:
        done: what it has done, in words; seen: courses of runs that were computed to their end.
    """

    def __init__(
        self, window: MainWindow, seed: int, folder: Path, patch: pytest.MonkeyPatch,
        runs: Sequence[Callable[[], object]] = (),
    ) -> None:  # fmt: skip
        self.window, self.rng, self.runs = window, random.Random(seed), runs
        self.done: list[str] = []
        self._frame = pump(window)
        self._folder = folder
        Stubs(patch, self.rng, folder)
        self._acts: list[tuple[int, Callable[[], str]]] = [
            (22, self._key), (10, self._scrub), (8, self._order), (8, self._drag_level), (8, self._drag_chart),
            (4, self._wheel), (6, self._right_click), (8, self._button), (8, self._tab), (6, self._row),
            (4, self._sort), (3, self._filter), (8, self._choice), (6, self._number), (6, self._branch),
            (6, self._working),
            (2, self._theme), (2, self._zone), (3, self._layout), (4, self._dock), (3, self._size), (3, self._chart),
            (3, self._indicators), (2, self._export), (6, self._wait), (8, self._frames),
            (1 if runs else 0, self._another), (1 if runs else 0, self._close_run),
        ]  # fmt: skip

    def play(self, actions: int) -> None:
        """So many actions, each looked at."""
        for _ in range(actions):
            self.once()

    def once(self) -> None:
        """One action, and a look at what came of it."""
        open_dialogs = [each for each in self.window.dialogs if each.isVisible()]
        modal = [each for each in open_dialogs if isinstance(each, QDialog) and each.isModal()]
        if modal:
            self.done.append(self._dialog(modal[-1]))
        elif self.window.session is None:
            self.done.append(self._another())
        else:
            acts = self.rng.choices([act for _, act in self._acts], [weight for weight, _ in self._acts])
            self.done.append(acts[0]())
        self._frame()
        look(self.window, self._frame)

    # What it does

    @property
    def session(self) -> RunSession:
        assert self.window.session is not None
        return self.window.session

    def _key(self) -> str:
        key = self.rng.choice([key for key in self.window.actions_by_key if key not in NOT_PRESSED])
        action = self.window.actions_by_key[key]
        if action.isEnabled():
            action.trigger()
        return f"key {key}"

    def _scrub(self) -> str:
        scrub = self.window.controls.scrub
        places = [QPoint(self.rng.randrange(max(scrub.width(), 1)), 5) for _ in range(3)]
        QTest.mousePress(scrub, LEFT, pos=places[0])
        for place in places[1:]:
            QTest.mouseMove(scrub, place)
            self._frame()
        QTest.mouseRelease(scrub, LEFT, pos=places[-1])
        return f"scrub {places}"

    def _order(self) -> str:
        side = self.rng.choice((1, -1))
        self.window.ticket.send(side)
        return f"order {side}"

    def _charts(self) -> list[ChartWidget]:
        return [chart for chart in self.window.charts.charts if chart.isVisible()]

    def _drag(self, chart: ChartWidget, places: Sequence[QPoint]) -> None:
        under = chart.viewport()
        QTest.mouseMove(under, places[0])
        QTest.mousePress(under, LEFT, pos=places[0])
        for place in places[1:]:
            QTest.mouseMove(under, place)
            self._frame()
        if self.rng.random() < 0.1:
            QTest.keyClick(chart, Qt.Key.Key_Escape)
        if self.rng.random() < 0.2:
            self._key()  # with the button held
        if chart in self.window.charts.charts:
            QTest.mouseRelease(under, LEFT, pos=places[-1])

    def _place(self, widget: QWidget) -> QPoint:
        return QPoint(self.rng.randrange(max(widget.width(), 1)), self.rng.randrange(max(widget.height(), 1)))

    def _drag_chart(self) -> str:
        for chart in self._charts()[:1] if self.rng.random() < 0.5 else self._charts()[-1:]:
            self._drag(chart, [self._place(chart) for _ in range(3)])
        return "drag a chart"

    def _drag_level(self) -> str:
        found = [(chart, level) for chart in self._charts() for level in chart.levels.levels if level.draggable]
        if not found:
            return "no line to drag"
        chart, level = self.rng.choice(found)
        frame, ratio = chart.frame_of(chart._items[0]), chart.devicePixelRatioF()
        y = round(frame.row(level.price) / ratio)
        goal = y + self.rng.choice((-60, -12, -3, 3, 12, 60))
        self._drag(chart, [QPoint(chart.width() // 2, at) for at in (y, (y + goal) // 2, goal)])
        return f"drag {level.key} of {chart.symbol}"

    def _wheel(self) -> str:
        for chart in self._charts()[:1]:
            place, turn = QPointF(self._place(chart)), QPoint(0, self.rng.choice((-1200, -120, 120, 1200)))
            event = QWheelEvent(
                place, chart.mapToGlobal(place), QPoint(), turn, Qt.MouseButton.NoButton,
                self.rng.choice((Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier,
                                 Qt.KeyboardModifier.ShiftModifier)),
                Qt.ScrollPhase.NoScrollPhase, False,
            )  # fmt: skip
            QApplication.sendEvent(chart.viewport(), event)
        return "wheel"

    def _right_click(self) -> str:
        for chart in self._charts()[:1]:
            place = self._place(chart)
            event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, chart.mapToGlobal(place))
            QApplication.sendEvent(chart, event)
        return "right click"

    def _button(self) -> str:
        buttons = [
            each for each in self.window.findChildren(QAbstractButton)
            if each.isVisible() and each.isEnabled() and not each.visibleRegion().isEmpty()
        ]  # fmt: skip
        chosen = self.rng.choice(buttons)
        QTest.mouseClick(chosen, LEFT)
        return f"button {chosen.accessibleName() or chosen.text()}"

    def _tab(self) -> str:
        activity, statistics = self.window.activity.tabs, self.window.statistics.tabs
        tabs: QTabWidget = self.rng.choice((activity, activity, statistics))
        tabs.setCurrentIndex(self.rng.randrange(max(tabs.count(), 1)))
        return f"tab {tabs.tabText(tabs.currentIndex())}"

    def _page(self) -> TablePage | None:
        page = self.window.activity.tabs.currentWidget()
        return page if isinstance(page, TablePage) else None

    def _row(self) -> str:
        page = self._page()
        if page is None or not page.table.rowCount():
            return "no row"
        row = self.rng.randrange(page.table.rowCount())
        index = page.table.index(row, 0)
        page.view.scrollTo(index)
        viewport = page.view.viewport()
        assert viewport is not None
        QTest.mouseClick(viewport, LEFT, pos=page.view.visualRect(index).center())
        page.copy()
        return f"row {row} of {page.table.kind.name}"

    def _sort(self) -> str:
        page = self._page()
        if page is not None:
            column = self.rng.randrange(-1, page.table.columnCount())
            page.view.sortByColumn(column, self.rng.choice(list(Qt.SortOrder)))
        return "sort"

    def _filter(self) -> str:
        page = self._page()
        if page is not None:
            page.filter.setText(self.rng.choice(WORDS))
        return "filter"

    def _choice(self) -> str:
        boxes = [box for box in self.window.findChildren(QComboBox) if box.isVisible() and box.count()]
        box = self.rng.choice(boxes)
        box.setCurrentIndex(self.rng.randrange(box.count()))
        return f"choice {box.accessibleName()}: {box.currentText()}"

    def _number(self) -> str:
        fields = [each for each in self.window.ticket.findChildren(QDoubleSpinBox) if each.isVisible()]
        if not fields:
            return "no field"
        field = self.rng.choice(fields)
        value = self.rng.choice((0.0, 1.0, 2.0, -1.0, 1e9, field.value() + self.rng.randrange(-40, 41) * 0.25))
        field.setValue(value)
        return f"{field.accessibleName()} {value:g}"

    def _branch(self) -> str:
        self.window.activity.tabs.setCurrentWidget(self.window.branches)
        self._frame()
        panel = self.window.branches
        panel.table.setCurrentCell(self.rng.randrange(max(panel.table.rowCount(), 1)), 0)
        text = self.rng.choice(list(panel.buttons))
        if shown(panel) and panel.buttons[text].isEnabled():
            QTest.mouseClick(panel.buttons[text], LEFT)
        return f"branch {panel.table.currentRow()}: {text}"

    def _working(self) -> str:
        self.window.activity.tabs.setCurrentWidget(self.window.working)
        self._frame()
        panel = self.window.working
        if shown(panel) and panel.table.rowCount():
            panel.choose(self.rng.randrange(panel.table.rowCount()))
            button = self.rng.choice((panel.cancel, panel.change))
            QTest.mouseClick(button, LEFT)
            return f"working: {button.text()}"
        return "nothing works"

    def _theme(self) -> str:
        name = self.rng.choice(list(THEMES))
        self.window.set_theme(name)
        return f"theme {name}"

    def _zone(self) -> str:
        zone = self.rng.choice(("exchange", "local", "utc"))
        self.window.handling.views._set_zone(zone)
        return f"zone {zone}"

    def _layout(self) -> str:
        views, kept = self.window.handling.views, self.window.workspace.layouts
        if self.rng.random() < 0.4:
            views.save_layout()
            return "save layout"
        name = self.rng.choice(["As at first", *kept])
        views.use_layout(name, kept.get(name))
        return f"layout {name}"

    def _dock(self) -> str:
        name = self.rng.choice(list(self.window.docks))
        dock = self.window.docks[name]
        if self.rng.random() < 0.3:
            dock.setFloating(not dock.isFloating())
        else:
            self.window.handling.views.show_dock(name) if self.rng.random() < 0.6 else dock.close()
        return f"dock {name}"

    def _size(self) -> str:
        width, height = self.rng.randrange(500, 1800), self.rng.randrange(300, 1200)
        self.window.resize(width, height)
        return f"size {width} x {height}"

    def _chart(self) -> str:
        column, on = self.rng.randrange(len(self.session.facts.symbols)), self.rng.random() < 0.5
        self.window.handling.views.show_chart(column, on)
        return f"chart {column} {on}"

    def _indicators(self) -> str:
        names = self.rng.sample(sorted(indicators.names()), self.rng.randrange(4))
        self.window.handling.views.take_indicators([{"name": name} for name in names])
        return f"indicators {names}"

    def _export(self) -> str:
        kind = self.rng.choice(("csv", "parquet"))
        folder = self._folder / f"tables_{len(self.done)}"
        self.window.handling.files.export_all(self.session, folder, kind)
        return f"export {kind}"

    def _dialog(self, dialog: QDialog) -> str:
        for field in dialog.findChildren(QDoubleSpinBox):
            if self.rng.random() < 0.4 and not isinstance(dialog, RunDialog):
                field.setValue(field.value() + self.rng.choice((-2.0, -0.25, 0.25, 2.0)))
        for button in dialog.findChildren(QAbstractButton):
            if button.isCheckable() and self.rng.random() < 0.3:
                button.click()
        accepted = self.rng.random() < 0.7 and not isinstance(dialog, RunDialog)
        (dialog.accept if accepted else dialog.reject)()
        if dialog.isVisible():
            dialog.reject()
        return f"dialog {dialog.windowTitle()}: {'accepted' if accepted else 'left'}"

    def _wait(self) -> str:
        settled(self.window)
        return "wait"

    def _frames(self) -> str:
        count = self.rng.randrange(1, 12)
        for _ in range(count):
            self._frame()
        return f"{count} frames"

    def _another(self) -> str:
        if not self.runs:
            return "no other run"
        number = self.rng.randrange(len(self.runs))
        self.runs[number]()
        if self.window.session is None or self.rng.random() < 0.5:
            until(lambda: self.window.loading is None, self._frame)
        return f"another run: {number}"

    def _close_run(self) -> str:
        self.window.close_session()
        return "close the run"


def settled(window: MainWindow) -> None:
    """Let frames pass until what is loaded is there, and its engine has nothing more to tell."""

    def quiet() -> bool:
        session = window.session  # another one, perhaps, than a frame ago
        busy = session is not None and (session.branching or session.running or session.asking)
        return window.loading is None and not busy

    until(quiet, pump(window))


# What it looks at


def look(window: MainWindow, frame: Callable[[], object]) -> None:
    """What panels in sight show is what the journal says at the cursor."""
    session = window.session
    if session is None:
        assert window.stack.currentIndex() == 0
        return
    if session.playback.playing:
        return  # the next frame would show another place
    for _ in range(DRAWN):
        frame()
    session = window.session
    if session is None or session.playback.playing or not session.model.standing:
        return
    model = session.model
    fresh = without_past(model)
    assert model.account == fresh.account
    assert model.positions == fresh.positions
    assert model.working == fresh.working, (model.cursor, model.working, fresh.working)
    look_at_account(window, session)
    look_at_tables(window, session, fresh)
    look_at_charts(window, session, fresh)
    look_at_ticket(window.ticket, session)
    cursor = model.cursor
    if shown(window.controls):
        assert window.controls.count.text() == f"{max(cursor.bar, 0):,} / {session.facts.bars - 1:,}"
    if shown(window.equity):
        assert window.equity.told.text() == money(model.account.equity)
        known = len(window.equity._line.data)
        assert known >= min(cursor.bar + 1, session.model.store.bars - int(session.running)), (known, cursor)
        look_at_curve(window, fresh)


def shown(panel: Panel) -> bool:
    """Whether a panel is drawn."""
    return panel.session is not None and panel.in_sight


def without_past(model: ReplayModel) -> ReplayModel:
    """The same place of the same journal, seen by a model that has kept nothing from other places."""
    store = model.store
    fresh = ReplayModel(model.facts, store.cut(store.bars, {name: len(getattr(store, name)) for name in TABLES}))
    fresh.cursor_model.go(model.cursor.bar, model.cursor.phase)
    return fresh


def look_at_account(window: MainWindow, session: RunSession) -> None:
    panel, account = window.account, session.model.account
    if not shown(panel):
        return
    for name, value in (("Equity", account.equity), ("Cash", account.cash), ("Used margin", account.used_margin),
                        ("Free margin", account.free_margin)):  # fmt: skip
        assert panel.account.figure(name) == money(value), name
    held, form = session.model.position(panel.column), session.facts.forms[panel.column]
    told = panel.position.figure
    if held is None:
        assert (told("Side, quantity"), told("Stop")) == ("flat", DASH)
    else:
        word = "LONG" if held.side > 0 else "SHORT"
        assert told("Side, quantity") == f"{word} {abs(held.quantity):g}"
        assert told("Average entry") == form.text(held.average)
        assert told("Stop") == (DASH if held.stop is None else form.text(held.stop))
        assert told("Target") == (DASH if held.target is None else form.text(held.target))


def look_at_tables(window: MainWindow, session: RunSession, fresh: ReplayModel) -> None:
    page = window.activity.tabs.currentWidget()
    if isinstance(page, TablePage) and shown(window.activity):
        table = page.table
        assert table.known == table.kind.count(fresh)
        if not page.filter.text():
            assert table.rowCount() == table.known
        for row in {0, table.rowCount() // 2, table.rowCount() - 1} if table.rowCount() else ():
            for number, column in enumerate(table.kind.columns):
                said = table.data(table.index(row, number))
                assert said == column.text(fresh, table.source_row(row)), (table.kind.name, row, column.title)
    if shown(window.working) and page is window.working:
        numbers = [window.working.table.item(row, 0) for row in range(window.working.table.rowCount())]
        assert [item.text() for item in numbers if item is not None] == [str(order.id) for order in fresh.working]
    if shown(window.branches) and page is window.branches:
        names = [window.branches.table.item(row, 1) for row in range(window.branches.table.rowCount())]
        courses = [session.courses[number].name for number in sorted(session.courses)]
        assert [item.text() for item in names if item is not None] == courses


def look_at_charts(window: MainWindow, session: RunSession, fresh: ReplayModel) -> None:
    if not shown(window.charts):
        return
    cursor = session.model.cursor
    for chart in window.charts.charts:
        if chart.viewport().visibleRegion().isEmpty():
            continue  # in a low window, nothing of it is painted
        column = session.facts.symbols.index(chart.symbol)
        told = (chart.symbol, chart.geometry(), chart.isVisible(), chart.levels.levels, fresh.levels(column))
        assert chart.levels.levels == fresh.levels(column), told
        if window.charts.shown["trades"]:
            mine, theirs = chart._trades.marks, fresh.store.marks_of(column)
            (here, ended), (there, over) = (each.between(0, cursor.bar, cursor) for each in (mine, theirs))
            assert ended.tolist() == over.tolist(), chart.symbol
            for name in ("entry_bar", "entry_price", "side"):
                assert getattr(mine, name)[here].tolist() == getattr(theirs, name)[there].tolist()
            assert mine.net[here][ended].tolist() == theirs.net[there][over].tolist()
        else:
            assert not len(chart._trades.marks)


def look_at_curve(window: MainWindow, fresh: ReplayModel) -> None:
    """The curve that is drawn, at places up to the last closed bar."""
    known = min(fresh.cursor.known(Phase.CLOSE), len(window.equity._line.data))
    if known <= 0:
        return
    at = np.unique(np.linspace(0, known - 1, 7).astype(np.int64))
    column = window.equity.of.currentIndex() - 1
    wanted = fresh.store.equity.rows["equity"] if column < 0 else fresh.figures.symbol_equity(column, known)
    drawn = window.equity._line.data
    assert np.allclose([drawn.at(int(place)) for place in at], wanted[at], rtol=0, atol=1e-6)


def look_at_ticket(ticket: TicketPanel, session: RunSession) -> None:
    if not shown(ticket):
        return
    for side, button in ((1, ticket.buy), (-1, ticket.sell)):
        refused = estimate(session.model, ticket.ticket(side)).refusal
        assert button.isEnabled() == (not refused and not session.branching), (side, refused)
    held = session.model.position(ticket.column) is not None
    assert ticket.close_position.isEnabled() == (held and not session.branching)


def same_headless(session: RunSession) -> int:
    """Every course that is over has the journal of a run without a window with its records; returns how many."""
    over = [course for course in session.courses.values() if course.status in ("completed", "bankrupt")]
    for course in over:
        run, _ = finished(session.config, *course.interventions)
        assert run.status == course.status
        mine, theirs = course.store, run.engine.tables
        assert mine.bars == run.next_bar
        assert np.array_equal(mine.equity.rows["equity"], theirs.equity["equity"][: run.next_bar]), course.name
        for name in TABLES:
            assert len(getattr(mine, name)) == theirs.count(name), (course.name, name)
        check_fills(course.store.fills.rows, run.engine)
    return len(over)


def check_fills(mine: Any, engine: BacktesterEngine) -> None:
    theirs = engine.tables.rows("fills")
    for name in ("bar", "phase", "symbol", "order", "side", "reason"):
        assert mine[name].tolist() == theirs[name].tolist(), name


def engines() -> Iterator[threading.Thread]:
    """Threads of engines and loading that are alive."""
    return (each for each in threading.enumerate() if each.name.startswith(("engine", "loading")))


def sent_away(window: MainWindow) -> None:
    """Let Qt delete what waits for that; what its signals were joined to goes a turn later."""
    for _ in range(3):
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        pump(window)()
