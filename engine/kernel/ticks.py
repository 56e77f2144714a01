"""Rounding to ticks and lots, the one place where floating-point dust is met (rulebook S2.1 to S2.4)."""

from typing import Any

import numpy as np

from engine.kernel.compiling import internal
from engine.kernel.state import F8, I8, Account, instrument_at, value_at

TOLERANCE = 1e-6
# Relative; whether the last cent suffices is not decided by dust either.
MONEY_TOLERANCE = 1e-9


@internal(F8(F8), forceinline=True)
def round_down(ticks: float) -> float:
    """Down to a whole tick; what lies within the tolerance below a tick is on it."""
    return np.floor(ticks + TOLERANCE) + 0.0


@internal(F8(F8), forceinline=True)
def round_up(ticks: float) -> float:
    """Up to a whole tick; adding 0.0 turns a negative zero into zero."""
    return np.ceil(ticks - TOLERANCE) + 0.0


@internal(F8(F8, I8), forceinline=True)
def against(ticks: float, side: int) -> float:
    """Rounded against the trader who fills: buys up, sells down (S2.3)."""
    return round_up(ticks) if side > 0 else round_down(ticks)


@internal(F8(F8, I8), forceinline=True)
def limit_ticks(ticks: float, side: int) -> float:
    """Limit prices: buys down, sells up (S2.2)."""
    return round_down(ticks) if side > 0 else round_up(ticks)


@internal(F8(Account, I8, F8, F8))
def slippage(account: Any, symbol: int, base: float, lots: float) -> float:
    """Slippage of a fill in ticks, never negative (S2.4, S9); known at the open of the bar."""
    facts = instrument_at(account, symbol)
    ticks = facts.slip_ticks + facts.slip_fraction * abs(base)
    root = facts.slip_sqrt
    if account.slip_ticks_a != 0:
        ticks += value_at(account, account.slip_ticks_a, account.bar, symbol)
    if account.slip_sqrt_a != 0:
        root += value_at(account, account.slip_sqrt_a, account.bar, symbol)
    return ticks + root * np.sqrt(lots)
