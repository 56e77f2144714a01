"""Whether an entry asks a learned exit for its multiple, and tells it how it went (rulebook S12.3)."""

from typing import Any

from engine.kernel.compiling import internal
from engine.kernel.hooking import CHOOSE, ENTERED, call_hook
from engine.kernel.state import F8, I8, VOID, Account


@internal(F8(Account, I8, I8))
def multiple_for(account: Any, symbol: int, side: int) -> float:
    """The multiple of the ATR for an entry on a side: the setting's, or what the run's learned exit chooses."""
    if account.hook_a == 0:
        return account.atr_multiple
    return call_hook(account.hook_a, account.learned_a, CHOOSE, symbol, side)


@internal(VOID(Account, I8, I8))
def tell_entered(account: Any, symbol: int, order: int) -> None:
    """Tell the learned exit which order its choice became; 0 where none was accepted."""
    if account.hook_a != 0:
        call_hook(account.hook_a, account.learned_a, ENTERED, symbol, order)
