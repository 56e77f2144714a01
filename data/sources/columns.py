"""Decides which column plays which part, by its name and never by its place; the names are those that exports use."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

STAMP_NAMES = (
    "timestamp",
    "datetime",
    "opentime",
    "closetime",
    "gmttime",
    "localtime",
    "date",
    "time",
    "ts",
    "index",
    "indexlevel0",
    "",
)
PRICE_NAMES: Mapping[str, tuple[str, ...]] = {
    "open": ("open", "o", "openprice", "openbid"),
    "high": ("high", "h", "highprice", "highbid"),
    "low": ("low", "l", "lowprice", "lowbid"),
    "close": ("close", "c", "last", "closeprice", "closebid"),
}
TICK_VOLUME_NAMES = ("tickvolume", "tickvol")
_VOLUME_NAMES = ("totalvolume", "volume", "vol", "v", *TICK_VOLUME_NAMES)
_ADJUSTED_NAMES = ("adjclose", "adjustedclose")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Places of the columns that are read.

    Attributes:
        stamp: the time, or the date where the time of day has a column of its own (``clock``).
        volume: columns to add up; empty where there is none.
    """

    stamp: int
    clock: int | None
    open: int
    high: int
    low: int
    close: int
    volume: tuple[int, ...]
    adjusted_close: int | None

    @property
    def prices(self) -> tuple[int, int, int, int]:
        """Columns of open, high, low, close."""
        return self.open, self.high, self.low, self.close

    @property
    def numbers(self) -> tuple[int, ...]:
        """Columns of prices, volume and adjusted close, in this order."""
        adjusted = () if self.adjusted_close is None else (self.adjusted_close,)
        return (*self.prices, *self.volume, *adjusted)


def plain_name(name: str) -> str:
    """Return a column's name for comparison: lower case, letters and digits only, so that ``<OPEN>`` is known."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def find_columns(names: Sequence[str]) -> Columns | str:
    """Return the columns, or which of the needed ones are missing, in words."""
    plain = [plain_name(name) for name in names]
    stamp = _find(plain, STAMP_NAMES)
    prices = {role: _find(plain, known) for role, known in PRICE_NAMES.items()}
    open_, high, low, close = prices.values()
    if stamp is None or open_ is None or high is None or low is None or close is None:
        missing = ["time (timestamp, datetime, date)"] if stamp is None else []
        return ", ".join([*missing, *(role for role, place in prices.items() if place is None)])
    return Columns(
        stamp=stamp,
        clock=plain.index("time") if plain[stamp] == "date" and "time" in plain else None,
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=_volume(plain),
        adjusted_close=_find(plain, _ADJUSTED_NAMES),
    )


def _volume(plain: Sequence[str]) -> tuple[int, ...]:
    """Return the volume's columns: volume on rising and on falling ticks are its two halves."""
    if {"up", "down"} <= set(plain):
        return plain.index("up"), plain.index("down")
    found = _find(plain, _VOLUME_NAMES)
    return () if found is None else (found,)


def _find(plain: Sequence[str], known: Sequence[str]) -> int | None:
    """Return the column with the first known name there is."""
    return next((plain.index(name) for name in known if name in plain), None)
