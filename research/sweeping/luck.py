"""How much of the best result is luck: the deflated Sharpe ratio, and the probability of backtest overfitting.

Deflated Sharpe ratio: D. H. Bailey and M. Lopez de Prado, "The Deflated Sharpe Ratio: Correcting for Selection Bias,
Backtest Overfitting and Non-Normality", Journal of Portfolio Management 40 (5), 2014, equations 1 and 2.
Probability of backtest overfitting by combinatorially symmetric cross-validation: D. H. Bailey, J. M. Borwein,
M. Lopez de Prado and Q. J. Zhu, "The Probability of Backtest Overfitting", Journal of Computational Finance 20 (4),
2017, section 2.2.
"""

import itertools
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from data.series import FloatArray

_EULER = 0.5772156649015329
_NORMAL = NormalDist()
_CHUNK = 256  # halvings at a time
ENOUGH = 0.95  # deflated Sharpe ratio from which a result counts as shown
HALF = 0.5  # probability of overfitting from which the choice is no better than a coin


@dataclass(frozen=True, slots=True, kw_only=True)
class Deflated:
    """The best of many trials, put in relation to how many there were.

    Attributes:
        sharpe: of the best, per day, not annualised; expected: what the best of ``trials`` without any skill comes to.
        probability: that the true Sharpe ratio is above zero given the selection; None where it does not exist.
        against_luck: the same with the scatter of the trials counted only as far as luck can explain it, 1 / (T - 1)
            for Sharpe ratios that are zero in truth: settings that truly differ are not taken for luck.
    """

    sharpe: float
    expected: float
    trials: int
    days: int
    probability: float | None
    against_luck: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overfitting:
    """What happens to the best of one half of the days in the other half, over all ways to halve them.

    Attributes:
        probability: share of the halvings in which the best of one half is below the median of the other (PBO).
        loss: share in which it loses money there.
        slope: of its Sharpe ratio there on that of the half it was chosen in; a negative one means decay.
        halvings: how many ways there were; trials: settings compared.
    """

    probability: float
    loss: float
    slope: float | None
    halvings: int
    trials: int


def expected_best(deviation: float, trials: int) -> float:
    """Expected largest of ``trials`` Sharpe ratios that are zero in truth and scatter by ``deviation``."""
    if trials < 2:
        return 0.0
    low, high = _NORMAL.inv_cdf(1.0 - 1.0 / trials), _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return deviation * ((1.0 - _EULER) * low + _EULER * high)


def deflated(sharpes: FloatArray, best: int, days: int, skewness: float | None, kurtosis: float | None) -> Deflated:
    """The deflated Sharpe ratio of trial ``best``.

    Args:
        sharpes: of all trials, per day, float64[trials], finite.
        skewness, kurtosis: of the best's daily returns; a normal distribution's are 0 and 3.

    Example:
        The paper's own: an annual 2.5 over 5 years of 250 days, 100 trials of variance 1/2 a year, skewness -3,
        kurtosis 10, comes to 0.90.
    """
    deviation = float(np.std(sharpes, ddof=1)) if len(sharpes) > 1 else 0.0
    own, expected = float(sharpes[best]), expected_best(deviation, len(sharpes))
    chance = expected_best(min(deviation, 1.0 / math.sqrt(max(days - 1.0, 1.0))), len(sharpes))
    return Deflated(
        sharpe=own,
        expected=expected,
        trials=len(sharpes),
        days=days,
        probability=_probability(own, expected, days, skewness, kurtosis),
        against_luck=_probability(own, chance, days, skewness, kurtosis),
    )


def _probability(
    own: float, benchmark: float, days: int, skewness: float | None, kurtosis: float | None
) -> float | None:
    """That the true Sharpe ratio is above a benchmark (the paper's equation 1); None where it does not exist."""
    if skewness is None or kurtosis is None or days < 2:
        return None
    spread = 1.0 - skewness * own + (kurtosis - 1.0) / 4.0 * own**2
    return _NORMAL.cdf((own - benchmark) * math.sqrt(days - 1.0) / math.sqrt(spread)) if spread > 0.0 else None


def sharpe_of(days: FloatArray, sums: FloatArray, squares: FloatArray) -> FloatArray:
    """Sharpe ratios per day from numbers, sums and sums of squares of returns; 0 where nothing moved."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = sums / days
        variance = (squares - days * mean**2) / (days - 1.0)
        found = np.where(variance > 1e-14 * squares / days, mean / np.sqrt(variance), 0.0)
    settled: FloatArray = np.nan_to_num(found, nan=0.0, posinf=0.0, neginf=0.0)
    return settled


def overfitting(days: FloatArray, sums: FloatArray, squares: FloatArray) -> Overfitting | None:
    """Combinatorially symmetric cross-validation of trials by their Sharpe ratios.

    Args:
        days: float64[blocks], days in each block; blocks even in number.
        sums, squares: float64[trials, blocks], sums of daily returns and of their squares.

    Returns:
        None where fewer than two trials or four blocks can be compared.
    """
    kept = days > 0
    days, sums, squares = days[kept], sums[:, kept], squares[:, kept]
    if len(days) % 2:
        days, sums, squares = days[1:], sums[:, 1:], squares[:, 1:]
    if len(sums) < 2 or len(days) < 4:
        return None
    halves = _halves(len(days))
    chosen, later, below = [], [], []
    for first in range(0, len(halves), _CHUNK):
        part = halves[first : first + _CHUNK].T
        inside = sharpe_of(days @ part, sums @ part, squares @ part)
        rest = 1.0 - part
        outside = sharpe_of(days @ rest, sums @ rest, squares @ rest)
        best = np.argmax(inside, axis=0)
        columns = np.arange(part.shape[1])
        chosen.append(inside[best, columns])
        later.append(outside[best, columns])
        below.append(_logits(outside, later[-1]) <= 0.0)
    return Overfitting(
        probability=float(np.mean(np.concatenate(below))),
        loss=float(np.mean(np.concatenate(later) < 0.0)),
        slope=_slope(np.concatenate(chosen), np.concatenate(later)),
        halvings=len(halves),
        trials=len(sums),
    )


def _halves(blocks: int) -> FloatArray:
    """All ways to take half of the blocks, one a row, 1.0 for those taken."""
    ways = list(itertools.combinations(range(blocks), blocks // 2))
    halves = np.zeros((len(ways), blocks))
    np.put_along_axis(halves, np.array(ways), 1.0, axis=1)
    return halves


def _logits(outside: FloatArray, value: FloatArray) -> FloatArray:
    """Logit of the relative rank of the chosen trial in the other half; ties share their ranks."""
    rank = (outside < value).sum(axis=0) + ((outside == value).sum(axis=0) + 1.0) / 2.0
    relative = rank / (len(outside) + 1.0)
    logits: FloatArray = np.log(relative / (1.0 - relative))
    return logits


def _slope(chosen: FloatArray, later: FloatArray) -> float | None:
    off = chosen - chosen.mean()
    spread = float(off @ off)
    return float(off @ (later - later.mean())) / spread if spread > 0.0 else None


def rank_correlation(first: FloatArray, second: FloatArray) -> float | None:
    """Spearman's correlation of ranks, ties sharing theirs; None without spread or with fewer than three pairs."""
    if len(first) < 3:
        return None
    a, b = (_ranks(values) for values in (first, second))
    a, b = a - a.mean(), b - b.mean()
    spread = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / spread + 0.0 if spread > 0.0 else None


def _ranks(values: FloatArray) -> FloatArray:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    middle: NDArray[np.float64] = (last - counts + 1 + last) / 2.0
    return middle[inverse]
