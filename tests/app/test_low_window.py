"""What must be in sight in a window as small as people have: the ticket's buttons, and what a trade came to."""

import pytest
from PyQt6.QtCore import QPoint
from PyQt6.QtWidgets import QToolButton, QWidget

from app.main_window import MainWindow
from app.replay.facts import RunFacts
from app.replay.store import JournalStore
from app.session import RunSession
from app.tables.views import ROW
from app.workspace import Workspace
from tests.app.staging import TABLES, go, pump


def whole(widget: QWidget) -> bool:
    """Whether all of a widget is in sight."""
    return widget.visibleRegion().boundingRect().size() == widget.size()


def test_the_buttons_of_the_ticket_need_no_scrolling_however_low_the_window_is(on_a_day: MainWindow) -> None:
    on_a_day.resize(1440, 400)  # as low as it goes
    for kind in ("Market", "Stop-limit"):
        on_a_day.ticket.type.setCurrentText(kind)
        for _ in range(3):
            pump(on_a_day)()
        for button in (on_a_day.ticket.buy, on_a_day.ticket.sell, on_a_day.ticket.close_position):
            assert whole(button), (kind, button.text())
            assert button.mapTo(on_a_day, QPoint(0, button.height())).y() <= on_a_day.height()


def test_account_and_position_are_whole_where_there_is_room(on_a_day: MainWindow) -> None:
    """The ticket stands right below them, not at the window's foot."""
    on_a_day.resize(1440, 1100)
    go(on_a_day, 700)
    pump(on_a_day)()
    assert whole(on_a_day.account)
    foot = on_a_day.account.mapTo(on_a_day, QPoint(0, on_a_day.account.height())).y()
    assert on_a_day.ticket.mapTo(on_a_day, QPoint(0, 0)).y() == foot


def test_what_a_trade_came_to_is_in_sight_in_a_window_of_1440_pixels(on_a_day: MainWindow) -> None:
    page = on_a_day.activity.page_of("trades")
    column = [each.title for each in page.table.kind.columns].index("Net")
    viewport = page.view.viewport()
    assert viewport is not None
    assert page.view.columnViewportPosition(column) + page.view.columnWidth(column) <= viewport.width()


def test_the_window_fits_a_screen_of_1280_by_720_with_every_dock_shown(on_a_day: MainWindow) -> None:
    """Less what a desktop's frame takes; the start page, which is hidden, must not ask for more either."""
    for _ in range(3):
        pump(on_a_day)()
    least = on_a_day.minimumSizeHint()
    assert least.width() <= 1270
    assert least.height() <= 680


def test_words_over_the_charts_give_way_before_any_button(on_a_day: MainWindow) -> None:
    on_a_day.resize(on_a_day.minimumSizeHint())
    pump(on_a_day)()
    for button in on_a_day.chart_bar.findChildren(QToolButton):
        assert button.width() >= button.sizeHint().width(), button.text()


def test_a_new_window_is_no_larger_than_its_screen(window: MainWindow) -> None:
    """Offscreen that is 800 pixels square: it is as small as its contents let it be."""
    made = MainWindow(Workspace(None), own_process=False)
    screen = made.screen()
    assert screen is not None
    room, least = screen.availableGeometry().size(), made.minimumSizeHint()
    assert made.width() <= max(room.width(), least.width())
    assert made.height() <= max(room.height(), least.height())
    made.close()
    made.deleteLater()


def test_a_run_that_is_opened_leaves_the_window_as_large_as_it_was(
    window: MainWindow, day: tuple[RunFacts, JournalStore]
) -> None:
    """On a screen of 1280 by 720 it would grow beyond its edge."""
    window.resize(1264, 690)
    pump(window)()
    facts, store = day
    window.open_session(
        RunSession(facts, store=store.cut(store.bars, {name: len(getattr(store, name)) for name in TABLES}))
    )
    for _ in range(4):
        pump(window)()
    assert (window.width(), window.height()) == (1264, 690)
    assert window.docks["Trade"].isVisible()


@pytest.mark.parametrize("height", [690, 700, 777, 900, 1013])
def test_tables_show_whole_rows_at_whatever_height(on_a_day: MainWindow, height: int) -> None:
    """Half a row below the headings is what a table that follows its newest row would have, and ask for no more."""
    on_a_day.resize(1440, height)
    for _ in range(6):
        pump(on_a_day)()
    page = on_a_day.activity.page_of("trades")
    viewport = page.view.viewport()
    assert viewport is not None
    assert page.view.rowViewportPosition(page.view.rowAt(0)) == 0
    assert viewport.height() % ROW == 0
    assert on_a_day.height() == height


def test_why_has_room_for_how_in_a_narrow_window(on_a_day: MainWindow) -> None:
    on_a_day.resize(1264, 700)
    on_a_day.docks["Why"].raise_()
    for _ in range(3):
        pump(on_a_day)()
    tree = on_a_day.inspector.tree
    assert tree.columnWidth(2) > 150
    assert [bool(tree.columnWidth(column)) for column in range(2)] == [True, True]
