"""TA-Lib's functions as indicators: which are taken, under which names, and what goes into them (S10.1).

Everything in TA-Lib is there under its name in small letters, its ``timeperiod`` called ``period``. Left out is MAVP,
which wants a period per bar, which no bar has. None of the others fails S10.2; a test holds each of them to it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from data.series import FloatArray
from engine.errors import ConfigError
from engine.indicators.bars import IndicatorBars
from engine.indicators.definition import Indicator, Outputs, Parameter, Value, Where

_LEFT_OUT = frozenset({"MAVP"})
_PARAMETER_NAMES = {"timeperiod": "period", "fastperiod": "fast", "slowperiod": "slow", "signalperiod": "signal"}
_OUTPUT_NAMES = {"macdsignal": "signal", "macdhist": "histogram", "real": "value", "integer": "value"}
_OVERLAY_FLAG = "Output scale same as input"


def load() -> tuple[Indicator, ...]:
    """Every usable function of the installed TA-Lib; importing it takes about 0.3 s, most of it for pandas."""
    import talib
    from talib import abstract

    library: Any = talib
    kinds = _moving_averages(library)
    functions = sorted(set(library.__TA_FUNCTION_NAMES__) - _LEFT_OUT)
    return tuple(_indicator(_TalibFunction(name, getattr(library, name), abstract), kinds) for name in functions)


class _TalibFunction:
    """One function of TA-Lib, called with bars and our names of its parameters."""

    def __init__(self, name: str, call: Any, abstract: Any) -> None:
        self.name = name
        self.__module__ = "talib"
        self.__qualname__ = name
        self._call = call
        self._abstract = abstract
        self.info = abstract.Function(name).info
        self.theirs = {_PARAMETER_NAMES.get(key, key): key for key in self.info["parameters"]}
        self.columns = _columns(self.info["input_names"])

    def __call__(self, bars: IndicatorBars, **parameters: Value) -> Outputs:
        """All outputs in TA-Lib's order, whole numbers as float64, NaN until warm."""
        lookback = self.lookback(**parameters)
        columns = [np.ascontiguousarray(getattr(bars, column), dtype=np.float64) for column in self.columns]
        made = self._call(*columns, **{self.theirs[key]: value for key, value in parameters.items()})
        arrays = made if isinstance(made, tuple) else (made,)
        return tuple(_as_float(array, lookback) for array in arrays)

    def lookback(self, **parameters: Value) -> int:
        """Leading NaN; raises ConfigError where TA-Lib does not take the values."""
        function = self._abstract.Function(self.name)
        function.parameters = {self.theirs[key]: value for key, value in parameters.items()}
        lookback = int(function.lookback)
        if lookback < 0:
            given = ", ".join(f"{key} {value}" for key, value in parameters.items())
            raise ConfigError(f"indicator {self.name.lower()}: TA-Lib refuses {given}; most periods begin at 2")
        return lookback


def _as_float(array: Any, lookback: int) -> FloatArray:
    """TA-Lib writes 0 before a whole-number output is warm; here it is NaN like everywhere."""
    if array.dtype == np.float64:
        floats: FloatArray = array
        return floats
    floats = array.astype(np.float64)
    floats[:lookback] = np.nan
    return floats


def _indicator(function: _TalibFunction, moving_averages: str) -> Indicator:
    info = function.info
    overlay = _OVERLAY_FLAG in (info["function_flags"] or ())
    return Indicator(
        name=function.name.lower(),
        title=info["display_name"],
        help=f"TA-Lib's {function.name}, of its group {info['group'].lower()}.",
        where=Where.OVERLAY if overlay else Where.PANE,
        parameters=tuple(
            _parameter(ours, info["parameters"][theirs], moving_averages) for ours, theirs in function.theirs.items()
        ),
        outputs=tuple(_OUTPUT_NAMES.get(output, output) for output in info["output_names"]),
        function=function,
        lookback=function.lookback,
    )


def _parameter(name: str, default: Value, moving_averages: str) -> Parameter:
    whole = isinstance(default, int)
    average = name.endswith("matype")
    text = name.removesuffix("period").replace("_", " ").strip()
    return Parameter(
        name=name,
        kind="int" if whole else "float",
        default=default,
        minimum=0 if average else 1 if whole else None,
        maximum=100_000 if whole else None,
        help=moving_averages if average else f"{text} period, in bars".strip().capitalize() if whole else text,
    )


def _moving_averages(talib: Any) -> str:
    kinds = talib.MA_Type._lookup
    return "Kind of moving average: " + ", ".join(f"{code} {title}" for code, title in sorted(kinds.items()))


def _columns(input_names: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the bar columns that TA-Lib's inputs stand for, in its order."""
    columns: list[str] = []
    for names in input_names.values():
        columns.extend([names] if isinstance(names, str) else names)
    return tuple(columns)
