"""Where the axes have their marks: round prices, and times of the sessions in the zone that is asked for."""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import numpy as np

from app.charts.columns import BoolArray, IntArray
from app.charts.scale import Scale
from data.series import TimeArray

NS = 1_000_000_000
_MINUTE = 60
# Each step divides the next, so that the marks of a coarser step are among those of a finer one.
_STEPS = tuple(_MINUTE * minutes for minutes in (1, 5, 15, 30, 60, 120, 240, 720))
_DAY, _WEEK, _MONTH, _QUARTER, _YEAR = (len(_STEPS) + number for number in range(5))


def price_marks(scale: Scale, tick: float, most: int) -> list[float]:
    """Round prices on a scale, multiples of the tick, at most ``most`` of them."""
    if scale.logarithmic and scale.high / scale.low > 4:
        return _decades(scale, most)
    step = nice_step((scale.high - scale.low) / max(most, 1), tick)
    first, last = math.ceil(scale.low / step), math.floor(scale.high / step)
    return [round(number * step, 10) + 0.0 for number in range(first, last + 1)]


def nice_step(least: float, tick: float) -> float:
    """The smallest round multiple of the tick that is at least ``least``."""
    fine = round(1.0 / tick) if tick < 1 else 0
    if fine >= 32 and fine & (fine - 1) == 0:
        step = tick
        while step < 1 and step < least:
            step *= 2
        if step >= least:
            return step
    power = math.floor(math.log10(max(least, tick)))
    for exponent in range(power - 1, power + 3):
        for digit in (1.0, 2.0, 2.5, 5.0):
            step = digit * 10.0**exponent
            ticks = step / tick
            if step >= least * (1 - 1e-9) and ticks >= 1 - 1e-9 and abs(ticks - round(ticks)) < 1e-6 * ticks:
                return step
    return math.ceil(least / tick) * tick


def _decades(scale: Scale, most: int) -> list[float]:
    """Marks of a logarithmic scale: 1, 2, 5 times powers of ten."""
    first, last = math.floor(math.log10(scale.low)), math.ceil(math.log10(scale.high))
    marks = [digit * 10.0**power for power in range(first, last + 1) for digit in (1.0, 2.0, 5.0)]
    inside = [mark for mark in marks if scale.low <= mark <= scale.high]
    return inside[:: max(1, math.ceil(len(inside) / max(most, 1)))]


@dataclass(frozen=True, slots=True)
class TimeMark:
    """A mark of the time axis: a bar, its label, and whether it begins a day or something longer."""

    bar: int
    label: str
    major: bool


class LocalTime:
    """Wall clock times of a zone, for whole arrays; changes of the clock are found once and kept.

    Attributes:
        zone: the exchange's, UTC, or None for the zone that this machine is set to.
        name: what the axis says ("UTC", "Chicago").
    """

    def __init__(self, zone: tzinfo | None, name: str) -> None:
        self.zone = zone
        self.name = name
        self._changes: dict[int, list[tuple[int, int]]] = {}  # year -> [(second, offset from then on)]

    @classmethod
    def chosen(cls, zone: str, exchange: str | None) -> "LocalTime":
        """The zone of a choice: local, utc, or exchange: that of this IANA name, UTC where it is None."""
        if zone == "local":
            return cls(None, "local")
        if zone == "exchange" and exchange is not None:
            return cls(ZoneInfo(exchange), exchange.rpartition("/")[2].replace("_", " "))
        return cls(UTC, "UTC")

    def moment(self, time_ns: int) -> datetime:
        """A time as the zone's wall clock shows it."""
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_ns // 1000)).astimezone(self.zone)

    def seconds(self, time_ns: TimeArray) -> IntArray:
        """Seconds of the wall clock since 1970-01-01 00:00 there."""
        seconds = time_ns // NS
        if not len(seconds):
            return seconds
        years = range(self.moment(int(time_ns[0])).year, self.moment(int(time_ns[-1])).year + 1)
        changes = [change for year in (years.start - 1, *years) for change in self._year(year)]
        moments = np.array([moment for moment, _ in changes])
        offsets = np.array([offset for _, offset in changes])
        shifted: IntArray = seconds + offsets[np.searchsorted(moments, seconds, side="right") - 1]
        return shifted

    def _year(self, year: int) -> list[tuple[int, int]]:
        """The year's first second and each change of the clock within it, with the offset that holds from there."""
        if year not in self._changes:
            begin = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
            found = [(begin, self._offset(begin))]
            for day in range(begin, begin + 366 * 86400, 86400):
                if self._offset(day + 86400) != found[-1][1]:
                    change = self._change(day, day + 86400)
                    found.append((change, self._offset(change)))
            self._changes[year] = found
        return self._changes[year]

    def _change(self, before: int, after: int) -> int:
        while after - before > 1:
            middle = (before + after) // 2
            if self._offset(middle) == self._offset(before):
                before = middle
            else:
                after = middle
        return after

    def _offset(self, second: int) -> int:
        shift = datetime.fromtimestamp(second, UTC).astimezone(self.zone).utcoffset()
        return 0 if shift is None else int(shift.total_seconds())


def time_marks(
    bars: IntArray, time_ns: TimeArray, clock: LocalTime, most: int, days: IntArray | None = None
) -> list[TimeMark]:
    """Marks of an index-based time axis: at bars with which a round stretch of time begins.

    ``bars`` are the indices drawn (all, or each bucket's first) and ``time_ns`` their times; ``days`` are their
    trading days (days since 1970-01-01), without which a day begins at midnight of the clock. About ``most`` marks
    come back, in order, more where there would be none else; the first bar is never one, since what it begins is not
    known.
    """
    if len(bars) < 2:
        return []
    seconds = clock.seconds(time_ns)
    weights = _weights(seconds, seconds // 86400 if days is None else days)
    wanted = _finest(weights, most)
    at = np.nonzero(weights >= wanted)[0] + 1
    own_days = seconds // 86400 if days is None else days
    return [
        TimeMark(int(bars[i]), _label(int(seconds[i]), int(own_days[i]), int(weights[i - 1])), weights[i - 1] >= _DAY)
        for i in at
    ]


def _weights(seconds: IntArray, days: IntArray) -> IntArray:
    """For each bar but the first, the longest stretch of time that begins with it (-1: none)."""
    weights = np.full(len(seconds) - 1, -1, dtype=np.int64)
    for number, step in enumerate(_STEPS):
        weights[_begins(seconds // step)] = number
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    for weight, stretch in (
        (_DAY, days),
        (_WEEK, (days + 3) // 7),
        (_MONTH, months),
        (_QUARTER, months // 3),
        (_YEAR, months // 12),
    ):
        weights[_begins(stretch)] = weight
    return weights


def _begins(stretch: IntArray) -> BoolArray:
    changed: BoolArray = np.diff(stretch) != 0
    return changed


def _finest(weights: IntArray, most: int) -> int:
    """The finest step whose marks, with all coarser ones, are not too many; too many rather than none at all."""
    counts = np.bincount(weights[weights >= 0], minlength=_YEAR + 1)[::-1].cumsum()[::-1]
    for weight in range(_YEAR + 1):
        if counts[weight] <= most:
            return weight if counts[weight] else max(weight - 1, 0)
    return _YEAR


def _label(second: int, day: int, weight: int) -> str:
    if weight < _DAY:
        return f"{second // 3600 % 24:02d}:{second // 60 % 60:02d}"
    begun = date(1970, 1, 1) + timedelta(days=day)
    if weight == _YEAR:
        return str(begun.year)
    return f"{begun:%b}" if weight >= _MONTH else f"{begun.day} {begun:%b}"
