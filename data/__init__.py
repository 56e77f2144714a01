"""Bars in: instruments, sessions, sources, validation, master timeline, synthetic markets."""

from data.contracts import ContractFacts, build_instrument, contract, contract_table, instrument_warnings
from data.errors import (
    BarError,
    CalendarError,
    DataError,
    InstrumentError,
    SourceError,
    TimelineError,
    TriphaseError,
)
from data.instruments import AssetClass, Instrument
from data.loading import SourceSettings, load_series, series_from_frame
from data.resampling import closed_bar_index, resample
from data.series import BarSeries
from data.timeline import Timeline, build_timeline

__all__ = [
    "AssetClass",
    "BarError",
    "BarSeries",
    "CalendarError",
    "ContractFacts",
    "DataError",
    "Instrument",
    "InstrumentError",
    "SourceError",
    "SourceSettings",
    "Timeline",
    "TimelineError",
    "TriphaseError",
    "build_instrument",
    "build_timeline",
    "closed_bar_index",
    "contract",
    "contract_table",
    "instrument_warnings",
    "load_series",
    "resample",
    "series_from_frame",
]
