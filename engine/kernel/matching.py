"""At which price an order or protective level fills, and whether it may (rulebook S5, S6.7, S6.8, S8.1 to S8.4)."""

from typing import Any

from engine.kernel.compiling import internal
from engine.kernel.ledger import apply_fill, log_event
from engine.kernel.margin import affordable_lots, available_for, initial_per_lot
from engine.kernel.schema import EventKind, OrderStatus, OrderType, Reason, Reject, TimeInForce
from engine.kernel.state import (
    F8,
    I8,
    NONE,
    VOID,
    Account,
    as_int,
    instrument_at,
    next_order,
    order_at,
    symbol_at,
)
from engine.kernel.ticks import MONEY_TOLERANCE, against, slippage
from engine.kernel.working import cancel_working, end_order, is_stop_now, reject_order

_MARKET, _STOP = int(OrderType.MARKET), int(OrderType.STOP)
_ACCEPTED, _FILLED = int(OrderStatus.ACCEPTED), int(OrderStatus.FILLED)
_IOC = int(TimeInForce.IOC)
_STOP_LOSS, _TAKE_PROFIT, _FLATTEN = int(Reason.STOP_LOSS), int(Reason.TAKE_PROFIT), int(Reason.FLATTEN)
_NO_REJECT, _MARGIN, _FLAT = int(Reject.NONE), int(Reject.MARGIN), int(Reject.FLAT)
_IOC_UNFILLED = int(Reject.IOC_UNFILLED)
_ORDER_TRIGGERED = int(EventKind.ORDER_TRIGGERED)


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
    symbol = as_int(row.symbol)
    side = as_int(row.side)
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
    reason = _FLATTEN if row.flatten == 1 else as_int(row.type)
    end_order(account, index, _FILLED, _NO_REJECT)
    return apply_fill(account, symbol, index, side, lots, base, price, path_price, reason, as_int(row.source))


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
