"""The master timeline: union of times, real and synthetic bars, and symbols that cannot share one (S3.1 to S3.5)."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import TimelineError
from data.loading import SourceSettings, load_series
from data.series import BarSeries
from data.timeline import build_timeline

MINUTE = 60_000_000_000
DAY = 1440 * MINUTE


def series(symbol: str, minutes: list[int], bar: int = MINUTE) -> BarSeries:
    times = np.array(minutes, dtype=np.int64) * MINUTE
    price = np.arange(len(times), dtype=np.float64)
    return BarSeries(
        symbol=symbol, time_ns=times, open=price, high=price, low=price, close=price, volume=price,
        bar_ns=bar, source="made", digest=symbol,
    )  # fmt: skip


@pytest.mark.rule("S3.1")
def test_the_timeline_is_the_sorted_union_and_knows_who_has_a_bar() -> None:
    """S3.1, S3.2"""
    timeline = build_timeline([series("ES", [1, 2, 4]), series("CL", [2, 3])])

    assert timeline.symbols == ("ES", "CL")
    assert (timeline.time_ns // MINUTE).tolist() == [1, 2, 3, 4]
    assert timeline.real.tolist() == [[True, False], [True, True], [False, True], [True, False]]
    assert timeline.row.tolist() == [[0, -1], [1, 0], [1, 1], [2, 1]]
    assert timeline.row.dtype == np.int32
    assert len(timeline) == 4


@given(st.lists(st.sets(st.integers(0, 60), min_size=1), min_size=1, max_size=4))
def test_each_real_bar_is_found_once_and_each_row_is_the_last_one_known(minutes: list[set[int]]) -> None:
    """S3.1, S3.2"""
    all_series = [series(f"S{number}", sorted(one)) for number, one in enumerate(minutes)]

    timeline = build_timeline(all_series)

    assert timeline.time_ns.tolist() == sorted({time for one in all_series for time in one.time_ns.tolist()})
    for column, one in enumerate(all_series):
        assert timeline.row[timeline.real[:, column], column].tolist() == list(range(len(one)))
        for moment, row in zip(timeline.time_ns, timeline.row[:, column], strict=True):
            assert row == np.sum(one.time_ns <= moment) - 1


@pytest.mark.rule("S3.5")
def test_an_hourly_bar_beside_minute_bars_names_both_symbols_and_the_cure() -> None:
    """S3.5"""
    hourly, minutes = series("ES", [0, 60, 120], 60 * MINUTE), series("CL", list(range(30, 90)))

    with pytest.raises(TimelineError) as caught:
        build_timeline([hourly, minutes])

    assert str(caught.value) == (
        "ES's 1h bar of 1970-01-01 00:00 UTC is not over when CL's 1m bar opens at 1970-01-01 00:30 UTC; 2 of 3 bars "
        "are such (S3.5). Give ES a file with bars of 1m, or set `bar: 1h` for the run."
    )


def test_an_hourly_bar_is_over_where_the_other_symbol_has_no_bar_in_it() -> None:
    """S3.5"""
    assert len(build_timeline([series("ES", [0, 60], 60 * MINUTE), series("CL", [60, 120])])) == 3


def test_bars_of_one_length_on_shifted_grids_are_refused() -> None:
    """S3.5: one of the files is stamped at the end, or in another zone."""
    with pytest.raises(TimelineError, match="Bring both to one grid with `bar`, or correct `timestamp` or `timezone`"):
        build_timeline([series("ES", [0, 5, 10], 5 * MINUTE), series("CL", [1, 6, 11], 5 * MINUTE)])


@pytest.mark.rule("S3.5")
def test_daily_bars_share_a_timeline_of_dates_but_none_with_minutes() -> None:
    """S3.5"""
    daily = series("AAPL", [0, 1440], DAY)

    assert len(build_timeline([daily, series("SPY", [0, 1440, 2880], DAY)])) == 3
    with pytest.raises(TimelineError, match="Daily bars carry dates and share a timeline with daily bars only"):
        build_timeline([daily, series("ES", [870, 871])])


def test_a_bar_that_its_own_next_one_cuts_short_is_over_by_then() -> None:
    """S3.5: the last bar of a session may be shorter than the others."""
    assert len(build_timeline([series("ES", [0, 60, 90], 60 * MINUTE)])) == 3


def test_symbols_given_twice_or_without_bars_are_refused() -> None:
    with pytest.raises(TimelineError, match="ES is given 2 times"):
        build_timeline([series("ES", [1]), series("ES", [2])])
    with pytest.raises(TimelineError, match="has no bars in the range"):
        build_timeline([series("ES", [])])
    with pytest.raises(TimelineError, match="at least one symbol"):
        build_timeline([])


def test_daily_bars_of_several_sources_fall_on_the_same_dates(shared_dir: Path) -> None:
    """S3.5: three files of New York shares, two of them with the same 5,849 days."""
    names = {"AAPL": "AAPL_1d_unadjusted.csv", "SPY": "SPY_1d_unadjusted.csv", "NVDA": "NVDA_1d_yahoo.csv"}
    loaded = [load_series(SourceSettings(symbol=s, file=shared_dir / "data" / f)) for s, f in names.items()]

    timeline = build_timeline(loaded)

    assert len(timeline) == 5849
    assert timeline.real.sum(axis=0).tolist() == [5849, 5849, 4012]


def test_minute_bars_of_a_future_and_a_share_join_in_one_timeline(shared_dir: Path) -> None:
    """S3.1"""
    names = {"ES": "ESZ3_1m_2013-10.csv", "GC": "GCZ3_1m_2013-10.csv", "SPY": "SPY_1m_2013-10.csv"}
    loaded = [load_series(SourceSettings(symbol=s, file=shared_dir / "data" / f)) for s, f in names.items()]

    timeline = build_timeline(loaded)

    assert timeline.real.sum(axis=0).tolist() == [6826, 6687, 4128]
    assert len(timeline) == len(set().union(*(one.time_ns.tolist() for one in loaded)))
