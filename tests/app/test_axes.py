"""Axes have round marks, labels that do not overlap, and times of the zone they name."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.charts.axes import visible_times
from app.charts.cursor import Cursor
from app.charts.prices import MINUS, PriceFormat, PriceStyle, compact, number, r_multiple
from app.charts.scale import Extent, Scale, extent_of
from app.charts.tags import spread
from app.charts.ticks import LocalTime, nice_step, price_marks, time_marks
from engine.kernel.schema import Phase
from tests.app.markets import walk
from tests.app.painting import Look, window_of

NEW_YORK = LocalTime(ZoneInfo("America/New_York"), "New York")
IN_UTC = LocalTime(UTC, "UTC")
MINUTE = 60_000_000_000


def minutes(year: int, month: int, day: int, hour: int, count: int, step: int = 1) -> np.ndarray:
    begin = int(datetime(year, month, day, hour, tzinfo=UTC).timestamp()) * 1_000_000_000
    return begin + step * MINUTE * np.arange(count, dtype=np.int64)


@given(
    centres=st.lists(st.floats(0, 500), max_size=20),
    size=st.floats(1, 20),
)
def test_labels_never_overlap_and_stay_in_the_order_of_their_prices(centres: list[float], size: float) -> None:
    places = spread(centres, size, 0.0, 500.0)

    by_price = [place for _, _, place in sorted(zip(centres, range(len(centres)), places, strict=True))]
    assert all(b - a >= size - 1e-6 for a, b in pairwise(by_price))
    assert all(place >= size / 2 - 1e-6 for place in places)
    assert all(place <= 500 - size / 2 + 1e-6 for place in places)


def test_labels_with_room_stay_where_their_prices_are() -> None:
    assert spread([80.0, 10.0, 45.0], 18.0, 0.0, 100.0) == [80.0, 10.0, 45.0]


@pytest.mark.parametrize(
    ("tick", "price", "text"),
    [
        (0.25, 4416.25, "4,416.25"),
        (0.01, -37.63, f"{MINUS}37.63"),
        (0.00005, 1.08925, "1.08925"),
        (1.0, 41250.0, "41,250"),
        (1 / 32, 118.5, "118'16"),
        (1 / 64, 110 + 16.5 / 32, "110'165"),
        (1 / 128, 110 + 16.25 / 32, "110'162"),
        (0.1, 2034.7, "2,034.7"),
    ],
)
def test_a_price_is_written_as_its_market_quotes_it(tick: float, price: float, text: str) -> None:
    assert PriceFormat.for_tick(tick).text(price) == text


def test_grains_are_written_in_eighths_where_asked_for() -> None:
    form = PriceFormat.for_tick(0.25, PriceStyle.EIGHTHS)

    assert form.text(450.25) == "450'2"
    assert form.text(-0.25) == f"{MINUS}0'2"


@pytest.mark.parametrize("value", [-0.0, -0.001, 0.0])
def test_zero_has_no_sign(value: float) -> None:
    assert number(value) == "0.00"
    assert r_multiple(value) == "0.0 R"
    assert PriceFormat.for_tick(0.25).text(value) == "0.00"


def test_a_price_snaps_to_the_nearest_tick() -> None:
    form = PriceFormat.for_tick(0.25)

    assert [form.snapped(price) for price in (4425.94, 4425.87, -0.1)] == [4426.0, 4425.75, 0.0]
    assert PriceFormat.for_tick(0.1).snapped(2034.73) == 2034.7


def test_large_volumes_are_short() -> None:
    assert [compact(volume) for volume in (2314, 18_240, 4_120_000, 2.5e9)] == ["2,314", "18.2 K", "4.1 M", "2.5 B"]


@given(low=st.floats(-1000, 5000), height=st.floats(0.5, 5000), tick=st.sampled_from([0.01, 0.25, 0.1, 1 / 32, 5.0]))
def test_value_marks_are_multiples_of_the_tick_and_not_too_many(low: float, height: float, tick: float) -> None:
    marks = price_marks(Scale(low, low + height), tick, 8)

    assert len(marks) <= 10
    for mark in marks:
        assert abs(mark / tick - round(mark / tick)) < 1e-4
        assert low - 1e-9 <= mark <= low + height + 1e-9


@pytest.mark.parametrize(
    ("least", "tick", "step"), [(0.3, 0.25, 0.5), (3.0, 0.25, 5.0), (0.04, 1 / 32, 1 / 16), (7.0, 1 / 32, 10.0)]
)
def test_steps_are_round(least: float, tick: float, step: float) -> None:
    assert nice_step(least, tick) == step


def test_a_logarithmic_scale_has_marks_in_every_decade() -> None:
    assert price_marks(Scale(1.0, 1000.0, log=True), 0.01, 12) == [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]


def test_equal_ratios_are_equally_high_on_a_logarithmic_scale() -> None:
    scale = Scale(10.0, 1000.0, log=True)

    assert scale.share(100.0) == pytest.approx(0.5)
    assert scale.value(0.5) == pytest.approx(100.0)


def test_prices_below_zero_fall_back_to_a_linear_scale() -> None:
    """S2.1: zero and negative prices are legal."""
    scale = Scale.around(Extent(-40.0, 10.0), 0.01, log=True)

    assert not scale.logarithmic
    assert 0 < scale.share(-37.63) < scale.share(0.0) < 1


def test_a_flat_line_still_has_a_scale() -> None:
    scale = Scale.around(extent_of(np.array([5.0]), np.array([5.0])), 0.25)

    assert scale.low < 5.0 < scale.high
    assert extent_of(np.array([np.nan]), np.array([np.nan])) is None


@given(low=st.floats(1, 1e4), height=st.floats(1e-2, 1e4), share=st.floats(0, 1), log=st.booleans())
def test_a_scale_and_its_inverse_lead_back(low: float, height: float, share: float, log: bool) -> None:
    scale = Scale(low, low + height, log)

    assert scale.share(scale.value(share)) == pytest.approx(share, abs=1e-6)


def test_times_are_those_of_the_named_zone_across_a_change_of_the_clock() -> None:
    """New York left daylight saving time on 2023-11-05 at 06:00 UTC."""
    times = minutes(2023, 11, 5, 4, 6, step=60)

    hours = NEW_YORK.seconds(times) // 3600 % 24

    assert hours.tolist() == [NEW_YORK.moment(int(time)).hour for time in times] == [0, 1, 1, 2, 3, 4]


def test_a_zone_without_changes_is_shifted_evenly() -> None:
    times = minutes(2024, 1, 1, 0, 5)

    assert (LocalTime(ZoneInfo("Asia/Tokyo"), "Tokyo").seconds(times) - times // 10**9 == 9 * 3600).all()
    assert (IN_UTC.seconds(times) == times // 10**9).all()


def test_without_a_zone_times_are_those_of_this_machine() -> None:
    times = minutes(2024, 1, 1, 0, 400, step=1440)

    shown = LocalTime(None, "local").seconds(times)

    offsets = [datetime.fromtimestamp(int(time) // 10**9, UTC).astimezone().utcoffset() for time in times]
    assert (shown - times // 10**9).tolist() == [int(o.total_seconds()) for o in offsets if o is not None]


def test_marks_lie_on_round_times() -> None:
    times = minutes(2024, 3, 5, 13, 120)

    marks = time_marks(np.arange(120), times, IN_UTC, 8)

    assert [mark.label for mark in marks] == ["13:15", "13:30", "13:45", "14:00", "14:15", "14:30", "14:45"]
    assert [mark.bar for mark in marks] == [15, 30, 45, 60, 75, 90, 105]


def test_a_day_begins_at_midnight_of_the_zone_or_with_its_session() -> None:
    times = minutes(2024, 3, 5, 0, 48, step=60)
    trading_day = (times // 10**9 + 2 * 3600) // 86400  # a session that opens at 22:00 UTC

    by_midnight = time_marks(np.arange(48), times, NEW_YORK, 3)
    by_session = time_marks(np.arange(48), times, IN_UTC, 3, trading_day)

    assert [(mark.bar, mark.label, mark.major) for mark in by_midnight if mark.major] == [
        (5, "5 Mar", True),
        (29, "6 Mar", True),
    ]
    assert [(mark.bar, mark.label) for mark in by_session if mark.major] == [(22, "6 Mar"), (46, "7 Mar")]


def test_days_give_way_to_months_and_years() -> None:
    times = minutes(2022, 12, 1, 0, 800, step=1440)

    assert [mark.label for mark in time_marks(np.arange(800), times, IN_UTC, 12)][:5] == [
        "2023",
        "Apr",
        "Jul",
        "Oct",
        "2024",
    ]


def test_a_gap_in_time_takes_no_room_and_gets_one_mark() -> None:
    times = np.concatenate((minutes(2024, 3, 8, 20, 60), minutes(2024, 3, 11, 13, 60)))

    marks = time_marks(np.arange(120), times, IN_UTC, 4)

    assert [(mark.bar, mark.label) for mark in marks if mark.major] == [(60, "11 Mar")]


def test_the_first_bars_of_a_run_have_round_times_below_them() -> None:
    """Twelve minutes at the right edge are too narrow for a mark a minute; 18:01 and 18:09 would be left of those."""
    window = window_of(walk(13), Cursor(12, Phase.CLOSE), Look(span=160.0))

    labels = [mark.label for mark in visible_times(window, IN_UTC, None)]

    assert labels
    assert {int(label[-2:]) % 5 for label in labels} == {0}


def test_a_narrow_axis_has_a_mark_where_only_many_or_none_would_be_round() -> None:
    """Three weeks, room for two marks, and no month among them."""
    times = minutes(2024, 9, 2, 0, 17, step=1440)

    marks = time_marks(np.arange(17), times, IN_UTC, 1)

    assert [mark.label for mark in marks] == ["9 Sep", "16 Sep"]
