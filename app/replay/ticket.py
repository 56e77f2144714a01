"""What an order ticket comes to before it is sent: levels, size, risk, R and margin, and why it would be refused."""

import math
from dataclasses import dataclass
from enum import Enum

from app.replay.facts import Contract
from app.replay.model import ReplayModel
from engine.actions import Action
from engine.kernel.schema import OrderType, Phase, Reject
from engine.orders import Refusal, Side, reason_text

TOLERANCE = 1e-6  # of a tick or lot (S2.1)


class Unit(Enum):
    """How a stop or target is given."""

    NONE = "none"
    PRICE = "price"
    TICKS = "ticks"
    ATR = "ATR"
    MONEY = "money"


@dataclass(frozen=True, slots=True)
class Distance:
    """A protective level as it is given: a price, or a distance from the entry."""

    unit: Unit = Unit.NONE
    value: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """An order as it is written.

    Attributes:
        side: 1 buy, -1 sell; quantity: None where ``risk`` (a fraction of equity) gives it.
    """

    column: int
    side: int
    type: OrderType = OrderType.MARKET
    quantity: float | None = 1.0
    risk: float = 0.01
    limit: float | None = None
    stop: float | None = None
    stop_loss: Distance = Distance()
    take_profit: Distance = Distance()
    time_in_force: str = "gtc"
    reduce_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a ticket comes to.

    Attributes:
        entry: price at which it is reckoned; stop, target: rounded levels, None without.
        quantity: contracts; risk: money lost at the stop with costs; risk_share: of equity.
        reward: in units of the risk; margin: what it needs, available: what there is.
        refusal: why it would be refused, empty where it would not; record: what would be recorded.
    """

    entry: float
    stop: float | None
    target: float | None
    quantity: float
    risk: float | None
    risk_share: float | None
    reward: float | None
    margin: float
    available: float
    refusal: str
    record: Action


def estimate(model: ReplayModel, ticket: Ticket) -> Estimate:
    """Reckon a ticket at the cursor with the rules that the simulator applies (S2.2, S8.2, S8.4, S11.4)."""
    contract = model.facts.contracts[ticket.column]
    limit, stop_price = _rounded_terms(ticket, contract)
    entry = _entry(model, ticket, limit, stop_price)
    stop = _level(model, ticket, entry, ticket.stop_loss, -1)
    target = _level(model, ticket, entry, ticket.take_profit, 1)
    quantity = _quantity(model, ticket, entry, stop, target)
    stop, target = (_money_level(level, ticket, contract, entry, quantity, sign, given) for level, given, sign in (
        (stop, ticket.stop_loss, -1), (target, ticket.take_profit, 1)
    ))  # fmt: skip
    risk = None if stop is None else _risk(contract, entry, stop, quantity)
    margin, available = _margin(model, ticket, entry, quantity)
    refusal = _refusal(ticket, contract, entry, stop, target, quantity, limit, stop_price, margin, available)
    equity = model.account.equity
    reward = None
    if stop is not None and target is not None and entry != stop:
        reward = abs(target - entry) / abs(entry - stop)
    return Estimate(
        entry=entry,
        stop=stop,
        target=target,
        quantity=quantity,
        risk=risk,
        risk_share=None if risk is None or equity <= 0 else risk / equity,
        reward=reward,
        margin=margin,
        available=available,
        refusal=refusal,
        record=_record(model, ticket, quantity, limit, stop_price, stop, target),
    )


def rounded(price: float, tick: float, up: bool) -> float:
    """A price on the tick grid, up or down, with the grid's tolerance (S2.1)."""
    ticks = price / tick
    nearest = round(ticks)
    if abs(ticks - nearest) > TOLERANCE:
        nearest = math.ceil(ticks) if up else math.floor(ticks)
    return round(nearest * tick, 10) + 0.0


def _rounded_terms(ticket: Ticket, contract: Contract) -> tuple[float | None, float | None]:
    """Limit and stop against the trader: buy limits down, buy stops up (S2.2)."""
    tick, buy = contract.facts.tick_size, ticket.side > 0
    needs_limit = ticket.type in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    needs_stop = ticket.type in (OrderType.STOP, OrderType.STOP_LIMIT)
    limit = rounded(ticket.limit, tick, not buy) if needs_limit and ticket.limit is not None else None
    stop = rounded(ticket.stop, tick, buy) if needs_stop and ticket.stop is not None else None
    return limit, stop


def _entry(model: ReplayModel, ticket: Ticket, limit: float | None, stop: float | None) -> float:
    """The price that levels are measured from: the order's own, or the mark of a market order (S8.2)."""
    own = limit if ticket.type in (OrderType.LIMIT, OrderType.STOP_LIMIT) else stop
    return model.facts.mark(ticket.column, model.cursor) if own is None else own


def known_atr(model: ReplayModel, column: int, period: int = 14) -> float:
    """ATR of the last bar that has closed at the cursor, in price; NaN until it is warm."""
    bar = model.cursor.known(Phase.CLOSE) - 1
    return float(model.facts.market.indicator("atr", period=period)[bar, column]) if bar >= 0 else math.nan


def _level(model: ReplayModel, ticket: Ticket, entry: float, given: Distance, sign: int) -> float | None:
    """A protective level that does not depend on the quantity; rounded as a stop or limit of the other side."""
    contract = model.facts.contracts[ticket.column]
    tick = contract.facts.tick_size
    if given.unit in (Unit.NONE, Unit.MONEY):
        return None
    if given.unit is Unit.PRICE:
        price = given.value
    else:
        step = tick if given.unit is Unit.TICKS else known_atr(model, ticket.column)
        price = entry + sign * ticket.side * given.value * step
    if not math.isfinite(price):
        return None
    # A long's stop is a sell stop (down), its target a sell limit (up); a short's the other way round.
    return rounded(price, tick, (sign > 0) == (ticket.side > 0))


def _money_level(
    level: float | None,
    ticket: Ticket,
    contract: Contract,
    entry: float,
    quantity: float,
    sign: int,
    given: Distance,
) -> float | None:
    """A level given in money, once the quantity is known."""
    if given.unit is not Unit.MONEY or quantity <= 0:
        return level
    price = entry + sign * ticket.side * given.value / (contract.money * quantity)
    return rounded(price, contract.facts.tick_size, (sign > 0) == (ticket.side > 0))


def _quantity(model: ReplayModel, ticket: Ticket, entry: float, stop: float | None, target: float | None) -> float:
    """As given, or what the risk buys: budget by risk per contract, whole lots (S11.4)."""
    if ticket.quantity is not None:
        return ticket.quantity
    contract = model.facts.contracts[ticket.column]
    if stop is None or stop == entry:
        return 0.0
    budget = model.account.equity * ticket.risk - 2 * contract.fee
    each = _risk(contract, entry, stop, 1.0) - 2 * contract.fee
    lot = contract.facts.lot_size
    return math.floor(max(budget, 0.0) / each / lot + TOLERANCE) * lot


def _risk(contract: Contract, entry: float, stop: float, quantity: float) -> float:
    """Money lost from the entry to the stop: slippage and costs of both fills included."""
    facts = contract.facts
    slip = facts.slippage_ticks * facts.tick_size if facts.slippage_ticks is not None else 0.0
    slip += (facts.slippage_pct or 0.0) * abs(entry)
    return (abs(entry - stop) + 2 * slip) * contract.money * quantity + 2 * contract.costs(quantity)


def _margin(model: ReplayModel, ticket: Ticket, entry: float, quantity: float) -> tuple[float, float]:
    """Initial margin of what would be opened, and what is available for it (S8.4)."""
    contract, account = model.facts.contracts[ticket.column], model.account
    position = model.position(ticket.column)
    held = 0.0 if position is None else position.quantity
    closing = min(abs(held), quantity) if held * ticket.side < 0 else 0.0
    opening = 0.0 if ticket.reduce_only else quantity - closing
    mark = model.facts.mark(ticket.column, model.cursor)
    released = contract.initial_margin(closing, mark)
    available = account.equity - account.used_margin + released - contract.costs(quantity)
    return contract.initial_margin(opening, entry), available


def _refusal(
    ticket: Ticket,
    contract: Contract,
    entry: float,
    stop: float | None,
    target: float | None,
    quantity: float,
    limit: float | None,
    stop_price: float | None,
    margin: float,
    available: float,
) -> str:
    """The broker's own words for what it would refuse (S8.2, S8.4)."""
    side, facts = Side(ticket.side), contract.facts
    lots = quantity / facts.lot_size
    missing = (ticket.type in (OrderType.LIMIT, OrderType.STOP_LIMIT) and limit is None) or (
        ticket.type in (OrderType.STOP, OrderType.STOP_LIMIT) and stop_price is None
    )
    found = Refusal(reject=Reject.NONE)
    if ticket.quantity is None and quantity <= 0:
        return "the risk buys less than one lot" if stop is not None else "risk percent needs a stop loss"
    if not math.isfinite(quantity) or quantity <= 0 or abs(lots - round(lots)) > TOLERANCE:
        found = Refusal(reject=Reject.QUANTITY, a=quantity, b=facts.lot_size)
    elif missing or not math.isfinite(entry):
        found = Refusal(reject=Reject.PRICE_MISSING)
    elif stop is not None and (entry - stop) * ticket.side <= 0:
        found = Refusal(reject=Reject.STOP_LOSS_SIDE, a=stop, b=entry)
    elif target is not None and (target - entry) * ticket.side <= 0:
        found = Refusal(reject=Reject.TAKE_PROFIT_SIDE, a=target, b=entry)
    elif margin > 0 and margin > available:
        each = contract.initial_margin(facts.lot_size, entry) + contract.commission * facts.lot_size
        most = math.floor(max(available + contract.costs(quantity) - contract.fee, 0.0) / each) * facts.lot_size
        found = Refusal(reject=Reject.MARGIN, a=margin, b=available, c=most)
    return reason_text(found, side, quantity, facts)


def _record(
    model: ReplayModel,
    ticket: Ticket,
    quantity: float,
    limit: float | None,
    stop_price: float | None,
    stop: float | None,
    target: float | None,
) -> Action:
    """The record of the order; what it does not carry is left out."""
    optional = {"limit": limit, "stop": stop_price, "sl": stop, "tp": target}
    return {
        "type": ticket.type.name.lower(),
        "symbol": model.facts.symbols[ticket.column],
        "side": "buy" if ticket.side > 0 else "sell",
        "qty": quantity,
        "tif": ticket.time_in_force,
        **({"reduce_only": True} if ticket.reduce_only else {}),
        **{key: value for key, value in optional.items() if value is not None},
    }
