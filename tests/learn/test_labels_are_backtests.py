"""A label, a reward and a replay are the R of a backtest, to the last bit: there is one set of fills."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from bots.base import BaseStrategyBot
from bots.coin_flip import CoinFlipBot
from data.series import BarSeries
from engine.environment import TradingEnvironment
from engine.market import Market
from engine.orders import Side
from engine.run import Run
from engine.views import Position
from exits.atr import TrailingATRExit
from exits.base import ExitContext
from research.learning.entries import MULTIPLES, Ground
from research.learning.practice import Practice
from tests.learn import grounds

COSTS = {"slippage_ticks": 1.0, "commission_per_contract": 2.25, "fee_per_trade": 1.5}


def trades_of(multiple: float, rules: dict[str, Any], quantity: float = 1.0) -> tuple[Ground, Any]:
    """Trades of a whole backtest with a fixed multiple, and the ground of the same market."""
    of = grounds.market(7, sessions=6, **COSTS)
    settings = CoinFlipBot.Settings(risk_pct=0.5, max_quantity=quantity)
    bot = CoinFlipBot(settings, TrailingATRExit(TrailingATRExit.Settings(atr_multiple=multiple)))
    account = grounds.engine(of, **rules)
    assert Run(account, bot, drive="compiled").complete() == "completed"
    return Ground(grounds.engine(of, **rules), CoinFlipBot()), account.tables.rows("trades").copy()


@pytest.mark.rule("S12.3")
@pytest.mark.parametrize("multiple", [1.0, 3.0, 6.0])
@pytest.mark.parametrize(
    "rules", [{}, {"path": "best_case"}, {"path": "colour"}, {"market_fill": "next_open"}], ids=str
)
def test_a_label_is_the_r_of_the_backtest_to_the_last_bit(multiple: float, rules: dict[str, Any]) -> None:
    ground, trades = trades_of(multiple, rules)
    bars = trades["entry_bar"].astype(np.int64) - (rules.get("market_fill") == "next_open")

    r, exits = ground.stages[0].labels(bars, trades["side"], np.array([multiple]))

    assert len(trades) > 100
    assert r[:, 0].tobytes() == trades["r_multiple"].tobytes()
    assert (exits[:, 0] == trades["exit_bar"]).all()


def with_holes(seed: int) -> Market:
    """Two symbols of which the second lacks one bar in five, so that the first's bars go on without it."""
    of, rng = grounds.market(7, sessions=6, symbols=2, **COSTS), np.random.default_rng(seed)
    kept = np.flatnonzero(rng.random(len(of.series[1])) > 0.2)
    names = [field.name for field in fields(BarSeries) if isinstance(getattr(of.series[1], field.name), np.ndarray)]
    thinned = replace(of.series[1], **{name: getattr(of.series[1], name)[kept] for name in names})
    return Market(of.instruments, [of.series[0], thinned], seed=of.seed)


@pytest.mark.rule("S3.2", "S11.1", "S12.3")
@pytest.mark.parametrize("flatten", [True, False])
def test_labels_are_backtests_where_bars_are_missing_and_sessions_end(flatten: bool) -> None:
    of = with_holes(1)
    settings = CoinFlipBot.Settings(risk_pct=0.5, max_quantity=1.0, flatten_before_maintenance=flatten)
    bot = CoinFlipBot(settings, TrailingATRExit(TrailingATRExit.Settings(atr_multiple=4.0)))
    account = grounds.engine(of)
    assert Run(account, bot, drive="compiled").complete() == "completed"
    ground = Ground(grounds.engine(of), CoinFlipBot(settings))

    for column in (0, 1):
        trades = account.tables.rows("trades")
        own = trades[trades["symbol"] == column]
        r, exits = ground.stages[column].labels(own["entry_bar"].astype(np.int64), own["side"], np.array([4.0]))
        assert len(own) > 100
        assert r[:, 0].tobytes() == own["r_multiple"].tobytes()
        assert (exits[:, 0] == own["exit_bar"]).all()


@pytest.mark.rule("S12.3")
def test_the_size_of_a_label_weighs_a_fee_per_fill_as_the_backtest_does() -> None:
    ground, trades = trades_of(2.0, {}, quantity=7.0)

    r, _ = ground.stages[0].labels(trades["entry_bar"].astype(np.int64), trades["side"], np.array([2.0]), lots=7.0)

    assert r[:, 0].tobytes() == trades["r_multiple"].tobytes()


def test_an_r_of_the_atr_is_the_same_money_in_another_unit() -> None:
    ground, trades = trades_of(2.0, {})
    bars, sides = trades["entry_bar"].astype(np.int64), trades["side"]

    r, _ = ground.stages[0].labels(bars, sides, np.array([2.0]), unit="atr")

    atr = ground.features.closed[bars - 1, 0, 0]
    np.testing.assert_allclose(r[:, 0] * atr * 12.5, trades["net"], rtol=1e-12)


def played(mode: Any, choose: Any, count: int = 150) -> tuple[Practice, np.ndarray, np.ndarray]:
    """Play chosen trades to their end; returns sums of rewards and the R each ended with."""
    made = grounds.lesson(11, sessions=6, **COSTS)
    entries = made.entries.take(~made.entries.censored)
    practice = Practice(made.ground, entries, count, mode, seed=5)
    practice.reset()
    sums, r, going = np.zeros(count), np.full(count, np.nan), np.ones(count, bool)
    while going.any():
        practice.step(choose(practice), renew=False)
        sums[going] += practice.rewards[going]
        over = going & (practice.ends != 0)
        r[over] = practice.r[over]
        going &= practice.ends == 0
    return practice, sums, r


@pytest.mark.parametrize("mode", ["trade", "bars"])
def test_rewards_of_a_trade_sum_to_its_r(mode: str) -> None:
    """To the last bit a trade at a time; bar by bar the last reward is rounded once."""
    practice, sums, r = played(mode, lambda practice: practice.chosen % len(MULTIPLES))

    labels = practice.entries.r[practice.chosen, practice.chosen % len(MULTIPLES)]
    assert r.tobytes() == labels.tobytes()
    np.testing.assert_allclose(sums, r, rtol=0, atol=0 if mode == "trade" else 1e-14 * np.abs(r).max())


class ScriptedMultiples(TrailingATRExit):
    """Chooses a multiple anew at every bar: by the number of the bar."""

    @staticmethod
    def arm(bar: int) -> int:
        return bar * 7 % len(MULTIPLES)

    def initial_levels(self, side: Side, entry_price: float, atr: float, market: ExitContext) -> Any:
        self.settings = self.Settings(atr_multiple=MULTIPLES[self.arm(market.env.bar_index)])
        return super().initial_levels(side, entry_price, atr, market)

    def update_stop(self, position: Position, market: ExitContext) -> float | None:
        self.settings = self.Settings(atr_multiple=MULTIPLES[self.arm(market.env.bar_index)])
        return super().update_stop(position, market)


class EveryTenth(BaseStrategyBot):
    """Buys where it is flat at every tenth bar."""

    def decide_side(self, env: TradingEnvironment, symbol: str) -> Side | None:
        return Side.BUY if env.bar_index % 10 == 0 and env.bar_index > 200 else None


def test_a_multiple_chosen_anew_at_every_bar_earns_what_the_backtest_says() -> None:
    of = grounds.market(11, sessions=3, **COSTS)
    account = grounds.engine(of)
    settings = EveryTenth.Settings(risk_pct=0.5, max_quantity=1.0)
    assert Run(account, EveryTenth(settings, ScriptedMultiples()), drive="step").complete() == "completed"
    trades = account.tables.rows("trades")
    ground = Ground(grounds.engine(of), CoinFlipBot())
    entries = ground._labelled(  # the labels do not matter here, the places do
        0, trades["entry_bar"].astype(np.int64), np.ones(len(trades), np.int8), np.zeros((len(trades), 14))
    )
    practice = Practice(ground, entries, len(trades), "every_bar")
    practice.begin_at(np.arange(len(trades)), np.arange(len(trades)))
    going, r, sums = np.ones(len(trades), bool), np.zeros(len(trades)), np.zeros(len(trades))

    while going.any():
        practice.step(np.array([ScriptedMultiples.arm(int(bar)) for bar in practice.seats["own"]["bar"]]), renew=False)
        sums[going] += practice.rewards[going]
        r = np.where(going & (practice.ends == 1), practice.r, r)
        going &= practice.ends == 0

    assert len(trades) > 50
    assert r.tobytes() == trades["r_multiple"].tobytes()
    np.testing.assert_allclose(sums, r, atol=1e-13)


@pytest.mark.rule("S14")
def test_what_a_trade_sees_bar_by_bar_is_the_trade_as_it_stands() -> None:
    made = grounds.lesson(11, sessions=3)
    entries = made.entries.take(~made.entries.censored)
    practice = Practice(made.ground, entries, 1, "bars")
    practice.begin_at(np.array([0]), np.array([int(np.argmax(entries.r[:, 4]))]))
    assert (practice.x[0, 8:] == 0.0).all()

    practice.step(np.array([4]), renew=False)

    position = practice.seats["position"][0]
    own, bars = practice.seats["own"][0], made.ground.engine.tables.bars
    opening = bars[own["bar"], 0]["o"]
    side, risk = int(own["side"]), float(position["initial_risk"])
    assert practice.x[0, 8] == pytest.approx((opening - position["average"]) * side * 12.5 / risk)
    assert practice.x[0, 10] <= min(practice.x[0, 8], 0.0) <= max(practice.x[0, 8], 0.0) <= practice.x[0, 9]
    assert practice.x[0, 11] == pytest.approx(np.log(2.0) / 4.0)


def test_the_environment_passes_gymnasiums_check() -> None:
    checker = pytest.importorskip("gymnasium.utils.env_checker")
    from research.exit_env import ExitEnv

    made = grounds.lesson(11, sessions=3)
    for mode in ("trade", "bars", "every_bar"):
        environment = ExitEnv(made.ground, made.entries, mode, seed=1)
        checker.check_env(environment, skip_render_check=True)
        seen, _ = environment.reset(seed=1)

        assert environment.observation_space.contains(seen)


def test_an_episode_of_the_environment_ends_with_the_trades_r() -> None:
    pytest.importorskip("gymnasium")
    from research.exit_env import ExitEnv

    made = grounds.lesson(11, sessions=3)
    environment = ExitEnv(made.ground, made.entries, "bars")
    for entry in range(0, 200, 20):
        environment.reset(options={"entry": entry})
        total, over = 0.0, False
        while not over:
            _, reward, ended, cut, info = environment.step(np.int64(3))
            total, over = total + reward, ended or cut
        assert info["r"] == made.entries.r[entry, 3]
        assert total == pytest.approx(info["r"], abs=1e-13)
