"""What must be true of a run's tables whenever no kernel call is under way, worked out anew from the rows."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from engine.kernel.schema import OrderType
from engine.tables import Records, RunTables

OUTPUTS = ("orders", "fills", "trades", "events", "calls")


class WatchedTables(RunTables):
    """Tables that are looked over after every call of the kernel."""

    def call(self, function: Callable[..., int], *arguments: int | float) -> int:
        """Call, then fail with everything that does not hold."""
        answer = super().call(function, *arguments)
        wrong = list(broken(self))
        assert not wrong, "\n".join([f"after {function.__name__}{arguments}", *wrong])
        return answer


def broken(tables: RunTables) -> Iterator[str]:
    """Every statement that does not hold."""
    orders, account = tables.rows("orders"), tables.account[0]
    waiting = orders[orders["waiting"] == 1]
    for column in range(len(tables.symbols)):
        own = waiting[waiting["symbol"] == column]
        yield from _list_differences(tables, column, own)
        yield from _count_differences(tables.symbols[column], own)
        yield from _trigger_differences(tables, column, own)
    yield from _differs("account.working", account["working"], len(waiting))
    yield from _differs("account.open_positions", account["open_positions"], np.count_nonzero(tables.symbols["lots"]))


def _differs(name: str, told: float, counted: float) -> Iterator[str]:
    if told != counted:
        yield f"{name} says {told}, the rows say {counted}"


def _list_differences(tables: RunTables, column: int, own: Records) -> Iterator[str]:
    """The list of a symbol holds exactly its waiting orders, in ascending ids, and knows its last one."""
    listed, index = [], int(tables.symbols["first_order"][column])
    while index != -1 and len(listed) <= len(own):
        listed.append(index)
        index = int(tables.links[index])
    if listed != (own["id"] - 1).tolist():
        yield f"symbol {column} lists {listed}, waiting are {(own['id'] - 1).tolist()}"
    yield from _differs(f"symbol {column} last_order", tables.symbols["last_order"][column], (listed or [-1])[-1])


def _count_differences(symbol: Any, own: Records) -> Iterator[str]:
    market = own["type"] == OrderType.MARKET
    counted = {
        "working": len(own),
        "queued": int(market.sum()),
        "queued_entries": int((market & (own["reduce_only"] == 0)).sum()),
        "fresh": int((own["live"] == 0).sum()),
    }
    for name, count in counted.items():
        yield from _differs(name, symbol[name], count)


def _trigger_differences(tables: RunTables, column: int, own: Records) -> Iterator[str]:
    """The cached triggers are the nearest levels of all resting orders and of the protection."""
    symbol, through = tables.symbols[column], float(tables.account["through"][0])
    up, down = [math.inf], [-math.inf]
    long, flat = symbol["lots"] > 0, symbol["lots"] == 0
    if not flat and not math.isnan(symbol["stop"]):
        (down if long else up).append(symbol["stop"])
    if not flat and not math.isnan(symbol["target"]):
        (up if long else down).append(symbol["target"] + (through if long else -through))
    for row in own[own["type"] != OrderType.MARKET]:
        buys = row["side"] > 0
        if row["type"] == OrderType.LIMIT or row["triggered"]:
            (down if buys else up).append(row["limit"] + (-through if buys else through))
        else:
            (up if buys else down).append(row["stop"])
    yield from _differs(f"symbol {column} trigger_up", symbol["trigger_up"], min(up))
    yield from _differs(f"symbol {column} trigger_down", symbol["trigger_down"], max(down))


def negative_zeros(tables: RunTables) -> list[str]:
    """Output columns that hold a negative zero."""
    found = []
    for name, rows in [*((name, tables.rows(name)) for name in OUTPUTS), ("equity", tables.equity)]:
        for column in rows.dtype.names or ():
            values = rows[column]
            if values.dtype.kind == "f" and bool(((values == 0) & np.signbit(values)).any()):
                found.append(f"{name}.{column}")
    return found
