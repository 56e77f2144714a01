"""Which indicators there are, and what asking for one by name gives (S10).

A name is looked up among the built-in indicators and those a user registered, and only then in TA-Lib, whose Python
package takes long to load. One output of several is asked for with ``output="upper"`` or by the joined name
``bollinger_upper``; without either it is the first.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import numpy as np

from data.series import FloatArray
from data.spelling import nearest
from engine.errors import CatalogError, ConfigError, LookAheadError
from engine.indicators import talib_source
from engine.indicators.bars import IndicatorBars
from engine.indicators.builtin import BUILT_IN
from engine.indicators.definition import Bounds, Function, Indicator, Where, parameters_of


class IndicatorCatalogue:
    """Indicators by name; TA-Lib's are loaded when a name is found nowhere else."""

    def __init__(self, built_in: Iterable[Indicator]) -> None:
        self._own = {indicator.name: indicator for indicator in built_in}
        self._talib: dict[str, Indicator] | None = None

    def add(self, indicator: Indicator) -> None:
        """Register one; raises CatalogError if the name is taken, unless by the same function, loaded again."""
        taken = self._own.get(indicator.name)
        if taken is not None and not _same_function(taken.function, indicator.function):
            raise CatalogError(f"indicator {indicator.name} exists already ({taken.title}); choose another name")
        self._own[indicator.name] = indicator

    def find(self, name: str) -> tuple[Indicator, str | None]:
        """The indicator, and the output that a joined name asks for; raises CatalogError with the nearest name."""
        found = _lookup(self._own, name) or _lookup(self.all(), name)
        if found is None:
            known = [joined for each in self.all().values() for joined in (each.name, *_joined(each))]
            raise CatalogError(
                f"there is no indicator {name!r}{nearest(name, known)}; "
                "engine.indicators.names() lists all, register_indicator adds one"
            )
        return found

    def all(self) -> dict[str, Indicator]:
        """Every indicator by name; ours and a user's hide TA-Lib's of the same name."""
        if self._talib is None:
            self._talib = {indicator.name: indicator for indicator in talib_source.load()}
        return {**self._talib, **self._own}


def _joined(indicator: Indicator) -> Iterator[str]:
    """Names of single outputs, as macd_signal, where there are several."""
    if len(indicator.outputs) > 1:
        yield from (f"{indicator.name}_{output}" for output in indicator.outputs)


def _lookup(indicators: Mapping[str, Indicator], name: str) -> tuple[Indicator, str | None] | None:
    if name in indicators:
        return indicators[name], None
    head, _, output = name.rpartition("_")
    while head:
        if head in indicators and len(indicators[head].outputs) > 1 and output in indicators[head].outputs:
            return indicators[head], output
        head, _, more = head.rpartition("_")
        output = f"{more}_{output}"
    return None


def _same_function(a: Function, b: Function) -> bool:
    return (a.__module__, a.__qualname__) == (b.__module__, b.__qualname__)


_CATALOGUE: Final = IndicatorCatalogue(BUILT_IN)


def names() -> tuple[str, ...]:
    """All indicator names, sorted."""
    return tuple(sorted(_CATALOGUE.all()))


def describe(name: str) -> Indicator:
    """Parameters with bounds, defaults and help, outputs, and where to draw it; raises CatalogError."""
    return _CATALOGUE.find(name)[0]


def outputs(name: str) -> tuple[str, ...]:
    """Names of the outputs, the default one first; raises CatalogError."""
    return describe(name).outputs


def warm_up(name: str, **parameters: object) -> int:
    """Number of leading NaN: with ``warm_up`` closed bars there is no value yet, with one more there is.

    Raises CatalogError for an unknown name, ConfigError for a wrong parameter.
    """
    indicator, _, checked = _request(name, parameters)
    return indicator.lookback(**indicator.complete(checked))


def compute(name: str, bars: IndicatorBars, **parameters: object) -> FloatArray:
    """One output over all of ``bars``: float64[n], the value at i known once bar i has closed, NaN until warm.

    ``output="upper"`` picks one of several. Raises CatalogError for an unknown name, ConfigError for a wrong parameter.
    """
    indicator, output, rest = _request(name, parameters)
    return _evaluate(indicator, bars, rest)[output]


def compute_all(name: str, bars: IndicatorBars, **parameters: object) -> dict[str, FloatArray]:
    """Every output of an indicator, by name, from one computation."""
    return _evaluate(describe(name), bars, parameters)


def check_prefixes(name: str, bars: IndicatorBars, lengths: Iterable[int], **parameters: object) -> int:
    """Raise LookAheadError if a value changes when later bars are taken away (S10.2), to the last bit.

    Returns the number of prefixes that were compared with the whole: 0 says that nothing was looked at.
    """
    whole = compute_all(name, bars, **parameters)
    prefixes = list(lengths)
    for length in prefixes:
        for output, values in compute_all(name, bars.prefix(length), **parameters).items():
            differs = np.flatnonzero(values.view(np.int64) != whole[output][:length].view(np.int64))
            differs = differs[~(np.isnan(values[differs]) & np.isnan(whole[output][differs]))]
            if differs.size:
                at = int(differs[0])
                raise LookAheadError(
                    f"indicator {name} ({output}) is {values[at]!r} at bar {at} when {length} bars are known, "
                    f"but {whole[output][at]!r} when {len(bars)} are; it may use bars up to its own only"
                )
    return len(prefixes)


def register_indicator(
    name: str,
    *,
    title: str = "",
    overlay: bool = False,
    outputs: tuple[str, ...] = ("value",),
    warm_up: int | Callable[..., int] = 0,
    bounds: Mapping[str, Bounds] | None = None,
    choices: Mapping[str, tuple[str, ...]] | None = None,
    help_texts: Mapping[str, str] | None = None,
) -> Callable[[Function], Function]:
    """Decorator: give ``function(bars, period=20, ...)`` a name that bots, exits and charts can ask for.

    Parameters and their types come from the signature's defaults: a whole number is 1 to 100000 unless ``bounds``
    says otherwise, a word needs its ``choices``. ``warm_up`` is the number of leading NaN, or a function of the
    parameters. The function returns one float64[n] array per output; its docstring is the help text.

        @register_indicator("range_share", warm_up=lambda period: period - 1)
        def range_share(bars: IndicatorBars, period: int = 10) -> FloatArray:
            \"\"\"Range of a bar as a share of the mean range.\"\"\"
            ...

    Raises CatalogError if the name is taken or a parameter has no usable default.
    """

    shown = title or name.replace("_", " ").capitalize()

    def register(function: Function) -> Function:
        _CATALOGUE.add(
            Indicator(
                name=name,
                title=shown,
                help=" ".join((function.__doc__ or shown).split()),
                where=Where.OVERLAY if overlay else Where.PANE,
                parameters=parameters_of(function, bounds or {}, choices or {}, help_texts or {}),
                outputs=outputs,
                function=function,
                lookback=warm_up if callable(warm_up) else lambda **_: warm_up,
            )
        )
        return function

    return register


def _request(name: str, parameters: Mapping[str, object]) -> tuple[Indicator, str, dict[str, object]]:
    """The indicator, the output asked for, and what is left of the parameters."""
    indicator, joined = _CATALOGUE.find(name)
    rest = {key: value for key, value in parameters.items() if key != "output"}
    output = parameters.get("output", joined or indicator.outputs[0])
    if output not in indicator.outputs:
        raise ConfigError(f"indicator {name} has no output {output!r}; it has: {', '.join(indicator.outputs)}")
    return indicator, str(output), rest


def _evaluate(indicator: Indicator, bars: IndicatorBars, parameters: Mapping[str, object]) -> dict[str, FloatArray]:
    return indicator.values(bars, indicator.complete(parameters))
