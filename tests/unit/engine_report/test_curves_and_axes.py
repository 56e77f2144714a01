"""Curves with fewer points, buy and hold, and where axes have their marks."""

import numpy as np
import pytest

from engine.report.axes import Scale, number_marks, short_number, time_marks
from engine.report.curves import buy_and_hold, thin
from engine.report.sections import configuration_text, moment, price

HOUR_NS = 3_600_000_000_000


def _ns(text: str) -> int:
    return int(np.datetime64(text, "ns").astype(np.int64))


def test_thinning_keeps_ends_peaks_and_troughs() -> None:
    values = np.random.default_rng(2).normal(0.0, 1.0, 50_000)
    values[31_234], values[12_345] = 99.0, -99.0
    time_ns = np.arange(50_000, dtype=np.int64) * 7

    times, kept = thin(time_ns, values, 100)

    assert len(kept) <= 4 * 101
    assert (times[0], times[-1]) == (0, 49_999 * 7)
    assert (kept.max(), kept.min()) == (99.0, -99.0)
    assert (np.diff(times) > 0).all()
    np.testing.assert_array_equal(values[times // 7], kept)


def test_every_column_keeps_its_own_extremes() -> None:
    values = np.random.default_rng(3).normal(0.0, 1.0, 10_000)
    time_ns = np.arange(10_000, dtype=np.int64)

    times, kept = thin(time_ns, values, 10)

    for low in range(0, 9_000, 1_000):
        inside = (times >= low) & (times < low + 999)
        part = values[low : low + 999]
        assert kept[inside].max() == part.max()
        assert kept[inside].min() == part.min()


def test_few_points_stay_as_they_are() -> None:
    time_ns, values = np.arange(400, dtype=np.int64), np.arange(400.0)

    assert thin(time_ns, values, 100)[1] is values


def test_buy_and_hold_splits_the_cash_and_waits_for_the_first_close() -> None:
    closes = np.array([[10.0, np.nan], [11.0, 50.0], [12.0, 25.0]])

    curve = buy_and_hold(closes, 1_000.0)

    np.testing.assert_allclose(curve, [1_000.0, 1_050.0, 850.0])


def test_buy_and_hold_leaves_out_what_cannot_be_bought() -> None:
    closes = np.array([[-3.0, 10.0], [1.0, 11.0]])

    np.testing.assert_allclose(buy_and_hold(closes, 100.0), [100.0, 110.0])
    assert buy_and_hold(closes[:, :1], 100.0) is None
    assert buy_and_hold(np.zeros((0, 2)), 100.0) is None


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 10.0, [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]),
        (97_300.0, 131_000.0, [100_000.0, 110_000.0, 120_000.0, 130_000.0]),
        (-0.043, 0.0, [-0.04, -0.03, -0.02, -0.01, 0.0]),
        (5.0, 5.0, [5.0]),
    ],
)
def test_marks_stand_at_round_numbers(low: float, high: float, expected: list[float]) -> None:
    assert number_marks(low, high) == expected


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        ("2024-01-02T09:31", "2024-01-02T10:10", "01-02 09:35", "01-02 10:10"),
        ("2024-01-02T09:31", "2024-01-04T10:10", "01-02 12:00", "01-04 00:00"),
        ("2024-01-02T09:31", "2024-01-20T10:10", "2024-01-06", "2024-01-18"),
        ("2023-11-15", "2024-04-15", "2023-12", "2024-04"),
        ("1995-06-01", "2024-04-15", "2000", "2020"),
    ],
)
def test_time_marks_say_no_more_than_their_step_needs(start: str, end: str, first: str, last: str) -> None:
    marks = time_marks(_ns(start), _ns(end))

    labels = [label for _, label in marks]
    assert (labels[0], labels[-1]) == (first, last)
    assert 2 <= len(marks) <= 9
    assert all(_ns(start) <= at <= _ns(end) for at, _ in marks)


def test_a_scale_without_a_span_still_has_a_middle() -> None:
    assert Scale(3.0, 3.0, 0.0, 100.0)(3.0) == 50.0


@pytest.mark.parametrize(("value", "text"), [(1_250_000, "1.25M"), (130_000, "130k"), (-0.0, "0"), (0.5, "0.5")])
def test_numbers_on_axes_are_short(value: float, text: str) -> None:
    assert short_number(value) == text


def test_prices_and_moments_show_what_is_there() -> None:
    assert price(4_750.25) == "4,750.25"
    assert price(-0.0) == "0"
    assert price(1.08345) == "1.08345"
    assert moment(_ns("2024-03-08T14:35")) == "2024-03-08 14:35"
    assert moment(_ns("2024-03-08T14:35:07")) == "2024-03-08 14:35:07"


def test_a_configuration_is_written_key_by_key() -> None:
    text = configuration_text({"seed": 7, "data": {"repair": None}, "assets": [{"symbol": "ES"}], "fx_rates": {}})

    assert text == "seed: 7\ndata:\n  repair: none\nassets:\n  -\n    symbol: ES\nfx_rates: none\n"
