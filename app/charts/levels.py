"""Which price lines a position and its orders draw, what their labels say, and what dragging one asks for."""

import math
from dataclasses import dataclass
from enum import Enum

from app.charts.cursor import Cursor
from app.charts.prices import number, quantity_text, r_multiple
from engine.kernel.schema import OrderType


class LevelKind(Enum):
    """What a price line stands for; the value is the word on its label."""

    ENTRY = "POS"
    STOP = "SL"
    TARGET = "TP"
    ORDER = "ORDER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """What a position risks and gains: turns a price into money and R.

    Attributes:
        average: average entry price.
        money_per_point: money that the position gains when price rises by 1.0 (negative for shorts).
        risk: initial risk in money, None without one (S8.8).
        currency: as the labels write it.
    """

    average: float
    money_per_point: float
    risk: float | None = None
    currency: str = "USD"

    def text(self, price: float) -> str:
        """Money and R at a price: ``-1,819 USD  -1.0 R``."""
        money = (price - self.average) * self.money_per_point
        words = f"{number(money, 0, signed=True)} {self.currency}"
        if self.risk is None or self.risk <= 0:
            return words
        return f"{words}  {r_multiple(money / self.risk)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One price line.

    Attributes:
        key: names it within its chart ("stop", "target", "entry", an order's id).
        kind: what it stands for.
        price: where it lies.
        text: words after the kind ("SHORT 2"); of an order, the words alone ("BUY 1 LIMIT").
        stake: turns the price into money and R, where that means something.
        draggable: whether it may be moved by hand.
    """

    key: str
    kind: LevelKind
    price: float
    text: str = ""
    stake: Stake | None = None
    draggable: bool = False

    def label(self, price: float | None = None) -> str:
        """The label's text, with the line where it is or, while it is dragged, at another price."""
        at = self.price if price is None else price
        words = [] if self.kind is LevelKind.ORDER and self.text else [self.kind.value]
        if self.text:
            words.append(self.text)
        if self.stake is not None and self.kind is not LevelKind.ENTRY:
            words.append(self.stake.text(at))
        return "  ".join(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveLevel:
    """The wish to move a line, as it was let go; the chart moves nothing itself.

    ``price`` lies on the tick grid; ``cursor`` is where the run stood.
    """

    symbol: str
    key: str
    kind: LevelKind
    old_price: float
    price: float
    cursor: Cursor


def resting_price(kind: OrderType, triggered: bool) -> str:
    """Which of an order's prices its line stands at, and a drag moves: of a stop-limit its stop until that was met."""
    return "limit" if kind is OrderType.LIMIT or triggered else "stop"


def position_levels(
    *,
    side: int,
    quantity: float,
    average: float,
    point_value: float,
    stop: float | None,
    target: float | None,
    initial_risk: float | None,
    currency: str = "USD",
) -> tuple[Level, ...]:
    """The lines of a position: average entry, stop loss, take profit.

    ``side`` is 1 (long) or -1, ``quantity`` positive; prices in price units, ``point_value`` in money (S1.2).
    """
    stake = Stake(average=average, money_per_point=side * quantity * point_value, risk=initial_risk, currency=currency)
    word = "LONG" if side > 0 else "SHORT"
    levels = [
        Level(key="entry", kind=LevelKind.ENTRY, price=average, text=f"{word} {quantity_text(quantity)}", stake=stake)
    ]
    for key, kind, price in (("stop", LevelKind.STOP, stop), ("target", LevelKind.TARGET, target)):
        if price is not None and math.isfinite(price):
            levels.append(Level(key=key, kind=kind, price=price, stake=stake, draggable=True))
    return tuple(levels)
