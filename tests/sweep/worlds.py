"""Small worlds for sweeps: bars in files, a base configuration, sweep files; all made from seeds."""

from pathlib import Path

import numpy as np

from research.sweeping.library import Library
from research.sweeping.plan import Plan
from research.sweeping.planning import plan_sweep

BASE = """\
initial_cash: 100000
seed: 3
defaults:
  tick_size: 0.25
  tick_value: 12.5
  initial_margin: 500
  maintenance_margin: 400
  commission_per_contract: 2.5
  fee_per_trade: 0.5
  slippage_ticks: 1
  timestamp: open
  timezone: UTC
data: {cache: false}
assets:
  - {symbol: AA, file: aa.csv}
  - {symbol: BB, file: bb.csv}
bot: {name: TrendFollowing, settings: {risk_pct: 0.005}}
exit: {name: TrailingATR, settings: {atr_multiple: 2}}
"""

GRID = """\
config: base.yaml
symbols: each
grid:
  bot.ema_span: [10, 20, 40]
  exit.atr_multiple: {low: 1, high: 3, step: 1}
"""

# A hundred settings on one symbol: what a slice of a large sweep holds.
HUNDRED = """\
config: base.yaml
symbols: [[AA]]
grid:
  bot.ema_span: {low: 10, high: 34, step: 1, scale: integer}
  exit.atr_multiple: [1, 2, 3, 4]
"""


def write_bars(file: Path, seed: int, bars: int, drift: float = 0.0) -> None:
    """A random walk of 5 minute bars from 2024-01-01, one in fifty missing; without drift nothing can earn on it."""
    rng = np.random.default_rng(seed)
    gaps, steps = np.rint(rng.normal(0.0, 1.0, bars)), np.rint(rng.normal(drift, 6.0, bars))
    close = 20_000 + np.cumsum(gaps + steps)
    opening = close - steps
    high = np.maximum(opening, close) + np.rint(np.abs(rng.normal(0.0, 4.0, bars)))
    low = np.minimum(opening, close) - np.rint(np.abs(rng.normal(0.0, 4.0, bars)))
    times = np.datetime64("2024-01-01T00:00") + np.arange(bars) * np.timedelta64(5, "m")
    kept = rng.random(bars) > 0.02
    kept[[0, 1]] = True
    with file.open("w", encoding="utf-8") as text:
        text.write("time,open,high,low,close,volume\n")
        for row in np.flatnonzero(kept):
            prices = ",".join(f"{table[row] / 4:.2f}" for table in (opening, high, low, close))
            text.write(f"{times[row]}:00,{prices},{100 + row % 7}\n")


def world(folder: Path, sweep: str = GRID, base: str = BASE, bars: int = 3000) -> Path:
    """Files of a sweep in ``folder``; gives the sweep file."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(("aa", "bb")):
        write_bars(folder / f"{name}.csv", seed, bars)
    (folder / "base.yaml").write_text(base, encoding="utf-8")
    (folder / "sweep.yaml").write_text(sweep, encoding="utf-8")
    return folder / "sweep.yaml"


def planned(folder: Path, sweep: str = GRID, base: str = BASE, bars: int = 3000) -> tuple[Plan, Library]:
    """The plan of such a sweep, and its bars."""
    return plan_sweep(world(folder, sweep, base, bars))
