"""What becomes of orders in the emulated accounts: statuses in the orders seen in the field, groups, positions.

Every change of an order or position is an entry with a number; streams send the entries after the last one they sent.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from data.tradestation.bars import format_time
from data.tradestation.clock import NS
from data.tradestation.emulator.jsonbars import number
from data.tradestation.emulator.market import Market
from data.tradestation.emulator.orders import BookOrder, order_row
from data.tradestation.emulator.scenario import BookHabits


@dataclass(slots=True)
class BookPosition:
    """Contracts held; ``quantity`` is signed."""

    position_id: str
    account: str
    symbol: str
    quantity: int
    average: float
    since_ns: int


class Book:
    """Orders and positions of all accounts; ``advance`` lets happen what is due."""

    def __init__(self, habits: BookHabits, market: Market, now_ns: Callable[[], int]) -> None:
        self.habits = habits
        self._market = market
        self._now_ns = now_ns
        self._lock = threading.RLock()
        self._orders: dict[str, BookOrder] = {}
        self._positions: dict[tuple[str, str], BookPosition] = {}
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._serial = 0
        self._entries: list[tuple[str, str, dict[str, Any]]] = []

    # ------------------------------------------------------------------------------------------- views

    def orders(self, accounts: list[str]) -> list[dict[str, Any]]:
        """Whole orders, newest first."""
        with self._lock:
            rows = [order_row(order) for order in self._orders.values() if order.account in accounts]
        return rows[::-1]

    def positions(self, accounts: list[str]) -> list[dict[str, Any]]:
        """Open positions."""
        with self._lock:
            return [self._position_row(p) for p in self._positions.values() if p.account in accounts]

    def entries(self, kind: str, accounts: list[str], after: int) -> tuple[list[dict[str, Any]], int]:
        """Changes of ``orders`` or ``positions`` after entry number ``after``, and the number of the last one."""
        with self._lock:
            news = self._entries[after:]
            return [row for what, account, row in news if what == kind and account in accounts], len(self._entries)

    def ended(self, accounts: list[str], since_ns: int) -> list[dict[str, Any]]:
        """Orders that are over and were so after ``since_ns``, newest first."""
        with self._lock:
            found = [order for order in self._orders.values() if order.account in accounts and not order.alive]
            rows = [order_row(order) for order in found if (order.closed_ns or 0) >= since_ns]
        return rows[::-1]

    def find(self, order_id: str) -> BookOrder | None:
        """The order."""
        with self._lock:
            return self._orders.get(order_id)

    # ----------------------------------------------------------------------------------------- actions

    def add(self, order: BookOrder) -> None:
        """Take an order in; what follows depends on the scenario's script."""
        with self._lock:
            self._orders[order.order_id] = order
            self._tell(order)
            if self.habits.script == "reject":
                self._later(lambda: self._reject(order))

    def new_id(self) -> str:
        """The next order id."""
        with self._lock:
            self._serial += 1
            return str(900_000_000 + self._serial)

    def cancel(self, order: BookOrder) -> None:
        """Asynchronous; in a race the fill wins."""
        with self._lock:
            if self.habits.script == "cancel_race":
                self._set(order, "UCN")
                self._later(lambda: self._too_late(order))
                return
            self._set(order, "UCN")
            self._later(lambda: self._out(order))

    def replace(self, order: BookOrder, quantity: int, limit: float | None, stop: float | None) -> str:
        """Asynchronous; the id under which the order lives on."""
        with self._lock:
            if not self.habits.new_id_on_replace:
                self._set(order, "RPD")
                self._later(lambda: self._changed(order, quantity, limit, stop))
                return order.order_id
            heir = BookOrder(
                order_id=self.new_id(),
                account=order.account,
                symbol=order.symbol,
                asset_type=order.asset_type,
                action=order.action,
                kind=order.kind,
                quantity=quantity,
                limit=limit,
                stop=stop,
                duration=order.duration,
                opened_ns=self._now_ns(),
            )
            self._set(order, "UCH", closed=True)
            self._orders[heir.order_id] = heir
            self._tell(heir)
            return heir.order_id

    def advance(self) -> None:
        """Do what is due, then fill what the price reaches."""
        with self._lock:
            now_ns = self._now_ns()
            due = sorted(item[:2] for item in self._due if item[0] <= now_ns)
            for key in due:
                action = next(item for item in self._due if item[:2] == key)
                self._due.remove(action)
                action[2]()
            self._expire(now_ns)
            for order in list(self._orders.values()):
                if order.status in ("ACK", "FPR") and not order.busy and self.habits.script != "reject":
                    self._try(order)

    def _expire(self, now_ns: int) -> None:
        """Orders for the day end with the trading day in which they were given."""
        today = self._market.day_of(now_ns)
        for order in self._orders.values():
            if order.alive and order.duration == "DAY" and self._market.day_of(order.opened_ns) < today:
                order.status, order.closed_ns = "EXP", now_ns
                if not self.habits.silent_expiry:
                    self._tell(order)

    # ----------------------------------------------------------------------------------------- filling

    def _try(self, order: BookOrder) -> None:
        listing = self._market.find(order.symbol)
        price = None if listing is None else listing.tape.price(self._now_ns())
        if price is None or not order.reached(price):
            return
        order.busy = True
        at = order.limit if order.kind == "Limit" and order.limit is not None else price
        if order.kind.startswith("Stop"):
            self._set(order, "STP")
        self._later(lambda: self._script(order, at))

    def _script(self, order: BookOrder, price: float) -> None:
        """The statuses of a fill, by the scenario."""
        if not order.alive or order.status == "UCN":
            return
        script = self.habits.script
        if script == "partial" and order.quantity > 1:
            self._fill(order, order.quantity // 2, price, "FPR")
            self._later(lambda: self._fill(order, order.quantity, price, "FLL"))
        elif script == "ack_with_fill":
            self._fill(order, order.quantity, price, "ACK")
            self._later(lambda: self._set(order, "FLL", closed=True))
        elif script == "fill_twice":
            self._fill(order, order.quantity, price, "FLL", closed=False)
            self._later(lambda: self._set(order, "FLL", closed=True))
        else:
            self._fill(order, order.quantity, price, "FLL")

    def _fill(self, order: BookOrder, executed: int, price: float, status: str, *, closed: bool = True) -> None:
        """Cumulative: ``executed`` is the whole quantity done so far."""
        if not order.alive:
            return
        done = min(executed, order.quantity) - order.executed
        order.executed += done
        order.fill_price = price
        self._hold(order, done, price)
        self._set(order, status, closed=closed and status == "FLL")
        self._relatives(order, done)

    def _relatives(self, order: BookOrder, done: int) -> None:
        for child in map(self._orders.__getitem__, order.children):
            if child.status == "OSO" and order.executed == order.quantity:
                self._set(child, "ACK")
        for sibling in map(self._orders.__getitem__, order.siblings):
            if not sibling.alive:
                continue
            if order.relation == "BRK" and order.executed < order.quantity:
                sibling.quantity = max(0, sibling.quantity - done)
                self._tell(sibling)
            else:
                self._out(sibling)

    def _hold(self, order: BookOrder, quantity: int, price: float) -> None:
        """Book ``quantity`` at ``price`` into the account's position."""
        key = (order.account, order.symbol)
        held = self._positions.get(key)
        signed = quantity * order.sign
        if held is None:
            self._serial += 1
            held = BookPosition(str(self._serial), order.account, order.symbol, 0, 0.0, self._now_ns())
            self._positions[key] = held
        total = held.quantity + signed
        if held.quantity * signed >= 0:
            held.average = (held.average * abs(held.quantity) + price * quantity) / max(1, abs(total))
        elif total * held.quantity < 0:
            held.average = price
        held.quantity = total
        row: dict[str, Any] = {"PositionID": held.position_id, "AccountID": order.account}
        if total == 0:
            del self._positions[key]
            row = {"PositionID": held.position_id, "Deleted": True}
        else:
            row |= self._position_row(held)
        self._entries.append(("positions", order.account, row))

    # ---------------------------------------------------------------------------------------- statuses

    def _reject(self, order: BookOrder) -> None:
        order.reject_reason = "EC602: emulated rejection"
        self._set(order, "REJ", closed=True)

    def _too_late(self, order: BookOrder) -> None:
        listing = self._market.find(order.symbol)
        price = None if listing is None else listing.tape.price(self._now_ns())
        self._set(order, "LAT")
        order.status = "ACK"
        self._fill(order, order.quantity, price or order.limit or order.stop or 0.0, "FLL")

    def _out(self, order: BookOrder) -> None:
        if not order.alive:
            return
        if self.habits.script == "fill_twice":
            self._set(order, "OUT")
        self._set(order, "OUT", closed=True)

    def _changed(self, order: BookOrder, quantity: int, limit: float | None, stop: float | None) -> None:
        order.quantity, order.limit, order.stop = quantity, limit, stop
        self._set(order, "ACK")

    def _set(self, order: BookOrder, status: str, *, closed: bool = False) -> None:
        order.status = status
        if closed:
            order.closed_ns = self._now_ns()
        self._tell(order)

    def _tell(self, order: BookOrder) -> None:
        self._entries.append(("orders", order.account, order_row(order)))

    def _later(self, action: Callable[[], None]) -> None:
        self._serial += 1
        self._due.append((self._now_ns() + int(self.habits.delay_s * NS), self._serial, action))

    def _position_row(self, held: BookPosition) -> dict[str, Any]:
        listing = self._market.find(held.symbol)
        last = None if listing is None else listing.tape.price(self._now_ns())
        price = held.average if last is None else last
        value = 1.0 if listing is None else listing.spec.point_value
        return {
            "AccountID": held.account,
            "PositionID": held.position_id,
            "Symbol": held.symbol,
            "AssetType": "UNKNOWN" if listing is None else listing.spec.asset_type,
            "LongShort": "Long" if held.quantity > 0 else "Short",
            "Quantity": str(held.quantity),
            "AveragePrice": number(held.average),
            "Last": number(price),
            "MarketValue": number(price * held.quantity * value),
            "UnrealizedProfitLoss": number((price - held.average) * held.quantity * value),
            "Timestamp": format_time(held.since_ns),
        }
