"""A week of real bars of three exchanges in the window: opened, stepped through, gone back, branched."""

from pathlib import Path

from app.charts.cursor import Cursor
from app.main_window import MainWindow
from app.opening import new_session
from engine.config import BacktestConfig
from engine.kernel.schema import Phase
from tests.app.runs import until
from tests.app.staging import frame, go, pump


def test_a_week_of_es_gc_and_spy_is_walked_through(window: MainWindow, shared_dir: Path) -> None:
    data = shared_dir / "data"
    config = BacktestConfig(
        name="week",
        assets=[
            {"symbol": "ESZ3", "file": str(data / "ESZ3_1m_2013-10.csv"), "contract": "ES"},
            {"symbol": "GCZ3", "file": str(data / "GCZ3_1m_2013-10.csv"), "contract": "GC"},
            {"symbol": "SPY", "file": str(data / "SPY_1m_2013-10.csv"), "contract": "SPY", "asset_class": "equity",
             "tick_size": 0.01, "tick_value": 0.01, "initial_margin_rate": 0.5, "maintenance_margin_rate": 0.25},
        ],
        data={"repair": "drop", "cache": False},
        bot={"name": "TrendFollowing", "settings": {"risk_pct": 0.002}},
        initial_cash=500_000.0,
        output={"report": False},
    )  # fmt: skip
    window.load("a week", lambda: new_session(config, False))
    until(lambda: window.loading is None and window.session is not None and not window.session.running, pump(window))
    session = window.session
    assert session is not None
    assert session.course.status == "completed"
    assert session.model.store.bars > 3000
    assert len(session.model.store.trades) > 10
    shown = {}
    places = [Cursor(bar, Phase(bar % 3)) for bar in range(5, session.model.store.bars, session.model.store.bars // 23)]
    for cursor in [*places, *reversed(places)]:
        go(window, cursor.bar, cursor.phase)
        state = (session.model.account, tuple(session.model.positions), window.controls.date.text())
        assert shown.setdefault(cursor, state) == state
    window.go(Cursor(session.model.store.bars // 2, Phase.OPEN))
    for column in range(3):
        window.handling.views.choose_symbol(column)
        frame(window)
        assert window.charts.charts[0].symbol == session.facts.symbols[column]
    window.handling.slot("buy")()
    until(lambda: not session.branching and not session.running, pump(window))
    assert session.model.course == 1
