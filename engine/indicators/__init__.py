"""Indicators by name and typed parameters (rulebook S10)."""

from engine.indicators.bars import PRICE_SOURCES, IndicatorBars
from engine.indicators.definition import Indicator, Parameter, Where
from engine.indicators.registry import (
    IndicatorCatalogue,
    check_prefixes,
    compute,
    compute_all,
    describe,
    names,
    outputs,
    register_indicator,
    warm_up,
)

__all__ = [
    "PRICE_SOURCES",
    "Indicator",
    "IndicatorBars",
    "IndicatorCatalogue",
    "Parameter",
    "Where",
    "check_prefixes",
    "compute",
    "compute_all",
    "describe",
    "names",
    "outputs",
    "register_indicator",
    "warm_up",
]
