"""The account and its positions at a cursor, from fills, marks and level changes alone (S4, S8)."""

from dataclasses import dataclass

import numpy as np

from app.charts.cursor import Cursor
from app.replay.facts import RunFacts
from app.replay.rows import Rows
from app.replay.store import JournalStore
from engine.kernel.schema import EventKind, Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionState:
    """An open position.

    Attributes:
        column, symbol: of what; quantity: signed.
        average: entry price, volume-weighted; mark: where it is valued.
        unrealised: money at the mark.
        stop, target: protective levels, None without.
        risk: initial risk in money, None until it had a stop (S8.8).
        trade: number of its trade; entry_bar: where it began.
    """

    column: int
    symbol: str
    quantity: float
    average: float
    mark: float
    unrealised: float
    stop: float | None
    target: float | None
    risk: float | None
    trade: int
    entry_bar: int

    @property
    def side(self) -> int:
        """1 long, -1 short."""
        return 1 if self.quantity > 0 else -1

    @property
    def r_multiple(self) -> float | None:
        """Unrealised profit in units of the initial risk."""
        return None if self.risk is None or not self.risk > 0 else self.unrealised / self.risk


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """The account at the marks, money.

    Attributes:
        day_result: equity less equity at the last close of the trading day before.
        free_margin: equity less used margin.
        maintenance: what must be held (S7.2).
    """

    equity: float
    cash: float
    used_margin: float
    free_margin: float
    maintenance: float
    unrealised: float
    day_result: float
    drawdown: float
    bankrupt: bool


class Positions:
    """Positions of a course at any cursor."""

    def __init__(self, facts: RunFacts, store: JournalStore) -> None:
        self._facts, self._store = facts, store

    def at(self, cursor: Cursor) -> list[PositionState]:
        """Open positions in configuration order."""
        columns = range(len(self._facts.symbols))
        return [found for column in columns if (found := self.of(column, cursor)) is not None]

    def of(self, column: int, cursor: Cursor) -> PositionState | None:
        """A symbol's position, None when flat."""
        fill = self._store.last_fill(column, cursor)
        if fill is None or fill["position"] == 0.0:
            return None
        quantity, average = float(fill["position"]), float(fill["average"])
        mark = self._facts.mark(column, cursor)
        stop, target, risk, bar, trade = self._levels(column, cursor)
        return PositionState(
            column=column,
            symbol=self._facts.symbols[column],
            quantity=quantity,
            average=average,
            mark=mark,
            unrealised=(mark - average) * quantity * self._facts.contracts[column].money + 0.0,
            stop=stop,
            target=target,
            risk=risk,
            trade=trade,
            entry_bar=bar,
        )

    def _levels(self, column: int, cursor: Cursor) -> tuple[float | None, float | None, float | None, int, int]:
        """Stop, target, initial risk, entry bar and number of the open trade, from its events so far."""
        events = self._store.events
        first, rows = self._trade_rows(column, cursor)
        own = rows[rows["symbol"] == column]
        stops, targets = (own[own["kind"] == kind] for kind in (EventKind.STOP_MOVED, EventKind.TARGET_MOVED))
        stop = float(stops["a"][-1]) if len(stops) else np.nan
        target = float(targets["a"][-1]) if len(targets) else np.nan
        risk = self._risk(column, own, first)
        opened = events.rows[first]
        return _price(stop), _price(target), risk, int(opened["bar"]), int(opened["ref"])

    def _trade_rows(self, column: int, cursor: Cursor) -> tuple[int, np.ndarray[tuple[int], np.dtype[np.void]]]:
        """Index of the event that opened the trade, and all events from it to the cursor; sought backwards."""
        rows = self._store.events.upto(cursor)
        reach, end = 512, len(rows)
        while True:
            start = max(end - reach, 0)
            part = rows[start:]
            found = np.flatnonzero((part["kind"] == EventKind.TRADE_OPENED) & (part["symbol"] == column))
            if len(found) or start == 0:
                first = start + int(found[-1])
                return first, rows[first:]
            reach *= 4

    def _risk(self, column: int, own: np.ndarray[tuple[int], np.dtype[np.void]], first: int) -> float | None:
        """Frozen when the trade first has a stop (S8.8): at the average and size of the fill before it."""
        stops = np.flatnonzero((own["kind"] == EventKind.STOP_MOVED) & ~np.isnan(own["a"]))
        if not len(stops):
            return None
        stop = float(own["a"][stops[0]])
        before = own[: stops[0]]
        fills = before[before["kind"] == EventKind.FILL]
        index = int(fills["ref"][-1]) if len(fills) else self._opening_fill(first)
        fill = self._store.fills.rows[index]
        distance = abs(float(fill["average"]) - stop)
        return distance * abs(float(fill["position"])) * self._facts.contracts[column].money

    def _opening_fill(self, opened: int) -> int:
        """The fill that began a trade: it is told just before the trade (a trade it ends may be told between)."""
        rows = self._store.events.rows
        place = opened - 1 if rows["kind"][opened - 1] == EventKind.FILL else opened - 2
        return int(rows["ref"][place])


def _price(value: float) -> float | None:
    return None if value != value else value


_BLOCK = 256  # bars whose highest equity is kept as one


class Accounts:
    """The account of a course at any cursor."""

    def __init__(self, facts: RunFacts, store: JournalStore) -> None:
        self._facts, self._store = facts, store
        self._peaks = Rows(np.dtype("f8"))

    def at(self, cursor: Cursor, positions: list[PositionState]) -> AccountState:
        """The account with its positions at a cursor."""
        fills = self._store.fills
        known = fills.count(cursor)
        cash = float(fills.rows["cash"][known - 1]) if known else self._facts.initial_cash
        unrealised = float(sum(position.unrealised for position in positions))
        equity, used, kept = cash + unrealised, 0.0, 0.0
        for position in positions:
            contract = self._facts.contracts[position.column]
            used += contract.initial_margin(position.quantity, position.mark)
            kept += contract.maintenance_margin(position.quantity, position.mark)
        if cursor.phase == Phase.CLOSE and 0 <= cursor.bar < self._store.bars:
            row = self._store.equity.rows[cursor.bar]
            equity, used, kept = float(row["equity"]), float(row["used_margin"]), float(row["maintenance_margin"])
        return AccountState(
            equity=equity,
            cash=cash,
            used_margin=used,
            free_margin=equity - used,
            maintenance=kept,
            unrealised=unrealised,
            day_result=equity - self.day_start(cursor.bar),
            drawdown=min(equity / self.peak(cursor.bar, equity) - 1.0, 0.0),
            bankrupt=self._bankrupt(cursor),
        )

    def day_start(self, bar: int) -> float:
        """Equity at the last close of the trading day before, first day the initial cash (S11.2)."""
        first = self._facts.first_bar_of_day(max(bar, 0))
        return float(self._store.equity.rows["equity"][first - 1]) if first > 0 else self._facts.initial_cash

    def peak(self, bar: int, equity: float) -> float:
        """Highest equity at a close before a bar, at least the initial cash and the equity now."""
        curve = self._store.equity.rows["equity"]
        done = len(self._peaks)
        if done < len(curve) // _BLOCK:
            start = self._peaks.rows[-1] if done else self._facts.initial_cash
            part = curve[done * _BLOCK : len(curve) // _BLOCK * _BLOCK]
            highs = np.maximum.reduceat(part, np.arange(0, len(part), _BLOCK))
            self._peaks.write(done, np.maximum(np.maximum.accumulate(highs), start))
        whole = max(bar, 0) // _BLOCK
        before = float(self._peaks.rows[whole - 1]) if whole else self._facts.initial_cash
        rest = curve[whole * _BLOCK : max(bar, 0)]
        return max(before, equity, float(rest.max()) if len(rest) else before)

    def _bankrupt(self, cursor: Cursor) -> bool:
        """A bankruptcy is near the end of the events that there are: nothing trades after it."""
        rows = self._store.events.upto(cursor)[-4096:]
        return bool((rows["kind"] == EventKind.BANKRUPT).any())
