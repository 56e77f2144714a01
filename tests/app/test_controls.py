"""Keys, clicks and dialogs of the replay: each does what it says, as a person would find it."""

from typing import Any

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from app.charts.cursor import Cursor
from app.dialogs.run import RunDialog
from app.dialogs.small import ChangeOrderDialog, DateDialog, PauseDialog
from app.handling import utc_ns
from app.main_window import MainWindow
from app.replay.facts import RunFacts
from app.replay.playback import JUMPS, PRESETS, Condition
from app.replay.store import JournalStore
from app.session import RunSession
from app.workspace import Workspace
from engine.kernel.schema import EventKind, OrderType, Phase
from tests.app.runs import until
from tests.app.staging import go, opened, pump, rest_far_below, settled

DAY = "end=2024-09-03"
Key, Shift = Qt.Key, Qt.KeyboardModifier.ShiftModifier


def press(window: MainWindow, key: Qt.Key, *with_: Qt.KeyboardModifier) -> None:
    """Press a key as a person does: it goes to what has the focus."""
    modifiers = with_[0] if with_ else Qt.KeyboardModifier.NoModifier
    QTest.keyClick(QApplication.focusWidget() or window, key, modifiers)
    pump(window)()


@pytest.fixture
def run(on_a_day: MainWindow, qtbot: Any) -> MainWindow:
    """A window on one day of the sample, with the focus."""
    on_a_day.activateWindow()
    qtbot.waitUntil(on_a_day.isActiveWindow, timeout=5000)
    return on_a_day


def trades_at(window: MainWindow) -> list[tuple[int, int]]:
    """Places at which trades begin and end."""
    assert window.session is not None
    events = window.session.model.store.events.rows
    kinds = (EventKind.TRADE_OPENED, EventKind.TRADE_CLOSED)
    return sorted({(int(e["bar"]), int(e["phase"])) for e in events if e["kind"] in kinds})


def test_every_step_has_a_key_that_moves_the_cursor_as_it_says(run: MainWindow) -> None:
    """Bar, phase, trade, rewind and fast-forward, both ways."""
    assert run.session is not None
    model, bars = run.session.model, run.session.model.store.bars
    begun = Cursor(700, Phase.INTRABAR)
    later = next(place for place in trades_at(run) if place > (700, 1))
    earlier = [place for place in trades_at(run) if place < (700, 1)][-1]
    for key, with_, expected in (
        (Key.Key_Right, (), Cursor(701, Phase.INTRABAR)),
        (Key.Key_Left, (), Cursor(699, Phase.INTRABAR)),
        (Key.Key_Right, (Shift,), Cursor(700, Phase.CLOSE)),
        (Key.Key_Left, (Shift,), Cursor(700, Phase.OPEN)),
        (Key.Key_BracketRight, (), Cursor(later[0], Phase(later[1]))),
        (Key.Key_BracketLeft, (), Cursor(earlier[0], Phase(earlier[1]))),
        (Key.Key_PageDown, (), Cursor(710, Phase.INTRABAR)),
        (Key.Key_PageUp, (), Cursor(690, Phase.INTRABAR)),
        (Key.Key_Home, (), Cursor(0, Phase.OPEN)),
        (Key.Key_End, (), Cursor(bars - 1, Phase.CLOSE)),
    ):
        go(run, begun.bar, begun.phase)
        press(run, key, *with_)
        assert model.cursor == expected, key


def test_rewind_and_fast_forward_take_ten_a_hundred_or_a_thousand_bars(run: MainWindow) -> None:
    assert run.session is not None
    assert JUMPS == (10, 100, 1000)
    for place, bars in enumerate(JUMPS):
        run.controls.jump.setCurrentIndex(place)
        go(run, 1100)
        press(run, Key.Key_PageUp)
        assert run.session.model.cursor.bar == 1100 - bars


def test_space_plays_and_pauses_and_the_speed_has_its_presets(run: MainWindow) -> None:
    """1, 5, 25, 100, 500, 5,000 bars a second and as fast as it goes."""
    assert run.session is not None
    assert (1, 5, 25, 100, 500, 5000, float("inf")) == PRESETS
    told = []
    for place in range(len(PRESETS)):
        run.controls.speed.setValue(place)
        told.append(run.controls.speed_told.text())
        assert run.session.playback.speed == PRESETS[place]
    assert told == ["1 bars/s", "5 bars/s", "25 bars/s", "100 bars/s", "500 bars/s", "5,000 bars/s", "max"]
    press(run, Key.Key_Minus)
    assert run.session.playback.speed == 5000
    press(run, Key.Key_Plus)
    assert run.session.playback.speed == float("inf")
    go(run, 100)
    run.controls.speed.setValue(0)
    press(run, Key.Key_Space)
    assert run.session.playback.playing
    assert run.controls.play.text() == "Pause"
    press(run, Key.Key_Space)
    assert not run.session.playback.playing


def test_the_scrub_bar_drags_the_cursor(run: MainWindow) -> None:
    assert run.session is not None
    scrub, bars = run.controls.scrub, run.session.facts.bars
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(scrub, left, pos=QPoint(scrub.width() // 4, 10))
    assert run.session.model.cursor.bar == pytest.approx(bars / 4, abs=bars / 100)
    QTest.mouseRelease(scrub, left, pos=QPoint(scrub.width() // 2, 10))
    QTest.mousePress(scrub, left, pos=QPoint(scrub.width() // 2, 10))
    assert run.session.model.cursor.bar == pytest.approx(bars / 2, abs=bars / 100)


def test_going_to_a_date_finds_its_first_bar_in_the_windows_zone(run: MainWindow) -> None:
    assert run.session is not None
    go(run, 10)
    press(run, Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    dialog = run.dialogs[-1]
    assert isinstance(dialog, DateDialog)
    dialog.field.setDateTime(dialog.field.dateTime().addSecs(3600 * 5))
    wanted = utc_ns(dialog.chosen(), run.local_time())
    dialog.accept()
    cursor, times = run.session.model.cursor, run.session.facts.market.time_ns
    assert cursor.phase is Phase.OPEN
    assert times[cursor.bar] >= wanted > times[cursor.bar - 1]


def test_all_five_conditions_are_chosen_in_a_dialog_and_the_one_that_stops_is_said(run: MainWindow) -> None:
    """Next fill, next stop hit, margin call, drawdown over x, a date."""
    assert run.session is not None
    run.handling.slot("conditions")()
    dialog = run.dialogs[-1]
    assert isinstance(dialog, PauseDialog)
    assert list(dialog.boxes) == list(Condition)
    assert len(Condition) == 5
    for box in dialog.boxes.values():
        box.setChecked(True)
    dialog.drawdown.setValue(7.5)
    dialog.accept()
    rules = {rule.condition: rule.limit for rule in run.session.playback.rules}
    assert set(rules) == set(Condition)
    assert rules[Condition.DRAWDOWN] == pytest.approx(0.075)
    run.handling.slot("conditions")()
    again = run.dialogs[-1]
    assert isinstance(again, PauseDialog)
    for condition, box in again.boxes.items():
        box.setChecked(condition is Condition.FILL)
    again.accept()
    run.activateWindow()
    go(run, 60)
    run.controls.speed.setValue(len(PRESETS) - 1)
    press(run, Key.Key_Space)
    until(lambda: run.session is not None and not run.session.playback.playing, pump(run))
    bar = run.statusBar()
    assert bar is not None
    assert "paused at: next fill" in bar.currentMessage()


def test_keys_of_orders_send_what_the_ticket_says_and_ctrl_z_takes_it_back(run: MainWindow) -> None:
    """B, S, F; Ctrl+Z."""
    session = run.session
    assert session is not None
    go(run, 30, Phase.OPEN)
    run.ticket.quantity.setValue(2)
    press(run, Key.Key_B)
    settled(run)
    assert session.course.interventions[-1]["side"] == "buy"
    assert session.course.interventions[-1]["qty"] == 2
    go(run, 40, Phase.OPEN)
    press(run, Key.Key_F)
    settled(run)
    assert session.course.interventions[-1]["type"] == "close"
    go(run, 45, Phase.OPEN)
    press(run, Key.Key_S)
    settled(run)
    assert [each["type"] for each in session.course.interventions] == ["market", "close", "market"]
    assert list(session.courses) == [0, 1]  # later ones extend the branch
    for left in (2, 1):
        press(run, Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        settled(run)
        assert len(session.course.interventions) == left
    press(run, Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert list(session.courses) == [0]


def test_a_letter_in_a_field_is_no_order_and_enter_gives_the_keys_back(run: MainWindow) -> None:
    session = run.session
    assert session is not None
    go(run, 30, Phase.OPEN)
    run.ticket.quantity.setFocus()
    press(run, Key.Key_B)
    assert not session.branching
    assert list(session.courses) == [0]
    press(run, Key.Key_Return)
    press(run, Key.Key_B)
    settled(run)
    assert session.course.number == 1


def test_a_working_order_is_changed_and_cancelled_in_its_panel(run: MainWindow) -> None:
    """Working orders (cancel, modify); each extends the branch."""
    session = run.session
    assert session is not None
    far, form = rest_far_below(run).limit, session.facts.forms[0]
    assert far is not None
    run.activity.tabs.setCurrentWidget(run.working)
    pump(run)()
    assert not run.working.cancel.isEnabled()
    run.working.choose(0)
    assert run.working.cancel.isEnabled()
    run.working.change.click()
    dialog = run.dialogs[-1]
    assert isinstance(dialog, ChangeOrderDialog)
    dialog.fields["limit"].setValue(far - 4 * form.tick)
    dialog.fields["qty"].setValue(2.0)
    dialog.accept()
    settled(run)
    (order,) = session.model.working
    assert (order.limit, order.quantity) == (far - 4 * form.tick, 2.0)
    run.working.choose(0)
    run.working.cancel.click()
    settled(run)
    assert not session.model.working
    assert list(session.courses) == [0, 1]


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        ("Market", OrderType.MARKET, set()),
        ("Limit", OrderType.LIMIT, {"Limit"}),
        ("Stop", OrderType.STOP, {"Stop"}),
        ("Stop-limit", OrderType.STOP_LIMIT, {"Limit", "Stop"}),
    ],
)
def test_the_ticket_has_the_fields_of_its_type_and_sends_it(
    run: MainWindow, name: str, kind: OrderType, shown: set[str]
) -> None:
    """Market, limit, stop, stop-limit."""
    session, ticket = run.session, run.ticket
    assert session is not None
    go(run, 30, Phase.OPEN)
    ticket.type.setCurrentText(name)
    assert {row for row in ("Limit", "Stop") if ticket._rows[row][1].isVisibleTo(ticket)} == shown
    form, mark = session.facts.forms[0], session.facts.mark(0, session.model.cursor)
    ticket.stop.setValue(mark + 40 * form.tick)
    ticket.limit.setValue(mark + 44 * form.tick if kind is OrderType.STOP_LIMIT else mark - 40 * form.tick)
    ticket.send(1)
    settled(run)
    assert session.course.interventions[-1]["type"] == kind.name.lower()


def test_replay_by_hand_begins_on_the_start_page(window: MainWindow, qtbot: Any) -> None:
    """No bot decides; the configuration gives data and account alone."""
    from tests.app.runs import CONFIGS

    qtbot.mouseClick(window.start_page.buttons["hand"], Qt.MouseButton.LeftButton)
    dialog = window.dialogs[-1]
    assert isinstance(dialog, RunDialog)
    assert dialog.by_hand.isChecked()
    dialog.load(CONFIGS / "sample.yaml")
    dialog.account.fields["end"].put("2024-09-03")
    dialog.accept()
    until(lambda: window.session is not None and not window.session.running, pump(window))
    assert window.session is not None
    assert window.session.by_hand
    assert len(window.session.model.store.orders) == 0
    assert window.chart_bar.told.text() == "By hand"


def test_a_closed_run_stands_first_among_the_recent_ones_and_opens_again(window: MainWindow, qtbot: Any) -> None:
    session = opened(window, DAY)
    equity = session.model.store.equity.rows["equity"].copy()
    until(lambda: session.courses[0].folder is not None, pump(window))
    window.handling.slot("close_run")()
    assert window.stack.currentIndex() == 0
    recent = window.start_page.recent
    assert not window.start_page.nothing.isVisibleTo(window.start_page)
    item = recent.item(0)
    assert item is not None
    assert item.toolTip() == window.workspace.recent[0]
    recent.itemClicked.emit(item)
    until(lambda: window.session is not None, pump(window))
    assert window.session is not None
    assert (window.session.model.store.equity.rows["equity"] == equity).all()


def test_chosen_indicators_are_drawn_again_in_the_next_window(
    run: MainWindow, day: tuple[RunFacts, JournalStore]
) -> None:
    """Chosen in a dialog with their parameters, remembered."""
    run.handling.views.take_indicators([{"name": "rsi", "parameters": {"period": 9}}])
    run.close()
    again = MainWindow(Workspace.load(run.workspace.file), own_process=False)
    again.show()
    again.open_session(RunSession(day[0], store=day[1], status="completed"))
    assert [pane.name for pane in again.charts.charts[0].panes] == ["price", "RSI 9"]
    again.close()
    again.deleteLater()
