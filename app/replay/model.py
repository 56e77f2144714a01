"""What the window shows: one course of a run at one cursor, and nothing beyond it."""

from app.charts.cursor import Cursor, CursorModel
from app.charts.levels import Level, LevelKind, position_levels
from app.charts.prices import quantity_text
from app.replay.account import Accounts, AccountState, Positions, PositionState
from app.replay.facts import RunFacts
from app.replay.figures import Figures
from app.replay.orders import Orders, OrderState
from app.replay.path import AssumedPath
from app.replay.store import JournalStore
from engine.kernel.schema import OrderType, Phase


class ReplayModel:
    """A course at a cursor; what is asked for twice in a frame is derived once.

    Attributes:
        facts: the run; store: the course's journal; cursor: where it is looked at.
        orders, positions, accounts, figures: what can be asked at any cursor.
    """

    def __init__(self, facts: RunFacts, store: JournalStore, cursor: CursorModel | None = None) -> None:
        self.facts = facts
        self.cursor_model = CursorModel() if cursor is None else cursor
        self.course = 0
        self.show(store, 0)

    def show(self, store: JournalStore, course: int) -> None:
        """Look at another course; the cursor stays where it is, within what is there."""
        self.store, self.course = store, course
        self.orders = Orders(self.facts, store)
        self.positions_at = Positions(self.facts, store)
        self.accounts = Accounts(self.facts, store)
        self.figures = Figures(self.facts, store)
        self.path = AssumedPath(self.facts, store, self.positions_at, self.orders)
        self._key: object = None
        self.cursor_model.length = store.bars
        self.cursor_model.revision += 1
        if self.cursor_model.cursor.bar >= store.bars:
            self.cursor_model.go(store.bars - 1)

    @property
    def cursor(self) -> Cursor:
        """Where the run is looked at."""
        return self.cursor_model.cursor

    @property
    def state(self) -> tuple[object, ...]:
        """Differs whenever anything that may be shown differs: views keep the one they have drawn."""
        return (self.course, id(self.store), self.cursor_model.revision)

    @property
    def standing(self) -> bool:
        """Whether the cursor stands in a bar at all."""
        return 0 <= self.cursor.bar < self.store.bars

    def _fresh(self) -> None:
        if self._key == self.state:
            return
        self._key = self.state
        self._positions = self.positions_at.at(self.cursor) if self.standing else []
        self._account = self.accounts.at(self.cursor, self._positions)
        self._working = self.orders.working(self.cursor) if self.standing else []

    @property
    def positions(self) -> list[PositionState]:
        """Open positions in configuration order."""
        self._fresh()
        return self._positions

    @property
    def account(self) -> AccountState:
        """The account."""
        self._fresh()
        return self._account

    @property
    def working(self) -> list[OrderState]:
        """Orders that can still fill."""
        self._fresh()
        return self._working

    def position(self, column: int) -> PositionState | None:
        """A symbol's position, None when flat."""
        return next((each for each in self.positions if each.column == column), None)

    def levels(self, column: int) -> tuple[Level, ...]:
        """Price lines of a symbol: its position's and its working orders'."""
        lines: tuple[Level, ...] = ()
        position = self.position(column)
        if position is not None:
            lines = position_levels(
                side=position.side,
                quantity=abs(position.quantity),
                average=position.average,
                point_value=self.facts.contracts[column].money,
                stop=position.stop,
                target=position.target,
                initial_risk=position.risk,
                currency=self.facts.config.currency,
            )
        return (*lines, *(_order_line(order) for order in self.working if _has_line(order, column)))

    def assumed_path(self, column: int) -> tuple[float, ...]:
        """The way of price inside the cursor's bar, at INTRABAR only."""
        if not self.standing or self.cursor.phase is not Phase.INTRABAR:
            return ()
        return self.path.of(column, self.cursor.bar)


def _has_line(order: OrderState, column: int) -> bool:
    return order.column == column and order.price is not None and order.type is not OrderType.MARKET


def _order_line(order: OrderState) -> Level:
    words = f"{'BUY' if order.side > 0 else 'SELL'} {quantity_text(order.quantity)} {order.type.name.replace('_', '-')}"
    return Level(
        key=str(order.id), kind=LevelKind.ORDER, price=order.price or 0.0, text=words, draggable=not order.reduce_only
    )
