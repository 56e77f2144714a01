"""What an indicator is: its name, its typed parameters, its outputs, and the function that computes them."""

import inspect
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from data.series import FloatArray
from data.spelling import nearest
from engine.errors import CatalogError, ConfigError
from engine.indicators.bars import IndicatorBars

Value = int | float | str
Outputs = FloatArray | tuple[FloatArray, ...]
Function = Callable[..., Outputs]
Bounds = tuple[float | None, float | None]


class Where(StrEnum):
    """Where a chart draws an indicator."""

    OVERLAY = "overlay"  # over the prices, in their scale
    PANE = "pane"  # in a pane of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One setting of an indicator, as dialogs, checks and the documentation need it.

    ``kind`` is ``int``, ``float`` or ``choice``; ``minimum`` and ``maximum`` are included in what is allowed;
    ``choices`` is empty except for a choice.
    """

    name: str
    kind: str
    default: Value
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    help: str = ""

    def check(self, indicator: str, value: object) -> Value:
        """``value`` in this parameter's type; raises ConfigError with what is allowed."""
        if self.kind == "choice":
            if isinstance(value, str) and value in self.choices:
                return value
            raise self._refusal(indicator, value, f"one of {', '.join(self.choices)}")
        number = self._number(value)
        if number is None:
            raise self._refusal(indicator, value, "a whole number" if self.kind == "int" else "a finite number")
        if (self.minimum is not None and number < self.minimum) or (self.maximum is not None and number > self.maximum):
            raise self._refusal(indicator, value, self.allowed())
        return number

    def _number(self, value: object) -> int | float | None:
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            return None
        number = float(value)
        if not np.isfinite(number):
            return None
        if self.kind == "float":
            return number
        return int(number) if number.is_integer() else None

    def allowed(self) -> str:
        """The bounds in words, as ``from 1 to 100000``."""
        if self.kind == "choice":
            return ", ".join(self.choices)
        low = "" if self.minimum is None else f"from {self.minimum:g} "
        high = "" if self.maximum is None else f"to {self.maximum:g}"
        return (low + high).strip() or "any number"

    def _refusal(self, indicator: str, value: object, allowed: str) -> ConfigError:
        return ConfigError(f"indicator {indicator}: {self.name} is {value!r}; allowed is {allowed}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """A registered indicator.

    ``function(bars, **parameters)`` gives one float64[n] array per name in ``outputs`` (a single array for one).
    ``lookback(**parameters)`` is the number of leading NaN: the first value stands at that index.
    """

    name: str
    title: str
    help: str
    where: Where
    parameters: tuple[Parameter, ...]
    outputs: tuple[str, ...]
    function: Function
    lookback: Callable[..., int]

    def complete(self, given: Mapping[str, object]) -> dict[str, Value]:
        """All parameters, checked, with defaults for those not given; raises ConfigError with the nearest name."""
        known = {parameter.name: parameter for parameter in self.parameters}
        for key in given:
            if key not in known:
                raise ConfigError(
                    f"indicator {self.name} has no parameter {key}"
                    f"{nearest(key, known)}; it has: {', '.join(known) or 'none'}"
                )
        return {key: known[key].check(self.name, given.get(key, known[key].default)) for key in known}

    def values(self, bars: IndicatorBars, parameters: Mapping[str, Value]) -> dict[str, FloatArray]:
        """Every output over ``bars``; raises CatalogError where the function breaks its promise."""
        made = self.function(bars, **parameters)
        arrays = made if isinstance(made, tuple) else (made,)
        if len(arrays) != len(self.outputs):
            raise CatalogError(
                f"indicator {self.name} returned {len(arrays)} arrays where it declares {len(self.outputs)}: "
                f"{', '.join(self.outputs)}"
            )
        for output, array in zip(self.outputs, arrays, strict=True):
            self._check_array(output, array, len(bars))
        return dict(zip(self.outputs, arrays, strict=True))

    def _check_array(self, output: str, array: object, n: int) -> None:
        if not isinstance(array, np.ndarray) or array.dtype != np.float64 or array.shape != (n,):
            found = f"{array.dtype}{list(array.shape)}" if isinstance(array, np.ndarray) else type(array).__name__
            raise CatalogError(f"indicator {self.name} returned {found} for {output}; float64[{n}] is needed")


def parameters_of(
    function: Function, bounds: Mapping[str, Bounds], choices: Mapping[str, tuple[str, ...]], texts: Mapping[str, str]
) -> tuple[Parameter, ...]:
    """Parameters from the signature of ``function(bars, name=default, ...)``; a default decides the type.

    Raises CatalogError for a parameter without a default, or with one that is neither a number nor a known choice.
    """
    made = []
    for name, declared in list(inspect.signature(function).parameters.items())[1:]:
        default = declared.default
        if isinstance(default, bool) or not isinstance(default, int | float | str):
            raise CatalogError(
                f"indicator function {function.__name__}: parameter {name} needs a default that is a number, "
                f"or a word with its choices; found {'none' if default is declared.empty else repr(default)}"
            )
        if isinstance(default, str) and default not in choices.get(name, ()):
            raise CatalogError(f"indicator function {function.__name__}: choices of {name} do not hold {default!r}")
        low, high = bounds.get(name, (1.0, 100_000.0) if isinstance(default, int) else (None, None))
        kind = "choice" if isinstance(default, str) else "int" if isinstance(default, int) else "float"
        made.append(
            Parameter(
                name=name,
                kind=kind,
                default=default,
                minimum=None if kind == "choice" else low,
                maximum=None if kind == "choice" else high,
                choices=choices.get(name, ()),
                help=texts.get(name, ""),
            )
        )
    return tuple(made)
