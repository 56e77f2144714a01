"""When sessions open, pause and close, over a range of dates, and where that is kept on disk.

A schedule is five plain arrays. Building one imports the calendar library and pandas (more than half a second), so
what was built is kept as ``.npz`` in the platform's cache folder and read from there, without either.
"""

import hashlib
import logging
import os
import warnings
import zipfile
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import CalendarError

LIBRARY = "pandas_market_calendars"
NYSE_EXTENDED = "NYSE extended"
_BREAKS_FROM = {"CME Globex Equity": "CME_Equity"}  # the pause 16:15 to 16:30 until June 2021 stands in the other one
_FORMAT = 1
# Zones of the exchanges that are traded most: asking the library for them would cost its import.
_ZONES = (
    ("CME", "America/Chicago"),
    ("EUREX", "Europe/Berlin"),
    ("NYSE", "America/New_York"),
    ("NASDAQ", "America/New_York"),
)
_LOG = logging.getLogger(__name__)

Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SessionSchedule:
    """Sessions in order, arrays of length m; times are UTC nanoseconds.

    Attributes:
        trading_day: trade date, days since 1970-01-01, int32.
        open_ns, close_ns: a session is [open, close); sessions do not overlap.
        break_start_ns, break_end_ns: pause within the session; both equal the close where there is none.
    """

    trading_day: NDArray[np.int32]
    open_ns: Times
    close_ns: Times
    break_start_ns: Times
    break_end_ns: Times

    def __len__(self) -> int:
        return len(self.open_ns)

    def take(self, chosen: NDArray[np.bool_]) -> "SessionSchedule":
        """The sessions where ``chosen`` is true."""
        return SessionSchedule(
            self.trading_day[chosen],
            self.open_ns[chosen],
            self.close_ns[chosen],
            self.break_start_ns[chosen],
            self.break_end_ns[chosen],
        )

    def covers_day(self, day: int) -> bool:
        """Whether the day lies between the first and the last session's."""
        return len(self) > 0 and int(self.trading_day[0]) <= day <= int(self.trading_day[-1])

    def with_day(self, day: int) -> "SessionSchedule":
        """With one more session on ``day``; its hours are to be set by `with_hours`."""
        at = int(np.searchsorted(self.trading_day, day))

        def grown(values: Times) -> Times:
            return np.insert(values, at, 0)

        return SessionSchedule(
            np.insert(self.trading_day, at, day).astype(np.int32),
            grown(self.open_ns),
            grown(self.close_ns),
            grown(self.break_start_ns),
            grown(self.break_end_ns),
        )

    def with_hours(self, open_ns: Times, close_ns: Times) -> "SessionSchedule":
        """With other opens and closes; a pause that no longer lies within its session is dropped."""
        pauses = (
            (self.break_start_ns < self.break_end_ns) & (self.break_start_ns > open_ns) & (self.break_end_ns < close_ns)
        )
        start = np.where(pauses, self.break_start_ns, close_ns)
        end = np.where(pauses, self.break_end_ns, close_ns)
        return SessionSchedule(self.trading_day, open_ns, close_ns, start, end)


def library_names() -> tuple[str, ...]:
    """Every calendar name the library knows (imports it)."""
    return tuple(_library().get_calendar_names())


@cache
def zone_of(name: str) -> str:
    """IANA name of the zone in which an exchange tells its hours; for rare calendars the library is imported."""
    for begin, zone in _ZONES:
        if name.startswith(begin):
            return zone
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return str(_library().get_calendar(name).tz)


def build_schedule(name: str, first_year: int, last_year: int) -> SessionSchedule:
    """The library's sessions from 1 January of the first to 31 December of the last year, without overrides.

    Raises:
        CalendarError: the calendar has no sessions there, or they overlap.
    """
    schedule = _library_schedule(name, first_year, last_year)
    if name in _BREAKS_FROM:
        schedule = _with_breaks(schedule, _library_schedule(_BREAKS_FROM[name], first_year, last_year))
    return schedule


def check_schedule(schedule: SessionSchedule, name: str) -> SessionSchedule:
    """The schedule itself, or CalendarError where sessions are empty, reversed or overlap (an override may do that)."""
    wrong = schedule.open_ns >= schedule.close_ns
    wrong[1:] |= schedule.open_ns[1:] < schedule.close_ns[:-1]
    if wrong.any():
        day = np.datetime64(int(schedule.trading_day[int(np.argmax(wrong))]), "D")
        raise CalendarError(
            f"calendar {name}: the session of {day} ends before it opens, or opens before the one before it ends; "
            "check the session overrides for that day."
        )
    return schedule


def _library() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas_market_calendars
    return pandas_market_calendars


def _library_schedule(name: str, first_year: int, last_year: int) -> SessionSchedule:
    library_name = "NYSE" if name == NYSE_EXTENDED else name
    first, last = ("pre", "post") if name == NYSE_EXTENDED else ("market_open", "market_close")
    with warnings.catch_warnings():
        # It speaks of pauses that a calendar no longer has (they come out with zero length, which we read as none)
        # and of its own use of pandas; neither is the user's to mend.
        warnings.simplefilter("ignore")
        calendar = _library().get_calendar(library_name)
        frame = calendar.schedule(f"{first_year}-01-01", f"{last_year}-12-31", start=first, end=last)
    if len(frame) == 0:
        raise CalendarError(
            f"calendar {name} has no sessions from {first_year} to {last_year}; choose another calendar or other dates."
        )
    opens, closes = _utc_ns(frame[first]), _utc_ns(frame[last])
    pauses = "break_start" in frame.columns
    return SessionSchedule(
        (frame.index.as_unit("ns").asi8 // 86_400_000_000_000).astype(np.int32),
        opens,
        closes,
        _utc_ns(frame["break_start"]) if pauses else closes,
        _utc_ns(frame["break_end"]) if pauses else closes,
    ).with_hours(opens, closes)


def _utc_ns(column: Any) -> Times:
    """A column of UTC times as int64 nanoseconds, whatever unit pandas keeps them in."""
    return np.ascontiguousarray(column.dt.as_unit("ns").astype("int64").to_numpy())


def _with_breaks(schedule: SessionSchedule, other: SessionSchedule) -> SessionSchedule:
    """The schedule with the pauses that the other one has on the same trade dates."""
    at = np.minimum(np.searchsorted(other.trading_day, schedule.trading_day), len(other) - 1)
    same = other.trading_day[at] == schedule.trading_day
    start = np.where(same, other.break_start_ns[at], schedule.close_ns)
    end = np.where(same, other.break_end_ns[at], schedule.close_ns)
    merged = SessionSchedule(schedule.trading_day, schedule.open_ns, schedule.close_ns, start, end)
    return merged.with_hours(schedule.open_ns, schedule.close_ns)


def cache_path(folder: Path, name: str, first_year: int, last_year: int, override_texts: tuple[bytes, ...]) -> Path:
    """Where a schedule is kept: the name holds everything that decides its content."""
    digest = hashlib.sha256(f"{_FORMAT}|{name}|{version(LIBRARY)}".encode())
    for text in override_texts:
        digest.update(hashlib.sha256(text).digest())
    word = "".join(c if c.isalnum() else "_" for c in name)
    return folder / f"{word}-{first_year}-{last_year}-{digest.hexdigest()[:16]}.npz"


def read_schedule(path: Path) -> SessionSchedule | None:
    """A kept schedule; None where there is none, or where the file is damaged (it will be written anew)."""
    names = SessionSchedule.__slots__
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            return SessionSchedule(*(kept[name] for name in names))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        _LOG.info("session schedule %s is damaged and will be built anew: %s", path, error)
        return None


def write_schedule(path: Path, schedule: SessionSchedule) -> None:
    """Keep a schedule, whole or not at all; a folder that cannot be written to costs time later, nothing else."""
    part = path.with_name(f"{path.stem}.{os.getpid()}.part.npz")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(part, **{name: getattr(schedule, name) for name in SessionSchedule.__slots__})
        part.replace(path)
    except OSError as error:
        _LOG.info("session schedule cannot be kept in %s: %s", path.parent, error)
        if part.exists():
            part.unlink()
