"""What it costs until the first bar, and a cold compile: CPU time of processes of their own."""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.bench.rows import Row

ROOT = Path(__file__).resolve().parents[2]
START_BUDGET, COMPILE_BUDGET = 1.0, 15.0
FORBIDDEN = ("torch", "PyQt6", "pyqtgraph", "pandas", "pandas_market_calendars", "matplotlib", "jinja2", "requests")

# scipy belongs to the development libraries alone; where it is there, numba loads it, which users' starts do not.
FIRST_BAR = f"""
import sys
sys.modules["scipy"] = None
from bots.catalog import make_bot
from engine import Run, load_config
from engine.preparing import engine_of, prepare
config = load_config("configs/sample.yaml")
run = Run(engine_of(config, prepare(config)), make_bot(config.bot, config.exit))
run.advance(1)
assert run.next_bar == 1
print(" ".join(name for name in {FORBIDDEN!r} if name in sys.modules))
"""


def cpu_of(*command: str, **environment: str) -> tuple[float, str]:
    """CPU seconds of a Python process, its children included, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env={**os.environ, **environment}, check=True, capture_output=True,
        text=True,
    ).stdout  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, told


def to_first_bar() -> tuple[float, list[str]]:
    """CPU seconds of a headless start on the sample, caches warm, and which libraries it should not have loaded."""
    seconds, told = cpu_of("-c", FIRST_BAR)
    return seconds, told.split()


def rows(turns: int, cold: bool) -> Iterator[Row]:
    """Rows about starting."""
    to_first_bar()
    taken = [to_first_bar() for _ in range(turns)]
    loaded = taken[0][1]
    bare = median(cpu_of("-c", "import numpy, numba")[0] for _ in range(turns))
    yield Row(
        "start to first bar, sample, caches warm", median(seconds for seconds, _ in taken), "s of CPU", START_BUDGET,
        f"numpy and numba alone {bare:.2f} s; loaded besides: {', '.join(loaded) or 'none of ' + ', '.join(FORBIDDEN)}",
    )  # fmt: skip
    if cold:
        with tempfile.TemporaryDirectory() as folder:
            seconds, _ = cpu_of("-m", "engine.kernel.compile", TRIPHASE_CACHE_DIR=folder)
        yield Row("cold compile", seconds, "s of CPU", COMPILE_BUDGET, "kernel, indicators and statistics")
