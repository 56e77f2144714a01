"""Which values a swept setting takes: lists, ranges in equal or in logarithmic steps, and random draws."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, ValidationError

from engine.chance import seeded_generator
from engine.config.sections import Section
from engine.errors import ConfigError, KeyPath, Problem
from engine.settings import setting
from engine.wording import problems_of, shown

Value = Any
Scale = Literal["linear", "log", "integer"]
_MOST = 100_000
_DIGITS = 12  # of a step: 0.1 + 0.2 is written as 0.3


class RangeSection(Section):
    """A range of numbers from ``low`` to ``high``, both included."""

    low: Annotated[float, Field(strict=False)] = Field(description="First value.")
    high: Annotated[float, Field(strict=False)] = Field(description="Last value.")
    step: float | None = setting(None, unit="", gt=0, help="From one value to the next.")
    count: int | None = setting(None, unit="values", ge=1, help="How many values.")
    scale: Scale = setting("linear", unit="", help="linear, log (equal factors) or integer (whole numbers).")


def grid_values(given: object, at: KeyPath) -> tuple[Value, ...]:
    """The values of a grid: a list as it stands, or a range in steps.

    Raises:
        ConfigError: naming the key and what is wrong.
    """
    if isinstance(given, Mapping):
        return _steps(_range(given, at), at)
    values = list(given) if isinstance(given, list | tuple) else [given]
    if not values:
        raise _refusal(at, "the list is empty; give at least one value")
    twice = [value for position, value in enumerate(values) if value in values[:position]]
    if twice:
        raise _refusal(at, f"{shown(twice[0])} stands in the list twice; leave one out")
    return tuple(values)


def check_draws(given: object, at: KeyPath) -> None:
    """Refuse what ``draw`` could not draw from.

    Raises:
        ConfigError: naming the key and what is wrong.
    """
    if not isinstance(given, Mapping):
        grid_values(given, at)
        return
    span = _range(given, at)
    if span.step is not None or span.count is not None:
        raise _refusal(at, "step and count belong to a grid; a random range has low, high and scale")


def draw(given: object, seed: int, key: str, number: int) -> Value:
    """Draw number ``number`` of a key: from (seed, key, number) alone, whatever else is drawn (S14)."""
    uniform = float(seeded_generator(seed, f"{key}/{number}").random())
    if not isinstance(given, Mapping):
        values = grid_values(given, ())
        return values[int(uniform * len(values))]
    span = _range(given, ())
    if span.scale == "integer":
        low = math.ceil(span.low)
        return low + int(uniform * (math.floor(span.high) - low + 1))
    if span.scale == "log":
        return _rounded(span.low * (span.high / span.low) ** uniform)
    return _rounded(span.low + (span.high - span.low) * uniform)


def _range(given: Mapping[str, Any], at: KeyPath) -> RangeSection:
    try:
        span = RangeSection(**given)
    except ValidationError as error:
        found = problems_of(error, RangeSection)
        raise ConfigError.of([Problem(at + problem.path, problem.text) for problem in found]) from None
    if span.high < span.low:
        raise _refusal(at, f"high, {span.high:g}, is below low, {span.low:g}")
    if span.scale == "log" and not span.low > 0:
        raise _refusal(at, f"a log range begins above zero, not at {span.low:g}")
    if span.scale == "integer" and math.ceil(span.low) > math.floor(span.high):
        raise _refusal(at, f"there is no whole number from {span.low:g} to {span.high:g}")
    return span


def _steps(span: RangeSection, at: KeyPath) -> tuple[Value, ...]:
    if (span.step is None) == (span.count is None):
        raise _refusal(at, "give either step or count")
    if span.scale == "log" and span.count is None:
        raise _refusal(at, "a log range has a count, not a step")
    whole = span.scale == "integer"
    low, high = (math.ceil(span.low), math.floor(span.high)) if whole else (span.low, span.high)
    if span.step is not None:
        count = math.floor((high - low) / span.step + 1e-9) + 1
        numbers = [low + number * span.step for number in range(_allowed(count, at))]
    elif span.scale == "log":
        numbers = np.geomspace(low, high, _allowed(span.count or 1, at)).tolist()
    else:
        numbers = np.linspace(low, high, _allowed(span.count or 1, at)).tolist()
    return tuple(dict.fromkeys(round(number) if whole else _rounded(number) for number in numbers))


def _allowed(count: int, at: KeyPath) -> int:
    if count > _MOST:
        raise _refusal(at, f"{count:,} values are more than {_MOST:,}; take larger steps")
    return count


def _rounded(number: float) -> float:
    return float(f"{number:.{_DIGITS}g}") + 0.0


def _refusal(at: KeyPath, text: str) -> ConfigError:
    return ConfigError.of([Problem(at, text)])
