"""A timeframe shows the same bars, resampled from the session's open, and nothing beyond the cursor (S3.6)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.charts.bars import Bar, BarStore
from app.charts.cursor import Cursor
from app.charts.pyramid import Cut
from app.charts.timeframe import BarView, Timeframe
from data.series import BarSeries
from engine.kernel.schema import Phase
from tests.app.markets import MINUTE, MONDAY, walk

FIVE = Timeframe("5m", 5 * MINUTE)


def folded(store: BarStore, first: int, stop: int) -> Bar:
    bar = store.bar(first)
    for index in range(first + 1, stop):
        bar = bar.merged(store.bar(index))
    return bar


@given(count=st.integers(1, 200), gaps=st.sampled_from([0.0, 0.5]))
def test_a_bar_of_five_minutes_is_its_minutes_as_one(count: int, gaps: float) -> None:
    store = walk(count, gaps=gaps)

    view = BarView(store, FIVE, MINUTE)

    whole = [folded(store, begin, min(begin + 5, count)) for begin in range(0, count, 5)]
    assert [repr(view.store.bar(index)) for index in range(len(view.store))] == [repr(bar) for bar in whole]
    assert view.store.time_ns.tolist() == [MONDAY + begin * MINUTE for begin in range(0, count, 5)]


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("bar", [0, 3, 7, 9, 10, 99])
def test_the_bar_of_the_cursor_holds_what_is_known_at_the_cursor_only(bar: int, phase: Phase) -> None:
    """S5.2, S4"""
    store = walk(100)
    view = BarView(store, FIVE, MINUTE)

    seen = view.cut(Cursor(bar, phase))

    begin = bar // 5 * 5
    now = store.bar(bar).opening() if phase == Phase.OPEN else store.bar(bar)
    expected = now if begin == bar else folded(store, begin, bar).merged(now)
    assert seen == Cut(bar // 5, expected, opening=phase == Phase.OPEN and begin == bar)


def test_bars_are_aligned_to_the_sessions_open_and_cut_at_its_end() -> None:
    """S3.6"""
    store = walk(22)

    def sessions_of_eleven_minutes(time_ns: np.ndarray) -> np.ndarray:
        return time_ns - (time_ns - MONDAY) % (11 * MINUTE)

    view = BarView(store, Timeframe("5m", 5 * MINUTE, sessions_of_eleven_minutes), MINUTE)

    assert [view.first_bar(index) for index in range(len(view.store))] == [0, 5, 10, 11, 16, 21]


def test_a_view_that_grows_equals_one_made_at_once() -> None:
    whole = walk(137, gaps=0.3)
    grown = BarStore()
    view = BarView(grown, FIVE, MINUTE)
    for index in range(len(whole)):
        grown.append(int(whole.time_ns[index]), whole.bar(index))
        view.update()

    at_once = BarView(whole, FIVE, MINUTE)
    assert [repr(view.store.bar(i)) for i in range(len(view.store))] == [
        repr(at_once.store.bar(i)) for i in range(len(at_once.store))
    ]


def test_an_amended_minute_changes_its_five_minutes() -> None:
    """S17.2"""
    store = walk(100)
    view = BarView(store, FIVE, MINUTE)

    store.amend(42, Bar(4400.0, 9999.0, 1.0, 4400.0, 7.0))
    view.update()

    assert view.store.high[8] == 9999.0
    assert view.pyramid.buckets(0, 20, 2, Cut(20)).high[2] == 9999.0


def test_places_translate_there_and_back() -> None:
    view = BarView(walk(100), FIVE, MINUTE)
    cursor = Cursor(57)

    assert [view.index_of(bar) for bar in (0, 4, 5, 57)] == [0, 0, 1, 11]
    assert view.indices_of(np.array([0, 4, 5, 57])).tolist() == [0, 0, 1, 11]
    assert view.last_bar(10, cursor) == 54
    assert view.last_bar(11, cursor) == 57
    assert view.position(10.0, cursor) == 2.0
    assert view.position(58.0, cursor) == pytest.approx(11.6)
    assert view.complete(54) == 10
    assert view.complete(55) == 11


def test_bars_on_a_master_timeline_are_synthetic_where_the_symbol_did_not_trade() -> None:
    """S3.2"""
    times = MONDAY + MINUTE * np.array([1, 3], dtype=np.int64)
    prices = np.array([10.0, 20.0])
    series = BarSeries(
        symbol="X",
        time_ns=times,
        open=prices,
        high=prices + 1,
        low=prices - 1,
        close=prices + 0.5,
        volume=np.array([5.0, 6.0]),
        bar_ns=MINUTE,
        source="test",
        digest="",
    )
    master = MONDAY + MINUTE * np.arange(5, dtype=np.int64)
    row = np.array([-1, 0, 0, 1, 1], dtype=np.int64)

    store = BarStore.from_series(series, master, row)

    np.testing.assert_array_equal(store.open, [np.nan, 10, np.nan, 20, np.nan])
    np.testing.assert_array_equal(store.close, [np.nan, 10.5, 10.5, 20.5, 20.5])
    np.testing.assert_array_equal(store.volume, [0, 5, 0, 6, 0])
    assert store.synthetic.tolist() == [True, False, True, False, True]
