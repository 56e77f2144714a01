"""Which bar is open, closed or corrected, decided copy by copy."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.tradestation.assembler import BarAssembler
from data.tradestation.bars import Interval, LiveBar, MalformedBarError, bar_from_json, format_time, parse_time
from data.tradestation.clock import NS
from data.tradestation.events import BarClosed, BarCorrected, BarUpdated, CloseReason, Event

MINUTE = 60 * NS
START = parse_time("2024-03-06T15:00:00Z")


def bar(minute: int, close: float = 10.0, volume: float = 5.0, closed: bool | None = None) -> LiveBar:
    stamp = START + minute * MINUTE
    return LiveBar(stamp - MINUTE, stamp, 10.0, max(10.0, close), min(10.0, close), close, volume, 1, closed)


def at(minute: float) -> int:
    return START + int(minute * MINUTE)


def assembler(*closed_minutes: int) -> BarAssembler:
    made = BarAssembler("ES", Interval(1), grace_s=3.0)
    made.replace([bar(m, closed=True) for m in closed_minutes], at(closed_minutes[-1]))
    made.watching_since_ns = at(closed_minutes[-1])
    return made


def closings(events: Sequence[Event]) -> list[tuple[int, CloseReason]]:
    return [((e.bar.close_ns - START) // MINUTE, e.reason) for e in events if isinstance(e, BarClosed)]


def always(_: int) -> bool:
    return True


def test_a_copy_that_says_closed_closes() -> None:
    made = assembler(1)
    assert closings(made.update(bar(2), at(1.5))) == []
    assert closings(made.update(bar(2, closed=True), at(2.0))) == [(2, CloseReason.STATUS)]


def test_a_later_bar_closes_the_one_before() -> None:
    made = assembler(1)
    made.update(bar(2, 11.0), at(1.5))
    events = made.update(bar(5), at(4.2))

    assert closings(events) == [(2, CloseReason.LATER_BAR)]
    assert isinstance(events[0], BarClosed)
    assert events[0].bar.close == 11.0
    assert made.open_bar == bar(5)


@pytest.mark.parametrize(
    ("now", "alive", "is_open", "closes"),
    [
        (2.0 + 2.9 / 60, 2.01, True, False),
        (2.0 + 3.1 / 60, 2.01, True, True),
        (2.5, 1.9, True, False),
        (2.5, 2.4, False, False),
    ],
    ids=["within the grace", "beyond it", "a line that has been dead since before", "no session"],
)
def test_the_clock_closes_a_quiet_bar_if_the_line_lives_and_the_session_was_open(
    now: float, alive: float, is_open: bool, closes: bool
) -> None:
    made = assembler(1)
    made.update(bar(2), at(1.5))

    events = made.tick(at(now), at(alive), lambda _: is_open)
    assert closings(events) == ([(2, CloseReason.CLOCK)] if closes else [])


def test_what_comes_for_a_closed_bar_is_a_correction_or_nothing() -> None:
    """S17.2: told beside, never as a second closing."""
    made = assembler(1)
    made.update(bar(2, 11.0, closed=True), at(2))
    assert made.update(bar(2, 11.0, closed=True), at(2.1)) == []

    events = made.update(bar(2, 12.0, closed=True), at(2.2))
    assert events == [BarCorrected("ES", bar(2, 11.0, closed=True), bar(2, 12.0, closed=True), at(2.2))]
    assert made.closed_bars(1)[0].close == 12.0


def test_an_old_copy_of_a_closed_bar_is_no_correction() -> None:
    """A request was quicker than the stream: the stream still tells how the bar was made."""
    made = assembler(1)
    made.splice([bar(1), bar(2, 12.0, 50.0), bar(3, closed=False)], at(2.5))

    assert made.update(bar(2, 11.0, 20.0, closed=False), at(2.6)) == []
    assert made.update(bar(2, 11.0, 20.0, closed=True), at(2.6)) != []


def test_a_late_print_makes_a_bar_that_had_not_existed() -> None:
    made = assembler(1, 4)
    events = made.update(bar(3), at(4.5))

    assert events == [BarCorrected("ES", None, bar(3), at(4.5))]
    assert [b.close_ns for b in made.closed_bars()] == [at(1), at(3), at(4)]


def test_a_bar_is_opened_live_only_if_it_was_watched_from_its_start() -> None:
    """S17.2."""
    made = BarAssembler("ES", Interval(1))
    made.replace([bar(1, closed=True), bar(2)], at(1.5))
    made.watching_since_ns = at(1.5)
    events = [*made.update(bar(2, closed=True), at(2)), *made.update(bar(3), at(2.1)), *made.update(bar(4), at(3.1))]

    assert [e.opened_live for e in events if isinstance(e, BarClosed)] == [False, True]


def test_a_bar_whose_first_copy_comes_late_was_not_opened_live() -> None:
    """S17.2: watching began at 2.5, the bar opened at 2.0."""
    made = assembler(1)
    made.watching_since_ns = at(2.5)
    events = [*made.update(bar(3), at(2.6)), *made.update(bar(3, closed=True), at(3))]

    assert [e.opened_live for e in events if isinstance(e, BarClosed)] == [False]


def test_a_backfill_closes_what_is_new_corrects_what_differs_and_doubles_nothing() -> None:
    made = assembler(1, 2, 3)
    made.update(bar(4, 9.0), at(3.5))
    answer = [bar(2), bar(3, 8.0), bar(4, 9.5), bar(5), bar(6, closed=False)]
    events = made.splice(answer, at(5.5))

    assert closings(events) == [(4, CloseReason.HISTORY), (5, CloseReason.HISTORY)]
    assert [e.bar for e in events if isinstance(e, BarCorrected)] == [bar(3, 8.0)]
    four = next(e for e in events if isinstance(e, BarClosed))
    assert four.opened_live
    assert four.backfilled
    assert made.open_bar == bar(6, closed=False)
    assert made.splice(answer, at(5.6)) == []


@pytest.mark.parametrize(("minutes_later", "closed"), [(0.5, False), (1.04, False), (1.06, True)])
def test_without_a_status_the_last_bar_of_an_answer_is_closed_by_the_time(minutes_later: float, closed: bool) -> None:
    made = BarAssembler("ES", Interval(1), grace_s=3.0)
    made.replace([bar(1), bar(2)], at(1 + minutes_later))

    assert made.last_closed_ns == (at(2) if closed else at(1))


def test_copies_that_waited_never_undo_the_answer_to_a_request() -> None:
    made = assembler(1)
    made.splice([bar(1), bar(2, 12.0, 50.0), bar(3, 13.0, 40.0, closed=False)], at(2.5))

    assert made.update(bar(2, 11.0, 20.0, closed=False), at(2.6), buffered=True) == []
    assert made.update(bar(3, 11.0, 20.0, closed=False), at(2.6), buffered=True) == []
    assert not made.take_doubt()
    assert made.update(bar(3, 14.0, 60.0, closed=False), at(2.6), buffered=True) == [
        BarUpdated("ES", bar(3, 14.0, 60.0, closed=False), opened_live=False)
    ]


def test_a_waiting_closed_copy_that_differs_raises_doubt_instead_of_a_correction() -> None:
    made = assembler(1)
    made.splice([bar(1), bar(2, 12.0), bar(3, closed=False)], at(2.5))

    assert made.update(bar(2, 11.0, closed=True), at(2.6), buffered=True) == []
    assert made.take_doubt()
    assert not made.take_doubt()


@given(
    st.lists(st.tuples(st.integers(2, 12), st.integers(0, 3), st.booleans(), st.booleans()), max_size=60),
    st.lists(st.integers(0, 59), max_size=3),
)
def test_whatever_comes_every_bar_closes_once_and_in_order(
    copies: list[tuple[int, int, bool, bool]], backfills: list[int]
) -> None:
    """Any mix of copies, doubles, closings and backfills: S17.2's one closing per bar."""
    made = assembler(1)
    told: list[int] = []
    for index, (minute, move, closed, buffered) in enumerate(copies):
        now = at(minute + 0.5)
        events = made.update(bar(minute, 10.0 + move, closed=closed or None), now, buffered=buffered)
        if index in backfills:
            events += made.splice([bar(m) for m in range(1, minute + 1)], now)
        events += made.tick(now, now, always)
        told += [e.bar.close_ns for e in events if isinstance(e, BarClosed)]

    assert told == sorted(set(told))
    assert [b.close_ns for b in made.closed_bars()] == sorted({b.close_ns for b in made.closed_bars()})
    assert set(told) <= {b.close_ns for b in made.closed_bars()}


@given(st.lists(st.integers(2, 9), min_size=1, max_size=9, unique=True))
def test_a_history_out_of_order_loses_nothing(minutes: list[int]) -> None:
    made = assembler(1)
    for minute in minutes:
        made.update(bar(minute, closed=True), at(10))

    assert [b.close_ns for b in made.closed_bars()] == [at(1), *(at(m) for m in sorted(minutes))]


# ------------------------------------------------------------------------------------------------ bars of JSON


ROW = {
    "TimeStamp": "2024-03-06T15:01:00Z",
    "Open": "217",
    "High": "217.5",
    "Low": "-3.25",
    "Close": "212.2",
    "TotalVolume": "1200",
    "TotalTicks": 7,
    "BarStatus": "Open",
}


def test_a_bar_is_stamped_with_its_close_and_placed_at_its_open() -> None:
    """S3.1"""
    made = bar_from_json(ROW, Interval(5))

    assert format_time(made.close_ns) == "2024-03-06T15:01:00Z"
    assert format_time(made.open_ns) == "2024-03-06T14:56:00Z"
    assert made.figures == (217.0, 217.5, -3.25, 212.2, 1200.0)
    assert made.closed is False
    assert bar_from_json({**ROW, "BarStatus": "Closed"}, Interval(5)).closed is True
    assert bar_from_json({k: v for k, v in ROW.items() if k != "BarStatus"}, Interval(5)).closed is None


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("Open", None, "Open is None"),
        ("High", "abc", "High is 'abc'"),
        ("Close", "NaN", "not finite"),
        ("High", "100", "do not bound"),
        ("TotalTicks", "many", "TotalTicks is 'many'"),
        ("TimeStamp", "yesterday", "TimeStamp is 'yesterday'"),
        ("TimeStamp", "2024-03-06T15:01:00", "not a time"),
    ],
)
def test_an_object_that_is_no_bar_says_what_is_wrong(key: str, value: str | None, words: str) -> None:
    with pytest.raises(MalformedBarError, match=words):
        bar_from_json({**ROW, key: value}, Interval(1))


@pytest.mark.parametrize("minutes", [0, 1441])
def test_an_interval_that_the_service_does_not_give_is_refused(minutes: int) -> None:
    with pytest.raises(ValueError, match=f"{minutes} minutes"):
        Interval(minutes)
