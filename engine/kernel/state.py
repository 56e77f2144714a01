"""The state of a run: records in plain memory, reached from one account record by address.

Every kernel function takes the account record and fetches others as bare pointers; bundles of arrays would cost
25 times more. With compilation off, a twin in Python gives the same records through ctypes.
"""

import ctypes
from collections.abc import Callable
from typing import Any, cast

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic

from engine.kernel.compiling import BOUNDS_CHECKED, JIT, internal
from engine.kernel.schema import CHOICE, EQUITY, EVENT, FILL, MARGIN_CALL, ORDER, TRADE

NO_PRICE = np.nan
NONE = -1

# Bits of the per-bar, per-symbol flags.
REAL = 1  # a real bar (S3.2)
DAY_FIRST = 2  # first master bar of the symbol's trading day (S7.4)
DAY_LAST = 4  # last master bar of it
FLATTEN = 8  # overlaps the last minutes of the session (S11.1)
SESSION_FIRST = 16  # first real bar of a session
ENTRY_OK = 32  # entries allowed by the session gate

# Path policies (S6).
WORST_CASE, BEST_CASE, PROXIMITY, COLOUR, FINE_BARS = 0, 1, 2, 3, 4

# Exits whose arithmetic is kernel code.
EXIT_OUTSIDE, EXIT_TRAILING_ATR, EXIT_FIXED_RATIO = 0, 1, 2

GATES = 12

BAR = np.dtype([("o", "f8"), ("h", "f8"), ("l", "f8"), ("c", "f8")], align=True)

INSTRUMENT = np.dtype(
    [
        ("tick_money", "f8"),        # account money per tick per lot
        ("initial_abs", "f8"),       # initial margin per lot, or 0
        ("initial_rate", "f8"),      # initial margin per lot and tick of price, or 0
        ("maintenance_abs", "f8"),
        ("maintenance_rate", "f8"),
        ("commission", "f8"),        # per lot and fill
        ("fee", "f8"),               # per fill
        ("slip_ticks", "f8"),        # constant part
        ("slip_fraction", "f8"),     # part of |price|
        ("slip_sqrt", "f8"),         # ticks per square root of a lot
        ("max_lots", "f8"),          # base bot, inf: none
        ("min_atr", "f8"),           # base bot, ticks
    ],
    align=True,
)  # fmt: skip

SYMBOL = np.dtype(
    [
        ("lots", "f8"), ("average", "f8"), ("stop", "f8"), ("target", "f8"), ("mark", "f8"),
        ("trigger_up", "f8"), ("trigger_down", "f8"),       # nearest levels of all working orders and protection
        ("seen_low", "f8"), ("seen_high", "f8"),            # prices of the path since a mid-bar opening (S7.1)
        ("run_low", "f8"), ("run_high", "f8"),              # prices of the path since the last fill (MAE, MFE)
        ("day_start_equity", "f8"), ("exit_multiple", "f8"),
        ("first_order", "i8"), ("last_order", "i8"), ("working", "i8"),
        ("queued", "i8"), ("queued_entries", "i8"), ("fresh", "i8"),
        ("entry_bar", "i8"), ("since_open", "i8"), ("opened_mid_bar", "i8"), ("gate", "i8"), ("late_flattens", "i8"),
        ("trade_number", "i8"), ("trade_side", "i8"), ("trade_entry_phase", "i8"), ("ambiguous", "i8"),
        ("entry_lots", "f8"), ("entry_value", "f8"), ("exit_lots", "f8"), ("exit_value", "f8"), ("max_lots", "f8"),
        ("gross", "f8"), ("commission", "f8"), ("fees", "f8"), ("slippage_cost", "f8"), ("mae", "f8"), ("mfe", "f8"),
        ("initial_risk", "f8"),
    ],
    align=True,
)  # fmt: skip

ACCOUNT = np.dtype(
    [
        ("bars_a", "i8"), ("flags_a", "i8"), ("instruments_a", "i8"), ("symbols_a", "i8"), ("orders_a", "i8"),
        ("links_a", "i8"), ("fills_a", "i8"), ("trades_a", "i8"), ("events_a", "i8"), ("equity_a", "i8"),
        ("calls_a", "i8"), ("gates_a", "i8"), ("atr_a", "i8"), ("exit_atr_a", "i8"), ("sides_a", "i8"),
        ("slip_ticks_a", "i8"), ("slip_sqrt_a", "i8"), ("fine_a", "i8"), ("fine_start_a", "i8"),
        ("choices_a", "i8"), ("learned_a", "i8"), ("hook_a", "i8"),   # learned exits: their log, record and function
        ("n_bars", "i8"), ("n_symbols", "i8"),
        ("orders_cap", "i8"), ("fills_cap", "i8"), ("trades_cap", "i8"), ("events_cap", "i8"), ("calls_cap", "i8"),
        ("choices_cap", "i8"), ("n_choices", "i8"),
        ("n_orders", "i8"), ("n_fills", "i8"), ("n_trades", "i8"), ("n_events", "i8"), ("n_calls", "i8"),
        ("bar", "i8"), ("phase", "i8"), ("open_positions", "i8"), ("working", "i8"),
        ("bankrupt", "i8"), ("bankrupt_bar", "i8"), ("trades_opened", "i8"),
        ("path", "i8"), ("through", "i8"), ("next_open", "i8"), ("liquidate_all", "i8"), ("breach", "i8"),
        ("exit_kind", "i8"), ("flatten_on", "i8"), ("max_positions", "i8"),
        ("cash", "f8"), ("initial_cash", "f8"), ("equity", "f8"),
        ("risk_pct", "f8"), ("max_margin_pct", "f8"), ("max_daily_loss_pct", "f8"), ("atr_multiple", "f8"),
        ("r_multiple", "f8"),
    ],
    align=True,
)  # fmt: skip

_BYTE = np.dtype([("value", "u1")])
_SIDE = np.dtype([("value", "i1")])
_INT = np.dtype([("value", "i8")])
_FLOAT = np.dtype([("value", "f8")])


# Small integers of the records as int64. numba knows numpy's constructor; to Python's type checker it gives an int.
as_int = cast(Callable[[Any], int], np.int64)


class _Row(np.record):  # type: ignore[misc]  # final in the type stubs alone
    """A record whose fields come before numpy's own attributes of the same name, such as ``flatten``."""

    def __getattribute__(self, name: str) -> Any:
        fields = np.void.__getattribute__(self, "dtype").fields
        place = fields.get(name)
        return super().__getattribute__(name) if place is None else self.getfield(*place[:2])


def _pointer_twin(dtype: np.dtype[Any]) -> Callable[[int, int], Any]:
    """The record at ``address + index * size`` as a view of that memory, for plain Python."""
    size = dtype.itemsize
    row_type = np.dtype((_Row, dtype))

    def at(address: int, index: int) -> Any:
        buffer: Any = (ctypes.c_char * size).from_address(int(address) + int(index) * size)
        return np.frombuffer(buffer, dtype=row_type)[0]

    return at


def pointer(dtype: np.dtype[Any]) -> Callable[[int, int], Any]:
    """A compiled function (address, index) -> record, which costs one addition."""
    if not JIT:
        return _pointer_twin(dtype)
    record = numba.from_dtype(dtype)
    size = dtype.itemsize

    @intrinsic
    def at(typing_context: Any, address: Any, index: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            step = builder.mul(arguments[1], context.get_constant(types.int64, size))
            pointer_type = context.get_value_type(record)
            return builder.inttoptr(builder.add(arguments[0], step), pointer_type)

        return record(types.int64, types.int64), codegen

    compiled: Callable[[int, int], Any] = at
    return compiled


_account = pointer(ACCOUNT)
_bar = pointer(BAR)
_instrument = pointer(INSTRUMENT)
_symbol = pointer(SYMBOL)
_order = pointer(ORDER)
_fill = pointer(FILL)
_trade = pointer(TRADE)
_event = pointer(EVENT)
_equity = pointer(EQUITY)
_call = pointer(MARGIN_CALL)
_choice = pointer(CHOICE)
_byte = pointer(_BYTE)
_side = pointer(_SIDE)
_int = pointer(_INT)
_float = pointer(_FLOAT)


def record_type(dtype: np.dtype[Any]) -> Any:
    """The compiler's type of a record."""
    return numba.from_dtype(dtype)


Account = record_type(ACCOUNT)
Bar = record_type(BAR)
Instrument = record_type(INSTRUMENT)
Symbol = record_type(SYMBOL)
Order = record_type(ORDER)
Fill = record_type(FILL)
Trade = record_type(TRADE)
Event = record_type(EVENT)
Equity = record_type(EQUITY)
Call = record_type(MARGIN_CALL)
Choice = record_type(CHOICE)
Side = record_type(_SIDE)
I8 = types.int64
F8 = types.float64
VOID = types.void


@internal(VOID(I8, I8), forceinline=True)
def check(index: int, count: int) -> None:
    """Refuse an index outside its table; only in checked builds."""
    if BOUNDS_CHECKED and not 0 <= index < count:
        raise IndexError("kernel table index out of range")


@internal(Account(I8), forceinline=True)
def account_at(address: int) -> Any:
    """The account record that lives at ``address``."""
    return _account(address, 0)


@internal(Bar(Account, I8, I8), forceinline=True)
def bar_at(account: Any, bar: int, symbol: int) -> Any:
    """Bar of a symbol at a master bar, prices in ticks."""
    check(bar, account.n_bars)
    check(symbol, account.n_symbols)
    return _bar(account.bars_a, bar * account.n_symbols + symbol)


@internal(I8(Account, I8, I8), forceinline=True)
def flags_at(account: Any, bar: int, symbol: int) -> int:
    """Flag bits of a symbol at a master bar."""
    check(bar, account.n_bars)
    check(symbol, account.n_symbols)
    return as_int(_byte(account.flags_a, bar * account.n_symbols + symbol).value)


@internal(Instrument(Account, I8), forceinline=True)
def instrument_at(account: Any, symbol: int) -> Any:
    """Contract facts of a symbol in kernel units."""
    check(symbol, account.n_symbols)
    return _instrument(account.instruments_a, symbol)


@internal(Symbol(Account, I8), forceinline=True)
def symbol_at(account: Any, symbol: int) -> Any:
    """Position, protection, caches and running trade of a symbol."""
    check(symbol, account.n_symbols)
    return _symbol(account.symbols_a, symbol)


@internal(Order(Account, I8), forceinline=True)
def order_at(account: Any, index: int) -> Any:
    """Order number ``index`` (its id is index + 1)."""
    check(index, account.orders_cap)
    return _order(account.orders_a, index)


@internal(I8(Account, I8), forceinline=True)
def next_order(account: Any, index: int) -> int:
    """The working order after ``index`` in its symbol's list, or -1."""
    check(index, account.orders_cap)
    return as_int(_int(account.links_a, index).value)


@internal(VOID(Account, I8, I8), forceinline=True)
def set_next_order(account: Any, index: int, following: int) -> None:
    """Chain a working order to the next one of its symbol."""
    check(index, account.orders_cap)
    _int(account.links_a, index).value = following


@internal(Fill(Account, I8), forceinline=True)
def fill_at(account: Any, index: int) -> Any:
    """Row of the fills table."""
    check(index, account.fills_cap)
    return _fill(account.fills_a, index)


@internal(Trade(Account, I8), forceinline=True)
def trade_at(account: Any, index: int) -> Any:
    """Row of the trades table."""
    check(index, account.trades_cap)
    return _trade(account.trades_a, index)


@internal(Event(Account, I8), forceinline=True)
def event_at(account: Any, index: int) -> Any:
    """Row of the events table."""
    check(index, account.events_cap)
    return _event(account.events_a, index)


@internal(Equity(Account, I8), forceinline=True)
def equity_at(account: Any, bar: int) -> Any:
    """Equity row of a master bar."""
    check(bar, account.n_bars)
    return _equity(account.equity_a, bar)


@internal(Call(Account, I8), forceinline=True)
def margin_call_at(account: Any, index: int) -> Any:
    """Row of the margin calls table."""
    check(index, account.calls_cap)
    return _call(account.calls_a, index)


@internal(Choice(Account, I8), forceinline=True)
def choice_at(account: Any, index: int) -> Any:
    """Row of the choices table."""
    check(index, account.choices_cap)
    return _choice(account.choices_a, index)


@internal(VOID(Account, I8, I8), forceinline=True)
def count_gate(account: Any, symbol: int, gate: int) -> None:
    """Count one verdict of the base bot's gates."""
    check(symbol * GATES + gate, account.n_symbols * GATES)
    row = _int(account.gates_a, symbol * GATES + gate)
    row.value = row.value + 1


@internal(F8(Account, I8, I8, I8), forceinline=True)
def value_at(account: Any, address: int, bar: int, symbol: int) -> float:
    """Value of a float64[n_bars, n_symbols] table at ``address``."""
    check(bar, account.n_bars)
    check(symbol, account.n_symbols)
    return np.float64(_float(address, bar * account.n_symbols + symbol).value)


@internal(I8(I8, I8), forceinline=True)
def int_at(address: int, index: int) -> int:
    """Entry of an int64 table at ``address``."""
    return as_int(_int(address, index).value)


@internal(VOID(I8, I8, F8), forceinline=True)
def put_float(address: int, index: int, value: float) -> None:
    """Write an entry of a float64 table at ``address``."""
    _float(address, index).value = value


@internal(I8(Account, I8, I8), forceinline=True)
def side_at(account: Any, bar: int, symbol: int) -> int:
    """Side that the bot's array gives for this bar: 1 buy, -1 sell, 0 none."""
    check(bar, account.n_bars)
    check(symbol, account.n_symbols)
    return as_int(_side(account.sides_a, bar * account.n_symbols + symbol).value)


@internal(I8(Account, I8, I8), forceinline=True)
def fine_start(account: Any, bar: int, symbol: int) -> int:
    """Index of the first finer bar inside this bar; the next entry ends the range."""
    return as_int(_int(account.fine_start_a, symbol * (account.n_bars + 1) + bar).value)


@internal(Bar(Account, I8), forceinline=True)
def fine_bar_at(account: Any, index: int) -> Any:
    """A finer bar, all symbols in one table."""
    return _bar(account.fine_a, index)
