"""Which orders work: each symbol's list of them, the nearest levels it holds, and how an order ends (rulebook S8.1)."""

from typing import Any

import numpy as np

from engine.kernel.compiling import internal
from engine.kernel.ledger import log_event
from engine.kernel.schema import EventKind, OrderStatus, OrderType
from engine.kernel.state import (
    F8,
    I8,
    NONE,
    VOID,
    Account,
    Order,
    next_order,
    order_at,
    set_next_order,
    symbol_at,
)

_MARKET, _STOP, _STOP_LIMIT = int(OrderType.MARKET), int(OrderType.STOP), int(OrderType.STOP_LIMIT)
_CANCELLED, _REJECTED = int(OrderStatus.CANCELLED), int(OrderStatus.REJECTED)
_ORDER_REJECTED, _ORDER_CANCELLED = int(EventKind.ORDER_REJECTED), int(EventKind.ORDER_CANCELLED)


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
    """Put an order just accepted at the end of its symbol's list of working orders (ascending ids)."""
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
