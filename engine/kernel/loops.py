"""The calls that Python makes: one bar at a time (step drive), a stretch of bars (compiled drive), and orders.

Every entry that may write rows first makes sure that the tables have room; where they have not, it changes nothing
and returns ``GROW``: Python makes the tables larger and calls again.
"""

from engine.kernel import broker, lifecycle
from engine.kernel.compiling import entry, internal, mark_complete
from engine.kernel.phases import close_bar, finish, intrabar, open_bar
from engine.kernel.state import F8, I8, Account, account_at

GROW = -100


@internal(I8(Account, I8), forceinline=True)
def has_room(account, extra):  # type: ignore[no-untyped-def]  # (Account, int) -> int, typed by its signature
    """Whether one more bar, and ``extra`` orders, fit into the tables whatever happens."""
    orders = extra + 2 * account.n_symbols
    fills = 2 * (account.working + orders) + 2 * account.n_symbols
    return (
        1
        if account.n_orders + orders <= account.orders_cap
        and account.n_fills + fills <= account.fills_cap
        and account.n_trades + fills <= account.trades_cap
        and account.n_calls + 1 <= account.calls_cap
        and account.n_events + 8 * fills + 2 * orders + 4 * account.n_symbols + 4 <= account.events_cap
        else 0
    )


@entry(I8(I8, I8))
def begin_bar(address: int, bar: int) -> int:
    """OPEN of ``bar`` up to the bot (S5.1)."""
    account = account_at(address)
    if has_room(account, 0) == 0:
        return GROW
    open_bar(account, bar)
    return 0


@entry(I8(I8))
def end_bar(address: int) -> int:
    """INTRABAR and CLOSE of the current bar up to on_close (S6, S7)."""
    account = account_at(address)
    if has_room(account, 0) == 0:
        return GROW
    intrabar(account)
    close_bar(account)
    return 0


@entry(I8(I8))
def next_bar(address: int) -> int:
    """INTRABAR and CLOSE of the current bar and OPEN of the next one, in one call; returns the number of events."""
    account = account_at(address)
    if has_room(account, 0) == 0:
        return GROW
    intrabar(account)
    close_bar(account)
    open_bar(account, account.bar + 1)
    return account.n_events


@entry(I8(I8))
def run_intrabar(address: int) -> int:
    """INTRABAR of the current bar alone, for stepping by phase."""
    account = account_at(address)
    if has_room(account, 0) == 0:
        return GROW
    intrabar(account)
    return 0


@entry(I8(I8))
def run_close(address: int) -> int:
    """CLOSE of the current bar alone, for stepping by phase."""
    account = account_at(address)
    if has_room(account, 0) == 0:
        return GROW
    close_bar(account)
    return 0


@entry(I8(I8))
def run_finish(address: int) -> int:
    """Close what is open at the last mark (S7.6)."""
    account = account_at(address)
    if has_room(account, 0) == 0:
        return GROW
    finish(account)
    return 0


@entry(I8(I8, I8, I8), nogil=True)
def run_bars(address: int, bar: int, stop: int) -> int:
    """Compiled drive: bars ``bar`` to ``stop`` (excluded) with the base bot; returns the next bar to run."""
    account = account_at(address)
    while bar < stop and has_room(account, 0) == 1:
        open_bar(account, bar)
        lifecycle.manage_positions(account)
        lifecycle.seek_entries(account)
        intrabar(account)
        close_bar(account)
        bar += 1
    return bar


@entry(I8(I8, I8, I8, I8, I8, F8, F8, F8, F8, F8, I8))
def place_order(
    address: int,
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
    """Place an order, prices in ticks; returns its id or GROW."""
    account = account_at(address)
    if has_room(account, 1) == 0:
        return GROW
    return broker.place(account, symbol, side, kind, tif, lots, limit, stop, stop_loss, take_profit, flags)


@entry(I8(I8, I8, I8))
def close_position(address: int, symbol: int, flags: int) -> int:
    """Close a position at market; returns the order's id or GROW."""
    account = account_at(address)
    if has_room(account, 1) == 0:
        return GROW
    return broker.close(account, symbol, flags, 0)


@entry(I8(I8, I8, I8))
def cancel_order(address: int, order: int, why: int) -> int:
    """Cancel a working order; returns 1, 0 where it does not work, or GROW."""
    account = account_at(address)
    if has_room(account, 1) == 0:
        return GROW
    return broker.cancel(account, order, why)


@entry(I8(I8, I8, F8, F8, F8, F8, F8))
def modify_order(
    address: int, order: int, lots: float, limit: float, stop: float, stop_loss: float, take_profit: float
) -> int:
    """Give a working order new terms; returns 0, -1, a Reject code, or GROW."""
    account = account_at(address)
    if has_room(account, 1) == 0:
        return GROW
    return broker.modify(account, order, lots, limit, stop, stop_loss, take_profit)


@entry(I8(I8, I8, F8))
def modify_stop(address: int, symbol: int, stop: float) -> int:
    """Move or clear the stop loss; returns 1, 0 without a position, or GROW."""
    account = account_at(address)
    if has_room(account, 1) == 0:
        return GROW
    return broker.move_stop(account, symbol, stop)


@entry(I8(I8, I8, F8))
def modify_target(address: int, symbol: int, target: float) -> int:
    """Move or clear the take profit; returns 1, 0 without a position, or GROW."""
    account = account_at(address)
    if has_room(account, 1) == 0:
        return GROW
    return broker.move_target(account, symbol, target)


@entry(I8(I8, I8, F8))
def tighten_stop(address: int, symbol: int, stop: float) -> int:
    """Move the stop loss if that is tighter; returns 1 if it moved, 0, or GROW."""
    account = account_at(address)
    if has_room(account, 1) == 0:
        return GROW
    return broker.tighten_stop(account, symbol, stop)


@entry(I8(I8))
def manage_positions(address: int) -> int:
    """The base bot's first pass, for the step drive."""
    account = account_at(address)
    if has_room(account, account.n_symbols) == 0:
        return GROW
    lifecycle.manage_positions(account)
    return 0


@entry(I8(I8, I8))
def gate_of(address: int, symbol: int) -> int:
    """The gate that forbids an entry now, or -1."""
    return lifecycle.gate_of(account_at(address), symbol)


@entry(I8(I8, I8, I8))
def note_gate(address: int, symbol: int, gate: int) -> int:
    """Count a verdict; returns 0 or GROW."""
    account = account_at(address)
    if has_room(account, 0) == 0:
        return GROW
    lifecycle.note_gate(account, symbol, gate)
    return 0


@entry(I8(I8, I8, I8, F8, F8))
def enter(address: int, symbol: int, side: int, stop: float, target: float) -> int:
    """Size and send an entry with levels that Python gives; returns the verdict or GROW."""
    account = account_at(address)
    if has_room(account, 1) == 0:
        return GROW
    return lifecycle.enter(account, symbol, side, stop, target)


@entry(I8(I8, I8, I8))
def enter_by_atr(address: int, symbol: int, side: int) -> int:
    """Size and send an entry with the levels of a built-in exit; returns the verdict or GROW."""
    account = account_at(address)
    if has_room(account, 1) == 0:
        return GROW
    return lifecycle.enter_by_atr(account, symbol, side)


mark_complete()
