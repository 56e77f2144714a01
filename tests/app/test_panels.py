"""Tables, statistics and the multiples of learned exits: what a person does with them, and nothing from later on."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QFileDialog, QTableWidget

from app.main_window import MainWindow
from app.opening import new_session
from app.panels.activity import ROW, TablePage
from app.panels.learned import ArmHistory, ArmPicture
from app.panels.scrub import ScrubBar
from app.panels.statistics import MONTHS, StatisticsPanel
from app.replay.facts import RunFacts
from app.replay.store import JournalStore
from app.session import RunSession
from app.theme import DARK
from engine.kernel.schema import CHOICE, ExitReason, Phase
from engine.statistics.tables import monthly_returns
from tests.app.runs import config_of, until
from tests.app.staging import TABLES, go, pump


@pytest.fixture
def page(on_a_day: MainWindow) -> TablePage:
    """The table of trades in a window at the run's end."""
    assert on_a_day.session is not None
    go(on_a_day, on_a_day.session.model.store.bars - 1)
    pump(on_a_day)()
    return on_a_day.activity.page_of("trades")


def cell(page: TablePage, row: int, title: str) -> str:
    column = [each.title for each in page.table.kind.columns].index(title)
    return str(page.table.data(page.table.index(row, column)))


def test_a_click_on_a_row_brings_charts_and_cursor_to_where_it_happened(page: TablePage, window: MainWindow) -> None:
    """Click, and the chart jumps there."""
    row = 3
    page.view.scrollToTop()
    box = page.view.visualRect(page.table.index(row, 1))
    expected = page.table.place(row)
    QTest.mouseClick(page.view.viewport(), Qt.MouseButton.LeftButton, pos=box.center())
    assert window.session is not None
    assert window.session.model.cursor == expected
    pump(window)()
    assert page.table.rowCount() == row + 1  # later trades are not known there


def test_a_click_on_a_heading_sorts_up_then_down_then_not(page: TablePage) -> None:
    header = page.view.horizontalHeader()
    assert header is not None
    column = [each.title for each in page.table.kind.columns].index("Net")
    place = QPoint(header.sectionViewportPosition(column) + 10, header.height() // 2)
    seen = []
    for _ in range(3):
        QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
        seen.append([page.table.source_row(row) for row in range(page.table.rowCount())])
    net = page.table._model.store.trades.rows["net"]
    assert list(net[seen[0]]) == sorted(net)
    assert list(net[seen[1]]) == sorted(net, reverse=True)
    assert seen[2] == list(range(len(net)))


def test_a_filter_is_typed_and_says_how_many_rows_are_left(page: TablePage, window: MainWindow) -> None:
    QTest.keyClicks(page.filter, "cl_syn stop")
    pump(window)()
    rows = page.table.rowCount()
    assert 0 < rows < len(page.table._model.store.trades)
    assert {cell(page, row, "Symbol") for row in range(rows)} == {"CL_SYN"}
    reason = ExitReason.STOP_LOSS.name.lower().replace("_", " ")
    assert {cell(page, row, "Exit by") for row in range(rows)} == {reason}
    assert page.shown.text() == f"{rows:,} of {page.table.known:,} rows"


def test_chosen_rows_are_copied_with_headings(page: TablePage) -> None:
    page.view.selectRow(2)
    QTest.keyClick(page.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    heading, row = clipboard.text().split("\n")
    assert heading.split("\t")[:3] == ["#", "Symbol", "Side"]
    assert row.split("\t")[0] == cell(page, 2, "#")
    assert len(row.split("\t")) == len(heading.split("\t"))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_is_exported_up_to_the_cursor(
    page: TablePage, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    go(window, 700)
    known = page.table.kind.count(page.table._model)
    file = tmp_path / f"trades.{ending}"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(file), ""))
    page.export_asked.emit("trades")
    pump(window)()
    if ending == "csv":
        assert len(file.read_text(encoding="utf-8").splitlines()) == known + 1
    else:
        import pyarrow.parquet as pq

        assert pq.read_table(file).num_rows == known
    assert "up to the cursor" in window.notes.text.toPlainText()
    foot = window.statusBar()
    assert foot is not None
    assert foot.currentMessage() == f"trades up to the cursor are in {file}"


def test_a_place_that_cannot_be_written_is_said_with_a_cure(
    page: TablePage, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "file" / "trades.csv"), ""))
    page.export_asked.emit("trades")
    pump(window)()
    assert "cannot be written" in window.notes.text.toPlainText()
    assert "choose another place" in window.notes.text.toPlainText()


def test_rows_are_22_pixels_high(page: TablePage) -> None:
    assert ROW == 22
    assert {page.view.rowHeight(row) for row in range(page.table.rowCount())} == {22}


# Statistics


def column_of(table: QTableWidget, title: str) -> dict[str, str]:
    """A column of the table of figures, by the figures' names."""
    heads = [item.text() for c in range(table.columnCount()) if (item := table.horizontalHeaderItem(c)) is not None]
    column, told = heads.index(title), {}
    for row in range(table.rowCount()):
        name, value = table.item(row, 0), table.item(row, column)
        assert name is not None
        assert value is not None
        told[name.text()] = value.text()
    return told


@pytest.fixture
def statistics(on_a_day: MainWindow) -> StatisticsPanel:
    on_a_day.docks["Statistics"].show()
    return on_a_day.statistics


def test_figures_are_told_of_portfolio_sides_and_symbols_up_to_the_cursor(
    statistics: StatisticsPanel, window: MainWindow
) -> None:
    """Per symbol and portfolio, long and short; sides and symbols add up to the portfolio."""
    go(window, 800)
    assert window.session is not None
    model = window.session.model
    whose = ("Portfolio", "Long", "Short", *model.facts.symbols)
    told = {each: int(column_of(statistics.figures, each)["Trades"].replace(",", "")) for each in whose}
    assert told["Portfolio"] == model.store.trades.count(model.cursor)
    assert told["Long"] + told["Short"] == told["Portfolio"]
    assert sum(told[symbol] for symbol in model.facts.symbols) == told["Portfolio"]
    assert column_of(statistics.figures, "Long")["Sharpe"] == "\N{EN DASH}"  # a side has no equity of its own


def test_figures_that_are_missing_have_one_sign_in_the_table(statistics: StatisticsPanel, window: MainWindow) -> None:
    """Before the first trade hardly any figure exists, for whichever reason."""
    go(window, 1)
    texts = {
        text for whose in ("Portfolio", "Long", "ES_SYN") for text in column_of(statistics.figures, whose).values()
    }
    assert "\N{EN DASH}" in texts
    assert "-" not in texts


def test_the_table_of_months_says_what_the_report_says(statistics: StatisticsPanel, window: MainWindow) -> None:
    statistics.tabs.setCurrentIndex(1)
    go(window, 1200)
    assert window.session is not None
    model = window.session.model
    equity = model.store.equity.rows["equity"][:1201].copy()
    found = monthly_returns(model.facts.market.trading_day[:1201], equity, model.facts.initial_cash)
    month = int(np.flatnonzero(~np.isnan(found.returns[0]))[0])
    item = statistics.months.item(0, 1 + month)
    assert item is not None
    head = statistics.months.horizontalHeaderItem(1 + month)
    assert head is not None
    assert head.text() == MONTHS[month]
    assert float(item.text().replace("\N{MINUS SIGN}", "-")) == pytest.approx(100 * found.returns[0, month], abs=0.051)


def test_histogram_and_scatter_hold_every_closed_trade(statistics: StatisticsPanel, window: MainWindow) -> None:
    """Histogram of R, MAE/MFE scatter."""
    statistics.tabs.setCurrentIndex(2)
    go(window, 900)
    assert window.session is not None
    known = window.session.model.store.trades.upto(window.session.model.cursor)
    assert statistics.histogram.histogram.counts.sum() == (~np.isnan(known["r_multiple"])).sum()
    assert statistics.histogram.told.startswith(f"{len(known)} trades")
    statistics.tabs.setCurrentIndex(3)
    pump(window)()
    assert np.array_equal(statistics.scatter.mae, known["mae"])
    assert np.array_equal(statistics.scatter.mfe, known["mfe"])


# Nothing from beyond the cursor


def other_future(store: JournalStore, bar: int) -> JournalStore:
    """A journal that agrees up to a bar and says something else after it."""
    other = store.cut(store.bars, {name: len(getattr(store, name)) for name in TABLES})
    other.equity.rows["equity"][bar + 1 :] *= 3.0
    later = other.trades.rows["exit_bar"] > bar
    other.trades.rows["net"][later] *= -1.0
    return other


def test_the_scrub_bar_shows_nothing_of_what_comes_after_the_cursor(
    look: QApplication, day: tuple[RunFacts, JournalStore]
) -> None:
    facts, store = day
    bar = store.bars // 2
    pictures = []
    for each in (store, other_future(store, bar)):
        session = RunSession(facts, store=each, status="completed")
        scrub = ScrubBar()
        scrub.resize(500, 30)
        scrub.session, scrub.look = session, DARK
        for at in (bar, store.bars - 1):
            session.model.cursor_model.go(at, Phase.CLOSE)
            pictures.append(scrub.grab().toImage())
        scrub.deleteLater()
    assert pictures[0] == pictures[2]
    assert pictures[1] != pictures[3]  # at the end it would have been seen


# Multiples of learned exits


def choices_of(arms: list[int], multiples: tuple[float, ...] = (1.0, 2.0, 4.0)) -> Any:
    rows = np.zeros(len(arms), CHOICE)
    for number in range(8):
        rows[f"v{number}"] = np.arange(len(arms)) + 10.0 * number if number < len(multiples) else np.nan
    rows["arm"], rows["bar"] = arms, np.arange(len(arms)) * 7
    rows["multiple"] = np.array(multiples)[arms]
    return rows


def test_the_history_of_arms_counts_each_choice_once() -> None:
    arms = [0, 0, 1, 2, 2, 2]
    history = ArmHistory.of(choices_of(arms))
    assert len(history.bars) == 6
    assert history.multiples.tolist() == [1.0, 2.0, 4.0]
    assert history.shares.argmax(axis=1).tolist() == arms
    assert history.worth[:, 1].tolist() == [10.0, 11.0, 12.0, 13.0, 14.0, 15.0]


def test_many_choices_are_joined_to_steps_whose_shares_are_whole() -> None:
    arms = list(np.random.default_rng(5).integers(0, 3, 9_973))
    history = ArmHistory.of(choices_of(arms), most=50)
    assert history.shares.shape == (50, 3)
    assert history.shares.sum(axis=1) == pytest.approx(1.0)
    edges = [*np.searchsorted(np.arange(9_973) * 7, history.bars), 9_973]
    for arm in range(3):
        counted = [sum(a == arm for a in arms[b:e]) for b, e in itertools.pairwise(edges)]
        assert (history.shares[:, arm] * np.diff(edges)).round().astype(int).tolist() == counted


def test_an_arm_that_was_never_served_has_a_place_and_no_multiple_yet(look: QApplication) -> None:
    picture = ArmPicture()
    picture.put(choices_of([0, 0, 2]), ("a", "b"))
    assert [picture.name(arm) for arm in range(3)] == ["1 ATR", "arm 1", "4 ATR"]
    picture.resize(700, 140)
    beside = picture.grab().toImage()
    picture.resize(300, 320)
    assert not picture.grab().isNull()
    picture.resize(700, 140)
    picture.put(choices_of([0, 0, 2])[:0], ("", ""))
    assert picture.grab().toImage() != beside


def test_the_multiples_of_a_bandit_are_shown_up_to_the_cursor_and_of_one_symbol(window: MainWindow) -> None:
    """Learned exits, bandit arms over time."""
    config = config_of("sample", "end=2024-09-03").with_part("exit", {"name": "linucb"}, "exit=linucb")
    window.load("a bandit", lambda: new_session(config, False))
    # The exit's own kernel may have to be compiled first.
    until(lambda: window.session is not None and not window.session.running, pump(window), 20_000)
    session = window.session
    assert session is not None
    window.activity.tabs.setCurrentWidget(window.learned)
    rows = session.model.store.choices.rows
    bar = int(rows["bar"][len(rows) // 2])
    go(window, bar)
    picture = window.learned.picture
    known = rows[rows["bar"] <= bar]
    assert picture.last is not None
    assert picture.last["bar"] == known["bar"][-1]
    assert window.learned.told.text().startswith(f"{len(known):,} choices")
    window.learned.of.setCurrentIndex(1)
    own = known[known["symbol"] == 0]
    assert window.learned.told.text().startswith(f"{len(own):,} choices")
    go(window, 0, Phase.OPEN)
    assert picture.last is None


def test_charts_that_are_made_anew_show_their_trades_though_the_cursor_stands(on_a_day: MainWindow) -> None:
    """A toggle, another timeframe or indicator makes charts anew; what was on them is on them again."""
    pump(on_a_day)()
    before = on_a_day.charts.charts[0].grab().toImage()
    for on in (False, True):
        on_a_day.handling.slot("volume")(on)
        pump(on_a_day)()
        pump(on_a_day)()
    assert on_a_day.charts.charts[0].grab().toImage() == before
