"""How tables of the journal are kept: record arrays with spare room, and the place in time of each row."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from app.charts.columns import IntArray
from app.charts.cursor import PHASES, Cursor
from engine.kernel.schema import ORDER, Phase

Records = NDArray[Any]
Table = TypeVar("Table", bound="Rows")
NEVER = int(np.iinfo(np.int64).max)
_BLOCK = 256  # orders whose latest end is kept, so that a look for working ones passes over the rest


class Rows:
    """Records that are written in order; writing at a row that is there replaces it."""

    def __init__(self, dtype: np.dtype[Any], given: Records | None = None) -> None:
        self._array = np.zeros(0, dtype) if given is None else given
        self._length = len(self._array)

    def reserve(self, rows: int) -> None:
        """Make room at once; memory is taken only as rows are written."""
        larger = np.zeros(max(rows, len(self._array)), self._array.dtype)
        _put(self.rows, larger)
        self._array = larger

    def __len__(self) -> int:
        return self._length

    @property
    def rows(self) -> Records:
        """What is filled, without a copy."""
        return self._array[: self._length]

    def write(self, at: int, rows: Records) -> None:
        """Put rows at an index, at most at the end.

        Raises:
            IndexError: where rows would be missing before ``at``.
        """
        if at > self._length:
            raise IndexError(f"rows from {at} on, but the table ends at {self._length}")
        end = at + len(rows)
        if not len(self._array) and rows.base is None and rows.dtype == self._array.dtype:
            self._array = rows  # nobody else's: no copy
        if end > len(self._array):
            self.reserve(max(end, 2 * self._length, 256))
        if self._array is not rows:
            _put(rows, self._array[at:])
        self._length = max(self._length, end)

    def share(self, array: Records, length: int) -> None:
        """Look into somebody's array, whose first rows are these; what was kept here is let go."""
        self._array, self._length = array, length

    def put(self, indices: IntArray, rows: Records) -> None:
        """Replace single rows."""
        self._array[indices] = rows

    def cut(self, length: int) -> "Rows":
        """A copy of the first rows, with the room that there is here."""
        return self._begun_in(Rows(self._array.dtype), length)

    def _begun_in(self, other: Table, length: int) -> Table:
        other.reserve(len(self._array))
        other.write(0, self.rows[:length])
        return other


def _put(rows: Records, where: Records) -> None:
    """Copy rows to the begin of a table; records as bytes: numpy copies them field by field."""
    if rows.dtype == where.dtype and rows.dtype.names is not None and rows.flags.c_contiguous:
        where[: len(rows)].view(np.uint8)[:] = rows.view(np.uint8)
    else:
        where[: len(rows)] = rows


class TimedRows(Rows):
    """Records that happen at a bar and phase, in order of time.

    Attributes:
        bar, phase: names of the fields that say when; without a phase every row happens in phase ``at``.
    """

    def __init__(
        self,
        dtype: np.dtype[Any],
        given: Records | None = None,
        bar: str = "bar",
        phase: str | None = "phase",
        at: Phase = Phase.CLOSE,
    ) -> None:
        super().__init__(dtype, given)
        self.bar, self.phase, self.at = bar, phase, at
        self._keys = np.zeros(len(self._array), np.int64)
        self._keyed(0, self._length)

    def _keyed(self, start: int, stop: int) -> None:
        if stop > len(self._keys):
            larger = np.zeros(len(self._array), np.int64)
            larger[:start] = self._keys[:start]
            self._keys = larger
        rows = self._array[start:stop]
        phases = int(self.at) if self.phase is None else rows[self.phase].astype(np.int64)
        self._keys[start:stop] = rows[self.bar].astype(np.int64) * PHASES + phases

    @property
    def keys(self) -> IntArray:
        """When each row happened, as numbers of phases from the start of the run."""
        return self._keys[: self._length]

    def write(self, at: int, rows: Records) -> None:
        super().write(at, rows)
        self._keyed(at, at + len(rows))

    def cut(self, length: int) -> "TimedRows":
        return self._begun_in(TimedRows(self._array.dtype, None, self.bar, self.phase, self.at), length)

    def count(self, cursor: Cursor) -> int:
        """How many rows have happened at a cursor."""
        return int(np.searchsorted(self.keys, cursor.ordinal, side="right"))

    def upto(self, cursor: Cursor) -> Records:
        """The rows that have happened at a cursor."""
        return self.rows[: self.count(cursor)]


class OrderRows(TimedRows):
    """Orders by id, by the time at which they were given, with the time at which each ended."""

    def __init__(self, given: Records | None = None) -> None:
        self._ends = Rows(np.dtype("i8"))
        self._latest = Rows(np.dtype("i8"))
        super().__init__(ORDER, given, bar="placed_bar", phase="placed_phase")
        self._note(0, self._length)

    def _note(self, start: int, stop: int) -> None:
        """Take in when orders ended, and the latest end of each block of them."""
        self._ends.write(start, ended_keys(self._array[start:stop]))
        first = start // _BLOCK * _BLOCK
        if stop > first:
            ends = self._ends.rows[first : -(-stop // _BLOCK) * _BLOCK]
            self._latest.write(start // _BLOCK, np.maximum.reduceat(ends, np.arange(0, len(ends), _BLOCK)))

    def write(self, at: int, rows: Records) -> None:
        super().write(at, rows)
        self._note(at, at + len(rows))

    def put(self, indices: IntArray, rows: Records) -> None:
        super().put(indices, rows)
        for block in np.unique(indices // _BLOCK).tolist():
            self._note(block * _BLOCK, min((block + 1) * _BLOCK, self._length))

    def cut(self, length: int) -> "OrderRows":
        return self._begun_in(OrderRows(), length)

    def working(self, cursor: Cursor) -> IntArray:
        """Indices of orders that were given and have not ended at a cursor; blocks that have ended are passed over."""
        known = self.count(cursor)
        blocks = np.flatnonzero(self._latest.rows[: -(-known // _BLOCK)] > cursor.ordinal)
        indices = (blocks[:, None] * _BLOCK + np.arange(_BLOCK)).ravel()
        indices = indices[indices < known]
        found: IntArray = indices[self._ends.rows[indices] > cursor.ordinal]
        return found


def ended_keys(rows: Records) -> IntArray:
    """When orders ended, as numbers of phases; the largest number where they still work."""
    bars = rows["ended_bar"].astype(np.int64)
    return np.where(bars < 0, NEVER, bars * PHASES + rows["ended_phase"])
