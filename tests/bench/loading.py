"""What it costs to load bars, to keep them with a journal, and to go back to any of them."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from data.cache import BarCache
from data.loading import SourceSettings, load_series
from data.series import BarSeries
from engine.market import Market
from tests.bench.markets import market, walk
from tests.bench.measuring import cpu_seconds, in_turns
from tests.bench.rows import Row
from tests.bench.starting import ROOT
from tests.proof import reference_work as work

CSV_BUDGET, CACHE_BUDGET, MEMORY_BUDGET, REWIND_BUDGET = 0.5, 50.0, 150.0, 100.0


def write_csv(series: BarSeries, file: Path) -> None:
    """One line per bar: an ISO time with offset, prices, volume."""
    stamps = np.datetime_as_string(series.time_ns.astype("datetime64[ns]"), unit="s")
    columns = [column.tolist() for column in (series.open, series.high, series.low, series.close, series.volume)]
    lines = (f"{at}+00:00,{o},{h},{l},{c},{v:.0f}" for at, o, h, l, c, v in zip(stamps, *columns, strict=True))  # noqa: E741
    file.write_text("timestamp,open,high,low,close,volume\n" + "\n".join(lines) + "\n", encoding="utf-8")


def reading(bars: int, turns: int) -> Iterator[Row]:
    """A CSV file with validation, and its binary copy."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_csv(walk("S0", bars), folder / "bars.csv")
        # A file changed a moment ago is read again to be sure; one of last week is known by size and time.
        week_ago = time.time() - 7 * 86_400
        os.utime(folder / "bars.csv", (week_ago, week_ago))
        settings = SourceSettings(symbol="S0", file=folder / "bars.csv", timestamp="open")
        load_series(settings, folder / "cache")
        found = in_turns(
            {
                "csv": lambda: lambda: load_series(settings),
                "cache": lambda: lambda: load_series(settings, folder / "cache"),
            },
            turns,
        )
        scale = 1_000_000 / bars
        yield Row("1 M bars from CSV, validated", found.typical("csv") * scale, "s of CPU", CSV_BUDGET)
        yield Row("1 M bars from the cache", found.typical("cache") * scale * 1e3, "ms of CPU", CACHE_BUDGET)


def held_bytes(symbols: int, bars: int) -> tuple[float, float]:
    """Bytes per asset-bar that a process holds more with bars and the journal of a whole run than without.

    The bars are mapped from their cache, as runs have them. Returns all that is resident, and what of it is the
    process's own; the rest are pages of the cache, which all processes share and the system may drop.
    """
    with tempfile.TemporaryDirectory() as name:
        write_caches(Path(name), symbols, bars)
        code = f"""
import gc
from pathlib import Path
from tests.bench.loading import market_in
from tests.proof import reference_work as work
def resident():
    gc.collect()
    told = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return [int(told[name].split()[0]) * 1024 for name in ("VmRSS", "RssAnon")]
work.run_here(market_in(Path({name!r}), "small", {symbols})).complete()
before = resident()
run = work.run_here(market_in(Path({name!r}), "whole", {symbols}))
run.complete()
print(*(now - then for now, then in zip(resident(), before)))
"""
        told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    whole, own = (int(each) / (symbols * bars) for each in told.split())
    return whole, own


def write_caches(folder: Path, symbols: int, bars: int) -> None:
    """Binary copies of the bars of a benchmark market, and of a small one."""
    for size, count in (("small", 3_000), ("whole", bars)):
        for number in range(symbols):
            BarCache(folder).write(replace(walk(f"S{number}", count), digest=f"{size}{number}"))


def market_in(folder: Path, size: str, symbols: int) -> Market:
    """A market over bars that ``write_caches`` left."""
    found = [BarCache(folder).read(f"{size}{number}", f"S{number}", "cache") for number in range(symbols)]
    return Market(
        [work.instrument(f"S{number}") for number in range(symbols)], [one for one in found if one is not None]
    )


def memory(asset_bars: int) -> Iterator[Row]:
    """Bars, indicators and journal together."""
    for symbols in (1, 8):
        held, own = held_bytes(symbols, asset_bars // symbols)
        yield Row(f"memory, {symbols} symbol{'s' if symbols > 1 else ''}", held, "bytes per asset-bar", MEMORY_BUDGET,
                  f"series, market, indicators, sides, journal; resident, {own:.0f} of it private")  # fmt: skip


def rewinding(bars: int) -> Iterator[Row]:
    """Going back to bars all over a run, in the compiled drive."""
    run = work.run_here(market(1, bars))
    run.snapshots.keep = True
    run.complete()
    points = [int(bars * share) for share in (0.93, 0.51, 0.27, 0.08, 0.001)]
    taken = []
    for point in points:
        run.go_back(bars) if point > run.next_bar else None
        taken.append(cpu_seconds(lambda point=point: run.go_back(point)))
        run.advance(bars)
    yield Row(f"rewind to any bar of {bars:,}", max(taken) * 1e3, "ms of CPU", REWIND_BUDGET, "slowest of five")


def rows(asset_bars: int, turns: int) -> Iterator[Row]:
    """All rows about loading and keeping."""
    yield from reading(asset_bars, turns)
    yield from memory(asset_bars)
    yield from rewinding(asset_bars)
