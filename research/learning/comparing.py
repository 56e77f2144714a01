"""What a choice of multiples gains over a fixed one: paired on the same entries, with an interval that respects time.

The bootstrap draws blocks of time, not entries: trades overlap and regimes last (moving blocks, Kuensch 1989).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.series import FloatArray
from research.learning.entries import Entries


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """A mean difference in R per trade, its 95 % interval, and what it was measured on."""

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
    draws: int = 2000,
) -> Gain:
    """Gain of ``arms`` over arm ``fixed``, interval by a bootstrap of blocks of ``block_ns``."""
    difference = chosen_r(entries, arms) - entries.r[:, fixed]
    return block_mean(difference, entries.time_ns, block_ns=block_ns, seed=seed, draws=draws)


def block_mean(
    values: FloatArray, time_ns: NDArray[np.int64], *, block_ns: int, seed: int = 0, draws: int = 2000
) -> Gain:
    """Mean of values and its 95 % interval; blocks of time are drawn with replacement."""
    blocks = (time_ns - time_ns[0]) // block_ns
    _, index = np.unique(blocks, return_inverse=True)
    sums, counts = np.bincount(index, values), np.bincount(index)
    drawn = np.random.default_rng(seed).integers(len(sums), size=(draws, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = values.mean() + widening(len(sums)) * (np.percentile(means, [2.5, 97.5]) - values.mean())
    return Gain(mean=float(values.mean()), low=float(low), high=float(high), trades=len(values), blocks=len(sums))


def widening(blocks: int) -> float:
    """How much wider an interval from few blocks must be: Student's quantile over the normal one, and n / (n - 1).

    A bootstrap of few blocks takes their spread for the true one, and is too sure. The quantile is Cornish and
    Fisher's expansion, within 1 % from 5 degrees of freedom on.
    """
    free, z = max(blocks - 1, 1), 1.959964
    quantile = z + (z**3 + z) / (4 * free) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2)
    return float(quantile / z * np.sqrt((free + 1) / free))


def r_per_bar(entries: Entries, arms: NDArray[np.int64]) -> float:
    """Sum of R over sum of bars held, the entry's bar included."""
    index = np.arange(len(entries))
    held = entries.exits[index, arms] - entries.bar + 1
    return float(chosen_r(entries, arms).sum() / held.sum())
