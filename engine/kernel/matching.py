"""When an order or protective level fills, and at which price (rulebook S5, S6, S8.1 to S8.4)."""

from typing import Any

import numpy as np

from engine.kernel.compiling import internal
from engine.kernel.ledger import apply_fill, log_event, note_ambiguity, touch
from engine.kernel.margin import affordable_lots, available_for, initial_per_lot
from engine.kernel.schema import EventKind, OrderStatus, OrderType, Phase, Reason, Reject, TimeInForce
from engine.kernel.state import (
    BEST_CASE,
    F8,
    FINE_BARS,
    I8,
    NONE,
    PROXIMITY,
    VOID,
    WORST_CASE,
    Account,
    Order,
    bar_at,
    fine_bar_at,
    fine_start,
    instrument_at,
    next_order,
    order_at,
    set_next_order,
    symbol_at,
)
from engine.kernel.ticks import MONEY_TOLERANCE, TOLERANCE, against, slippage

_MARKET, _LIMIT = int(OrderType.MARKET), int(OrderType.LIMIT)
_STOP, _STOP_LIMIT = int(OrderType.STOP), int(OrderType.STOP_LIMIT)
_ACCEPTED, _FILLED = int(OrderStatus.ACCEPTED), int(OrderStatus.FILLED)
_CANCELLED, _REJECTED = int(OrderStatus.CANCELLED), int(OrderStatus.REJECTED)
_IOC = int(TimeInForce.IOC)
_OPEN = int(Phase.OPEN)
_STOP_LOSS, _TAKE_PROFIT, _FLATTEN = int(Reason.STOP_LOSS), int(Reason.TAKE_PROFIT), int(Reason.FLATTEN)
_NO_REJECT, _MARGIN, _FLAT = int(Reject.NONE), int(Reject.MARGIN), int(Reject.FLAT)
_IOC_UNFILLED = int(Reject.IOC_UNFILLED)
_ORDER_REJECTED, _ORDER_CANCELLED = int(EventKind.ORDER_REJECTED), int(EventKind.ORDER_CANCELLED)
_ORDER_TRIGGERED = int(EventKind.ORDER_TRIGGERED)

# What may trigger on a stretch, beside order indices.
_NOTHING, _PROTECTIVE_STOP, _PROTECTIVE_TARGET = -1, -2, -3


@internal(I8(Order), forceinline=True)
def is_stop_now(row: Any) -> int:
    """Whether the order waits for its stop price (a stop-limit that has triggered is a limit, S6.8)."""
    return 1 if row.type == _STOP or (row.type == _STOP_LIMIT and row.triggered == 0) else 0


@internal(I8(Order), forceinline=True)
def triggers_rising(row: Any) -> int:
    """A rising stretch triggers buy stops and sell limits (S6.5)."""
    return 1 if (row.side > 0) == (is_stop_now(row) == 1) else 0


@internal(F8(Account, Order), forceinline=True)
def trigger_level(account: Any, row: Any) -> float:
    """Price at which the order triggers; ``through`` puts a limit's trigger one tick beyond its level (S6.7)."""
    if is_stop_now(row) == 1:
        return row.stop
    return row.limit - row.side * account.through


@internal(VOID(Account, I8))
def refresh_triggers(account: Any, symbol: int) -> None:
    """Cache the nearest level above and below, so that a bar which reaches none touches no order."""
    position = symbol_at(account, symbol)
    up, down = np.inf, -np.inf
    if position.lots > 0.0:
        down = position.stop if not np.isnan(position.stop) else down
        up = position.target + account.through if not np.isnan(position.target) else up
    elif position.lots < 0.0:
        up = position.stop if not np.isnan(position.stop) else up
        down = position.target - account.through if not np.isnan(position.target) else down
    index = position.first_order
    while index != NONE:
        row = order_at(account, index)
        if row.type != _MARKET:
            level = trigger_level(account, row)
            if triggers_rising(row) == 1:
                up = min(up, level)
            else:
                down = max(down, level)
        index = next_order(account, index)
    position.trigger_up = up
    position.trigger_down = down


@internal(VOID(Account, I8))
def link_order(account: Any, index: int) -> None:
    """Put an accepted order at the end of its symbol's list of working orders (ascending ids)."""
    row = order_at(account, index)
    position = symbol_at(account, row.symbol)
    set_next_order(account, index, NONE)
    if position.last_order == NONE:
        position.first_order = index
    else:
        set_next_order(account, position.last_order, index)
    position.last_order = index
    position.working = position.working + 1
    account.working = account.working + 1
    if row.type == _MARKET:
        position.queued = position.queued + 1
        position.queued_entries = position.queued_entries + (1 - row.reduce_only)
    if row.live == 0:
        position.fresh = position.fresh + 1


@internal(VOID(Account, I8))
def unlink_order(account: Any, index: int) -> None:
    """Take an order that has ended out of its symbol's list."""
    row = order_at(account, index)
    position = symbol_at(account, row.symbol)
    following = next_order(account, index)
    previous = NONE
    if position.first_order == index:
        position.first_order = following
    else:
        previous = position.first_order
        while next_order(account, previous) != index:
            previous = next_order(account, previous)
        set_next_order(account, previous, following)
    if position.last_order == index:
        position.last_order = previous
    position.working = position.working - 1
    account.working = account.working - 1
    if row.type == _MARKET:
        position.queued = position.queued - 1
        position.queued_entries = position.queued_entries - (1 - row.reduce_only)
    if row.live == 0:
        position.fresh = position.fresh - 1


@internal(VOID(Account, I8, I8, I8))
def end_order(account: Any, index: int, status: int, why: int) -> None:
    """The order has ended; it no longer works."""
    row = order_at(account, index)
    if row.waiting == 1:
        unlink_order(account, index)
        row.waiting = 0
    row.status = status
    row.reject = why
    row.ended_bar = account.bar
    row.ended_phase = account.phase


@internal(VOID(Account, I8, I8))
def cancel_working(account: Any, index: int, why: int) -> None:
    """Cancel a working order and say why."""
    symbol = order_at(account, index).symbol
    end_order(account, index, _CANCELLED, why)
    log_event(account, _ORDER_CANCELLED, symbol, index + 1, why, 0.0, 0.0)


@internal(VOID(Account, I8, I8))
def cancel_symbol(account: Any, symbol: int, why: int) -> None:
    """Cancel every working order of a symbol, queued ones too."""
    position = symbol_at(account, symbol)
    while position.first_order != NONE:
        cancel_working(account, position.first_order, why)
    refresh_triggers(account, symbol)


@internal(VOID(Account, I8, I8, F8, F8, F8))
def reject_order(account: Any, index: int, why: int, a: float, b: float, c: float) -> None:
    """Reject an order whole, with the figures of the refusal (S8.1)."""
    row = order_at(account, index)
    row.figure_a = a
    row.figure_b = b
    row.figure_c = c
    end_order(account, index, _REJECTED, why)
    log_event(account, _ORDER_REJECTED, row.symbol, index + 1, a, b, c)


@internal(I8(Account, I8, F8, F8, F8))
def refuse_for_margin(account: Any, index: int, lots: float, opening: float, base: float) -> int:
    """Reject the order if the part that opens cannot be afforded (S8.4); returns 1 if refused."""
    row = order_at(account, index)
    facts = instrument_at(account, row.symbol)
    closing = lots - opening
    available = available_for(account, row.symbol, closing)
    required = opening * initial_per_lot(facts, base)
    if required <= available - facts.commission * lots - facts.fee + MONEY_TOLERANCE * required:
        return 0
    largest = affordable_lots(account, row.symbol, available, base, closing)
    reject_order(account, index, _MARGIN, required, available - facts.commission * lots - facts.fee, largest)
    return 1


@internal(I8(Account, I8, F8, F8, I8))
def execute(account: Any, index: int, base: float, path_price: float, exact: int) -> int:
    """Fill an order at ``base``, limits without slippage (``exact``); returns 1 if it opened or reversed a position."""
    row = order_at(account, index)
    symbol = np.int64(row.symbol)
    side = np.int64(row.side)
    position = symbol_at(account, symbol)
    lots = row.lots
    held = abs(position.lots) if position.lots * side < 0.0 else 0.0
    if row.reduce_only == 1:
        if held == 0.0:
            cancel_working(account, index, _FLAT)
            return 0
        lots = held if row.whole == 1 else min(lots, held)
        row.lots = lots
    opening = lots - min(held, lots)
    if opening > 0.0 and refuse_for_margin(account, index, lots, opening, base) == 1:
        return 0
    slip = 0.0 if exact == 1 else slippage(account, symbol, base, lots)
    price = against(base + side * slip, side)
    reason = _FLATTEN if row.flatten == 1 else np.int64(row.type)
    end_order(account, index, _FILLED, _NO_REJECT)
    return apply_fill(account, symbol, index, side, lots, base, price, path_price, reason, np.int64(row.source))


@internal(VOID(Account, I8, F8, F8, I8, I8))
def close_whole(account: Any, symbol: int, base: float, path_price: float, reason: int, exact: int) -> None:
    """Fill of a protective level, a liquidation or the finish: closes the whole position, never refused."""
    position = symbol_at(account, symbol)
    side = -1 if position.lots > 0.0 else 1
    lots = abs(position.lots)
    slip = 0.0 if exact == 1 else slippage(account, symbol, base, lots)
    price = against(base + side * slip, side)
    apply_fill(account, symbol, NONE, side, lots, base, price, path_price, reason, 0)


@internal(I8(Account, I8, F8))
def protect_at(account: Any, symbol: int, price: float) -> int:
    """Fill the protective level that ``price`` has reached, the stop first (S5.1, S5.4, S6.5); returns 1 if one did."""
    position = symbol_at(account, symbol)
    if position.lots == 0.0:
        return 0
    direction = 1.0 if position.lots > 0.0 else -1.0
    if (price - position.stop) * direction <= 0.0:
        close_whole(account, symbol, price, price, _STOP_LOSS, 0)
        return 1
    if (price - position.target) * direction >= account.through:
        close_whole(account, symbol, price, price, _TAKE_PROFIT, 1)
        return 1
    return 0


@internal(I8(Account, I8, F8))
def limit_reached(account: Any, index: int, price: float) -> int:
    """Whether a limit may fill at ``price``: at it or better, under ``through`` by a tick (S6.7)."""
    row = order_at(account, index)
    return 1 if (row.limit - price) * row.side >= account.through else 0


@internal(I8(Account, I8, F8))
def trigger_stop_limit(account: Any, index: int, price: float) -> int:
    """A stop-limit's stop is reached at ``price``: fill there if within its limit, else rest as a limit (S6.8)."""
    row = order_at(account, index)
    row.triggered = 1
    log_event(account, _ORDER_TRIGGERED, row.symbol, index + 1, price, 0.0, 0.0)
    if limit_reached(account, index, price) == 1:
        return execute(account, index, price, price, 1)
    return 0


@internal(I8(Account, I8, F8))
def try_at(account: Any, index: int, price: float) -> int:
    """Offer an opening print to a resting order (S5.1); returns 1 if it opened or reversed a position."""
    row = order_at(account, index)
    if is_stop_now(row) == 1:
        if (price - row.stop) * row.side < 0.0:
            return 0
        if row.type == _STOP:
            return execute(account, index, price, price, 0)
        return trigger_stop_limit(account, index, price)
    if limit_reached(account, index, price) == 1:
        return execute(account, index, price, price, 1)
    return 0


@internal(VOID(Account, I8), forceinline=True)
def make_live(account: Any, index: int) -> None:
    """The order has met the first bar in which it can fill (S7.4)."""
    row = order_at(account, index)
    if row.live == 0:
        row.live = 1
        position = symbol_at(account, row.symbol)
        position.fresh = position.fresh - 1


@internal(VOID(Account, I8, F8))
def fill_queued(account: Any, symbol: int, price: float) -> None:
    """Queued market orders fill at the open, by id (S5.1, S5.5)."""
    index = symbol_at(account, symbol).first_order
    while index != NONE:
        following = next_order(account, index)
        if order_at(account, index).type == _MARKET:
            make_live(account, index)
            execute(account, index, price, price, 0)
            protect_at(account, symbol, price)
        index = following


@internal(VOID(Account, I8, F8))
def fill_resting(account: Any, symbol: int, price: float) -> None:
    """Resting orders that an opening print reaches fill at it, by id (S5.1); immediate-or-cancel ones had their try."""
    index = symbol_at(account, symbol).first_order
    while index != NONE:
        following = next_order(account, index)
        row = order_at(account, index)
        if row.type != _MARKET:
            make_live(account, index)
            try_at(account, index, price)
            protect_at(account, symbol, price)
            if row.tif == _IOC and row.status == _ACCEPTED:
                cancel_working(account, index, _IOC_UNFILLED)
        index = following


@internal(I8(Account, I8, F8, F8))
def next_trigger(account: Any, symbol: int, start: float, end: float) -> int:
    """What price meets first on its way from ``start`` (excluded) to ``end`` (included): an order index or a code."""
    position = symbol_at(account, symbol)
    rising = 1 if end > start else 0
    direction = 1.0 if rising == 1 else -1.0
    best = (end - start) * direction
    found = _NOTHING
    if position.lots != 0.0:
        stop_side = 1 if position.lots < 0.0 else 0
        to_stop = (position.stop - start) * direction
        to_target = (position.target - start) * direction + account.through
        if stop_side == rising and to_stop > 0.0 and to_stop <= best:
            best, found = to_stop, _PROTECTIVE_STOP
        if stop_side != rising and to_target > 0.0 and to_target <= best:
            best, found = to_target, _PROTECTIVE_TARGET
    index = position.first_order
    while index != NONE:
        row = order_at(account, index)
        if row.type != _MARKET and triggers_rising(row) == rising:
            distance = (trigger_level(account, row) - start) * direction
            if distance > 0.0 and (distance < best or (distance <= best and found == _NOTHING)):
                best, found = distance, index
        index = next_order(account, index)
    return found


@internal(F8(Account, I8, I8))
def level_of(account: Any, symbol: int, found: int) -> float:
    """Trigger price of what ``next_trigger`` found."""
    position = symbol_at(account, symbol)
    if found == _PROTECTIVE_STOP:
        return position.stop
    if found == _PROTECTIVE_TARGET:
        return position.target + account.through * (1.0 if position.lots > 0.0 else -1.0)
    return trigger_level(account, order_at(account, found))


@internal(I8(Account, I8, I8, F8))
def fire(account: Any, symbol: int, found: int, price: float) -> int:
    """Price stands at the trigger of ``found``: fill it at its level (S6.6); returns 1 if a position opened or reversed."""
    position = symbol_at(account, symbol)
    if found == _PROTECTIVE_STOP:
        close_whole(account, symbol, position.stop, price, _STOP_LOSS, 0)
        return 0
    if found == _PROTECTIVE_TARGET:
        close_whole(account, symbol, position.target, price, _TAKE_PROFIT, 1)
        return 0
    row = order_at(account, found)
    if is_stop_now(row) == 0:
        return execute(account, found, row.limit, price, 1)
    if row.type == _STOP:
        return execute(account, found, row.stop, price, 0)
    return trigger_stop_limit(account, found, price)


@internal(I8(Account, I8, F8, I8))
def resting_at(account: Any, symbol: int, price: float, rising: int) -> int:
    """The working order with the lowest id whose trigger lies where the stretch stands, or a code for none."""
    index = symbol_at(account, symbol).first_order
    while index != NONE:
        row = order_at(account, index)
        if row.type != _MARKET and triggers_rising(row) == rising and trigger_level(account, row) == price:
            return index
        index = next_order(account, index)
    return _NOTHING


@internal(I8(Account, I8, I8, F8, I8))
def fire_all(account: Any, symbol: int, found: int, price: float, rising: int) -> int:
    """Fire everything that rests at one level before price moves on (S6.5).

    Returns the side of the position that the last opening or reversing fill gave, 0 if none opened.
    """
    routed = 0
    while found != _NOTHING:
        if fire(account, symbol, found, price) == 1:
            routed = 1 if symbol_at(account, symbol).lots > 0.0 else -1
        protect_at(account, symbol, price)
        found = resting_at(account, symbol, price, rising)
    return routed


@internal(VOID(Account, I8, F8, F8, F8, F8, I8, I8))
def walk(account: Any, symbol: int, o: float, h: float, l: float, c: float, high_first: int, reroute: int) -> None:  # noqa: E741 - the letters of a bar
    """Walk the path O, two extremes, C and fire what it meets (S6.2 to S6.6).

    ``reroute``: 0 never; 1 worst case, 2 best case: a fill that opens in mid-bar starts the path anew from its level.
    """
    position = symbol_at(account, symbol)
    first, second = (h, l) if high_first == 1 else (l, h)
    price, low, high, stage = o, o, o, 0
    if position.lots != 0.0:
        touch(position, o)
    while stage < 3:
        goal = first if stage == 0 else (second if stage == 1 else c)
        found = next_trigger(account, symbol, price, goal)
        rising = 1 if goal > price else 0
        price = goal if found == _NOTHING else level_of(account, symbol, found)
        low, high = min(low, price), max(high, price)
        if position.lots != 0.0:
            touch(position, price)
        if found == _NOTHING:
            stage += 1
            continue
        routed = fire_all(account, symbol, found, price, rising)
        if routed != 0 and reroute != 0:
            to_high = (routed > 0) == (reroute == 2)
            first, second = (h, l) if to_high else (l, h)
            been = low <= second if to_high else high >= second
            second = first if been else second
            stage = 0


@internal(I8(F8, F8), forceinline=True)
def colour_high_first(o: float, c: float) -> int:
    """H first in a falling bar; ties go L first (S6.1)."""
    return 1 if c < o - TOLERANCE else 0


@internal(I8(Account, I8), forceinline=True)
def first_entry_side(account: Any, symbol: int) -> int:
    """Side of the resting entry order with the lowest id, 0 without one (S6.2, S8.1)."""
    index = symbol_at(account, symbol).first_order
    while index != NONE:
        row = order_at(account, index)
        if row.type != _MARKET and row.reduce_only == 0:
            return np.int64(row.side)
        index = next_order(account, index)
    return 0


@internal(I8(Account, I8))
def high_goes_first(account: Any, symbol: int) -> int:
    """Which extreme the path meets first, chosen once per bar and symbol (S6.1 to S6.3)."""
    bar = bar_at(account, account.bar, symbol)
    position = symbol_at(account, symbol)
    if account.path == PROXIMITY:
        return 1 if bar.h - bar.o < bar.o - bar.l - TOLERANCE else 0
    if account.path in (WORST_CASE, BEST_CASE, FINE_BARS):
        adverse = 0
        if position.lots != 0.0:
            adverse = 1 if position.lots < 0.0 else -1
        else:
            adverse = first_entry_side(account, symbol)
        if adverse != 0:
            return 1 if (adverse > 0) != (account.path == BEST_CASE) else 0
    return colour_high_first(bar.o, bar.c)


@internal(VOID(Account, I8, I8, I8))
def walk_fine(account: Any, symbol: int, start: int, stop: int) -> None:
    """Walk the finer bars in turn; between two of them price jumps, and what its open reaches fills there (S6.4)."""
    position = symbol_at(account, symbol)
    for index in range(start, stop):
        bar = fine_bar_at(account, index)
        if index > start:
            if position.lots != 0.0:
                touch(position, bar.o)
            protect_at(account, symbol, bar.o)
            fill_resting(account, symbol, bar.o)
        walk(account, symbol, bar.o, bar.h, bar.l, bar.c, colour_high_first(bar.o, bar.c), 0)


@internal(VOID(Account, I8))
def walk_bar(account: Any, symbol: int) -> None:
    """INTRABAR of one symbol whose bar reaches at least one level."""
    bar = bar_at(account, account.bar, symbol)
    note_ambiguity(account, symbol)
    if account.path == FINE_BARS:
        start = fine_start(account, account.bar, symbol)
        stop = fine_start(account, account.bar + 1, symbol)
        if stop > start:
            walk_fine(account, symbol, start, stop)
            refresh_triggers(account, symbol)
            return
    reroute = 2 if account.path == BEST_CASE else (1 if account.path in (WORST_CASE, FINE_BARS) else 0)
    walk(account, symbol, bar.o, bar.h, bar.l, bar.c, high_goes_first(account, symbol), reroute)
    refresh_triggers(account, symbol)
