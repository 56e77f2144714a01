"""A week of real bars of three exchanges in the window: opened, stepped through, gone back, branched."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QApplication

from app.charts.cursor import Cursor
from app.main_window import MainWindow
from app.opening import new_session
from app.workspace import Workspace
from engine.config import BacktestConfig
from engine.kernel.schema import Phase
from tests.app.runs import until


@pytest.fixture
def window(look: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    monkeypatch.chdir(tmp_path)
    made = MainWindow(Workspace(None))
    made.resize(1400, 900)
    made.show()
    yield made
    made.close()
    made.deleteLater()


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

    def pump() -> None:
        window.clock.tick()
        QApplication.processEvents()

    window.load("a week", lambda: new_session(config, False))
    until(lambda: window.loading is None and window.session is not None and not window.session.running, pump)
    session = window.session
    assert session is not None
    assert session.course.status == "completed"
    assert session.model.store.bars > 3000
    assert len(session.model.store.trades) > 10
    shown = {}
    places = [Cursor(bar, Phase(bar % 3)) for bar in range(5, session.model.store.bars, session.model.store.bars // 23)]
    for cursor in [*places, *reversed(places)]:
        window.go(cursor)
        pump()
        state = (session.model.account, tuple(session.model.positions), window.controls.date.text())
        assert shown.setdefault(cursor, state) == state
    window.go(Cursor(session.model.store.bars // 2, Phase.OPEN))
    for column in range(3):
        window.handling.views.choose_symbol(column)
        pump()
        assert window.charts.charts[0].symbol == session.facts.symbols[column]
    window.handling.slot("buy")()
    until(lambda: not session.branching and not session.running, pump)
    assert session.model.course == 1
