"""Values of swept settings and folds of dates: what a sweep file's short forms come to."""

import re
from datetime import date
from itertools import pairwise

import pytest

from engine.errors import ConfigError
from research.sweeping.folds import Span, spans_of
from research.sweeping.sections import FoldSection
from research.sweeping.values import check_draws, draw, grid_values

AT = ("grid", "bot.x")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([3, 1, 2], (3, 1, 2)),
        ("touch", ("touch",)),
        ({"low": 1, "high": 2, "step": 0.25}, (1.0, 1.25, 1.5, 1.75, 2.0)),
        ({"low": 0.1, "high": 0.3, "step": 0.1}, (0.1, 0.2, 0.3)),
        ({"low": 0, "high": 1, "count": 3}, (0.0, 0.5, 1.0)),
        ({"low": 1, "high": 100, "count": 3, "scale": "log"}, (1.0, 10.0, 100.0)),
        ({"low": 10, "high": 20, "step": 5, "scale": "integer"}, (10, 15, 20)),
        ({"low": 1, "high": 3, "count": 9, "scale": "integer"}, (1, 2, 3)),
        ({"low": 0.5, "high": 4.5, "step": 1, "scale": "integer"}, (1, 2, 3, 4)),
    ],
)
def test_a_grid_is_a_list_or_a_range_in_steps(given: object, expected: tuple[object, ...]) -> None:
    values = grid_values(given, AT)
    assert values == expected
    assert [type(value) for value in values] == [type(value) for value in expected]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "the list is empty"),
        ([1, 2, 1], "1 stands in the list twice"),
        ({"low": 1, "high": 2}, "either step or count"),
        ({"low": 2, "high": 1, "count": 2}, "high, 1, is below low, 2"),
        ({"low": 0, "high": 1, "count": 2, "scale": "log"}, "begins above zero"),
        ({"low": 0, "high": 1, "stepp": 2}, "the nearest is step"),
        ({"low": 0, "high": 1e9, "step": 1}, "take larger steps"),
        ({"low": 1.2, "high": 1.8, "count": 2, "scale": "integer"}, "no whole number"),
    ],
)
def test_a_malformed_range_is_refused_with_its_key(given: object, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as error:
        grid_values(given, AT)
    assert "grid.bot.x" in str(error.value)


def test_draws_depend_on_seed_key_and_number_alone() -> None:
    """S14."""
    span = {"low": 2, "high": 4}
    first = [draw(span, 7, "a", number) for number in range(50)]
    assert [draw(span, 7, "a", number) for number in reversed(range(50))] == first[::-1]
    assert draw(span, 8, "a", 0) != first[0] != draw(span, 7, "b", 0)
    assert all(2 <= value <= 4 for value in first)


def test_random_ranges_fill_their_scale_evenly() -> None:
    logs = sorted(draw({"low": 1, "high": 100, "scale": "log"}, 1, "k", number) for number in range(400))
    assert 8 < logs[200] < 12.5
    whole = {draw({"low": 1, "high": 3, "scale": "integer"}, 1, "k", number) for number in range(50)}
    assert whole == {1, 2, 3}
    assert {draw(["a", "b"], 1, "k", number) for number in range(50)} == {"a", "b"}


def test_a_random_range_has_no_steps() -> None:
    with pytest.raises(ConfigError, match="belong to a grid"):
        check_draws({"low": 1, "high": 2, "step": 1}, AT)


def days(spans: tuple[Span, ...]) -> list[tuple[int, str, str, str]]:
    return [(one.fold, one.part, str(one.start), str(one.end)) for one in spans]


def test_rolling_folds_keep_the_length_of_the_in_sample_part() -> None:
    folds = FoldSection(kind="rolling", in_sample="10d", out_of_sample="5d")
    assert days(spans_of(folds, date(2024, 1, 1), date(2024, 1, 20))) == [
        (0, "in", "2024-01-01", "2024-01-10"),
        (0, "out", "2024-01-11", "2024-01-15"),
        (1, "in", "2024-01-06", "2024-01-15"),
        (1, "out", "2024-01-16", "2024-01-20"),
    ]


def test_anchored_folds_grow_and_purge_and_embargo_part_them() -> None:
    folds = FoldSection(
        kind="anchored",
        in_sample="1mo",
        out_of_sample="2w",
        step="1mo",
        purge="3d",
        embargo="1d",
        start=date(2024, 1, 1),
    )
    assert days(spans_of(folds, date(2024, 1, 1), date(2024, 3, 20))) == [
        (0, "in", "2024-01-01", "2024-01-28"),
        (0, "out", "2024-02-02", "2024-02-15"),
        (1, "in", "2024-01-01", "2024-02-26"),
        (1, "out", "2024-03-02", "2024-03-15"),
    ]


def test_nothing_out_of_sample_was_seen_in_sample() -> None:
    for kind in ("rolling", "anchored"):
        folds = FoldSection(kind=kind, in_sample="3w", out_of_sample="1w", purge="2d", embargo="1d")
        spans = spans_of(folds, date(2024, 1, 1), date(2024, 12, 31))
        assert len(spans) > 20
        for inside, outside in zip(spans[::2], spans[1::2], strict=True):
            assert inside.end is not None
            assert outside.start is not None
            assert (outside.start - inside.end).days == 1 + 2 + 1


def test_no_bar_is_judged_twice_however_long_the_months_are() -> None:
    """An embargo in days beside parts in months: the end of February is nearer to March than the end of March."""
    for begin in (date(2023, 1, 28), date(2023, 1, 31), date(2024, 2, 29)):
        folds = FoldSection(kind="rolling", in_sample="1mo", out_of_sample="1mo", embargo="5d", start=begin)
        spans = spans_of(folds, begin, date(2025, 12, 31))
        tests = [one for one in spans if one.part == "out"]
        assert len(tests) > 15
        for one, other in pairwise(tests):
            assert one.end is not None
            assert other.start is not None
            assert (other.start - one.end).days == 1


def part(inside: tuple[str, str], outside: tuple[str, str] | None = None) -> dict[str, object]:
    return {"in_sample": list(inside)} | ({} if outside is None else {"out_of_sample": list(outside)})


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        (
            [
                part(("2021-01-01", "2021-12-31"), ("2022-01-01", "2022-06-30")),
                part(("2021-07-01", "2021-12-31"), ("2022-06-30", "2022-12-31")),
            ],
            "begins on 2022-06-30, before the out-of-sample part of fold 1 has ended on 2022-06-30: bars of both",
        ),
        (
            [part(("2021-01-01", "2021-12-31"), ("2021-12-31", "2022-06-30"))],
            "overlaps its in-sample part, 2021-01-01 to 2021-12-31: what is judged there was learned from",
        ),
        ([part(("2021-12-31", "2021-01-01"))], "the in-sample part of fold 1 has no day left"),
        (
            [part(("2021-01-01", "2021-12-31"), ("2022-01-01T00:00", "2022-01-01T00:00"))],
            "the out-of-sample part of fold 1 has no day left",
        ),
    ],
)
def test_fixed_folds_that_would_judge_a_bar_twice_or_where_it_was_learned_from_are_refused(
    parts: list[dict[str, object]], told: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)) as refused:
        spans_of(FoldSection(kind="fixed", parts=parts), None, None)
    assert str(refused.value).startswith("folds.parts: ")


def test_fixed_folds_that_follow_each_other_to_the_minute_are_taken() -> None:
    parts = [
        part(("2021-01-01", "2022-01-01T12:00"), ("2022-01-01T12:00", "2022-06-30T09:30")),
        part(("2021-01-01", "2022-03-31"), ("2022-06-30T09:30", "2022-12-31")),
        part(("2022-01-01", "2022-12-31")),
    ]
    assert len(spans_of(FoldSection(kind="fixed", parts=parts), None, None)) == 5


def test_folds_that_move_on_by_less_than_they_judge_are_refused() -> None:
    folds = FoldSection(kind="rolling", in_sample="10d", out_of_sample="5d", step="3d")
    with pytest.raises(ConfigError, match=r"folds.step: .* bars of both would be judged twice"):
        spans_of(folds, date(2024, 1, 1), date(2024, 3, 1))


def test_a_purge_that_leaves_nothing_to_learn_from_is_refused() -> None:
    folds = FoldSection(kind="rolling", in_sample="5d", out_of_sample="5d", purge="5d")
    with pytest.raises(ConfigError, match="the in-sample part of fold 1 has no day left"):
        spans_of(folds, date(2024, 1, 1), date(2024, 3, 1))


def test_fixed_folds_are_as_written() -> None:
    folds = FoldSection(
        kind="fixed",
        purge="1d",
        parts=[{"in_sample": ["2022-01-01", "2022-12-31"], "out_of_sample": ["2023-01-01", "2023-06-30"]}],
    )
    assert days(spans_of(folds, None, None)) == [
        (0, "in", "2022-01-01", "2022-12-30"),
        (0, "out", "2023-01-01", "2023-06-30"),
    ]


@pytest.mark.parametrize(
    ("folds", "told"),
    [
        ({"kind": "rolling", "in_sample": "9d"}, "need out_of_sample"),
        ({"kind": "rolling", "in_sample": "9 days", "out_of_sample": "1d"}, "no length of time"),
        ({"kind": "rolling", "in_sample": "90d", "out_of_sample": "1d"}, "not one fold fits"),
        ({"kind": "rolling", "in_sample": "9000000d", "out_of_sample": "1d"}, "leads out of the calendar"),
        ({"kind": "rolling", "in_sample": "99999999999999d", "out_of_sample": "1d"}, "leads out of the calendar"),
        ({"kind": "rolling", "in_sample": "99999999999y", "out_of_sample": "1d"}, "leads out of the calendar"),
        ({"kind": "anchored", "in_sample": "9d", "out_of_sample": "1d", "step": "0d"}, "makes more than"),
        ({"kind": "fixed"}, "need parts"),
    ],
)
def test_folds_that_make_no_sense_are_refused(folds: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        spans_of(FoldSection(**folds), date(2024, 1, 1), date(2024, 1, 31))
