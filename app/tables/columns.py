"""Which columns the tables of trades, fills, orders and the log have, and what stands in a cell at the cursor."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.charts.cursor import PHASES, Cursor
from app.charts.prices import number, quantity_text
from app.replay.model import ReplayModel
from app.replay.rows import TimedRows
from engine.kernel.schema import EventKind, ExitReason, Gate, OrderStatus, OrderType, Phase, Reason, Source

Values = NDArray[Any]
Time = Callable[[int], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column.

    Attributes:
        title: its heading; chars: usual width; numeric: written with digits of one width, to the right.
        text: what stands in row ``i``; values: what the first ``n`` rows are sorted by.
        words: for filters: codes and names of the first ``n`` rows, None where it holds no words.
        tone: up, down, violet or muted for row ``i``; empty for plain text.
    """

    title: str
    chars: int
    text: Callable[[ReplayModel, int], str]
    values: Callable[[ReplayModel, int], Values]
    numeric: bool = False
    words: Callable[[ReplayModel, int], tuple[Values, tuple[str, ...]]] | None = None
    tone: Callable[[ReplayModel, int], str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableKind:
    """One table.

    Attributes:
        name: what menus call it; rows: its records; columns: from left to right.
        none: what is said while there are no rows.
        bar, phase: names of the fields that say where a row jumps to.
        changes: whether rows that are there say something else as the cursor moves.
    """

    name: str
    rows: Callable[[ReplayModel], TimedRows]
    columns: tuple[Column, ...]
    none: str
    bar: str = "bar"
    phase: str = "phase"
    changes: bool = False

    def count(self, model: ReplayModel) -> int:
        """Rows that are known at the cursor."""
        return self.rows(model).count(model.cursor)

    def place(self, model: ReplayModel, row: int) -> Cursor:
        """Where a row happened."""
        rows = self.rows(model)
        record = rows.rows[row]
        return Cursor(int(record[self.bar]), Phase(int(record[self.phase])) if self.phase else rows.at)


def _field(rows: Callable[[ReplayModel], TimedRows], name: str) -> Callable[[ReplayModel, int], Values]:
    def values(model: ReplayModel, count: int) -> Values:
        found: Values = rows(model).rows[name][:count]
        return found

    return values


def _number(
    rows: Callable[[ReplayModel], TimedRows],
    title: str,
    name: str,
    decimals: int = 2,
    chars: int = 10,
    signed: bool = False,
) -> Column:
    def text(model: ReplayModel, row: int) -> str:
        value = float(rows(model).rows[name][row])
        return "" if value != value else number(value, decimals, signed)

    def tone(model: ReplayModel, row: int) -> str:
        value = float(rows(model).rows[name][row])
        return "up" if value > 0 else "down" if value < 0 else ""

    return Column(
        title=title, chars=chars, text=text, values=_field(rows, name), numeric=True, tone=tone if signed else None
    )


def _count(rows: Callable[[ReplayModel], TimedRows], title: str, name: str, chars: int = 6) -> Column:
    return Column(
        title=title,
        chars=chars,
        text=lambda model, row: _told(rows(model).rows[name][row]),
        values=_field(rows, name),
        numeric=True,
    )


def _flag(rows: Callable[[ReplayModel], TimedRows], title: str, name: str, told: tuple[str, str], chars: int) -> Column:
    """A field that is 0 or 1; ``told``: what stands in the cell for 1, and the word that filters find it by."""
    return Column(
        title=title,
        chars=chars,
        text=lambda model, row: told[0] if rows(model).rows[name][row] else "",
        values=_field(rows, name),
        words=lambda model, count: (rows(model).rows[name][:count], ("", told[1])),
    )


def _told(value: Any) -> str:
    """A number of something, such as an order's, is written as it is; a quantity as quantities are."""
    return str(int(value)) if isinstance(value, np.integer) else quantity_text(float(value))


def _price(rows: Callable[[ReplayModel], TimedRows], title: str, name: str) -> Column:
    def text(model: ReplayModel, row: int) -> str:
        record = rows(model).rows[row]
        form = model.facts.forms[int(record["symbol"])]
        return form.text(float(record[name])) if record["symbol"] >= 0 else ""

    return Column(title=title, chars=9, text=text, values=_field(rows, name), numeric=True)


def _symbol(rows: Callable[[ReplayModel], TimedRows]) -> Column:
    def text(model: ReplayModel, row: int) -> str:
        column = int(rows(model).rows["symbol"][row])
        return model.facts.symbols[column] if column >= 0 else ""

    return Column(
        title="Symbol",
        chars=7,
        text=text,
        values=_field(rows, "symbol"),
        words=lambda model, count: (rows(model).rows["symbol"][:count], model.facts.symbols),
    )


def _word(rows: Callable[[ReplayModel], TimedRows], title: str, name: str, kind: type[Any], chars: int = 10) -> Column:
    names = tuple(member.name.lower().replace("_", " ") for member in kind)
    return Column(
        title=title,
        chars=chars,
        text=lambda model, row: names[int(rows(model).rows[name][row])],
        values=_field(rows, name),
        words=lambda model, count: (rows(model).rows[name][:count], names),
    )


def _side(rows: Callable[[ReplayModel], TimedRows], up: str, down: str) -> Column:
    def text(model: ReplayModel, row: int) -> str:
        side = int(rows(model).rows["side"][row])
        return up if side > 0 else down if side < 0 else ""

    return Column(
        title="Side",
        chars=6,
        text=text,
        values=_field(rows, "side"),
        words=lambda model, count: (rows(model).rows["side"][:count] + 1, (down, "", up)),
        tone=lambda model, row: "accent" if rows(model).rows["side"][row] > 0 else "violet",
    )


def _when(rows: Callable[[ReplayModel], TimedRows], title: str, bar: str, time: Time) -> Column:
    return Column(
        title=title,
        chars=16,
        text=lambda model, row: time(int(rows(model).rows[bar][row])),
        values=_field(rows, bar),
        numeric=True,
    )


def _trades(model: ReplayModel) -> TimedRows:
    return model.store.trades


def _fills(model: ReplayModel) -> TimedRows:
    return model.store.fills


def _orders(model: ReplayModel) -> TimedRows:
    return model.store.orders


def _events(model: ReplayModel) -> TimedRows:
    return model.store.events


def trades_table(time: Time) -> TableKind:
    """Closed trades, flat to flat (S8.8)."""
    r = Column(
        title="R",
        chars=6,
        text=lambda model, row: _r(float(model.store.trades.rows["r_multiple"][row])),
        values=_field(_trades, "r_multiple"),
        numeric=True,
        tone=lambda model, row: _tone(float(model.store.trades.rows["r_multiple"][row])),
    )
    held = Column(
        title="Bars",
        chars=5,
        text=lambda model, row: f"{_held(model.store.trades.rows[row : row + 1])[0]:,}",
        values=lambda model, count: _held(model.store.trades.rows[:count]),
        numeric=True,
    )
    ambiguous = _flag(_trades, "Path", "ambiguous", ("?", "ambiguous"), 6)
    columns = (
        _count(_trades, "#", "number", 6), _symbol(_trades), _side(_trades, "L long", "S short"),
        _count(_trades, "Qty", "max_lots", 4), _when(_trades, "Entry time", "entry_bar", time),
        _price(_trades, "Entry", "entry_price"), _price(_trades, "Exit", "exit_price"),
        _word(_trades, "Exit by", "exit_reason", ExitReason, 9), r, _number(_trades, "Net", "net", signed=True), held,
        _when(_trades, "Exit time", "exit_bar", time), _number(_trades, "MAE", "mae"),
        _number(_trades, "MFE", "mfe"), _number(_trades, "Costs", "commission"), ambiguous,
    )  # fmt: skip
    none = "No trade has been closed yet"
    return TableKind(name="Trades", rows=_trades, columns=columns, none=none, bar="exit_bar", phase="exit_phase")


def fills_table(time: Time) -> TableKind:
    """Every fill, in order."""
    columns = (
        _when(_fills, "Time", "bar", time), _word(_fills, "Phase", "phase", Phase, 9), _symbol(_fills),
        _side(_fills, "B buy", "S sell"), _count(_fills, "Qty", "lots"), _price(_fills, "Price", "price"),
        _price(_fills, "Base", "base_price"), _word(_fills, "Reason", "reason", Reason, 11),
        _word(_fills, "By", "source", Source, 7), _number(_fills, "Slippage", "slippage_cost"),
        _number(_fills, "Commission", "commission"), _number(_fills, "Realised", "realised", signed=True),
        _number(_fills, "Cash", "cash", chars=12), _count(_fills, "Position", "position", 8),
        _count(_fills, "Order", "order", 7),
    )  # fmt: skip
    return TableKind(name="Fills", rows=_fills, columns=columns, none="Nothing has filled yet")


def orders_table(time: Time) -> TableKind:
    """Every order, as it stands at the cursor."""
    status = Column(
        title="Status",
        chars=10,
        text=lambda model, row: model.orders.state(row, model.cursor).status.name.lower(),
        values=_known_status,
        words=lambda model, count: (_known_status(model, count), tuple(s.name.lower() for s in OrderStatus)),
    )
    reason = Column(
        title="Why",
        chars=44,
        text=lambda model, row: model.orders.state(row, model.cursor).reason,
        values=_field(_orders, "reject"),
    )
    columns = (
        _count(_orders, "Id", "id", 7), _when(_orders, "Given", "placed_bar", time), _symbol(_orders),
        _side(_orders, "B buy", "S sell"), _word(_orders, "Type", "type", OrderType), _count(_orders, "Qty", "lots"),
        _price(_orders, "Limit", "limit"), _price(_orders, "Stop", "stop"), _price(_orders, "SL", "stop_loss"),
        _price(_orders, "TP", "take_profit"), _word(_orders, "By", "source", Source, 7), status, reason,
    )  # fmt: skip
    return TableKind(
        name="Orders", rows=_orders, columns=columns, none="No order has been given yet", bar="placed_bar",
        phase="placed_phase", changes=True,
    )  # fmt: skip


def log_table(time: Time) -> TableKind:
    """Everything that happened, in order."""
    what = Column(title="What", chars=60, text=event_text, values=_field(_events, "ref"))
    columns = (
        _when(_events, "Time", "bar", time), _word(_events, "Phase", "phase", Phase, 9), _symbol(_events),
        _word(_events, "Kind", "kind", EventKind, 16), what,
    )  # fmt: skip
    return TableKind(name="Log", rows=_events, columns=columns, none="Nothing has happened yet")


def _choices(model: ReplayModel) -> TimedRows:
    return model.store.choices


def choices_table(time: Time) -> TableKind:
    """What learned exits chose, and what each multiple was worth to them (S12.3)."""

    def values(model: ReplayModel, row: int) -> str:
        record = model.store.choices.rows[row]
        told = [float(record[f"v{number_}"]) for number_ in range(8)]
        best = int(record["proposed"])
        return "  ".join(
            f"{'*' if place == best else ''}{number(value, 3)}" for place, value in enumerate(told) if value == value
        )

    values_column = Column(
        title="Values of the multiples (* best)", chars=60, text=values, values=_field(_choices, "v0")
    )
    gated = _flag(_choices, "Gate", "gated", ("fixed", "fixed"), 8)
    columns = (
        _when(_choices, "Time", "bar", time), _symbol(_choices), _side(_choices, "L long", "S short"),
        _count(_choices, "x ATR", "multiple", 7), _count(_choices, "Arm", "arm"), gated,
        _number(_choices, "Width", "width", 3, 8), _count(_choices, "Order", "order", 7), values_column,
    )  # fmt: skip
    none = "No choice yet: exits that learn choose a multiple of ATR at each entry"
    return TableKind(name="Choices", rows=_choices, columns=columns, none=none, phase="")


def _held(trades: Values) -> Values:
    held: Values = trades["exit_bar"] - trades["entry_bar"]
    return held


def _r(value: float) -> str:
    return "" if value != value else number(value, 2, signed=True)


def _tone(value: float) -> str:
    return "up" if value > 0 else "down" if value < 0 else ""


def _known_status(model: ReplayModel, count: int) -> Values:
    rows = model.store.orders.rows[:count]
    ended = rows["ended_bar"].astype(np.int64) * PHASES + rows["ended_phase"]
    working = (rows["ended_bar"] < 0) | (ended > model.cursor.ordinal)
    return np.where(working, np.int8(0), rows["status"])


_MOVES = {
    EventKind.STOP_MOVED: "stop",
    EventKind.TARGET_MOVED: "target",
    EventKind.BRACKET_STOP_MOVED: "stop",
    EventKind.BRACKET_TARGET_MOVED: "target",
}


def event_text(model: ReplayModel, row: int) -> str:
    """An event in words and figures."""
    event = model.store.events.rows[row]
    kind, reference, column = EventKind(int(event["kind"])), int(event["ref"]), int(event["symbol"])
    form = model.facts.forms[column] if column >= 0 else None
    if kind is EventKind.FILL:
        return _fill_text(model, reference)
    if kind in _MOVES and form is not None:
        old, new = form.text(float(event["b"])) or "none", form.text(float(event["a"])) or "none"
        return f"{f'order {reference}: ' if reference else ''}{_MOVES[kind]} {old} \N{RIGHTWARDS ARROW} {new}"
    if kind is EventKind.GATE:
        return f"entries: {Gate(int(event['a'])).name.lower().replace('_', ' ')}"
    if kind is EventKind.DECISION and form is not None:
        side = "buy" if event["a"] > 0 else "sell"
        return f"{side} {quantity_text(float(event['c']))}, stop {form.text(float(event['b']))}, order {reference}"
    if kind in (EventKind.TRADE_OPENED, EventKind.TRADE_CLOSED):
        net = f", net {number(float(event['a']), 2, signed=True)}" if kind is EventKind.TRADE_CLOSED else ""
        return f"trade {reference}{net}"
    if kind in (EventKind.MARGIN_CALL, EventKind.BANKRUPT):
        return f"equity {number(float(event['a']))}" if kind is EventKind.BANKRUPT else f"margin call {reference + 1}"
    reason = model.orders.reason(reference - 1) if kind in _WITH_REASON and reference > 0 else ""
    return f"order {reference}" + (f": {reason}" if reason else "")


_WITH_REASON = (EventKind.ORDER_REJECTED, EventKind.ORDER_CANCELLED, EventKind.ORDER_EXPIRED)


def _fill_text(model: ReplayModel, index: int) -> str:
    fill = model.store.fills.rows[index]
    side = "bought" if fill["side"] > 0 else "sold"
    form = model.facts.forms[int(fill["symbol"])]
    reason = Reason(int(fill["reason"])).name.lower().replace("_", " ")
    realised = float(fill["realised"])
    money = f", {number(realised, 2, signed=True)}" if realised else ""
    return f"{side} {quantity_text(float(fill['lots']))} @ {form.text(float(fill['price']))} ({reason}){money}"
