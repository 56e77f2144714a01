"""How far a curve lies below its peak: derived where it is asked for, so that no second curve is kept (S13)."""

from collections.abc import Callable

import numpy as np

from app.charts.columns import IntArray
from app.replay.rows import Rows
from data.series import FloatArray

_BLOCK = 1 << 16  # bars that are looked through at a time


class Falls:
    """Drawdowns of a growing curve, fractions of its peak so far, at most 0; it gives a `LinePyramid` its values.

    Kept are only the bars at which a new peak was made, 12 bytes each.

    Args:
        curve: gives the curve, one value per bar; start: the peak before its first bar.
    """

    def __init__(self, curve: Callable[[], FloatArray], start: float) -> None:
        self._curve = curve
        self._bars, self._peaks = (
            Rows(np.dtype("i4"), np.array([-1], np.int32)),
            Rows(np.dtype("f8"), np.array([start])),
        )
        self._taken = 0

    def take_in(self, bars: int) -> None:
        """Look through the curve's next values."""
        curve, end = self._curve(), self._taken + bars
        for begin in range(self._taken, end, _BLOCK):
            values = np.concatenate((self._peaks.rows[-1:], curve[begin : min(begin + _BLOCK, end)]))
            peaks = np.maximum.accumulate(values)
            new = np.flatnonzero(peaks[1:] > peaks[:-1])
            self._bars.write(len(self._bars), (begin + new).astype(np.int32))
            self._peaks.write(len(self._peaks), peaks[1:][new])
        self._taken = end

    def __call__(self, at: slice | IntArray) -> FloatArray:
        """The drawdowns of some bars, in ascending order, of those that have been taken in."""
        if isinstance(at, slice):
            begin, end, step = at.indices(self._taken)
            if step == 1:
                return self._stretch(begin, max(begin, end))
            at = np.arange(begin, end, step, dtype=np.int64)
        peaks = self._peaks.rows[np.searchsorted(self._bars.rows, at.astype(np.int32), side="right") - 1]
        falls: FloatArray = self._curve()[at] / peaks - 1.0
        return falls

    def _stretch(self, begin: int, end: int) -> FloatArray:
        """Bars that follow each other: each peak holds until the next."""
        ends = np.array([begin, end], np.int32)
        first, last = (int(place) for place in np.searchsorted(self._bars.rows, ends, side="right"))
        edges = np.concatenate(([begin], self._bars.rows[first:last], [end]))
        peaks = np.repeat(self._peaks.rows[first - 1 : last], np.diff(np.minimum(edges, end)))
        falls: FloatArray = self._curve()[begin:end] / peaks - 1.0
        return falls
