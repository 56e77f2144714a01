"""Training grounds: many private trades at once, each a step further in one call, by the kernel's own fill rules.

Three modes: TRADE, a step is a whole trade and its reward is its R; BARS, a step is a bar and the multiple chosen at
the entry stays; EVERY_BAR, a step is a bar and each may choose anew (the stop only ever tightens). Rewards per bar are
changes of profit in R net of costs, marked at O; the last one is the trade's R less what was paid before.
"""

from typing import Any

import numpy as np

from engine.kernel.hooking import late_entry, late_internal
from engine.kernel.learned import (
    C_ATR,
    CLOSED_TRADE,
    F_ATR_SINCE,
    F_HELD,
    F_MAE,
    F_MFE,
    F_STOP_DISTANCE,
    F_UNREALISED,
    FEATURES,
    HELD_SCALE,
    NEVER_OPENED,
    RUNNING,
    STOP_SCALE,
    UNIT_ATR,
)  # fmt: skip
from engine.kernel.lifecycle import manage_positions
from engine.kernel.observing import (
    bounded,
    closed_row,
    floats,
    integers,
    learned_at_index,
    observe_entry,
    sides_in,
)  # fmt: skip
from engine.kernel.phases import intrabar, open_bar
from engine.kernel.seats import (
    SEAT_BYTES,
    begin_seat,
    clear_logs,
    enter_seat,
    marked_r,
    note_end,
    own_at,
    run_seat,
    sit,
)  # fmt: skip
from engine.kernel.state import I8, NO_PRICE, account_at, instrument_at, symbol_at

TRADE, BARS, EVERY_BAR = 0, 1, 2


@late_internal
def observe_trade(learned: Any, stage: Any, own: Any, symbol: int, out: Any) -> None:
    """The fourteen numbers at the OPEN of a seat's bar: the market's, and the trade's once it is open."""
    account = account_at(learned.account_a)
    observe_entry(learned, account, symbol, own.bar, own.side, out)
    position = symbol_at(stage, 0)
    if position.lots == 0.0:
        return
    facts = instrument_at(stage, 0)
    risk = own.atr * own.lots * facts.tick_money if learned.unit == UNIT_ATR else position.initial_risk
    atr = closed_row(learned, account, own.bar - 1, symbol)[C_ATR]
    now = marked_r(stage, own, learned.unit, position.mark)
    at_high = marked_r(stage, own, learned.unit, position.run_high)
    at_low = marked_r(stage, own, learned.unit, position.run_low)
    best, worst = max(at_high, at_low), min(at_high, at_low)
    out[F_UNREALISED] = bounded(now)
    out[F_MFE] = bounded(max(0.0, max(now, max(best, position.mfe / risk))))
    out[F_MAE] = bounded(min(0.0, min(now, min(worst, position.mae / risk))))
    out[F_HELD] = bounded(np.log(1.0 + own.bar - own.entry_bar) / HELD_SCALE)
    out[F_STOP_DISTANCE] = bounded((position.mark - position.stop) * own.side / atr / STOP_SCALE)
    out[F_ATR_SINCE] = bounded(np.log(atr / own.atr))


@late_internal
def act_at_open(stage: Any, own: Any, mode: int, multiple: float) -> None:
    """The bot's part of the seat's bar: enter, or trail with the multiple in force."""
    if own.bar == own.entry_bar:
        own.multiple = multiple
        enter_seat(stage, own)
        return
    if mode == EVERY_BAR:
        symbol_at(stage, 0).exit_multiple = multiple
    manage_positions(stage)


@late_internal
def step_bar(learned: Any, stage: Any, seat: int, mode: int, multiple: float, last: int) -> int:
    """One bar of a trade from its OPEN to the next OPEN; returns 1 where data end before the trade."""
    own = own_at(seat)
    unit = learned.unit
    sit(stage, seat)
    stage.bar = own.bar
    stage.phase = 0
    act_at_open(stage, own, mode, multiple)
    if own.done == RUNNING:
        intrabar(stage)
        note_end(stage, own, unit)
    own.bar += 1
    if own.done != RUNNING or own.bar >= last:
        return 1 if own.done == RUNNING else 0
    clear_logs(stage)
    open_bar(stage, own.bar)
    if stage.n_trades > 0:
        note_end(stage, own, unit)
    return 0


@late_internal
def step_seat(learned: Any, stage: Any, seat: int, mode: int, multiple: float, last: int) -> float:
    """One step in a mode; returns its reward. ``own.entry`` is -2 where data ended before the trade."""
    own = own_at(seat)
    if mode == TRADE:
        own.multiple = multiple
        own.bar = own.entry_bar
        if run_seat(stage, seat, last, learned.unit) == RUNNING:
            own.entry = -2
        return own.r if own.done == CLOSED_TRADE else 0.0
    cut = step_bar(learned, stage, seat, mode, multiple, last)
    if cut == 1:
        own.entry = -2
    worth = own.r if own.done == CLOSED_TRADE else marked_r(stage, own, learned.unit, symbol_at(stage, 0).mark)
    if own.done == NEVER_OPENED:
        worth = own.paid
    reward = worth - own.paid
    own.paid += reward
    return reward


@late_internal
def open_seat(learned: Any, seat: int, mode: int, symbol: int, bar: int, side: int, out: Any) -> None:
    """A seat at the OPEN of its entry's bar, about to decide, and what it sees."""
    stage = account_at(integers(learned.stages_a, symbol + 1)[symbol])
    begin_seat(seat, integers(learned.templates_a, symbol + 1)[symbol], bar, side, NO_PRICE, 1.0)
    own = own_at(seat)
    if mode != TRADE:
        sit(stage, seat)
        open_bar(stage, bar)
    observe_trade(learned, stage, own, symbol, out)


@late_entry(I8(I8, I8, I8, I8, I8, I8, I8, I8, I8))
def reset(
    address: int, mode: int, seats_a: int, symbols_a: int, bars_a: int, sides_a: int, which_a: int, count: int, x_a: int
) -> int:
    """The seats in ``which`` (int64[count]) begin at their entries (symbol, bar, side); x float64[n, 14]."""
    learned = learned_at_index(address, 0)
    which = integers(which_a, count)
    for turn in range(count):
        index = which[turn]
        out = floats(x_a + 8 * FEATURES * index, FEATURES)
        symbol, bar = integers(symbols_a, index + 1)[index], integers(bars_a, index + 1)[index]
        side = sides_in(sides_a, index + 1)[index]
        open_seat(learned, seats_a + SEAT_BYTES * index, mode, symbol, bar, side, out)
    return count


@late_entry(I8(I8, I8, I8, I8, I8, I8, I8, I8, I8, I8, I8, I8))
def step(
    address: int,
    mode: int,
    seats_a: int,
    symbols_a: int,
    bars_a: int,
    sides_a: int,
    count: int,
    actions_a: int,
    x_a: int,
    rewards_a: int,
    ends_a: int,
    last: int,
) -> int:
    """One step of every seat. actions int64[n]; rewards float64[n]; ends int64[n]: 0 goes on, 1 closed, 2 cut by data.

    Seats that end stay as they are: ``reset`` begins them anew. Returns how many ended.
    """
    learned = learned_at_index(address, 0)
    symbols, actions = integers(symbols_a, count), integers(actions_a, count)
    rewards, ends = floats(rewards_a, count), integers(ends_a, count)
    multiples = floats(learned.multiples_a, learned.arms)
    ended = 0
    for index in range(count):
        seat = seats_a + SEAT_BYTES * index
        own = own_at(seat)
        stage = account_at(integers(learned.stages_a, symbols[index] + 1)[symbols[index]])
        rewards[index] = step_seat(learned, stage, seat, mode, multiples[actions[index]], last)
        ends[index] = 2 if own.entry == -2 else (0 if own.done == RUNNING else 1)
        if ends[index] == 0:
            observe_trade(learned, stage, own, symbols[index], floats(x_a + 8 * FEATURES * index, FEATURES))
        else:
            ended += 1
    return ended
