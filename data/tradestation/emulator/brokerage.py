"""How the emulator's accounts are spoken to: orders in, snapshots and streams out."""

import re
from dataclasses import replace
from typing import Any

from data.tradestation.bars import parse_time
from data.tradestation.emulator.barstream import Host, Pulse
from data.tradestation.emulator.book import Book
from data.tradestation.emulator.exchange import Exchange, Refusal, Request
from data.tradestation.emulator.jsonbars import number
from data.tradestation.emulator.limits import Windows
from data.tradestation.emulator.orders import ACTIONS, TYPES, BookOrder

BROKERAGE = "application/vnd.tradestation.streams.v3+json"
MOST_ACCOUNTS = 25
MOST_ORDERS = 50
OLDEST_DAYS = 90
# Ways on which orders travel, and what may trigger one, as the service lists them.
ROUTES = (("CME", "CME Globex", ("FUTURE",)), ("Intelligent", "Intelligent", ("STOCK", "STOCKOPTION")))
TRIGGERS = (
    ("STT", "Single Trade Tick"), ("STTN", "Single Trade Tick Within NBBO"), ("SBA", "Single Bid/Ask Tick"),
    ("SAB", "Single Ask/Bid Tick"), ("DTT", "Double Trade Tick"), ("DTTN", "Double Trade Tick Within NBBO"),
    ("DBA", "Double Bid/Ask Tick"), ("DAB", "Double Ask/Bid Tick"), ("TTT", "Twice Trade Tick"),
    ("TTTN", "Twice Trade Tick Within NBBO"), ("TBA", "Twice Bid/Ask Tick"), ("TAB", "Twice Ask/Bid Tick"),
)  # fmt: skip


class OrderRefusedError(Exception):
    """The order does not enter the book; the text says why."""


class Brokerage:
    """The brokerage and order-execution addresses."""

    def __init__(self, host: Host, book: Book, windows: Windows) -> None:
        self._host = host
        self._book = book
        self._windows = windows
        self._confirmed: set[str] = set()

    # ------------------------------------------------------------------------------------------- views

    def accounts(self, *_: object) -> Any:
        """``GET /brokerage/accounts``."""
        return {"Accounts": [self._account(name) for name in self._book.habits.accounts]}

    def _account(self, name: str) -> dict[str, Any]:
        futures = name.endswith("F")
        row = {
            "AccountID": name,
            "AccountType": "Futures" if futures else "Margin",
            "Currency": "USD",
            "Status": "Active",
        }
        detail = {"IsStockLocateEligible": False, "DayTradingQualified": True, "OptionApprovalLevel": 0}
        return row if futures else row | {"AccountDetail": detail}

    def balances(self, _: Request, __: Exchange, names: str) -> Any:
        """``GET .../balances``; figures are strings."""
        known, errors = self._known(names)
        cash = number(self._book.habits.cash)
        rows = [
            {
                "AccountID": name,
                "AccountType": self._account(name)["AccountType"],
                "CashBalance": cash,
                "BuyingPower": cash,
                "Equity": cash,
                "MarketValue": "0",
                "TodaysProfitLoss": "0",
                "BalanceDetail": {"RealizedProfitLoss": "0", "UnrealizedProfitLoss": "0"},
            }
            for name in known
        ]
        return {"Balances": rows, "Errors": errors}

    def day_balances(self, _: Request, __: Exchange, names: str) -> Any:
        """``GET .../bodbalances``: as they stood when the day began."""
        known, errors = self._known(names)
        cash = number(self._book.habits.cash)
        rows = [
            {
                "AccountID": name,
                "AccountType": self._account(name)["AccountType"],
                "BalanceDetail": {"AccountBalance": cash, "CashAvailableToWithdraw": cash, "OpenTradeEquity": "0"},
                "CurrencyDetails": [{"Currency": "USD", "AccountOpenTradeEquity": "0", "CashBalance": cash}],
            }
            for name in known
        ]
        return {"BODBalances": rows, "Errors": errors}

    def positions(self, _: Request, __: Exchange, names: str) -> Any:
        """``GET .../positions``."""
        known, errors = self._known(names)
        self._book.advance()
        return {"Positions": self._book.positions(known), "Errors": errors}

    def orders(self, request: Request, _: Exchange, names: str) -> Any:
        """``GET .../orders``, newest first, in pages."""
        known, errors = self._known(names)
        self._book.advance()
        return self._page(request, self._book.orders(known), errors)

    def historical_orders(self, request: Request, _: Exchange, names: str) -> Any:
        """``GET .../historicalorders?since=``: orders that are over, 90 days back at most."""
        known, errors = self._known(names)
        self._book.advance()
        try:
            since_ns = parse_time(f"{request.query.get('since', '')[:10]}T00:00:00Z")
        except ValueError:
            raise Refusal(400, "since is needed, as YYYY-MM-DD") from None
        if self._host.now_ns() - since_ns > (OLDEST_DAYS + 1) * 86_400 * 10**9:
            raise Refusal(400, f"since: at most {OLDEST_DAYS} days back")
        return self._page(request, self._book.ended(known, since_ns), errors)

    def orders_by_id(self, _: Request, __: Exchange, names: str, ids: str) -> Any:
        """``GET .../orders/{ids}``: 1 to 50 of them."""
        known, errors = self._known(names)
        self._book.advance()
        rows = {row["OrderID"]: row for row in self._book.orders(known)}
        wanted = order_ids(ids)
        missing = [{"OrderID": i, "Error": "NotFound", "Message": "unknown order"} for i in wanted if i not in rows]
        return {"Orders": [rows[i] for i in wanted if i in rows], "Errors": [*errors, *missing]}

    def _page(self, request: Request, rows: list[dict[str, Any]], errors: list[dict[str, str]]) -> Any:
        size = int(request.query.get("pagesize", "600"))
        start = int(request.query.get("nexttoken", "0"))
        answer: dict[str, Any] = {"Orders": rows[start : start + size], "Errors": errors}
        return answer | ({"NextToken": str(start + size)} if start + size < len(rows) else {})

    def _known(self, names: str) -> tuple[list[str], list[dict[str, str]]]:
        asked = [name for name in names.split(",") if name]
        if not 1 <= len(asked) <= MOST_ACCOUNTS:
            raise Refusal(400, f"{len(asked)} accounts; 1 to {MOST_ACCOUNTS} are allowed")
        mine = self._book.habits.accounts
        errors = [{"AccountID": n, "Error": "NotFound", "Message": "unknown account"} for n in asked if n not in mine]
        return [name for name in asked if name in mine], errors

    # ----------------------------------------------------------------------------------------- actions

    def place(self, request: Request, *_: object) -> Any:
        """``POST /orderexecution/orders``: 200 also where the order is refused."""
        try:
            orders = self._entered(request.body or {})
        except OrderRefusedError as refused:
            failed = {"Error": "FAILED", "Message": f"Order failed. Reason: {refused}", "OrderID": ""}
            return {"Orders": [], "Errors": [failed]}
        return {"Orders": [_sent(order) for order in orders]}

    def confirm(self, request: Request, *_: object) -> Any:
        """``POST /orderexecution/orderconfirm``: nothing is placed."""
        try:
            order = self._checked(request.body or {})
        except OrderRefusedError as refused:
            raise Refusal(400, str(refused)) from refused
        summary = f"{order.action} {order.quantity} {order.symbol} @ {order.kind}"
        return {
            "Confirmations": [
                {
                    "AccountID": order.account,
                    "OrderAssetCategory": order.asset_type,
                    "Currency": "USD",
                    "EstimatedPrice": number(order.limit or order.stop or 0.0),
                    "EstimatedCommission": "0",
                    "SummaryMessage": summary,
                }
            ]
        }

    def place_group(self, request: Request, *_: object) -> Any:
        """``POST /orderexecution/ordergroups``: OCO, BRK or NORMAL."""
        body = request.body or {}
        kind = str(body.get("Type", "NORMAL")).upper()
        try:
            orders = [order for part in body.get("Orders") or [] for order in self._entered(part)[:1]]
            if kind == "BRK" and len({(order.symbol, order.action) for order in orders}) != 1:
                raise OrderRefusedError("a bracket needs one symbol and one side")
        except OrderRefusedError as refused:
            return {"Orders": [], "Errors": [{"Error": "FAILED", "Message": str(refused), "OrderID": ""}]}
        _link(orders, kind)
        return {"Orders": [_sent(order) for order in orders]}

    def confirm_group(self, request: Request, exchange: Exchange) -> Any:
        """``POST /orderexecution/ordergroupconfirm``: nothing is placed."""
        body = request.body or {}
        parts = [replace(request, body=part) for part in body.get("Orders") or []]
        rows = [self.confirm(part, exchange)["Confirmations"][0] for part in parts]
        return {"Confirmations": rows}

    def routes(self, *_: object) -> Any:
        """``GET /orderexecution/routes``."""
        return {"Routes": [{"Id": key, "Name": name, "AssetTypes": list(kinds)} for key, name, kinds in ROUTES]}

    def triggers(self, *_: object) -> Any:
        """``GET /orderexecution/activationtriggers``."""
        return {"ActivationTriggers": [{"Key": key, "Name": name, "Description": name} for key, name in TRIGGERS]}

    def replace(self, request: Request, _: Exchange, order_id: str) -> Any:
        """``PUT /orderexecution/orders/{id}``."""
        order = self._alive(order_id)
        body = request.body or {}
        quantity = int(body.get("Quantity") or order.quantity)
        limit = _price(body.get("LimitPrice"), order.limit)
        stop = _price(body.get("StopPrice"), order.stop)
        new_id = self._book.replace(order, quantity, limit, stop)
        return {"Message": "Cancel/Replace order sent.", "OrderID": new_id}

    def cancel(self, _: Request, __: Exchange, order_id: str) -> Any:
        """``DELETE /orderexecution/orders/{id}``."""
        order = self._alive(order_id)
        self._book.cancel(order)
        return {"Message": "Cancel request sent", "OrderID": order_id}

    def _alive(self, order_id: str) -> BookOrder:
        self._book.advance()
        order = self._book.find(order_id)
        if order is None:
            raise Refusal(404, f"Order {order_id} not found")
        if not order.alive:
            raise Refusal(400, f"Order {order_id} is not an open order ({order.status})")
        return order

    def _entered(self, body: dict[str, Any], parent: BookOrder | None = None) -> list[BookOrder]:
        """The order of ``body`` and those that wait for its fill, entered."""
        order = self._checked(body)
        confirm_id = body.get("OrderConfirmID")
        if confirm_id is not None and confirm_id in self._confirmed:
            raise OrderRefusedError(f"duplicate OrderConfirmID {confirm_id}")
        if confirm_id is not None:
            self._confirmed.add(str(confirm_id))
        if parent is not None:
            order.status, order.parent = "OSO", parent.order_id
        orders = [order]
        for group in body.get("OSOs") or []:
            children = [self._entered(part, order)[0] for part in group.get("Orders") or []]
            _link(children, str(group.get("Type", "NORMAL")).upper())
            order.children += [child.order_id for child in children]
            orders += children
        self._book.add(order)
        return orders

    def _checked(self, body: dict[str, Any]) -> BookOrder:
        symbol, account = str(body.get("Symbol", "")), str(body.get("AccountID", ""))
        listing = self._host.market.find(symbol)
        if account not in self._book.habits.accounts:
            raise OrderRefusedError(f"unknown account {account}")
        if listing is None or symbol.startswith("@"):
            raise OrderRefusedError(f"{symbol} cannot be traded")
        kind, action = str(body.get("OrderType")), str(body.get("TradeAction", "")).upper()
        quantity = str(body.get("Quantity", ""))
        if kind not in TYPES or action not in ACTIONS or not re.fullmatch(r"[1-9]\d*", quantity):
            raise OrderRefusedError(f"OrderType {kind}, TradeAction {action} or Quantity {quantity!r} is not valid")
        duration = (body.get("TimeInForce") or {}).get("Duration")
        limit, stop = _price(body.get("LimitPrice"), None), _price(body.get("StopPrice"), None)
        if duration is None or ("Limit" in kind and limit is None) or (kind.startswith("Stop") and stop is None):
            raise OrderRefusedError("TimeInForce.Duration or a price is missing")
        return BookOrder(
            order_id=self._book.new_id(),
            account=account,
            symbol=listing.spec.symbol,
            asset_type=listing.spec.asset_type,
            action=ACTIONS[action],
            kind=kind,
            quantity=int(quantity),
            limit=limit,
            stop=stop,
            duration=str(duration),
            opened_ns=self._host.now_ns(),
        )

    # ----------------------------------------------------------------------------------------- streams

    def stream(self, request: Request, exchange: Exchange, names: str, ids: str = "") -> None:
        """``GET /brokerage/stream/accounts/{accounts}/orders[/{ids}]|positions``: snapshot, its end, changes.

        With ``changes=true`` a position that has moved is told by its id and what is another figure than before.
        """
        kind = "positions" if request.path.endswith("/positions") else "orders"
        known, _ = self._known(names)
        wanted = order_ids(ids) if ids else None
        brief = Brief() if request.query.get("changes", "").casefold() == "true" else None
        if not self._windows.open_stream():
            self._windows.close_stream()
            raise Refusal(429, "Too many concurrent streams")
        try:
            exchange.begin_stream(BROKERAGE)
            pulse = Pulse(self._host, exchange, request.path)
            _, cursor = self._book.entries(kind, known, 0)
            rows = self._book.orders(known) if kind == "orders" else self._book.positions(known)
            pulse.send([*_chosen(rows, wanted, brief), {"StreamStatus": "EndSnapshot"}])
            while pulse.beat():
                self._book.advance()
                rows, cursor = self._book.entries(kind, known, cursor)
                pulse.send(_chosen(rows, wanted, brief))
        finally:
            self._windows.close_stream()


class Brief:
    """Tells a row by its id and what has changed since it was told last."""

    def __init__(self) -> None:
        self._told: dict[str, dict[str, Any]] = {}

    def of(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row, shortened where it is known."""
        key = row["PositionID"]
        before = self._told.get(key)
        self._told[key] = row
        if before is None or row.get("Deleted"):
            return row
        return {"PositionID": key} | {name: value for name, value in row.items() if before.get(name) != value}


def order_ids(text: str) -> list[str]:
    """The ids in an address."""
    ids = [one for one in text.split(",") if one]
    if not 1 <= len(ids) <= MOST_ORDERS:
        raise Refusal(400, f"{len(ids)} orders; 1 to {MOST_ORDERS} are allowed")
    return ids


def _chosen(rows: list[dict[str, Any]], ids: list[str] | None, brief: Brief | None) -> list[dict[str, Any]]:
    if ids is not None:
        rows = [row for row in rows if row.get("OrderID") in ids]
    return rows if brief is None else [brief.of(row) for row in rows]


def _sent(order: BookOrder) -> dict[str, str]:
    price = f" @ {order.kind}"
    return {"Message": f"Sent order: {order.action} {order.quantity} {order.symbol}{price}", "OrderID": order.order_id}


def _link(orders: list[BookOrder], kind: str) -> None:
    for order in orders:
        order.relation = kind
        if kind != "NORMAL":
            order.group = f"{kind} {orders[0].order_id}"
            order.siblings = [other.order_id for other in orders if other is not order]


def _price(text: Any, otherwise: float | None) -> float | None:
    return otherwise if text is None else float(text)
