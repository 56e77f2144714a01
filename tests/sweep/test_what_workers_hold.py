"""Worker processes hold the bars once: what is their own hardly grows with the number of bars; slow, on Linux."""

import multiprocessing
import sys
from pathlib import Path

import pytest

from research.sweeping.plan import Plan, Slice
from research.sweeping.planning import plan_sweep
from research.sweeping.ways import Processes
from tests.sweep.worlds import BASE, world

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what is a process's own is read from /proc"),
]

BARS = (20_000, 320_000)
HELD = 48 + 32  # bytes that a bar takes in prices and in ticks
INDICATORS = 4 * 8 + 2  # two averages, the ATR in prices and in ticks, and two arrays of sides: a worker keeps so many
SWEEP = """\
config: base.yaml
symbols: [[AA]]
grid:
  bot.ema_span: [10, 20]
  exit.atr_multiple: [2, 3]
"""


def own_bytes(process: int) -> int:
    """Memory that a process has written to and shares with no other."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_Dirty:"))


def measured(folder: Path, bars: int) -> int:
    """Own bytes of the worker once it has run a slice."""
    plan, library = plan_sweep(world(folder, SWEEP, BASE, bars=bars))
    rows = Processes(plan, library, 1).rows(endless(plan))
    try:
        assert all(row["status"] == "completed" for row in next(rows))
        next(rows)
        (worker,) = multiprocessing.active_children()
        return own_bytes(worker.pid or 0)
    finally:
        rows.close()


def endless(plan: Plan) -> "list[Slice]":
    return [Slice(0, 0, len(plan.points))] * 50


def test_what_is_a_worker_s_own_grows_by_indicators_and_hardly_more(tmp_path: Path) -> None:
    """Prices and ticks are shared; beside indicators a bar takes some bytes of sessions and flags."""
    small, large = (measured(tmp_path / str(bars), bars) for bars in BARS)
    growth = (large - small) / (BARS[1] - BARS[0])
    assert growth - INDICATORS < 0.25 * HELD, growth
