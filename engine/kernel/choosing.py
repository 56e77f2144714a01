"""Which multiple of the ATR an entry gets: a network's best, a learner's best, or behind the gate the fixed one.

One function is called by the base bot's entry logic in both drives (engine.kernel.hooking); what it compared goes into
the table of choices.
"""

from typing import Any

import numpy as np

from engine.kernel.bandit import best_of, choose_corrected, gate_is_open, keep_pending, learn_before, size_arms
from engine.kernel.hooking import CHOOSE, hook, late_entry, late_internal
from engine.kernel.learned import (
    C_ROW,
    FEATURES,
    LEARNER_NONE,
    MARKET_FEATURES,
    MOST_ARMS,
    NETWORK_POLICY,
)
from engine.kernel.linear import linear_numbers, work_row
from engine.kernel.networks import network_outputs
from engine.kernel.observing import closed_row, floats, learned_at_index, observe_entry
from engine.kernel.state import F8, I8, NO_PRICE, account_at, as_int, choice_at


@late_internal
def soften(values: Any, arms: int) -> None:
    """Outputs of a policy as probabilities (softmax), in place."""
    highest = values[0]
    for arm in range(1, arms):
        highest = max(highest, values[arm])
    total = 0.0
    for arm in range(arms):
        values[arm] = np.exp(values[arm] - highest)
        total += values[arm]
    for arm in range(arms):
        values[arm] /= total


@late_internal
def prior_values(learned: Any, account: Any, symbol: int, side: int) -> None:
    """What the network says of each arm in R (a policy's outputs through their calibration); zeros without one."""
    values, priors = floats(learned.values_a, MOST_ARMS), floats(learned.prior_a, MOST_ARMS)
    row = as_int(closed_row(learned, account, account.bar - 1, symbol)[C_ROW])
    network_outputs(learned, row, side, floats(learned.x_a, FEATURES), FEATURES, values)
    calibration = floats(learned.calibration_a, 2 * MOST_ARMS)
    for arm in range(learned.arms):
        priors[arm] = calibration[arm] + calibration[MOST_ARMS + arm] * values[arm]
    if learned.network == NETWORK_POLICY:
        soften(values, learned.arms)


@late_internal
def bandit_choice(learned: Any, symbol: int) -> int:
    """The arm with the highest upper confidence value for the numbers of now, on top of the priors."""
    values, priors = floats(learned.values_a, MOST_ARMS), floats(learned.prior_a, MOST_ARMS)
    x = work_row(learned, 2)
    linear_numbers(floats(learned.x_a, MARKET_FEATURES), x)
    return choose_corrected(learned, symbol, x, priors, values, floats(learned.widths_a, MOST_ARMS))


@late_internal
def choose(learned: Any, account: Any, symbol: int, side: int) -> float:
    """The multiple for an entry now; NaN, and with it no entry, while the numbers are not all there."""
    values, widths = floats(learned.values_a, MOST_ARMS), floats(learned.widths_a, MOST_ARMS)
    for arm in range(MOST_ARMS):
        values[arm] = NO_PRICE
        widths[arm] = NO_PRICE
    learned.side = side
    learned.arm = -1
    learned.served_fixed = 0
    if observe_entry(learned, account, symbol, account.bar, side, floats(learned.x_a, FEATURES)) == 0:
        return NO_PRICE
    prior_values(learned, account, symbol, side)
    if not np.isfinite(values[0]):
        return NO_PRICE
    best = 0
    if learned.learner == LEARNER_NONE:
        best = best_of(values, learned.arms, 0)
    else:
        learn_before(learned, symbol, account.bar)
        best = bandit_choice(learned, symbol)
        size_arms(learned, account, symbol, side)
    learned.proposed = best
    if learned.learner != LEARNER_NONE and gate_is_open(learned, symbol) == 0:
        learned.served_fixed = 1
        best = learned.fixed_arm
    learned.arm = best
    return floats(learned.multiples_a, learned.arms)[best]


@late_internal
def note_choice(learned: Any, account: Any, symbol: int, order: int) -> None:
    """Write down what was compared and chosen."""
    values = floats(learned.values_a, MOST_ARMS)
    row = choice_at(account, account.n_choices)
    account.n_choices = account.n_choices + 1
    row.order = order
    row.bar = account.bar
    row.symbol = symbol
    row.side = learned.side
    row.arm = learned.arm
    row.proposed = learned.proposed
    row.gated = learned.served_fixed
    row.multiple = floats(learned.multiples_a, learned.arms)[learned.arm]
    row.width = floats(learned.widths_a, MOST_ARMS)[learned.proposed]
    row.v0 = values[0] + 0.0
    row.v1 = values[1] + 0.0
    row.v2 = values[2] + 0.0
    row.v3 = values[3] + 0.0
    row.v4 = values[4] + 0.0
    row.v5 = values[5] + 0.0
    row.v6 = values[6] + 0.0
    row.v7 = values[7] + 0.0


@late_entry(F8(I8, I8, I8))
def ask(address: int, symbol: int, side: int) -> float:
    """The multiple for an entry where the account stands; nothing is written down."""
    learned = learned_at_index(address, 0)
    return choose(learned, account_at(learned.account_a), symbol, side)


def answer(address: int, moment: int, symbol: int, value: int) -> float:
    """What the base bot asks at an entry: first the multiple for a side, then it tells the order's id."""
    learned = learned_at_index(address, 0)
    account = account_at(learned.account_a)
    if moment == CHOOSE:
        return choose(learned, account, symbol, value)
    if learned.arm >= 0:
        note_choice(learned, account, symbol, value)
        if learned.learner != LEARNER_NONE and learned.learning == 1 and value > 0:
            keep_pending(learned, account, symbol)
    return 0.0


HOOK_ADDRESS, _HOOK_ALIVE = hook(answer)
