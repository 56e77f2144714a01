"""Decides what moment a wall-clock time means: zone names to offsets, summer-time hours found, not guessed.

Wall-clock times are int64 nanoseconds since 1970-01-01 00:00 of the clock on the wall. A zone's offsets are looked up
once per transition, so that a million bars cost a search, not a million conversions.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from data.errors import SourceError
from data.series import TimeArray

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
_OFFSET = re.compile(r"^(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?$")


@dataclass(frozen=True, slots=True)
class Localised:
    """Wall-clock times turned into UTC, and those for which that has no single answer.

    Attributes:
        utc_ns: moments; the first reading where an hour comes twice.
        later_ns: the second reading where an hour comes twice, else the same as ``utc_ns``.
        missing: wall-clock times that the clock skipped.
    """

    utc_ns: TimeArray
    later_ns: TimeArray
    missing: NDArray[np.bool_]

    @property
    def twice(self) -> NDArray[np.bool_]:
        """Wall-clock times that came twice."""
        twice: NDArray[np.bool_] = self.utc_ns != self.later_ns
        return twice


def zone_named(name: str) -> tzinfo:
    """Return the zone of an IANA name (``America/New_York``) or an offset (``-05:00``); SourceError if unknown."""
    offset = _OFFSET.match(name.strip())
    if offset is not None and int(offset.group(2)) < 24 and int(offset.group(3) or 0) < 60:
        sign, hours, minutes = offset.groups()
        span = timedelta(hours=int(hours), minutes=int(minutes or 0))
        return timezone(span if sign == "+" else -span)
    if name.strip().upper() in {"UTC", "GMT", "Z"}:
        return UTC
    try:
        return ZoneInfo(name.strip())
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise SourceError(
            f"timezone {name!r} is not known; give an IANA name such as America/Chicago, or an offset such as -05:00"
        ) from unknown


def to_utc(wall_ns: TimeArray, zone: tzinfo) -> Localised:
    """Read wall-clock times in ``zone``; hours that come twice or never are reported, not guessed."""
    if not len(wall_ns):
        return Localised(wall_ns, wall_ns, np.zeros(0, dtype=bool))
    starts, offsets = _transitions(int(wall_ns.min()), int(wall_ns.max()), zone)
    # Of two neighbouring offsets each gives a reading; it counts if that moment really has that offset.
    last = np.searchsorted(starts + offsets, wall_ns, side="right") - 1
    candidates = [np.clip(last + step, 0, len(starts) - 1) for step in (-1, 0, 1)]
    readings = [wall_ns - offsets[index] for index in candidates]
    valid = [
        np.searchsorted(starts, reading, side="right") - 1 == index
        for reading, index in zip(readings, candidates, strict=True)
    ]
    first = np.full(len(wall_ns), np.iinfo(np.int64).max)
    later = np.full(len(wall_ns), np.iinfo(np.int64).min)
    for reading, good in zip(readings, valid, strict=True):
        first = np.where(good, np.minimum(first, reading), first)
        later = np.where(good, np.maximum(later, reading), later)
    missing = ~(valid[0] | valid[1] | valid[2])
    fallback = readings[1]
    return Localised(np.where(missing, fallback, first), np.where(missing, fallback, later), missing)


def to_wall(utc_ns: TimeArray, zone: tzinfo) -> TimeArray:
    """Return what the clock on the wall in ``zone`` shows at each moment."""
    if not len(utc_ns):
        return utc_ns
    starts, offsets = _transitions(int(utc_ns.min()), int(utc_ns.max()), zone)
    wall: TimeArray = utc_ns + offsets[np.searchsorted(starts, utc_ns, side="right") - 1]
    return wall


def _transitions(first_ns: int, last_ns: int, zone: tzinfo) -> tuple[TimeArray, TimeArray]:
    """Return moments from which an offset holds and the offsets, in ns, covering the range with days to spare."""
    day = first_ns // DAY_NS - 3
    end = last_ns // DAY_NS + 3
    starts = [day * DAY_NS]
    offsets = [_offset_ns(starts[0], zone)]
    while day < end:
        # No zone changes its offset twice within four days.
        step = min(day + 4, end)
        if _offset_ns(step * DAY_NS, zone) != offsets[-1]:
            starts.append(_change(day * DAY_NS, step * DAY_NS, zone))
            offsets.append(_offset_ns(starts[-1], zone))
        day = step
    return np.array(starts, dtype=np.int64), np.array(offsets, dtype=np.int64)


def _change(low_ns: int, high_ns: int, zone: tzinfo) -> int:
    """Return the first whole second in (low, high] at which the zone's offset is the new one."""
    before = _offset_ns(low_ns, zone)
    low, high = low_ns // SECOND_NS, high_ns // SECOND_NS
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_ns(middle * SECOND_NS, zone) == before:
            low = middle
        else:
            high = middle
    return high * SECOND_NS


def _offset_ns(utc_ns: int, zone: tzinfo) -> int:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=utc_ns // SECOND_NS)
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None  # an aware datetime has one
    return int(offset.total_seconds()) * SECOND_NS
