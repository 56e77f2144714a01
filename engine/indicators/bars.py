"""What an indicator may look at: the closed bars of one symbol, as plain arrays."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from data.series import BarSeries, FloatArray, TimeArray

SessionArray = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorBars:
    """Real, closed bars of one symbol (S10.1): synthetic bars and the bar that is open are not among them.

    Attributes:
        open, high, low, close: prices, float64[n], finite.
        volume: float64[n], not negative.
        time_ns: times at which the bars OPEN, UTC, int64 nanoseconds.
        session: number of the trading session each bar belongs to, int32[n], rising; ``None`` where there is no
            calendar: the UTC date then stands for the session (S7.4).
    """

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    time_ns: TimeArray
    session: SessionArray | None = None

    def __len__(self) -> int:
        return len(self.close)

    @classmethod
    def from_series(cls, series: BarSeries, session: SessionArray | None = None) -> Self:
        """The same arrays as ``series``, not copied."""
        return cls(
            open=series.open,
            high=series.high,
            low=series.low,
            close=series.close,
            volume=series.volume,
            time_ns=series.time_ns,
            session=session,
        )

    def prefix(self, n: int) -> Self:
        """The first ``n`` bars, as views."""
        return type(self)(
            open=self.open[:n],
            high=self.high[:n],
            low=self.low[:n],
            close=self.close[:n],
            volume=self.volume[:n],
            time_ns=self.time_ns[:n],
            session=None if self.session is None else self.session[:n],
        )

    def price(self, source: str) -> FloatArray:
        """One price per bar: ``open``, ``high``, ``low``, ``close``, or a mean (``hl2``, ``hlc3``, ``ohlc4``)."""
        if source == "hl2":
            return (self.high + self.low) / 2.0
        if source == "hlc3":
            return (self.high + self.low + self.close) / 3.0
        if source == "ohlc4":
            return (self.open + self.high + self.low + self.close) / 4.0
        column: FloatArray = getattr(self, source)
        return column


PRICE_SOURCES = ("close", "open", "high", "low", "hl2", "hlc3", "ohlc4")
