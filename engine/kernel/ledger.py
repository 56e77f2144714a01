"""What a fill does to position, cash and trade (rulebook S8.3, S8.5, S8.6, S8.8), and how it is written down."""

from typing import Any

import numpy as np

from engine.kernel.compiling import internal
from engine.kernel.schema import EventKind, ExitReason, Phase, Reason, Source
from engine.kernel.state import (
    F8,
    I8,
    NO_PRICE,
    VOID,
    Account,
    Fill,
    Instrument,
    Symbol,
    bar_at,
    event_at,
    fill_at,
    instrument_at,
    order_at,
    symbol_at,
    trade_at,
)

_FILL = int(EventKind.FILL)
_STOP_MOVED, _TARGET_MOVED = int(EventKind.STOP_MOVED), int(EventKind.TARGET_MOVED)
_TRADE_OPENED, _TRADE_CLOSED = int(EventKind.TRADE_OPENED), int(EventKind.TRADE_CLOSED)
_INTRABAR = int(Phase.INTRABAR)
_STOP_LOSS = int(Reason.STOP_LOSS)
_BY_HAND = int(Source.MANUAL)
_EXIT_SIGNAL, _EXIT_MANUAL, _EXIT_STOP_LOSS = int(ExitReason.SIGNAL), int(ExitReason.MANUAL), int(ExitReason.STOP_LOSS)


@internal(VOID(Account, I8, I8, I8, F8, F8, F8))
def log_event(account: Any, kind: int, symbol: int, ref: int, a: float, b: float, c: float) -> None:
    """Append an event; every field is written, since rows are used again after a rewind."""
    row = event_at(account, account.n_events)
    row.ref = ref
    row.bar = account.bar
    row.symbol = symbol
    row.phase = account.phase
    row.kind = kind
    row.a = a + 0.0
    row.b = b + 0.0
    row.c = c + 0.0
    account.n_events = account.n_events + 1


@internal(VOID(Symbol, F8), forceinline=True)
def touch(position: Any, price: float) -> None:
    """The path has been at ``price`` while the position was held."""
    position.run_low = min(position.run_low, price)
    position.run_high = max(position.run_high, price)
    if position.since_open == 0:
        position.seen_low = min(position.seen_low, price)
        position.seen_high = max(position.seen_high, price)


@internal(F8(Symbol, Instrument, F8), forceinline=True)
def unrealised_at(position: Any, facts: Any, price: float) -> float:
    """Profit of the position at ``price``, in money."""
    return (price - position.average) * position.lots * facts.tick_money


@internal(VOID(Symbol, Instrument))
def fold_extremes(position: Any, facts: Any) -> None:
    """Bring MAE and MFE up to date with the prices since the last fill, then begin anew (S8.8)."""
    low = position.gross + unrealised_at(position, facts, position.run_low)
    high = position.gross + unrealised_at(position, facts, position.run_high)
    position.mae = min(position.mae, min(low, high))
    position.mfe = max(position.mfe, max(low, high))
    position.run_low = np.inf
    position.run_high = -np.inf


@internal(VOID(Account, I8))
def freeze_risk(account: Any, symbol: int) -> None:
    """Initial risk, once, when the trade first has a stop (S8.8)."""
    position = symbol_at(account, symbol)
    if np.isnan(position.initial_risk) and not np.isnan(position.stop):
        distance = abs(position.average - position.stop)
        position.initial_risk = distance * abs(position.lots) * instrument_at(account, symbol).tick_money


@internal(VOID(Account, I8, F8))
def write_stop(account: Any, symbol: int, stop: float) -> None:
    """Set the position's stop loss and note the change; NaN clears it."""
    position = symbol_at(account, symbol)
    before = position.stop
    if stop != before and not (np.isnan(stop) and np.isnan(before)):
        position.stop = stop
        log_event(account, _STOP_MOVED, symbol, 0, stop, before, 0.0)
    freeze_risk(account, symbol)


@internal(VOID(Account, I8, F8))
def write_target(account: Any, symbol: int, target: float) -> None:
    """Set the position's take profit and note the change; NaN clears it."""
    position = symbol_at(account, symbol)
    before = position.target
    if target != before and not (np.isnan(target) and np.isnan(before)):
        position.target = target
        log_event(account, _TARGET_MOVED, symbol, 0, target, before, 0.0)


@internal(VOID(Account, I8, I8))
def begin_trade(account: Any, symbol: int, side: int) -> None:
    """A trade runs from flat to flat; this is its first fill (S8.8)."""
    position = symbol_at(account, symbol)
    account.trades_opened = account.trades_opened + 1
    account.open_positions = account.open_positions + 1
    position.trade_number = account.trades_opened
    position.trade_side = side
    position.trade_entry_phase = account.phase
    position.entry_bar = account.bar
    position.ambiguous = 0
    position.entry_lots = 0.0
    position.entry_value = 0.0
    position.exit_lots = 0.0
    position.exit_value = 0.0
    position.max_lots = 0.0
    position.gross = 0.0
    position.commission = 0.0
    position.fees = 0.0
    position.slippage_cost = 0.0
    position.mae = 0.0
    position.mfe = 0.0
    position.initial_risk = NO_PRICE
    mid_bar = account.phase == _INTRABAR
    position.opened_mid_bar = 1 if mid_bar else 0
    position.since_open = 0 if mid_bar else 1
    position.seen_low = np.inf
    position.seen_high = -np.inf
    log_event(account, _TRADE_OPENED, symbol, position.trade_number, 0.0, 0.0, 0.0)


@internal(I8(I8, I8))
def exit_reason(reason: int, source: int) -> int:
    """Exit reason of a trade, from its last fill (S8.8)."""
    if reason >= _STOP_LOSS:
        return reason - _STOP_LOSS + _EXIT_STOP_LOSS
    return _EXIT_MANUAL if source == _BY_HAND else _EXIT_SIGNAL


@internal(VOID(Account, I8, I8))
def end_trade(account: Any, symbol: int, why: int) -> None:
    """The position is flat: write the trade's row and clear position and levels."""
    position = symbol_at(account, symbol)
    row = trade_at(account, account.n_trades)
    row.number = position.trade_number
    row.symbol = symbol
    row.side = position.trade_side
    row.exit_reason = why
    row.ambiguous = position.ambiguous
    row.entry_bar = position.entry_bar
    row.exit_bar = account.bar
    row.entry_phase = position.trade_entry_phase
    row.exit_phase = account.phase
    row.max_lots = position.max_lots
    row.entry_price = position.entry_value / position.entry_lots + 0.0
    row.exit_price = position.exit_value / position.exit_lots + 0.0
    row.gross = position.gross + 0.0
    row.commission = position.commission
    row.fees = position.fees
    row.slippage_cost = position.slippage_cost + 0.0
    row.net = position.gross - position.commission - position.fees + 0.0
    row.mae = position.mae + 0.0
    row.mfe = position.mfe + 0.0
    row.initial_risk = position.initial_risk
    row.r_multiple = NO_PRICE if not position.initial_risk > 0.0 else row.net / position.initial_risk + 0.0
    account.n_trades = account.n_trades + 1
    account.open_positions = account.open_positions - 1
    position.lots = 0.0
    position.average = 0.0
    position.stop = NO_PRICE
    position.target = NO_PRICE
    log_event(account, _TRADE_CLOSED, symbol, row.number, row.net, 0.0, 0.0)


@internal(VOID(Symbol, F8, F8, F8, F8), forceinline=True)
def book_costs(position: Any, commission: float, fee: float, slippage_cost: float, share: float) -> None:
    """Add the part ``share`` of a fill's costs to the running trade."""
    position.commission = position.commission + commission * share
    position.fees = position.fees + fee * share
    position.slippage_cost = position.slippage_cost + slippage_cost * share


@internal(VOID(Account, I8, F8, F8, I8))
def open_lots(account: Any, symbol: int, lots: float, price: float, side: int) -> None:
    """Open or add: the average entry is weighted by volume (S8.5)."""
    position = symbol_at(account, symbol)
    if position.lots == 0.0:
        begin_trade(account, symbol, side)
    held = abs(position.lots)
    position.average = (position.average * held + price * lots) / (held + lots) + 0.0
    position.lots = position.lots + side * lots
    position.entry_lots = position.entry_lots + lots
    position.entry_value = position.entry_value + price * lots
    position.max_lots = max(position.max_lots, abs(position.lots))


@internal(F8(Account, I8, F8, F8), forceinline=True)
def close_lots(account: Any, symbol: int, lots: float, price: float) -> float:
    """Reduce the position and return the gross profit realised (S8.5)."""
    position = symbol_at(account, symbol)
    direction = 1.0 if position.lots > 0.0 else -1.0
    realised = (price - position.average) * lots * direction * instrument_at(account, symbol).tick_money + 0.0
    position.gross = position.gross + realised
    position.exit_lots = position.exit_lots + lots
    position.exit_value = position.exit_value + price * lots
    position.lots = position.lots - direction * lots
    return realised


@internal(VOID(Account, I8, I8))
def take_levels(account: Any, symbol: int, order: int) -> None:
    """The order's bracket becomes the position's; what it does not carry is kept (S8.3)."""
    row = order_at(account, order)
    if not np.isnan(row.stop_loss):
        write_stop(account, symbol, row.stop_loss)
    if not np.isnan(row.take_profit):
        write_target(account, symbol, row.take_profit)


@internal(VOID(Account, I8))
def note_ambiguity(account: Any, symbol: int) -> None:
    """Mark the trade where the bar alone cannot tell which level was met first (S6.9)."""
    position = symbol_at(account, symbol)
    if position.lots == 0.0:
        return
    bar = bar_at(account, account.bar, symbol)
    stop_inside = bar.l <= position.stop and position.stop <= bar.h
    target_inside = bar.l <= position.target and position.target <= bar.h
    mid_bar = position.opened_mid_bar == 1 and position.entry_bar == account.bar
    if (stop_inside and target_inside) or (mid_bar and (stop_inside or target_inside)):
        position.ambiguous = 1


@internal(VOID(Account, Fill, I8, I8, I8, F8, F8, F8, I8, I8), forceinline=True)
def describe_fill(
    account: Any,
    row: Any,
    symbol: int,
    order: int,
    side: int,
    lots: float,
    base: float,
    price: float,
    reason: int,
    source: int,
) -> None:
    """Write down what was filled, when and why; ``order`` is an index, the row has the id, 0 for none."""
    row.order = order + 1
    row.bar = account.bar
    row.symbol = symbol
    row.phase = account.phase
    row.side = side
    row.reason = reason
    row.source = source
    row.lots = lots
    row.price = price
    row.base_price = base + 0.0


@internal(I8(Account, I8, I8, I8, F8, F8, F8, F8, I8, I8))
def apply_fill(
    account: Any,
    symbol: int,
    order: int,
    side: int,
    lots: float,
    base: float,
    price: float,
    path_price: float,
    reason: int,
    source: int,
) -> int:
    """Book one fill; returns 1 if it opened or reversed a position.

    ``order`` is the index of its order, or -1 where it only closes; ``base`` the price before slippage;
    ``path_price`` where the market is.
    """
    position = symbol_at(account, symbol)
    facts = instrument_at(account, symbol)
    commission = facts.commission * lots
    slippage_cost = (price - base) * side * lots * facts.tick_money + 0.0
    closing = min(abs(position.lots), lots) if position.lots * side < 0.0 else 0.0
    opening = lots - closing
    opened = 1 if opening > 0.0 and (closing > 0.0 or position.lots == 0.0) else 0
    index = account.n_fills
    account.n_fills = index + 1
    row = fill_at(account, index)
    row.trade = position.trade_number if position.lots != 0.0 else account.trades_opened + 1
    describe_fill(account, row, symbol, order, side, lots, base, price, reason, source)
    log_event(account, _FILL, symbol, index, 0.0, 0.0, 0.0)
    realised = 0.0
    if position.lots != 0.0:
        touch(position, path_price)
        fold_extremes(position, facts)
    if closing > 0.0:
        realised = close_lots(account, symbol, closing, price)
        book_costs(position, commission, facts.fee, slippage_cost, closing / lots)
        if position.lots == 0.0:
            end_trade(account, symbol, exit_reason(reason, source))
    if opening > 0.0:
        open_lots(account, symbol, opening, price, side)
        book_costs(position, commission, facts.fee, slippage_cost, opening / lots)
        take_levels(account, symbol, order)
    if position.lots != 0.0:
        position.run_low = path_price
        position.run_high = path_price
        touch(position, path_price)
    account.cash = account.cash + realised - commission - facts.fee + 0.0
    row.slippage_cost = slippage_cost
    row.commission = commission
    row.fee = facts.fee
    row.realised = realised
    row.cash = account.cash
    row.position = position.lots + 0.0
    row.average = position.average
    if account.phase == _INTRABAR:
        note_ambiguity(account, symbol)
    return opened
