"""Which entries and exits may be shown at a cursor: trades of one symbol, flat to flat (rulebook S8.8)."""

from dataclasses import InitVar, dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.charts.columns import BoolArray, IntArray
from app.charts.cursor import PHASES, Cursor
from data.series import FloatArray
from engine.kernel.schema import TRADE

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeMarks:
    """Trades of one symbol in time's order; arrays of one length, prices in price units.

    ``exit_bar`` is -1 and exit price and net NaN for the trade that is still open. Trades of one symbol do not
    overlap, so entries and exits are both in order. ``begun`` and ``ended`` are the same places as numbers of phases
    from the start of the run; whoever has them already gives them as ``places``.
    """

    entry_bar: IntArray
    entry_phase: IntArray
    entry_price: FloatArray
    exit_bar: IntArray
    exit_phase: IntArray
    exit_price: FloatArray
    side: IntArray
    net: FloatArray
    places: InitVar[tuple[IntArray, IntArray] | None] = None
    begun: IntArray = field(init=False)
    ended: IntArray = field(init=False)

    def __post_init__(self, places: tuple[IntArray, IntArray] | None) -> None:
        if places is None:
            ended = np.where(self.exit_bar < 0, _NEVER, self.exit_bar * PHASES + self.exit_phase)
            places = (self.entry_bar * PHASES + self.entry_phase, ended)
        object.__setattr__(self, "begun", places[0])
        object.__setattr__(self, "ended", places[1])

    @classmethod
    def empty(cls) -> "TradeMarks":
        """No trades."""
        return cls.from_records(np.zeros(0, dtype=TRADE), 1.0)

    @classmethod
    def from_records(cls, trades: NDArray[np.void], tick_size: float) -> "TradeMarks":
        """One symbol's rows of a journal's trade table (prices there are in ticks)."""
        return cls(
            entry_bar=trades["entry_bar"].astype(np.int64),
            entry_phase=trades["entry_phase"].astype(np.int64),
            entry_price=trades["entry_price"] * tick_size,
            exit_bar=trades["exit_bar"].astype(np.int64),
            exit_phase=trades["exit_phase"].astype(np.int64),
            exit_price=trades["exit_price"] * tick_size,
            side=trades["side"].astype(np.int64),
            net=trades["net"].astype(np.float64),
        )

    def __len__(self) -> int:
        return len(self.entry_bar)

    def between(self, first: int, last: int, cursor: Cursor) -> tuple[slice, BoolArray]:
        """Trades that touch bars ``first`` to ``last`` (inclusive) and have begun at the cursor.

        Returns their range, and for each whether it has ended at the cursor: only then do its exit and its
        result exist.
        """
        begin = int(np.searchsorted(self.ended, first * PHASES, side="left"))
        end = int(np.searchsorted(self.begun, min(last * PHASES + PHASES - 1, cursor.ordinal), side="right"))
        found = slice(begin, max(end, begin))
        return found, self.ended[found] <= cursor.ordinal
