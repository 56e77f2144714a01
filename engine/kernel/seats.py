"""What would have been: one trade on a private account, by the kernel's own fill rules (rulebook S5 to S8, S12.1).

A stage is an account with one symbol's bars; a seat is the state of one trade on it: position and entry order. The
stage is pointed at a seat, runs bars, and is pointed at the next one: labels, training environments and counterfactual
replay are all made of this, so that an R here is the R of a backtest, to the last bit. A seat has no margin and no
money limit: it is one trade of a given size, not a portfolio.
"""

from typing import Any

import numpy as np

from engine.kernel.broker import place
from engine.kernel.hooking import late_entry, late_internal
from engine.kernel.learned import CLOSED_TRADE, NEVER_OPENED, OWN, RUNNING, SEAT, UNIT_ATR, offset_of
from engine.kernel.ledger import unrealised_at
from engine.kernel.lifecycle import atr_level, manage_positions
from engine.kernel.observing import floats, integers, sides_in
from engine.kernel.phases import intrabar, open_bar
from engine.kernel.schema import OrderType
from engine.kernel.state import (
    EXIT_TRAILING_ATR,
    FLATTEN,
    I8,
    NO_PRICE,
    REAL,
    SESSION_FIRST,
    SYMBOL,
    account_at,
    bar_at,
    flags_at,
    instrument_at,
    pointer,
    symbol_at,
    trade_at,
    value_at,
)
from engine.kernel.ticks import against
from engine.kernel.working import refresh_triggers

SEAT_BYTES = SEAT.itemsize
_ORDER_OFFSET, _OWN_OFFSET = offset_of(SEAT, "orders"), offset_of(SEAT, "own")
_WORDS = SYMBOL.itemsize // 8

_MARKET = int(OrderType.MARKET)

_own = pointer(OWN)


@late_internal
def own_at(seat: int) -> Any:
    """What a seat knows besides position and order."""
    return _own(seat + _OWN_OFFSET, 0)


@late_internal
def clear_logs(stage: Any) -> None:
    """Begin a bar with room for its rows: a seat has two rows for orders, and only a working one is kept."""
    stage.n_orders = symbol_at(stage, 0).working
    stage.n_events = 0


@late_internal
def sit(stage: Any, seat: int) -> None:
    """Point the stage at a seat; its tables begin anew, since a seat needs none of what it has written before."""
    stage.symbols_a = seat
    stage.orders_a = seat + _ORDER_OFFSET
    position = symbol_at(stage, 0)
    stage.working = position.working
    stage.open_positions = 1 if position.lots != 0.0 else 0
    stage.n_fills = 0
    stage.n_trades = 0
    stage.n_calls = 0
    stage.exit_kind = EXIT_TRAILING_ATR
    clear_logs(stage)


@late_internal
def begin_seat(seat: int, template_a: int, bar: int, side: int, multiple: float, lots: float) -> None:
    """A seat before its entry at the OPEN of ``bar``; ``template_a`` is a fresh position."""
    fresh, words = integers(template_a, _WORDS), integers(seat, _WORDS)
    for index in range(_WORDS):
        words[index] = fresh[index]
    own = own_at(seat)
    own.entry_bar = bar
    own.bar = bar
    own.exit_bar = -1
    own.side = side
    own.done = RUNNING
    own.entry = -1
    own.multiple = multiple
    own.lots = lots
    own.atr = NO_PRICE
    own.r = NO_PRICE
    own.paid = 0.0


@late_internal
def enter_seat(stage: Any, own: Any) -> None:
    """The entry: one market order with its stop, as the base bot gives it (S11.3, S12.1)."""
    position = symbol_at(stage, 0)
    position.exit_multiple = own.multiple
    if own.bar < 1:
        own.done = NEVER_OPENED
        return
    own.atr = value_at(stage, stage.exit_atr_a, own.bar - 1, 0)
    stop = against(atr_level(position.mark, own.side, own.multiple, own.atr), -own.side)
    if not (position.mark - stop) * own.side > 0.0 or np.isinf(stop):
        own.done = NEVER_OPENED
        return
    place(stage, 0, own.side, _MARKET, 0, own.lots, NO_PRICE, NO_PRICE, stop, NO_PRICE, 0)


@late_internal
def note_end(stage: Any, own: Any, unit: int) -> None:
    """Write down how the trade ended, if it has."""
    position = symbol_at(stage, 0)
    if stage.n_trades > 0:
        trade = trade_at(stage, 0)
        risk = own.atr * own.lots * instrument_at(stage, 0).tick_money
        own.r = trade.net / risk + 0.0 if unit == UNIT_ATR else trade.r_multiple
        own.exit_bar = stage.bar
        own.done = CLOSED_TRADE
    elif position.lots == 0.0 and position.working == 0:
        own.done = NEVER_OPENED
        own.exit_bar = stage.bar


@late_internal
def trailed(stage: Any, position: Any, side: int, bar: int, level: float) -> float:
    """The stop at the OPEN of ``bar``: ``level``, or where trailing tightens it to (S11.5, S12.1)."""
    last = bar_at(stage, bar - 1, 0).c
    if not (last - position.average) * side > 0.0:
        return level
    wanted = atr_level(last, side, position.exit_multiple, value_at(stage, stage.exit_atr_a, bar - 1, 0))
    rounded = against(wanted, -side)
    return rounded if np.isfinite(wanted) and (rounded - level) * side > 0.0 else level


@late_internal
def coast(stage: Any, own: Any, stop: int) -> None:
    """Pass over the bars of an open trade in which nothing can happen but that its stop trails.

    Most bars of a trade are such, and the full rules cost eight times as much on them. The bar that reaches the stop,
    flattens the trade, or is not like this for whatever reason is left to the full rules, with the state they would
    have found: that a trade comes to the same R is held by the tests against whole backtests.
    """
    position = symbol_at(stage, 0)
    side = 1 if position.lots > 0.0 else -1
    due = FLATTEN | SESSION_FIRST if stage.flatten_on == 1 else 0
    bar, level, mark, low, high = own.bar, position.stop, position.mark, position.run_low, position.run_high
    while bar < stop:
        flags = flags_at(stage, bar, 0)
        if flags & REAL != 0:
            now = bar_at(stage, bar, 0)
            moved = trailed(stage, position, side, bar, level)
            nearest = now.l if side > 0 else now.h
            if flags & due != 0 or not (now.o - level) * side > 0.0 or not (nearest - moved) * side > 0.0:
                break
            level, mark = moved, now.o
            low, high = min(low, now.l), max(high, now.h)
        bar += 1
    if bar == own.bar:
        return
    own.bar = bar
    position.stop, position.mark, position.run_low, position.run_high = level, mark, low, high
    position.since_open = 1
    refresh_triggers(stage, 0)


@late_internal
def run_seat(stage: Any, seat: int, stop: int, unit: int) -> int:
    """Run the seat's bars up to ``stop`` (excluded) or its end; returns its state."""
    own = own_at(seat)
    if own.done != RUNNING or own.bar >= stop:
        return own.done
    sit(stage, seat)
    position = symbol_at(stage, 0)
    while own.done == RUNNING and own.bar < stop:
        if position.lots != 0.0 and position.working == 0:
            coast(stage, own, stop)
            if own.bar >= stop:
                break
        clear_logs(stage)
        open_bar(stage, own.bar)
        if own.bar == own.entry_bar:
            enter_seat(stage, own)
        elif stage.n_trades == 0:
            manage_positions(stage)
        if own.done == RUNNING:
            intrabar(stage)
            note_end(stage, own, unit)
        own.bar += 1
    return own.done


@late_internal
def marked_r(stage: Any, own: Any, unit: int, price: float) -> float:
    """Profit of an open trade in R at ``price``, costs so far included; 0 before it has opened."""
    position = symbol_at(stage, 0)
    if position.lots == 0.0:
        return 0.0
    facts = instrument_at(stage, 0)
    net = position.gross + unrealised_at(position, facts, price) - position.commission - position.fees
    risk = own.atr * own.lots * facts.tick_money if unit == UNIT_ATR else position.initial_risk
    return net / risk if risk > 0.0 else 0.0


@late_entry(I8(I8, I8, I8, I8, I8, I8, I8, I8, I8, I8, I8, I8, I8, I8))
def label(
    stage_a: int,
    template_a: int,
    seat: int,
    bars_a: int,
    sides_a: int,
    first: int,
    count: int,
    multiples_a: int,
    arms: int,
    unit: int,
    stop: int,
    r_a: int,
    exits_a: int,
    lots_a: int,
) -> int:
    """R and exit bar of every multiple for entries ``first`` to ``first + count``.

    bars int64[n], sides int8[n], multiples and lots float64[arms]; r float64[n, arms], exits int64[n, arms]. NaN and -1
    where data ended before the trade; NaN and -2 where there was none.
    """
    stage = account_at(stage_a)
    total = first + count
    bars, sides = integers(bars_a, total), sides_in(sides_a, total)
    multiples, lots = floats(multiples_a, arms), floats(lots_a, arms)
    out, exits = floats(r_a, total * arms), integers(exits_a, total * arms)
    own = own_at(seat)
    for index in range(first, total):
        for arm in range(arms):
            begin_seat(seat, template_a, bars[index], sides[index], multiples[arm], lots[arm])
            state = run_seat(stage, seat, stop, unit)
            out[index * arms + arm] = own.r
            exits[index * arms + arm] = -2 if state == NEVER_OPENED else own.exit_bar
    return count
