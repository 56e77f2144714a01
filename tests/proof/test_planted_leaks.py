"""Whoever uses what it cannot know is caught, with bar, symbol and value; whoever does not, passes (S15)."""

import re
from collections.abc import Callable

import numpy as np
import pytest

from bots.base import BaseStrategyBot
from bots.coin_flip import CoinFlipBot
from bots.trend_following import TrendFollowingBot
from data.series import FloatArray
from engine.config import BacktestConfig
from engine.environment import TradingEnvironment
from engine.errors import LookAheadError
from engine.indicators import IndicatorBars, check_prefixes, register_indicator, registry
from engine.lookahead import altered, check_lookahead, check_prepared
from engine.orders import Side
from engine.preparing import Prepared, prepare
from exits.base import ExitContext, ExitStrategy, Levels
from tests.proof import leaks
from tests.proof.works import DECIDING, Pair, Work, sample_config, scripted

WHERE = re.compile(r"(\w+) differ at bar (\d+), (\w+): (\w+) is (\S+), and (\S+) with the other future")
MakeBot = Callable[[], BaseStrategyBot]

LEAKING: dict[str, MakeBot] = {
    "market": leaks.PeeksThroughTheMarket,
    "tables": leaks.PeeksThroughTheTables,
    "arrays": leaks.PeeksThroughArrays,
    "whole series": leaks.PeeksAtTheWholeSeries,
    "indicator": leaks.PeeksThroughAnIndicator,
    "bracket": leaks.BracketsWhatRests,
    "bracket that is changed": leaks.HidesWhatItBracketed,
    "first stop": lambda: TrendFollowingBot(exit=leaks.StopBelowTheLow()),
    "trailed stop": lambda: CoinFlipBot(exit=leaks.TrailsThisClose()),
}


@pytest.fixture(autouse=True)
def future_high(monkeypatch: pytest.MonkeyPatch) -> None:
    """An indicator that looks two bars ahead, registered for the test alone."""
    monkeypatch.setattr(registry, "_CATALOGUE", registry.IndicatorCatalogue(registry.BUILT_IN))

    @register_indicator(leaks.FUTURE_HIGH, warm_up=lambda: 0)
    def future_high(bars: IndicatorBars) -> FloatArray:
        """Highest high of this bar and the next two."""
        padded = np.append(bars.high, [-np.inf, -np.inf])
        highest: FloatArray = np.maximum(bars.high, np.maximum(padded[1:-1], padded[2:]))
        return highest


@pytest.fixture(scope="module")
def two_days() -> tuple[BacktestConfig, Prepared]:
    """Two symbols over the sample's first two days."""
    config = sample_config(end="2024-09-04")
    config = BacktestConfig(**{**config.given(), "assets": config.given()["assets"][:2]})
    return config, prepare(config)


@pytest.mark.rule("S15")
@pytest.mark.parametrize("make_bot", LEAKING.values(), ids=LEAKING)
def test_a_planted_leak_is_caught_with_bar_symbol_and_value(
    make_bot: MakeBot, two_days: tuple[BacktestConfig, Prepared]
) -> None:
    config, prepared = two_days
    with pytest.raises(LookAheadError) as caught:
        check_prepared(config, prepared, make_bot)

    found = WHERE.search(str(caught.value))
    assert found is not None, caught.value
    table, bar, symbol, column, first, second = found.groups()
    assert table in ("orders", "fills", "events")
    assert 0 < int(bar) < len(prepared.market)
    assert symbol in prepared.market.symbols
    assert first != second
    assert type(make_bot()).__name__ in str(caught.value)
    assert column


@pytest.mark.rule("S15")
def test_the_exit_that_leaks_is_named_beside_its_bot(two_days: tuple[BacktestConfig, Prepared]) -> None:
    with pytest.raises(LookAheadError, match="TrendFollowingBot with StopBelowTheLow looks ahead"):
        check_prepared(*two_days, LEAKING["first stop"])


@pytest.mark.rule("S15")
def test_every_built_in_pair_passes(work: Work, pair: Pair) -> None:
    report = check_prepared(work.config, work.prepared, pair.make, cuts=8)

    assert report.cuts == 8
    assert report.bars == len(work.prepared.market)
    assert report.events > 0
    assert "No look-ahead found" in report.summary()


@pytest.mark.rule("S15")
def test_a_scripted_bot_passes(sample: Work) -> None:
    assert check_prepared(sample.config, sample.prepared, lambda: scripted(sample), cuts=4).cuts == 4


class AllowedExit(ExitStrategy):
    """Uses everything that is known at OPEN: O, closed bars, indicators, history, the position."""

    def initial_levels(self, side: Side, entry_price: float, atr: float, market: ExitContext) -> Levels:
        closed = market.env.history(market.symbol, 5)
        reach = float(np.max(closed["high"]) - np.min(closed["low"])) + atr
        return Levels(stop_loss=market.open - side * reach, take_profit=market.last_close + side * 2 * reach)


class AllowedBot(BaseStrategyBot):
    """Decides on what is known at OPEN."""

    def decide_side(self, env: TradingEnvironment, symbol: str) -> Side | None:
        bar = env.bar(symbol)
        frame = env.get_asset_data(symbol).tail(3)
        return Side.BUY if bar.open > bar.last_close and frame["close"].iloc[-1] == bar.last_close else None


@pytest.mark.rule("S15")
def test_a_bot_in_python_that_uses_what_is_known_passes(two_days: tuple[BacktestConfig, Prepared]) -> None:
    config, prepared = two_days
    report = check_prepared(config, prepared, lambda: AllowedBot(exit=AllowedExit()), cuts=6)
    assert report.events > 50


def test_the_command_loads_the_bars_itself() -> None:
    config = sample_config(end="2024-09-04")
    with pytest.raises(LookAheadError, match="PeeksThroughTheMarket"):
        check_lookahead(config, leaks.PeeksThroughTheMarket, cuts=4)


@pytest.mark.rule("S15")
@pytest.mark.parametrize("name", DECIDING)
def test_sides_up_to_a_bar_do_not_change_with_what_follows(work: Work, name: str) -> None:
    """Other bars from OPEN of t on, and no bars after t at all: the sides up to t stay."""
    market = work.prepared.market
    bot = Pair(name, "TrailingATR").make()
    sides = bot.sides(market)
    for point in (1, 60, 333, len(market) // 2, len(market) - 2):
        other = altered(market, point, 7)
        np.testing.assert_array_equal(bot.sides(other)[: point + 1], sides[: point + 1])
        if (market.timeline.row[point] >= 0).all():
            cut = market.cut(None, int(market.time_ns[point]) + 1)
            np.testing.assert_array_equal(bot.sides(cut), sides[: point + 1])
    assert len(np.unique(sides)) >= 2


@pytest.mark.rule("S15")
def test_the_prefix_test_of_sides_finds_an_array_that_is_not_shifted(sample: Work) -> None:
    bot, market = leaks.PeeksThroughArrays(), sample.prepared.market
    sides = bot.sides(market)
    found = [
        not np.array_equal(bot.sides(altered(market, point, 7))[: point + 1], sides[: point + 1])
        for point in range(1000, 5000, 500)
    ]
    assert any(found)


@pytest.mark.rule("S15")
def test_altered_bars_are_legal_and_the_past_and_this_open_stay(work: Work) -> None:
    market = work.prepared.market
    point = len(market) // 3
    other, at = altered(market, point, 1), int(market.time_ns[point])
    for one, before in zip(other.series, market.series, strict=True):
        first = int(np.searchsorted(before.time_ns, at))
        for name in ("open", "high", "low", "close", "volume"):
            np.testing.assert_array_equal(getattr(one, name)[:first], getattr(before, name)[:first])
        if before.time_ns[first] == at:
            assert one.open[first] == before.open[first]
        assert np.all(one.high >= np.maximum(one.open, one.close))
        assert np.all(one.low <= np.minimum(one.open, one.close))
        assert not np.array_equal(one.close[first:], before.close[first:])


@pytest.mark.rule("S10.2")
def test_the_planted_indicator_fails_the_prefix_check(sample: Work) -> None:
    bars = sample.prepared.market.indicator_bars(0)
    with pytest.raises(LookAheadError, match=leaks.FUTURE_HIGH):
        check_prefixes(leaks.FUTURE_HIGH, bars, range(50, 70))


@pytest.mark.rule("S15")
def test_the_check_gives_the_same_verdict_every_time(two_days: tuple[BacktestConfig, Prepared]) -> None:
    verdicts = set()
    for _ in range(2):
        with pytest.raises(LookAheadError) as caught:
            check_prepared(*two_days, leaks.PeeksThroughTheTables)
        verdicts.add(str(caught.value))
    assert len(verdicts) == 1
