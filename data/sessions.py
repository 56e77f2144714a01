"""Which session and trading day a bar belongs to, and whether it may be traded in.

Rules: trading day S7.4; flattening before the session's end and regular hours S11.1. Sessions come from
pandas_market_calendars, corrected by ``session_overrides.yaml``. A bar that opens between two sessions belongs to the
next one; a pause within a session (equity index futures 16:15 to 16:30 New York until June 2021) ends nothing.

Known limits: before 19 November 2012 the afternoon hours of equity index futures are those of later years; a holiday
half session is a trading day of its own, though the exchange counts it to the next; holidays to come are guesses.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from data.errors import CalendarError
from data.session_rules import SHIPPED_RULES, apply_rules, load_rules, local_ns, parse_clock, parse_zone
from data.session_schedule import (
    NYSE_EXTENDED,
    SessionSchedule,
    build_schedule,
    cache_path,
    check_schedule,
    library_names,
    read_schedule,
    write_schedule,
    zone_of,
)
from data.spelling import nearest

BoolArray = NDArray[np.bool_]
TimeArray = NDArray[np.int64]
RegularHours = tuple[str, str, str]

DAY_NS = 86_400_000_000_000
MINUTE_NS = 60_000_000_000
REGULAR_HOURS: RegularHours = ("09:30", "16:00", "America/New_York")
ALWAYS_OPEN = "24/7"

# Our words for calendars, and the names that need no look-up in the library.
FRIENDLY_NAMES = {
    "CME_Equity_Index": "CME Globex Equity",
    "CMEGlobex_ES": "CME Globex Equity",
    "CMEGlobex_NQ": "CME Globex Equity",
    "CME": "CME Globex Equity",
    "CME_Crypto": "CME Globex Crypto",
    "CME_FX": "CMEGlobex_FX",
    "CME_Interest_Rate": "CME_Rate",
    "CBOT": "CME_Rate",
    "COMEX": "CMEGlobex_GC",
    "NYMEX": "CMEGlobex_CL",
    "NYSE_extended": NYSE_EXTENDED,
    "crypto": ALWAYS_OPEN,
}
_COMMON_NAMES = {"CME_Equity", "CMEGlobex_NG", "NYSE", "NASDAQ", "EUREX", "CMES", *FRIENDLY_NAMES.values()}
_NO_BREAK = {"CMES": "CME Globex Equity", "us_futures": "CME Globex Equity"}
_PAD = 10 * DAY_NS
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class SessionTable:
    """Session facts per bar of a timeline, for one instrument; arrays of length n.

    What holds for a whole session is kept once per session; a bar keeps the number of its session, and the facts per
    bar are made when they are asked for: of millions of bars 4 bytes each stay in memory.

    Attributes:
        time_ns: when the bars open, int64[n].
        session: int32 number of the session the bar opens in, or of the next one if it opens between sessions;
            never falling along the timeline, and higher for a later session.
        schedule: the sessions by that number.
        continuous: sessions follow each other without a pause (24/7, or no calendar).
        windows: gives opens and closes of regular hours, sorted; few ask for them.
    """

    time_ns: TimeArray
    session: NDArray[np.int32]
    schedule: SessionSchedule
    continuous: bool
    windows: Callable[[], tuple[TimeArray, TimeArray]]

    @property
    def trading_day(self) -> NDArray[np.int32]:
        """Trade date, int32 days since 1970-01-01; without a calendar the UTC date (S7.4)."""
        return self.schedule.trading_day[self.session]

    @property
    def session_open_ns(self) -> TimeArray:
        """When each bar's session opens, UTC nanoseconds; it is [open, close)."""
        return self.schedule.open_ns[self.session]

    @property
    def session_close_ns(self) -> TimeArray:
        """When each bar's session closes, UTC nanoseconds."""
        return self.schedule.close_ns[self.session]

    @property
    def in_session(self) -> BoolArray:
        """Whether the bar opens in its session and not in a pause of it."""
        time, plan = self.time_ns, self.schedule
        begun: BoolArray = time >= self.session_open_ns
        begun &= (time < plan.break_start_ns[self.session]) | (time >= plan.break_end_ns[self.session])
        return begun

    @property
    def regular(self) -> BoolArray:
        """Whether the bar opens in session and within regular hours (S11.1)."""
        return self.in_session & _within(self.time_ns, *self.windows())

    @property
    def pauses_after(self) -> BoolArray:
        """Whether nothing trades right after the session's close; false where the next one opens at once (24/7, or no
        calendar), so that there is nothing to flatten for.
        """
        pauses = np.full(len(self.schedule), not self.continuous)
        pauses[:-1] &= self.schedule.open_ns[1:] > self.schedule.close_ns[:-1]
        return pauses[self.session]

    def hours_at(self, bar: int) -> tuple[int, int]:
        """Open and close of one bar's session, UTC nanoseconds."""
        session = self.session.item(bar)
        return self.schedule.open_ns.item(session), self.schedule.close_ns.item(session)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCalendar:
    """Sessions of one market; make it with `named`.

    Attributes:
        name: as the library has it; None: no calendar (UTC days, always in session, nothing imported).
        overrides: a file of the user's own, applied after the shipped overrides.
        cache_dir: where built schedules are kept.
    """

    name: str | None
    overrides: Path | None
    cache_dir: Path

    @classmethod
    def named(cls, name: str | None, overrides: Path | None = None, cache_dir: Path | None = None) -> "SessionCalendar":
        """The calendar of that name: ours (COMEX, NYMEX, CME_Equity_Index, ...) or the library's.

        Args:
            name: None for no calendar.
            overrides: file in the layout of ``session_overrides.yaml``.
            cache_dir: None for the platform's cache folder.

        Raises:
            CalendarError: the name is unknown; the nearest ones are named.
        """
        if name is not None:
            name = _resolved(name)
        return cls(name=name, overrides=overrides, cache_dir=cache_dir or _default_cache_dir())

    @property
    def continuous(self) -> bool:
        """Whether it is always in session, in UTC days."""
        return self.name is None or self.name == ALWAYS_OPEN

    @property
    def zone(self) -> str | None:
        """IANA name of the zone in which the exchange tells its hours; None where days are UTC's."""
        return None if self.name is None or self.continuous else zone_of(self.name)

    @property
    def caveat(self) -> str | None:
        """A sentence for the report where the calendar is known to mislead, else None."""
        if self.name not in _NO_BREAK:
            return None
        return f"calendar {self.name} has no maintenance break: nothing is flattened; use '{_NO_BREAK[self.name]}'."

    def sessions(self, first_ns: int, last_ns: int) -> SessionSchedule:
        """Sessions that cover both times with some days to spare (whole years, so that later calls find them kept).

        Raises:
            CalendarError: the calendar has no sessions there.
        """
        if self.continuous:
            return _utc_days(first_ns, last_ns)
        assert self.name is not None
        first_year, last_year = _year(first_ns - _PAD), _year(last_ns + _PAD)
        texts = tuple(_read(path) for path in self._rule_files())
        path = cache_path(self.cache_dir, self.name, first_year, last_year, texts)
        schedule = read_schedule(path)
        if schedule is None:
            schedule = self._built(self.name, first_year, last_year)
            write_schedule(path, schedule)
        if len(schedule) == 0 or schedule.close_ns[-1] <= last_ns or schedule.open_ns[0] - _PAD > first_ns:
            raise CalendarError(
                f"calendar {self.name} does not cover {_day_of(first_ns)} to {_day_of(last_ns)}; "
                "choose another calendar, or none."
            )
        return schedule

    def table(self, time_ns: TimeArray, regular_hours: RegularHours = REGULAR_HOURS) -> SessionTable:
        """Session facts of bars that open at ``time_ns`` (int64, sorted, any bar length).

        ``regular_hours``: from, to and zone. In America/New_York they hold on days that NYSE is open and end with
        its early closes; in another zone, on the trading days of this calendar; without a calendar, Monday to Friday.
        """
        if len(time_ns) == 0:
            return _empty_table()
        first, last = int(time_ns[0]), int(time_ns[-1])
        _parsed_hours(regular_hours)
        schedule = self.sessions(first, last)
        numbers = np.arange(len(schedule), dtype=np.int32)
        return SessionTable(
            time_ns=time_ns,
            session=np.repeat(numbers, _bars_until(time_ns, schedule.close_ns)),
            schedule=schedule,
            continuous=self.continuous,
            windows=lambda: self._regular_windows(schedule, regular_hours, first, last),
        )

    def _rule_files(self) -> tuple[Path, ...]:
        return (SHIPPED_RULES,) if self.overrides is None else (SHIPPED_RULES, self.overrides)

    def _built(self, name: str, first_year: int, last_year: int) -> SessionSchedule:
        schedule = build_schedule(name, first_year, last_year)
        for path in self._rule_files():
            schedule = apply_rules(schedule, name, load_rules(path))
        return check_schedule(schedule, name)

    def _regular_windows(
        self, schedule: SessionSchedule, hours: RegularHours, first_ns: int, last_ns: int
    ) -> tuple[TimeArray, TimeArray]:
        """Opens and closes of regular hours, sorted; bars between are regular."""
        start, end, zone = _parsed_hours(hours)
        if self.name is None:
            days = np.arange(first_ns // DAY_NS - 1, last_ns // DAY_NS + 2)
            return _windows(days[(days + 3) % 7 < 5], start, end, zone)  # 1970-01-01 was a Thursday
        if hours[2] != REGULAR_HOURS[2]:
            return _windows(schedule.trading_day, start, end, zone)
        nyse = SessionCalendar(name="NYSE", overrides=self.overrides, cache_dir=self.cache_dir)
        return _cut_to_nyse(nyse.sessions(first_ns, last_ns), start, end, zone)


def flatten_window(table: SessionTable, time_ns: TimeArray, bar_ns: int, minutes: float) -> BoolArray:
    """Which bars [t, t + bar_ns) overlap the last ``minutes`` before their session's close (S11.1).

    A 5-minute window before 17:00 takes the minute bars that open from 16:55 on, and an hourly one of 16:00.
    False where no pause follows the session.
    """
    return table.pauses_after & (time_ns + bar_ns > table.session_close_ns - int(minutes * MINUTE_NS))


def _parsed_hours(hours: RegularHours) -> tuple[time, time, ZoneInfo]:
    start, end = (parse_clock(text, "regular hours") for text in hours[:2])
    zone = parse_zone(hours[2], "regular hours")
    if start >= end:
        raise CalendarError(f"regular hours from {hours[0]} to {hours[1]} are empty; give the earlier time first.")
    return start, end, zone


def _resolved(name: str) -> str:
    if name in FRIENDLY_NAMES:
        return FRIENDLY_NAMES[name]
    if name in _COMMON_NAMES:
        return name
    names = library_names()
    if name in names:
        return name
    near = nearest(name, (*FRIENDLY_NAMES, *sorted(_COMMON_NAMES), *names), most=4, likeness=0.4)
    hint = near or "; try CME_Equity_Index, COMEX, NYMEX, NYSE, EUREX or 24/7"
    raise CalendarError(f"calendar {name!r} is unknown{hint}.")


def _default_cache_dir() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("triphase", appauthor=False) / "sessions"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CalendarError(f"{path}: cannot be read ({error.strerror}); give a file of session overrides.") from error


def _year(time_ns: int) -> int:
    return (_EPOCH + timedelta(days=time_ns // DAY_NS)).year


def _day_of(time_ns: int) -> date:
    return _EPOCH + timedelta(days=time_ns // DAY_NS)


def _utc_days(first_ns: int, last_ns: int) -> SessionSchedule:
    days = np.arange(first_ns // DAY_NS, last_ns // DAY_NS + 1)
    closes = (days + 1) * DAY_NS
    return SessionSchedule(days.astype(np.int32), days * DAY_NS, closes, closes, closes)


def _bars_until(time_ns: TimeArray, close_ns: TimeArray) -> TimeArray:
    """How many bars belong to each session: those before its close and not before the close of the one before it."""
    before = np.searchsorted(time_ns, close_ns, side="left")
    return np.diff(before, prepend=0).astype(np.int64)


def _windows(days: NDArray[np.integer], start: time, end: time, zone: ZoneInfo) -> tuple[TimeArray, TimeArray]:
    dates = [_EPOCH + timedelta(days=int(day)) for day in np.unique(days)]
    return (
        np.array([local_ns(day, start, zone) for day in dates], np.int64),
        np.array([local_ns(day, end, zone) for day in dates], np.int64),
    )


def _cut_to_nyse(nyse: SessionSchedule, start: time, end: time, zone: ZoneInfo) -> tuple[TimeArray, TimeArray]:
    """Hours on NYSE's days: its late opens and early closes cut them, its ordinary 09:30 and 16:00 do not."""
    starts, ends = _windows(nyse.trading_day, start, end, zone)
    usual_open, usual_close = _windows(nyse.trading_day, time(9, 30), time(16), zone)
    starts = np.where(nyse.open_ns > usual_open, np.maximum(starts, nyse.open_ns), starts)
    ends = np.where(nyse.close_ns < usual_close, np.minimum(ends, nyse.close_ns), ends)
    return starts, ends


def _within(time_ns: TimeArray, starts: TimeArray, ends: TimeArray) -> BoolArray:
    """Whether each time lies in one of the windows [start, end), which are sorted and do not overlap."""
    inside = np.zeros(len(time_ns), np.bool_)
    for first, last in zip(np.searchsorted(time_ns, starts), np.searchsorted(time_ns, ends), strict=True):
        inside[first:last] = True
    return inside


def _empty_table() -> SessionTable:
    day, at = np.empty(0, np.int32), np.empty(0, np.int64)
    return SessionTable(at, day, SessionSchedule(day, at, at, at, at), True, lambda: (at, at))
