"""Bars of one symbol in memory: plain arrays, open-stamped, UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
TimeArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class BarSeries:
    """Validated bars of one symbol; all arrays have length ``n`` and are C-contiguous.

    Attributes:
        time_ns: times at which the bars OPEN, UTC, int64 nanoseconds, strictly increasing (S3.1).
        open, high, low, close: prices, float64; finite; high and low bound open and close.
        volume: float64, not negative.
        bar_ns: length of a bar in nanoseconds (S3.5).
        source: path of the file, or a word that says where the bars come from.
        digest: SHA-256 of content and load settings, the same for the same bars.
        warnings: sentences for the report.
        repairs: repair name -> number of rows (S3.4).
    """

    symbol: str
    time_ns: TimeArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    bar_ns: int
    source: str
    digest: str
    warnings: tuple[str, ...] = ()
    repairs: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.time_ns)
