"""The proof's markets and what learners choose on them: seeds that nothing was chosen on, settings as they ship."""

from typing import Literal

import pytest

from research.learning import learners
from research.learning.comparing import Gain, best_fixed, block_mean, chosen_r, paired_gain
from research.learning.entries import Entries
from research.learning.finishing import outputs_of
from research.learning.learners import Arms
from research.learning.memory import MemorySettings
from research.learning.policy import PolicySettings
from research.learning.splits import DAY_NS, split_by_share
from tests.learn import grounds
from tests.learn.grounds import Lesson

#: Markets with hidden regimes, and fair walks. Settings were chosen on other seeds (docs/learning.md).
HIDDEN = tuple(range(8001, 8007))
WALKS = tuple(range(8101, 8121))

Family = Literal["policy", "memory", "linear"]


def hidden_market(seed: int) -> Lesson:
    """Three symbols over sixty sessions, with regimes to be learned."""
    return grounds.lesson(seed, sessions=60, symbols=3, stride=2)


def walk_market(seed: int) -> Lesson:
    """Two fair walks over forty sessions: nothing to learn."""
    return grounds.lesson(seed, sessions=40, symbols=2, hidden=False, stride=4)


def parts(lesson: Lesson) -> tuple[Entries, Entries]:
    """The learning and the judging part."""
    split = split_by_share(lesson.entries)
    return lesson.entries.take(split.train), lesson.entries.take(split.test)


def gain_of(arms: Arms, lesson: Lesson, confidence: float = 0.95) -> Gain:
    """The gain over the multiple that was best in the learning part."""
    train, test = parts(lesson)
    return paired_gain(test, arms, best_fixed(train.r), block_ns=DAY_NS, confidence=confidence)


def gain_over(arms: Arms, others: Arms, lesson: Lesson) -> Gain:
    """The gain of one choice over another on the same entries."""
    _, test = parts(lesson)
    return block_mean(chosen_r(test, arms) - chosen_r(test, others), test.time_ns, block_ns=DAY_NS)


def oracle_gain(lesson: Lesson) -> Gain:
    """What one gains who sees the regime."""
    split = split_by_share(lesson.entries)
    train = lesson.entries.take(split.train)
    return gain_of(grounds.oracle_arms(train, lesson.regime[split.train], lesson.regime[split.test]), lesson)


def arms_of(family: Family, lesson: Lesson, seed: int) -> dict[str, Arms]:
    """What each learner of a family chooses; ``reversed``: a hybrid whose prior is turned upside down."""
    train, test = parts(lesson)
    if family == "linear":
        return {
            "replay": learners.linucb(lesson.ground, train, test, seed, "replay"),
            "bandit": learners.linucb(lesson.ground, train, test, seed, "bandit"),
        }
    pytest.importorskip("torch")
    if family == "policy":
        prior = learners.policy_outputs(PolicySettings(), lesson.ground, train, test, seed)
    else:
        arrays = learners.memory_arrays_of(MemorySettings(), lesson.ground, train, seed)
        prior = outputs_of("lstm", arrays, lesson.ground, test)
    fixed = best_fixed(train.r)
    return {
        "network": prior.argmax(axis=1),
        "hybrid": learners.hybrid(prior, test, fixed),
        "upside down": (-prior).argmax(axis=1),
        "reversed": learners.hybrid(-prior, test, fixed),
    }
