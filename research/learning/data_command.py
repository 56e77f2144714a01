"""The command that writes a labelled data set: entries, what was seen, R of every multiple, and the best one."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from data.whole_files import replace_file
from engine.kernel.learned import C_ATR, C_EMA, C_RSI
from exits.features import NAMES, feature_hash
from research.learning.ending import exit_code
from research.learning.entries import Entries
from research.learning.preparing import Schooling, add_common_options, prepared_for


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python research/generate_ML_SL_Training_data.py",
        description="Bars to a labelled data set: features and the R of every ATR multiple, by the engine's own fills.",
    )
    add_common_options(made)
    made.add_argument("--out", type=Path, default=Path("runs/learning"), metavar="FOLDER", help="default runs/learning")
    made.add_argument(
        "--formats", nargs="+", choices=("parquet", "csv"), default=["parquet", "csv"], help="files to write"
    )
    made.add_argument("--keep-censored", action="store_true", help="keep entries that data ended before")
    made.add_argument("--resume", action="store_true", help="leave symbols alone whose files are there")
    made.add_argument("--quiet", action="store_true", help="no progress bar")
    return made


def main(arguments: Sequence[str]) -> int:
    """Write one file per symbol and format; returns the exit code. Ctrl-C keeps the files that are whole."""
    given = parser().parse_args(arguments)
    kept = "; files that are there are whole, --resume makes the rest"
    return exit_code(lambda: _write_all(given), given.out, kept)


def _write_all(given: argparse.Namespace) -> bool:
    """All that was asked for; True once it is there."""
    from tqdm import tqdm

    schooling = prepared_for(given, teaching=False)
    entries = schooling.entries
    given.out.mkdir(parents=True, exist_ok=True)
    for number, symbol in enumerate(tqdm(entries.symbols, unit="symbol", disable=given.quiet)):
        own = entries.take(entries.symbol == number)
        files = [given.out / f"{symbol}.{kind}" for kind in given.formats]
        if not len(own) or (given.resume and all(file.exists() for file in files)):
            continue
        if not given.keep_censored:
            own = own.take(~own.censored)
        frame = frame_of(schooling, own, symbol)
        for file in files:
            _write(frame, file)
        print(f"{symbol}: {len(frame):,} entries, features {feature_hash()}: {', '.join(str(file) for file in files)}")
    return True


def frame_of(schooling: Schooling, entries: Entries, symbol: str) -> Any:
    """The rows of one symbol as a DataFrame; prices in price units, R net of costs."""
    import pandas as pd

    ground = schooling.ground
    column = ground.engine.market.symbols.index(symbol)
    closed, scale = ground.features.closed[entries.bar - 1, column], ground.engine.scales[column]
    close = ground.engine.tables.bars["c"][entries.bar - 1, column]
    data: dict[str, Any] = {
        "symbol": symbol,
        "time": pd.DatetimeIndex(entries.time_ns.astype("datetime64[ns]"), tz="UTC"),
        "bar": entries.bar,
        "PositionType": np.where(entries.side > 0, "long", "short"),
        "ATR": closed[:, C_ATR] * scale.tick_size,
        "RSI": closed[:, C_RSI],
        "EMA": closed[:, C_EMA] * scale.tick_size,
        "Close": close * scale.tick_size,
    }
    data |= {name: entries.x[:, number] for number, name in enumerate(NAMES)}
    data |= {f"r_{multiple:g}": entries.r[:, arm] for arm, multiple in enumerate(entries.multiples)}
    data |= {f"exit_bar_{multiple:g}": entries.exits[:, arm] for arm, multiple in enumerate(entries.multiples)}
    best = np.nan_to_num(entries.r, nan=-np.inf).argmax(axis=1)
    data["best_multiple"] = np.array(entries.multiples)[best]
    data["censored"] = entries.censored
    return pd.DataFrame(data)


def _write(frame: Any, file: Path) -> None:
    """Write a file whole or not at all."""
    import io

    if file.suffix == ".csv":
        replace_file(file, frame.to_csv(index=False).encode())
        return
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    replace_file(file, buffer.getvalue())
