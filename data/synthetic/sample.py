"""Writes the bars that Triphase ships: four invented futures, sixty sessions of minute bars, with hidden regimes.

``python -m data.synthetic.sample [--out data/sample]`` writes ``<symbol>.parquet`` (timestamp, open, high, low, close,
volume), ``regimes.csv`` (which regime ruled when) and ``README.md``. The values are the same every time.
"""

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from data.synthetic.market import SyntheticMarket, generate
from data.synthetic.settings import HIDDEN_REGIMES, MarketSettings

SEED = 20240903
SAMPLE_DIR = Path(__file__).resolve().parents[1] / "sample"

# 3 September to 25 November 2024: sixty weekdays without an exchange holiday, a change of clocks among them.
SAMPLE = (
    MarketSettings(
        symbol="ES_SYN", tick_size=0.25, start_price=5000.0, volatility_ticks=3.0, mean_volume=1100.0,
        regimes=HIDDEN_REGIMES,
    ),
    MarketSettings(
        symbol="NQ_SYN", tick_size=0.25, start_price=18000.0, volatility_ticks=14.0, mean_volume=420.0,
        regimes=HIDDEN_REGIMES,
    ),
    MarketSettings(
        symbol="CL_SYN", tick_size=0.01, start_price=75.0, volatility_ticks=2.6, mean_volume=180.0,
        regimes=HIDDEN_REGIMES,
    ),
    MarketSettings(
        symbol="GC_SYN", tick_size=0.1, start_price=2400.0, volatility_ticks=3.4, mean_volume=140.0,
        regimes=HIDDEN_REGIMES,
    ),
)  # fmt: skip

_NOTE = (
    "SYNTHETIC: invented by a random walk with hidden regimes, no market ever traded these prices. "
    "Written by `python -m data.synthetic.sample`."
)
_README = f"""# Sample bars: SYNTHETIC

{_NOTE}

Four invented futures, sixty sessions of minute bars from 3 September to 25 November 2024 (18:00 to 17:00 New York):
`ES_SYN`, `NQ_SYN`, `CL_SYN`, `GC_SYN`, with the tick sizes of the futures their names allude to and nothing else of
them. Columns: timestamp (UTC, the time the bar opens), open, high, low, close, volume. Minutes in which nothing traded
are missing. `regimes.csv` tells which hidden regime ruled when; no bot or exit sees it. More in `docs/sample.md`.
"""


def write_sample(folder: Path, settings: Sequence[MarketSettings] = SAMPLE, seed: int = SEED) -> list[Path]:
    """Write bars, regimes and README into ``folder`` (made where absent); returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    markets = [generate(each, seed) for each in settings]
    written = [_write_bars(folder, market) for market in markets]
    written.append(_write_regimes(folder, markets))
    readme = folder / "README.md"
    readme.write_text(_README, encoding="utf-8", newline="\n")
    return [*written, readme]


def _write_bars(folder: Path, market: SyntheticMarket) -> Path:
    import pyarrow as pa
    from pyarrow import parquet

    series = market.series
    columns = {name: getattr(series, name) for name in ("open", "high", "low", "close")}
    table = pa.table(
        {
            "timestamp": pa.array(series.time_ns // 1_000_000, pa.timestamp("ms", tz="UTC")),
            **columns,
            "volume": series.volume.astype(np.int64),
        },
        metadata={"source": _NOTE, "symbol": series.symbol, "seed": str(SEED)},
    )
    path = folder / f"{series.symbol}.parquet"
    parquet.write_table(
        table,
        path,
        compression="zstd",
        compression_level=19,
        use_dictionary=list(columns),
        column_encoding={"timestamp": "DELTA_BINARY_PACKED", "volume": "DELTA_BINARY_PACKED"},
    )
    return path


def _write_regimes(folder: Path, markets: Sequence[SyntheticMarket]) -> Path:
    path = folder / "regimes.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["symbol", "first_bar", "last_bar", "bars", "regime"])
        for market in markets:
            writer.writerows(_stays(market))
    return path


def _stays(market: SyntheticMarket) -> Iterator[tuple[str, str, str, int, str]]:
    """One row per stay in a regime: symbol, open of its first and last bar, number of bars, the regime's name."""
    starts = np.flatnonzero(np.diff(market.regime, prepend=-1))
    ends = np.append(starts[1:], len(market.regime))
    times = market.series.time_ns
    for start, end in zip(starts, ends, strict=True):
        name = market.regimes[int(market.regime[start])].name
        yield market.series.symbol, _iso(int(times[start])), _iso(int(times[end - 1])), int(end - start), name


def _iso(time_ns: int) -> str:
    return (datetime.fromtimestamp(0, UTC) + timedelta(microseconds=time_ns // 1000)).strftime("%Y-%m-%dT%H:%M:%SZ")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m data.synthetic.sample", description="Write the shipped sample bars."
    )
    parser.add_argument("--out", type=Path, default=SAMPLE_DIR, help="folder to write into (default: data/sample)")
    folder: Path = parser.parse_args(arguments).out
    for path in write_sample(folder):
        sys.stdout.write(f"{path}  {path.stat().st_size:,} bytes\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
