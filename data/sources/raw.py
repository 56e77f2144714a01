"""What a reader hands on: the rows of one file as written, before any rule for bars is applied."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from data.series import FloatArray, TimeArray

Label = Literal["open", "close"]


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing wrong with one row.

    Attributes:
        line: line number as an editor counts it, header included (a table file: the row's number).
        kind: key of ``data.validation.RULES``.
        text: the value as it was written, with its column.
    """

    line: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBars:
    """Rows of one file; all arrays have length ``n``.

    Attributes:
        stamp_ns: the file's time column, int64 nanoseconds: UTC where ``aware``, else what the wall clock showed.
        wall_ns: what the wall clock in the file's own offset showed; None where that is not needed or is ``stamp_ns``.
        aware: the times carry a zone or an offset.
        dates_only: the times are dates without a time of day.
        open, high, low, close, volume: float64; NaN where the cell is empty or not a number.
        adjusted_close: the column of that name, None where there is none.
        lines: line number of each row.
        defects: what the reader itself found wrong; rows with such a defect are in the arrays too, with NaN.
        unreadable: rows that cannot be kept under any repair.
        notes: sentences for the report.
    """

    stamp_ns: TimeArray
    wall_ns: TimeArray | None = None
    aware: bool
    dates_only: bool
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    adjusted_close: FloatArray | None = None
    lines: TimeArray
    defects: tuple[Defect, ...] = ()
    unreadable: NDArray[np.bool_]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.stamp_ns)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> "RawBars":
        """Return the rows chosen by a mask or by indices; defects are left behind."""
        return replace(
            self,
            stamp_ns=self.stamp_ns[rows],
            wall_ns=None if self.wall_ns is None else self.wall_ns[rows],
            open=self.open[rows],
            high=self.high[rows],
            low=self.low[rows],
            close=self.close[rows],
            volume=self.volume[rows],
            adjusted_close=None if self.adjusted_close is None else self.adjusted_close[rows],
            lines=self.lines[rows],
            unreadable=self.unreadable[rows],
            defects=(),
        )
