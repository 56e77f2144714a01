"""Where history comes from: the service, helped by a cache that is never trusted across a roll.

The cache is keyed by symbol, interval, session template and the contract behind a continuous symbol, because
back-adjusted history changes as a whole when the contract does. What is cached is checked: the bars that overlap with
a new answer must be the same, else everything is loaded anew.
"""

import logging
import os
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data.tradestation.bars import Interval, LiveBar
from data.tradestation.rest import TradeStationClient

LOG = logging.getLogger(__name__)
OVERLAP = 3
_FIELDS = ("open", "high", "low", "close", "volume")


class HistoryCache:
    """Closed bars in a folder, one file a series; ``place`` keeps live, SIM and emulated data apart."""

    def __init__(self, folder: Path, place: str) -> None:
        self._folder = folder
        self._place = place

    def read(self, key: str, interval: Interval) -> list[LiveBar]:
        """The bars of ``key``; none where nothing (readable) is kept: the cache is only ever a short cut."""
        try:
            with self._file(key).open("rb") as file, np.load(file, allow_pickle=False) as kept:
                stamps, figures = kept["close_ns"], kept["figures"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return []
        return [
            LiveBar(interval.open_ns(stamp), stamp, o, h, lo, c, v, int(ticks), True)
            for stamp, (o, h, lo, c, v, ticks) in zip(stamps.tolist(), figures.tolist(), strict=True)
        ]

    def write(self, key: str, bars: Sequence[LiveBar]) -> None:
        """Replace the bars of ``key``, whole or not at all; OSError where the disk refuses."""
        self._folder.mkdir(parents=True, exist_ok=True)
        stamps = np.array([bar.close_ns for bar in bars], dtype=np.int64)
        figures = np.array([(*bar.figures, float(bar.ticks)) for bar in bars], dtype=np.float64).reshape(-1, 6)
        handle, name = tempfile.mkstemp(dir=self._folder, suffix=".tmp")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, close_ns=stamps, figures=figures)
            temporary.replace(self._file(key))
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _file(self, key: str) -> Path:
        safe = "".join(c if c.isalnum() or c in "@.-" else "_" for c in f"{self._place}-{key}")
        return self._folder / f"{safe}.npz"


def series_key(symbol: str, interval: Interval, underlying: str | None, template: str | None) -> str:
    """What a cached series is called."""
    return "-".join([symbol, interval.label, underlying or "plain", template or "default"])


def load_history(
    client: TradeStationClient,
    symbol: str,
    interval: Interval,
    count: int,
    underlying: str | None,
    template: str | None,
    cache: HistoryCache | None,
) -> list[LiveBar]:
    """The last ``count`` bars, oldest first, the open one last if there is one."""
    if cache is None:
        return client.last_bars(symbol, interval, count, template)
    key = series_key(symbol, interval, underlying, template)
    bars = _extended(client, symbol, interval, cache.read(key, interval), count, template)
    if bars is None:
        bars = client.last_bars(symbol, interval, count, template)
    # The last bar may still be open, and the one before may still be corrected: the overlap checks it next time.
    try:
        cache.write(key, bars[:-1])
    except OSError as error:
        LOG.warning("%s: its history is not kept for the next start: %s", symbol, error.strerror or error)
    return bars


def _extended(
    client: TradeStationClient,
    symbol: str,
    interval: Interval,
    kept: list[LiveBar],
    count: int,
    template: str | None,
) -> list[LiveBar] | None:
    """Kept bars with what is new; None where too few are kept or the overlap differs (a roll, a correction)."""
    if len(kept) < OVERLAP:
        return None
    edge = kept[-OVERLAP:]
    new = client.bars_between(symbol, interval, edge[0].close_ns, template=template)
    if [bar.figures for bar in new[:OVERLAP]] != [bar.figures for bar in edge]:
        return None
    bars = kept[:-OVERLAP] + new
    return bars[-count:] if len(bars) >= count else None
