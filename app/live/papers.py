"""How a paper account shows on charts and in tables: its trades and levels by the chart's own bars, its rows; no Qt."""

import numpy as np
from numpy.typing import NDArray

from app.charts.levels import Level, LevelKind, position_levels
from app.charts.marks import TradeMarks
from app.charts.prices import number
from engine.kernel.schema import Reason
from engine.orders import Order
from engine.paper import PaperRun
from engine.views import utc

Row = tuple[str, ...]
POSITIONS = ("Symbol", "Side", "Quantity", "Average", "Mark", "Unrealised", "Stop", "Target")
ORDERS = ("Id", "Symbol", "Side", "Quantity", "Type", "Limit", "Stop", "Status", "Why")
FILLS = ("Time", "Symbol", "Side", "Quantity", "Price", "Reason", "Realised")
MOST_FILLS = 500


def trade_marks(run: PaperRun, symbol: str, times: NDArray[np.int64]) -> TradeMarks:
    """Entries and exits of a symbol, placed on the bars of its chart that opened at ``times``."""
    column = run.bars.symbols.index(symbol)
    tables, scale = run.engine.tables, run.engine.scales[column]
    fills = tables.rows("fills")
    fills = fills[fills["symbol"] == column]
    held = fills["position"]
    before = np.concatenate(([0.0], held[:-1]))
    turns = before * held <= 0.0
    entry, leave = fills[(held != 0.0) & turns], fills[(before != 0.0) & turns]
    trades = tables.rows("trades")
    net = trades["net"][trades["symbol"] == column]
    count, ended = len(entry), len(leave)
    exit_bar, exit_phase = np.full(count, -1, np.int64), np.zeros(count, np.int64)
    price, result = np.full(count, np.nan), np.full(count, np.nan)
    exit_bar[:ended] = _places(run, column, leave["bar"], times)
    exit_phase[:ended] = leave["phase"]
    price[:ended], result[: len(net)] = [scale.price(each) for each in leave["price"].tolist()], net[:count]
    return TradeMarks(
        entry_bar=_places(run, column, entry["bar"], times),
        entry_phase=entry["phase"].astype(np.int64),
        entry_price=np.array([scale.price(each) for each in entry["price"].tolist()], np.float64),
        exit_bar=exit_bar,
        exit_phase=exit_phase,
        exit_price=price,
        side=np.sign(entry["position"]).astype(np.int64),
        net=result,
    )


def _places(run: PaperRun, column: int, bars: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Master bars as bars of the chart: by the opening time of the symbol's own bar."""
    own = run.bars.own_times(column)[np.asarray(bars, np.int64)]
    return np.maximum(np.searchsorted(times, own, side="right") - 1, 0).astype(np.int64)


def levels(run: PaperRun, symbol: str) -> tuple[Level, ...]:
    """Price lines of the position and of working orders."""
    position = run.engine.position(symbol)
    lines: tuple[Level, ...] = ()
    if position is not None:
        facts = run.env.instrument(symbol)
        lines = position_levels(
            side=1 if position.quantity > 0 else -1,
            quantity=abs(position.quantity),
            average=position.average,
            point_value=facts.point_value,
            stop=position.stop_loss,
            target=position.take_profit,
            initial_risk=position.initial_risk,
            currency=facts.currency,
        )
    orders = (order for order in run.engine.get_orders() if order.symbol == symbol)
    return (*lines, *(line for order in orders if (line := _order_level(order)) is not None))


def _order_level(order: Order) -> Level | None:
    price = order.limit if order.limit is not None else order.stop
    if price is None or order.side is None:
        return None
    words = f"{order.side.name} {order.quantity:g} {order.type.name.replace('_', '-')}"
    return Level(key=str(order.id), kind=LevelKind.ORDER, price=price, text=words)


def position_rows(run: PaperRun) -> list[Row]:
    """Open positions."""
    return [
        (
            one.symbol,
            "L" if one.quantity > 0 else "S",
            f"{abs(one.quantity):g}",
            f"{one.average:,.10g}",
            f"{one.mark:,.10g}",
            number(one.unrealised, 2, signed=True),
            _price(one.stop_loss),
            _price(one.take_profit),
        )
        for one in run.engine.get_positions()
    ]


def order_rows(run: PaperRun) -> list[Row]:
    """Orders by hand that wait for the bar's close, then the working ones."""
    waiting: list[Row] = [
        (
            "",
            str(one["symbol"]),
            str(one.get("side", "")).upper(),
            str(one.get("qty", "")),
            str(one["type"]),
            "",
            "",
            "waits",
            "for the bar's close; fills at the next open",
        )
        for one in run.held
    ]
    return waiting + [_order_row(order) for order in run.engine.get_orders()]


def _order_row(order: Order) -> Row:
    return (
        str(order.id),
        order.symbol,
        "" if order.side is None else order.side.name,
        f"{order.quantity:g}",
        order.type.name.lower(),
        _price(order.limit),
        _price(order.stop),
        order.status.name.lower(),
        order.reason,
    )


def fill_rows(run: PaperRun) -> list[Row]:
    """The newest fills first."""
    rows = run.engine.tables.rows("fills")[-MOST_FILLS:][::-1]
    times = run.engine.market.time_ns
    return [
        (
            f"{utc(int(times[row['bar']])):%m-%d %H:%M}",
            run.bars.symbols[int(row["symbol"])],
            "BUY" if row["side"] > 0 else "SELL",
            f"{run.engine.scales[int(row['symbol'])].quantity(float(row['lots'])):g}",
            f"{run.engine.scales[int(row['symbol'])].price(float(row['price'])):,.10g}",
            Reason(int(row["reason"])).name.lower(),
            number(float(row["realised"]), 2, signed=True),
        )
        for row in rows
    ]


def _price(value: float | None) -> str:
    return "" if value is None else f"{value:,.10g}"
