"""Longer bars from finer ones: aligned to the session's open, cut at its end, seen when closed only (S3.6)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import BarError
from data.resampling import closed_bar_index, resample
from data.series import BarSeries, TimeArray

MINUTE = 60_000_000_000
DAY = 1440 * MINUTE


def walk(minutes: list[int], bar: int = MINUTE) -> BarSeries:
    """Return bars whose close walks and whose volume is 1."""
    n = len(minutes)
    close = 100 + np.cumsum(np.random.default_rng(n).integers(-3, 4, n)).astype(np.float64)
    open_ = np.concatenate(([100.0], close[:-1]))
    return BarSeries(
        symbol="ES", time_ns=np.array(minutes, dtype=np.int64) * MINUTE, open=open_,
        high=np.maximum(open_, close) + 1, low=np.minimum(open_, close) - 1, close=close, volume=np.ones(n),
        bar_ns=bar, source="made", digest="d",
    )  # fmt: skip


def test_without_a_session_bars_begin_at_midnight_utc() -> None:
    """S3.6"""
    fine = walk([0, 1, 4, 5, 6, 12, 1439, 1440])

    coarse = resample(fine, "5m")

    assert (coarse.time_ns // MINUTE).tolist() == [0, 5, 10, 1435, 1440]
    assert coarse.volume.tolist() == [3, 2, 1, 1, 1]
    assert coarse.open[0] == fine.open[0]
    assert coarse.close[0] == fine.close[2]
    assert coarse.high[0] == fine.high[:3].max()
    assert coarse.low[1] == fine.low[3:5].min()
    assert coarse.bar_ns == 5 * MINUTE


@pytest.mark.rule("S3.6")
def test_bars_are_aligned_to_the_session_and_its_last_one_is_cut() -> None:
    """S3.6: sessions from 00:10 to 01:00 and from 02:05; hours of half an hour begin at 10 and 40, and at 125."""
    minutes = [*range(10, 60), *range(125, 160)]
    opens: TimeArray = np.where(np.array(minutes) < 60, 10, 125).astype(np.int64) * MINUTE

    coarse = resample(walk(minutes), "30m", opens)

    assert (coarse.time_ns // MINUTE).tolist() == [10, 40, 125, 155]
    assert coarse.volume.tolist() == [30, 20, 30, 5]


def test_bars_between_two_sessions_do_not_reach_back_into_the_one_before() -> None:
    """S3.6"""
    minutes = [*range(10, 60), 70, 71, *range(125, 130)]
    opens: TimeArray = np.where(np.array(minutes) < 60, 10, 125).astype(np.int64) * MINUTE

    coarse = resample(walk(minutes), "1h", opens)

    assert (coarse.time_ns // MINUTE).tolist() == [10, 70, 125]
    assert bool((np.diff(coarse.time_ns) > 0).all())


@pytest.mark.parametrize("length", ["90s", "30s", "7m"])
def test_lengths_that_do_not_fit_are_refused(length: str) -> None:
    """S3.6"""
    with pytest.raises(BarError, match="choose a whole multiple of 2m"):
        resample(walk([0, 2, 4], 2 * MINUTE), length)


@pytest.mark.parametrize("length", ["2d", "1w", "36h"])
@pytest.mark.rule("S3.6")
def test_lengths_beyond_a_day_are_refused_and_not_given_as_days(length: str) -> None:
    """S3.6: a session's last bar ends with it."""
    with pytest.raises(BarError, match=f"bars of {length} cannot be built: .* choose 1d or less"):
        resample(walk([0, 60, DAY // MINUTE], 60 * MINUTE), length)


def test_the_same_length_gives_the_series_itself() -> None:
    fine = walk([0, 1])

    assert resample(fine, "1m") is fine
    assert resample(fine, "5m").digest != resample(fine, "10m").digest


@given(st.sets(st.integers(0, 3000), min_size=1, max_size=200), st.sampled_from(["5m", "15m", "1h", "4h", "1d"]))
def test_nothing_is_lost_and_nothing_invented(minutes: set[int], length: str) -> None:
    """S3.6"""
    fine = walk(sorted(minutes))

    coarse = resample(fine, length)

    assert coarse.volume.sum() == fine.volume.sum()
    assert coarse.high.max() == fine.high.max()
    assert coarse.low.min() == fine.low.min()
    assert coarse.open[0] == fine.open[0]
    assert coarse.close[-1] == fine.close[-1]
    assert bool((np.diff(coarse.time_ns) >= coarse.bar_ns).all())
    assert bool((coarse.time_ns % coarse.bar_ns == 0).all())


@given(st.sets(st.integers(0, 600), min_size=2, max_size=120), st.sampled_from(["5m", "15m", "1h"]))
@pytest.mark.rule("S3.6")
def test_an_indicator_sees_closed_longer_bars_only(minutes: set[int], length: str) -> None:
    """S3.6: every fine bar in the longer bar seen opened, and ended, before the bar that sees it opens."""
    fine = walk(sorted(minutes))
    coarse = resample(fine, length)

    seen = closed_bar_index(fine, coarse)

    for moment, index in zip(fine.time_ns, seen, strict=True):
        over = [row for row in range(len(coarse)) if coarse.time_ns[row] + coarse.bar_ns <= moment]
        assert index == (over[-1] if over else -1)


def test_a_later_fine_bar_changes_no_longer_bar_that_was_over() -> None:
    """S3.6, S15"""
    minutes = [*range(90)]
    whole, part = resample(walk(minutes), "15m"), resample(walk(minutes), "15m")
    fine = walk(minutes)
    bumped = fine.high.copy()
    bumped[-1] += 50
    later = BarSeries(**{name: getattr(fine, name) for name in BarSeries.__dataclass_fields__} | {"high": bumped})

    part = resample(later, "15m")

    known = closed_bar_index(fine, whole)[-1]
    assert known == 4
    assert whole.high[: known + 1].tolist() == part.high[: known + 1].tolist()
    assert whole.high[-1] != part.high[-1]


def test_a_bar_cut_by_its_session_is_over_when_the_next_session_opens() -> None:
    """S3.6"""
    minutes = [*range(50), *range(55, 60)]
    opens: TimeArray = np.where(np.array(minutes) < 50, 0, 55).astype(np.int64) * MINUTE
    fine = walk(minutes)
    coarse = resample(fine, "30m", opens)

    assert (coarse.time_ns // MINUTE).tolist() == [0, 30, 55]
    assert closed_bar_index(fine, coarse)[[29, 30, 49, 50]].tolist() == [-1, 0, 0, 1]
