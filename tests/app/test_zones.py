"""Times are written as the exchange of each symbol tells them, labelled with its zone."""

import pytest
from PyQt6.QtWidgets import QApplication

from app.charts.ticks import LocalTime
from app.live.book import SymbolBook
from app.live.looks import Looks
from app.main_window import MainWindow
from app.workspace import Workspace
from tests.app.staging import go, opened, pump

EUREX = "assets.NQ_SYN.calendar=EUREX"
ALWAYS = "assets.NQ_SYN.calendar=24/7"


@pytest.mark.parametrize(("calendar", "own"), [(EUREX, "Berlin"), (ALWAYS, "UTC")])
def test_each_chart_is_in_the_zone_of_its_own_exchange(window: MainWindow, calendar: str, own: str) -> None:
    """Exchange, UTC or local time, always labelled."""
    opened(window, calendar)
    go(window, 700)
    assert [chart.clock.name for chart in window.charts.charts] == ["Chicago", own]
    window.handling.views.choose_symbol(1)  # its chart is the first one now
    assert [chart.clock.name for chart in window.charts.charts] == [own, "Chicago"]
    assert window.local_time().name == "Chicago"  # tables have rows of all symbols, and one zone


def test_all_charts_are_in_the_zone_that_is_chosen(window: MainWindow) -> None:
    opened(window, EUREX)
    window.workspace.zone = "utc"
    window.dress()
    assert {chart.clock.name for chart in window.charts.charts} == {"UTC"}
    window.handling.views.choose_symbol(2)
    assert {chart.clock.name for chart in window.charts.charts} == {"UTC"}


def test_the_control_bar_says_whose_time_it_writes(on_a_day: MainWindow) -> None:
    """Bar 700 of Tuesday's session, which opens on Monday at 17:00 in Chicago."""
    go(on_a_day, 0)
    assert on_a_day.controls.date.text() == "Mon 2 Sep 2024 17:00 Chicago"
    on_a_day.workspace.zone = "utc"
    on_a_day.dress()
    pump(on_a_day)()
    assert on_a_day.controls.date.text() == "Mon 2 Sep 2024 22:00 UTC"


def test_a_zone_is_called_by_its_city() -> None:
    assert LocalTime.chosen("exchange", "America/New_York").name == "New York"
    assert LocalTime.chosen("exchange", None).name == "UTC"
    assert LocalTime.chosen("utc", "Europe/Berlin").name == "UTC"


def test_live_charts_have_the_zone_of_their_own_symbol(look: QApplication) -> None:
    class Watched:
        workspace, bar_ns = Workspace(), 60_000_000_000
        books = {"BTC": SymbolBook("BTC", "24/7"), "FDAX": SymbolBook("FDAX", "EUREX"), "ES": SymbolBook("ES", "CME")}

    looks = Looks(Watched(), "account")  # type: ignore[arg-type]
    told = {name: looks.local_time(name).name for name in Watched.books}
    assert told == {"BTC": "UTC", "FDAX": "Berlin", "ES": "Chicago"}
    assert looks.local_time().name == "Berlin"
