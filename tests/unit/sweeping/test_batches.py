"""A batch gives every run what it would have come to alone, to the last bit (S13, S14)."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from bots.base import BaseStrategyBot, SideArray
from bots.coin_flip import CoinFlipBot
from bots.trend_following import TrendFollowingBot
from engine.batch import Bench, Seat, can_batch, digest_of, run_alone
from engine.config import BacktestConfig, load_config
from engine.kernel.batch import BLOCK
from engine.market import Market
from engine.preparing import Prepared, engine_of, prepare
from engine.result import Result
from engine.run import Run
from exits.atr import FixedRatioExit, TrailingATRExit
from tests.sweep.worlds import world

BARS = 3 * BLOCK + 77

RULES = {
    "defaults": (),
    "best case, through, next open": (
        "simulation.path=best_case",
        "simulation.limit_fill=through",
        "simulation.market_fill=next_open",
    ),
    "finish": ("simulation.liquidate_on_finish=true",),
    "margin calls": ("initial_cash=20000", "defaults.initial_margin=200", "defaults.maintenance_margin=190"),
    "breach, all": (
        "initial_cash=20000",
        "defaults.initial_margin=100",
        "defaults.maintenance_margin=19",
        "simulation.liquidation=all",
        "simulation.liquidation_price=breach",
        "simulation.liquidate_on_finish=true",
    ),
    "volume slippage": ("defaults.slippage_ticks=null", "defaults.slippage_model={name: volume}"),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> BacktestConfig:
    folder = tmp_path_factory.mktemp("batches")
    return load_config(world(folder, bars=BARS).with_name("base.yaml"))


def bots_of(config: BacktestConfig) -> list[Callable[[], BaseStrategyBot]]:
    bold = {"risk_pct": 1.0, "max_margin_pct": 1.0}
    careful = {"risk_pct": 0.02, "max_daily_loss_pct": 0.01, "max_positions_open": 1}
    near, far = TrailingATRExit.Settings(atr_multiple=1.0), FixedRatioExit.Settings(atr_multiple=9.0, r_multiple=0.5)
    return [
        lambda: TrendFollowingBot(TrendFollowingBot.Settings(ema_span=10, risk_pct=0.02)),
        lambda: TrendFollowingBot(TrendFollowingBot.Settings(ema_span=30, **careful), FixedRatioExit()),
        lambda: CoinFlipBot(CoinFlipBot.Settings(p_buy=0.3, **bold), TrailingATRExit(near)),
        lambda: CoinFlipBot(CoinFlipBot.Settings(risk_pct=0.3), FixedRatioExit(far)),
        lambda: CoinFlipBot(CoinFlipBot.Settings(min_atr=1e9)),
    ]


def bench_of(config: BacktestConfig, prepared: Prepared) -> Bench:
    return Bench(partial(engine_of, config, prepared))


@pytest.mark.parametrize("symbols", [("AA",), ("AA", "BB")])
@pytest.mark.parametrize("rules", RULES)
def test_a_batch_gives_each_run_what_it_comes_to_alone(
    base: BacktestConfig, rules: str, symbols: tuple[str, ...]
) -> None:
    """S13, S14; the same figures, the same daily equity, the same trades, bit by bit."""
    values = base.given()
    values["assets"] = [asset for asset in values["assets"] if asset["symbol"] in symbols]
    config = BacktestConfig.placed(values, base.places).with_overrides(RULES[rules])
    prepared, makers = prepare(config), bots_of(config)
    bench = bench_of(config, prepared)
    for make, found in zip(makers, bench.run([make() for make in makers]), strict=True):
        run = Run(engine_of(config, prepared), make())
        status = run.complete()
        result = Result(config, prepared, run)
        closes = run.engine.tables.equity["equity"][bench.day_ends[:-1]]
        assert found.statistics == result.statistics
        assert found.ambiguous_trades == result.ambiguous_trades
        assert found.status == status
        assert found.daily_equity.tobytes() == closes.tobytes()
        assert found.digest == digest_of(closes, run.engine.tables.rows("trades"))
        alone = run_alone(bench, make())
        assert (alone.statistics, alone.digest, alone.status) == (found.statistics, found.digest, found.status)


def test_the_rules_tried_do_call_margin_and_go_bankrupt(base: BacktestConfig) -> None:
    """Without this, equality above would say nothing of S7.2 and S7.3."""
    calls, states = {}, set()
    for rules in ("margin calls", "breach, all"):
        config = base.with_overrides(RULES[rules])
        results = bench_of(config, prepare(config)).run([make() for make in bots_of(config)])
        calls[rules] = sum(result.statistics.margin_calls for result in results)
        states |= {result.status for result in results}
    assert calls["margin calls"] > 3
    assert calls["breach, all"] > 0
    assert states == {"completed", "bankrupt"}


def test_the_company_in_a_batch_changes_nothing(base: BacktestConfig) -> None:
    """S14."""
    prepared, makers = prepare(base), bots_of(base)
    bench = bench_of(base, prepared)
    together = [result.digest for result in bench.run([make() for make in makers])]
    backwards = [result.digest for result in bench.run([make() for make in makers[::-1]])]
    apart = [bench.run([make()])[0].digest for make in makers]
    assert together == backwards[::-1] == apart
    assert len(set(together)) == len(makers)


def test_tables_that_are_too_small_grow_without_a_trace(base: BacktestConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.tables._BATCH_ROWS", 1)
    prepared, makers = prepare(base), bots_of(base)
    seat = Seat(bench_of(base, prepared), makers[0]())
    assert len(seat.tables.trades) == 1
    small = bench_of(base, prepared).run([make() for make in makers])
    monkeypatch.undo()
    large = bench_of(base, prepared).run([make() for make in makers])
    assert [one.digest for one in small] == [one.digest for one in large]
    assert [one.statistics for one in small] == [one.statistics for one in large]


def test_a_bot_with_python_on_every_bar_is_no_matter_for_a_batch() -> None:
    class Slow(TrendFollowingBot):
        def on_close(self, env: object) -> None: ...

    class Own(TrendFollowingBot):
        def prepare(self, engine: object) -> None: ...

    assert can_batch(TrendFollowingBot())
    assert not can_batch(Slow())
    assert not can_batch(Own())


def test_a_market_reseeded_shares_all_but_its_draws(base: BacktestConfig) -> None:
    market = prepare(base).market
    market.indicator("atr", period=14)
    other = market.reseeded(99)
    assert other.indicator("atr", period=14) is market.indicator("atr", period=14)
    assert other.bars is market.bars
    assert not np.array_equal(other.draws("AA"), market.draws("AA"))
    assert np.array_equal(market.reseeded(market.seed).draws("AA"), market.draws("AA"))


def test_old_indicators_are_forgotten_first(base: BacktestConfig) -> None:
    market = prepare(base).market
    tables = [market.indicator("ema", period=period) for period in (10, 20, 30)]
    market.forget_indicators(2 * tables[0].nbytes)
    assert market.indicator("ema", period=30) is tables[2]
    assert market.indicator("ema", period=10) is not tables[0]
    assert np.array_equal(market.indicator("ema", period=10), tables[0], equal_nan=True)


def test_days_of_a_bench_end_with_their_last_bars(base: BacktestConfig, tmp_path: Path) -> None:
    config = replace_symbols(base, "AA")
    bench = bench_of(config, prepare(config))
    days = bench.market.trading_day
    assert bench.days == len(np.unique(days))
    assert list(days[bench.day_ends[:-1]]) == list(np.unique(days))


def replace_symbols(config: BacktestConfig, *symbols: str) -> BacktestConfig:
    values = config.given()
    values["assets"] = [asset for asset in values["assets"] if asset["symbol"] in symbols]
    return BacktestConfig.placed(values, config.places)


def test_settings_that_differ_in_the_exit_alone_share_their_sides(base: BacktestConfig) -> None:
    asked = []

    class Counting(TrendFollowingBot):
        def sides(self, market: Market) -> SideArray:
            asked.append(self.settings.ema_span)
            return super().sides(market)

    config = replace_symbols(base, "AA")
    bench = bench_of(config, prepare(config))
    exits = [TrailingATRExit(TrailingATRExit.Settings(atr_multiple=multiple)) for multiple in (1.0, 2.0, 3.0)]
    bots = [Counting(Counting.Settings(ema_span=span), exit) for span in (10, 20) for exit in exits]
    together = bench.run(bots)
    assert asked == [10, 20]
    apart = [bench_of(config, prepare(config)).run([bot])[0].digest for bot in bots]
    assert [result.digest for result in together] == apart


def test_shared_tables_are_dropped_when_they_take_too_much(base: BacktestConfig) -> None:
    bench, made = bench_of(base, prepare(base)), []

    def make(key: int) -> np.ndarray:
        made.append(key)
        return np.zeros(40 * 2**20, np.int8)

    for key in (1, 1, 2, 1, 2):
        bench.shared(key, lambda key=key: make(key))
    assert made == [1, 2, 1, 2]
    assert len(bench.shared([1], lambda: make(3))) == 40 * 2**20
