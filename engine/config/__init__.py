"""Run configurations: typed, checked, with places in every error."""

from engine.config.loading import load_config
from engine.config.model import BacktestConfig
from engine.config.sections import (
    AssetSection,
    BotSection,
    DataSection,
    DefaultsSection,
    ExitSection,
    LimitFill,
    Liquidation,
    LiquidationPrice,
    MarketFill,
    OutputSection,
    PartSection,
    PathPolicy,
    SimulationSection,
    SlippageSection,
)
from engine.config.sources import fine_source_settings, fx_rate, instrument_of, source_settings

__all__ = [
    "AssetSection",
    "BacktestConfig",
    "BotSection",
    "DataSection",
    "DefaultsSection",
    "ExitSection",
    "LimitFill",
    "Liquidation",
    "LiquidationPrice",
    "MarketFill",
    "OutputSection",
    "PartSection",
    "PathPolicy",
    "SimulationSection",
    "SlippageSection",
    "fine_source_settings",
    "fx_rate",
    "instrument_of",
    "load_config",
    "source_settings",
]
