"""Overrides of the calendar library: the shipped ones and a user's own."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from data.errors import CalendarError
from data.session_rules import SHIPPED_RULES, load_rules
from data.sessions import SessionCalendar

NEW_YORK = ZoneInfo("America/New_York")


def at(*texts: str) -> np.ndarray:
    stamps = [datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).timestamp() for text in texts]
    return np.array(stamps, np.int64) * 1_000_000_000


def rules_file(folder: Path, body: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text("rules:\n  - {" + body + "}\n", encoding="utf-8")
    return path


def test_the_shipped_overrides_are_valid_and_give_reasons() -> None:
    rules = load_rules(SHIPPED_RULES)

    assert len(rules) >= 5
    assert all(len(rule.why) > 20 for rule in rules)


def test_an_override_of_ones_own_closes_a_day_and_the_kept_schedule_does_not_hide_it(tmp_path: Path) -> None:
    plain = SessionCalendar.named("NYSE", cache_dir=tmp_path)
    mine = rules_file(tmp_path, 'calendars: [NYSE], first: 2024-05-07, closed: true, why: "a day off"')
    closed = SessionCalendar.named("NYSE", overrides=mine, cache_dir=tmp_path)
    noon = at("2024-05-07 12:00")

    assert plain.table(noon).in_session.tolist() == [True]
    assert closed.table(noon).in_session.tolist() == [False]


def test_an_override_changes_hours_only_where_instead_of_describes_them(tmp_path: Path) -> None:
    mine = rules_file(
        tmp_path,
        'calendars: [NYSE], first: 2024-11-27, last: 2024-11-29, zone: America/New_York, close: "16:15", '
        'instead_of: "16:00"',
    )
    calendar = SessionCalendar.named("NYSE", overrides=mine, cache_dir=tmp_path)

    table = calendar.table(at("2024-11-27 16:10", "2024-11-29 13:05"))

    assert table.in_session.tolist() == [True, False]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "calendars: [NYSE], frist: 2024-05-07, closed: true",
            r"rules\[0\]: unknown key `frist`; the nearest is first",
        ),
        ("calendars: [NYSE], first: 7.5., closed: true", r"rules\[0\].first: '7.5.' is no date"),
        ("calendars: [], first: 2024-05-07, closed: true", "name at least one calendar"),
        ("calendars: [NYSE], first: 2024-05-07", "give either `closed: true`, or `open` or `close`"),
        ('calendars: [NYSE], first: 2024-05-07, closed: true, open: "09:00"', "and not both"),
        ("calendars: [NYSE], first: 2024-05-07, last: 2024-05-06, closed: true", "lies before first"),
        ("calendars: [NYSE], first: 2024-05-07, zone: Nowhere, closed: true", "'Nowhere' is no time zone"),
        ('calendars: [NYSE], first: 2024-05-07, close: "25:00"', "'25:00' is no clock time"),
        ("calendars: [NYSE], first: 2024-05-07, close: 20:00", r"close: 1200 is no clock time; write it in quotes"),
        ("calendars: NYSE, first: 2024-05-07, closed: true", r"calendars: 'NYSE' is no list"),
        ('calendars: [NYSE], first: 2024-05-07, open: "09:00", open_day: eve', r"open_day: 'eve' is no number of days"),
    ],
)
def test_a_wrong_override_is_refused_with_its_place(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(CalendarError, match=message):
        load_rules(rules_file(tmp_path, body))


@pytest.mark.parametrize("text", ["", "rules: 5", "- a", "rules: [5]", "rules: [: ]: ["])
def test_a_file_that_is_no_list_of_overrides_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(CalendarError, match=r"mine\.yaml"):
        load_rules(path)


def test_a_missing_file_of_overrides_is_named(tmp_path: Path) -> None:
    calendar = SessionCalendar.named("NYSE", overrides=tmp_path / "none.yaml", cache_dir=tmp_path)

    with pytest.raises(CalendarError, match=r"none\.yaml: cannot be read"):
        calendar.table(at("2024-05-07 12:00"))


def test_an_override_that_turns_a_session_around_is_an_error(tmp_path: Path) -> None:
    mine = rules_file(tmp_path, 'calendars: [NYSE], first: 2024-05-07, zone: America/New_York, close: "08:00"')

    with pytest.raises(CalendarError, match="2024-05-07 ends before it opens"):
        SessionCalendar.named("NYSE", overrides=mine, cache_dir=tmp_path).table(at("2024-05-07 12:00"))


def test_a_calendar_that_ends_before_the_bars_is_an_error(tmp_path: Path) -> None:
    mine = rules_file(tmp_path, "calendars: [NYSE], first: 2024-01-01, open_ended: true, closed: true")
    calendar = SessionCalendar.named("NYSE", overrides=mine, cache_dir=tmp_path)

    with pytest.raises(CalendarError, match="NYSE does not cover 2023-12-28 to 2024-01-04"):
        calendar.table(at("2023-12-28 12:00", "2024-01-04 12:00"))
    with pytest.raises(CalendarError, match="NYSE does not cover 2024-05-07"):
        calendar.table(at("2024-05-07 12:00"))
