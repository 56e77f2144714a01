"""What an engine tells of a run while it goes: the rows that are new, in prices, quantities and money."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.charts.columns import IntArray
from engine.backtester import BacktesterEngine
from engine.kernel.schema import PRICE_EVENTS, TERM_EVENTS, EventKind, Reject
from engine.scale import ScaleTable

Records = NDArray[Any]
TIMED = ("fills", "trades", "events", "calls", "choices")
_PRICES = {
    "fills": ("price", "base_price", "average"),
    "trades": ("entry_price", "exit_price"),
    "orders": ("limit", "stop", "stop_loss", "take_profit"),
}
_QUANTITIES = {"fills": ("lots", "position"), "trades": ("max_lots",), "orders": ("lots",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """New rows of a course of the run; records of ``engine.kernel.schema``, but prices, quantities and money.

    Attributes:
        course: number of the course they belong to.
        bars: master bars that have closed; seconds: run time so far.
        starts: index of the first row given, per table ("equity", and those of ``TIMED``).
        rows: the rows, per table.
        order_indices, orders: orders that are new or have changed.
        curve: the engine's own table of equity where it is in the window's process: its rows need no copy. The engine
            never changes a row in it that has been told, but the last.
    """

    course: int
    bars: int
    seconds: float
    starts: dict[str, int]
    rows: dict[str, Records]
    order_indices: IntArray
    orders: Records
    curve: Records | None = None


class JournalTap:
    """Takes from an engine's tables what is new since it was last asked.

    Args:
        engine: the account that is run; shared: whether who is told may look into its tables.
    """

    def __init__(self, engine: BacktesterEngine, shared: bool = False) -> None:
        self._tables, self._shared = engine.tables, shared
        self._scales = ScaleTable(engine.scales)
        self._bars = 0
        self._counts = dict.fromkeys((*TIMED, "orders"), 0)
        self._working = np.zeros(0, np.int64)

    def rewind(self, bars: int) -> dict[str, int]:
        """The run was taken back to where ``bars`` bars have closed; returns how many rows of each table are kept."""
        self._bars = bars
        self._counts = {name: self._tables.count(name) for name in self._counts}
        self._working = self._still_working(np.arange(self._counts["orders"], dtype=np.int64))
        return dict(self._counts)

    def _still_working(self, indices: IntArray) -> IntArray:
        rows = self._tables.rows("orders")
        working: IntArray = indices[(rows["status"][indices] == 0) & (rows["ended_bar"][indices] < 0)]
        return working

    def take(self, course: int, bars: int, seconds: float) -> Chunk:
        """Everything since the last call; the last row of equity comes again, since a run's finish may change it."""
        first = max(min(self._bars, bars) - 1, 0)
        starts = {"equity": first} | {name: self._counts[name] for name in TIMED}
        curve = self._tables.equity
        rows = {"equity": curve[first:bars] if self._shared else curve[first:bars].copy()}
        for name in TIMED:
            rows[name] = self._scaled(name, self._tables.rows(name)[self._counts[name] :].copy())
            self._counts[name] += len(rows[name])
        total = self._tables.count("orders")
        indices = np.concatenate((self._working, np.arange(self._counts["orders"], total, dtype=np.int64)))
        orders = self._scaled("orders", self._tables.rows("orders")[indices])
        self._bars, self._counts["orders"] = bars, total
        self._working = self._still_working(indices)
        return Chunk(
            course=course,
            bars=bars,
            seconds=seconds,
            starts=starts,
            rows=rows,
            order_indices=indices,
            orders=orders,
            curve=curve if self._shared else None,
        )

    def leave_curve(self) -> None:
        """Before the engine goes back: leave its table of equity to who looks into it, and go on in a copy."""
        if self._shared:
            self._tables.equity = self._tables.equity.copy()
            self._tables.tell_addresses()

    def _scaled(self, name: str, rows: Records) -> Records:
        if name == "events":
            return self._scaled_events(rows)
        for field in _PRICES.get(name, ()):
            rows[field] = self._scales.prices(rows[field], rows["symbol"])
        for field in _QUANTITIES.get(name, ()):
            rows[field] = self._scales.quantities(rows[field], rows["symbol"])
        if name == "orders":
            self._scale_figures(rows)
        if name == "fills":
            rows["average"][rows["position"] == 0.0] = np.nan
        return rows

    def _scaled_events(self, rows: Records) -> Records:
        """Which of ``a``, ``b``, ``c`` are prices or quantities depends on the kind (``docs/journal.md``)."""
        kind, symbol = rows["kind"], rows["symbol"]
        prices, terms, decided = np.isin(kind, PRICE_EVENTS), np.isin(kind, TERM_EVENTS), kind == EventKind.DECISION
        rows["a"] = np.where(prices | terms, self._scales.prices(rows["a"], symbol), rows["a"])
        rows["b"] = np.where(prices | terms | decided, self._scales.prices(rows["b"], symbol), rows["b"])
        rows["c"] = np.where(terms | decided, self._scales.quantities(rows["c"], symbol), rows["c"])
        return rows

    def _scale_figures(self, rows: Records) -> None:
        """Figures of a refusal: levels and entries are prices, an affordable amount is a quantity."""
        sided = np.isin(rows["reject"], (Reject.STOP_LOSS_SIDE, Reject.TAKE_PROFIT_SIDE))
        for field in ("figure_a", "figure_b"):
            rows[field] = np.where(sided, self._scales.prices(rows[field], rows["symbol"]), rows[field])
        margin = rows["reject"] == Reject.MARGIN
        rows["figure_c"] = np.where(margin, self._scales.quantities(rows["figure_c"], rows["symbol"]), rows["figure_c"])
