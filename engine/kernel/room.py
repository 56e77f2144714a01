"""Whether the tables of a run have room for whatever may happen next, so that no function ever has to stop midway."""

from typing import Any

from engine.kernel.compiling import internal
from engine.kernel.state import I8, Account

GROW = -100


@internal(I8(Account, I8), forceinline=True)
def has_room(account: Any, extra: int) -> int:
    """Whether one more bar, and ``extra`` orders, fit into the tables whatever happens."""
    orders = extra + 2 * account.n_symbols
    fills = 2 * (account.working + orders) + 2 * account.n_symbols
    events = 8 * fills + 2 * orders + 4 * account.n_symbols + 4
    if account.n_orders + orders > account.orders_cap or account.n_fills + fills > account.fills_cap:
        return 0
    if account.n_trades + fills > account.trades_cap or account.n_calls + 1 > account.calls_cap:
        return 0
    if account.hook_a != 0 and account.n_choices + account.n_symbols > account.choices_cap:
        return 0
    return 1 if account.n_events + events <= account.events_cap else 0
