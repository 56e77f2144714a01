"""Exits: a stop that trails and one that stays (S12)."""

import numpy as np
import pytest

from bots.base import BaseStrategyBot
from bots.trend_following import TrendFollowingBot
from engine.backtester import BacktesterEngine
from engine.run import Run
from exits.atr import FixedRatioExit, TrailingATRExit
from exits.base import ExitStrategy
from tests.properties import drives
from tests.properties.bars import random_market
from tests.rules.table import Bars, Row, made, play
from tests.scenarios import kernel

W: Row = (100, 102, 98, 100)


def bot(kind: str, **settings: float) -> dict[str, object]:
    exit_ = {"kind": kind, "atr_multiple": 1.0, "atr_period": 1} | settings
    sides = {"A": [None, None, "buy"]}
    return {"kind": "given", "sides": sides, "exit": exit_, "risk_pct": 0.01, "max_margin_pct": 0.5, "max_quantity": 1}


@pytest.mark.rule("S12.1")
def test_the_first_stop_lies_multiples_of_the_known_atr_behind_the_open_without_a_target() -> None:
    """ATR 4 at the close before; 1.5 x 4 below O 101. The wide bar of the entry does not count."""
    story = play([W, W, (101, 110, 99, 105)], bot=bot("trailing_atr", atr_multiple=1.5))

    assert story.held(2) == {"qty": 1, "avg": 101, "sl": 95, "tp": None}


@pytest.mark.rule("S12.1")
def test_a_stop_trails_the_last_close_once_that_is_beyond_the_entry() -> None:
    """Bar 3: C 100 is not beyond 100. Bar 4: C 104 - ATR 6 = 98. Bar 5: 111 - 12 = 99. Bar 6: 105 - 10 is looser."""
    bars: Bars = [W, W, W, (100, 105, 99, 104), (104, 112, 100, 111), (111, 111, 101, 105), (105, 106, 104, 105)]

    story = play(bars, bot=bot("trailing_atr"))

    assert [(story.held(bar) or {})["sl"] for bar in range(2, 7)] == [96, 96, 98, 99, 99]


@pytest.mark.rule("S12.1")
def test_the_average_entry_decides_slippage_included() -> None:
    """Bought at 100.25: a close of 100.25 is not beyond it, one of 100.50 is: 100.50 - 4.5 = 96."""
    level: Bars = [W, W, (100, 102.25, 98.25, 100.25), W]
    beyond: Bars = [W, W, (100, 102.5, 98, 100.5), W]
    given = bot("trailing_atr", atr_multiple=1.25)

    assert (play(level, bot=given, slippage_ticks=1).held(3) or {})["sl"] == 95
    assert (play(beyond, bot=given, slippage_ticks=1).held(3) or {})["sl"] == 95
    tight = bot("trailing_atr", atr_multiple=1.0)
    assert (play(beyond, bot=tight, slippage_ticks=1).held(3) or {})["sl"] == 96


@pytest.mark.rule("S12.2")
def test_a_fixed_stop_stays_and_the_target_is_a_multiple_of_its_distance() -> None:
    """4 points of risk, 1.5 times as much to gain, and nothing moves while price runs ahead."""
    bars: Bars = [W, W, W, (100, 105, 99, 105), (105, 105.5, 104, 105)]

    story = play(bars, bot=bot("fixed_ratio", r_multiple=1.5))

    assert [story.held(bar) for bar in (2, 3, 4)] == [{"qty": 1, "avg": 100, "sl": 96, "tp": 106}] * 3


class TrailingInPython(TrailingATRExit):
    """The same exit as a class of one's own, which no compiled code stands for."""


class RatioInPython(FixedRatioExit):
    """Likewise."""


@pytest.mark.parametrize(
    ("compiled", "python"),
    [
        pytest.param(TrailingATRExit, TrailingInPython, marks=pytest.mark.rule("S12.1")),
        pytest.param(FixedRatioExit, RatioInPython, marks=pytest.mark.rule("S12.2")),
    ],
)
def test_an_exit_called_in_python_does_what_the_compiled_one_does(
    compiled: type[ExitStrategy], python: type[ExitStrategy]
) -> None:
    market = random_market(np.random.default_rng(3), {"A": 0.25, "B": 1.0}, 600)
    case = made(
        {name: [None if r is None else tuple(r) for r in rows] for name, rows in market.rows.items()}, (), 1.0, {}
    )

    def left_with(exit_: ExitStrategy) -> tuple[bytes, int]:
        engine = BacktesterEngine(kernel.market_of(case), fx_rates={"X0": 1.0, "X1": 1.0}, initial_cash=1_000_000.0)
        bot: BaseStrategyBot = TrendFollowingBot(TrendFollowingBot.Settings(ema_span=5, breakout_atr=0.5), exit_)
        run = Run(engine, bot)
        run.complete()
        return drives.left_by(run), engine.tables.count("trades")

    first, second = left_with(compiled()), left_with(python())
    assert first == second
    assert first[1] > 20
