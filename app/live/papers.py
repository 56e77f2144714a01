"""How a paper account shows on charts and in tables: its trades and levels by the chart's own bars, its rows; no Qt."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.charts.levels import Level, LevelKind, MoveLevel, position_levels, resting_price
from app.charts.marks import TradeMarks
from app.charts.prices import MINUS, PriceFormat, number, quantity_text
from engine.actions import Action
from engine.kernel.schema import EventKind, OrderStatus, OrderType, Reason, Source
from engine.orders import Order
from engine.paper import PaperRun
from engine.views import utc

Row = tuple[str, ...]
Tone = Callable[[str, Row], str]
POSITIONS = ("Symbol", "Side", "Quantity", "Average", "Mark", "Unrealised", "Stop", "Target")
ORDERS = ("Id", "Symbol", "Side", "Quantity", "Type", "Limit", "Stop", "Status", "Why")
FILLS = ("Time", "Symbol", "Side", "Quantity", "Price", "Reason", "Realised")
WORDS = ("Symbol", "Side", "Time", "Type", "Status", "Why", "Reason")
MOST_FILLS = 500
WAITS = "waits for the bar's close"
# Events that tell of a change by hand.
_CHANGES = [
    int(kind)
    for kind in (EventKind.ORDER_MODIFIED, EventKind.ORDER_CANCELLED, EventKind.STOP_MOVED, EventKind.TARGET_MOVED)
]


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
    working = (line for order in orders if (line := _order_level(order)) is not None)
    return (*lines, *working, *_waiting_levels(run, symbol))


def _order_level(order: Order) -> Level | None:
    price = order.limit if resting_price(order.type, order.triggered) == "limit" else order.stop
    if price is None or order.side is None or order.type is OrderType.MARKET:
        return None
    words = f"{order.side.name} {quantity_text(order.quantity)} {order.type.name.replace('_', '-')}"
    return Level(key=str(order.id), kind=LevelKind.ORDER, price=price, text=words, draggable=not order.reduce_only)


def _waiting_levels(run: PaperRun, symbol: str) -> tuple[Level, ...]:
    """Levels given by hand while a bar is under way: where they will be, beside those that still act (S17.3)."""
    held = [one for one in run.held if one.get("symbol") == symbol]
    newest: dict[str, Action] = {str(one["type"]): one for one in held}
    found = []
    for name, key, kind in (("modify_stop", "sl", LevelKind.STOP), ("modify_target", "tp", LevelKind.TARGET)):
        price = newest.get(name, {}).get(key)
        if price is not None:
            found.append(Level(key=f"{name} waits", kind=kind, price=float(price), text=WAITS, draggable=True))
    for place, one in enumerate(held):
        price = one.get("limit" if one["type"] == "limit" else "stop")
        if "side" in one and price is not None:
            word = str(one["type"]).replace("_", "-").upper()
            words = f"{str(one['side']).upper()} {quantity_text(one['qty'])} {word}  {WAITS}"
            found.append(Level(key=f"{place} waits", kind=LevelKind.ORDER, price=float(price), text=words))
    return tuple(found)


def moved(wish: MoveLevel, run: PaperRun) -> Action | None:
    """The record of a dragged line: a stop, a target, or a working order's price; None where it is gone meanwhile."""
    if wish.kind is LevelKind.STOP:
        return {"type": "modify_stop", "symbol": wish.symbol, "sl": wish.price}
    if wish.kind is LevelKind.TARGET:
        return {"type": "modify_target", "symbol": wish.symbol, "tp": wish.price}
    order = next((one for one in run.engine.get_orders() if str(one.id) == wish.key), None)
    if order is None:
        return None
    return {"type": "modify_order", "id": order.id, resting_price(order.type, order.triggered): wish.price}


@dataclass(frozen=True, slots=True)
class Before:
    """How many orders, events and notes an account had when something was given by hand."""

    orders: int
    events: int
    notes: int

    @classmethod
    def of(cls, run: PaperRun) -> "Before":
        """As it is now."""
        tables = run.engine.tables
        return cls(tables.count("orders"), tables.count("events"), len(run.engine.notes))


def outcome(run: PaperRun, before: Before) -> tuple[str, str] | None:
    """What became of the newest order by hand since ``before``, in words and a tone; None while that is open.

    A change of a level or of a working order makes no order of its own: an event tells that it was done.
    """
    numbers = range(before.orders + 1, run.engine.tables.count("orders") + 1)
    given = [order for order in map(run.engine.order, numbers) if order.source is Source.MANUAL]
    if not given:
        return _change(run, before)
    order = given[-1]
    side = "" if order.side is None else f"{order.side.name} "
    words = f"{side}{quantity_text(order.quantity)} {order.symbol}"
    if order.status is OrderStatus.REJECTED:
        return f"Refused: {order.reason}", "down"
    if order.status is OrderStatus.FILLED:
        fills = run.engine.tables.rows("fills")
        price = float(fills["price"][fills["order"] == order.id][-1])
        scale = run.engine.scales[run.bars.symbols.index(order.symbol)]
        return f"Filled: {words} at {_price(run, order.symbol, scale.price(price))}.", ""
    if not order.working:
        return f"{order.status.name.capitalize()}: {words}. {order.reason}".rstrip(), "amber"
    if order.type is OrderType.MARKET:
        return None
    return f"Working: {words} {order.type.name.lower().replace('_', '-')}.", ""


def _change(run: PaperRun, before: Before) -> tuple[str, str]:
    """Whether a change by hand was done; the position or order may have gone while it waited for the bar's close."""
    if np.isin(run.engine.tables.rows("events")["kind"][before.events :], _CHANGES).any():
        return "Done.", ""
    refused = run.engine.notes[before.notes :]
    if refused:
        return f"Refused: {refused[-1]}", "down"
    return "Nothing has changed: it is gone meanwhile, or was so already.", "amber"


def position_rows(run: PaperRun) -> list[Row]:
    """Open positions."""
    rows: list[Row] = []
    for one in run.engine.get_positions():
        text = _form(run, one.symbol).text
        rows.append(
            (
                one.symbol,
                "L" if one.quantity > 0 else "S",
                quantity_text(abs(one.quantity)),
                text(one.average),
                text(one.mark),
                number(one.unrealised, 2, signed=True),
                "" if one.stop_loss is None else text(one.stop_loss),
                "" if one.take_profit is None else text(one.take_profit),
            )
        )
    return rows


def paper_tone(headings: Row) -> Tone:
    """Colours of these tables: gains and losses, sides, what waits."""

    def tone(heading: str, row: Row) -> str:
        text = row[headings.index(heading)]
        if heading in ("Unrealised", "Realised"):
            return "" if not text.strip("+0.,") else "down" if text.startswith(MINUS) else "up"
        if heading == "Side":
            return {"L": "accent", "BUY": "accent", "S": "violet", "SELL": "violet"}.get(text, "")
        return "amber" if text == "waits" else ""

    return tone


def _form(run: PaperRun, symbol: str) -> PriceFormat:
    return PriceFormat.for_tick(run.env.instrument(symbol).tick_size)


def order_rows(run: PaperRun) -> list[Row]:
    """Orders by hand that wait for the bar's close, then the working ones."""
    return [_waiting_row(run, one) for one in run.held] + [_order_row(run, one) for one in run.engine.get_orders()]


def _waiting_row(run: PaperRun, action: Action) -> Row:
    symbol = str(action.get("symbol", ""))
    limit, stop = (action.get(key) for key in ("limit", "stop"))
    level = action.get("sl", action.get("tp")) if str(action["type"]).startswith("modify_") else None
    return (
        "",
        symbol,
        str(action.get("side", "")).upper(),
        quantity_text(action["qty"]) if "qty" in action else "",
        _WORDS.get(str(action["type"]), str(action["type"]).replace("_", "-")),
        _price(run, symbol, limit),
        _price(run, symbol, stop if level is None else level),
        "waits",
        "for the bar's close; acts at the next open",
    )


# Changes by hand, as the table of orders names them.
_WORDS = {"modify_stop": "move stop", "modify_target": "move target", "modify_order": "change order"}


def _order_row(run: PaperRun, order: Order) -> Row:
    return (
        str(order.id),
        order.symbol,
        "" if order.side is None else order.side.name,
        quantity_text(order.quantity),
        order.type.name.lower().replace("_", "-"),
        _price(run, order.symbol, order.limit),
        _price(run, order.symbol, order.stop),
        "working" if order.working else order.status.name.lower(),
        order.reason,
    )


def fill_rows(run: PaperRun) -> list[Row]:
    """The newest fills first; times are UTC."""
    rows = run.engine.tables.rows("fills")[-MOST_FILLS:][::-1]
    times = run.engine.market.time_ns
    forms = [_form(run, symbol) for symbol in run.bars.symbols]
    return [
        (
            f"{utc(int(times[row['bar']])):%m-%d %H:%M}",
            run.bars.symbols[int(row["symbol"])],
            "BUY" if row["side"] > 0 else "SELL",
            quantity_text(run.engine.scales[int(row["symbol"])].quantity(float(row["lots"]))),
            forms[int(row["symbol"])].text(run.engine.scales[int(row["symbol"])].price(float(row["price"]))),
            Reason(int(row["reason"])).name.lower().replace("_", " "),
            number(float(row["realised"]), 2, signed=True),
        )
        for row in rows
    ]


def _price(run: PaperRun, symbol: str, price: float | None) -> str:
    if price is None:
        return ""
    return _form(run, symbol).text(price) if symbol in run.bars.symbols else f"{price:,.10g}"
