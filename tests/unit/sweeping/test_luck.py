"""Deflated Sharpe ratio and probability of backtest overfitting, against published figures and plain arithmetic."""

import itertools
import math

import numpy as np
import pytest

from research.sweeping.luck import deflated, expected_best, overfitting, rank_correlation, sharpe_of
from research.sweeping.rows import BLOCKS, block_sums, moments


def test_the_deflated_sharpe_ratio_of_the_paper_s_example() -> None:
    """Bailey and Lopez de Prado (2014): annual 2.5, 5 years of 250 days, 100 trials of variance 1/2, -3, 10: 0.9004."""
    half = math.sqrt(0.5 / 250 * 99 / 100)
    sharpes = np.array([half, -half] * 50)
    assert np.std(sharpes, ddof=1) == pytest.approx(math.sqrt(0.5 / 250))
    best = 2.5 / math.sqrt(250)
    expected = expected_best(math.sqrt(0.5 / 250), 100)
    assert expected == pytest.approx(0.1132, abs=5e-5)
    found = deflated(np.array([best, *np.full(99, 0.0)]), 0, 1250, -3.0, 10.0)
    spread = math.sqrt(1 + 3 * best + 9 / 4 * best**2)
    z = (best - expected) * math.sqrt(1249) / spread
    assert 0.5 * (1 + math.erf(z / math.sqrt(2))) == pytest.approx(0.9004, abs=5e-4)
    again = (best - found.expected) * math.sqrt(1249) / spread
    assert found.probability == pytest.approx(0.5 * (1 + math.erf(again / math.sqrt(2))))


def test_the_expected_best_of_useless_trials_is_what_simulation_gives() -> None:
    rng = np.random.default_rng(1)
    simulated = rng.normal(0.0, 1.0, (4000, 200)).max(axis=1).mean()
    assert expected_best(1.0, 200) == pytest.approx(simulated, rel=0.01)
    assert expected_best(1.0, 1) == 0.0


def test_settings_that_truly_differ_are_not_taken_for_luck() -> None:
    """Half of the trials lose for certain: the published ratio takes their scatter for luck, the other does not."""
    sharpes = np.concatenate((np.full(50, -2.0), np.full(50, 0.5)))
    found = deflated(sharpes, 60, 250, 0.0, 3.0)
    assert found.probability is not None
    assert found.against_luck is not None
    assert found.probability < 0.01 < 0.99 < found.against_luck
    alike = deflated(np.array([0.01, 0.0] * 50), 0, 250, 0.0, 3.0)
    assert alike.probability == alike.against_luck


def test_without_spread_there_is_no_deflated_ratio() -> None:
    assert deflated(np.array([0.1, 0.0]), 0, 100, None, None).probability is None


def blocks_of(returns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    parts = [block_sums(row) for row in returns]
    return (np.array(parts[0][0], float), np.array([p[1] for p in parts]), np.array([p[2] for p in parts]))


def test_sharpe_ratios_of_blocks_are_those_of_their_returns() -> None:
    returns = np.random.default_rng(2).normal(0.001, 0.01, 403)
    days, sums, squares = block_sums(returns)
    assert sum(days) == 403
    assert max(days) - min(days) <= 1
    found = sharpe_of(np.array(403.0), np.array(math.fsum(sums)), np.array(math.fsum(squares)))
    assert float(found) == pytest.approx(returns.mean() / returns.std(ddof=1))


def test_overfitting_agrees_with_the_definition_spelled_out() -> None:
    rng = np.random.default_rng(3)
    days, sums, squares = blocks_of(rng.normal(0.0, 0.01, (7, 160)))
    days, sums, squares = days[:6], sums[:, :6], squares[:, :6]
    below = losses = 0
    ways = list(itertools.combinations(range(6), 3))
    for way in ways:
        inside, rest = list(way), [block for block in range(6) if block not in way]
        first = sharpe_of(days[inside].sum(), sums[:, inside].sum(axis=1), squares[:, inside].sum(axis=1))
        second = sharpe_of(days[rest].sum(), sums[:, rest].sum(axis=1), squares[:, rest].sum(axis=1))
        best = int(np.argmax(first))
        rank = int(np.sum(second <= second[best]))
        below += math.log(rank / 8 / (1 - rank / 8)) <= 0
        losses += second[best] < 0
    found = overfitting(days, sums, squares)
    assert found is not None
    assert (found.halvings, found.trials) == (20, 7)
    assert found.probability == pytest.approx(below / 20)
    assert found.loss == pytest.approx(losses / 20)


def test_noise_is_overfitted_and_a_real_edge_is_not() -> None:
    rng = np.random.default_rng(4)
    noise = rng.normal(0.0, 0.01, (100, 512))
    edge = noise.copy()
    edge[17] += 0.003
    chance, real = overfitting(*blocks_of(noise)), overfitting(*blocks_of(edge))
    assert chance is not None
    assert real is not None
    assert chance.halvings == math.comb(BLOCKS, BLOCKS // 2)
    assert chance.probability > 0.3
    assert real.probability < 0.02
    assert real.loss < 0.02


def test_two_trials_and_four_blocks_are_the_least() -> None:
    days, sums, squares = blocks_of(np.random.default_rng(5).normal(0, 1, (1, 64)))
    assert overfitting(days, sums, squares) is None
    assert overfitting(days[:3], np.ones((2, 3)), np.ones((2, 3))) is None


def test_moments_are_those_of_the_sample() -> None:
    values = np.array([0.0, 0.0, 0.0, 4.0])
    skewness, kurtosis = moments(values)
    assert skewness == pytest.approx(2 / math.sqrt(3))
    assert kurtosis == pytest.approx(7 / 3)
    assert moments(np.zeros(5)) == (None, None)


def test_rank_correlation_shares_ranks_among_ties() -> None:
    assert rank_correlation(np.array([1.0, 2, 3, 4]), np.array([10.0, 20, 30, 400])) == pytest.approx(1.0)
    assert rank_correlation(np.array([1.0, 2, 2, 3]), np.array([3.0, 2, 2, 1])) == pytest.approx(-1.0)
    assert rank_correlation(np.array([1.0, 1, 1]), np.array([1.0, 2, 3])) is None
    assert rank_correlation(np.array([1.0, 2]), np.array([1.0, 2])) is None
