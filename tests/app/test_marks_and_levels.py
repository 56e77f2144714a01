"""Trades appear when they begin and end; price lines tell money and R."""

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from app.charts.cursor import Cursor
from app.charts.levels import Level, LevelKind, MoveLevel, Stake, position_levels
from app.charts.marks import TradeMarks
from app.charts.prices import MINUS
from app.charts.viewport import Viewport
from app.live.papers import levels, moved
from engine.kernel.schema import TRADE, OrderStatus, OrderType, Phase, Reject, Source, TimeInForce
from engine.orders import Order, Side
from engine.paper import PaperRun


def two_trades() -> TradeMarks:
    rows = np.zeros(2, dtype=TRADE)
    rows["entry_bar"], rows["entry_phase"] = [10, 50], [Phase.OPEN, Phase.INTRABAR]
    rows["exit_bar"], rows["exit_phase"] = [20, 60], [Phase.INTRABAR, Phase.OPEN]
    rows["entry_price"], rows["exit_price"] = [17_600, 17_640], [17_640, 17_600]
    rows["side"], rows["net"] = [1, 1], [500.0, -500.0]
    return TradeMarks.from_records(rows, 0.25)


@pytest.mark.parametrize(
    ("cursor", "begun", "ended"),
    [
        (Cursor(9, Phase.CLOSE), 0, []),
        (Cursor(10, Phase.OPEN), 1, [False]),
        (Cursor(20, Phase.OPEN), 1, [False]),
        (Cursor(20, Phase.INTRABAR), 1, [True]),
        (Cursor(50, Phase.OPEN), 1, [True]),
        (Cursor(50, Phase.INTRABAR), 2, [True, False]),
        (Cursor(60, Phase.OPEN), 2, [True, True]),
    ],
)
def test_a_trade_appears_in_the_phase_in_which_it_begins_and_ends(
    cursor: Cursor, begun: int, ended: list[bool]
) -> None:
    """S8.8"""
    found, closed = two_trades().between(0, 100, cursor)

    assert found.stop - found.start == begun
    assert closed.tolist() == ended


def test_a_trade_that_spans_the_window_is_found_although_both_its_ends_lie_outside() -> None:
    found, _ = two_trades().between(52, 55, Cursor(100))

    assert (found.start, found.stop) == (1, 2)


def test_prices_of_the_journal_are_ticks() -> None:
    assert two_trades().entry_price.tolist() == [4400.0, 4410.0]
    assert len(TradeMarks.empty()) == 0


def test_the_lines_of_a_short_tell_the_money_and_r_of_its_stop_and_target() -> None:
    """Short 2 ES at 4,408.00, stop 4,426.00: 18 points x 50 x 2 = 1,800."""
    entry, stop, target = position_levels(
        side=-1, quantity=2, average=4408.0, point_value=50.0, stop=4426.0, target=4378.0, initial_risk=1800.0
    )

    assert entry.label() == "POS  SHORT 2"
    assert stop.label() == f"SL  {MINUS}1,800 USD  {MINUS}1.0 R"
    assert target.label() == "TP  +3,000 USD  +1.7 R"
    assert stop.label(4417.0) == f"SL  {MINUS}900 USD  {MINUS}0.5 R"
    assert [level.draggable for level in (entry, stop, target)] == [False, True, True]


def test_a_position_without_levels_has_one_line() -> None:
    levels = position_levels(
        side=1, quantity=1, average=10.0, point_value=1.0, stop=None, target=float("nan"), initial_risk=None
    )

    assert [level.key for level in levels] == ["entry"]


def test_without_an_initial_risk_there_is_no_r() -> None:
    """S8.8: empty without a stop."""
    stake = Stake(average=100.0, money_per_point=10.0)

    assert stake.text(99.0) == f"{MINUS}10 USD"


def test_an_order_is_named_by_its_own_words() -> None:
    assert Level(key="7", kind=LevelKind.ORDER, price=1.0, text="BUY 1 LIMIT").label() == "BUY 1 LIMIT"


def test_a_viewport_that_follows_keeps_the_cursor_near_its_right_edge() -> None:
    viewport = Viewport(span=100.0)

    viewport.settle(Cursor(499))

    assert 500 < viewport.right < 510


def test_fitting_shows_the_run_so_far() -> None:
    viewport = Viewport(fit=True)

    viewport.settle(Cursor(999))

    assert viewport.right - viewport.span <= 0
    assert 1000 <= viewport.right <= 1050


def test_zooming_stays_within_reason() -> None:
    viewport = Viewport()
    for _ in range(50):
        viewport.zoom(0.5, 100.0, Cursor(10_000))
    assert viewport.span == 8.0
    for _ in range(50):
        viewport.zoom(2.0, 100.0, Cursor(10_000))
    assert viewport.span == pytest.approx(12_000, rel=0.01)


def test_showing_a_trade_leaves_air_around_it() -> None:
    viewport = Viewport()

    viewport.show(100, 199)

    assert viewport.right - viewport.span < 100
    assert viewport.right > 200
    viewport.settle(Cursor(5000))
    assert viewport.right < 300
    viewport.home()
    viewport.settle(Cursor(5000))
    assert viewport.right > 5000


@pytest.mark.parametrize(("triggered", "at", "moves"), [(False, 105.0, "stop"), (True, 104.0, "limit")])
def test_the_line_of_a_stop_limit_stands_at_its_stop_until_that_is_met(triggered: bool, at: float, moves: str) -> None:
    """S6.8: on paper as in a replay; what is dragged is the price at which it rests."""
    order = Order(
        id=3, symbol="ES", side=Side.BUY, type=OrderType.STOP_LIMIT, quantity=1.0, limit=104.0, stop=105.0,
        stop_loss=None, take_profit=None, time_in_force=TimeInForce.GTC, reduce_only=False,
        status=OrderStatus.ACCEPTED, reject=Reject.NONE, reason="", source=Source.MANUAL, placed_bar=1,
        placed_phase=Phase.OPEN, ended_bar=None, ended_phase=None, triggered=triggered,
    )  # fmt: skip
    account = SimpleNamespace(position=lambda symbol: None, get_orders=lambda: [order])
    run = cast(PaperRun, SimpleNamespace(engine=account, held=()))
    (line,) = levels(run, "ES")
    assert (line.price, line.key) == (at, "3")
    wish = MoveLevel(symbol="ES", key="3", kind=LevelKind.ORDER, old_price=at, price=at + 1, cursor=Cursor())
    assert moved(wish, run) == {"type": "modify_order", "id": 3, moves: at + 1}
