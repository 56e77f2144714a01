"""Which prices a pane spans, and where each one lies: linear or logarithmic."""

import math
from dataclasses import dataclass

import numpy as np

from data.series import FloatArray

BEYOND = 1e300  # heights of such values, and the air above and below, would overflow


@dataclass(frozen=True, slots=True)
class Extent:
    """Lowest and highest value that something on a pane shows."""

    low: float
    high: float

    def joined(self, other: "Extent | None") -> "Extent":
        """Both extents as one."""
        if other is None:
            return self
        return Extent(min(self.low, other.low), max(self.high, other.high))

    def reached(self, value: float, share: float) -> "Extent":
        """This extent, stretched to a value unless that would take more than ``share`` of its height."""
        allowed = (self.high - self.low) * share
        if self.low - allowed <= value <= self.high + allowed:
            return Extent(min(self.low, value), max(self.high, value))
        return self


def extent_of(low: FloatArray, high: FloatArray) -> Extent | None:
    """Extent of some values; None without any. NaN does not count, nor what is out of all bounds, as exp may be."""
    values = np.concatenate((low, high))
    values = values[np.abs(values) < BEYOND]
    return Extent(float(values.min()), float(values.max())) if len(values) else None


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from ``low`` (share 0, bottom) to ``high`` (share 1, top).

    A logarithmic scale needs positive values; where ``low`` is not, it is linear. An ``empty`` one belongs to a pane
    that has nothing to show yet: it has no marks.
    """

    low: float
    high: float
    log: bool = False
    empty: bool = False

    @classmethod
    def around(
        cls, extent: Extent | None, tick: float, log: bool = False, above: float = 0.06, below: float = 0.06
    ) -> "Scale":
        """A scale that shows an extent with air above and below (shares of its height), at least four ticks high."""
        if extent is None:
            return cls(0.0, 1.0, empty=True)
        if log and extent.low > 0:
            height = max(math.log(extent.high / extent.low), 1e-9)
            return cls(extent.low / math.exp(height * below), extent.high * math.exp(height * above), True)
        height = extent.high - extent.low
        if height < 4 * tick:
            middle, height = (extent.low + extent.high) / 2, 4 * tick
            extent = Extent(middle - 2 * tick, middle + 2 * tick)
        return cls(extent.low - height * below, extent.high + height * above)

    @property
    def logarithmic(self) -> bool:
        """Whether the scale is logarithmic in fact."""
        return self.log and self.low > 0

    def shares(self, values: FloatArray) -> FloatArray:
        """Where values lie between bottom (0) and top (1)."""
        if self.logarithmic:
            bottom = math.log(self.low)
            with np.errstate(invalid="ignore", divide="ignore"):
                return (np.log(values) - bottom) / (math.log(self.high) - bottom)
        return (values - self.low) / (self.high - self.low)

    def share(self, value: float) -> float:
        """Where one value lies; below everything where a logarithmic scale has no place for it."""
        if self.logarithmic:
            bottom = math.log(self.low)
            return (math.log(value) - bottom) / (math.log(self.high) - bottom) if value > 0 else -math.inf
        return (value - self.low) / (self.high - self.low)

    def value(self, share: float) -> float:
        """The value at a share of the height."""
        if self.logarithmic:
            return self.low * math.exp(share * math.log(self.high / self.low))
        return self.low + share * (self.high - self.low)
