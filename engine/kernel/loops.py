"""The calls that Python makes: one bar at a time (step drive), a stretch of bars (compiled drive), and orders.

Every entry that may write rows first makes sure that the tables have room; where they have not, it changes nothing
and returns ``GROW``: Python makes the tables larger and calls again.
"""

from importlib import import_module

from engine.kernel import broker, lifecycle
from engine.kernel.compiling import READY, entry, load_on_request, mark_complete
from engine.kernel.margin import equity_now, initial_used
from engine.kernel.phases import close_bar, finish, intrabar, open_bar
from engine.kernel.room import GROW, has_room
from engine.kernel.state import F8, I8, account_at
from engine.kernel.ticks import against, slippage


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
def base_bar(address: int) -> int:
    """The base bot's whole OPEN where its sides are given as an array: both passes in one call."""
    account = account_at(address)
    if has_room(account, account.n_symbols) == 0:
        return GROW
    lifecycle.manage_positions(account)
    lifecycle.seek_entries(account)
    return 0


@entry(I8(I8))
def manage_positions(address: int) -> int:
    """The base bot's first pass; returns the first symbol whose gates are open, or the number of symbols."""
    account = account_at(address)
    if has_room(account, account.n_symbols) == 0:
        return GROW
    lifecycle.manage_positions(account)
    return lifecycle.next_candidate(account, 0)


@entry(I8(I8, I8))
def flatten_if_due(address: int, symbol: int) -> int:
    """Flatten one symbol before its session ends; returns 1 if it was due, 0, or GROW."""
    account = account_at(address)
    if has_room(account, 1) == 0:
        return GROW
    return lifecycle.flatten_if_due(account, symbol)


@entry(I8(I8, I8))
def next_candidate(address: int, symbol: int) -> int:
    """The first symbol from ``symbol`` on whose gates are open; closed ones are counted on the way."""
    account = account_at(address)
    if has_room(account, 0) == 0:
        return GROW
    return lifecycle.next_candidate(account, symbol)


@entry(I8(I8, I8, I8))
def decide(address: int, symbol: int, side: int) -> int:
    """Enter with the levels of a built-in exit, or note that there is no signal (0); returns the next candidate."""
    account = account_at(address)
    if has_room(account, 1) == 0:
        return GROW
    lifecycle.decide(account, symbol, side)
    return lifecycle.next_candidate(account, symbol + 1)


@entry(I8(I8, I8, I8, F8, F8))
def decide_levels(address: int, symbol: int, side: int, stop: float, target: float) -> int:
    """Enter with levels that Python gives, in ticks; returns the next candidate."""
    account = account_at(address)
    if has_room(account, 1) == 0:
        return GROW
    lifecycle.note_gate(account, symbol, lifecycle.enter(account, symbol, side, stop, target))
    return lifecycle.next_candidate(account, symbol + 1)


@entry(I8(I8, I8))
def gate_of(address: int, symbol: int) -> int:
    """The gate that forbids an entry now, or -1; counts nothing."""
    return lifecycle.gate_of(account_at(address), symbol)


@entry(F8(I8))
def equity_at_marks(address: int) -> float:
    """Cash plus unrealised profit at the marks."""
    return equity_now(account_at(address))


@entry(F8(I8))
def margin_in_use(address: int) -> float:
    """Initial margin that the open positions hold, at the marks."""
    return initial_used(account_at(address))


@entry(F8(I8, I8, F8, F8))
def slippage_at(address: int, symbol: int, base: float, lots: float) -> float:
    """Slippage in ticks of a fill in the current bar (S9)."""
    return slippage(account_at(address), symbol, base, lots)


@entry(F8(I8, I8, F8))
def lots_by_risk(address: int, symbol: int, stop: float) -> float:
    """Lots that the risk budget allows for a stop in ticks, not rounded (S11.4)."""
    return lifecycle.lots_by_risk(account_at(address), symbol, stop)


@entry(F8(I8, I8))
def lots_by_margin(address: int, symbol: int) -> float:
    """Lots that the margin cap allows, not rounded (S11.4)."""
    return lifecycle.lots_by_margin(account_at(address), symbol)


@entry(F8(F8, I8))
def round_against(ticks: float, side: int) -> float:
    """A price in ticks rounded against the trader: buys up, sells down (S2.2, S2.3)."""
    return against(ticks, side)


@entry(F8(F8, I8, F8, F8))
def atr_level(price: float, side: int, multiple: float, atr: float) -> float:
    """A level ``multiple`` x ATR behind a price for a position of that side; the arithmetic of S12.1."""
    return lifecycle.atr_level(price, side, multiple, atr)


if not READY:
    # Compiled and cached with the rest, but loaded only by who runs many settings at once.
    import_module("engine.kernel.batch")
mark_complete()
load_on_request(globals())
