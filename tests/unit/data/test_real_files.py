"""Real bars: every file of the fixtures loads, and its times lie where its market was open (S3.1, S3.4)."""

from pathlib import Path

import numpy as np
import pytest

from data.errors import BarError
from data.loading import SourceSettings, load_series
from data.series import BarSeries

MINUTE = 60_000_000_000
# file, symbol, label, calendar, bars, first opening, minutes of a bar
FILES = [
    ("6EH4_1m_2024-01.csv", "6EH4", "close", "CMEGlobex_FX", 29996, "2024-01-01T23:00", 1),
    ("ESZ3_1m_2013-10.csv", "ESZ3", "open", "CME Globex Equity", 6826, "2013-10-06T22:00", 1),
    ("GCZ3_1m_2013-10.csv", "GCZ3", "open", "CMEGlobex_GC", 6687, "2013-10-07T00:00", 1),
    ("SPY_1m_2013-10.csv", "SPY", "open", None, 4128, "2013-10-07T08:00", 1),
    ("FESX_1m_2006-01_02.csv", "FESX", "close", "EUREX", 30889, "2006-01-02T08:00", 1),
    ("BTCPERP_1m_2022-01.csv.gz", "BTC", "close", "24/7", 45031, "2021-12-31T23:00", 1),
    ("EURUSD_1h.csv", "EURUSD", "open", None, 5000, "2017-04-19T09:00", 60),
    ("AAPL_1d_unadjusted.csv", "AAPL", None, None, 5849, "1998-01-02T00:00", 1440),
    ("SPY_1d_unadjusted.csv", "SPY", None, None, 5849, "1998-01-02T00:00", 1440),
    ("NVDA_1d_yahoo.csv", "NVDA", None, None, 4012, "1999-01-22T00:00", 1440),
    ("GOOG_1d.csv", "GOOG", None, None, 2148, "2004-08-19T00:00", 1440),
    ("formats/ES_tradestation_api.csv", "ES", None, "CME Globex Equity", 1500, "2013-10-06T22:00", 1),
    ("formats/ES_tradestation_desktop_export.txt", "ES", None, "CME Globex Equity", 1500, "2013-10-06T22:00", 1),
]


def loaded(shared: Path, file: str, symbol: str, label: str | None, calendar: str | None) -> BarSeries:
    settings = SourceSettings(symbol=symbol, file=shared / "data" / file, timestamp=label, session_calendar=calendar)  # type: ignore[arg-type]
    return load_series(settings)


@pytest.mark.parametrize(("file", "symbol", "label", "calendar", "bars", "first", "minutes"), FILES)
def test_every_file_loads_with_its_bars_and_times(
    shared_dir: Path,
    file: str,
    symbol: str,
    label: str | None,
    calendar: str | None,
    bars: int,
    first: str,
    minutes: int,
) -> None:
    """S3.1, S3.4, S3.5"""
    series = loaded(shared_dir, file, symbol, label, calendar)

    assert len(series) == bars
    assert str(series.time_ns[0].astype("M8[ns]"))[:16] == first
    assert series.bar_ns == minutes * MINUTE
    assert not series.repairs
    assert not [warning for warning in series.warnings if "sessions" in warning]


@pytest.mark.parametrize("layout", ["ES_tradestation_api.csv", "ES_tradestation_desktop_export.txt"])
def test_both_tradestation_layouts_hold_the_bars_of_the_plain_file(shared_dir: Path, layout: str) -> None:
    """S3.1: one is stamped at the end in UTC, one at the end in Chicago time, the original at the start."""
    plain = loaded(shared_dir, "ESZ3_1m_2013-10.csv", "ES", "open", None)
    written = loaded(shared_dir, f"formats/{layout}", "ES", None, None)

    for name in ("time_ns", "open", "high", "low", "close", "volume"):
        assert np.array_equal(getattr(plain, name)[:1500], getattr(written, name)), name


@pytest.mark.parametrize(
    ("file", "symbol", "wrong", "calendar", "words"),
    [
        (
            "6EH4_1m_2024-01.csv",
            "6EH4",
            "open",
            "CMEGlobex_FX",
            "22 of 23 sessions .* stamped at their close and 0 one",
        ),
        ("FESX_1m_2006-01_02.csv", "FESX", "open", "EUREX", "bars are stamped at their end; set `timestamp: close`"),
        ("ESZ3_1m_2013-10.csv", "ESZ3", "close", "CME Globex Equity", "5 of 5 sessions .* set `timestamp: open`"),
        ("GCZ3_1m_2013-10.csv", "GCZ3", "close", "CMEGlobex_GC", "set `timestamp: open`"),
    ],
)
def test_the_wrong_end_of_the_bar_is_found_out_by_the_daily_break(
    shared_dir: Path, file: str, symbol: str, wrong: str, calendar: str, words: str
) -> None:
    """S3.1"""
    with pytest.raises(BarError, match=words):
        loaded(shared_dir, file, symbol, wrong, calendar)


def test_the_wrong_zone_is_found_out_by_the_daily_break(shared_dir: Path) -> None:
    """S3.1: Chicago time read as New York's."""
    file = shared_dir / "data" / "formats" / "ES_tradestation_desktop_export.txt"
    settings = SourceSettings(symbol="ES", file=file, timezone="America/New_York", session_calendar="CME Globex Equity")

    with pytest.raises(BarError, match=r"103 of 1500 bars open outside of the sessions .* another zone or market"):
        load_series(settings)


def test_bars_before_and_after_regular_hours_are_said_not_refused(shared_dir: Path) -> None:
    """S3.1: a share's early and late trade is real, though its calendar has regular hours only."""
    series = loaded(shared_dir, "SPY_1m_2013-10.csv", "SPY", "open", "NYSE")

    assert "2178 of 4128 bars open outside of the sessions of NYSE" in series.warnings[-1]


def test_real_bars_with_a_known_defect_load_with_repair(shared_dir: Path) -> None:
    """S3.4: the index's 47 rows whose open lies outside of their range."""
    file = shared_dir / "data" / "VIX_1d.csv"

    dropped = load_series(SourceSettings(symbol="VIX", file=file, repair="drop"))
    fixed = load_series(SourceSettings(symbol="VIX", file=file, repair="fix"))

    assert (len(dropped), len(fixed)) == (9188, 9235)
    assert dropped.repairs == fixed.repairs == {"high_low": 47}
    assert bool((fixed.high >= np.maximum(fixed.open, fixed.close)).all())
