"""What stands in the files that are written: names and types from the code, each with a meaning or the page fails."""

from typing import Any

from engine.statistics import Statistics, describe_figures
from models.store import REQUIRED

FILES = [
    ["a run's folder", "", "`runs/NAME_TIME`; whole or not there",
     "[reading a report](../tutorials/reading_the_report.md)"],
    ["`manifest.json`", "a saved run", "what identifies and explains it", "below"],
    ["`equity.parquet`, `fills.parquet`, ...", "a saved run", "the journal, one file a table",
     "[journal](../journal.md)"],
    ["`report.html`, `equity.png`", "a saved run", "for people; needs nothing else", "[statistics](../statistics.md)"],
    ["`SHA256SUMS`", "a saved run", "digest of every other file, as `sha256sum --check` reads them", ""],
    ["`results.parquet`, `ranking.csv`, `sweep.json`", "a sweep", "one row a run; settings, best first",
     "below, [sweeps](../sweeps.md)"],
    ["`recording/`, `state.npz`, `actions.jsonl`", "a paper account", "bars as seen, where it stands, orders by hand",
     "[live](../live.md)"],
    ["`NAME.npz`, `NAME.json`", "training", "weights, and what they were made from",
     "below, [learning](../learning.md)"],
    ["bars: CSV, Parquet", "you", "columns found by name", "[bars](../bars.md)"],
    ["factors: CSV", "you", "splits and dividends", "[bars](../bars.md)"],
    ["`window.json`", "the window", "layouts, recent runs, theme; in the user's settings folder",
     "[window](../window.md)"],
]  # fmt: skip

_MANIFEST = {
    "format": "number of this format",
    "name": "name of the run",
    "status": "completed, bankrupt, interrupted or failed",
    "error": "what a bot or exit raised, with its traceback; null: nothing",
    "configuration": "every key with its value, defaults included",
    "given": "the keys that were given, as a configuration file has them",
    "config_hash": "SHA-256 of all that can change a result",
    "folder": "the folder that relative files of the configuration begin at",
    "data": "per symbol: source, digest and number of bars",
    "symbols": "in configuration order",
    "bars": "master bars that were run",
    "drive": "step or compiled",
    "seed": "seed of everything random",
    "seconds": "time the run took, without loading",
    "versions": "Python, machine, kernel sources, numpy, numba, TA-Lib, calendars",
    "warnings": "sentences for whoever reads the result",
    "repairs": "rows repaired, per symbol and kind",
    "gates": "how often each gate decided, per symbol",
    "ambiguous_trades": "trades that the path policy may have decided (S6.9)",
    "interventions": "what was done by hand (S16), in order",
    "statistics": "figures of the portfolio, by the names of the statistics page",
    "symbol_statistics": "the same per symbol",
    "bounds": "figures under other assumptions, where they were asked for",
}
_RESULTS = {
    "run": "number of the run in the sweep",
    "hash": "identifies the run: configuration and bars",
    "symbols": "separated by blanks",
    "bot": "its name",
    "exit": "its name",
    "path": "path policy",
    "seed": "seed",
    "fold": "number of the fold; null without folds",
    "part": "in or out of sample",
    "start": "first day",
    "end": "last day",
    "status": "completed, bankrupt or failed",
    "error": "why it failed",
    "ambiguous_trades": "trades that the path policy may have decided",
    "bars": "master bars",
    "days": "daily returns",
    "skewness": "of the daily returns",
    "kurtosis": "of the daily returns; 3 for a normal distribution",
    "block_days": "days in each of 16 blocks",
    "block_sum": "sum of the returns in each block",
    "block_squares": "sum of their squares",
    "digest": "of the result: daily equity and trades",
}


def keys_of_manifest() -> list[list[str]]:
    """Keys of a manifest as a run of a few bars writes it, with their meanings."""
    return [[f"`{key}`", _MANIFEST[key]] for key in small_result().manifest()]


def small_result() -> Any:
    """A run of a few bars."""
    import numpy as np
    import pandas as pd

    from bots.catalog import make_bot
    from engine import BacktestConfig, run_backtest

    index = pd.DatetimeIndex(np.arange(20).astype("datetime64[m]"), tz="UTC")
    frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close", "volume"), 100.0), index=index)
    asset = {"symbol": "X", "tick_size": 0.25, "tick_value": 12.5, "initial_margin": 100.0, "maintenance_margin": 100.0}
    config = BacktestConfig(assets=[asset])
    return run_backtest(config, make_bot(config.bot, config.exit), {"X": frame})


def columns_of_results() -> list[list[str]]:
    """Columns of a sweep's table without swept keys; figures have the meanings of the statistics."""
    from types import SimpleNamespace
    from typing import cast

    from research.sweeping.plan import Plan
    from research.sweeping.rows import schema

    meanings = _RESULTS | {name: help_text for name, _, _, help_text in describe_figures(Statistics)}
    plan = cast("Plan", SimpleNamespace(keys=(), points=()))
    return [[f"`{field.name}`", str(field.type), meanings[field.name]] for field in schema(plan)]


def columns_of_recording() -> list[list[str]]:
    """Columns of a recording."""
    from data.tradestation.recorder import _schema

    return [[f"`{field.name}`", str(field.type)] for field in _schema()]


def keys_of_model() -> list[list[str]]:
    """Keys of a manifest of a shipped model, and whether serving needs them."""
    from exits.features import feature_hash
    from models.store import load_model

    manifest = load_model("ppo", "ppo", feature_hash()).manifest
    return [[f"`{key}`", "yes" if key in REQUIRED else ""] for key in manifest]
