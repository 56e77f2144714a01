"""How dates are cut into folds: fixed, rolling or growing in-sample parts, each with what follows out of sample.

Nothing that is judged out of sample may have been seen in sample. ``purge`` cuts the end of the in-sample part off, so
that positions opened there do not reach into what follows; ``embargo`` leaves a gap before the out-of-sample part, for
what lingers (both after M. Lopez de Prado, Advances in Financial Machine Learning, 2018, chapter 7).
"""

import re
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Literal

from engine.config.values import nanoseconds
from engine.errors import ConfigError, Problem
from engine.wording import shown
from research.sweeping.sections import FoldSection

Part = Literal["all", "in", "out"]
_LENGTH = re.compile(r"([0-9]+)(d|w|mo|y)")
_MONTHS = {"mo": 1, "y": 12}
_MOST = 10_000
_WORDS: dict[Part, str] = {"all": "whole", "in": "in-sample", "out": "out-of-sample"}


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a fold: first and last day (or moment) that a run covers; None: the base configuration's."""

    fold: int
    part: Part
    start: date | None
    end: date | None


def spans_of(folds: FoldSection | None, first: date | None, last: date | None) -> tuple[Span, ...]:
    """All parts of all folds, in order of time; ``first`` and ``last`` are the days of the data.

    Raises:
        ConfigError: where a length is malformed or missing, no fold fits, or a bar would be judged twice, or in the
            fold in which it was learned from.
    """
    if folds is None:
        return (Span(-1, "all", None, None),)
    if folds.kind != "fixed" and (first is None or last is None):
        raise _refusal("start", "the range of the data is not known; give start and end")
    if folds.kind == "fixed" or first is None or last is None:
        spans = tuple(_fixed(folds))
    else:
        spans = tuple(_moving(folds, first, last))
    _check_apart(spans, "parts" if folds.kind == "fixed" else "step")
    return spans


def _check_apart(spans: Sequence[Span], key: str) -> None:
    """Refuse parts without time, folds whose two parts overlap, and parts out of sample that overlap each other.

    Parts in sample may overlap those of other folds: that is what rolling and growing ones do.
    """
    for span in spans:
        if _begin(span) >= _end(span):
            raise _refusal(key, f"the {_named(span)} has no day left: it would go from {span.start} to {span.end}")
    tests = sorted((span for span in spans if span.part == "out"), key=_begin)
    for one, other in pairwise(tests):
        if _begin(other) < _end(one):
            raise _refusal(
                key,
                f"the {_named(other)} begins on {other.start}, before the {_named(one)} has ended on {one.end}: "
                "bars of both would be judged twice; let them follow each other",
            )
    learned = {span.fold: span for span in spans if span.part == "in"}
    for one in tests:
        own = learned[one.fold]
        if _begin(one) < _end(own) and _begin(own) < _end(one):
            raise _refusal(
                key,
                f"the {_named(one)}, {one.start} to {one.end}, overlaps its {_WORDS['in']} part, {own.start} to "
                f"{own.end}: what is judged there was learned from; let them follow each other",
            )


def _named(span: Span) -> str:
    return f"{_WORDS[span.part]} part of fold {span.fold + 1}"


def _begin(span: Span) -> int:
    """UTC nanoseconds; a part of a fold always has its dates."""
    assert span.start is not None
    return nanoseconds(span.start, end_of_day=False)


def _end(span: Span) -> int:
    """The first UTC nanosecond behind the part."""
    assert span.end is not None
    return nanoseconds(span.end, end_of_day=True)


def _fixed(folds: FoldSection) -> Iterator[Span]:
    if not folds.parts:
        raise _refusal("parts", "folds of kind fixed need parts: [{in_sample: [2022-01-01, 2022-12-31]}]")
    for number, part in enumerate(folds.parts):
        start, end = part.in_sample
        yield Span(number, "in", start, _before(end, folds.purge, "purge"))
        if part.out_of_sample is not None:
            begin, stop = part.out_of_sample
            yield Span(number, "out", _after(begin, folds.embargo, "embargo"), stop)


def _moving(folds: FoldSection, first: date, last: date) -> Iterator[Span]:
    if folds.in_sample is None or folds.out_of_sample is None:
        missing = "in_sample" if folds.in_sample is None else "out_of_sample"
        raise _refusal(missing, f"folds of kind {folds.kind} need {missing}, such as 180d, 26w, 6mo, 1y")
    step = folds.step or folds.out_of_sample
    begin = split = first
    split = _after(first, folds.in_sample, "in_sample")
    for number in range(_MOST):
        out = _after(split, folds.embargo, "embargo")
        # Both lengths from the split, the embargo last: so the next fold begins where this one ends, however long
        # the months between are.
        end = _after(_after(split, folds.out_of_sample, "out_of_sample"), folds.embargo, "embargo")
        if end > last + timedelta(days=1):
            if number == 0:
                raise _refusal(
                    "in_sample", f"not one fold fits between {first} and {last}; the first would end on {end}"
                )
            return
        yield Span(number, "in", begin, _before(split, folds.purge, "purge") - timedelta(days=1))
        yield Span(number, "out", out, end - timedelta(days=1))
        split = _after(split, step, "step")
        if split <= begin:
            raise _refusal("step", "is no time at all; the next fold would be the same")
        if folds.kind == "rolling":
            begin = _after(begin, step, "step")
    raise _refusal("step", f"makes more than {_MOST:,} folds; take a longer one")


def _after(day: date, length: str, key: str) -> date:
    return _moved(day, length, key, 1)


def _before(day: date, length: str, key: str) -> date:
    return _moved(day, length, key, -1)


def _moved(day: date, length: str, key: str, sign: int) -> date:
    """``day`` moved by a length; months keep the day, or take the month's last."""
    found = _LENGTH.fullmatch(length)
    if found is None:
        raise _refusal(key, f"{shown(length)} is no length of time; write 180d, 26w, 6mo or 1y")
    number, unit = int(found[1]) * sign, found[2]
    try:
        if unit in ("d", "w"):
            return day + timedelta(days=number * (7 if unit == "w" else 1))
        return _months_later(day, number * _MONTHS[unit])
    except (OverflowError, ValueError):
        raise _refusal(key, f"{shown(length)} from {day} leads out of the calendar") from None


def _months_later(day: date, months: int) -> date:
    """The same day of a later month, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return day.replace(year=year, month=month + 1, day=min(day.day, monthrange(year, month + 1)[1]))


def day_of(moment: date | datetime | None) -> date | None:
    """The day of a date or time."""
    return moment.date() if isinstance(moment, datetime) else moment


def _refusal(key: str, text: str) -> ConfigError:
    return ConfigError.of([Problem(("folds", key), text)])
