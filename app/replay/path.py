"""The way that price is taken to have gone inside the cursor's bar, for drawing (S6)."""

from app.charts.cursor import Cursor
from app.replay.account import Positions
from app.replay.facts import RunFacts
from app.replay.orders import Orders
from app.replay.store import JournalStore
from engine.kernel.schema import OrderType, Phase

TOLERANCE = 1e-6  # of a tick (S2.1)


class AssumedPath:
    """Prices that the walk through a bar reaches, in order."""

    def __init__(self, facts: RunFacts, store: JournalStore, positions: Positions, orders: Orders) -> None:
        self._facts, self._store = facts, store
        self._positions, self._orders = positions, orders

    def of(self, column: int, bar: int) -> tuple[float, ...]:
        """O, two extremes, C, with the turns that entries in mid-bar cause; empty for a synthetic bar."""
        shown = self._facts.stores[column].bar(bar)
        if shown.synthetic:
            return ()
        policy = self._facts.config.simulation.path
        high_first = self._high_first(column, bar)
        first, second = (shown.high, shown.low) if high_first else (shown.low, shown.high)
        if policy in ("proximity", "colour"):
            return (shown.open, first, second, shown.close)
        return self._rerouted(column, bar, (shown.open, first, second, shown.close), policy == "best_case")

    def _high_first(self, column: int, bar: int) -> bool:
        shown = self._facts.stores[column].bar(bar)
        policy = self._facts.config.simulation.path
        dust = TOLERANCE * self._facts.contracts[column].facts.tick_size
        if policy == "proximity":
            return shown.high - shown.open < shown.open - shown.low - dust
        if policy != "colour":
            adverse = self._adverse_side(column, bar)
            if adverse:
                return (adverse > 0) != (policy == "best_case")
        return shown.close < shown.open - dust

    def _adverse_side(self, column: int, bar: int) -> int:
        """1 where the high is adverse, -1 where the low is, 0 where nothing is at stake (S6.2)."""
        opened = Cursor(bar, Phase.OPEN)
        position = self._positions.of(column, opened)
        if position is not None:
            return -position.side
        resting = [
            order
            for order in self._orders.working(opened)
            if order.column == column and order.type is not OrderType.MARKET and not order.reduce_only
        ]
        return resting[0].side if resting else 0

    def _rerouted(
        self, column: int, bar: int, plain: tuple[float, float, float, float], best: bool
    ) -> tuple[float, ...]:
        """From an entry in mid-bar: its level, the adverse extreme, the favourable one unless seen, C (S6.2, S6.3)."""
        opened, first, second, close = plain
        entries = self._entries(column, bar)
        if not entries:
            return plain
        level, side = entries[0]
        low, high = min(first, second), max(first, second)
        seen = [opened]
        if not min(opened, first) <= level <= max(opened, first):
            seen.append(first)
        ahead = [low, high] if (side > 0) != best else [high, low]
        rest = [ahead[0]] if ahead[1] in seen else ahead
        return (*seen, level, *rest, close)

    def _entries(self, column: int, bar: int) -> list[tuple[float, int]]:
        """Base price and side of the fills that opened or reversed a position inside the bar."""
        store = self._store
        begin = store.fills.count(Cursor(bar, Phase.OPEN))
        end = store.fills.count(Cursor(bar, Phase.INTRABAR))
        before = store.last_fill(column, Cursor(bar, Phase.OPEN))
        held, found = 0.0 if before is None else float(before["position"]), []
        for row in store.fills.rows[begin:end]:
            if row["symbol"] != column:
                continue
            after = float(row["position"])
            if after != 0.0 and held * after <= 0.0:
                found.append((float(row["base_price"]), int(row["side"])))
            held = after
        return found
