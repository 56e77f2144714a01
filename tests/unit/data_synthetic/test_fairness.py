"""Invented markets without drift are fair, and their bars' extremes are those of the path."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from data.series import BarSeries
from data.synthetic import MarketSettings, generate

PLAIN = MarketSettings(
    symbol="FAIR",
    seasonal=False,
    volatility_spread=0.0,
    overnight_gap=0.0,
    jump_chance=0.0,
    opening_step=0.0,
    mean_volume=1e6,
    volatility_ticks=4.0,
    sessions=150,
)
TICK = PLAIN.tick_size


def in_ticks(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(values / TICK).astype(np.int64)


def score(sample: NDArray[np.float64], expected: float) -> float:
    """Distance of a sample's mean from what is expected, in standard errors."""
    return float((np.mean(sample) - expected) / (np.std(sample) / np.sqrt(len(sample))))


def move_chances(variance: float, reach: int = 200) -> NDArray[np.float64]:
    """P(move = k), k from -reach to reach, of a walk whose number of unit steps is Poisson with that mean."""
    k = np.arange(2 * reach + 1)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, len(k))))])
    half = np.exp(k * np.log(variance / 2) - variance / 2 - log_factorial)
    return np.convolve(half, half[::-1])[reach : 3 * reach + 1]


@pytest.fixture(scope="module")
def fair() -> BarSeries:
    return generate(PLAIN, 1).series


def test_moves_have_no_drift_and_the_variance_asked_for(fair: BarSeries) -> None:
    moves = in_ticks(fair.close - fair.open).astype(float)

    assert abs(score(moves, 0.0)) < 3.5
    assert abs(score(moves**2, PLAIN.volatility_ticks**2)) < 3.5


def test_moves_do_not_foretell_the_next_ones(fair: BarSeries) -> None:
    moves = in_ticks(fair.close - fair.open).astype(float)

    assert abs(score(moves[1:] * moves[:-1], 0.0)) < 3.5
    assert abs(score(moves[20:] * (fair.close[19:-1] - fair.close[:-20]), 0.0)) < 3.5


@pytest.mark.parametrize("level", [1, 2, 4, 8, 12])
def test_a_bar_reaches_a_level_as_often_as_the_reflection_principle_says(fair: BarSeries, level: int) -> None:
    """P(high - open >= x) = P(move >= x) + P(move > x); the same below."""
    chances = move_chances(PLAIN.volatility_ticks**2)
    expected = chances[200 + level :].sum() + chances[200 + level + 1 :].sum()

    assert abs(score((in_ticks(fair.high - fair.open) >= level).astype(float), expected)) < 3.5
    assert abs(score((in_ticks(fair.open - fair.low) >= level).astype(float), expected)) < 3.5


def test_with_a_fine_tick_extremes_follow_the_brownian_bridge() -> None:
    """E[range] = sqrt(8 / pi) sigma; P(high >= x | move s) = exp(-2 x (x - s) / sigma^2)."""
    sigma = 60.0
    series = generate(replace(PLAIN, volatility_ticks=sigma, sessions=12), 2).series
    rise, move = in_ticks(series.high - series.open), in_ticks(series.close - series.open)
    spread = in_ticks(series.high - series.low).astype(float)

    # Half a tick at either end: the walk's extremes are whole ticks, those of a diffusion lie in between.
    assert abs(score(spread + 1.0, np.sqrt(8 / np.pi) * sigma)) < 3.5
    for level in (30, 60, 90):
        below = move < level
        expected = np.exp(-2.0 * level * (level - move[below]) / sigma**2)
        error = (rise[below] >= level) - expected
        assert abs(score(error.astype(float), 0.0)) < 3.5, level


@pytest.mark.parametrize(("stop", "target"), [(8, 8), (4, 12), (12, 4)])
@pytest.mark.parametrize("side", [1, -1])
def test_a_bracket_ends_at_its_target_as_often_as_is_fair(stop: int, target: int, side: int) -> None:
    """Optional stopping: P(target first) = stop / (stop + target), on bars too fine to hold both."""
    settings = replace(PLAIN, bar_ns=10_000_000_000, volatility_ticks=1.5, sessions=6)
    series = generate(settings, 3).series
    high, low, entry = in_ticks(series.high), in_ticks(series.low), in_ticks(series.open)
    up, down = (target, stop) if side > 0 else (stop, target)
    wins = []
    at = 0
    while at < len(series) - 2000:
        ahead = slice(at, at + 2000)
        above, below = high[ahead] >= entry[at] + up, low[ahead] <= entry[at] - down
        end = int(np.argmax(above | below))
        assert above[end] or below[end]
        both = above[end] and below[end]
        wins.append(0.5 if both else float(above[end] == (side > 0)))
        at += end + 1

    assert len(wins) > 700
    assert abs(score(np.array(wins), stop / (stop + target))) < 3.5


def test_gaps_and_jumps_are_fair_and_as_large_as_asked() -> None:
    settings = replace(PLAIN, overnight_gap=6.0, jump_chance=0.01, jump_size=8.0, sessions=400)
    series = generate(settings, 4).series
    leap = in_ticks(series.open[1:] - series.close[:-1]).astype(float)
    overnight = np.diff(series.time_ns) > series.bar_ns

    jumps = leap[~overnight]
    assert abs(score(leap[overnight], 0.0)) < 3.5
    assert abs(score(leap[overnight] ** 2, (6.0 * 4.0) ** 2)) < 3.5
    assert abs(score(jumps, 0.0)) < 3.5
    assert abs(score(jumps**2, 0.01 * (8.0 * 4.0) ** 2)) < 3.5


def test_the_opening_step_is_fair_and_as_frequent_as_asked() -> None:
    series = generate(replace(PLAIN, opening_step=0.4), 5).series
    step = in_ticks(series.open[1:] - series.close[:-1]).astype(float)

    assert set(np.unique(step)) == {-1.0, 0.0, 1.0}
    assert abs(score(step, 0.0)) < 3.5
    assert abs(score(np.abs(step), 0.4)) < 3.5


def test_the_hours_shape_volatility_and_volume_and_leave_the_mean_alone() -> None:
    series = generate(replace(PLAIN, seasonal=True, mean_volume=2000.0), 6).series
    hour = ((series.time_ns // 3_600_000_000_000) + 2) % 24  # hours since 18:00 New York, in summer
    summer = series.time_ns < np.datetime64("2024-11-01", "ns").astype(np.int64)
    square = in_ticks(series.close - series.open).astype(float) ** 2
    open_hour, night = summer & (hour == 16), summer & (hour == 4)

    assert square[open_hour].mean() > 6 * square[night].mean()
    assert series.volume[open_hour].mean() > 10 * series.volume[night].mean()
    assert abs(square.mean() / PLAIN.volatility_ticks**2 - 1) < 0.03
    assert abs(series.volume.mean() / 2000.0 - 1) < 0.03


def test_quiet_minutes_are_missing_whatever_the_direction() -> None:
    series = generate(replace(PLAIN, seasonal=True, mean_volume=60.0), 7).series
    before_gap = np.flatnonzero(np.diff(series.time_ns) > series.bar_ns)
    moves = in_ticks(series.close - series.open).astype(float)

    missing = 1 - len(series) / (150 * 1380)
    assert 0.02 < missing < 0.15
    assert abs(score(moves[before_gap], 0.0)) < 3.5
    assert abs(score(moves[before_gap + 1], 0.0)) < 3.5
    assert (series.open[before_gap + 1] == series.close[before_gap])[np.diff(series.time_ns)[before_gap] < 1e13].all()


def test_a_session_level_spreads_volatility_and_keeps_its_mean_square() -> None:
    settings = replace(PLAIN, volatility_spread=0.3, sessions=600, bar_ns=60_000_000_000 * 10, volatility_ticks=6.0)
    series = generate(settings, 8).series
    square = in_ticks(series.close - series.open).astype(float) ** 2
    by_session = square.reshape(600, 138).mean(axis=1)

    assert abs(score(by_session, 36.0)) < 4.0
    assert 0.4 < np.std(np.log(by_session)) < 0.8  # twice the spread of sigma's log, and sampling noise
    assert np.corrcoef(by_session[1:], by_session[:-1])[0, 1] > 0.2
