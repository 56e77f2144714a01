"""Trading days, sessions, regular hours and the flatten window (S7.4, S11.1) on days that are easy to get wrong."""

import csv
import gzip
import subprocess
import sys
import warnings
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from data import session_schedule
from data.errors import CalendarError
from data.sessions import SessionCalendar, SessionTable, flatten_window

NEW_YORK = ZoneInfo("America/New_York")
MINUTE = 60_000_000_000
EQUITY = "CME_Equity_Index"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sessions")


def ns(text: str, zone: ZoneInfo = NEW_YORK) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * 1_000_000_000


def times(*texts: str, zone: ZoneInfo = NEW_YORK) -> np.ndarray:
    return np.array([ns(text, zone) for text in texts], np.int64)


def days(table: SessionTable) -> list[str]:
    return [str(np.datetime64(int(day), "D")) for day in table.trading_day]


def new_york(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns / 1e9, NEW_YORK).strftime("%Y-%m-%d %H:%M")


def table_of(cache: Path, name: str | None, *texts: str, zone: ZoneInfo = NEW_YORK) -> SessionTable:
    return SessionCalendar.named(name, cache_dir=cache).table(times(*texts, zone=zone))


@pytest.mark.rule("S7.4")
def test_a_sunday_evening_bar_belongs_to_monday(cache: Path) -> None:
    """S7.4: the CME day runs 18:00 to 17:00 New York."""
    table = table_of(cache, EQUITY, "2024-05-03 16:59", "2024-05-05 18:00", "2024-05-06 16:59", "2024-05-06 18:00")

    assert days(table) == ["2024-05-03", "2024-05-06", "2024-05-06", "2024-05-07"]
    assert table.in_session.all()
    assert [new_york(t) for t in table.session_open_ns[1:]] == [
        "2024-05-05 18:00",
        "2024-05-05 18:00",
        "2024-05-06 18:00",
    ]


def test_a_bar_in_the_break_belongs_to_the_next_session_and_is_not_in_session(cache: Path) -> None:
    """S7.4."""
    table = table_of(cache, EQUITY, "2024-05-06 16:59", "2024-05-06 17:00", "2024-05-06 17:59", "2024-05-06 18:00")

    assert table.in_session.tolist() == [True, False, False, True]
    assert days(table) == ["2024-05-06", "2024-05-07", "2024-05-07", "2024-05-07"]
    assert np.diff(table.session).tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("friday", "monday", "shift"), [("2024-03-08", "2024-03-11", -1), ("2024-11-01", "2024-11-04", 1)]
)
def test_eighteen_hundred_new_york_stays_the_open_over_a_clock_change(
    cache: Path, friday: str, monday: str, shift: int
) -> None:
    """S7.4: in UTC the open moves by an hour, in New York it does not."""
    table = table_of(cache, EQUITY, f"{friday} 12:00", f"{monday} 12:00")

    assert [new_york(t)[-5:] for t in table.session_open_ns] == ["18:00", "18:00"]
    assert [new_york(t)[-5:] for t in table.session_close_ns] == ["17:00", "17:00"]
    utc_hours = (table.session_close_ns // (60 * MINUTE)) % 24
    assert utc_hours[1] - utc_hours[0] == shift


def test_thanksgiving_has_two_half_sessions(cache: Path) -> None:
    """S11.1: Thursday ends 13:00, Friday 13:15; gold has hours of its own."""
    at = ("2024-11-27 12:00", "2024-11-28 12:00", "2024-11-29 12:00", "2024-12-02 12:00")
    equity, gold = table_of(cache, EQUITY, *at), table_of(cache, "COMEX", *at)

    assert [new_york(t)[-5:] for t in equity.session_close_ns] == ["17:00", "13:00", "13:15", "17:00"]
    assert [new_york(t)[-5:] for t in gold.session_close_ns] == ["17:00", "14:30", "13:45", "17:00"]


@pytest.mark.rule("S11.1")
def test_regular_hours_end_with_an_early_close_and_skip_holidays(cache: Path) -> None:
    """S11.1: NYSE is closed on Thanksgiving and ends at 13:00 on the day after."""
    at = ("2024-11-27 15:59", "2024-11-28 11:00", "2024-11-29 09:29", "2024-11-29 09:30", "2024-11-29 12:59")

    table = table_of(cache, EQUITY, *at, "2024-11-29 13:00")

    assert table.in_session.all()
    assert table.regular.tolist() == [True, False, False, True, True, False]


def test_regular_hours_may_be_given_and_early_closes_still_cut_them(cache: Path) -> None:
    """S11.1."""
    calendar = SessionCalendar.named(EQUITY, cache_dir=cache)
    at = times("2024-11-27 08:59", "2024-11-27 09:00", "2024-11-27 16:14", "2024-11-27 16:15", "2024-11-29 13:05")

    table = calendar.table(at, regular_hours=("09:00", "16:15", "America/New_York"))

    assert table.regular.tolist() == [False, True, True, False, False]


def test_regular_hours_of_another_zone_hold_on_the_calendars_own_days(cache: Path) -> None:
    """S11.1: Berlin hours for Eurex on 26 May 2025, a holiday in New York; Eurex opens at 02:10 in summer."""
    berlin = ZoneInfo("Europe/Berlin")
    at = times("2025-05-26 02:09", "2025-05-26 02:10", "2025-05-26 09:00", "2025-05-26 17:30", zone=berlin)

    table = SessionCalendar.named("EUREX", cache_dir=cache).table(at, ("09:00", "17:30", "Europe/Berlin"))

    assert table.in_session.tolist() == [False, True, True, True]
    assert table.regular.tolist() == [False, False, True, False]


def test_good_friday_without_a_jobs_report_is_closed(cache: Path) -> None:
    """The library says 09:15 for 2024-03-29; the shipped override closes it, and leaves 2023 (jobs report) alone."""
    closed = table_of(cache, EQUITY, "2024-03-28 18:30", "2024-03-31 18:00")
    short = table_of(cache, EQUITY, "2023-04-07 09:00", "2023-04-07 09:15")

    assert days(closed) == ["2024-04-01", "2024-04-01"]
    assert closed.in_session.tolist() == [False, True]
    assert short.in_session.tolist() == [True, False]


@pytest.mark.parametrize("name", [EQUITY, "CME_Equity"])
def test_the_day_of_mourning_2025_ends_at_half_past_nine(cache: Path, name: str) -> None:
    """One calendar has a full day there, the other none; the override gives both the same half session."""
    table = table_of(cache, name, "2025-01-08 18:00", "2025-01-09 09:29", "2025-01-09 09:30", "2025-01-09 18:00")

    assert days(table) == ["2025-01-09", "2025-01-09", "2025-01-10", "2025-01-10"]
    assert table.in_session.tolist() == [True, True, False, True]
    assert new_york(int(table.session_close_ns[0])) == "2025-01-09 09:30"


def test_the_afternoon_pause_of_index_futures_ends_no_session(cache: Path) -> None:
    """S11.1: 16:15 to 16:30 until June 2021 is out of session, but nothing is flattened for it."""
    at = times("2020-03-02 16:10", "2020-03-02 16:14", "2020-03-02 16:15", "2020-03-02 16:30", "2021-07-01 16:15")
    table = SessionCalendar.named(EQUITY, cache_dir=cache).table(at)

    assert table.in_session.tolist() == [True, True, False, True, True]
    assert new_york(int(table.session_close_ns[0]))[-5:] == "17:00"
    assert not flatten_window(table, at, MINUTE, 5).any()


def test_until_september_2015_the_day_ended_at_a_quarter_past_five(cache: Path) -> None:
    """Half days keep their own end; currencies always ended at 17:00."""
    at = ("2013-10-08 12:00", "2013-11-29 12:00", "2015-09-18 12:00", "2015-09-21 12:00")

    closes = [new_york(t)[-5:] for t in table_of(cache, EQUITY, *at).session_close_ns]
    currencies = [new_york(t)[-5:] for t in table_of(cache, "CME_FX", *at).session_close_ns]

    assert closes == ["17:15", "13:15", "17:15", "17:00"]
    assert currencies == ["17:00", "13:15", "17:00", "17:00"]


@pytest.mark.rule("S7.4")
def test_without_a_calendar_the_trading_day_is_the_utc_date(cache: Path) -> None:
    """S7.4."""
    table = table_of(cache, None, "2024-05-04 23:59", "2024-05-05 00:00", "2024-05-06 15:00", zone=ZoneInfo("UTC"))

    assert days(table) == ["2024-05-04", "2024-05-05", "2024-05-06"]
    assert table.in_session.all()
    assert table.regular.tolist() == [False, False, True]


@pytest.mark.parametrize("name", [None, "24/7", "crypto"])
def test_a_market_without_a_break_has_nothing_to_flatten_for(cache: Path, name: str | None) -> None:
    """S11.1: midnight UTC is no session end."""
    at = times("2024-05-04 23:58", "2024-05-04 23:59", "2024-05-05 00:00", zone=ZoneInfo("UTC"))
    table = SessionCalendar.named(name, cache_dir=cache).table(at)

    assert table.in_session.all()
    assert not flatten_window(table, at, MINUTE, 5).any()


@pytest.mark.parametrize(("bar_minutes", "first"), [(1, "16:55"), (5, "16:55"), (15, "16:45"), (60, "16:00")])
@pytest.mark.rule("S11.1")
def test_the_flatten_window_takes_every_bar_that_overlaps_the_last_five_minutes(
    cache: Path, bar_minutes: int, first: str
) -> None:
    """S11.1."""
    at = np.arange(ns("2024-05-06 15:00"), ns("2024-05-06 17:00"), bar_minutes * MINUTE)
    table = SessionCalendar.named(EQUITY, cache_dir=cache).table(at)

    window = flatten_window(table, at, bar_minutes * MINUTE, 5)

    assert new_york(int(at[window][0]))[-5:] == first
    assert window[np.argmax(window) :].all()


def test_the_flatten_window_moves_to_the_early_close(cache: Path) -> None:
    """S11.1."""
    at = times("2024-11-29 13:09", "2024-11-29 13:10", "2024-11-29 13:14", "2024-12-01 18:00")
    table = SessionCalendar.named(EQUITY, cache_dir=cache).table(at)

    assert flatten_window(table, at, MINUTE, 5).tolist() == [False, True, True, False]


def test_a_daily_bar_stamped_with_midnight_has_its_own_date_as_trading_day(cache: Path) -> None:
    """S7.4: whether the midnight is New York's or UTC's."""
    for zone in (NEW_YORK, ZoneInfo("UTC")):
        table = table_of(cache, "NYSE", "2013-10-07", "2013-10-08", "2013-10-11", zone=zone)
        assert days(table) == ["2013-10-07", "2013-10-08", "2013-10-11"]


@pytest.mark.parametrize(
    ("file", "name", "stamp_minutes", "outside"),
    [
        ("ESZ3_1m_2013-10.csv", EQUITY, 0, 0),
        ("ESZ3_1m_2013-10.csv", "CME_Equity", 0, 0),
        ("GCZ3_1m_2013-10.csv", "COMEX", 0, 0),
        ("6EH4_1m_2024-01.csv", "CME_FX", 1, 0),
        ("FESX_1m_2006-01_02.csv", "EUREX", 1, 0),
        ("BTCPERP_1m_2022-01.csv.gz", "24/7", 1, 0),
        ("SPY_1m_2013-10.csv", "NYSE_extended", 0, 0),
        ("SPY_1m_2013-10.csv", "NYSE", 0, 4128 - 5 * 390),
    ],
)
def test_real_bars_lie_within_their_sessions(
    cache: Path, shared_dir: Path, file: str, name: str, stamp_minutes: int, outside: int
) -> None:
    """S7.4: what traded lies in session; the figure for SPY is its bars before 09:30 and after 16:00."""
    opener = gzip.open if file.endswith(".gz") else open
    with opener(shared_dir / "data" / file, "rt") as lines:
        stamps = [datetime.fromisoformat(row["timestamp"]).timestamp() for row in csv.DictReader(lines)]
    time_ns = np.array(stamps, np.int64) * 1_000_000_000 - stamp_minutes * MINUTE

    table = SessionCalendar.named(name, cache_dir=cache).table(time_ns)

    assert int((~table.in_session).sum()) == outside


def test_sessions_never_fall_and_never_overlap(cache: Path) -> None:
    """Every calendar of ours, twelve years: strictly ordered sessions."""
    first, last = ns("2012-01-03"), ns("2023-12-29")
    for name in (EQUITY, "CME_Equity", "COMEX", "NYMEX", "CME_FX", "CME_Rate", "CME_Crypto", "NYSE", "EUREX", "24/7"):
        schedule = SessionCalendar.named(name, cache_dir=cache).sessions(first, last)
        assert (np.diff(schedule.trading_day) > 0).all(), name
        assert (schedule.open_ns < schedule.close_ns).all(), name
        assert (schedule.open_ns[1:] >= schedule.close_ns[:-1]).all(), name
        assert (schedule.break_start_ns <= schedule.break_end_ns).all(), name


def test_an_unknown_name_is_answered_with_the_nearest(cache: Path) -> None:
    with pytest.raises(CalendarError, match=r"'CMEGlobx_GC' is unknown; the nearest are CMEGlobex_GC, "):
        SessionCalendar.named("CMEGlobx_GC", cache_dir=cache)


def test_no_bars_give_an_empty_table(cache: Path) -> None:
    table = SessionCalendar.named(EQUITY, cache_dir=cache).table(np.empty(0, np.int64))

    assert len(table.session) == 0


def test_a_calendar_without_a_break_says_so(cache: Path) -> None:
    assert "no maintenance break" in (SessionCalendar.named("CMES", cache_dir=cache).caveat or "")
    assert SessionCalendar.named(EQUITY, cache_dir=cache).caveat is None


def test_empty_regular_hours_and_unknown_zones_are_refused(cache: Path) -> None:
    calendar = SessionCalendar.named(None, cache_dir=cache)
    at = times("2024-05-06 12:00")
    with pytest.raises(CalendarError, match="are empty"):
        calendar.table(at, ("16:00", "09:30", "America/New_York"))
    with pytest.raises(CalendarError, match="is no time zone"):
        calendar.table(at, ("09:30", "16:00", "New York"))
    with pytest.raises(CalendarError, match="is no clock time"):
        calendar.table(at, ("half past nine", "16:00", "America/New_York"))


def test_a_kept_schedule_is_read_without_pandas(cache: Path, repo_root: Path) -> None:
    """A run with a calendar starts without pandas once the schedule is kept; one without never needs it."""
    at = times("2024-05-06 12:00", "2024-05-07 12:00")
    SessionCalendar.named(EQUITY, cache_dir=cache).table(at)
    script = (
        "import sys; from pathlib import Path; import numpy as np; from data.sessions import SessionCalendar\n"
        f"at = np.array({at.tolist()})\n"
        f"folder = Path({str(cache)!r})\n"
        f"for name in (None, {EQUITY!r}):\n"
        "    print(SessionCalendar.named(name, cache_dir=folder).table(at).trading_day)\n"
        "print('pandas' in sys.modules, 'pandas_market_calendars' in sys.modules, 'yaml' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", script], cwd=repo_root, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["[19849 19850]", "[19849 19850]", "False False False"]


def test_a_damaged_kept_schedule_is_built_anew(tmp_path: Path) -> None:
    calendar = SessionCalendar.named("NYSE", cache_dir=tmp_path)
    at = times("2024-05-06 12:00")
    whole = calendar.table(at)
    (kept,) = tmp_path.glob("*.npz")
    kept.write_bytes(kept.read_bytes()[:100])

    again = calendar.table(at)

    assert again.session_close_ns.tolist() == whole.session_close_ns.tolist()
    assert kept.stat().st_size > 100
    assert not list(tmp_path.glob("*.part*"))


def test_a_cache_folder_that_cannot_be_made_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    table = SessionCalendar.named("NYSE", cache_dir=tmp_path / "file" / "sessions").table(times("2024-05-06 12:00"))

    assert table.in_session.tolist() == [True]


def test_a_calendar_knows_the_zone_of_its_exchange(cache: Path) -> None:
    """Hours are told in it; UTC's days have none."""
    names = ("CME", "COMEX", "NYMEX", "CME_Crypto", "EUREX", "NYSE", "NYSE_extended", "JPX", "24/7", None)
    zones = [SessionCalendar.named(name, cache_dir=cache).zone for name in names]
    assert zones == [*["America/Chicago"] * 4, "Europe/Berlin", *["America/New_York"] * 2, "Asia/Tokyo", None, None]


def test_zones_that_need_no_library_are_the_librarys() -> None:
    """But for Eurex's longer hours, which it tells in UTC."""
    library = session_schedule._library()
    begins = tuple(begin for begin, _ in session_schedule._ZONES)
    names = [name for name in session_schedule.library_names() if name.startswith(begins) and "EUREX_" not in name]
    assert len(names) >= len(begins)
    for name in names:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert session_schedule.zone_of(name) == str(library.get_calendar(name).tz), name
