"""The pyramid shows what the bars show, bucket by bucket, and nothing beyond the cursor."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.charts.bars import Bar, BarStore
from app.charts.cursor import Cursor
from app.charts.pyramid import BarPyramid, Buckets, Cut, exponent_for
from app.charts.timeframe import BarView
from engine.kernel.schema import Phase
from tests.app.markets import cut, walk


def by_hand(store: BarStore, first: int, last: int, exponent: int, visible: int) -> list[tuple[float, ...]]:
    """Each bucket folded bar by bar."""
    size = 1 << exponent
    rows = []
    for begin in range(max(first, 0) // size * size, min(last, visible), size):
        end = min(begin + size, visible)
        real = ~np.isnan(store.open[begin:end])
        some = real.any()
        rows.append(
            (
                store.open[begin:end][real][0] if some else np.nan,
                store.high[begin:end][real].max() if some else np.nan,
                store.low[begin:end][real].min() if some else np.nan,
                store.close[end - 1],
                store.volume[begin:end].sum(),
            )
        )
    return rows


def rows_of(buckets: Buckets) -> np.ndarray:
    return np.column_stack((buckets.open, buckets.high, buckets.low, buckets.close, buckets.volume))


@given(
    count=st.integers(1, 700),
    exponent=st.integers(0, 10),
    first=st.integers(-20, 700),
    width=st.integers(1, 700),
    share=st.floats(0, 1),
    gaps=st.sampled_from([0.0, 0.3, 0.9]),
)
def test_buckets_equal_a_fold_by_hand_at_any_zoom_and_cursor(
    count: int, exponent: int, first: int, width: int, share: float, gaps: float
) -> None:
    store = walk(count, gaps=gaps)
    visible = int(share * count)

    buckets = BarPyramid(store).buckets(first, first + width, exponent, Cut(visible))

    expected = by_hand(store, first, first + width, exponent, visible)
    np.testing.assert_array_equal(rows_of(buckets), np.array(expected).reshape(-1, 5))


@given(count=st.integers(2, 300), exponent=st.integers(0, 9), share=st.floats(0, 1))
def test_the_bucket_of_the_cursor_is_built_from_bars_up_to_the_cursor_only(
    count: int, exponent: int, share: float
) -> None:
    store = walk(count)
    visible = 1 + int(share * (count - 1))

    seen = BarPyramid(store).buckets(0, count, exponent, Cut(visible))
    ended = BarPyramid(cut(store, visible)).buckets(0, count, exponent, Cut(visible))

    np.testing.assert_array_equal(rows_of(seen), rows_of(ended))


def test_a_pyramid_appended_to_equals_one_built_at_once() -> None:
    whole = walk(1500, gaps=0.2)
    grown = BarStore()
    pyramid = BarPyramid(grown)
    for index in range(len(whole)):
        grown.append(int(whole.time_ns[index]), whole.bar(index))
        pyramid.update()

    for exponent in range(11):
        at_once = BarPyramid(whole).buckets(0, 1500, exponent, Cut(1500))
        np.testing.assert_array_equal(rows_of(pyramid.buckets(0, 1500, exponent, Cut(1500))), rows_of(at_once))


def test_an_amended_bar_changes_every_level_above_it() -> None:
    """S17.2: a correction changes charts."""
    store = walk(1000)
    pyramid = BarPyramid(store)

    store.amend(345, Bar(4400.0, 9999.0, 1.0, 4400.0, 5.0))
    pyramid.update()

    for exponent in range(11):
        buckets = pyramid.buckets(0, 1000, exponent, Cut(1000))
        assert buckets.high[345 >> exponent] == 9999.0
        assert buckets.low[345 >> exponent] == 1.0


def test_two_charts_of_one_store_both_take_in_an_amended_bar() -> None:
    store = walk(64)
    first, second = BarPyramid(store), BarPyramid(store)

    store.amend(5, Bar(1.0, 9999.0, 1.0, 1.0, 1.0))
    first.update()
    second.update()

    assert first.buckets(0, 64, 4, Cut(64)).high[0] == second.buckets(0, 64, 4, Cut(64)).high[0] == 9999.0


def test_memory_is_at_most_a_twelfth_of_the_bars() -> None:
    store = walk(100_000)

    assert BarPyramid(store).nbytes <= store.nbytes / 12


@pytest.mark.parametrize(("pixels", "exponent"), [(8.0, 0), (1.0, 0), (0.6, 1), (0.5, 1), (0.49, 2), (1 / 4096, 12)])
def test_past_one_bar_per_pixel_a_bucket_takes_at_least_a_pixel(pixels: float, exponent: int) -> None:
    assert exponent_for(pixels) == exponent


def test_at_open_only_the_opening_price_is_known() -> None:
    """S5.2: H, L, C, V of bar t do not exist at OPEN."""
    store = walk(10)

    seen = BarView(store).cut(Cursor(6, Phase.OPEN))

    o = float(store.open[6])
    assert seen == Cut(6, Bar(o, o, o, o, 0.0), opening=True)


def test_at_intrabar_the_whole_bar_is_known() -> None:
    store = walk(10)

    assert BarView(store).cut(Cursor(6, Phase.INTRABAR)) == Cut(6, store.bar(6))
