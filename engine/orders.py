"""What is said about orders: requests to the broker, orders as they stand, and why one was refused (rulebook S8)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from data.instruments import Instrument
from engine.kernel.schema import OrderStatus, OrderType, Phase, Reject, Source, TimeInForce

#: In a change of an order: the price is taken away, where None leaves it as it is.
NO_PRICE: Final = float("nan")


class Side(IntEnum):
    """Which way an order goes."""

    BUY = 1
    SELL = -1


_SIDES, _TYPES, _TIMES_IN_FORCE = frozenset(Side), frozenset(OrderType), frozenset(TimeInForce)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """An order to be placed; prices in price units, rounded against the trader on acceptance (S2.2).

    Attributes:
        quantity: contracts or shares, a whole number of lots.
        limit: for limit and stop-limit orders; stop: for stop and stop-limit orders.
        stop_loss, take_profit: levels that the position takes over when the order fills (S8.3).
        reduce_only: never opens or reverses (S8.1).

    Raises:
        ValueError: side, type or time in force is none that there is; prices and quantity are the broker's to refuse.
    """

    symbol: str
    side: Side
    quantity: float
    type: OrderType = OrderType.MARKET
    limit: float | None = None
    stop: float | None = None
    stop_loss: float | None = None
    take_profit: float | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    source: Source = Source.BOT

    def __post_init__(self) -> None:
        # The kernel takes numbers: one that stands for nothing would be booked as it is.
        if self.side not in _SIDES or self.type not in _TYPES or self.time_in_force not in _TIMES_IN_FORCE:
            raise ValueError(_no_such_word(self))


def _no_such_word(request: OrderRequest) -> str:
    """Which of a request's words is none, and what there is."""
    words = {"side": (_SIDES, Side), "type": (_TYPES, OrderType), "time_in_force": (_TIMES_IN_FORCE, TimeInForce)}
    name = next(name for name, (known, _) in words.items() if getattr(request, name) not in known)
    kind = words[name][1]
    choices = ", ".join(f"{kind.__name__}.{member.name}" for member in kind)
    return f"{name} {getattr(request, name)!r} of an order for {request.symbol} is none of {choices}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as it stands; prices rounded, in price units, None where there is none.

    Attributes:
        id: from 1, in the order in which orders were given, rejected ones included.
        side: None for a close that found no position.
        status: accepted while it works.
        reject: machine-readable reason of a rejection or cancellation; ``reason`` says it with the figures.
        placed_bar, ended_bar: master bars; ended_bar is None while it works.
        triggered: a stop-limit whose stop has been met.
    """

    id: int
    symbol: str
    side: Side | None
    type: OrderType
    quantity: float
    limit: float | None
    stop: float | None
    stop_loss: float | None
    take_profit: float | None
    time_in_force: TimeInForce
    reduce_only: bool
    status: OrderStatus
    reject: Reject
    reason: str
    source: Source
    placed_bar: int
    placed_phase: Phase
    ended_bar: int | None
    ended_phase: Phase | None
    triggered: bool

    @property
    def working(self) -> bool:
        """Whether it can still fill."""
        return self.status is OrderStatus.ACCEPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The figures of a refusal, in prices, quantities and money."""

    reject: Reject
    a: float = float("nan")
    b: float = float("nan")
    c: float = float("nan")


_PLAIN = {
    Reject.NONE: "",
    Reject.UNKNOWN_SYMBOL: "the run has no such symbol",
    Reject.PRICE_MISSING: "a limit, stop or level that this order needs is missing or not a finite number",
    Reject.FLAT: "there is no position on the other side to reduce",
    Reject.IOC_UNFILLED: "immediate-or-cancel: the first open did not fill it",
    Reject.BY_BOT: "cancelled by the bot",
    Reject.BY_HAND: "cancelled by hand",
    Reject.LIQUIDATED: "cancelled: the symbol was liquidated by a margin call",
    Reject.FLATTENED: "cancelled: flattened before the session's end",
    Reject.DAY_ENDED: "expired: its trading day ended",
}


def number_text(value: float) -> str:
    """A figure for people: thousands separated, no needless decimals."""
    return f"{value:,.10g}" if abs(value) < 1e6 else f"{value:,.2f}".rstrip("0").rstrip(".")


def reason_text(refusal: Refusal, side: Side | None, quantity: float, instrument: Instrument | None) -> str:
    """Why an order was rejected or ended without a fill, with the figures (S8.1)."""
    word = "close" if side is None else side.name.lower()
    verb = f"{word} {number_text(quantity)}"
    a, b, c = (number_text(value) for value in (refusal.a, refusal.b, refusal.c))
    if refusal.reject is Reject.MARGIN:
        least = f"largest affordable quantity is {c}" if refusal.c > 0 else "nothing is affordable"
        return f"{verb} needs {a} initial margin, free margin after costs is {b}; {least}"
    if refusal.reject is Reject.QUANTITY:
        step = number_text(instrument.lot_size) if instrument is not None else "1"
        return f"quantity {number_text(quantity)} is not a positive multiple of the lot step {step}"
    if refusal.reject is Reject.STOP_LOSS_SIDE:
        beyond = "below" if side is Side.BUY else "above"
        return f"stop loss {a} is not {beyond} the entry {b} of a {word}"
    if refusal.reject is Reject.TAKE_PROFIT_SIDE:
        beyond = "above" if side is Side.BUY else "below"
        return f"take profit {a} is not {beyond} the entry {b} of a {word}"
    if refusal.reject is Reject.BANKRUPT:
        return f"the account is bankrupt: equity {a}" if refusal.a == refusal.a else "the account is bankrupt"
    return _PLAIN[refusal.reject]
