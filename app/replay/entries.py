"""Entries and exits of one symbol as charts mark them, from its fills: added to as the run grows (S8.8)."""

import numpy as np

from app.charts.cursor import PHASES
from app.charts.marks import TradeMarks
from app.replay.rows import NEVER, Records, Rows

MARK = np.dtype(
    [
        ("entry_bar", "i8"), ("entry_phase", "i8"), ("entry_price", "f8"), ("exit_bar", "i8"), ("exit_phase", "i8"),
        ("exit_price", "f8"), ("side", "i8"), ("net", "f8"),
    ]
)  # fmt: skip


class MarkRows:
    """Marks of one symbol: an entry is marked at its first fill, known when it happened.

    Attributes:
        fills_seen: how many of the symbol's fills have been taken in; trades_seen: how many of all trades.
    """

    def __init__(self) -> None:
        self.fills_seen = self.trades_seen = 0
        self._rows = Rows(MARK)
        # Places in time are searched: apart from the records, a search reads nothing else.
        self._begun, self._ended = Rows(np.dtype("i8")), Rows(np.dtype("i8"))
        self._held = 0.0
        self._closed = self._told = 0

    def take_in(self, fills: Records, trades: Records) -> None:
        """Add the symbol's next fills, and the trades that closed with them."""
        held = fills["position"]
        before = np.concatenate(([self._held], held[:-1])) if len(fills) else held
        turns = before * held <= 0.0
        self._open(fills[turns & (held != 0.0)])
        self._close(fills[turns & (before != 0.0)])
        self._rows.rows["net"][self._told : self._told + len(trades)] = trades["net"]
        self._told += len(trades)
        self.fills_seen += len(fills)
        self._held = float(held[-1]) if len(fills) else self._held

    def _open(self, fills: Records) -> None:
        rows = np.zeros(len(fills), MARK)
        rows["entry_bar"], rows["entry_phase"], rows["entry_price"] = fills["bar"], fills["phase"], fills["price"]
        rows["side"] = np.sign(fills["position"])
        rows["exit_bar"], rows["exit_price"], rows["net"] = -1, np.nan, np.nan
        self._begun.write(len(self._begun), rows["entry_bar"] * PHASES + rows["entry_phase"])
        self._ended.write(len(self._ended), np.full(len(rows), NEVER))
        self._rows.write(len(self._rows), rows)

    def _close(self, fills: Records) -> None:
        """Trades of one symbol do not overlap: they end in the order in which they began."""
        at = slice(self._closed, self._closed + len(fills))
        rows = self._rows.rows[at]
        rows["exit_bar"], rows["exit_phase"], rows["exit_price"] = fills["bar"], fills["phase"], fills["price"]
        self._ended.rows[at] = rows["exit_bar"] * PHASES + rows["exit_phase"]
        self._closed = at.stop

    def marks(self) -> TradeMarks:
        """All of them, without a copy."""
        rows = self._rows.rows
        fields = {name: rows[name] for name in MARK.names or ()}
        return TradeMarks(**fields, places=(self._begun.rows, self._ended.rows))
