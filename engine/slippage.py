"""Slippage models: what a fill costs beyond its base price, known when the bar opens (rulebook S9)."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from data.instruments import Instrument
from data.series import FloatArray
from engine import settings as typed
from engine.indicators import IndicatorBars, compute
from engine.settings import setting

VOLUME_BARS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Slippage:
    """Slippage of a fill at a bar: ``fixed + ticks + fraction * |price in ticks| + root * sqrt(quantity)``, in ticks.

    Attributes:
        fixed: constant; it holds before any bar has closed, when arrays count as nothing (S9).
        ticks: constant, or float64[n] over the real bars: the value once the bar has closed.
        fraction: part of the price.
        root: ticks per square root of a contract, constant or float64[n] likewise.
    """

    fixed: float = 0.0
    ticks: float | FloatArray = 0.0
    fraction: float = 0.0
    root: float | FloatArray = 0.0


class SlippageModel(ABC):
    """Base of slippage models; a model may use closed bars only, the engine reads it one bar back."""

    Settings: ClassVar[type[typed.Settings]] = typed.Settings

    def __init__(self, settings: typed.Settings) -> None:
        self.settings = settings

    @abstractmethod
    def slippage(self, bars: IndicatorBars, instrument: Instrument) -> Slippage:
        """The coefficients over the real bars of one symbol."""


def average_volume(bars: IndicatorBars) -> FloatArray:
    """Mean volume of the last 20 closed bars; before there are 20, of those there are (S9)."""
    total = np.concatenate(([0.0], np.cumsum(bars.volume)))
    end = np.arange(1, len(bars) + 1)
    start = np.maximum(end - VOLUME_BARS, 0)
    mean: FloatArray = (total[end] - total[start]) / (end - start)
    return mean


def volume_root(bars: IndicatorBars, multiple: float) -> FloatArray:
    """Ticks per square root of a contract: ``multiple / sqrt(average volume)``; nothing where there was no volume."""
    mean = average_volume(bars)
    root = np.zeros(len(bars))
    np.divide(multiple, np.sqrt(mean), out=root, where=mean > 0)
    return root


def atr_ticks(bars: IndicatorBars, instrument: Instrument, multiple: float, period: int) -> FloatArray:
    """``multiple`` x ATR in ticks; nothing until the ATR is warm."""
    return np.nan_to_num(compute("atr", bars, period=period) * (multiple / instrument.tick_size), nan=0.0)


class FixedSlippage(SlippageModel):
    """The instrument's own ``slippage_ticks`` or ``slippage_pct``."""

    def slippage(self, bars: IndicatorBars, instrument: Instrument) -> Slippage:
        """Constant ticks, or a constant fraction of the price."""
        return Slippage(ticks=instrument.slippage_ticks or 0.0, fraction=instrument.slippage_pct or 0.0)


class SpreadSlippage(SlippageModel):
    """Half the spread, in ticks."""

    class Settings(typed.Settings):
        """Settings of the spread model."""

        half_spread_ticks: float = setting(0.5, unit="ticks", ge=0, help="Half of the bid-ask spread.")

    settings: Settings

    def slippage(self, bars: IndicatorBars, instrument: Instrument) -> Slippage:
        """A constant number of ticks."""
        return Slippage(ticks=self.settings.half_spread_ticks)


class VolatilitySlippage(SlippageModel):
    """A multiple of the ATR known at the open."""

    class Settings(typed.Settings):
        """Settings of the volatility model."""

        atr_multiple: float = setting(0.05, unit="ATR", ge=0, help="Slippage as a multiple of the ATR.")
        atr_period: int = setting(14, unit="bars", ge=1, help="Period of the ATR.")

    settings: Settings

    def slippage(self, bars: IndicatorBars, instrument: Instrument) -> Slippage:
        """``atr_multiple`` x ATR of the closed bars."""
        own = self.settings
        return Slippage(ticks=atr_ticks(bars, instrument, own.atr_multiple, own.atr_period))


class VolumeSlippage(SlippageModel):
    """Grows with the square root of the share of the usual volume that the order takes."""

    class Settings(typed.Settings):
        """Settings of the volume model."""

        tick_multiple: float = setting(1.0, unit="ticks", ge=0, help="Ticks for an order as large as the mean volume.")

    settings: Settings

    def slippage(self, bars: IndicatorBars, instrument: Instrument) -> Slippage:
        """``tick_multiple`` x sqrt(quantity / mean volume of the last 20 closed bars)."""
        return Slippage(root=volume_root(bars, self.settings.tick_multiple))


class HybridSlippage(SlippageModel):
    """The sum of all parts."""

    class Settings(typed.Settings):
        """Settings of the hybrid model; a part that is 0 is left out."""

        ticks: float = setting(0.0, unit="ticks", ge=0, help="Constant part.")
        fraction: float = setting(0.0, unit="fraction of price", ge=0, lt=1, help="Part of the price; 0.0005 is 5 bp.")
        half_spread_ticks: float = setting(0.5, unit="ticks", ge=0, help="Half of the bid-ask spread.")
        atr_multiple: float = setting(0.0, unit="ATR", ge=0, help="Part as a multiple of the ATR.")
        atr_period: int = setting(14, unit="bars", ge=1, help="Period of the ATR.")
        tick_multiple: float = setting(0.0, unit="ticks", ge=0, help="Ticks for an order as large as the mean volume.")

    settings: Settings

    def slippage(self, bars: IndicatorBars, instrument: Instrument) -> Slippage:
        """Constant, fraction, volatility and volume parts together."""
        own = self.settings
        return Slippage(
            fixed=own.ticks + own.half_spread_ticks,
            ticks=atr_ticks(bars, instrument, own.atr_multiple, own.atr_period),
            fraction=own.fraction,
            root=volume_root(bars, own.tick_multiple),
        )


SLIPPAGE_MODELS: dict[str, type[SlippageModel]] = {
    "fixed": FixedSlippage,
    "spread": SpreadSlippage,
    "volatility": VolatilitySlippage,
    "volume": VolumeSlippage,
    "hybrid": HybridSlippage,
}
