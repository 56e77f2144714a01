"""The arrangement of docks is the window's: it stays for the next run, and is found at the next start."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import QCoreApplication, QEvent, Qt
from PyQt6.QtWidgets import QApplication

from app.main_window import MainWindow
from app.panels.panel import Panel
from app.replay.facts import RunFacts
from app.replay.store import JournalStore
from app.session import RunSession
from app.workspace import Workspace
from tests.app.staging import TABLES, go, pump

Day = tuple[RunFacts, JournalStore]
LEFT = Qt.DockWidgetArea.LeftDockWidgetArea


def session_of(day: Day) -> RunSession:
    """The run of that day once more."""
    facts, store = day
    return RunSession(facts, store=store.cut(store.bars, {name: len(getattr(store, name)) for name in TABLES}))


def rearrange(window: MainWindow) -> None:
    """Move one dock, close another, choose a tab of a third."""
    window.addDockWidget(LEFT, window.docks["Trade"])
    window.docks["Equity and drawdown"].hide()
    titles = [window.activity.tabs.tabText(number) for number in range(window.activity.tabs.count())]
    window.activity.tabs.setCurrentIndex(titles.index("Orders"))
    pump(window)()


def is_rearranged(window: MainWindow) -> bool:
    """Whether that is how it stands."""
    pump(window)()
    return (
        window.dockWidgetArea(window.docks["Trade"]) == LEFT
        and window.docks["Trade"].isVisible()
        and not window.docks["Equity and drawdown"].isVisible()
        and not window.docks["Statistics"].isVisible()
        and window.docks["Activity"].isVisible()
    )


def test_docks_stay_where_they_were_put_when_another_run_is_opened(on_a_day: MainWindow, day: Day) -> None:
    """A layout is chosen once, not with every run."""
    rearrange(on_a_day)
    on_a_day.open_session(session_of(day))
    go(on_a_day, 700)
    assert is_rearranged(on_a_day)
    assert on_a_day.activity.tabs.tabText(on_a_day.activity.tabs.currentIndex()) == "Orders"


def test_docks_stay_where_they_were_put_over_the_start_page(on_a_day: MainWindow, day: Day) -> None:
    rearrange(on_a_day)
    on_a_day.close_session()
    assert not any(dock.isVisible() for dock in on_a_day.docks.values())
    on_a_day.open_session(session_of(day))
    assert is_rearranged(on_a_day)


def test_a_layout_chosen_by_name_stays_for_the_next_run(on_a_day: MainWindow, day: Day) -> None:
    rearrange(on_a_day)
    mine = on_a_day.arrangement.text()
    on_a_day.handling.views.use_layout("As at first", None)
    assert not is_rearranged(on_a_day)
    on_a_day.handling.views.use_layout("mine", mine)
    on_a_day.open_session(session_of(day))
    assert is_rearranged(on_a_day)


def test_as_at_first_shows_every_dock_at_its_first_place(on_a_day: MainWindow, day: Day) -> None:
    rearrange(on_a_day)
    on_a_day.handling.views.use_layout("As at first", None)
    on_a_day.open_session(session_of(day))
    pump(on_a_day)()
    assert on_a_day.dockWidgetArea(on_a_day.docks["Trade"]) == Qt.DockWidgetArea.RightDockWidgetArea
    assert on_a_day.docks["Equity and drawdown"].isVisible()


@pytest.fixture
def next_start(look: QApplication, on_a_day: MainWindow) -> Iterator[MainWindow]:
    """The window as it comes up after one that was rearranged has been closed; a panel of one's own is new to it."""
    rearrange(on_a_day)
    on_a_day.close()
    made = MainWindow(Workspace.load(on_a_day.workspace.file), own_process=False)
    made.add_panel("Mine", Panel())
    made.show()
    yield made
    made.close()
    made.deleteLater()
    QCoreApplication.sendPostedEvents(made, QEvent.Type.DeferredDelete)


def test_the_next_start_finds_the_docks_as_they_were(next_start: MainWindow, day: Day) -> None:
    assert not any(dock.isVisible() for dock in next_start.docks.values())
    next_start.open_session(session_of(day))
    assert is_rearranged(next_start)
    assert next_start.docks["Mine"].isVisible()


@pytest.mark.parametrize("kept", [{"state": "AAAA", "docks": ["Trade"], "place": "AAAA"}, {"state": 7, "docks": 3}])
def test_a_damaged_arrangement_is_as_at_first(window: MainWindow, day: Day, kept: dict[str, object]) -> None:
    window.arrangement.recall(kept)
    window.open_session(session_of(day))
    pump(window)()
    assert window.docks["Equity and drawdown"].isVisible()
    assert window.dockWidgetArea(window.docks["Trade"]) == Qt.DockWidgetArea.RightDockWidgetArea


def test_the_next_start_finds_the_windows_place(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bytes] = []
    monkeypatch.setattr(MainWindow, "restoreGeometry", lambda _self, place: told.append(bytes(place.data())))
    place = bytes(window.saveGeometry().data())
    window.close()
    window.arrangement.recall(Workspace.load(window.workspace.file).arrangement)
    assert told == [place]


def test_what_is_kept_is_read_again_whole(tmp_path: Path) -> None:
    kept = Workspace(tmp_path / "window.json", arrangement={"place": "x"}, live={"charts": {}})
    kept.save()
    assert Workspace.load(kept.file) == kept


def test_without_a_run_there_are_no_panels_to_choose_from(window: MainWindow, day: Day) -> None:
    """A dock that is shown on the start page is one of no run."""
    menus = window.handling.views.of_a_run
    assert [menu.isEnabled() for menu in menus] == [False, False, False]
    window.open_session(session_of(day))
    assert [menu.isEnabled() for menu in menus] == [True, True, True]
