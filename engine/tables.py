"""The tables of one run: allocates them, tells the kernel where they are, lets them grow, copies and restores them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.kernel.room import GROW
from engine.kernel.schema import CHOICE, EQUITY, EVENT, FILL, MARGIN_CALL, ORDER, TRADE, Phase
from engine.kernel.state import ACCOUNT, BAR, GATES, INSTRUMENT, NONE, SYMBOL

Records = NDArray[Any]

# Tables that grow: (attribute, record type, address field, capacity field, count field).
_GROWING = (
    ("orders", ORDER, "orders_a", "orders_cap", "n_orders"),
    ("links", np.dtype("i8"), "links_a", "orders_cap", "n_orders"),
    ("fills", FILL, "fills_a", "fills_cap", "n_fills"),
    ("trades", TRADE, "trades_a", "trades_cap", "n_trades"),
    ("events", EVENT, "events_a", "events_cap", "n_events"),
    ("calls", MARGIN_CALL, "calls_a", "calls_cap", "n_calls"),
    ("choices", CHOICE, "choices_a", "choices_cap", "n_choices"),
)
GROWING_TABLES = tuple(row[0] for row in _GROWING)
_FIXED = ("bars", "flags", "instruments", "symbols", "gates", "equity")
# Where the account has the addresses of the fixed and of the growing tables and their capacities, in words of 8 bytes.
_TOLD = np.array(
    [
        ACCOUNT.fields[name][1] // 8  # type: ignore[index]  # a record type has fields
        for name in (*(f"{name}_a" for name in _FIXED), *(row[2] for row in _GROWING), *(row[3] for row in _GROWING))
    ]
)
# Rows at the start: at least so many, or one for so many bars of a symbol. A bot that trades often then hardly ever has
# its tables copied; memory that is not written to is not taken.
_LEAST_ROWS = 1024
_BARS_PER_ROW = {"events": 3, "fills": 16}
_BARS_PER_OTHER_ROW = 32
_BATCH_ROWS = 256  # of a run in a batch, which uses its rows again


@dataclass(frozen=True, slots=True)
class TableState:
    """A copy of all that changes, enough to go on from the same point with the same bytes.

    Attributes:
        account, symbols, gates: copies of the records.
        working: rows and links of the orders that were working or could still change.
        first_working: index of the first of them.
    """

    account: Records
    symbols: Records
    gates: NDArray[np.int64]
    working: Records
    links: NDArray[np.int64]
    first_working: int


class RunTables:
    """Owns the arrays of a run; ``address`` is what kernel entries take.

    Args:
        bars: BAR records [n_bars, n_symbols], prices in ticks.
        flags: uint8 [n_bars, n_symbols], bits of ``engine.kernel.state``.
        instruments: INSTRUMENT records [n_symbols].
        keep_equity: allocate a row of equity per bar; without, as in a batch, the kernel must be told where to write
            them, and the other tables begin small.
        begin: state to begin with, in place of an account that holds ``initial_cash`` and nothing else.
    """

    orders: Records
    links: NDArray[np.int64]
    fills: Records
    trades: Records
    events: Records
    calls: Records
    choices: Records

    __slots__ = (
        "account", "address", "attached", "bars", "calls", "choices", "equity", "events", "fills", "flags", "gates",
        "instruments", "links", "orders", "symbols", "trades",
    )  # fmt: skip

    def __init__(
        self,
        bars: Records,
        flags: NDArray[np.uint8],
        instruments: Records,
        initial_cash: float,
        keep_equity: bool = True,
        begin: TableState | None = None,
    ) -> None:
        n_bars, n_symbols = bars.shape
        self.account = np.zeros(1, ACCOUNT)
        self.address = self.account.ctypes.data
        self.attached: dict[str, NDArray[Any]] = {}
        self.instruments = instruments
        self.symbols = np.zeros(n_symbols, SYMBOL)
        self.gates = np.zeros((n_symbols, GATES), np.int64)
        self.equity = np.zeros(n_bars if keep_equity else 0, EQUITY)
        for name, dtype, *_ in _GROWING:
            rows = n_bars * n_symbols // _BARS_PER_ROW.get(name, _BARS_PER_OTHER_ROW)
            setattr(self, name, np.zeros(max(_LEAST_ROWS, rows) if keep_equity else _BATCH_ROWS, dtype))
        self.bars, self.flags = bars, flags
        self.tell_addresses()
        if begin is None:
            self._set_up(initial_cash)
        else:
            self.restore_state(begin)

    def _set_up(self, initial_cash: float) -> None:
        account = self.account[0]
        account["n_bars"], account["n_symbols"] = self.bars.shape
        account["bar"], account["phase"] = NONE, Phase.CLOSE  # what is given before the first bar waits for its open
        account["cash"] = account["initial_cash"] = account["equity"] = initial_cash
        account["max_positions"] = np.iinfo(np.int64).max
        for name in ("stop", "target", "mark", "initial_risk", "exit_multiple"):
            self.symbols[name] = np.nan
        self.symbols["trigger_up"], self.symbols["trigger_down"] = np.inf, -np.inf
        self.symbols["first_order"] = self.symbols["last_order"] = self.symbols["gate"] = NONE
        self.symbols["day_start_equity"] = initial_cash

    def tell_addresses(self) -> None:
        """Tell the kernel where the tables lie now."""
        fixed = [getattr(self, name) for name in _FIXED]
        growing = [getattr(self, row[0]) for row in _GROWING]
        told = [*(table.ctypes.data for table in fixed + growing), *map(len, growing)]
        self.account.view(np.int64)[_TOLD] = told

    def attach(self, field: str, table: NDArray[Any] | None) -> None:
        """Give the kernel a read-only table under an address field of the account (``atr_a``, ``sides_a``, ...)."""
        self.attached.pop(field, None)
        if table is not None:
            self.attached[field] = table
        self.account[field] = 0 if table is None else table.ctypes.data

    def grow(self) -> None:
        """Double the tables that are more than a quarter full, or all of them where none is."""
        account = self.account[0]
        due = [row for row in _GROWING if 4 * int(account[row[4]]) > len(getattr(self, row[0]))]
        for name, dtype, address, capacity, count in due or _GROWING:
            table = getattr(self, name)
            larger = np.zeros(2 * len(table), dtype)
            # As bytes: numpy copies records field by field, which takes longer than the bars that filled them. Rows not
            # in use stay memory that was never touched.
            used = int(account[count]) * table.itemsize
            larger.view(np.uint8)[:used] = table.view(np.uint8)[:used]
            setattr(self, name, larger)
            account[address] = larger.ctypes.data
            account[capacity] = len(larger)

    def call(self, function: Callable[..., int], *arguments: int | float) -> int:
        """Call a kernel entry on this run, growing the tables where it says so."""
        answer = function(self.address, *arguments)
        while answer == GROW:
            self.grow()
            answer = function(self.address, *arguments)
        return answer

    def count(self, name: str) -> int:
        """Rows in use of a growing table."""
        counter = next(row[4] for row in _GROWING if row[0] == name)
        return int(self.account[0][counter])

    def rows(self, name: str) -> Records:
        """The rows in use of a growing table (``orders``, ``fills``, ...), without a copy."""
        table: Records = getattr(self, name)
        return table[: self.count(name)]

    def copy_state(self) -> TableState:
        """A snapshot of the tables; some 600 bytes and 10 microseconds with few working orders."""
        total = self.count("orders")
        heads = self.symbols["first_order"]
        heads = heads[heads >= 0]
        first = int(heads.min()) if len(heads) else total
        return TableState(
            self.account.copy(),
            self.symbols.copy(),
            self.gates.copy(),
            self.orders[first:total].copy(),
            self.links[first:total].copy(),
            first,
        )

    def restore_state(self, state: TableState) -> None:
        """Go back to a snapshot; rows written since are used again."""
        words = self.account.view(np.int64)
        told = words[_TOLD]
        self.account[0] = state.account[0]
        words[_TOLD] = told
        self.symbols.view(np.uint8)[:] = state.symbols.view(np.uint8)
        self.gates[:] = state.gates
        for field, table in self.attached.items():
            self.account[field] = table.ctypes.data
        end = state.first_working + len(state.working)
        self.orders[state.first_working : end] = state.working
        self.links[state.first_working : end] = state.links


def empty_bars(n_bars: int, n_symbols: int) -> Records:
    """A table for bars, all NaN: no bar yet."""
    bars = np.empty((n_bars, n_symbols), BAR)
    bars.view(np.float64)[:] = np.nan
    return bars


def empty_instruments(n_symbols: int) -> Records:
    """A table for contract facts in kernel units: no margin, no costs, no limits."""
    table = np.zeros(n_symbols, INSTRUMENT)
    table["max_lots"] = np.inf
    return table
