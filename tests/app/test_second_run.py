"""What a window keeps from one run to the next, and what it must not keep: panels begin anew with every run."""

from dataclasses import replace
from typing import Any

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QFileDialog

from app.charts.levels import LevelKind, MoveLevel
from app.dialogs.settings import SettingsDialog
from app.main_window import MainWindow
from app.replay.facts import RunFacts
from app.replay.playback import PRESETS
from app.replay.store import JournalStore
from app.session import RunSession
from tests.app.runs import config_of, finished, store_of
from tests.app.staging import go, pump, settled


@pytest.fixture(scope="module")
def of_one_symbol() -> tuple[RunFacts, JournalStore]:
    """A finished run of a single symbol."""
    config = config_of("coin_flip", "end=2024-09-03")
    run, prepared = finished(config)
    return RunFacts(config, prepared), store_of(run)


def open_second(window: MainWindow, of_one_symbol: tuple[RunFacts, JournalStore]) -> RunSession:
    """Another run in the same window."""
    facts, store = of_one_symbol
    session = RunSession(facts, store=store, status="completed")
    window.open_session(session)
    go(window, 30)
    return session


def test_a_run_of_fewer_symbols_shows_its_own_position_after_a_far_one_was_chosen(
    on_a_day: MainWindow, of_one_symbol: Any
) -> None:
    on_a_day.handling.views.choose_symbol(3)
    session = open_second(on_a_day, of_one_symbol)
    assert on_a_day.account.position.heading.text().endswith(session.facts.symbols[0])
    assert on_a_day.ticket.heading.text().endswith(session.facts.symbols[0])


def test_another_run_is_shown_in_its_own_bars_as_the_bar_over_the_charts_says(
    on_a_day: MainWindow, of_one_symbol: Any
) -> None:
    on_a_day.chart_bar.frames["1h"].click()
    assert on_a_day.charts.charts[0].view.timeframe is not None
    open_second(on_a_day, of_one_symbol)
    assert on_a_day.chart_bar.frames[None].isChecked()
    assert on_a_day.charts.charts[0].view.timeframe is None


def test_another_run_plays_as_fast_as_the_slider_says(on_a_day: MainWindow, of_one_symbol: Any) -> None:
    on_a_day.controls.speed.setValue(len(PRESETS) - 1)
    session = open_second(on_a_day, of_one_symbol)
    assert session.playback.speed == PRESETS[-1]


def test_another_symbol_is_shown_at_the_same_stretch_of_time(on_a_day: MainWindow) -> None:
    first = on_a_day.charts.charts[0].viewport_model
    first.show(100, 160)
    seen = (first.right, first.span)
    on_a_day.handling.views.choose_symbol(2)
    pump(on_a_day)()
    shown = on_a_day.charts.charts[0].viewport_model
    assert on_a_day.charts.charts[0].symbol == on_a_day.session.facts.symbols[2]  # type: ignore[union-attr]
    assert (shown.right, shown.span) == seen
    assert {id(chart.viewport_model) for chart in on_a_day.charts.charts} == {id(shown)}


def test_a_branch_that_is_being_computed_is_shown_though_somebody_wants_to_save(
    on_a_day: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine would turn to what is saved, and never come to where the branch can be shown."""
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("saved", ""))
    on_a_day.handling.act({"type": "market", "symbol": "ES_SYN", "side": "buy", "qty": 1.0})
    on_a_day.handling.slot("save")()
    settled(on_a_day)
    session = on_a_day.session
    assert session is not None
    assert session.model.course == 1
    assert "save or report once it is shown" in on_a_day.notes.text.toPlainText()


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Return])
def test_a_filter_gives_the_keys_back_to_the_replay(on_a_day: MainWindow, key: Qt.Key) -> None:
    """B in the filter is a letter; after Enter or Escape it is an order again."""
    on_a_day.activateWindow()
    field = on_a_day.activity.page_of("trades").filter
    field.setFocus()
    QTest.keyClicks(field, "long")
    QTest.keyClick(field, key)
    assert not field.hasFocus()
    assert on_a_day.stack.hasFocus()


def test_a_dragged_stop_limit_whose_prices_are_one_moves_its_stop(on_a_day: MainWindow) -> None:
    """S6.8: its line stands at the stop until that is met, wherever the limit is."""
    session = on_a_day.session
    assert session is not None
    above = session.facts.mark(0, session.model.cursor) + 500.0
    order = {"type": "stop_limit", "symbol": "ES_SYN", "side": "buy", "qty": 1.0, "stop": above, "limit": above}
    on_a_day.handling.act(order)
    settled(on_a_day)
    line = next(each for each in session.model.levels(0) if each.kind is LevelKind.ORDER)
    on_a_day.handling.move_level(
        MoveLevel(
            symbol="ES_SYN", key=line.key, kind=line.kind, old_price=above, price=above - 1.0,
            cursor=session.model.cursor,
        )
    )  # fmt: skip
    settled(on_a_day)
    (moved,) = session.model.working
    assert (moved.stop, moved.limit) == (above - 1.0, above)


def test_layouts_are_of_runs_and_not_of_the_start_page(window: MainWindow) -> None:
    """One saved on the start page would hide every dock, one used there would show docks of no run."""
    layouts = window.handling.views.layouts
    assert layouts is not None
    assert not layouts.isEnabled()
    assert not window.actions_by_key["layout_save"].isEnabled()


def test_a_quantity_may_be_as_small_as_a_lot(on_a_day: MainWindow) -> None:
    session = on_a_day.session
    assert session is not None
    assert on_a_day.handling.views.layouts.isEnabled()  # type: ignore[union-attr]
    whole = session.facts.contracts[1]
    session.facts.contracts[1] = replace(whole, facts=replace(whole.facts, lot_size=0.001))
    try:
        on_a_day.ticket.set_column(1)
        on_a_day.ticket.quantity.setValue(0.003)
        assert on_a_day.ticket.ticket(1).quantity == 0.003
        on_a_day.ticket.quantity.stepUp()
        assert on_a_day.ticket.ticket(1).quantity == 0.004
    finally:
        session.facts.contracts[1] = whole


def test_what_was_asked_of_a_run_does_not_befall_the_one_that_was_loaded_meanwhile(
    on_a_day: MainWindow, of_one_symbol: Any
) -> None:
    on_a_day.actions_by_key["setting"].trigger()
    dialog = on_a_day.dialogs[-1]
    assert isinstance(dialog, SettingsDialog)
    dialog.form.fields["atr_multiple"].put(6)
    session = open_second(on_a_day, of_one_symbol)
    dialog.accept()
    assert not session.branching
    assert list(session.courses) == [0]


@pytest.mark.parametrize("asked", ["Show", "Rename …", "Save", "Delete"])
def test_a_branch_that_is_gone_is_not_asked_for_again(on_a_day: MainWindow, asked: str) -> None:
    """A second click comes before the list has been written anew."""
    on_a_day.ticket.send(1)
    settled(on_a_day)
    panel, session = on_a_day.branches, on_a_day.session
    assert session is not None
    on_a_day.activity.tabs.setCurrentWidget(panel)
    pump(on_a_day)()
    panel.table.setCurrentCell(1, 0)
    panel.buttons["Delete"].click()
    panel.buttons[asked].click()
    assert list(session.courses) == [0]


def test_charts_that_are_made_anew_leave_none_behind_that_is_painted(on_a_day: MainWindow, of_one_symbol: Any) -> None:
    """Qt deletes a widget in a later turn; until then it would be painted with whatever is left of it."""
    charts, equity = list(on_a_day.charts.charts), on_a_day.equity.chart
    assert equity is not None
    assert [chart.isVisible() for chart in (*charts, equity)] == [True] * 3
    on_a_day.charts.redress()
    assert [chart.isVisible() for chart in charts] == [False] * 2
    open_second(on_a_day, of_one_symbol)
    assert not equity.isVisible()
