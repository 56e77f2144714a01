"""Linear bandits that learn while they trade: disjoint LinUCB, and the same on top of a network's prediction.

LinUCB (Li, Chu, Langford, Schapire 2010, algorithm 1, disjoint): for each arm a ridge regression of R on the numbers of
the entry, value theta.x + alpha sqrt(x' A^-1 x), theta = A^-1 b (engine.kernel.linear).
On top of a prior f: R = f(x)(1 + d) + theta.x, a Bayesian linear regression whose prior mean is f, on the numbers
(f, x), so that it learns how far f can be trusted (d).

Counterfactual replay: our trade does not move the market, so what every other arm would have made of it is computed on
the same bars, and all arms learn from it once all of them have exited; in the order in which they did.
"""

from typing import Any

import numpy as np

from engine.kernel.hooking import late_entry, late_internal
from engine.kernel.learned import (
    ADVANTAGE,
    CLOSED_TRADE,
    G_COUNT,
    G_LEARNED,
    G_MEAN,
    G_NUMBER,
    G_SKIPPED,
    G_SPREAD,
    G_TRIAL,
    GATE_FIELDS,
    LEARNER_FEEDBACK,
    LEARNER_REPLAY,
    LINEAR,
    MARKET_FEATURES,
    PENDING,
    PENDING_HEAD,
    RUNNING,
    offset_of,
)  # fmt: skip
from engine.kernel.lifecycle import atr_level, lots_by_margin, lots_by_risk, whole_lots
from engine.kernel.linear import (
    arm_numbers,
    arm_state,
    inverse_of,
    learn_arm,
    learn_entry,
    learn_inverse,
    linear_numbers,
    mean_of,
    value_arms,
    work_row,
)
from engine.kernel.observing import floats, integers, learned_at_index
from engine.kernel.seats import SEAT_BYTES, begin_seat, own_at, run_seat
from engine.kernel.state import I8, account_at, as_int, pointer, symbol_at, value_at
from engine.kernel.ticks import against

_PENDING_BYTES = PENDING.itemsize
_X_OFFSET, _PRIOR_OFFSET = offset_of(PENDING, "x"), offset_of(PENDING, "prior")
_pending = pointer(PENDING_HEAD)


@late_internal
def pending_a(learned: Any, symbol: int, slot: int) -> int:
    """Address of a trade that has not been learned from."""
    return learned.pendings_a + _PENDING_BYTES * (symbol * learned.slots + slot)


@late_internal
def seat_a(learned: Any, symbol: int, slot: int, arm: int) -> int:
    """Address of an arm's seat of such a trade."""
    return learned.seats_a + SEAT_BYTES * ((symbol * learned.slots + slot) * learned.arms + arm)


@late_internal
def gate_figures(learned: Any, symbol: int) -> Any:
    """Figures of the learned advantage of a symbol."""
    from_here = learned.gate_a + 8 * GATE_FIELDS * symbol
    return floats(from_here, GATE_FIELDS)


@late_internal
def trial_figures(learned: Any, symbol: int) -> Any:
    """Count, mean and spread of what a symbol's correction gained over its prior."""
    return floats(learned.gate_a + 8 * (GATE_FIELDS * symbol + G_TRIAL), ADVANTAGE)


@late_internal
def surely_gains(figures: Any, least: int, z: float) -> int:
    """Whether a mean lies ``z`` standard errors above zero, over ``least`` trades or more."""
    count = figures[G_COUNT]
    if count < least or count < 2.0:
        return 0
    deviation = np.sqrt(figures[G_SPREAD] / (count - 1.0))
    return 1 if figures[G_MEAN] - z * deviation / np.sqrt(count) > 0.0 else 0


@late_internal
def gate_is_open(learned: Any, symbol: int) -> int:
    """Whether the lower confidence bound of the learned advantage is above zero; always without a gate."""
    if learned.gated == 0:
        return 1
    return surely_gains(gate_figures(learned, symbol), learned.gate_min, learned.gate_z)


@late_internal
def on_trial(learned: Any, symbol: int) -> int:
    """Whether a correction has not yet shown that it gains over its prior; never where none is put on trial."""
    if learned.trial == 0:
        return 0
    return 1 - surely_gains(trial_figures(learned, symbol), learned.trial_min, learned.trial_z)


@late_internal
def best_of(values: Any, arms: int, first: int) -> int:
    """The arm with the highest value; ``first`` where none is higher, else ties go to the smaller multiple."""
    best = first
    for arm in range(arms):
        if values[arm] > values[best]:
            best = arm
    return best


@late_internal
def serve_prior(learned: Any, priors: Any, values: Any, widths: Any) -> None:
    """Values of a correction on trial: the prior alone."""
    expected = mean_of(priors, learned.arms)
    for arm in range(learned.arms):
        values[arm] = priors[arm] - expected
        widths[arm] = 0.0


@late_internal
def take_advantage(figures: Any, value: float) -> None:
    """One more difference between the proposed and the fixed multiple; running mean and spread (Welford 1962)."""
    figures[G_COUNT] += 1.0
    delta = value - figures[G_MEAN]
    figures[G_MEAN] += delta / figures[G_COUNT]
    figures[G_SPREAD] += delta * (value - figures[G_MEAN])


@late_internal
def replay_pending(learned: Any, symbol: int, slot: int, bar: int) -> None:
    """Run the arms of a trade up to ``bar`` (excluded); ``completed`` tells when the last one exited, -1 before.

    The widest comes first, which is last in most lists: while one is in the market, the others can wait.
    """
    row = _pending(pending_a(learned, symbol, slot), 0)
    stage = account_at(integers(learned.stages_a, symbol + 1)[symbol])
    last, void = -1, 0
    for turn in range(learned.arms):
        arm = learned.arms - 1 - turn
        if learned.learner == LEARNER_FEEDBACK and arm != row.served:
            continue
        seat = seat_a(learned, symbol, slot, arm)
        state = run_seat(stage, seat, bar, learned.unit)
        if state == RUNNING:
            return
        own = own_at(seat)
        last = max(last, own.exit_bar)
        void += 1 if state != CLOSED_TRADE or not np.isfinite(own.r) else 0
    if void > 0:
        set_free(learned, symbol, slot)
    row.completed = last


@late_internal
def learn_pending(learned: Any, symbol: int, slot: int) -> None:
    """Every arm that was replayed learns from its R."""
    address = pending_a(learned, symbol, slot)
    row = _pending(address, 0)
    x, priors = floats(address + _X_OFFSET, LINEAR), floats(address + _PRIOR_OFFSET, 8)
    r = work_row(learned, 3)
    for arm in range(learned.arms):
        r[arm] = own_at(seat_a(learned, symbol, slot, arm)).r
    learn_entry(learned, symbol, x, priors, r, row.served)
    figures = gate_figures(learned, symbol)
    figures[G_LEARNED] += 1.0
    if learned.learner == LEARNER_REPLAY:
        proposed = own_at(seat_a(learned, symbol, slot, row.proposed)).r
        fixed = own_at(seat_a(learned, symbol, slot, learned.fixed_arm)).r
        take_advantage(figures, proposed - fixed)
    if row.tried >= 0:
        take_advantage(trial_figures(learned, symbol), r[row.tried] - r[best_of(priors, learned.arms, 0)])
    set_free(learned, symbol, slot)


@late_internal
def set_free(learned: Any, symbol: int, slot: int) -> None:
    """The trade in a slot waits no longer."""
    _pending(pending_a(learned, symbol, slot), 0).active = 0
    integers(learned.waiting_a, symbol + 1)[symbol] -= 1


@late_internal
def next_due(learned: Any, symbol: int) -> int:
    """The slot whose arms had all exited first; ties go by entry; -1 where none is due."""
    found, first, number = -1, 0, 0
    slot, left = -1, integers(learned.waiting_a, symbol + 1)[symbol]
    while left > 0:
        slot += 1
        row = _pending(pending_a(learned, symbol, slot), 0)
        left -= row.active
        if row.active == 0 or row.completed < 0:
            continue
        if found < 0 or row.completed < first or (row.completed == first and row.number < number):
            found, first, number = slot, row.completed, row.number
    return found


@late_internal
def learn_before(learned: Any, symbol: int, bar: int) -> None:
    """Take in every trade whose arms have all exited before ``bar``.

    Called when a decision is due; called more often, it does the same in smaller steps.
    """
    slot, left = -1, integers(learned.waiting_a, symbol + 1)[symbol]
    while left > 0:
        slot += 1
        if _pending(pending_a(learned, symbol, slot), 0).active == 1:
            left -= 1
            replay_pending(learned, symbol, slot, bar)
    slot = next_due(learned, symbol)
    while slot >= 0:
        learn_pending(learned, symbol, slot)
        slot = next_due(learned, symbol)


@late_internal
def free_slot(learned: Any, symbol: int) -> int:
    """The first slot without a trade, -1 where all are taken."""
    for slot in range(learned.slots):
        if _pending(pending_a(learned, symbol, slot), 0).active == 0:
            return slot
    return -1


@late_internal
def trial_waits(learned: Any, symbol: int) -> int:
    """Whether a trade by which the correction is judged has not been learned from."""
    slot, left = -1, integers(learned.waiting_a, symbol + 1)[symbol]
    while left > 0:
        slot += 1
        row = _pending(pending_a(learned, symbol, slot), 0)
        left -= row.active
        if row.active == 1 and row.tried >= 0:
            return 1
    return 0


@late_internal
def trial_arm(learned: Any, symbol: int) -> int:
    """The corrected arm where the entry of now judges the correction, else -1.

    One trade at a time does: those that overlap say much the same, and a bound would take them for more than they are.
    Which one is settled when it begins, since those that end first are not like the others.
    """
    return learned.corrected if learned.trial == 1 and trial_waits(learned, symbol) == 0 else -1


@late_internal
def size_arms(learned: Any, account: Any, symbol: int, side: int) -> None:
    """The size that each arm's entry would have now (S11.4), one lot at least."""
    lots, multiples = floats(learned.lots_a, learned.arms), floats(learned.multiples_a, learned.arms)
    price = symbol_at(account, symbol).mark
    atr = value_at(account, account.exit_atr_a, account.bar - 1, symbol)
    most = lots_by_margin(account, symbol)
    for arm in range(learned.arms):
        stop = against(atr_level(price, side, multiples[arm], atr), -side)
        lots[arm] = max(1.0, whole_lots(min(lots_by_risk(account, symbol, stop), most)))


@late_internal
def keep_pending(learned: Any, account: Any, symbol: int) -> None:
    """An entry was made: seat every arm at this bar, to be learned from later."""
    figures = gate_figures(learned, symbol)
    slot = free_slot(learned, symbol)
    figures[G_NUMBER] += 1.0
    if slot < 0:
        figures[G_SKIPPED] += 1.0
        return
    address = pending_a(learned, symbol, slot)
    row = _pending(address, 0)
    row.tried = trial_arm(learned, symbol)
    row.active = 1
    integers(learned.waiting_a, symbol + 1)[symbol] += 1
    row.number = as_int(figures[G_NUMBER])
    row.entry_bar = account.bar
    row.completed = -1
    row.served = learned.arm
    row.proposed = learned.proposed
    linear_numbers(floats(learned.x_a, MARKET_FEATURES), floats(address + _X_OFFSET, LINEAR))
    kept, priors = floats(address + _PRIOR_OFFSET, 8), floats(learned.prior_a, learned.arms)
    multiples, lots = floats(learned.multiples_a, learned.arms), floats(learned.lots_a, learned.arms)
    template = integers(learned.templates_a, symbol + 1)[symbol]
    for arm in range(learned.arms):
        kept[arm] = priors[arm]
        seat = seat_a(learned, symbol, slot, arm)
        begin_seat(seat, template, account.bar, learned.side, multiples[arm], lots[arm])


@late_entry(I8(I8, I8, I8))
def learn(address: int, symbol: int, bar: int) -> int:
    """Take in every trade on a symbol whose arms have all exited before ``bar``; returns how many it has learned of."""
    learned = learned_at_index(address, 0)
    learn_before(learned, symbol, bar)
    return as_int(gate_figures(learned, symbol)[G_LEARNED])


@late_entry(I8(I8, I8, I8, I8, I8))
def teach(address: int, symbol: int, arm: int, x_a: int, reward_a: int) -> int:
    """One arm learns, as bandit feedback has it, from linear numbers and (R, prior) in ``reward_a``."""
    learned = learned_at_index(address, 0)
    reward = floats(reward_a, 2)
    z = work_row(learned, 0)
    arm_numbers(learned, reward[1], floats(x_a, LINEAR), z)
    learn_inverse(inverse_of(learned, symbol, arm), learned.dims, z, work_row(learned, 1))
    learn_arm(arm_state(learned, symbol, arm), learned.dims, z, reward[0] - reward[1], reward[0])
    return arm


@late_internal
def choose_corrected(learned: Any, symbol: int, x: Any, priors: Any, values: Any, widths: Any) -> int:
    """The arm to serve on top of a prior, with the values that say so; ``learned.corrected`` keeps the correction's."""
    value_arms(learned, symbol, x, priors, values, widths)
    best = best_of(values, learned.arms, learned.fixed_arm)
    learned.corrected = best
    if on_trial(learned, symbol) == 1:
        serve_prior(learned, priors, values, widths)
        best = best_of(values, learned.arms, 0)
    return best


@late_internal
def walk_trial(learned: Any, trial: Any, entry: int, priors: Any, r: Any) -> None:
    """A labelled entry is over: where it is the one that judges its symbol's correction, it does."""
    if trial[0] == entry:
        gain = r[trial[1]] - r[best_of(priors, learned.arms, 0)]
        take_advantage(trial_figures(learned, trial[2]), gain)
        trial[0] = -1


@late_entry(I8(I8, I8, I8, I8, I8, I8, I8, I8, I8, I8))
def walk(
    address: int,
    count: int,
    symbols_a: int,
    times_a: int,
    ends_a: int,
    order_a: int,
    x_a: int,
    priors_a: int,
    r_a: int,
    arms_a: int,
) -> int:
    """Choose for labelled entries in the order of their time, learning from each once all its arms have exited.

    x float64[n, 13] (linear numbers), priors and r float64[n, arms]; ``order``: entries by their end. Writes the
    chosen arms, int64[n]; returns how many were learned from.
    """
    if count == 0:
        return 0
    learned = learned_at_index(address, 0)
    symbols, times, ends = integers(symbols_a, count), integers(times_a, count), integers(ends_a, count)
    order, chosen = integers(order_a, count), integers(arms_a, count)
    values, widths = np.empty(learned.arms), np.empty(learned.arms)
    arms, taken = learned.arms, 0
    trials = np.full((symbols.max() + 1, 3), -1)  # of each symbol: the entry that judges, its corrected arm, the symbol
    for index in range(count):
        while taken < count and ends[order[taken]] <= times[index]:
            done = order[taken]
            priors, r = floats(priors_a + 8 * arms * done, arms), floats(r_a + 8 * arms * done, arms)
            learn_entry(learned, symbols[done], floats(x_a + 8 * LINEAR * done, LINEAR), priors, r, chosen[done])
            walk_trial(learned, trials[symbols[done]], done, priors, r)
            taken += 1
        symbol, priors = symbols[index], floats(priors_a + 8 * arms * index, arms)
        x = floats(x_a + 8 * LINEAR * index, LINEAR)
        chosen[index] = choose_corrected(learned, symbol, x, priors, values, widths)
        if learned.trial == 1 and trials[symbol, 0] < 0:
            trials[symbol, 0], trials[symbol, 1], trials[symbol, 2] = index, learned.corrected, symbol
    return taken
