"""Which days of the calendar library are overridden, and by what.

The library's schedules are rules of thumb for past and future; exchanges decide otherwise at times. The rules in
``session_overrides.yaml`` (and in a file of the user's own, same layout) say where, with the reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from data.errors import CalendarError
from data.session_schedule import SessionSchedule
from data.spelling import nearest_or_all

SHIPPED_RULES = Path(__file__).with_name("session_overrides.yaml")

_KEYS = (
    "calendars",
    "first",
    "last",
    "open_ended",
    "zone",
    "closed",
    "open",
    "open_day",
    "close",
    "instead_of",
    "why",
)
_EPOCH = date(1970, 1, 1)
_FAR_DAY = date(2262, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRule:
    """One override; times are clock times in ``zone``, dates are trade dates, both ends included."""

    calendars: tuple[str, ...]
    first: date
    last: date
    zone: ZoneInfo
    closed: bool
    open: time | None
    open_day: int
    close: time | None
    instead_of: time | None
    why: str

    @property
    def makes_session(self) -> bool:
        """Whether the rule adds its session where the calendar has none."""
        return self.first == self.last and self.open is not None and self.close is not None


def local_ns(day: date, clock: time, zone: ZoneInfo) -> int:
    """UTC nanoseconds of a clock time on a day in a zone (of a time that occurs twice, the first)."""
    return int(datetime.combine(day, clock, tzinfo=zone).timestamp()) * 1_000_000_000


def parse_clock(text: object, place: str) -> time:
    """``"HH:MM"`` as a time; ``place`` names where it stands, for the error.

    Texts only: without quotes YAML reads 20:00 as the number 1200, which would pass as 12:00.
    """
    try:
        if not isinstance(text, str):
            raise TypeError
        return time.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise CalendarError(f'{place}: {text!r} is no clock time; write it in quotes, as "09:30".') from error


def parse_zone(text: object, place: str) -> ZoneInfo:
    """A time zone by its IANA name."""
    try:
        return ZoneInfo(str(text))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise CalendarError(f"{place}: {text!r} is no time zone; write it as America/New_York.") from error


def load_rules(path: Path) -> tuple[SessionRule, ...]:
    """Read a file of overrides; raises CalendarError with file and rule where something is wrong."""
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CalendarError(f"{path}: cannot be read ({error.strerror}); give a file of session overrides.") from error
    except yaml.YAMLError as error:
        raise CalendarError(f"{path}: no valid YAML: {error}") from error
    rules = content.get("rules") if isinstance(content, dict) else None
    if not isinstance(rules, list):
        raise CalendarError(f"{path}: the key `rules` with a list of overrides is missing.")
    return tuple(_parse_rule(rule, f"{path}: rules[{i}]") for i, rule in enumerate(rules))


def apply_rules(schedule: SessionSchedule, calendar: str, rules: Sequence[SessionRule]) -> SessionSchedule:
    """The schedule with every rule for ``calendar`` applied, in order."""
    for rule in rules:
        if calendar in rule.calendars:
            schedule = _apply(schedule, rule)
    return schedule


def _apply(schedule: SessionSchedule, rule: SessionRule) -> SessionSchedule:
    first, last = (rule.first - _EPOCH).days, (rule.last - _EPOCH).days
    inside = (schedule.trading_day >= first) & (schedule.trading_day <= last)
    if rule.closed:
        return schedule.take(~inside)
    if not inside.any() and rule.makes_session and schedule.covers_day(first):
        schedule = schedule.with_day(first)
        inside = schedule.trading_day == first
    opens, closes = schedule.open_ns.copy(), schedule.close_ns.copy()
    for i in np.flatnonzero(inside):
        day = _EPOCH + timedelta(days=int(schedule.trading_day[i]))
        if rule.open is not None:
            opens[i] = _changed(int(opens[i]), day + timedelta(days=rule.open_day), rule.open, rule)
        if rule.close is not None:
            closes[i] = _changed(int(closes[i]), day, rule.close, rule)
    return schedule.with_hours(opens, closes)


def _changed(old_ns: int, day: date, clock: time, rule: SessionRule) -> int:
    """The new time, or the old one where ``instead_of`` does not describe it."""
    if rule.instead_of is not None and old_ns != local_ns(day, rule.instead_of, rule.zone):
        return old_ns
    return local_ns(day, clock, rule.zone)


def _parse_rule(given: object, place: str) -> SessionRule:
    if not isinstance(given, Mapping):
        raise CalendarError(f"{place}: a mapping with the keys {', '.join(_KEYS)} is expected.")
    _refuse_unknown_keys(given, place)
    first = _parse_day(given.get("first"), f"{place}.first")
    default_last = _FAR_DAY if given.get("open_ended") else first
    last = _parse_day(given["last"], f"{place}.last") if "last" in given else default_last
    rule = SessionRule(
        calendars=_parse_names(given.get("calendars"), f"{place}.calendars"),
        first=first,
        last=last,
        zone=parse_zone(given.get("zone", "UTC"), f"{place}.zone"),
        closed=bool(given.get("closed", False)),
        open=parse_clock(given["open"], f"{place}.open") if "open" in given else None,
        open_day=_parse_whole(given.get("open_day", 0), f"{place}.open_day"),
        close=parse_clock(given["close"], f"{place}.close") if "close" in given else None,
        instead_of=parse_clock(given["instead_of"], f"{place}.instead_of") if "instead_of" in given else None,
        why=str(given.get("why", "")),
    )
    _check(rule, place)
    return rule


def _refuse_unknown_keys(given: Mapping[object, object], place: str) -> None:
    for key in given:
        if key not in _KEYS:
            raise CalendarError(f"{place}: unknown key `{key}`{nearest_or_all(key, _KEYS)}.")


def _check(rule: SessionRule, place: str) -> None:
    if not rule.calendars:
        raise CalendarError(f"{place}.calendars: name at least one calendar.")
    if rule.last < rule.first:
        raise CalendarError(f"{place}: last {rule.last} lies before first {rule.first}; swap them.")
    if rule.closed == (rule.open is not None or rule.close is not None):
        raise CalendarError(f"{place}: give either `closed: true`, or `open` or `close`, and not both.")


def _parse_names(value: object, place: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise CalendarError(f"{place}: {value!r} is no list; write it in brackets, as [NYSE].")
    return tuple(str(name) for name in value)


def _parse_whole(value: object, place: str) -> int:
    if type(value) is not int:
        raise CalendarError(f"{place}: {value!r} is no number of days; write 0, or -1 for the evening before.")
    return value


def _parse_day(value: object, place: str) -> date:
    try:
        return value if type(value) is date else date.fromisoformat(str(value))
    except ValueError as error:
        raise CalendarError(f"{place}: {value!r} is no date; write it as 2025-01-09.") from error
