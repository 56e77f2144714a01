"""Which panels draw: those of which something is to be seen, and no others."""

from app.main_window import MainWindow
from app.panels.panel import Panel
from app.session import RunSession
from tests.app.staging import go, pump


def shown_by(panel: Panel) -> list[int]:
    """Bars for which the panel draws from now on."""
    seen = []
    show = panel.show_state

    def counted(session: RunSession) -> None:
        seen.append(session.model.cursor.bar)
        show(session)

    panel.show_state = counted  # type: ignore[method-assign]
    return seen


def drawn(window: MainWindow, panel: Panel) -> list[int]:
    """Bars for which the panel draws while the cursor moves."""
    seen = shown_by(panel)
    for bar in (300, 500, 900):
        go(window, bar)
    return seen


def test_charts_that_cover_their_panel_follow_the_cursor(on_a_day: MainWindow) -> None:
    """A chart is opaque: one that fills the panel leaves nothing of the panel itself to be seen."""
    on_a_day.charts.show_symbols([0])
    pump(on_a_day)()
    assert on_a_day.charts.visibleRegion().isEmpty()
    assert set(drawn(on_a_day, on_a_day.charts)) == {300, 500, 900}


def test_a_dock_behind_another_tab_draws_nothing(on_a_day: MainWindow) -> None:
    """Qt counts it as visible, so that it would be drawn at every frame, and Why would ask the engine."""
    behind = on_a_day.inspector
    on_a_day.docks["Activity"].raise_()
    pump(on_a_day)()
    assert behind.isVisible()
    assert drawn(on_a_day, behind) == []


def test_tables_and_other_figures_take_turns_while_bars_rush_by(on_a_day: MainWindow) -> None:
    """No frame pays for both; once time stands still every panel shows the cursor."""
    session = on_a_day.session
    assert session is not None
    go(on_a_day, 10)
    tables, account = shown_by(on_a_day.activity), shown_by(on_a_day.account)
    session.playback.speed = 5000.0
    session.playback.play()
    for _ in range(12):
        session.playback.advance(0.002)
        on_a_day.activity.refresh()
        on_a_day.account.refresh()
    assert len(tables) == 3
    assert len(account) == 6
    assert not set(tables) & set(account)
    session.playback.play(False)
    on_a_day.activity.refresh()
    on_a_day.account.refresh()
    assert account[-1] == session.model.cursor.bar
    assert tables[-1] == session.model.cursor.bar
