"""Decides how one symbol's file becomes its bars: reader, label, zone, bar length, adjustments, cache, warnings."""

import hashlib
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

import numpy as np

from data.assembly import Assembled, Reading, assemble, is_faulty
from data.bar_times import length_ns
from data.series import BarSeries
from data.sources.careful_text import read_carefully
from data.sources.content import as_text, read_file, text_lines
from data.sources.fast_text import read_fast
from data.sources.layouts import Layout, recognise
from data.validation import overnight_warning
from data.zones import zone_named

FORMAT = 1
_HEAD = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """One symbol's file and how to read it.

    Attributes:
        file: CSV in any layout of ``data.sources.layouts`` (also ``.gz``), or Parquet.
        timestamp: which end of a bar its time marks; None: known from the layout, else ``open``, with a warning.
        timezone: zone of times without an offset, such as America/Chicago; for daily bars, the zone whose date counts.
        bar_length: ``1m``, ``5m``, ``1h``, ``1d``; None: the most common distance between bars.
        repair: ``drop`` or ``fix`` rows that break a rule, and count them (S3.4); None: they are an error.
        factor_file: split and dividend factors (date, price factor, split factor, reference price).
        split_adjust, dividend_adjust: which factors of that file to apply.
        use_adjusted_close: scale all prices by ``Adj Close`` / ``Close``.
        session_calendar: name of the calendar whose daily break the times are checked against; None: no check.
        ticker: which symbol's columns of a file with several; None: the one named like ``symbol``, or the only one.
    """

    symbol: str
    file: Path
    timestamp: Literal["open", "close"] | None = None
    timezone: str | None = None
    bar_length: str | None = None
    repair: Literal["drop", "fix"] | None = None
    factor_file: Path | None = None
    split_adjust: bool = True
    dividend_adjust: bool = True
    use_adjusted_close: bool = False
    session_calendar: str | None = None
    ticker: str | None = None


def load_series(settings: SourceSettings, cache_dir: Path | None = None) -> BarSeries:
    """Return the bars of one symbol, validated, open-stamped, in UTC.

    Raises SourceError (file or layout), BarError (a row breaks S3.4; names file, line, value, rule, cure).
    """
    content = read_file(settings.file)
    digest = _digest(settings, hashlib.sha256(content).hexdigest())
    return _load(settings, content, digest)


def _load(settings: SourceSettings, content: bytes, digest: str) -> BarSeries:
    text = as_text(content, settings.file)
    head = text_lines(text[:_HEAD].rpartition(b"\n")[0] if len(text) > _HEAD else text, settings.file)
    layout = recognise(head, settings.file, settings.symbol, settings.ticker)
    reading, notes = _reading(settings, layout)
    raw = read_fast(text, layout)
    if raw is None or is_faulty(raw, reading):
        raw = read_carefully(text, layout, settings.file)
    return _series(assemble(raw, reading), reading, (*raw.notes, *notes), digest)


def _reading(settings: SourceSettings, layout: Layout) -> tuple[Reading, tuple[str, ...]]:
    zone = None if settings.timezone is None else zone_named(settings.timezone)
    reading = Reading(
        symbol=settings.symbol,
        source=str(settings.file),
        label=settings.timestamp or layout.label or "open",
        zone=zone,
        bar_ns=None if settings.bar_length is None else length_ns(settings.bar_length),
        repair=settings.repair,
    )
    return reading, ()


def _series(bars: Assembled, reading: Reading, notes: tuple[str, ...], digest: str) -> BarSeries:
    rows = bars.rows
    moved = overnight_warning(reading.symbol, bars.time_ns, rows.open, rows.close)
    return BarSeries(
        symbol=reading.symbol,
        time_ns=np.ascontiguousarray(bars.time_ns),
        open=rows.open,
        high=rows.high,
        low=rows.low,
        close=rows.close,
        volume=rows.volume,
        bar_ns=bars.bar_ns,
        source=reading.source,
        digest=digest,
        warnings=(*notes, *((moved,) if moved else ())),
        repairs=dict(sorted(bars.repairs.items())),
    )


def _digest(settings: SourceSettings, content: str) -> str:
    plain = {
        field.name: getattr(settings, field.name)
        for field in fields(settings)
        if field.name not in ("file", "factor_file")
    }
    return hashlib.sha256(json.dumps([FORMAT, content, plain], sort_keys=True).encode()).hexdigest()
