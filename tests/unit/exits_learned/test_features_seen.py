"""What a learned exit sees: nothing of the future, the same for mirror images, and no unit of price."""

from dataclasses import replace

import numpy as np
import pytest

from bots.coin_flip import CoinFlipBot
from data.series import BarSeries
from engine.kernel.learned import MARKET_FEATURES
from engine.market import Market
from exits.features import FEATURES, NAMES, SIGNED, feature_hash
from research.learning.entries import Ground
from tests.learn import grounds


def ground_of(series: BarSeries, **facts: object) -> Ground:
    of = Market([grounds.instrument(series.symbol, **facts)], [series])
    return Ground(grounds.engine(of), CoinFlipBot())


def seen(ground: Ground, bars: np.ndarray, side: int) -> np.ndarray:
    return ground.observe(0, bars, np.full(len(bars), side, np.int8))


@pytest.fixture(scope="module")
def series() -> BarSeries:
    return grounds.market(3, sessions=2).series[0]


@pytest.mark.rule("S15")
@pytest.mark.parametrize("cut", [400, 1500, 2500])
def test_nothing_changes_when_the_future_is_cut_off_or_corrupted(series: BarSeries, cut: int) -> None:
    """Bars up to ``cut`` - 1, and O of ``cut``, decide; H, L, C, V of ``cut`` and all later bars do not."""
    whole = ground_of(series)
    bars = np.arange(150, cut + 1)
    spoilt = {name: getattr(series, name).copy() for name in ("open", "high", "low", "close", "volume")}
    for name in ("open", "high", "low", "close"):
        spoilt[name][cut + 1 :] = 9000.0
    spoilt["high"][cut] = spoilt["open"][cut] + 50.0
    spoilt["low"][cut] = spoilt["close"][cut] = spoilt["open"][cut] - 50.0
    spoilt["volume"][cut:] = 1e6
    end = cut + 1
    prefix = replace(series, **{name: getattr(series, name)[:end] for name in ("time_ns", *spoilt)})

    corrupted, truncated = ground_of(replace(series, **spoilt)), ground_of(prefix)

    for side in (1, -1):
        expected = seen(whole, bars, side).tobytes()
        assert seen(corrupted, bars, side).tobytes() == expected
        assert seen(truncated, bars, side).tobytes() == expected
    before = whole.features.sequence[: 64 + cut]
    assert truncated.features.sequence[: 64 + cut].tobytes() == before.tobytes()


def test_a_short_in_the_mirrored_market_sees_what_a_long_sees(series: BarSeries) -> None:
    mirrored = replace(
        series, open=10_000 - series.open, high=10_000 - series.low, low=10_000 - series.high,
        close=10_000 - series.close,
    )  # fmt: skip
    bars = np.arange(150, len(series))

    np.testing.assert_allclose(seen(ground_of(mirrored), bars, -1), seen(ground_of(series), bars, 1), atol=1e-9)


def test_price_and_tick_scaled_together_change_nothing(series: BarSeries) -> None:
    names = ("open", "high", "low", "close")
    larger = replace(series, **{name: getattr(series, name) * 8.0 for name in names})
    bars = np.arange(150, len(series))

    scaled = ground_of(larger, tick_size=2.0, tick_value=100.0)

    assert seen(scaled, bars, 1).tobytes() == seen(ground_of(series), bars, 1).tobytes()


def test_only_direction_like_numbers_change_with_the_side(series: BarSeries) -> None:
    ground, bars = ground_of(series), np.arange(150, len(series))
    long, short = seen(ground, bars, 1), seen(ground, bars, -1)

    signs = np.where(SIGNED, -1.0, 1.0)
    np.testing.assert_array_equal(short, long * signs)
    assert [feature.name for feature in FEATURES if feature.signed] == ["rsi", "ema_distance", "ema_slope", "band"]


def test_nothing_is_seen_before_the_slowest_number_is_warm(series: BarSeries) -> None:
    ground = ground_of(series)
    early = seen(ground, np.array([0, 1, 50, 100, 101]), 1)

    assert np.isnan(early[:4, :MARKET_FEATURES]).any(axis=1).all()
    assert np.isfinite(early[4]).all()


def test_the_hash_belongs_to_the_list() -> None:
    assert len(NAMES) == 14
    assert feature_hash() == feature_hash()
    assert len(feature_hash()) == 16
