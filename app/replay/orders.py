"""Orders as they stood at a cursor: their terms and states then, not what became of them later (S8.1)."""

from dataclasses import dataclass

import numpy as np

from app.charts.columns import IntArray
from app.charts.cursor import PHASES, Cursor
from app.replay.facts import RunFacts
from app.replay.rows import NEVER, Records
from app.replay.store import JournalStore
from engine.kernel.schema import EventKind, OrderStatus, OrderType, Reject, Source, TimeInForce
from engine.orders import Refusal, Side, reason_text


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderState:
    """An order at a cursor; prices None where it has none.

    Attributes:
        side: 1 buy, -1 sell, 0 for a close that found no position.
        reason: why it was refused or ended, empty while it works.
        triggered: a stop-limit whose stop has been met.
    """

    id: int
    column: int
    symbol: str
    side: int
    type: OrderType
    quantity: float
    limit: float | None
    stop: float | None
    stop_loss: float | None
    take_profit: float | None
    time_in_force: TimeInForce
    reduce_only: bool
    status: OrderStatus
    source: Source
    placed_bar: int
    reason: str
    triggered: bool

    @property
    def working(self) -> bool:
        """Whether it can still fill."""
        return self.status is OrderStatus.ACCEPTED

    @property
    def price(self) -> float | None:
        """The price at which it rests: of a stop-limit its stop until that has been met."""
        if self.type is OrderType.LIMIT or self.triggered:
            return self.limit
        return self.stop


def _price(value: float) -> float | None:
    return None if value != value else value


_CHANGING = (
    EventKind.ORDER_MODIFIED,
    EventKind.ORDER_TRIGGERED,
    EventKind.BRACKET_STOP_MOVED,
    EventKind.BRACKET_TARGET_MOVED,
)


class Orders:
    """Orders of a course at any cursor."""

    def __init__(self, facts: RunFacts, store: JournalStore) -> None:
        self._facts, self._store = facts, store
        self._seen = 0
        self._changes: dict[int, list[int]] = {}  # order index -> events that changed its terms or triggered it
        self._rejected: dict[int, int] = {}

    def count(self, cursor: Cursor) -> int:
        """How many have been given at a cursor."""
        return self._store.orders.count(cursor)

    def working(self, cursor: Cursor) -> list[OrderState]:
        """Those that can still fill at a cursor."""
        return [self.state(int(index), cursor) for index in self.working_indices(cursor)]

    def working_indices(self, cursor: Cursor) -> IntArray:
        """Indices of those that can still fill at a cursor."""
        return self._store.orders.working(cursor)

    def state(self, index: int, cursor: Cursor) -> OrderState:
        """One order, by its index, at a cursor at which it has been given."""
        self._take_in()
        row = self._store.orders.rows[index]
        ended = _ended(row) <= cursor.ordinal
        limit, stop, lots, triggered = self._terms(index, row, cursor)
        stop_loss = self._level(index, EventKind.BRACKET_STOP_MOVED, float(row["stop_loss"]), cursor)
        take_profit = self._level(index, EventKind.BRACKET_TARGET_MOVED, float(row["take_profit"]), cursor)
        column = int(row["symbol"])
        return OrderState(
            id=index + 1,
            column=column,
            symbol=self._facts.symbols[column] if column >= 0 else "",
            side=int(row["side"]),
            type=OrderType(int(row["type"])),
            quantity=lots,
            limit=_price(limit),
            stop=_price(stop),
            stop_loss=_price(stop_loss),
            take_profit=_price(take_profit),
            time_in_force=TimeInForce(int(row["tif"])),
            reduce_only=bool(row["reduce_only"]),
            status=OrderStatus(int(row["status"])) if ended else OrderStatus.ACCEPTED,
            source=Source(int(row["source"])),
            placed_bar=int(row["placed_bar"]),
            reason=self.reason(index) if ended else "",
            triggered=triggered,
        )

    def reason(self, index: int) -> str:
        """Why an order was refused or ended, with the figures."""
        if index in self._store.reasons:
            return self._store.reasons[index]
        row = self._store.orders.rows[index]
        refusal = Refusal(
            reject=Reject(int(row["reject"])),
            a=float(row["figure_a"]),
            b=float(row["figure_b"]),
            c=float(row["figure_c"]),
        )
        column = int(row["symbol"])
        facts = self._facts.contracts[column].facts if column >= 0 else None
        side = Side(int(row["side"])) if row["side"] != 0 else None
        return reason_text(refusal, side, float(row["lots"]), facts)

    def _take_in(self) -> None:
        """Note which events changed orders; few orders are ever changed."""
        events = self._store.events.rows[self._seen :]
        for offset in np.flatnonzero(np.isin(events["kind"], _CHANGING)):
            self._changes.setdefault(int(events["ref"][offset]) - 1, []).append(self._seen + int(offset))
        self._seen += len(events)

    def _terms(self, index: int, row: Records, cursor: Cursor) -> tuple[float, float, float, bool]:
        """Limit, stop, quantity and whether triggered, as they were."""
        changes = self._changes.get(index)
        if changes is None:
            return float(row["limit"]), float(row["stop"]), float(row["lots"]), False
        events, known = self._store.events, self._store.events.count(cursor)
        done = [events.rows[change] for change in changes if change < known]
        modified = [event for event in done if event["kind"] == EventKind.ORDER_MODIFIED]
        triggered = any(event["kind"] == EventKind.ORDER_TRIGGERED for event in done)
        terms = modified[-1] if modified else self._accepted(index)
        return float(terms["a"]), float(terms["b"]), float(terms["c"]), triggered

    def _level(self, index: int, kind: EventKind, now: float, cursor: Cursor) -> float:
        """A level of the bracket as it was: what the first move behind the cursor found, else what it is ``now``."""
        changes = self._changes.get(index)
        if changes is None:
            return now
        events, known = self._store.events, self._store.events.count(cursor)
        later = (events.rows[change] for change in changes if change >= known)
        return next((float(event["b"]) for event in later if event["kind"] == kind), now)

    def _accepted(self, index: int) -> Records:
        """The event with which an order was accepted: its terms as given."""
        events = self._store.events
        key = self._store.orders.keys[index]
        first = int(np.searchsorted(events.keys, key, side="left"))
        last = int(np.searchsorted(events.keys, key, side="right"))
        part = events.rows[first:last]
        own = np.flatnonzero((part["kind"] == EventKind.ORDER_ACCEPTED) & (part["ref"] == index + 1))
        accepted: Records = part[own[0]]
        return accepted


def _ended(row: Records) -> int:
    return NEVER if row["ended_bar"] < 0 else int(row["ended_bar"]) * PHASES + int(row["ended_phase"])
