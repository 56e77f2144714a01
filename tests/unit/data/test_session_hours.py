"""Times checked against a market's hours: the wrong end of the bar, the wrong zone, a bar in the daily break (S3.1)."""

import numpy as np
import pytest

from data.errors import BarError, CalendarError
from data.series import BarSeries
from data.session_check import check_sessions

MINUTE = 60_000_000_000
CALENDAR = "CME Globex Equity"


def globex(shift_minutes: int = 0, bar_minutes: int = 30) -> BarSeries:
    """Return four full sessions of January 2024 (17:00 to 16:00 Chicago), every stamp moved by ``shift_minutes``."""
    opens = [np.datetime64(f"2024-01-{day:02d}T23:00", "ns").astype(np.int64) for day in (8, 9, 10, 11)]
    steps = np.arange(0, 23 * 60, bar_minutes) * MINUTE
    times = np.concatenate([int(start) + steps for start in opens]) + shift_minutes * MINUTE
    price = np.full(len(times), 100.0)
    return BarSeries(
        symbol="ES", time_ns=times, open=price, high=price, low=price, close=price, volume=price,
        bar_ns=bar_minutes * MINUTE, source="ES.csv", digest="d",
    )  # fmt: skip


def test_bars_within_their_sessions_are_not_spoken_of() -> None:
    assert check_sessions(globex(), CALENDAR) is None


def test_end_stamps_taken_for_starts_are_found() -> None:
    """S3.1"""
    with pytest.raises(BarError) as caught:
        check_sessions(globex(30), CALENDAR)

    assert str(caught.value) == (
        "ES.csv: 4 of 5 sessions of CME Globex Equity have a 30m bar stamped at their close and 0 one stamped at their "
        "open, so bars are stamped at their end; set `timestamp: close`"
    )


def test_starts_taken_for_end_stamps_are_found() -> None:
    """S3.1"""
    with pytest.raises(BarError, match=r"4 of 4 sessions .* a bar that opens 30m before, .* set `timestamp: open`"):
        check_sessions(globex(-30), CALENDAR)


@pytest.mark.parametrize("hours", [-7, 5, 9])
def test_another_zone_is_found(hours: int) -> None:
    """S3.1"""
    with pytest.raises(
        BarError, match=r"bars open outside of the sessions of .* set `timezone`, or correct `calendar`"
    ):
        check_sessions(globex(60 * hours + 10), CALENDAR)


def test_a_stray_bar_in_the_break_is_a_warning_with_figures() -> None:
    series = globex()
    times = np.concatenate((series.time_ns, [series.time_ns[-1] + 50 * MINUTE]))
    price = np.full(len(times), 100.0)
    stray = BarSeries(
        symbol="ES", time_ns=times, open=price, high=price, low=price, close=price, volume=price,
        bar_ns=series.bar_ns, source="ES.csv", digest="d",
    )  # fmt: skip

    told = check_sessions(stray, CALENDAR)

    assert told == "ES: 1 of 185 bars open outside of the sessions of CME Globex Equity, first at 2024-01-12 22:20 UTC"


def test_daily_bars_have_no_hours_to_check() -> None:
    series = globex(60)
    daily = BarSeries(
        **{name: getattr(series, name) for name in BarSeries.__dataclass_fields__} | {"bar_ns": 1440 * MINUTE}
    )

    assert check_sessions(daily, CALENDAR) is None


def test_an_unknown_calendar_is_an_error() -> None:
    with pytest.raises(CalendarError):
        check_sessions(globex(), "CMEGlobex_XX")
