"""Markets of the benchmarks: random walks of any length and number of symbols, the same every time."""

from dataclasses import replace

import numpy as np

from data.series import BarSeries
from data.synthetic import MarketSettings, generate
from engine.market import Market
from tests.proof import reference_work as work

_PER_SESSION = 1380


def walk(symbol: str, bars: int, seed: int = 5) -> BarSeries:
    """Exactly ``bars`` minute bars without holes."""
    settings = MarketSettings(
        symbol=symbol, sessions=bars // _PER_SESSION + 2, volatility_ticks=3.0, mean_volume=1e6, volatility_spread=0.0
    )
    series = generate(settings, seed).series
    minutes = series.time_ns[0] + np.arange(bars, dtype=np.int64) * series.bar_ns
    names = ("open", "high", "low", "close", "volume")
    return replace(series, time_ns=minutes, **{name: getattr(series, name)[:bars].copy() for name in names})


def market(symbols: int, bars: int) -> Market:
    """``symbols`` independent walks on one timeline."""
    names = [f"S{number}" for number in range(symbols)]
    return Market([work.instrument(name) for name in names], [walk(name, bars) for name in names])
