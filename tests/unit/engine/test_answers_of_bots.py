"""What a bot, exit or script answers is looked at before it becomes a number of the kernel (S8.1, S11.3)."""

from pathlib import Path
from typing import Any

import pytest

from bots.base import BaseStrategyBot
from bots.scripted import ScriptedBot
from engine.environment import TradingEnvironment
from engine.errors import ConfigError
from engine.orders import OrderRequest, Side
from engine.run import Run
from exits.base import ExitContext, ExitStrategy, Levels
from tests.unit.engine import small_runs


class Answering(BaseStrategyBot):
    """Gives the same side at every open that is asked about."""

    def __init__(self, side: Any, exit_: ExitStrategy | None = None) -> None:
        super().__init__(BaseStrategyBot.Settings(atr_period=2), exit_)
        self.side = side

    def decide_side(self, env: TradingEnvironment, symbol: str) -> Any:
        return self.side


class NoLevels(ExitStrategy):
    """Gives a price alone."""

    def initial_levels(self, side: Side, entry_price: float, atr: float, market: ExitContext) -> Any:
        return entry_price - side


class Plain(ExitStrategy):
    """A stop one point away."""

    def initial_levels(self, side: Side, entry_price: float, atr: float, market: ExitContext) -> Levels:
        return Levels(stop_loss=entry_price - side)


@pytest.mark.parametrize("side", [2, -3, 1.5, "buy", float("nan")])
def test_a_side_that_is_none_ends_the_run_and_books_nothing(side: Any) -> None:
    run = Run(small_runs.engine(), Answering(side, Plain()))

    assert run.complete() == "failed"

    assert f"Answering.decide_side gave {side!r}; give Side.BUY (1), Side.SELL (-1)" in str(run.error)
    assert run.engine.tables.count("orders") == 0


@pytest.mark.parametrize(("side", "bought"), [(None, 0), (0, 0), (1, 1), (Side.BUY, 1), (True, 1), (-1, -1)])
def test_sides_may_be_given_as_numbers(side: Any, bought: int) -> None:
    run = Run(small_runs.engine(), Answering(side, Plain()))

    assert run.complete() == "completed"

    sides = set(run.engine.tables.rows("orders")["side"].tolist())
    assert sides == ({bought} if bought else set())


def test_levels_that_are_none_are_told_with_the_exit_s_name() -> None:
    run = Run(small_runs.engine(), Answering(Side.BUY, NoLevels()))

    assert run.complete() == "failed"

    assert "NoLevels.initial_levels gave " in str(run.error)
    assert "give Levels(stop_loss=...)" in str(run.error)


@pytest.mark.rule("S8.1")
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"side": 5}, "side 5 of an order for ES is none of Side.BUY, Side.SELL"),
        ({"side": 0}, "side 0 of an order for ES is none of Side.BUY, Side.SELL"),
        ({"side": "buy"}, "side 'buy' of an order for ES is none of Side.BUY, Side.SELL"),
        ({"type": 9}, "type 9 of an order for ES is none of OrderType.MARKET, OrderType.LIMIT"),
        ({"time_in_force": 3}, "time_in_force 3 of an order for ES is none of TimeInForce.GTC"),
    ],
)
def test_an_order_of_no_such_side_type_or_time_is_refused_where_it_is_made(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        OrderRequest(**{"symbol": "ES", "side": Side.BUY, "quantity": 1.0, **given})


def test_a_script_of_a_file_is_told_with_the_file_and_the_record(tmp_path: Path) -> None:
    file = tmp_path / "actions.json"
    file.write_text('[{"bar": 1, "phase": "OPEN", "type": "close", "symbol": "ES"}, {"bar": 1}]', encoding="utf-8")

    with pytest.raises(ConfigError, match=rf"{file} action 2: type None is none of market"):
        ScriptedBot(ScriptedBot.Settings(actions_file=file))


def test_what_a_script_wants_beyond_the_last_bar_is_told_in_the_report() -> None:
    action = {"phase": "OPEN", "type": "close", "symbol": "ES"}
    run = Run(small_runs.engine(), ScriptedBot(actions=[action | {"bar": bar} for bar in (3, 31, 40)]))

    run.complete()

    assert run.engine.notes == ["actions at bar 31 and later are never carried out: the last bar is 29"]


@pytest.mark.rule("S14")
@pytest.mark.parametrize("chunk", [1, 7, 256])
def test_a_bot_that_connects_to_a_signal_in_its_first_bar_hears_every_bar_after_it(chunk: int) -> None:
    heard: list[int] = []

    def connect(env: TradingEnvironment) -> None:
        if env.bar_index == 0:
            env.api.bar_closed.connect(lambda event: heard.append(event.bar))

    run = Run(small_runs.engine(), small_runs.ActingBot(connect))
    run.bars_per_chunk = chunk
    run.complete()

    assert heard == list(range(1, 30))
