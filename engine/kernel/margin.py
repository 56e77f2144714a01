"""Equity at marks, margin used, and whether a fill can be afforded (rulebook S8.4, S7.1, S7.2)."""

from typing import Any

import numpy as np

from engine.kernel.compiling import internal
from engine.kernel.ledger import unrealised_at
from engine.kernel.state import F8, I8, Account, Instrument, bar_at, instrument_at, symbol_at
from engine.kernel.ticks import TOLERANCE


@internal(F8(Instrument, F8), forceinline=True)
def initial_per_lot(facts: Any, price: float) -> float:
    """Initial margin of one lot; a rate is taken of the notional at ``price``."""
    return facts.initial_abs + facts.initial_rate * abs(price)


@internal(F8(Instrument, F8), forceinline=True)
def maintenance_per_lot(facts: Any, price: float) -> float:
    """Maintenance margin of one lot; a rate is taken of the notional at ``price``."""
    return facts.maintenance_abs + facts.maintenance_rate * abs(price)


@internal(F8(Account))
def equity_now(account: Any) -> float:
    """Cash plus unrealised profit at the marks."""
    total = account.cash
    for symbol in range(account.n_symbols):
        position = symbol_at(account, symbol)
        if position.lots != 0.0:
            total += unrealised_at(position, instrument_at(account, symbol), position.mark)
    return total


@internal(F8(Account))
def initial_used(account: Any) -> float:
    """Initial margin that the open positions hold, at the marks."""
    total = 0.0
    for symbol in range(account.n_symbols):
        position = symbol_at(account, symbol)
        if position.lots != 0.0:
            total += abs(position.lots) * initial_per_lot(instrument_at(account, symbol), position.mark)
    return total


@internal(F8(Account))
def maintenance_used(account: Any) -> float:
    """Maintenance margin of the open positions, at the marks."""
    total = 0.0
    for symbol in range(account.n_symbols):
        position = symbol_at(account, symbol)
        if position.lots != 0.0:
            total += abs(position.lots) * maintenance_per_lot(instrument_at(account, symbol), position.mark)
    return total


@internal(F8(Account, I8, I8), forceinline=True)
def worst_price(account: Any, symbol: int, is_real: int) -> float:
    """Worst price of the path for the position since OPEN, or since it was opened in mid-bar (S7.1)."""
    position = symbol_at(account, symbol)
    if is_real == 0:
        return position.mark
    if position.since_open == 0:
        return position.seen_low if position.lots > 0.0 else position.seen_high
    bar = bar_at(account, account.bar, symbol)
    return bar.l if position.lots > 0.0 else bar.h


@internal(F8(Account, I8, F8))
def available_for(account: Any, symbol: int, closing: float) -> float:
    """Free initial margin for a fill that closes ``closing`` lots and so releases theirs (S8.4), before its costs."""
    position = symbol_at(account, symbol)
    released = closing * initial_per_lot(instrument_at(account, symbol), position.mark) if closing > 0.0 else 0.0
    return equity_now(account) - initial_used(account) + released


@internal(F8(Account, I8, F8, F8, F8))
def affordable_lots(account: Any, symbol: int, available: float, base: float, closing: float) -> float:
    """Largest quantity in lots of an order that also closes ``closing`` lots; those alone are never refused."""
    facts = instrument_at(account, symbol)
    left = available - facts.fee - facts.commission * closing
    each = initial_per_lot(facts, base) + facts.commission
    if not (left >= 0.0 and each > 0.0):
        return closing
    return closing + np.floor(left / each + TOLERANCE)
