"""What a recording holds: bars as they were seen and acted on, and beside them as they are known now (S17.2, S17.3)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import SourceError
from data.series import BarSeries
from data.tradestation.bars import Interval
from data.tradestation.recorder import series_name, unique_rows

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Correction:
    """New figures of the bar that opened at ``open_ns``, known from ``seen_ns`` on."""

    open_ns: int
    seen_ns: int
    figures: tuple[float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Note:
    """A gap (bars after ``at_ns`` may have come late) or a roll; ``text`` says which."""

    kind: str
    at_ns: int
    seen_ns: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One series; arrays are as long as ``seen``.

    Attributes:
        seen: bars as they were seen when they closed; ``known``: with all corrections.
        history: the bar was there when the feed began.
        backfilled, opened_live: how it came (S17.2).
        decided: the bot decided on it; ``absent``: it was taken as synthetic (S17.1).
        open_seen: O at the decision, NaN where there was none.
    """

    seen: BarSeries
    known: BarSeries
    history: BoolArray
    backfilled: BoolArray
    opened_live: BoolArray
    decided: BoolArray
    absent: BoolArray
    open_seen: NDArray[np.float64]
    corrections: tuple[Correction, ...]
    notes: tuple[Note, ...]


def read_recording(folder: Path, symbol: str, interval: Interval) -> Recording:
    """The whole series; SourceError where there is none or a file is damaged."""
    return _recording(
        read_rows(folder, symbol, interval), symbol, interval, str(folder / series_name(symbol, interval))
    )


def read_rows(folder: Path, symbol: str, interval: Interval) -> list[dict[str, Any]]:
    """Everything that was written down of a series, in the order of writing; SourceError as above."""
    place = folder / series_name(symbol, interval)
    parts = sorted(place.glob("*/*.parquet"))
    if not parts:
        raise SourceError(f"{place}: no recording of {symbol}; record it live first")
    try:
        return unique_rows(parts)
    except (OSError, ValueError) as error:
        raise SourceError(f"{place}: a part of the recording is damaged: {error}; remove that file") from error


def _recording(rows: Sequence[Mapping[str, Any]], symbol: str, interval: Interval, place: str) -> Recording:
    bars = _first_seen(rows)
    corrections = tuple(
        Correction(row["open_ns"], row["seen_ns"], _figures(row)) for row in rows if row["kind"] == "correction"
    )
    return Recording(
        seen=_series(bars, symbol, interval, place),
        known=_series(_known(bars, rows), symbol, interval, place),
        history=_flags(bars, "is_history"),
        backfilled=_flags(bars, "backfilled"),
        opened_live=_flags(bars, "opened_live"),
        decided=_flags(bars, "decided"),
        absent=_flags(bars, "absent"),
        open_seen=np.array([np.nan if b["open_seen"] is None else b["open_seen"] for b in bars], dtype=np.float64),
        corrections=corrections,
        notes=tuple(
            Note(row["kind"], row["open_ns"], row["seen_ns"], row["text"])
            for row in rows
            if row["kind"] in ("gap", "roll")
        ),
    )


def _first_seen(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row a bar: as it closed live, else as the first history had it."""
    bars: dict[int, dict[str, Any]] = {}
    for kind in ("bar", "history"):
        for row in rows:
            if row["kind"] == kind and row["open_ns"] not in bars:
                bars[row["open_ns"]] = dict(row) | {"is_history": kind == "history"}
    return [bars[key] for key in sorted(bars)]


def _known(bars: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    latest = {bar["open_ns"]: bar for bar in bars}
    for row in rows:
        if row["kind"] in ("history", "bar", "correction"):
            latest[row["open_ns"]] = row
        elif row["kind"] == "shift":
            latest |= {key: _moved(bar, row["open"]) for key, bar in latest.items() if key < row["open_ns"]}
    return [latest[key] for key in sorted(latest)]


def _moved(row: Mapping[str, Any], gap: float) -> Mapping[str, Any]:
    return {**row} | {name: row[name] + gap for name in ("open", "high", "low", "close")}


def _figures(row: Mapping[str, Any]) -> tuple[float, float, float, float, float]:
    return (row["open"], row["high"], row["low"], row["close"], row["volume"])


def _flags(bars: Sequence[Mapping[str, Any]], name: str) -> BoolArray:
    return np.array([bool(bar[name]) for bar in bars], dtype=np.bool_)


def _series(bars: Sequence[Mapping[str, Any]], symbol: str, interval: Interval, place: str) -> BarSeries:
    times = np.array([bar["open_ns"] for bar in bars], dtype=np.int64)
    table = np.array([_figures(bar) for bar in bars], dtype=np.float64).reshape(-1, 5)
    open_, high, low, close, volume = (np.ascontiguousarray(table[:, i]) for i in range(5))
    digest = hashlib.sha256(times.tobytes() + table.tobytes()).hexdigest()
    return BarSeries(
        symbol=symbol,
        time_ns=times,
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=volume,
        bar_ns=interval.bar_ns,
        source=place,
        digest=digest,
    )
