"""The journal as the window holds it: growing tables of one course of a run, in prices, quantities and money."""

from collections.abc import Mapping

import numpy as np

from app.charts.columns import IntArray
from app.charts.cursor import Cursor
from app.charts.marks import TradeMarks
from app.replay.chunk import TIMED, Chunk
from app.replay.entries import MarkRows
from app.replay.rows import OrderRows, Records, Rows, TimedRows
from data.series import FloatArray
from engine.kernel.schema import CHOICE, EQUITY, EVENT, FILL, MARGIN_CALL, TRADE, Phase

# Room is made for a row for so many bars of a symbol: more than a bot is likely to need, so that no frame has to copy a
# table that has become too small.
_BARS_PER_ROW = {"events": 1}
_BARS_PER_OTHER_ROW = 8


class JournalStore:
    """One course of a run.

    Attributes:
        equity: a row per closed master bar.
        fills, trades, events, calls: rows in order of time (trades by their exit).
        orders: rows by id; choices: of learned exits (S12.3).
        reasons: sentences for orders of a saved run, by index; a running one has figures instead.
        revision: grows with every change.
    """

    def __init__(self) -> None:
        self.equity = Rows(EQUITY)
        self.fills = TimedRows(FILL)
        self.trades = TimedRows(TRADE, bar="exit_bar", phase="exit_phase")
        self.events = TimedRows(EVENT)
        self.calls = TimedRows(MARGIN_CALL, phase=None)
        self.choices = TimedRows(CHOICE, phase=None, at=Phase.OPEN)
        self.orders = OrderRows()
        self.reasons: dict[int, str] = {}
        self.revision = 0
        self._symbol_fills: dict[int, tuple[int, Rows]] = {}
        self._marks: dict[int, MarkRows] = {}
        self._nets = Rows(np.dtype("f8"), np.zeros(1))

    def reserve(self, bars: int, symbols: int) -> None:
        """Make the room at once that a run is likely to need; memory is taken only as rows are written."""
        self.equity.reserve(bars)
        for name in (*TIMED, "orders"):
            getattr(self, name).reserve(bars * symbols // _BARS_PER_ROW.get(name, _BARS_PER_OTHER_ROW))

    @property
    def bars(self) -> int:
        """Master bars that have closed."""
        return len(self.equity)

    def add(self, chunk: Chunk) -> None:
        """Take in what an engine tells; rows that are there already are written again."""
        if chunk.curve is not None and chunk.bars >= len(self.equity):
            self.equity.share(chunk.curve, chunk.bars)
        else:  # also where a run that is known goes on behind what is known
            self.equity.write(chunk.starts["equity"], chunk.rows["equity"])
        for name in TIMED:
            table: TimedRows = getattr(self, name)
            table.write(chunk.starts[name], chunk.rows[name])
        old = chunk.order_indices < len(self.orders)
        self.orders.put(chunk.order_indices[old], chunk.orders[old])
        if not old.all():
            self.orders.write(len(self.orders), chunk.orders[~old])
        self.revision += 1

    def agrees(self, chunk: Chunk) -> bool:
        """Whether the rows of a chunk are those that are here already."""
        first = chunk.starts["equity"]
        mine = self.equity.rows[first : first + len(chunk.rows["equity"])]
        return bool(np.array_equal(mine, chunk.rows["equity"][: len(mine)]))

    def cut(self, bars: int, counts: Mapping[str, int]) -> "JournalStore":
        """A copy of what was known when ``bars`` bars had closed and the tables had ``counts`` rows."""
        result = JournalStore()
        result.equity = self.equity.cut(bars)
        for name in (*TIMED, "orders"):
            setattr(result, name, getattr(self, name).cut(counts[name]))
        result.reasons = {index: text for index, text in self.reasons.items() if index < counts["orders"]}
        return result

    def fills_of(self, column: int) -> IntArray:
        """Indices of one symbol's fills, in order."""
        done, indices = self._symbol_fills.get(column, (0, Rows(np.dtype("i8"))))
        if done < len(self.fills):
            indices.write(len(indices), done + np.flatnonzero(self.fills.rows["symbol"][done:] == column))
            self._symbol_fills[column] = (len(self.fills), indices)
        return indices.rows

    def marks_of(self, column: int) -> TradeMarks:
        """Entries and exits of one symbol; what is new is added to what there was."""
        if column not in self._marks:
            self._marks[column] = MarkRows()
        marks, fills = self._marks[column], self.fills_of(column)
        trades = self.trades.rows[marks.trades_seen :]
        marks.take_in(self.fills.rows[fills[marks.fills_seen :]], trades[trades["symbol"] == column])
        marks.trades_seen = len(self.trades)
        return marks.marks()

    def nets(self) -> FloatArray:
        """Sum of the results of the first 0, 1, 2, ... closed trades, in order of exit."""
        done = len(self._nets) - 1
        if done < len(self.trades):
            self._nets.write(done + 1, self._nets.rows[-1] + np.cumsum(self.trades.rows["net"][done:]))
        sums: FloatArray = self._nets.rows
        return sums

    def last_fill(self, column: int, cursor: Cursor) -> Records | None:
        """A symbol's last fill at a cursor, None before its first."""
        indices = self.fills_of(column)
        known = int(np.searchsorted(indices, self.fills.count(cursor), side="left"))
        return self.fills.rows[indices[known - 1]] if known else None
