"""Bars made up for indicator tests."""

import numpy as np
import pytest

from engine.indicators import IndicatorBars

MINUTE_NS = 60_000_000_000


@pytest.fixture(scope="session")
def walk() -> IndicatorBars:
    """240 bars of a seeded walk through zero, with a stretch that does not move and bars without volume."""
    rng = np.random.default_rng(7)
    n = 240
    close = np.round(3.0 + np.cumsum(rng.normal(0.0, 1.0, n)), 2)
    close[90:150] = close[90]
    opened = np.concatenate((close[:1], close[:-1]))
    high = np.maximum(opened, close) + np.round(np.abs(rng.normal(0.0, 0.5, n)), 2)
    low = np.minimum(opened, close) - np.round(np.abs(rng.normal(0.0, 0.5, n)), 2)
    high[92:150] = low[92:150] = close[90]
    volume = rng.integers(0, 4, n).astype(np.float64) * 25.0
    time_ns = np.arange(n, dtype=np.int64) * 30 * MINUTE_NS
    return IndicatorBars(open=opened, high=high, low=low, close=close, volume=volume, time_ns=time_ns)
