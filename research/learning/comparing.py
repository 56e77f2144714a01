"""What a choice of multiples gains over a fixed one: paired on the same entries, with an interval that respects time.

The bootstrap draws blocks of time, not entries: trades overlap and regimes last (blocks: Carlstein 1986). It draws the
studentised mean, and its interval is symmetric (Hall 1988), for blocks of time Goetze and Kuensch 1996: R is skewed
and days are few, and the spread of as few days goes up and down with their mean. An interval from the percentiles of
the mean alone is too sure then.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.series import FloatArray
from research.learning.entries import Entries

#: A bootstrap of fewer blocks would draw the same ones over and over.
FEW_BLOCKS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """A mean difference in R per trade, its interval (95 % unless asked for otherwise), what it was measured on."""

    mean: float
    low: float
    high: float
    trades: int
    blocks: int

    @property
    def above_zero(self) -> bool:
        """Whether the whole interval is."""
        return self.low > 0.0

    def __str__(self) -> str:
        return f"{self.mean:+.3f} R [{self.low:+.3f}, {self.high:+.3f}]"


def best_fixed(r: FloatArray) -> int:
    """The arm with the highest mean R."""
    return int(np.nanmean(r, axis=0).argmax())


def chosen_r(entries: Entries, arms: NDArray[np.int64]) -> FloatArray:
    """R of each entry under the arm chosen for it."""
    r: FloatArray = entries.r[np.arange(len(entries)), arms]
    return r


def paired_gain(
    entries: Entries,
    arms: NDArray[np.int64],
    fixed: int,
    *,
    block_ns: int,
    seed: int = 0,
    confidence: float = 0.95,
) -> Gain:
    """Gain of ``arms`` over arm ``fixed``, interval by a bootstrap of blocks of ``block_ns``."""
    difference = chosen_r(entries, arms) - entries.r[:, fixed]
    return block_mean(difference, entries.time_ns, block_ns=block_ns, seed=seed, confidence=confidence)


def block_mean(
    values: FloatArray,
    time_ns: NDArray[np.int64],
    *,
    block_ns: int,
    seed: int = 0,
    confidence: float = 0.95,
    draws: int = 10_000,
) -> Gain:
    """Mean of values and its interval: mean -+ c x standard error, c a quantile of |mean* - mean| / standard error*.

    Starred ones are of blocks of time drawn with replacement. c is Student's quantile at least, and fewer than six
    blocks, too few to draw from, get that one; of a single block nothing is known, and its interval is without end.

    Args:
        values, time_ns: length n, in the order of time.
        confidence: how often the interval is to hold the true mean.
    """
    blocks = (time_ns - time_ns[0]) // block_ns
    _, index = np.unique(blocks, return_inverse=True)
    sums, counts = np.asarray(np.bincount(index, values), np.float64), np.asarray(np.bincount(index), np.float64)
    mean, error = (float(one[0]) for one in _mean_and_error(sums[None, :], counts[None, :]))
    half = np.inf if len(sums) == 1 else 0.0
    if error > 0.0:
        half = error * _critical(sums, counts, confidence, np.random.default_rng(seed), draws)
    return Gain(mean=mean, low=mean - half, high=mean + half, trades=len(values), blocks=len(sums))


def _critical(sums: FloatArray, counts: FloatArray, confidence: float, rng: np.random.Generator, draws: int) -> float:
    """How many standard errors the interval reaches to either side."""
    blocks = len(sums)
    student = _quantile(np.abs(rng.standard_t(blocks - 1, draws)), confidence)
    if blocks < FEW_BLOCKS:
        return student
    drawn = rng.integers(blocks, size=(draws, blocks))
    means, errors = _mean_and_error(sums[drawn], counts[drawn])
    spread = errors > 0.0  # a draw may miss every block in which anything differs, and then says nothing
    away = np.abs(means - sums.sum() / counts.sum())
    return max(student, _quantile(away[spread] / errors[spread], confidence))


def _quantile(values: FloatArray, share: float) -> float:
    """The least of the values that at least this share of them do not exceed."""
    return float(np.sort(values)[min(int(np.ceil(share * len(values))), len(values)) - 1])


def _mean_and_error(sums: FloatArray, counts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean of values and its standard error, per row of blocks: a ratio of two sums over blocks (Cochran 1977, 6.4)."""
    blocks = sums.shape[1]
    total = counts.sum(axis=1)
    means = sums.sum(axis=1) / total
    spread = ((sums - means[:, None] * counts) ** 2).sum(axis=1)
    return means, np.sqrt(spread * blocks / max(blocks - 1, 1)) / total


def simultaneous(family: int, confidence: float = 0.95) -> float:
    """The confidence that each of ``family`` independent intervals needs for all to hold at once (Sidak 1967)."""
    return float(confidence ** (1.0 / family))


def r_per_bar(entries: Entries, arms: NDArray[np.int64]) -> float:
    """Sum of R over sum of bars held, the entry's bar included."""
    index = np.arange(len(entries))
    held = entries.exits[index, arms] - entries.bar + 1
    return float(chosen_r(entries, arms).sum() / held.sum())
