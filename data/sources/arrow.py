"""Turns pyarrow columns into numpy arrays of our own; pyarrow's own way would import pandas, a quarter of a second."""

import math
from typing import Any

import numpy as np

from data.series import FloatArray, TimeArray
from data.sources.single import meant_by


def floats_of(column: Any) -> FloatArray:
    """Return a column of numbers as float64, NaN where it is empty; of single precision, the decimals it stands for."""
    import pyarrow

    if pyarrow.types.is_float32(column.type):
        single = column.fill_null(math.nan) if column.null_count else column
        return meant_by(np.concatenate(_parts(single)).astype(np.float32, copy=False))
    numbers = column.cast(pyarrow.float64())
    return np.concatenate(_parts(numbers.fill_null(math.nan) if numbers.null_count else numbers))


def integers_of(column: Any) -> TimeArray:
    """Return a column of integers or of times as int64; it must not have empty cells."""
    import pyarrow

    return np.concatenate(_parts(column.cast(pyarrow.int64()))).astype(np.int64, copy=False)


def _parts(column: Any) -> list[Any]:
    """Return the column's chunks, at least one, as arrays that share its memory."""
    return [np.from_dlpack(chunk) for chunk in column.chunks] or [np.zeros(0)]
