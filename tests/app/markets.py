"""Bars for the tests of the window: a seeded random walk, nothing more."""

import numpy as np

from app.charts.bars import BarStore
from app.charts.marks import TradeMarks

MINUTE = 60_000_000_000
MONDAY = 1_704_060_000_000_000_000  # 2024-01-01 (a Monday) minus 2 hours, UTC: far from any change of the clock


def walk(count: int, seed: int = 1, tick: float = 0.25, start: float = 4400.0, gaps: float = 0.0) -> BarStore:
    """A store of ``count`` minute bars on the tick grid; a share ``gaps`` of them is synthetic (S3.2)."""
    rng = np.random.default_rng(seed)
    close = start + np.cumsum(rng.normal(0, 6, count)).round() * tick
    open_ = np.concatenate(([start], close[:-1])) + rng.integers(-1, 2, count) * tick
    high = np.maximum(open_, close) + rng.integers(0, 6, count) * tick
    low = np.minimum(open_, close) - rng.integers(0, 6, count) * tick
    volume = rng.integers(1, 3000, count).astype(np.float64)
    missing = rng.random(count) < gaps
    missing[:1] = False
    for column in (open_, high, low):
        column[missing] = np.nan
    volume[missing] = 0.0
    last = np.maximum.accumulate(np.where(missing, 0, np.arange(count)))
    times = MONDAY + MINUTE * np.arange(count, dtype=np.int64)
    return BarStore.fixed(times, open_, high, low, close[last], volume)


def cut(store: BarStore, count: int) -> BarStore:
    """A copy that ends after ``count`` bars: what there would be had the run ended there."""
    columns = (store.open, store.high, store.low, store.close, store.volume)
    return BarStore.fixed(store.time_ns[:count].copy(), *(column[:count].copy() for column in columns))


def marks_on(store: BarStore, seed: int = 1, every: int = 37) -> TradeMarks:
    """Trades on a store: one every so many bars, held for a third of that, sides by chance, at real prices."""
    rng = np.random.default_rng(seed)
    entry = np.arange(every // 2, len(store) - every, every, dtype=np.int64)
    entry = entry[~np.isnan(store.open[entry])]
    leave = entry + every // 3
    side = rng.choice(np.array([-1, 1]), len(entry)).astype(np.int64)
    price, out = store.open[entry], store.close[leave]
    return TradeMarks(
        entry_bar=entry,
        entry_phase=np.zeros(len(entry), dtype=np.int64),
        entry_price=price,
        exit_bar=leave,
        exit_phase=np.full(len(entry), 2, dtype=np.int64),
        exit_price=out,
        side=side,
        net=(out - price) * side,
    )
