"""The path of price through a bar, and what it meets in which order (rulebook S6)."""

from typing import Any

from engine.kernel.compiling import internal
from engine.kernel.ledger import note_ambiguity, touch
from engine.kernel.matching import close_whole, execute, fill_resting, protect_at, trigger_stop_limit
from engine.kernel.schema import OrderType, Reason
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
    as_int,
    bar_at,
    fine_bar_at,
    fine_start,
    next_order,
    order_at,
    symbol_at,
)
from engine.kernel.ticks import TOLERANCE
from engine.kernel.working import is_stop_now, refresh_triggers, trigger_level, triggers_rising

_MARKET, _STOP = int(OrderType.MARKET), int(OrderType.STOP)
_STOP_LOSS, _TAKE_PROFIT = int(Reason.STOP_LOSS), int(Reason.TAKE_PROFIT)

# What may trigger on a stretch, beside order indices.
_NOTHING, _PROTECTIVE_STOP, _PROTECTIVE_TARGET = -1, -2, -3


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
    """Fill what price has triggered, at its own level (S6.6); returns 1 if a position opened or reversed."""
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
            return as_int(row.side)
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
    for index in range(start, stop):
        bar = fine_bar_at(account, index)
        if index > start:
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
