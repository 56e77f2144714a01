"""The window derives account, positions and orders from (journal, cursor); the engine itself is the judge."""

import math

import numpy as np
import pytest

from app.charts.cursor import Cursor
from app.replay.model import ReplayModel
from engine.backtester import BacktesterEngine
from engine.config import BacktestConfig
from engine.kernel.schema import Phase, Source
from tests.app.runs import config_of, model_of, phases

BY_HAND = (
    {"bar": 30, "phase": "OPEN", "type": "limit", "symbol": "ES_SYN", "side": "buy", "qty": 1, "limit": 4990.0,
     "sl": 4985.0, "tp": 5000.0, "source": "manual"},
    {"bar": 35, "phase": "CLOSE", "type": "stop", "symbol": "ES_SYN", "side": "sell", "qty": 1, "stop": 4980.0,
     "source": "manual"},
    {"bar": 60, "phase": "OPEN", "type": "market", "symbol": "ES_SYN", "side": "buy", "qty": 2, "sl": 4900.0,
     "source": "manual"},
    {"bar": 64, "phase": "CLOSE", "type": "modify_stop", "symbol": "ES_SYN", "sl": 4950.0, "source": "manual"},
    {"bar": 90, "phase": "OPEN", "type": "market", "symbol": "ES_SYN", "side": "buy", "qty": 1, "source": "manual"},
    {"bar": 120, "phase": "OPEN", "type": "close", "symbol": "ES_SYN", "source": "manual"},
    {"bar": 130, "phase": "CLOSE", "type": "stop_limit", "symbol": "ES_SYN", "side": "buy", "qty": 1, "stop": 5010.0,
     "limit": 5012.0, "tif": "day", "source": "manual"},
    {"bar": 140, "phase": "CLOSE", "type": "market", "symbol": "ES_SYN", "side": "buy", "qty": 9000,
     "source": "manual"},
)  # fmt: skip


def near(mine: float | None, theirs: float | None) -> bool:
    if mine is None or theirs is None:
        return mine is None and theirs is None
    return math.isclose(mine, theirs, rel_tol=1e-9, abs_tol=1e-6)


def compare(model: ReplayModel, cursor: Cursor, engine: BacktesterEngine) -> None:
    account, theirs = model.account, engine.get_portfolio()
    if cursor.phase is Phase.CLOSE:
        assert account.equity == float(engine.tables.equity["equity"][cursor.bar])
    for name in ("equity", "cash", "used_margin", "free_margin", "unrealised", "day_result"):
        assert near(getattr(account, name), getattr(theirs, name)), (cursor, name)
    assert near(account.maintenance, theirs.maintenance_margin), cursor
    held = engine.get_positions()
    assert [each.symbol for each in model.positions] == [each.symbol for each in held]
    for mine, their in zip(model.positions, held, strict=True):
        told = (mine.quantity, mine.average, mine.mark, mine.stop, mine.target, mine.risk, mine.unrealised)
        engines = (
            their.quantity, their.average, their.mark, their.stop_loss, their.take_profit, their.initial_risk,
            their.unrealised,
        )  # fmt: skip
        assert all(near(a, b) for a, b in zip(told, engines, strict=True)), (cursor, told, engines)
        assert (mine.entry_bar, mine.trade) == (their.entry_bar, their.trade)
    working = engine.get_orders()
    assert [each.id for each in model.working] == [each.id for each in working]
    for mine, their in zip(model.working, working, strict=True):
        assert (mine.side, mine.type, mine.quantity, mine.triggered) == (
            int(their.side), their.type, their.quantity, their.triggered,
        )  # fmt: skip
        assert near(mine.limit, their.limit)
        assert near(mine.stop, their.stop)
        assert near(mine.stop_loss, their.stop_loss), (cursor, mine.stop_loss, their.stop_loss)
        assert near(mine.take_profit, their.take_profit), (cursor, mine.take_profit, their.take_profit)
    if model.orders.count(cursor):
        last = model.orders.state(model.orders.count(cursor) - 1, cursor)
        assert last.status == engine.order(last.id).status
        assert last.reason == engine.order(last.id).reason


@pytest.mark.parametrize(
    ("config", "by_hand"),
    [
        (config_of("coin_flip", "end=2024-09-03"), BY_HAND),
        (config_of("sample", "end=2024-09-02T23:30:00", "bot.risk_pct=0.004"), ()),
    ],
    ids=["one symbol, bot and hand", "four symbols"],
)
def test_at_every_phase_the_window_says_what_the_engine_says(config: BacktestConfig, by_hand: tuple) -> None:
    """S4 to S8: at every (bar, phase)."""
    model = model_of(config, *by_hand)
    for cursor, engine in phases(config, *by_hand):
        model.cursor_model.go(cursor.bar, cursor.phase)
        compare(model, cursor, engine)
    assert any(row["source"] == Source.MANUAL for row in model.store.fills.rows) == bool(by_hand)


def test_the_levels_that_a_resting_order_brings_are_those_of_the_cursor() -> None:
    """S8.1: changed twice while it rests; the order's own row has the last ones alone."""
    config = config_of("coin_flip", "end=2024-09-03")
    placed = {"bar": 30, "phase": "OPEN", "type": "limit", "symbol": "ES_SYN", "side": "buy", "qty": 1, "limit": 4900.0,
              "sl": 4890.0, "source": "manual"}  # fmt: skip
    rows = model_of(config, placed).store.orders.rows
    change = {"type": "modify_order", "id": int(np.flatnonzero(rows["source"] == Source.MANUAL)[0]) + 1}
    by_hand = (
        placed,
        {**change, "bar": 45, "phase": "CLOSE", "sl": 4880.0, "tp": 4950.0, "source": "manual"},
        {**change, "bar": 60, "phase": "OPEN", "sl": 4870.0, "source": "manual"},
    )
    model = model_of(config, *by_hand)
    seen = []
    for cursor, engine in phases(config, *by_hand):
        model.cursor_model.go(cursor.bar, cursor.phase)
        compare(model, cursor, engine)
        seen += [(one.stop_loss, one.take_profit) for one in model.working if one.id == change["id"]]
    assert list(dict.fromkeys(seen)) == [(4890.0, None), (4880.0, 4950.0), (4870.0, 4950.0)]


def test_going_back_shows_what_was_shown_on_the_way_there() -> None:
    config = config_of("sample", "end=2024-09-03")
    model = model_of(config)
    there = {}
    for bar in range(0, model.store.bars, 7):
        for phase in Phase:
            model.cursor_model.go(bar, phase)
            there[bar, phase] = (model.account, tuple(model.positions), tuple(model.working))
    for (bar, phase), shown in reversed(there.items()):
        model.cursor_model.go(bar, phase)
        assert (model.account, tuple(model.positions), tuple(model.working)) == shown


def test_nothing_beyond_the_cursor_is_used() -> None:
    """Everything derived at a cursor is the same from a journal that was cut there."""
    config = config_of("sample", "end=2024-09-03")
    whole = model_of(config)
    bar = whole.store.bars // 2
    counts = {
        name: getattr(whole.store, name).count(Cursor(bar, Phase.CLOSE))
        for name in ("fills", "trades", "events", "calls", "choices", "orders")
    }
    cut = ReplayModel(whole.facts, whole.store.cut(bar + 1, counts))
    for model in (whole, cut):
        model.cursor_model.go(bar, Phase.CLOSE)
    assert whole.account == cut.account
    assert whole.positions == cut.positions
    assert whole.working == cut.working
    assert whole.figures.portfolio(whole.cursor) == cut.figures.portfolio(cut.cursor)
    assert np.array_equal(whole.figures.symbol_equity(0, bar), cut.figures.symbol_equity(0, bar))


def test_statistics_in_the_middle_of_a_bar_count_the_bars_that_have_closed() -> None:
    """S13: a position that begins or ends in the bar under way is no bar held yet, and none that is counted twice."""
    model = model_of(config_of("sample", "end=2024-09-03"))
    inside = {int(row["bar"]) for row in model.store.fills.rows if row["phase"] == Phase.INTRABAR}
    assert inside
    for bar in sorted(inside):
        before = model.figures.portfolio(Cursor(bar - 1, Phase.CLOSE)).exposure
        for phase in (Phase.OPEN, Phase.INTRABAR):
            assert model.figures.portfolio(Cursor(bar, phase)).exposure == before
