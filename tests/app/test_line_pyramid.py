"""The line pyramid keeps every extreme and knows nothing beyond what is known."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.charts.columns import Columns
from app.charts.line_pyramid import LinePyramid
from app.charts.lines import drawdown, stretches
from app.replay.falls import Falls


@given(
    count=st.integers(0, 600),
    exponent=st.integers(0, 9),
    first=st.integers(-10, 600),
    width=st.integers(1, 600),
    share=st.floats(0, 1),
    holes=st.sampled_from([0.0, 0.4]),
)
def test_spans_equal_a_fold_by_hand(
    count: int, exponent: int, first: int, width: int, share: float, holes: float
) -> None:
    rng = np.random.default_rng(count)
    values = np.where(rng.random(count) < holes, np.nan, rng.normal(size=count))
    known, size = int(share * count), 1 << exponent

    spans = LinePyramid(values).spans(first, first + width, exponent, known)

    begins = list(range(max(first, 0) // size * size, min(first + width, known), size))
    assert spans.starts.tolist() == begins
    for number, begin in enumerate(begins):
        part = values[begin : min(begin + size, known)]
        real = part[~np.isnan(part)]
        expected = (real.min(), real.max()) if len(real) else (np.nan, np.nan)
        np.testing.assert_array_equal((spans.low[number], spans.high[number]), expected)
        np.testing.assert_array_equal((spans.first[number], spans.last[number]), (part[0], part[-1]))


def test_values_appended_one_by_one_give_the_same_as_at_once() -> None:
    values = np.random.default_rng(3).normal(size=777)
    grown = LinePyramid()
    for value in values:
        grown.extend(np.array([value]))

    for exponent in range(10):
        at_once = LinePyramid(values).spans(0, 777, exponent, 777)
        spans = grown.spans(0, 777, exponent, 777)
        np.testing.assert_array_equal((spans.low, spans.high), (at_once.low, at_once.high))


def test_memory_is_at_most_a_fifth_of_the_values() -> None:
    line = LinePyramid(np.zeros(100_000))

    assert line.nbytes <= 0.2 * line.values.nbytes


def test_rows_given_from_outside_are_not_written_to() -> None:
    given_values = np.arange(8.0)
    given_values.flags.writeable = False
    columns = Columns(1, [given_values])

    columns.put(3, [99.0])
    columns.append([100.0])

    assert given_values.tolist() == list(range(8))
    assert columns[0].tolist() == [0, 1, 2, 99, 4, 5, 6, 7, 100]


def test_a_line_is_drawn_in_stretches_between_its_holes() -> None:
    values = np.array([np.nan, 1, 2, np.nan, 3, np.nan])

    assert stretches(values) == [(1, 3), (4, 5)]


def test_the_starting_equity_is_the_first_peak_of_the_drawdown() -> None:
    """S13"""
    fall = drawdown(np.array([90.0, 120.0, 60.0, 120.0]), start=100.0)

    np.testing.assert_allclose(fall, [-0.1, 0.0, -0.5, 0.0])


@given(
    count=st.integers(0, 400),
    share=st.floats(0, 1),
    ends=st.tuples(st.integers(0, 400), st.integers(0, 400)),
    step=st.integers(1, 9),
)
def test_drawdowns_that_are_derived_are_those_of_the_whole_curve(
    count: int, share: float, ends: tuple[int, int], step: int
) -> None:
    """S13; in every stretch, with every step and at single places, taken in at once or in two parts."""
    curve = 100.0 + np.random.default_rng(count).integers(-3, 4, count).cumsum()
    expected = curve / np.maximum.accumulate(np.maximum(curve, 101.0)) - 1.0

    falls = Falls(lambda: curve, 101.0)
    falls.take_in(int(share * count))
    falls.take_in(count - int(share * count))

    at = slice(min(ends), max(ends), step)
    np.testing.assert_array_equal(falls(at), expected[at])
    np.testing.assert_array_equal(falls(np.arange(count)[at]), expected[at])
    np.testing.assert_allclose(falls(slice(0, count)), drawdown(curve, 101.0), atol=1e-15)


def test_a_line_of_derived_values_is_drawn_like_one_of_kept_ones() -> None:
    curve = 1000.0 + np.random.default_rng(1).normal(size=70_000).cumsum()
    falls = Falls(lambda: curve, 1000.0)
    falls.take_in(70_000)
    derived = LinePyramid(source=falls)
    derived.take_in(70_000)

    kept = LinePyramid(falls(slice(0, 70_000)))

    for exponent in range(14):
        mine, theirs = (line.spans(500, 69_000, exponent, 68_999) for line in (derived, kept))
        for name in ("low", "high", "first", "last"):
            np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))
