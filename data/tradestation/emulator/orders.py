"""What an order of the emulated account is, and how it is written: everything of substance stands in its legs."""

from dataclasses import dataclass, field
from typing import Any

from data.tradestation.bars import format_time
from data.tradestation.emulator.jsonbars import number

ALIVE = frozenset({"ACK", "DON", "OPN", "OSO", "FPR", "STP", "UCN", "RPD"})
TYPES = frozenset({"Market", "Limit", "StopMarket", "StopLimit"})
ACTIONS = {"BUY": "Buy", "SELL": "Sell", "BUYTOCOVER": "BuyToCover", "SELLSHORT": "SellShort"}
DESCRIPTIONS = {
    "ACK": "Received",
    "DON": "Queued",
    "OPN": "Sent",
    "OSO": "OSO Order",
    "FPR": "Partial Fill (Alive)",
    "STP": "Stop Hit",
    "UCN": "Cancel Sent",
    "RPD": "Replace Pending",
    "LAT": "Too Late to Cancel",
    "OUT": "UROut",
    "UCH": "Replaced",
    "REJ": "Rejected",
    "FLL": "Filled",
    "EXP": "Expired",
}


@dataclass(slots=True, kw_only=True)
class BookOrder:
    """One order; quantities are whole, ``children`` wait for its fill, ``siblings`` share its fate."""

    order_id: str
    account: str
    symbol: str
    asset_type: str
    action: str
    kind: str
    quantity: int
    limit: float | None
    stop: float | None
    duration: str
    opened_ns: int
    status: str = "ACK"
    executed: int = 0
    fill_price: float = 0.0
    closed_ns: int | None = None
    reject_reason: str = ""
    group: str = ""
    relation: str = "NORMAL"
    parent: str | None = None
    children: list[str] = field(default_factory=list)
    siblings: list[str] = field(default_factory=list)
    busy: bool = False

    @property
    def alive(self) -> bool:
        """Whether it may still fill."""
        return self.status in ALIVE

    @property
    def sign(self) -> int:
        """+1 for buys, -1 for sells."""
        return 1 if self.action.startswith("Buy") else -1

    def reached(self, price: float) -> bool:
        """Whether ``price`` triggers or fills it."""
        if self.kind == "Market":
            return True
        if self.kind == "Limit":
            return (price - (self.limit or 0.0)) * self.sign <= 0
        return (price - (self.stop or 0.0)) * self.sign >= 0


def order_row(order: BookOrder) -> dict[str, Any]:
    """The order as the service writes it."""
    row: dict[str, Any] = {
        "AccountID": order.account,
        "OrderID": order.order_id,
        "OrderType": order.kind,
        "Status": order.status,
        "StatusDescription": DESCRIPTIONS[order.status],
        "OpenedDateTime": format_time(order.opened_ns),
        "Duration": order.duration,
        "FilledPrice": "0" if order.status == "STP" else number(order.fill_price),
        "CommissionFee": "0",
        "Currency": "USD",
        "PriceUsedForBuyingPower": number(order.limit or order.stop or order.fill_price),
        "Routing": "CME" if order.asset_type == "FUTURE" else "Intelligent",
        "UnbundledRouteFee": "0",
        "Legs": [_leg(order)],
    }
    optional: dict[str, Any] = {
        "LimitPrice": None if order.limit is None else number(order.limit),
        "StopPrice": None if order.stop is None else number(order.stop),
        "ClosedDateTime": None if order.closed_ns is None else format_time(order.closed_ns),
        "RejectReason": order.reject_reason or None,
        "GroupName": order.group or None,
        "ConditionalOrders": _relations(order) or None,
    }
    return row | {key: value for key, value in optional.items() if value is not None}


def _leg(order: BookOrder) -> dict[str, Any]:
    leg: dict[str, Any] = {
        "Symbol": order.symbol,
        "AssetType": order.asset_type,
        "BuyOrSell": order.action,
        "OpenOrClose": "Close" if order.relation == "BRK" else "Open",
        "QuantityOrdered": str(order.quantity),
        "ExecQuantity": str(order.executed),
        "QuantityRemaining": str(order.quantity - order.executed if order.alive else 0),
    }
    return leg | ({"ExecutionPrice": number(order.fill_price)} if order.executed else {})


def _relations(order: BookOrder) -> list[dict[str, str]]:
    rows = [{"Relationship": order.relation, "OrderID": other} for other in order.siblings]
    rows += [{"Relationship": "OSO", "OrderID": child} for child in order.children]
    return rows + ([{"Relationship": "OSP", "OrderID": order.parent}] if order.parent else [])
