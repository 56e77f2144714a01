"""What a live bar is: an object of the service's JSON turned into open-stamped figures.

TradeStation stamps a bar with the time at which it CLOSES and writes nearly all numbers as strings. A ``LiveBar``
keeps both times: ``close_ns`` identifies it towards the service, ``open_ns`` is its place on the timeline (S3.1).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from data.tradestation.clock import NS

DAY_NS = 86_400 * NS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class BarUnit(StrEnum):
    """Units in which the service counts bar lengths; there is no hour, 60 minutes are one."""

    MINUTE = "Minute"
    DAILY = "Daily"
    WEEKLY = "Weekly"
    MONTHLY = "Monthly"


@dataclass(frozen=True, slots=True)
class Interval:
    """Length of a bar: 1 to 1440 minutes, or one day, week or month."""

    minutes: int = 1
    unit: BarUnit = BarUnit.MINUTE

    def __post_init__(self) -> None:
        if self.unit is BarUnit.MINUTE and not 1 <= self.minutes <= 1440:
            raise ValueError(f"a bar of {self.minutes} minutes: the service gives 1 to 1440")
        if self.unit is not BarUnit.MINUTE and self.minutes != 1:
            raise ValueError(f"{self.minutes} x {self.unit}: the service gives one at a time")

    @property
    def bar_ns(self) -> int:
        """Length in nanoseconds; a month counts 30 days (thresholds only, never bar edges)."""
        lengths = {BarUnit.DAILY: DAY_NS, BarUnit.WEEKLY: 7 * DAY_NS, BarUnit.MONTHLY: 30 * DAY_NS}
        return lengths.get(self.unit, self.minutes * 60 * NS)

    @property
    def query(self) -> dict[str, str]:
        """The parameters that ask for it."""
        return {"interval": str(self.minutes), "unit": self.unit.value}

    @property
    def label(self) -> str:
        """Short name, as ``1m`` or ``daily``; used in file names."""
        return f"{self.minutes}m" if self.unit is BarUnit.MINUTE else self.unit.value.lower()

    def open_ns(self, close_ns: int) -> int:
        """Time the bar stamped ``close_ns`` opens: minutes exactly, longer bars their date at 00:00 UTC (S3.5)."""
        return close_ns - self.bar_ns if self.unit is BarUnit.MINUTE else close_ns // DAY_NS * DAY_NS


@dataclass(frozen=True, slots=True)
class LiveBar:
    """One bar as the service gave it at some moment.

    Attributes:
        open_ns, close_ns: UTC nanoseconds.
        volume: up and down volume together; ticks: number of trades.
        closed: what ``BarStatus`` says; None where the service does not say.
        end_of_history: the last bar of the history that a request or a stream begins with.
    """

    open_ns: int
    close_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    ticks: int = 0
    closed: bool | None = None
    end_of_history: bool = False

    @property
    def figures(self) -> tuple[float, float, float, float, float]:
        """What makes two copies of a bar equal."""
        return (self.open, self.high, self.low, self.close, self.volume)


class MalformedBarError(ValueError):
    """An object that should be a bar lacks a figure or has one that is none; the message says which."""


def parse_time(text: str) -> int:
    """UTC nanoseconds of an RFC 3339 time with an offset; raises ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time {text!r} has no offset")
    return (moment - _EPOCH) // _MICROSECOND * 1000


def format_time(ns: int, *, fraction: bool = False) -> str:
    """RFC 3339 text in UTC with ``Z``, to the second or to the microsecond."""
    moment = _EPOCH + timedelta(microseconds=ns // 1000)
    pattern = "%Y-%m-%dT%H:%M:%S.%fZ" if fraction else "%Y-%m-%dT%H:%M:%SZ"
    return moment.strftime(pattern)


def _number(row: Mapping[str, Any], key: str) -> float:
    try:
        value = float(row[key])
    except (KeyError, TypeError, ValueError):
        raise MalformedBarError(f"{key} is {row.get(key)!r}, not a number") from None
    if not math.isfinite(value):
        raise MalformedBarError(f"{key} is {row[key]!r}, not finite")
    return value


def _stamp(row: Mapping[str, Any]) -> int:
    text = row.get("TimeStamp")
    try:
        return parse_time(str(text))
    except ValueError:
        raise MalformedBarError(f"TimeStamp is {text!r}, not a time") from None


def bar_from_json(row: Mapping[str, Any], interval: Interval) -> LiveBar:
    """The bar that ``row`` describes; MalformedBarError where it does not describe one."""
    close_ns = _stamp(row)
    status = row.get("BarStatus")
    bar = LiveBar(
        open_ns=interval.open_ns(close_ns),
        close_ns=close_ns,
        open=_number(row, "Open"),
        high=_number(row, "High"),
        low=_number(row, "Low"),
        close=_number(row, "Close"),
        volume=_number(row, "TotalVolume"),
        ticks=int(_number(row, "TotalTicks")) if row.get("TotalTicks") else 0,
        closed=None if status is None else str(status) == "Closed",
        end_of_history=bool(row.get("IsEndOfHistory")),
    )
    if bar.high < max(bar.open, bar.close) or bar.low > min(bar.open, bar.close):
        raise MalformedBarError(f"high {bar.high} and low {bar.low} do not bound open {bar.open} and close {bar.close}")
    return bar
