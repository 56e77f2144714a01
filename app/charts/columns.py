"""How growing columns of numbers are kept: arrays with spare room, doubled when full."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from data.series import FloatArray

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


class Columns:
    """Equally long float64 columns that rows are added to; a row costs amortised constant time.

    Columns given at the start are not copied until the first row is added beyond them.
    """

    def __init__(self, width: int, given: Sequence[FloatArray] | None = None) -> None:
        self._arrays = [np.empty(0) for _ in range(width)] if given is None else list(given)
        self._length = len(self._arrays[0])
        self._capacity = self._length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, column: int) -> FloatArray:
        """One column, as a view of what is filled."""
        return self._arrays[column][: self._length]

    def extend(self, columns: Sequence[FloatArray]) -> None:
        """Add rows, given as one array per column."""
        added = len(columns[0])
        self._reserve(self._length + added)
        for array, values in zip(self._arrays, columns, strict=True):
            array[self._length : self._length + added] = values
        self._length += added

    def append(self, row: Sequence[float]) -> None:
        """Add one row."""
        self._reserve(self._length + 1)
        for array, value in zip(self._arrays, row, strict=True):
            array[self._length] = value
        self._length += 1

    def put(self, index: int, row: Sequence[float]) -> None:
        """Replace one row; columns that are not ours to write are copied first."""
        for column, value in enumerate(row):
            if not self._arrays[column].flags.writeable:
                self._arrays[column] = self._arrays[column].copy()
            self._arrays[column][index] = value

    def _reserve(self, needed: int) -> None:
        if needed <= self._capacity:
            return
        # A quarter of spare room, not the double: memory stays within half again of the raw bars.
        self._capacity = max(needed, self._capacity + self._capacity // 4, 256)
        for column, array in enumerate(self._arrays):
            roomier = np.empty(self._capacity, dtype=array.dtype)
            roomier[: self._length] = array[: self._length]
            self._arrays[column] = roomier

    @property
    def nbytes(self) -> int:
        """Memory held, spare room included."""
        return sum(array.nbytes for array in self._arrays)
