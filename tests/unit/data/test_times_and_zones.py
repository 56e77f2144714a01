"""What a written time means, and what moment a clock on a wall shows (S3.1, S3.4)."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.bar_times import length_ns, length_text, recognise_length
from data.errors import SourceError
from data.sources.stamps import date_order, parse_clock, parse_date, parse_stamp
from data.zones import DAY_NS, SECOND_NS, to_utc, to_wall, zone_named

ZONES = ["America/New_York", "America/Chicago", "Europe/Berlin", "Asia/Tokyo", "Australia/Lord_Howe", "UTC", "-05:00"]


def ns(text: str) -> int:
    return int(np.datetime64(text, "ns").astype(np.int64))


@given(st.integers(0, 2_000_000_000), st.sampled_from(ZONES))
def test_the_clock_on_the_wall_agrees_with_pythons(seconds: int, name: str) -> None:
    zone = zone_named(name)
    expected = datetime.fromtimestamp(seconds, tz=UTC).astimezone(zone).replace(tzinfo=UTC)

    wall = to_wall(np.array([seconds * SECOND_NS]), zone)

    assert wall[0] == int(expected.timestamp()) * SECOND_NS


@given(st.lists(st.integers(0, 2_000_000_000), min_size=1, max_size=50), st.sampled_from(ZONES))
def test_a_moment_comes_back_from_the_wall_or_is_the_other_of_two(seconds: list[int], name: str) -> None:
    moments = np.array(seconds, dtype=np.int64) * SECOND_NS

    found = to_utc(to_wall(moments, zone_named(name)), zone_named(name))

    assert not found.missing.any()
    assert bool(((found.utc_ns == moments) | (found.later_ns == moments)).all())
    assert bool((found.utc_ns[~found.twice] == moments[~found.twice]).all())


@pytest.mark.parametrize(
    ("wall", "kind"),
    [
        ("2024-11-03T00:59", "once"), ("2024-11-03T01:00", "twice"), ("2024-11-03T01:59", "twice"),
        ("2024-11-03T02:00", "once"), ("2024-03-10T01:59", "once"), ("2024-03-10T02:00", "never"),
        ("2024-03-10T02:59", "never"), ("2024-03-10T03:00", "once"),
    ],
)  # fmt: skip
def test_hours_that_come_twice_or_never_are_known(wall: str, kind: str) -> None:
    """S3.4: New York, the nights of 2024 on which the clock changed."""
    found = to_utc(np.array([ns(wall)]), ZoneInfo("America/New_York"))

    assert (bool(found.twice[0]), bool(found.missing[0])) == (kind == "twice", kind == "never")
    if kind == "twice":
        assert found.later_ns[0] - found.utc_ns[0] == 3600 * SECOND_NS


def test_zones_have_names_or_offsets() -> None:
    assert zone_named("-05:30") == timezone(-timedelta(hours=5, minutes=30))
    assert zone_named("UTC+1") == timezone(timedelta(hours=1))
    assert zone_named("utc") is UTC
    for name in ("", "Chicago", "../etc/passwd", "+5:3"):
        with pytest.raises(SourceError, match="is not known; give an IANA name"):
            zone_named(name)


@pytest.mark.parametrize(
    ("text", "expected", "offset"),
    [
        ("2024-01-02T15:04:05Z", "2024-01-02T15:04:05", 0),
        ("2024-01-02 15:04:05.25-05:00", "2024-01-02T15:04:05.25", -5 * 3600),
        ("2024-01-02 15:04+0530", "2024-01-02T15:04", 19800),
        ("2024-01-02T15:04", "2024-01-02T15:04", None),
        ("2024-01-02", "2024-01-02", None),
        ("20240102", "2024-01-02", None),
        ("202401021504", "2024-01-02T15:04", None),
        ("1704207845", "2024-01-02T15:04:05", 0),
        ("1704207845000000000", "2024-01-02T15:04:05", 0),
        ("01/02/2024 3:04 PM", "2024-01-02T15:04", None),
        ("1/2/24 15:04", "2024-01-02T15:04", None),
        ("01/02/2024 24:00", "2024-01-03T00:00", None),
    ],
)
def test_times_are_read_as_they_are_written(text: str, expected: str, offset: int | None) -> None:
    wall, found, _ = parse_stamp(text, "MDY")

    assert wall == ns(expected)
    assert found == (None if offset is None else offset * SECOND_NS)


@pytest.mark.parametrize(
    "text", ["", "now", "2024-02-30", "2024-01-02T25:00", "12:60", "99", "2024-01-02 13:00 PM", "1/2", "2024-01-02T"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_stamp(text, "YMD")


def test_days_before_months_are_read_so() -> None:
    assert parse_date("03/04/2024", "DMY") == ns("2024-04-03")
    assert parse_date("03/04/2024", "MDY") == ns("2024-03-04")
    assert parse_date("2024.04.03", "MDY") == ns("2024-04-03")
    assert parse_date("31.12.99", "DMY") == ns("1999-12-31")
    assert parse_clock("0931") == parse_clock("09:31:00") == parse_clock("931") == 34_260 * SECOND_NS
    assert parse_clock("12:00 AM") == 0


@pytest.mark.parametrize(
    ("texts", "order", "guessed"),
    [
        (["2024-01-02", "2024-01-03"], "YMD", False),
        (["01/12/2024", "01/13/2024"], "MDY", False),
        (["12/01/2024", "13/01/2024"], "DMY", False),
        (["01.02.2024", "02.02.2024"], "DMY", False),
        (["01/02/2024", "02/02/2024", "03/02/2024"], "MDY", True),
    ],
)
def test_the_order_of_day_and_month_is_the_one_that_makes_dates(texts: list[str], order: str, guessed: bool) -> None:
    assert date_order(texts) == (order, guessed)


def test_lengths_are_written_as_they_are_read() -> None:
    for text in ("30s", "1m", "5m", "90m", "1h", "4h", "1d", "1w"):
        assert length_text(length_ns(text)) == text


def test_the_most_common_distance_is_the_bar_length() -> None:
    """S3.5: gaps do not matter."""
    minutes = np.array([0, 1, 2, 3, 60, 61, 1440, 1441, 3000]) * 60 * SECOND_NS

    assert recognise_length(minutes, "ES") == 60 * SECOND_NS
    assert recognise_length(np.arange(9) * 7 * DAY_NS, "ES") == 7 * DAY_NS
    assert recognise_length(np.array([0, 1, 4, 5, 6]) * DAY_NS, "ES") == DAY_NS


@pytest.mark.parametrize("text", ["1month", "1mo", "1ms", "1 moment", "5x", "0m", ""])
def test_a_length_that_is_none_is_refused_and_not_read_as_minutes(text: str) -> None:
    with pytest.raises(SourceError, match=r"write it as 30s, 1m"):
        length_ns(text)


@pytest.mark.parametrize(("text", "minutes"), [("5 min", 5), ("5minutes", 5), ("2 hours", 120), ("1 day", 1440)])
def test_a_length_may_be_written_out(text: str, minutes: int) -> None:
    assert length_ns(text) == minutes * 60 * SECOND_NS


@pytest.mark.parametrize("name", ["+24:00", "-99:00", "+05:60"])
def test_an_offset_that_is_none_is_refused_as_a_zone(name: str) -> None:
    with pytest.raises(SourceError, match="is not known; give an IANA name"):
        zone_named(name)


@pytest.mark.parametrize("text", ["2024-01-02T15:00:00+24:00", "2024-01-02 15:00-0560"])
def test_a_time_with_an_offset_that_is_none_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="has an offset"):
        parse_stamp(text, "YMD")
