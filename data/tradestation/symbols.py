"""What a symbol is worth and how its prices are written, from the service's symbol details."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from data.errors import InstrumentError
from data.instruments import AssetClass, Instrument

_CALENDARS = {
    "CME Globex Equity": ("ES", "NQ", "YM", "RTY", "MES", "MNQ", "MYM", "M2K", "EMD", "NK"),
    "CMEGlobex_CL": ("CL", "MCL", "QM"),
    "CMEGlobex_GC": ("GC", "MGC", "SI", "HG", "PL"),
    "CMEGlobex_NG": ("NG",),
    "CMEGlobex_FX": ("AD", "BP", "CD", "EC", "JY", "MP1", "NE1", "BR", "SF"),
    "CME_Rate": ("US", "FV", "TY", "TU", "TEN", "UB"),
    "CME Globex Crypto": ("BTC", "MBT", "ETH", "MET"),
}
_ASSET_CLASSES = {"FUTURE": AssetClass.FUTURE, "STOCK": AssetClass.EQUITY, "FOREX": AssetClass.FX}


@dataclass(frozen=True, slots=True)
class PriceFormat:
    """How prices step and are written.

    Attributes:
        style: ``Decimal``, ``Fraction`` or ``SubFraction``.
        schedule: pairs (price from which on, increment), ascending; one pair for a simple increment.
    """

    style: str
    decimals: int
    fraction: int
    sub_fraction: int
    schedule: tuple[tuple[float, float], ...]

    def increment(self, price: float) -> float:
        """The tick size at ``price``."""
        size = self.schedule[0][1]
        for starts_at, step in self.schedule:
            if price >= starts_at:
                size = step
        return size

    def display(self, price: float) -> str:
        """``price`` as traders of the symbol write it: ``4512.25``, ``412'6`` (eighths), ``125'29.7`` (32nds)."""
        if self.style == "Decimal":
            return f"{price:.{self.decimals}f}"
        sign, price = ("-", -price) if price < 0 else ("", price)
        whole = math.floor(price + 1e-9)
        # Half of the smallest step that is written guards against floating-point dust just below a step.
        dust = 1e-6 / max(1, self.fraction)
        rest = max(0.0, price - whole) + dust
        part = math.floor(rest * self.fraction)
        if self.style == "Fraction":
            return f"{sign}{whole}'{part}"
        sub = (rest - part / self.fraction) * self.fraction * 10.0
        return f"{sign}{whole}'{part:02d}.{math.floor(sub + 1e-6)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolFacts:
    """One symbol as the service describes it; ``underlying`` is the contract behind a continuous symbol."""

    symbol: str
    description: str
    asset_type: str
    exchange: str
    currency: str
    root: str
    underlying: str | None
    expiration: str | None
    tick_size: float
    point_value: float
    price_format: PriceFormat

    @property
    def continuous(self) -> bool:
        """True for symbols such as ``@ES`` that stand for one contract after another."""
        return self.symbol.startswith("@")

    @property
    def calendar(self) -> str | None:
        """Name of the session calendar by root or asset type; None where it is not known."""
        if self.asset_type == "STOCK":
            return "NYSE"
        roots = (name for name, members in _CALENDARS.items() if self.root in members)
        return next(roots, None)

    def instrument(self, **facts: Any) -> Instrument:
        """Contract facts for the engine; ``facts`` gives what the service does not say (margins, costs)."""
        return Instrument(
            symbol=self.symbol,
            asset_class=_ASSET_CLASSES.get(self.asset_type, AssetClass.FUTURE),
            tick_size=self.tick_size,
            tick_value=self.tick_size * self.point_value,
            currency=self.currency,
            exchange=self.exchange,
            calendar=self.calendar,
            **facts,
        )


def _number(row: Mapping[str, Any], key: str, symbol: str) -> float:
    try:
        return float(row[key])
    except (KeyError, TypeError, ValueError):
        raise InstrumentError(f"{symbol}: the service gives {key} as {row.get(key)!r}, not a number") from None


def _whole(row: Mapping[str, Any], key: str, absent: int, symbol: str) -> int:
    return absent if row.get(key) in (None, "") else int(_number(row, key, symbol))


def _positive(row: Mapping[str, Any], key: str, symbol: str) -> float:
    value = _number(row, key, symbol)
    if not value > 0:
        raise InstrumentError(f"{symbol}: the service gives {key} as {value}; it must be positive")
    return value


def _schedule(row: Mapping[str, Any], symbol: str) -> tuple[tuple[float, float], ...]:
    steps = row.get("IncrementSchedule") or []
    if row.get("IncrementStyle") == "Schedule" and steps:
        return tuple(sorted((_number(s, "StartsAt", symbol), _positive(s, "Increment", symbol)) for s in steps))
    return ((-math.inf, _positive(row, "Increment", symbol)),)


def symbol_from_json(row: Mapping[str, Any]) -> SymbolFacts:
    """Facts of one entry of ``Symbols``; InstrumentError names what is missing."""
    symbol = str(row.get("Symbol"))
    form = row.get("PriceFormat") or {}
    schedule = _schedule(form, symbol)
    price_format = PriceFormat(
        style=str(form.get("Format") or "Decimal"),
        decimals=_whole(form, "Decimals", 2, symbol),
        fraction=_whole(form, "Fraction", 1, symbol),
        sub_fraction=_whole(form, "SubFraction", 1, symbol),
        schedule=schedule,
    )
    return SymbolFacts(
        symbol=symbol,
        description=str(row.get("Description") or ""),
        asset_type=str(row.get("AssetType") or "UNKNOWN"),
        exchange=str(row.get("Exchange") or ""),
        currency=str(row.get("Currency") or "USD"),
        root=str(row.get("Root") or symbol.lstrip("@")),
        underlying=str(row["Underlying"]) if row.get("Underlying") else None,
        expiration=str(row["ExpirationDate"])[:10] if row.get("ExpirationDate") else None,
        tick_size=schedule[0][1],
        point_value=_positive(form, "PointValue", symbol),
        price_format=price_format,
    )
