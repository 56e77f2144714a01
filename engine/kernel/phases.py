"""One bar: OPEN, INTRABAR, CLOSE for all symbols of the account (rulebook S4 to S7)."""

from typing import Any

import numpy as np

from engine.kernel.compiling import internal
from engine.kernel.ledger import log_event, touch, unrealised_at
from engine.kernel.margin import (
    equity_now,
    initial_per_lot,
    initial_used,
    maintenance_per_lot,
    maintenance_used,
    worst_price,
)
from engine.kernel.matching import close_whole, fill_queued, fill_resting, protect_at
from engine.kernel.schema import EventKind, OrderStatus, Phase, Reason, Reject, TimeInForce
from engine.kernel.state import (
    DAY_FIRST,
    DAY_LAST,
    F8,
    I8,
    NONE,
    REAL,
    VOID,
    Account,
    bar_at,
    equity_at,
    flags_at,
    instrument_at,
    margin_call_at,
    next_order,
    order_at,
    symbol_at,
)
from engine.kernel.ticks import MONEY_TOLERANCE
from engine.kernel.walk import walk_bar
from engine.kernel.working import cancel_symbol, cancel_working, end_order, refresh_triggers

_OPEN, _INTRABAR, _CLOSE = int(Phase.OPEN), int(Phase.INTRABAR), int(Phase.CLOSE)
_LIQUIDATION, _FINISH = int(Reason.LIQUIDATION), int(Reason.FINISH)
_DAY, _EXPIRED = int(TimeInForce.DAY), int(OrderStatus.EXPIRED)
_LIQUIDATED, _DAY_ENDED, _BANKRUPT = int(Reject.LIQUIDATED), int(Reject.DAY_ENDED), int(Reject.BANKRUPT)
_ORDER_EXPIRED, _MARGIN_CALL = int(EventKind.ORDER_EXPIRED), int(EventKind.MARGIN_CALL)
_WENT_BANKRUPT = int(EventKind.BANKRUPT)
_BANKRUPT_LEVEL = 1e-9


@internal(I8(Account, I8), forceinline=True)
def is_real(account: Any, symbol: int) -> int:
    """Whether the symbol has a real bar now (S3.2)."""
    return flags_at(account, account.bar, symbol) & REAL


@internal(VOID(Account, I8), forceinline=True)
def begin_symbol(account: Any, symbol: int) -> None:
    """A new trading day, a new mark, and the first pass of S5.1: protective levels that the opening print reaches.

    What a protective fill changes of the account, no other symbol's mark or protection reads.
    """
    position = symbol_at(account, symbol)
    flags = flags_at(account, account.bar, symbol)
    if flags & DAY_FIRST:
        position.day_start_equity = account.equity
    if flags & REAL:
        position.mark = bar_at(account, account.bar, symbol).o
    if position.lots != 0.0:
        position.since_open = 1  # prices of the path are counted from this OPEN
        if flags & REAL and protect_at(account, symbol, position.mark) == 1:
            refresh_triggers(account, symbol)


@internal(VOID(Account, I8))
def open_orders(account: Any, symbol: int) -> None:
    """Second pass of S5.1: queued market orders, then resting orders that the opening print reaches."""
    position = symbol_at(account, symbol)
    if position.working == 0 or is_real(account, symbol) == 0:
        return
    price = position.mark
    if position.queued > 0 or position.fresh > 0 or price >= position.trigger_up or price <= position.trigger_down:
        fill_queued(account, symbol, price)
        fill_resting(account, symbol, price)
        refresh_triggers(account, symbol)


@internal(VOID(Account, I8), forceinline=True)
def open_bar(account: Any, bar: int) -> None:
    """OPEN of a master bar up to the moment the bot runs (S5.1)."""
    account.bar = bar
    account.phase = _OPEN
    for symbol in range(account.n_symbols):
        begin_symbol(account, symbol)
    if account.working > 0:
        for symbol in range(account.n_symbols):
            open_orders(account, symbol)


@internal(VOID(Account), forceinline=True)
def intrabar(account: Any) -> None:
    """INTRABAR: symbols in configuration order walk their paths; a bar that reaches no level touches no order."""
    account.phase = _INTRABAR
    if account.open_positions == 0 and account.working == 0:
        return
    for symbol in range(account.n_symbols):
        position = symbol_at(account, symbol)
        if (position.lots == 0.0 and position.working == 0) or is_real(account, symbol) == 0:
            continue
        bar = bar_at(account, account.bar, symbol)
        if bar.h >= position.trigger_up or bar.l <= position.trigger_down:
            walk_bar(account, symbol)
        elif position.lots != 0.0:
            touch(position, bar.l)
            touch(position, bar.h)


@internal(F8(Account))
def required_margin(account: Any) -> float:
    """Maintenance margin of all positions; rates at each position's worst price (S7.2, S8.4)."""
    total = 0.0
    for symbol in range(account.n_symbols):
        position = symbol_at(account, symbol)
        if position.lots != 0.0:
            worst = worst_price(account, symbol, is_real(account, symbol))
            total += abs(position.lots) * maintenance_per_lot(instrument_at(account, symbol), worst)
    return total


@internal(I8(Account))
def weakest(account: Any) -> int:
    """The position with the lowest unrealised profit at its mark; ties go by configuration order; -1 without one."""
    found, lowest = NONE, np.inf
    for symbol in range(account.n_symbols):
        position = symbol_at(account, symbol)
        if position.lots != 0.0:
            profit = unrealised_at(position, instrument_at(account, symbol), position.mark)
            if found == NONE or profit < lowest:
                found, lowest = symbol, profit
    return found


@internal(F8(Account, I8))
def liquidate(account: Any, symbol: int) -> float:
    """Close a position by force and cancel the symbol's orders; returns the money between mark and worst price."""
    position = symbol_at(account, symbol)
    worst = worst_price(account, symbol, is_real(account, symbol))
    between = (position.mark - worst) * position.lots * instrument_at(account, symbol).tick_money
    base = worst if account.breach == 1 else position.mark
    close_whole(account, symbol, base, base, _LIQUIDATION, 0)
    cancel_symbol(account, symbol, _LIQUIDATED)
    return between


@internal(VOID(Account, F8, F8))
def margin_call(account: Any, worst: float, required: float) -> None:
    """Liquidate whole positions, losers first, until what is left is covered at the close (S7.2)."""
    index = account.n_calls
    account.n_calls = index + 1
    log_event(account, _MARGIN_CALL, NONE, index, worst, required, 0.0)
    row = margin_call_at(account, index)
    row.bar = account.bar
    row.first_fill = account.n_fills
    row.worst_equity = worst
    row.required = required
    between = 0.0
    covered = 0
    while covered == 0 and account.open_positions > 0:
        between += liquidate(account, weakest(account))
        left = maintenance_used(account)
        if account.liquidate_all == 0 and equity_now(account) >= left - MONEY_TOLERANCE * left:
            covered = 1
    row.fills = account.n_fills - row.first_fill
    row.between = between + 0.0
    row.equity_after = equity_now(account)


@internal(VOID(Account))
def cancel_everything(account: Any) -> None:
    """The account is bankrupt: whatever works is cancelled (S7.3)."""
    for symbol in range(account.n_symbols):
        while symbol_at(account, symbol).first_order != NONE:
            cancel_working(account, symbol_at(account, symbol).first_order, _BANKRUPT)
        refresh_triggers(account, symbol)


@internal(VOID(Account, I8))
def expire_day_orders(account: Any, symbol: int) -> None:
    """DAY orders that were live today expire at the close of the day's last master bar (S7.4)."""
    index = symbol_at(account, symbol).first_order
    while index != NONE:
        following = next_order(account, index)
        row = order_at(account, index)
        if row.tif == _DAY and row.live == 1:
            end_order(account, index, _EXPIRED, _DAY_ENDED)
            log_event(account, _ORDER_EXPIRED, symbol, index + 1, 0.0, 0.0, 0.0)
        index = following
    refresh_triggers(account, symbol)


@internal(VOID(Account))
def write_equity(account: Any) -> None:
    """Mark the account and write its row (S7.3)."""
    account.equity = equity_now(account) + 0.0
    row = equity_at(account, account.bar)
    row.equity = account.equity
    row.cash = account.cash
    row.used_margin = initial_used(account) if account.open_positions > 0 else 0.0
    row.maintenance_margin = maintenance_used(account) if account.open_positions > 0 else 0.0


@internal(VOID(Account))
def check_bankruptcy(account: Any) -> None:
    """Equity gone with no position left: the account is bankrupt from now on (S7.3)."""
    gone = account.equity <= _BANKRUPT_LEVEL * account.initial_cash and account.open_positions == 0
    if gone and account.bankrupt == 0:
        account.bankrupt = 1
        account.bankrupt_bar = account.bar
        log_event(account, _WENT_BANKRUPT, NONE, 0, account.equity, 0.0, 0.0)
        cancel_everything(account)


@internal(I8(Account), forceinline=True)
def mark_account(account: Any) -> int:
    """Mark every position at C and at its worst price, all sums in one pass; returns 1 where it is a margin call.

    The sums run over the symbols in the order of ``equity_now`` and its like, so that every bit is theirs.
    """
    equity, worst_total, used, kept, required = account.cash, account.cash, 0.0, 0.0, 0.0
    for symbol in range(account.n_symbols):
        position = symbol_at(account, symbol)
        position.mark = bar_at(account, account.bar, symbol).c
        if position.lots != 0.0:
            facts = instrument_at(account, symbol)
            worst = worst_price(account, symbol, is_real(account, symbol))
            equity += unrealised_at(position, facts, position.mark)
            worst_total += unrealised_at(position, facts, worst)
            size = abs(position.lots)
            used += size * initial_per_lot(facts, position.mark)
            kept += size * maintenance_per_lot(facts, position.mark)
            required += size * maintenance_per_lot(facts, worst)
    account.equity = equity + 0.0
    row = equity_at(account, account.bar)
    row.equity = account.equity
    row.cash = account.cash
    row.used_margin = used
    row.maintenance_margin = kept
    row.worst_equity = worst_total + 0.0
    return 1 if worst_total < required - MONEY_TOLERANCE * required else 0


@internal(VOID(Account), forceinline=True)
def close_held(account: Any) -> None:
    """CLOSE of a bar with positions: mark them, and liquidate where worst-case equity does not cover their margin."""
    if mark_account(account) == 1:
        margin_call(account, equity_at(account, account.bar).worst_equity, required_margin(account))
        write_equity(account)


@internal(VOID(Account), forceinline=True)
def close_quiet(account: Any) -> None:
    """CLOSE of a bar without positions: nothing is at risk."""
    for symbol in range(account.n_symbols):
        symbol_at(account, symbol).mark = bar_at(account, account.bar, symbol).c
    account.equity = account.cash
    row = equity_at(account, account.bar)
    row.equity = account.cash
    row.cash = account.cash
    row.used_margin = 0.0
    row.maintenance_margin = 0.0
    row.worst_equity = account.cash


@internal(VOID(Account), forceinline=True)
def close_bar(account: Any) -> None:
    """CLOSE of a master bar up to the moment the bot's on_close runs (S7.1 to S7.4)."""
    account.phase = _CLOSE
    if account.open_positions > 0:
        close_held(account)
    else:
        close_quiet(account)
    if account.open_positions == 0:
        check_bankruptcy(account)
    if account.working > 0:
        for symbol in range(account.n_symbols):
            if symbol_at(account, symbol).working > 0 and flags_at(account, account.bar, symbol) & DAY_LAST:
                expire_day_orders(account, symbol)


@internal(VOID(Account))
def finish(account: Any) -> None:
    """Close open positions at the last mark (S7.6, ``liquidate_on_finish``); the last row shows the state after it."""
    account.phase = _CLOSE
    for symbol in range(account.n_symbols):
        position = symbol_at(account, symbol)
        if position.lots != 0.0:
            close_whole(account, symbol, position.mark, position.mark, _FINISH, 0)
            refresh_triggers(account, symbol)
    write_equity(account)
    check_bankruptcy(account)
