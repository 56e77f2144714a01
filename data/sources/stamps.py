"""Decides what a written time means: ISO 8601, slashed dates in either order, compact digits, epochs.

A time is read as (nanoseconds of the wall clock, offset in nanoseconds or None). Whether 03/04/2020 is March or April
is decided by the whole column (``date_order``), never by one row.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from data.zones import DAY_NS, SECOND_NS

Order = Literal["YMD", "MDY", "DMY"]
_DATE = re.compile(r"^(\d{1,4})[/.\-](\d{1,2})[/.\-](\d{1,4})$")
_CLOCK = re.compile(r"^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*([AaPp][Mm])?$")
_OFFSET = re.compile(r"^(.*\d)\s*(?:([+-])(\d{2}):?(\d{2})?|([Zz]))$")
_EPOCH_UNITS = {10: SECOND_NS, 13: 1_000_000, 16: 1_000, 19: 1}
# int64 nanoseconds hold the years 1678 to 2261; a file with others has a slip in it.
FIRST_YEAR, LAST_YEAR = 1700, 2250
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def parse_stamp(text: str, order: Order) -> tuple[int, int | None, bool]:
    """Return (wall clock ns, offset ns or None, has a time of day) of a time in one cell; ValueError if it is none."""
    text = text.strip()
    if text.isdigit():
        return _digits(text)
    body, offset = _split_offset(text)
    day, between, clock = body.replace("T", " ", 1).partition(" ")
    if between and not clock:
        raise ValueError(f"{text!r} ends before its time of day")
    wall = parse_date(day, order)
    if not clock:
        return wall, offset, False
    return wall + parse_clock(clock), offset, True


# Files repeat few dates and times of day in many rows.
@lru_cache(maxsize=8192)
def parse_date(text: str, order: Order) -> int:
    """Return midnight of a date, ns; ValueError if it is none."""
    text = text.strip()
    if text.isdigit() and len(text) == 8:
        year, month, day = int(text[:4]), int(text[4:6]), int(text[6:])
    else:
        year, month, day = _date_parts(text, order)
    if not FIRST_YEAR <= year < LAST_YEAR:
        raise ValueError(f"{text!r} is not of the years {FIRST_YEAR} to {LAST_YEAR}")
    return (date(year, month, day).toordinal() - _EPOCH_DAY) * DAY_NS


@lru_cache(maxsize=8192)
def parse_clock(text: str) -> int:
    """Return a time of day in ns, from ``HH:MM[:SS[.f]] [AM|PM]``, ``HHMM`` or ``HHMMSS``; ValueError if it is none."""
    text = text.strip()
    if text.isdigit() and len(text) <= 6:
        width = 4 if len(text) <= 4 else 6
        digits = text.zfill(width).ljust(6, "0")
        return _clock_ns(int(digits[:2]), int(digits[2:4]), int(digits[4:]), 0)
    found = _CLOCK.match(text)
    if found is None:
        raise ValueError(f"{text!r} is not a time of day")
    hour, minute, second, fraction, half = found.groups()
    hours = int(hour)
    if half is not None:
        if not 1 <= hours <= 12:
            raise ValueError(f"{text!r} is not a time of day")
        hours = hours % 12 + (12 if half.lower() == "pm" else 0)
    return _clock_ns(hours, int(minute), int(second or 0), int((fraction or "0").ljust(9, "0")))


def date_order(texts: Iterable[str], preferred: Order | None = None) -> tuple[Order, bool]:
    """Decide the order of day and month for a whole column of dates.

    Returns the order and whether it had to be guessed: both readings are dates, and both ascend.
    """
    days = list(dict.fromkeys(text.strip().partition(" ")[0].partition("T")[0] for text in texts))
    slashed = [text for text in days if (found := _DATE.match(text)) and len(found.group(1)) < 3]
    if not slashed:
        return "YMD", False
    if preferred is not None:
        return preferred, False
    first: Order = "DMY" if "." in slashed[0] else "MDY"
    second: Order = "MDY" if first == "DMY" else "DMY"
    scores = {order: _score(slashed, order) for order in (first, second)}
    best = first if scores[first] >= scores[second] else second
    return best, first == "MDY" and scores[first] == scores[second] and len(slashed) > 1


def _score(texts: list[str], order: Order) -> tuple[int, int]:
    """Return how many texts are dates in this order, and how many of them ascend."""
    days = []
    for text in texts:
        try:
            days.append(parse_date(text, order))
        except ValueError:
            continue
    return len(days), sum(a < b for a, b in pairwise(days))


def _date_parts(text: str, order: Order) -> tuple[int, int, int]:
    found = _DATE.match(text)
    if found is None:
        raise ValueError(f"{text!r} is not a date")
    a, b, c = (int(part) for part in found.groups())
    if len(found.group(1)) == 4:
        return a, b, c
    year = c if len(found.group(3)) == 4 else _century(c)
    return (year, b, a) if order == "DMY" else (year, a, b)


def _century(year: int) -> int:
    """Return the four-digit year of a two-digit one: 70 to 99 are of the last century."""
    return year + (1900 if year >= 70 else 2000) if year < 100 else year


def _clock_ns(hour: int, minute: int, second: int, fraction_ns: int) -> int:
    # 24:00 is how some exports write midnight at a day's end.
    whole = hour == 24 and minute == second == 0
    if not (whole or hour < 24) or minute > 59 or second > 59:
        raise ValueError(f"{hour:02d}:{minute:02d}:{second:02d} is not a time of day")
    return (hour * 3600 + minute * 60 + second) * SECOND_NS + fraction_ns


def _digits(text: str) -> tuple[int, int | None, bool]:
    if len(text) == 8:
        return parse_date(text, "YMD"), None, False
    if len(text) in (12, 14):
        return parse_date(text[:8], "YMD") + parse_clock(text[8:]), None, True
    unit = _EPOCH_UNITS.get(len(text))
    if unit is None:
        raise ValueError(f"{text!r} is not a time")
    moment = int(text) * unit
    if moment >= (LAST_YEAR - 1970) * 365 * DAY_NS:
        raise ValueError(f"{text!r} is not of the years {FIRST_YEAR} to {LAST_YEAR}")
    return moment, 0, True


def _split_offset(text: str) -> tuple[str, int | None]:
    """Cut an offset off the end; a bare date such as 2020-11-16 has none."""
    if ":" not in text:
        return text, None
    found = _OFFSET.match(text)
    if found is None:
        return text, None
    body, sign, hours, minutes, zulu = found.groups()
    if zulu:
        return body, 0
    if int(hours) > 23 or int(minutes or 0) > 59:
        raise ValueError(f"{text!r} has an offset of more than a day, or minutes that are none")
    seconds = int(hours) * 3600 + int(minutes or 0) * 60
    return body, (seconds if sign == "+" else -seconds) * SECOND_NS


def stamp_text(ns: int) -> str:
    """Return a UTC moment as ``2013-10-06 22:00`` (seconds only where there are any), for messages."""
    moment = datetime.fromtimestamp(ns // SECOND_NS, tz=UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S" if moment.second else "%Y-%m-%d %H:%M")
