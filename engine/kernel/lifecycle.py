"""The base bot at OPEN: flatten, trail, gate, size, enter (rulebook S11, S12.1, S12.2); called by both drives."""

from typing import Any

import numpy as np

from engine.kernel.asking import multiple_for, tell_entered
from engine.kernel.broker import FLATTENING, close, place, tighten_stop
from engine.kernel.compiling import internal
from engine.kernel.ledger import log_event
from engine.kernel.margin import equity_now, initial_per_lot, initial_used
from engine.kernel.schema import EventKind, Gate, OrderStatus, OrderType, Reject
from engine.kernel.state import (
    ENTRY_OK,
    EXIT_FIXED_RATIO,
    EXIT_TRAILING_ATR,
    F8,
    FLATTEN,
    I8,
    NO_PRICE,
    REAL,
    SESSION_FIRST,
    VOID,
    Account,
    bar_at,
    count_gate,
    flags_at,
    instrument_at,
    order_at,
    side_at,
    symbol_at,
    value_at,
)
from engine.kernel.ticks import against, limit_ticks, slippage
from engine.kernel.working import cancel_symbol

_MARKET, _REJECTED = int(OrderType.MARKET), int(OrderStatus.REJECTED)
_FLATTENED = int(Reject.FLATTENED)
_GATE, _DECISION, _LATE = int(EventKind.GATE), int(EventKind.DECISION), int(EventKind.LATE_FLATTEN)
_SYNTHETIC, _HOLDING, _SESSION = int(Gate.SYNTHETIC), int(Gate.HOLDING), int(Gate.SESSION)
_ATR, _DAILY_LOSS, _MAX_POSITIONS = int(Gate.ATR), int(Gate.DAILY_LOSS), int(Gate.MAX_POSITIONS)
_NO_SIGNAL, _LEVELS, _SIZE_RISK = int(Gate.NO_SIGNAL), int(Gate.LEVELS), int(Gate.SIZE_RISK)
_SIZE_MARGIN, _REFUSED, _ENTERED = int(Gate.SIZE_MARGIN), int(Gate.REFUSED), int(Gate.ENTERED)
_OPENLY = -1
_LOT_TOLERANCE = 1e-9


@internal(VOID(Account, I8, I8), forceinline=True)
def note_gate(account: Any, symbol: int, gate: int) -> None:
    """Count the verdict of this bar and write it down where it changes."""
    position = symbol_at(account, symbol)
    count_gate(account, symbol, gate)
    if position.gate != gate:
        log_event(account, _GATE, symbol, 0, gate, position.gate, 0.0)
        position.gate = gate


@internal(I8(Account, I8))
def flatten_if_due(account: Any, symbol: int) -> int:
    """Close before the session ends, or late at the first real open after it (S11.1); returns 1 if it closed."""
    position = symbol_at(account, symbol)
    flags = flags_at(account, account.bar, symbol)
    late = flags & SESSION_FIRST and position.entry_bar < account.bar
    if account.flatten_on == 0 or not (flags & FLATTEN or late):
        return 0
    if not flags & FLATTEN:
        position.late_flattens = position.late_flattens + 1
        log_event(account, _LATE, symbol, 0, 0.0, 0.0, 0.0)
    close(account, symbol, FLATTENING, 0)
    cancel_symbol(account, symbol, _FLATTENED)
    return 1


@internal(F8(F8, I8, F8, F8), forceinline=True)
def atr_level(price: float, side: int, multiple: float, atr: float) -> float:
    """A level ``multiple`` x ATR behind the price, as a position of that side sees it (S12.1)."""
    return price - side * multiple * atr


@internal(VOID(Account, I8), forceinline=True)
def trail(account: Any, symbol: int) -> None:
    """Trail the stop at a multiple of ATR behind the last close, once that lies in favour (S12.1)."""
    position = symbol_at(account, symbol)
    if account.bar <= position.entry_bar:
        return
    last = bar_at(account, account.bar - 1, symbol).c
    side = 1 if position.lots > 0.0 else -1
    if (last - position.average) * side > 0.0:
        atr = value_at(account, account.exit_atr_a, account.bar - 1, symbol)
        tighten_stop(account, symbol, atr_level(last, side, position.exit_multiple, atr))


@internal(VOID(Account), forceinline=True)
def manage_positions(account: Any) -> None:
    """First pass over the symbols: flatten, else trail (S11.1, S11.5)."""
    if account.open_positions == 0 and account.working == 0:
        return
    for symbol in range(account.n_symbols):
        flags = flags_at(account, account.bar, symbol)
        if not flags & REAL:
            continue
        position = symbol_at(account, symbol)
        if position.lots != 0.0:
            if flatten_if_due(account, symbol) == 0 and account.exit_kind == EXIT_TRAILING_ATR:
                trail(account, symbol)
        elif position.working > 0 and account.flatten_on == 1 and flags & FLATTEN:
            cancel_symbol(account, symbol, _FLATTENED)


@internal(I8(Account, I8), forceinline=True)
def is_engaged(account: Any, symbol: int) -> int:
    """Whether the symbol has a position or an entry on its way."""
    position = symbol_at(account, symbol)
    return 1 if position.lots != 0.0 or position.queued_entries > 0 else 0


@internal(I8(Account))
def engaged_symbols(account: Any) -> int:
    """Positions open now, queued entries included, each symbol once (S11.2)."""
    total = 0
    for symbol in range(account.n_symbols):
        total += is_engaged(account, symbol)
    return total


@internal(I8(Account, I8), forceinline=True)
def gate_of(account: Any, symbol: int) -> int:
    """The first gate that forbids an entry now, or -1 (S11.2)."""
    position = symbol_at(account, symbol)
    flags = flags_at(account, account.bar, symbol)
    if not flags & REAL:
        return _SYNTHETIC
    if is_engaged(account, symbol) == 1:
        return _HOLDING
    if not flags & ENTRY_OK:
        return _SESSION
    atr = value_at(account, account.atr_a, account.bar - 1, symbol) if account.bar > 0 else NO_PRICE
    if not (np.isfinite(atr) and atr >= instrument_at(account, symbol).min_atr):
        return _ATR
    start, limit = position.day_start_equity, account.max_daily_loss_pct
    if np.isfinite(limit) and start - account.equity >= limit * start:
        return _DAILY_LOSS
    if account.max_positions < account.n_symbols and engaged_symbols(account) >= account.max_positions:
        return _MAX_POSITIONS
    return _OPENLY


@internal(F8(Account, I8, F8))
def lots_by_risk(account: Any, symbol: int, stop: float) -> float:
    """Lots whose loss at the stop, costs included, fits the risk budget (S11.4); not rounded."""
    facts = instrument_at(account, symbol)
    price = symbol_at(account, symbol).mark
    budget = equity_now(account) * account.risk_pct - 2.0 * facts.fee
    slip = slippage(account, symbol, price, 1.0)
    risk = (abs(price - stop) + 2.0 * slip) * facts.tick_money + 2.0 * facts.commission
    return min(budget / risk, facts.max_lots)


@internal(F8(Account, I8))
def lots_by_margin(account: Any, symbol: int) -> float:
    """Lots that the permitted part of the available equity carries (S11.4); not rounded."""
    facts = instrument_at(account, symbol)
    available = equity_now(account) - initial_used(account)
    each = initial_per_lot(facts, symbol_at(account, symbol).mark) + facts.commission
    return (available * account.max_margin_pct - facts.fee) / each if each > 0.0 else np.inf


@internal(F8(F8), forceinline=True)
def whole_lots(lots: float) -> float:
    """Down to whole lots, with a tolerance relative to the quantity (S11.4)."""
    return np.floor(lots + _LOT_TOLERANCE * max(1.0, lots)) + 0.0


@internal(I8(Account, I8, I8, F8, F8))
def enter(account: Any, symbol: int, side: int, stop: float, target: float) -> int:
    """Size and send the entry: one market order with its bracket (S11.3, S11.4); returns the verdict."""
    stop = against(stop, -side)
    target = limit_ticks(target, -side)
    if not (symbol_at(account, symbol).mark - stop) * side > 0.0 or np.isinf(stop) or np.isinf(target):
        return _LEVELS
    by_risk = lots_by_risk(account, symbol, stop)
    if not whole_lots(by_risk) >= 1.0:
        return _SIZE_RISK
    lots = whole_lots(min(by_risk, lots_by_margin(account, symbol)))
    if not lots >= 1.0:
        return _SIZE_MARGIN
    log_event(account, _DECISION, symbol, account.n_orders + 1, side, stop, lots)
    order = place(account, symbol, side, _MARKET, 0, lots, NO_PRICE, NO_PRICE, stop, target, 0)
    return _REFUSED if order_at(account, order - 1).status == _REJECTED else _ENTERED


@internal(I8(Account, I8, I8))
def enter_by_atr(account: Any, symbol: int, side: int) -> int:
    """Entry with the levels of a built-in exit, from O and the ATR known at the open (S12.1, S12.2)."""
    price = symbol_at(account, symbol).mark
    atr = value_at(account, account.exit_atr_a, account.bar - 1, symbol) if account.bar > 0 else NO_PRICE
    multiple = multiple_for(account, symbol, side)
    stop = atr_level(price, side, multiple, atr)
    target = NO_PRICE
    if account.exit_kind == EXIT_FIXED_RATIO:
        target = price + side * account.r_multiple * abs(price - against(stop, -side))
    before = account.n_orders
    verdict = enter(account, symbol, side, stop, target)
    symbol_at(account, symbol).exit_multiple = multiple
    tell_entered(account, symbol, before + 1 if verdict == _ENTERED else 0)
    return verdict


@internal(VOID(Account, I8, I8))
def decide(account: Any, symbol: int, side: int) -> None:
    """Enter on the side decided, or note that there is none."""
    note_gate(account, symbol, _NO_SIGNAL if side == 0 else enter_by_atr(account, symbol, side))


@internal(I8(Account, I8), forceinline=True)
def next_candidate(account: Any, symbol: int) -> int:
    """The first symbol from ``symbol`` on whose gates are open, or the number of symbols; counts the closed ones."""
    while symbol < account.n_symbols:
        gate = gate_of(account, symbol)
        if gate == _OPENLY:
            return symbol
        note_gate(account, symbol, gate)
        symbol += 1
    return symbol


@internal(VOID(Account), forceinline=True)
def seek_entries(account: Any) -> None:
    """Second pass over the symbols: gates, then the side that the bot's array gives (S11.2, S11.3)."""
    symbol = next_candidate(account, 0)
    while symbol < account.n_symbols:
        decide(account, symbol, side_at(account, account.bar, symbol))
        symbol = next_candidate(account, symbol + 1)
