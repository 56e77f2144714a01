"""Asking why leaves the run where it stood, to the last byte, and says the figures that the run used (S11, S14)."""

from threading import Lock
from typing import Any

import pytest

from bots.base import BaseStrategyBot, BotSettings
from engine.environment import TradingEnvironment
from engine.inspection import explain_decision, explain_fill
from engine.kernel.schema import OrderType
from engine.orders import OrderRequest, Side
from engine.run import Run
from tests.unit.engine import small_runs
from tests.unit.engine.small_runs import ActingBot


def rests_and_fills(env: TradingEnvironment) -> None:
    """A limit order that rests from bar 3 on and is cancelled at bar 12, and one of a stop that fills."""
    if env.bar_index == 3:
        env.place_order(OrderRequest(symbol="ES", side=Side.BUY, quantity=1, type=OrderType.LIMIT, limit=50.0))
        env.place_order(OrderRequest(symbol="ES", side=Side.BUY, quantity=1, type=OrderType.STOP, stop=105.0))
    if env.bar_index == 12:
        env.cancel_order(1)


def run_at_its_end() -> Run:
    """A run with orders that ended, and a note of its last bars."""
    by_hand: list[dict[str, Any]] = [{"bar": 20, "phase": "OPEN", "type": "modify_order", "id": 9, "limit": 3.0}]
    run = Run(small_runs.engine(), ActingBot(rests_and_fills), interventions=by_hand, snapshots=True)
    run.complete()
    assert run.error is None
    return run


@pytest.mark.rule("S14")
@pytest.mark.parametrize("bar", [2, 5, 11, 25])
def test_a_run_that_was_asked_why_stands_where_it_stood(bar: int) -> None:
    run, untouched = run_at_its_end(), run_at_its_end()

    explain_decision(run, "ES", bar)

    assert run.status == untouched.status
    assert run.engine.notes == untouched.engine.notes != []
    for name in ("orders", "fills", "events"):
        assert run.engine.tables.rows(name).tobytes() == untouched.engine.tables.rows(name).tobytes(), name


class Alternating(BaseStrategyBot):
    """Buys and sells in turn, with a memory that it does not hand out."""

    def __init__(self, settings: BotSettings | None = None) -> None:
        super().__init__(settings)
        self.asked = 0

    def decide_side(self, env: TradingEnvironment, symbol: str) -> Side | None:
        self.asked += 1
        return Side.BUY if self.asked % 2 else Side.SELL


def alternating() -> Run:
    rows = [(100.0, 104.0, 96.0, 100.0)] * 60
    return Run(small_runs.engine({"ES": rows}), Alternating(BotSettings(atr_period=2)), snapshots=True)


@pytest.mark.rule("S14")
def test_a_memory_that_is_not_handed_out_begins_anew_with_the_run() -> None:
    run, whole = alternating(), alternating()
    whole.complete()
    run.complete()

    run.go_back(31)
    run.complete()

    assert whole.bot.asked > 5  # type: ignore[attr-defined]
    assert run.bot.asked == whole.bot.asked  # type: ignore[attr-defined]
    assert run.engine.tables.rows("fills").tobytes() == whole.engine.tables.rows("fills").tobytes()


@pytest.mark.rule("S14")
def test_asking_why_changes_nothing_for_a_memory_that_is_not_handed_out() -> None:
    run, whole = alternating(), alternating()
    whole.complete()
    run.advance(40)

    explain_decision(run, "ES", 17)
    run.complete()

    assert run.engine.tables.rows("fills").tobytes() == whole.engine.tables.rows("fills").tobytes()


def test_a_memory_that_can_neither_be_handed_out_nor_copied_is_told() -> None:
    run = alternating()
    run.bot.lock = Lock()  # type: ignore[attr-defined]
    run = Run(run.engine, run.bot, snapshots=True)
    run.complete()

    run.go_back(5)

    assert run.engine.notes == [
        "bar -1 CLOSE: Alternating has no get_state and cannot be copied: it remembers what is undone"
    ]


def test_prices_of_an_explanation_stand_on_their_ticks() -> None:
    """With as many decimals as the tick has; the reason is in words."""
    run = run_at_its_end()
    fills = run.engine.tables.rows("fills")
    told = explain_fill(run, 0)

    values = {step.label: step.value for step in told.steps}
    assert values["level"] == "105.00"
    assert values["price"] == f"{run.engine.scales[0].price(float(fills['price'][0])):.2f}"
    assert told.title.endswith(", stop")
