"""The proof of learners: they learn where there is something to learn, and claim nothing where there is not."""

from typing import Any

import numpy as np
import pytest

from research.learning import comparing, learners
from research.learning.comparing import best_fixed, block_mean
from research.learning.memory import MemorySettings
from research.learning.policy import PolicySettings
from research.learning.splits import DAY_NS, walk_forward
from tests.learn import grounds, proving
from tests.learn.grounds import Lesson
from tests.learn.proving import gain_of, oracle_gain, parts


def arms_of(name: learners.Feedback, lesson: Lesson, seed: int = 1) -> Any:
    train, test = parts(lesson)
    return learners.linucb(lesson.ground, train, test, seed, name)


@pytest.fixture(scope="module")
def hidden() -> Lesson:
    return grounds.lesson(2, sessions=60, symbols=3, stride=4)


def test_linucb_with_replay_learns_half_of_what_an_oracle_gains(hidden: Lesson) -> None:
    gain = gain_of(arms_of("replay", hidden), hidden)

    assert gain.above_zero, gain
    assert gain.mean >= 0.5 * oracle_gain(hidden).mean


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("family", ["policy", "memory", "linear"])
def test_over_six_fresh_markets_learners_gain_half_of_what_an_oracle_does(family: proving.Family) -> None:
    """The mean over markets that nothing was chosen on; every interval above zero, but with bandit feedback.

    A hybrid keeps a good prior, within 0.02 R on each market, and unlearns three quarters of a reversed one.
    """
    gains, oracles, kept = [], [], []
    for seed in proving.HIDDEN:
        lesson = proving.hidden_market(seed)
        arms = proving.arms_of(family, lesson, seed)
        gains.append({name: gain_of(chosen, lesson) for name, chosen in arms.items()})
        oracles.append(proving.oracle_gain(lesson).mean)
        if family != "linear":
            kept.append(proving.gain_over(arms["hybrid"], arms["network"], lesson))
    mean = {name: float(np.mean([gain[name].mean for gain in gains])) for name in gains[0]}

    for name in {"linear": ("replay",)}.get(family, ("network", "hybrid")):
        assert all(gain[name].above_zero for gain in gains), (name, gains)
        assert mean[name] >= 0.5 * np.mean(oracles), (name, gains, oracles)
    if family != "linear":
        assert all(one.mean > -0.02 for one in kept), kept
        assert mean["reversed"] > mean["upside down"] + 0.75 * (mean["network"] - mean["upside down"]), mean


@pytest.mark.parametrize("seed", [1, 2])
def test_linucb_claims_nothing_on_a_random_walk(seed: int) -> None:
    lesson = proving.walk_market(seed)
    gain = gain_of(arms_of("replay", lesson, seed), lesson)

    assert not gain.above_zero, gain


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("family", ["policy", "memory", "linear"])
def test_no_learner_claims_anything_on_twenty_fresh_random_walks(family: proving.Family) -> None:
    """Of twenty intervals that hold at once, 95 times in a hundred, none lies above zero.

    Of twenty 95 % intervals taken one by one, one in forty lies above zero by chance: two are let pass, three are not.
    The walks are independent, so their mean must be zero within three of its standard errors.
    """
    names = ("replay", "bandit") if family == "linear" else ("network", "hybrid")
    single: dict[str, list[comparing.Gain]] = {name: [] for name in names}
    at_once: dict[str, list[comparing.Gain]] = {name: [] for name in names}
    for seed in proving.WALKS:
        lesson = proving.walk_market(seed)
        arms = proving.arms_of(family, lesson, seed)
        for name in names:
            single[name].append(gain_of(arms[name], lesson))
            at_once[name].append(gain_of(arms[name], lesson, comparing.simultaneous(len(proving.WALKS))))

    for name in names:
        means = np.array([gain.mean for gain in single[name]])
        assert not any(gain.above_zero for gain in at_once[name]), (name, at_once)
        assert sum(gain.above_zero for gain in single[name]) <= 2, (name, single)
        assert abs(means.mean()) < 3.0 * means.std(ddof=1) / np.sqrt(len(means)), (name, single)


@pytest.mark.parametrize("seed", [3, 4])
def test_on_a_fair_walk_every_multiple_earns_minus_its_costs(seed: int) -> None:
    """The martingale: without costs nothing; with costs, minus them."""
    free = grounds.lesson(seed, sessions=40, symbols=2, hidden=False)
    dear = grounds.lesson(seed, sessions=40, symbols=2, hidden=False, commission_per_contract=5.0)
    for arm in range(6):
        whole = ~free.entries.censored
        own = free.entries.take(whole)
        gain = block_mean(own.r[:, arm], own.time_ns, block_ns=DAY_NS)
        assert gain.low <= 0.0 <= gain.high or abs(gain.mean) < 0.02, (arm, gain)
    paid = dear.entries.r - free.entries.r
    assert (paid[~free.entries.censored] < 0.0).all()
    assert paid[~free.entries.censored][:, 0].mean() == pytest.approx(
        6 * paid[~free.entries.censored][:, 5].mean(), rel=0.1
    )


def test_a_good_prior_is_kept_and_a_reversed_one_is_unlearned(hidden: Lesson) -> None:
    """The prior: what a regression on the learning part says of the same numbers."""
    train, test = parts(hidden)
    now = [np.column_stack((np.ones(len(one)), one.x[:, :8], np.abs(one.x[:, 1:5]))) for one in (train, test)]
    weights = np.linalg.lstsq(now[0], train.r, rcond=None)[0]
    prior = now[1] @ weights
    fixed = best_fixed(train.r)

    alone = gain_of(prior.argmax(axis=1), hidden).mean
    kept = gain_of(learners.hybrid(prior, test, fixed), hidden).mean
    reversed_alone = gain_of((-prior).argmax(axis=1), hidden).mean
    unlearned = gain_of(learners.hybrid(-prior, test, fixed), hidden).mean

    assert alone > 0.1
    assert kept > alone - 0.02
    assert reversed_alone < -0.1
    assert unlearned > reversed_alone + 0.6 * (alone - reversed_alone)


def test_replay_gains_more_than_bandit_feedback(hidden: Lesson) -> None:
    assert gain_of(arms_of("replay", hidden), hidden).mean > gain_of(arms_of("bandit", hidden), hidden).mean


def test_splits_are_purged_and_never_overlap(hidden: Lesson) -> None:
    splits = list(walk_forward(hidden.entries, 3))
    assert len(splits) == 3
    for split in splits:
        train, test = hidden.entries.take(split.train), hidden.entries.take(split.test)
        assert train.end_ns.max() + DAY_NS <= split.begins_ns <= test.time_ns.min()
        assert not (split.train & split.test).any()
        assert split.purged > 0


def test_folds_judge_every_whole_entry_behind_the_first_learning_part_the_last_one_too(hidden: Lesson) -> None:
    whole = hidden.entries.take(~hidden.entries.censored)
    judged = np.sum([split.test for split in walk_forward(whole, 3)], axis=0)
    assert set(judged) == {0, 1}
    assert (np.diff(judged) >= 0).all()
    assert judged[-1] == 1


@pytest.mark.parametrize("blocks", [2, 4, 6, 12, 40])
def test_the_interval_of_blocks_covers_a_known_mean(blocks: int) -> None:
    """Values that last for a block: the interval must be as wide as blocks say, not as entries would; 95 % of 300."""
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(300):
        values = np.repeat(rng.standard_normal(blocks), 50)
        gain = block_mean(values, np.arange(50 * blocks) * (DAY_NS // 50), block_ns=DAY_NS, draws=2000)
        covered += gain.low <= 0.0 <= gain.high
    assert 0.92 * 300 <= covered <= 0.985 * 300
    assert comparing.Gain(mean=0.1, low=0.05, high=0.2, trades=1, blocks=1).above_zero


def spread_out(own: Any, common: Any, counts: Any) -> tuple[Any, Any]:
    """Twelve days of so many groups of five values, alike within a group, and what a whole day has in common."""
    day = np.repeat(np.arange(len(counts)), 5 * counts)
    within = np.concatenate([np.arange(5 * count) for count in counts])
    return np.repeat(own, 5) + common[day], day * DAY_NS + within * (DAY_NS // 400)


def skewed_days(rng: np.random.Generator) -> tuple[Any, Any]:
    """Values that lean to one side, as R does, from 25 to 95 a day."""
    counts = rng.integers(5, 20, size=12)
    own = rng.exponential(size=counts.sum()) - 1.0
    return spread_out(own, 0.5 * (rng.exponential(size=12) - 1.0), counts)


def unequal_days(rng: np.random.Generator) -> tuple[Any, Any]:
    """Days that are calm and wild, with 5 to 200 values."""
    counts = rng.integers(1, 41, size=12)
    common = rng.standard_normal(12) * np.exp(0.8 * rng.standard_normal(12))
    return spread_out(rng.standard_normal(counts.sum()), common, counts)


@pytest.mark.parametrize(
    ("days", "confidence", "missed"),
    [(skewed_days, 0.95, (16, 40)), (skewed_days, 0.99, (1, 16)), (unequal_days, 0.95, (5, 36))],
)
def test_the_interval_keeps_its_promise_where_days_are_skewed_or_unequal(
    days: Any, confidence: float, missed: tuple[int, int]
) -> None:
    """Of 600 intervals 5 %, or 1 %, may miss the mean, give or take what chance does; never many more."""
    rng, found = np.random.default_rng(2), 0
    for _ in range(600):
        values, time_ns = days(rng)
        gain = block_mean(values, time_ns, block_ns=DAY_NS, confidence=confidence, draws=1000)
        found += not gain.low <= 0.0 <= gain.high
    assert missed[0] <= found <= missed[1]


def test_an_interval_is_without_end_where_a_single_day_was_judged_and_a_point_where_nothing_differs() -> None:
    times = np.arange(100) * (DAY_NS // 200)
    one = block_mean(np.arange(100.0), times, block_ns=DAY_NS)
    alike = block_mean(np.zeros(100), times * 20, block_ns=DAY_NS)

    assert (one.low, one.high, one.blocks) == (-np.inf, np.inf, 1)
    assert (alike.low, alike.high, alike.blocks) == (0.0, 0.0, 10)


def test_twenty_intervals_at_the_family_s_confidence_hold_at_once() -> None:
    assert comparing.simultaneous(1) == 0.95
    assert comparing.simultaneous(20) == pytest.approx(0.997439, abs=1e-6)
    assert comparing.simultaneous(20) ** 20 == pytest.approx(0.95)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_on_fair_walks_choices_that_know_nothing_gain_nothing_and_intervals_say_so() -> None:
    """A coin, a fixed other multiple and weights at random on a hundred walks: no drift, and intervals that hold."""
    gains: dict[str, list[comparing.Gain]] = {"coin": [], "other": [], "weights": []}
    for seed in range(8201, 8301):
        lesson, rng = proving.walk_market(seed), np.random.default_rng(seed)
        train, test = parts(lesson)
        weights = rng.standard_normal((8, 6))
        arms = {
            "coin": rng.integers(6, size=len(test)),
            "other": np.full(len(test), (best_fixed(train.r) + 3) % 6),
            "weights": (test.x[:, :8] @ weights).argmax(axis=1),
        }
        for name, chosen in arms.items():
            gains[name].append(gain_of(chosen, lesson))

    for name, found in gains.items():
        mean, error = np.mean([gain.mean for gain in found]), np.std([gain.mean for gain in found], ddof=1) / 10.0
        assert abs(mean) < 3.0 * error, (name, mean, error)
    missed = sum(not gain.low <= 0.0 <= gain.high for found in gains.values() for gain in found)
    assert 3 <= missed <= 27, missed


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_same_seed_gives_the_same_weights(hidden: Lesson) -> None:
    pytest.importorskip("torch")
    train, _ = parts(hidden)
    small = train.take(np.arange(4000))
    for make, settings in (
        (learners.policy_arrays_of, PolicySettings(frames=20_000)),
        (learners.memory_arrays_of, MemorySettings(epochs=1)),
    ):
        first, second, other = (make(settings, hidden.ground, small, seed)["weights"] for seed in (1, 1, 2))  # type: ignore[operator]
        assert first.tobytes() == second.tobytes()
        assert first.tobytes() != other.tobytes()
