"""How numbers are written: prices by their tick, money, R multiples; never a negative zero."""

import math
from dataclasses import dataclass
from enum import Enum

MINUS = "\N{MINUS SIGN}"


class PriceStyle(Enum):
    """Ways to write a price."""

    DECIMAL = "decimal"  # 4,416.25
    THIRTY_SECONDS = "32nds"  # 118'165: 118 and 16.5 thirty-seconds
    EIGHTHS = "8ths"  # 450'2: 450 and two eighths
    COMPACT = "compact"  # 18.2 K, for volumes and money on narrow axes
    PERCENT = "percent"  # 0.05 is 5.0 %


@dataclass(frozen=True, slots=True)
class PriceFormat:
    """Writes prices of one instrument.

    Attributes:
        tick: tick size.
        decimals: places after the point.
        style: decimal, or the fractions in which the market quotes.
    """

    tick: float
    decimals: int
    style: PriceStyle = PriceStyle.DECIMAL

    @classmethod
    def for_tick(cls, tick: float, style: PriceStyle | None = None) -> "PriceFormat":
        """The usual way to write prices of a tick size: 32nds for 1/32, 1/64, ..., else just enough decimals."""
        if style is None:
            fine = round(1.0 / tick) if tick < 1 / 16 else 0
            power_of_two = fine >= 32 and fine & (fine - 1) == 0 and math.isclose(fine * tick, 1.0)
            style = PriceStyle.THIRTY_SECONDS if power_of_two else PriceStyle.DECIMAL
        return cls(tick, _decimals(tick), style)

    def text(self, price: float) -> str:
        """A price as text; empty for NaN."""
        if not math.isfinite(price):
            return ""
        if self.style is PriceStyle.DECIMAL:
            return number(price, self.decimals)
        if self.style is PriceStyle.COMPACT:
            return compact(price)
        if self.style is PriceStyle.PERCENT:
            return f"{number(100 * price, 1)} %"
        return self._fraction(price, 32 if self.style is PriceStyle.THIRTY_SECONDS else 8)

    def _fraction(self, price: float, parts: int) -> str:
        finest = max(round(1.0 / self.tick), parts)
        units = round(abs(price) * finest)
        whole, rest = divmod(units, finest)
        part, remainder = divmod(rest, finest // parts)
        width = 2 if parts > 9 else 1
        # The exchange's way: the tenths digit of a part is cut, not rounded (a quarter of a 32nd is 2, a half is 5).
        tail = str(remainder * 10 // (finest // parts)) if finest > parts else ""
        sign = MINUS if price < 0 and units else ""
        return f"{sign}{whole:,}'{part:0{width}d}{tail}"

    def snapped(self, price: float) -> float:
        """The price on the tick grid that lies nearest."""
        return round(round(price / self.tick) * self.tick, 10) + 0.0


def _decimals(tick: float) -> int:
    for places in range(10):
        if math.isclose(tick * 10**places, round(tick * 10**places), rel_tol=1e-9, abs_tol=1e-9):
            return places
    return 10


def quantity_text(value: float) -> str:
    """A quantity with as many decimals as it has, never with an exponent: 2, 0.0015, 1,250,000."""
    whole, _, decimals = f"{value:,.8f}".partition(".")
    decimals = decimals.rstrip("0")
    return f"{whole}.{decimals}" if decimals else whole


def number(value: float, decimals: int = 2, signed: bool = False) -> str:
    """A number with thousands' separators and a true minus sign; a plus sign where asked for."""
    rounded = round(value, decimals)
    text = f"{abs(rounded):,.{decimals}f}"
    if rounded < 0:
        return MINUS + text
    return f"+{text}" if signed and rounded > 0 else text


def compact(value: float) -> str:
    """A volume or a sum in few characters: 2,314, 18.2 K, 4.1 M."""
    for limit, unit in ((1e9, "B"), (1e6, "M"), (1e4, "K")):
        if abs(value) >= limit:
            return f"{number(value / (1e3 if unit == 'K' else limit), 1)} {unit}"
    return number(value, 0 if value == round(value) else 2)


def r_multiple(value: float) -> str:
    """An R multiple: +1.6 R."""
    return f"{number(value, 1, signed=True)} R"
