"""The linear models of the arms: ridge regressions of R on the numbers of an entry, learned one entry at a time.

Each model keeps A^-1, by rank-one updates (Sherman and Morrison 1950), and b; what it predicts is b.(A^-1 z). Where all
arms learn from the same numbers (replay, no prior), A is the same for all of them and kept once. Sums run over rows, so
that they are the same sums whatever the machine does with vectors; nothing is allocated.
"""

from typing import Any

import numpy as np

from engine.kernel.hooking import late_internal
from engine.kernel.learned import (
    COUNT,
    FIRST_SIGNED,
    LEARNER_FEEDBACK,
    LEARNER_REPLAY,
    LINEAR,
    MARKET_FEATURES,
    SIGNED,
    SQUARES,
    SUM,
    TAIL,
    WORK_ROW,
)
from engine.kernel.observing import floats


@late_internal
def work_row(learned: Any, row: int) -> Any:
    """A row of the record's scratch for linear models."""
    return floats(learned.work_a + 8 * WORK_ROW * row, WORK_ROW)


@late_internal
def arm_state(learned: Any, symbol: int, arm: int) -> Any:
    """What an arm knows: b, and its counters behind it."""
    words = learned.dims + TAIL
    return floats(learned.state_a + 8 * words * (symbol * learned.arms + arm), words)


@late_internal
def inverse_of(learned: Any, symbol: int, arm: int) -> Any:
    """A^-1 of an arm, row by row; the same for all arms where there is one."""
    size = learned.dims * learned.dims
    which = arm if learned.inverses > 1 else 0
    return floats(learned.inverse_a + 8 * size * (symbol * learned.inverses + which), size)


@late_internal
def linear_numbers(market: Any, x: Any) -> None:
    """The numbers of a linear model: constant, market, and the size of the direction-like ones."""
    x[0] = 1.0
    for index in range(MARKET_FEATURES):
        x[1 + index] = market[index]
    for index in range(SIGNED):
        x[1 + MARKET_FEATURES + index] = abs(market[FIRST_SIGNED + index])


@late_internal
def mean_of(values: Any, count: int) -> float:
    """Mean of the first values."""
    total = 0.0
    for index in range(count):
        total += values[index]
    return total / count


@late_internal
def arm_numbers(learned: Any, prior: float, x: Any, z: Any) -> None:
    """The numbers of an arm's linear model: its prior first where there is one, then the constant and the market."""
    extra = learned.dims - LINEAR
    if extra == 1:
        z[0] = prior
    for index in range(LINEAR):
        z[extra + index] = x[index]


@late_internal
def dot(first: Any, second: Any, count: int) -> float:
    """Sum of products."""
    total = 0.0
    for index in range(count):
        total += first[index] * second[index]
    return total


@late_internal
def times_inverse(inverse: Any, dims: int, z: Any, out: Any) -> None:
    """Writes A^-1 z; A^-1 is symmetric to the last bit, so its rows are its columns."""
    for column in range(dims):
        out[column] = 0.0
    for row in range(dims):
        factor, first = z[row], row * dims
        for column in range(dims):
            out[column] += inverse[first + column] * factor


@late_internal
def learn_inverse(inverse: Any, dims: int, z: Any, work: Any) -> None:
    """One more row z of observations: A^-1 by the rank-one formula."""
    times_inverse(inverse, dims, z, work)
    share = 1.0 / (1.0 + dot(z, work, dims))
    for row in range(dims):
        factor, first = work[row], row * dims
        for column in range(dims):
            inverse[first + column] -= factor * work[column] * share


@late_internal
def learn_arm(state: Any, dims: int, z: Any, target: float, reward: float) -> None:
    """One observation goes into b and the counters of an arm."""
    for row in range(dims):
        state[row] += target * z[row]
    state[dims + COUNT] += 1.0
    state[dims + SUM] += reward
    state[dims + SQUARES] += reward * reward


@late_internal
def learn_entry(learned: Any, symbol: int, x: Any, priors: Any, r: Any, chosen: int) -> None:
    """The arms learn from one entry: all of them, or with bandit feedback the one that was chosen.

    Where the R of all arms are known, each learns by how much it was better than their mean: what they have in common
    decides nothing, and is most of the noise.
    """
    z, work = work_row(learned, 0), work_row(learned, 1)
    common, expected = 0.0, 0.0
    if learned.learner == LEARNER_REPLAY:
        common, expected = mean_of(r, learned.arms), mean_of(priors, learned.arms)
    for arm in range(learned.arms):
        if learned.learner == LEARNER_FEEDBACK and arm != chosen:
            continue
        prior = priors[arm] - expected
        if arm == 0 or learned.inverses > 1:
            arm_numbers(learned, prior, x, z)
            learn_inverse(inverse_of(learned, symbol, arm), learned.dims, z, work)
        learn_arm(arm_state(learned, symbol, arm), learned.dims, z, r[arm] - common - prior, r[arm])


@late_internal
def value_arms(learned: Any, symbol: int, x: Any, priors: Any, values: Any, widths: Any) -> None:
    """Upper confidence values of all arms on top of their priors, and sqrt(z' A^-1 z), in units of the noise's."""
    z, work = work_row(learned, 0), work_row(learned, 1)
    expected = mean_of(priors, learned.arms) if learned.learner == LEARNER_REPLAY else 0.0
    spread = 0.0
    for arm in range(learned.arms):
        prior = priors[arm] - expected
        if arm == 0 or learned.inverses > 1:
            arm_numbers(learned, prior, x, z)
            times_inverse(inverse_of(learned, symbol, arm), learned.dims, z, work)
            spread = np.sqrt(max(dot(z, work, learned.dims), 0.0))
        widths[arm] = spread
        values[arm] = prior + dot(arm_state(learned, symbol, arm), work, learned.dims) + learned.alpha * spread
