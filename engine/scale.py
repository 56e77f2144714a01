"""Between the kernel's ticks and lots and the user's prices and quantities."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.instruments import Instrument
from data.series import FloatArray

# From here on the last bits of a count are worth more than the millionth that the kernel forgives (S2.1).
LARGE = 1e9
LAST_BITS = 4 * float(np.finfo(np.float64).eps)


def without_dust(count: float) -> float:
    """A count of ticks or lots; a large one that is whole but for its last bits is whole, as it was meant."""
    if not abs(count) > LARGE:
        return count
    nearest = float(np.rint(count))
    return nearest if abs(count - nearest) <= LAST_BITS * abs(count) else count


class Scale:
    """Conversions of one instrument.

    The tick is kept as a fraction, so that a whole number of ticks becomes the float nearest to its decimal price.

    Attributes:
        decimals: places behind the point that a price on the grid has.
    """

    __slots__ = ("decimals", "denominator", "lot_denominator", "lot_numerator", "lot_size", "numerator", "tick_size")

    def __init__(self, instrument: Instrument) -> None:
        tick, lot = Fraction(repr(instrument.tick_size)), Fraction(repr(instrument.lot_size))
        self.tick_size, self.lot_size = instrument.tick_size, instrument.lot_size
        self.numerator, self.denominator = float(tick.numerator), float(tick.denominator)
        self.lot_numerator, self.lot_denominator = float(lot.numerator), float(lot.denominator)
        self.decimals = max(0, -int(Decimal(repr(instrument.tick_size)).normalize().as_tuple().exponent))

    def price(self, ticks: float) -> float:
        """Price of a tick count."""
        return ticks * self.numerator / self.denominator

    def price_or_none(self, ticks: float) -> float | None:
        """Price of a tick count, None for NaN: "no price" is never a number (S2.1)."""
        return None if ticks != ticks else ticks * self.numerator / self.denominator

    def ticks(self, price: float | None) -> float:
        """Tick count of a price, not rounded; NaN for None."""
        return float("nan") if price is None else without_dust(price / self.tick_size)

    def quantity(self, lots: float) -> float:
        """Quantity of a number of lots."""
        return lots * self.lot_numerator / self.lot_denominator

    def lots(self, quantity: float) -> float:
        """Number of lots of a quantity, not rounded."""
        return without_dust(quantity / self.lot_size)


class ScaleTable:
    """Conversions of whole columns whose rows belong to different symbols."""

    def __init__(self, scales: list[Scale]) -> None:
        self._price = np.array([(one.numerator, one.denominator) for one in scales]).reshape(-1, 2)
        self._lots = np.array([(one.lot_numerator, one.lot_denominator) for one in scales]).reshape(-1, 2)

    def prices(self, ticks: FloatArray, symbol: NDArray[Any]) -> FloatArray:
        """Prices of tick counts; ``symbol`` is the column of each row, -1 gives NaN."""
        return _scaled(ticks, symbol, self._price)

    def quantities(self, lots: FloatArray, symbol: NDArray[Any]) -> FloatArray:
        """Quantities of lots; a row without a symbol keeps its number."""
        scaled = _scaled(lots, symbol, self._lots)
        return np.where(symbol < 0, lots, scaled)


def _scaled(values: FloatArray, symbol: NDArray[Any], factors: FloatArray) -> FloatArray:
    column = np.maximum(symbol, 0)
    scaled: FloatArray = values * factors[column, 0] / factors[column, 1]
    return np.where(symbol < 0, np.nan, scaled)
