"""Every registered indicator knows bars up to its own only (S10.2)."""

import dataclasses

import numpy as np
import pytest

from data.series import FloatArray
from engine.errors import LookAheadError
from engine.indicators import IndicatorBars, check_prefixes, compute_all, describe, names, register_indicator, warm_up

ALL = names()
LATER = {"session_vwap", "acos", "asin"}  # no value before the first volume, or outside -1 to 1


def _longer_periods(name: str) -> dict[str, object]:
    """Every period parameter three longer than its default, bands wider, so that a second setting is tried."""
    changed: dict[str, object] = {}
    for parameter in describe(name).parameters:
        if parameter.kind == "int" and "matype" not in parameter.name:
            changed[parameter.name] = int(parameter.default) + 3
    return changed


@pytest.mark.rule("S10.2")
@pytest.mark.parametrize("name", ALL)
def test_every_prefix_gives_the_same_values_to_the_last_bit(name: str, walk: IndicatorBars) -> None:
    some = range(60, len(walk), 7)

    assert check_prefixes(name, walk, range(len(walk))) == len(walk)
    assert check_prefixes(name, walk, some, **_longer_periods(name)) == len(some)


@pytest.mark.rule("S10.2")
@pytest.mark.parametrize("name", ALL)
def test_a_changed_last_bar_changes_nothing_before_it(name: str, walk: IndicatorBars) -> None:
    columns = {key: getattr(walk, key).copy() for key in ("open", "high", "low", "close", "volume")}
    for column in columns.values():
        column[-1] += 11.25
    bumped = dataclasses.replace(walk, **columns)

    before = compute_all(name, walk)
    after = compute_all(name, bumped)

    for output, values in before.items():
        assert values[:-1].tobytes() == after[output][:-1].tobytes()


@pytest.mark.rule("S10.1")
@pytest.mark.parametrize("name", ALL)
def test_values_begin_where_the_warm_up_says(name: str, walk: IndicatorBars) -> None:
    for output, values in compute_all(name, walk).items():
        known = np.flatnonzero(~np.isnan(values))
        assert np.isnan(values[: warm_up(name)]).all(), output
        if known.size and name not in LATER:
            assert known[0] == warm_up(name), output


def test_values_do_not_depend_on_where_the_arrays_lie_in_memory(walk: IndicatorBars) -> None:
    def moved(values: FloatArray) -> FloatArray:
        """The same values, eight bytes off the usual alignment, read-only."""
        raw = np.empty(values.size + 1)
        raw[1:] = values
        raw.setflags(write=False)
        return raw[1:]

    elsewhere = dataclasses.replace(
        walk, **{key: moved(getattr(walk, key)) for key in ("open", "high", "low", "close", "volume")}
    )
    for name in ALL:
        here, there = compute_all(name, walk), compute_all(name, elsewhere)
        for output, values in here.items():
            assert values.tobytes() == there[output].tobytes(), (name, output)


def test_an_indicator_that_looks_ahead_is_named_with_bar_and_values(walk: IndicatorBars) -> None:
    @register_indicator("test_tomorrow")
    def tomorrow(bars: IndicatorBars) -> FloatArray:
        return np.concatenate((bars.close[1:], bars.close[-1:]))

    with pytest.raises(LookAheadError, match=r"test_tomorrow \(value\) is .* at bar 2 when 3 bars are known, but"):
        check_prefixes("test_tomorrow", walk, [3])
