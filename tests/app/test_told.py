"""What a newcomer reads: why a table is empty, what a button does, whose clock it is; figures stand under figures."""

import threading
from datetime import datetime

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QToolButton, QWidget

from app.charts.prices import quantity_text
from app.dialogs.forms import SettingsForm
from app.dialogs.settings import SettingsDialog
from app.dialogs.small import DateDialog, PauseDialog, TextDialog
from app.main_window import MainWindow
from app.panels.statistics import Histogrammed
from app.panels.toolbar import NarrowLabel
from app.replay.facts import RunFacts
from app.replay.store import JournalStore
from app.session import RunSession
from app.tables.views import SmallTable, TellingTable
from engine.config import SimulationSection
from engine.settings import describe
from tests.app.runs import until
from tests.app.staging import TABLES, go, pump

RIGHT, LEFT = Qt.AlignmentFlag.AlignRight, Qt.AlignmentFlag.AlignLeft
MOMENTS = (datetime(2024, 9, 9, 14, 30), datetime(2024, 9, 2), datetime(2024, 9, 27))  # noqa: DTZ001 - as the window asks


def colours(widget: QWidget) -> set[int]:
    """Every colour that a widget paints."""
    image = widget.grab().toImage()
    return {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}


def says_something(table: TellingTable | SmallTable) -> bool:
    """Whether anything but its ground is painted in a table."""
    viewport = table.viewport()
    assert viewport is not None
    return len(colours(viewport)) > 1


def test_an_empty_table_says_what_it_waits_for(on_a_day: MainWindow) -> None:
    go(on_a_day, 0)
    page = on_a_day.activity.page_of("trades")
    assert page.table.rowCount() == 0
    assert page.view.nothing == "No trade has been closed yet"
    assert says_something(page.view)
    go(on_a_day, 900)
    assert page.table.rowCount() > 0
    page.filter.setText("nobody says this")
    assert page.table.rowCount() == 0
    assert page.view.nothing == "No row has these words"


@pytest.mark.parametrize("name", ["trades", "fills", "orders", "log", "choices"])
def test_every_table_has_words_for_being_empty(on_a_day: MainWindow, name: str) -> None:
    assert len(on_a_day.activity.page_of(name).table.kind.none) > 10


def test_a_small_table_says_it_too_and_no_more_once_there_are_rows(look: QApplication) -> None:
    table = SmallTable("Orders", ("Side", "Qty"), ("Qty",), "No order works")
    table.resize(300, 120)
    assert says_something(table)
    silent = SmallTable("Orders", ("Side", "Qty"))
    silent.resize(300, 120)
    assert not says_something(silent)
    table.fill([["buy", "1"]])
    table.fill([])
    assert says_something(table)


def test_figures_of_working_orders_and_branches_stand_to_the_right_under_their_headings(on_a_day: MainWindow) -> None:
    order = {"type": "limit", "symbol": "ES_SYN", "side": "buy", "qty": 1.0, "limit": 4000.0}
    on_a_day.handling.act(order)
    while on_a_day.session is None or on_a_day.session.branching or not on_a_day.session.model.working:
        pump(on_a_day)()
    on_a_day.activity.tabs.setCurrentWidget(on_a_day.working)
    pump(on_a_day)()
    for table, figure, word in ((on_a_day.working.table, "Limit", "Type"), (on_a_day.branches.table, "Equity", "Name")):
        on_a_day.activity.tabs.setCurrentWidget(table.parentWidget())
        for _ in range(4):
            pump(on_a_day)()
        places = {}
        for column in range(table.columnCount()):
            head, item = table.horizontalHeaderItem(column), table.item(0, column)
            assert head is not None
            assert item is not None
            places[head.text()] = (head.textAlignment(), item.textAlignment())
        assert all(Qt.AlignmentFlag(side) & RIGHT for side in places[figure]), places
        assert Qt.AlignmentFlag(places[word][1]) & LEFT
    words = [on_a_day.working.table.item(0, column) for column in range(on_a_day.working.table.columnCount())]
    assert "good till cancelled" in [item.text() for item in words if item is not None]


def test_a_high_column_of_the_histogram_has_its_count_too(look: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    """3,632 trades of one R are wider than their column; 3.6k are not."""
    from app.charts.canvas import Canvas

    told: list[str] = []
    monkeypatch.setattr(Canvas, "text", lambda _self, text, *_rest: told.append(text))
    picture = Histogrammed()
    picture.resize(860, 600)
    picture.put(np.repeat([-1.0, 1.0, 9.8, -5.8], [3632, 66, 1, 1]))
    picture.grab()
    assert "3.6k" in told
    assert "66" in told


def test_a_field_that_is_off_does_not_look_like_one_that_is_on(on_a_day: MainWindow) -> None:
    field = on_a_day.ticket.loss
    assert not field.isEnabled()
    off = colours(field)
    on_a_day.ticket.loss_unit.setCurrentIndex(1)
    assert field.isEnabled()
    assert QColor(on_a_day.look.text).rgb() in colours(field) - off


def test_a_quantity_of_whole_lots_has_no_decimals(on_a_day: MainWindow) -> None:
    assert on_a_day.ticket.quantity.text() == "1"


def test_tracebacks_notes_and_dates_are_written_in_letters_of_one_width(on_a_day: MainWindow) -> None:
    """A tabular face for every number; the style sheet must not take it away again."""
    dialog, date = TextDialog("t", "h", "x"), DateDialog(*MOMENTS, "Chicago")
    for widget in (dialog.text, date.field, on_a_day.notes.text):
        widget.ensurePolished()
        assert widget.font().family() == "JetBrains Mono"


def test_a_date_to_pause_at_says_whose_time_it_is(look: QApplication) -> None:
    dialog = PauseDialog([], *MOMENTS, zone="Chicago")
    assert [box.text() for box in dialog.boxes.values()][-1] == "Date (Chicago)"


def test_a_refused_setting_is_told_in_the_words_of_the_run_dialog(on_a_day: MainWindow) -> None:
    assert on_a_day.session is not None
    dialog = SettingsDialog(on_a_day.session.config, [], on_a_day)
    dialog.form.fields["atr_multiple"].put("-2")
    dialog.accept()
    assert dialog.told.text() == "A setting is refused: see the fields in red"
    assert "-2.0 is not > 0" in dialog.form.fields["atr_multiple"].error.text()


def test_a_box_to_check_stands_as_high_as_the_other_fields(look: QApplication) -> None:
    form = SettingsForm()
    form.show_settings(describe(SimulationSection), {})
    form.show()
    heights = {field.editor.height() for field in form.fields.values()}
    assert max(heights) - min(heights) <= 2, heights


def test_every_button_over_the_charts_says_what_it_does(on_a_day: MainWindow) -> None:
    buttons = on_a_day.chart_bar.findChildren(QToolButton)
    assert buttons
    for button in buttons:
        assert len(button.toolTip()) > len(button.text()), button.text()


@pytest.mark.parametrize(
    ("quantity", "text"),
    [(1.0, "1"), (0.0015, "0.0015"), (1e-8, "0.00000001"), (1_250_000.0, "1,250,000"), (12_345_678.5, "12,345,678.5")],
)
def test_a_quantity_has_no_exponent_however_large_or_small_it_is(quantity: float, text: str) -> None:
    """Units of a currency pair come in millions, lots of a coin in hundred-millionths."""
    assert quantity_text(quantity) == text


def test_the_number_of_an_order_is_written_whole(on_a_day: MainWindow) -> None:
    """The millionth trade is not 1e+06."""
    kind = on_a_day.activity.page_of("orders").table.kind
    assert on_a_day.session is not None
    model = on_a_day.session.model
    first = model.store.orders.rows["id"][0]
    try:
        model.store.orders.rows["id"][0] = 1_234_567
        assert kind.columns[0].text(model, 0) == "1234567"
    finally:
        model.store.orders.rows["id"][0] = first


def test_play_at_the_end_of_a_run_begins_anew(on_a_day: MainWindow) -> None:
    """A saved run is opened at its end: the first thing that is pressed must not do nothing."""
    session = on_a_day.session
    assert session is not None
    on_a_day.handling.slot("end")()
    on_a_day.handling.slot("play")()
    assert session.playback.playing
    assert session.model.cursor.bar == 0
    on_a_day.handling.slot("play")()
    assert not session.playback.playing
    go(on_a_day, 700)
    on_a_day.handling.slot("play")()
    assert session.model.cursor.bar == 700
    on_a_day.handling.slot("play")()


def test_what_is_being_loaded_is_not_asked_for_again_by_a_double_click(
    window: MainWindow, day: tuple[RunFacts, JournalStore]
) -> None:
    held, loads = threading.Event(), []

    def load() -> RunSession:
        loads.append(1)
        held.wait(60)
        facts, store = day
        return RunSession(facts, store=store.cut(store.bars, {name: len(getattr(store, name)) for name in TABLES}))

    foot = window.statusBar()
    assert foot is not None
    for _ in range(3):
        window.load("a run", load)
    assert foot.currentMessage() == "Loading a run …"
    window.load("another run", load)
    assert foot.currentMessage().startswith("Another run is being loaded")
    held.set()
    until(lambda: window.session is not None, pump(window))
    assert loads == [1]


@pytest.mark.parametrize(("width", "drawn"), [(40, False), (200, True)])
def test_words_that_have_no_room_are_left_out_altogether(look: QApplication, width: int, drawn: bool) -> None:
    label = NarrowLabel()
    label.setText("Bot: TrendFollowing")
    label.resize(width, 24)
    assert (len(colours(label)) > 1) == drawn


def test_menus_open_by_keyboard_each_by_a_letter_of_its_own(window: MainWindow) -> None:
    bar = window.menuBar()
    assert bar is not None
    keys = [action.text().partition("&")[2][:1].lower() for action in bar.actions()]
    assert "" not in keys
    assert len(set(keys)) == len(keys) == 5


def test_longer_and_shorter_bars_are_chosen_by_keyboard(on_a_day: MainWindow) -> None:
    """Every action has a shortcut."""
    on_a_day.activateWindow()
    on_a_day.stack.setFocus()
    steps: tuple[tuple[Qt.Key, str | None], ...] = (
        (Qt.Key.Key_Down, None), (Qt.Key.Key_Up, "5m"), (Qt.Key.Key_Up, "15m"), (Qt.Key.Key_Down, "5m"),
    )  # fmt: skip
    for key, expected in steps:
        QTest.keyClick(on_a_day, key, Qt.KeyboardModifier.ControlModifier)
        assert on_a_day.charts.timeframe == expected
        assert on_a_day.chart_bar.frames[expected].isChecked()
