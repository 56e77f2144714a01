"""Decides when each bar opens: bar length, which end of the bar a stamp marks, dates for bars of a day or longer.

Rulebook S3.1 (times are the bar's open, UTC) and S3.5 (every symbol has a bar length; daily bars share one timeline of
dates, so a daily bar's time is midnight UTC of its date, whatever zone its stamp had).
"""

import re

import numpy as np
from numpy.typing import NDArray

from data.errors import SourceError
from data.series import TimeArray
from data.sources.raw import Label
from data.zones import DAY_NS, SECOND_NS

_UNITS = {"s": SECOND_NS, "m": 60 * SECOND_NS, "h": 3600 * SECOND_NS, "d": DAY_NS, "w": 7 * DAY_NS}
# A unit's letter, or its word in full or cut as is usual: 1mo and 1ms are no minutes.
_LENGTH = re.compile(
    r"^(\d{1,5})\s*(?:(s)(?:ecs?|econds?)?|(m)(?:ins?|inutes?)?|(h)(?:rs?|ours?)?|(d)(?:ays?)?|(w)(?:eeks?)?)$"
)
_LONG_NS = DAY_NS * 20 // 24
_SAMPLE = 20_000


def length_ns(text: str) -> int:
    """Return a bar length such as ``30s``, ``1m``, ``4h``, ``1d``, ``1w`` in nanoseconds; SourceError if it is none."""
    found = _LENGTH.match(text.strip().lower())
    if found is None or int(found.group(1)) == 0:
        raise SourceError(f"bar length {text!r} is not known; write it as 30s, 1m, 5m, 1h, 1d or 1w")
    unit = next(letter for letter in found.groups()[1:] if letter is not None)
    return int(found.group(1)) * _UNITS[unit]


def length_text(bar_ns: int) -> str:
    """Return a bar length as it is written in a configuration: ``5m``, ``1h``, ``1d``."""
    unit = next(unit for unit in ("w", "d", "h", "m", "s") if bar_ns % _UNITS[unit] == 0 or unit == "s")
    return f"{bar_ns / _UNITS[unit]:g}{unit}"


def are_long(stamp_ns: TimeArray) -> bool:
    """Return whether stamps, in any order, are mostly so far apart that their bars last a day or longer."""
    steps = np.abs(np.diff(stamp_ns[:_SAMPLE]))
    steps = steps[steps > 0]
    return bool(len(steps)) and float(np.median(steps)) >= _LONG_NS


def recognise_length(stamp_ns: TimeArray, symbol: str) -> int:
    """Return the distance that is most common among stamps in order; SourceError where that says nothing.

    For bars of a day or longer, give their dates.
    """
    steps = np.diff(stamp_ns[:_SAMPLE])
    if not len(steps):
        raise SourceError(
            f"{symbol}: the length of a bar cannot be recognised from one bar; set `bar_length`, such as 1m"
        )
    lengths, counts = np.unique(steps, return_counts=True)
    common = int(lengths[np.argmax(counts)])
    if common >= 28 * DAY_NS:
        raise SourceError(
            f"{symbol}: bars are {common // DAY_NS} days apart; bars of a month have no fixed length, "
            "use daily or weekly ones"
        )
    if common > DAY_NS:
        return DAY_NS if common < 5 * DAY_NS else 7 * DAY_NS
    return common


def dates_of(wall_ns: TimeArray, label: Label, dates_only: bool) -> TimeArray:
    """Return midnight UTC of each daily bar's date; a midnight that marks a bar's end belongs to the day before."""
    moments = wall_ns - 1 if label == "close" and not dates_only else wall_ns
    dates: TimeArray = moments // DAY_NS * DAY_NS
    return dates


def open_times(stamp_ns: TimeArray, bar_ns: int, label: Label) -> TimeArray:
    """Return the times at which bars open (S3.1), from stamps in strict order.

    A bar stamped at its end opens one length earlier, or when the bar before it ended: a session's last bar may be
    short.
    """
    if label == "open":
        return stamp_ns
    opens: TimeArray = stamp_ns - bar_ns
    opens[1:] = np.maximum(opens[1:], stamp_ns[:-1])
    return opens


def overlapping(stamp_ns: TimeArray, bar_ns: int, label: Label) -> NDArray[np.bool_]:
    """Return bars that open before the one before them has ended.

    Of bars stamped at their end, one may be short if the next one is not: it ended with its session.
    """
    short = np.zeros(len(stamp_ns), dtype=bool)
    short[1:] = np.diff(stamp_ns) < bar_ns
    if label == "open":
        return short
    follows: NDArray[np.bool_] = short & np.concatenate(([False], short[:-1]))
    return follows
