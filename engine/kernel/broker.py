"""The broker's desk: takes, cancels and changes orders, moves protective levels (rulebook S2.2, S5.3, S8.1, S8.2)."""

from typing import Any

import numpy as np

from engine.kernel.compiling import internal
from engine.kernel.ledger import log_event, write_stop, write_target
from engine.kernel.matching import execute, make_live, protect_at, try_at
from engine.kernel.schema import EventKind, OrderStatus, OrderType, Phase, Reject, TimeInForce
from engine.kernel.state import (
    F8,
    I8,
    NO_PRICE,
    NONE,
    REAL,
    VOID,
    Account,
    Order,
    as_int,
    flags_at,
    order_at,
    symbol_at,
)
from engine.kernel.ticks import TOLERANCE, against, limit_ticks
from engine.kernel.working import cancel_working, link_order, refresh_triggers, reject_order

REDUCE_ONLY, WHOLE, FLATTENING, BY_HAND = 1, 2, 4, 8

_MARKET, _LIMIT = int(OrderType.MARKET), int(OrderType.LIMIT)
_STOP, _STOP_LIMIT = int(OrderType.STOP), int(OrderType.STOP_LIMIT)
_ACCEPTED, _IOC, _OPEN = int(OrderStatus.ACCEPTED), int(TimeInForce.IOC), int(Phase.OPEN)
_ORDER_ACCEPTED, _ORDER_MODIFIED = int(EventKind.ORDER_ACCEPTED), int(EventKind.ORDER_MODIFIED)
_BRACKET_STOP_MOVED, _BRACKET_TARGET_MOVED = int(EventKind.BRACKET_STOP_MOVED), int(EventKind.BRACKET_TARGET_MOVED)
_NO_REJECT, _UNKNOWN, _QUANTITY = int(Reject.NONE), int(Reject.UNKNOWN_SYMBOL), int(Reject.QUANTITY)
_PRICE_MISSING, _SL_SIDE, _TP_SIDE = int(Reject.PRICE_MISSING), int(Reject.STOP_LOSS_SIDE), int(Reject.TAKE_PROFIT_SIDE)
_FLAT, _BANKRUPT, _IOC_UNFILLED = int(Reject.FLAT), int(Reject.BANKRUPT), int(Reject.IOC_UNFILLED)


@internal(I8(Order), forceinline=True)
def has_limit(row: Any) -> int:
    """Whether the order's type carries a limit price."""
    return 1 if row.type == _LIMIT or row.type == _STOP_LIMIT else 0


@internal(I8(Order), forceinline=True)
def has_stop(row: Any) -> int:
    """Whether the order's type carries a stop price."""
    return 1 if row.type == _STOP or row.type == _STOP_LIMIT else 0


@internal(VOID(Order))
def round_prices(row: Any) -> None:
    """Round an order's prices against the trader (S2.2)."""
    side = as_int(row.side)
    row.limit = limit_ticks(row.limit, side) if has_limit(row) == 1 else NO_PRICE
    row.stop = against(row.stop, side) if has_stop(row) == 1 else NO_PRICE
    row.stop_loss = against(row.stop_loss, -side)
    row.take_profit = limit_ticks(row.take_profit, -side)


@internal(I8(Order))
def prices_missing(row: Any) -> int:
    """Whether a price that the type needs is missing or a price given is infinite (S8.2)."""
    if has_limit(row) == 1 and not np.isfinite(row.limit):
        return 1
    if has_stop(row) == 1 and not np.isfinite(row.stop):
        return 1
    return 1 if np.isinf(row.stop_loss) or np.isinf(row.take_profit) else 0


@internal(F8(Account, Order))
def entry_price(account: Any, row: Any) -> float:
    """What an order's levels are checked against: its limit, else its stop, else the mark when it is given (S8.2)."""
    if has_limit(row) == 1:
        return row.limit
    if has_stop(row) == 1:
        return row.stop
    return symbol_at(account, row.symbol).mark if row.waiting == 0 else NO_PRICE


@internal(I8(Order, F8))
def why_levels_refused(row: Any, entry: float) -> int:
    """A bracket must lie strictly on the losing and the winning side of the entry (S8.2); unknown entries pass."""
    if (row.stop_loss - entry) * row.side >= 0.0:
        row.figure_a = row.stop_loss
        row.figure_b = entry
        return _SL_SIDE
    if (row.take_profit - entry) * row.side <= 0.0:
        row.figure_a = row.take_profit
        row.figure_b = entry
        return _TP_SIDE
    return _NO_REJECT


@internal(I8(Account, Order))
def why_refused(account: Any, row: Any) -> int:
    """The first reason to reject an order at once, with its figures in the row (S8.2)."""
    lots = row.lots
    if not np.isfinite(lots) or lots <= TOLERANCE or abs(lots - np.rint(lots)) > TOLERANCE:
        return _QUANTITY
    if prices_missing(row) == 1:
        return _PRICE_MISSING
    row.lots = np.rint(lots)
    round_prices(row)
    return why_levels_refused(row, entry_price(account, row))


@internal(I8(Account, Order, I8))
def why_rejected(account: Any, row: Any, flags: int) -> int:
    """All checks of a new order in their order; a close takes side and quantity from the position (S8.1)."""
    if row.symbol < 0:
        return _UNKNOWN
    if account.bankrupt == 1:
        row.figure_a = account.equity
        return _BANKRUPT
    if flags & WHOLE:
        held = symbol_at(account, row.symbol).lots
        if held == 0.0:
            return _FLAT
        row.side = -1 if held > 0.0 else 1
        row.lots = abs(held)
    return why_refused(account, row)


@internal(VOID(Account, I8))
def meet_open(account: Any, index: int) -> None:
    """An order given at OPEN of a real bar: market orders fill, others are tried at O, then rest (S5.3)."""
    row = order_at(account, index)
    symbol = as_int(row.symbol)
    price = symbol_at(account, symbol).mark
    if row.type == _MARKET:
        if account.next_open == 0 or row.flatten == 1:
            make_live(account, index)
            execute(account, index, price, price, 0)
    else:
        make_live(account, index)
        try_at(account, index, price)
        if row.tif == _IOC and row.status == _ACCEPTED:
            cancel_working(account, index, _IOC_UNFILLED)
    protect_at(account, symbol, price)


@internal(I8(Account, I8), forceinline=True)
def trades_now(account: Any, symbol: int) -> int:
    """Whether the symbol's opening print can fill orders at this moment."""
    return 1 if account.phase == _OPEN and flags_at(account, account.bar, symbol) & REAL else 0


@internal(I8(Account, I8, I8, I8, I8, F8, F8, F8, F8, F8, I8))
def place(
    account: Any,
    symbol: int,
    side: int,
    kind: int,
    tif: int,
    lots: float,
    limit: float,
    stop: float,
    stop_loss: float,
    take_profit: float,
    flags: int,
) -> int:
    """Take an order; prices in ticks (NaN none), unrounded; returns its id. Every order takes an id (S8.1)."""
    index = account.n_orders
    account.n_orders = index + 1
    row = order_at(account, index)
    row.id = index + 1
    row.placed_bar = account.bar
    row.ended_bar = NONE
    row.symbol = symbol
    row.placed_phase = account.phase
    row.ended_phase = NONE
    row.side = side
    row.type = kind
    row.tif = tif
    row.status = _ACCEPTED
    row.reject = _NO_REJECT
    row.source = 1 if flags & BY_HAND else 0
    row.reduce_only = 1 if flags & REDUCE_ONLY else 0
    row.whole = 1 if flags & WHOLE else 0
    row.flatten = 1 if flags & FLATTENING else 0
    row.triggered = 0
    row.live = 0
    row.waiting = 0
    row.lots = lots + 0.0  # no negative zero, not even in what is rejected (S14)
    row.limit = limit + 0.0
    row.stop = stop + 0.0
    row.stop_loss = NO_PRICE if flags & REDUCE_ONLY else stop_loss + 0.0
    row.take_profit = NO_PRICE if flags & REDUCE_ONLY else take_profit + 0.0
    row.figure_a = NO_PRICE
    row.figure_b = NO_PRICE
    row.figure_c = NO_PRICE
    why = why_rejected(account, row, flags)
    if why != _NO_REJECT:
        reject_order(account, index, why, row.figure_a, row.figure_b, row.figure_c)
        return index + 1
    log_event(account, _ORDER_ACCEPTED, symbol, index + 1, row.limit, row.stop, row.lots)
    row.waiting = 1
    link_order(account, index)
    if trades_now(account, symbol) == 1:
        meet_open(account, index)
    refresh_triggers(account, symbol)
    return index + 1


@internal(I8(Account, I8, I8))
def cancel(account: Any, order: int, why: int) -> int:
    """Cancel a working order by id; returns 0 where nothing of that id works (S8.1)."""
    if order < 1 or order > account.n_orders or order_at(account, order - 1).waiting == 0:
        return 0
    symbol = as_int(order_at(account, order - 1).symbol)
    cancel_working(account, order - 1, why)
    refresh_triggers(account, symbol)
    return 1


@internal(VOID(Account, I8, I8, F8, F8))
def note_move(account: Any, kind: int, order: int, level: float, before: float) -> None:
    """Note a level of an order's bracket that is another one now; NaN is none."""
    if level != before and not (np.isnan(level) and np.isnan(before)):
        log_event(account, kind, as_int(order_at(account, order - 1).symbol), order, level, before, 0.0)


@internal(I8(Account, I8, F8, F8, F8, F8, F8))
def modify(
    account: Any, order: int, lots: float, limit: float, stop: float, stop_loss: float, take_profit: float
) -> int:
    """Give a working order new terms, all of them; returns 0, -1 where it does not work, or why it is refused."""
    if order < 1 or order > account.n_orders or order_at(account, order - 1).waiting == 0:
        return -1
    row = order_at(account, order - 1)
    old_lots, old_limit, old_stop = row.lots, row.limit, row.stop
    old_stop_loss, old_take_profit = row.stop_loss, row.take_profit
    row.lots = old_lots if row.whole == 1 else lots
    row.limit = limit
    row.stop = old_stop if row.triggered == 1 else stop
    row.stop_loss = NO_PRICE if row.reduce_only == 1 else stop_loss
    row.take_profit = NO_PRICE if row.reduce_only == 1 else take_profit
    why = why_refused(account, row)
    if why != _NO_REJECT:
        row.lots = old_lots
        row.limit = old_limit
        row.stop = old_stop
        row.stop_loss = old_stop_loss
        row.take_profit = old_take_profit
        row.figure_a = NO_PRICE
        row.figure_b = NO_PRICE
        return why
    symbol = as_int(row.symbol)
    log_event(account, _ORDER_MODIFIED, symbol, order, row.limit, row.stop, row.lots)
    note_move(account, _BRACKET_STOP_MOVED, order, row.stop_loss, old_stop_loss)
    note_move(account, _BRACKET_TARGET_MOVED, order, row.take_profit, old_take_profit)
    if trades_now(account, symbol) == 1 and row.type != _MARKET:
        meet_open(account, order - 1)
    refresh_triggers(account, symbol)
    return 0


@internal(VOID(Account, I8))
def levels_changed(account: Any, symbol: int) -> None:
    """At OPEN of a real bar a level that is already through O fills at once (S5.4)."""
    if trades_now(account, symbol) == 1:
        protect_at(account, symbol, symbol_at(account, symbol).mark)
    refresh_triggers(account, symbol)


@internal(I8(Account, I8, F8))
def move_stop(account: Any, symbol: int, stop: float) -> int:
    """Set or clear (NaN) the position's stop loss; returns 0 without a position (S8.1)."""
    position = symbol_at(account, symbol)
    if position.lots == 0.0 or np.isinf(stop):
        return 0
    write_stop(account, symbol, against(stop, -1 if position.lots > 0.0 else 1))
    levels_changed(account, symbol)
    return 1


@internal(I8(Account, I8, F8))
def move_target(account: Any, symbol: int, target: float) -> int:
    """Set or clear (NaN) the position's take profit; returns 0 without a position (S8.1)."""
    position = symbol_at(account, symbol)
    if position.lots == 0.0 or np.isinf(target):
        return 0
    write_target(account, symbol, limit_ticks(target, -1 if position.lots > 0.0 else 1))
    levels_changed(account, symbol)
    return 1


@internal(I8(Account, I8, F8))
def tighten_stop(account: Any, symbol: int, stop: float) -> int:
    """Move the stop only if that is tighter than the one there is (S11.5); returns 1 if it moved."""
    position = symbol_at(account, symbol)
    if position.lots == 0.0 or not np.isfinite(stop):
        return 0
    side = -1 if position.lots > 0.0 else 1
    rounded = against(stop, side)
    if (rounded - position.stop) * side >= 0.0:
        return 0
    write_stop(account, symbol, rounded)
    levels_changed(account, symbol)
    return 1


@internal(I8(Account, I8, I8, I8))
def close(account: Any, symbol: int, flags: int, tif: int) -> int:
    """Close the whole position at market; returns the order's id, rejected, without a side, when flat (S8.1)."""
    whole = flags | REDUCE_ONLY | WHOLE
    return place(account, symbol, 0, _MARKET, tif, 0.0, NO_PRICE, NO_PRICE, NO_PRICE, NO_PRICE, whole)
