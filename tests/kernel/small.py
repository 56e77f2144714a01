"""Tables of a run made by hand, without market and engine around them, and short names for what is given to them."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.kernel import loops
from engine.kernel.schema import OrderType, TimeInForce
from engine.kernel.state import BAR, DAY_FIRST, DAY_LAST, ENTRY_OK, EXIT_FIXED_RATIO, REAL
from engine.tables import Records, RunTables, empty_instruments

PRICES = (100.0, 110.0, 90.0, 105.0)
OUTPUTS = ("orders", "fills", "trades", "events", "calls")


def made_tables(
    bars: Sequence[tuple[float, float, float, float]] = (PRICES,) * 4, symbols: int = 1, cash: float = 1e9
) -> RunTables:
    """Tables before the first bar: every symbol has the same bars, one money per tick and lot, and one trading day."""
    table = np.zeros((len(bars), symbols), BAR)
    for t, bar in enumerate(bars):
        table[t] = np.array(bar, dtype=BAR)
    flags = np.full((len(bars), symbols), REAL | ENTRY_OK, np.uint8)
    flags[0] |= DAY_FIRST
    flags[-1] |= DAY_LAST
    instruments = empty_instruments(symbols)
    instruments["tick_money"] = 1.0
    return RunTables(table, flags, instruments, cash)


def place(
    tables: RunTables,
    kind: OrderType,
    side: int,
    lots: float = 1.0,
    *,
    symbol: int = 0,
    limit: float = math.nan,
    stop: float = math.nan,
    stop_loss: float = math.nan,
    take_profit: float = math.nan,
    tif: TimeInForce = TimeInForce.GTC,
    flags: int = 0,
) -> int:
    """Give an order, prices in ticks; returns its id."""
    return tables.call(
        loops.place_order, symbol, side, int(kind), int(tif), lots, limit, stop, stop_loss, take_profit, flags
    )


def written(tables: RunTables) -> dict[str, Records]:
    """A copy of every output row in use."""
    rows = {name: tables.rows(name).copy() for name in OUTPUTS}
    return {**rows, "equity": tables.equity.copy()}


def same_fields(first: Records, second: Records) -> bool:
    """Whether two tables agree in every byte of every column; what lies between the columns does not count."""
    return first.dtype == second.dtype and all(
        first[name].tobytes() == second[name].tobytes() for name in first.dtype.names or ()
    )


def random_orders(tables: RunTables, rng: np.random.Generator, count: int) -> None:
    """Resting orders of both sides and all types around the bars, half with a bracket, some large enough to reverse."""
    for _ in range(count):
        side, kind = int(rng.choice((-1, 1))), OrderType(int(rng.integers(0, 4)))
        limit, stop = (float(x) for x in rng.integers(88, 113, 2))
        entry = limit if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT) else stop
        near, far = (float(x) for x in rng.integers(1, 6, 2))
        bracket = rng.random() < 0.5 and kind is not OrderType.MARKET
        place(
            tables,
            kind,
            side,
            float(rng.choice((1.0, 2.0, 50.0))),
            symbol=int(rng.integers(len(tables.symbols))),
            limit=limit,
            stop=stop,
            stop_loss=entry - side * near if bracket else math.nan,
            take_profit=entry + side * far if bracket else math.nan,
            tif=TimeInForce(int(rng.choice((0, 0, 0, 1, 2)))),
            flags=int(rng.choice((0, 0, 0, 1))),
        )


def capacities(tables: RunTables) -> NDArray[np.int64]:
    """Rows that each growing table has room for."""
    return np.array([len(getattr(tables, name)) for name in OUTPUTS])


def with_base_bot(tables: RunTables, sides: Sequence[int], atr: float = 5.0, multiple: float = 2.0) -> None:
    """Give the kernel what the base bot decides by: a side per bar, one ATR for all bars, 1 % at risk, a fixed stop."""
    shape = tables.bars.shape
    tables.attach("sides_a", np.repeat(np.array(sides, np.int8)[:, None], shape[1], axis=1))
    tables.attach("atr_a", np.full(shape, atr))
    tables.attach("exit_atr_a", np.full(shape, atr))
    settings = {"risk_pct": 0.01, "max_margin_pct": 0.5, "max_daily_loss_pct": math.inf, "atr_multiple": multiple}
    for name, value in {**settings, "r_multiple": 2.0, "exit_kind": EXIT_FIXED_RATIO, "flatten_on": 1}.items():
        tables.account[name] = value


def play(tables: RunTables, bars: int = 1) -> None:
    """Whole bars with the base bot, from the one after the last that was begun."""
    for _ in range(bars):
        tables.call(loops.begin_bar, int(tables.account["bar"][0]) + 1)
        if "sides_a" in tables.attached:
            tables.call(loops.base_bar)
        tables.call(loops.end_bar)
