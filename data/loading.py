"""Decides how one symbol's file becomes its bars: reader, label, zone, bar length, adjustments, cache, warnings."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from data.adjustments import Factors, apply_adjusted_close, apply_factors, factor_misfit, read_factors
from data.assembly import Assembled, Reading, assemble, assemble_clean
from data.bar_times import length_ns
from data.cache import BarCache
from data.contracts import contract
from data.errors import SourceError
from data.series import BarSeries, TimeArray
from data.session_check import check_sessions
from data.sources.careful_text import read_carefully
from data.sources.content import as_text, read_file, text_lines
from data.sources.fast_text import read_fast
from data.sources.frames import read_frame
from data.sources.layouts import Layout, recognise
from data.sources.parquet import is_parquet, read_parquet
from data.sources.raw import Label, RawBars
from data.sources.text_in_parts import read_in_parts
from data.validation import overnight_warning
from data.zones import DAY_NS, to_wall, zone_named

if TYPE_CHECKING:
    import pandas as pd

# Part of every digest: a change in what loading does makes older copies of bars unused.
_LOADER_VERSION = 2
_HEAD_BYTES = 1 << 16
_SHARES_ZONE = "America/New_York"


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
        columns: names of a text file's columns in their order, where it has no header that says them; None: it has one.
        reader: reads the file in place of this loader, and answers for adjustments itself; None: this loader.
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
    columns: tuple[str, ...] | None = None
    reader: "Callable[[SourceSettings], BarSeries] | None" = None


def load_series(settings: SourceSettings, cache_dir: Path | None = None) -> BarSeries:
    """Return the bars of one symbol, validated, open-stamped, in UTC.

    With ``cache_dir``, a binary copy is kept there and used as long as content and settings are the same.

    Raises SourceError (file, layout, zone, bar length), BarError (a row breaks S3.4; names file, line, value, rule,
    cure), CalendarError (``session_calendar`` is unknown).
    """
    if settings.reader is not None:
        return _session_checked(settings.reader(settings), settings)
    cache = None if cache_dir is None else BarCache(cache_dir)
    factors = None if settings.factor_file is None else read_file(settings.factor_file)
    noted = None if cache is None else cache.known_content(settings.file)
    if cache is not None and noted is not None:
        cached = cache.read(_digest(settings, noted, factors), settings.symbol, str(settings.file))
        if cached is not None:
            return cached
    content = read_file(settings.file)
    sha256 = hashlib.sha256(content).hexdigest()
    digest = _digest(settings, sha256, factors)
    if cache is None:
        return _load(settings, content, factors, digest)
    return _through_cache(cache, settings, content, factors, digest, sha256)


def series_from_frame(
    symbol: str,
    frame: "pd.DataFrame",
    *,
    timestamp: Literal["open", "close"] = "open",
    timezone: str | None = None,
    bar_length: str | None = None,
    repair: Literal["drop", "fix"] | None = None,
) -> BarSeries:
    """Return bars given in memory, by the same rules as those of a file; errors count rows from 1.

    The frame has columns open, high, low, close, perhaps volume, and its times as a DatetimeIndex or in a column such
    as ``open_time``; times without a zone are ``timezone``'s, or UTC. The frame is not changed.
    """
    source = f"the DataFrame of {symbol}"
    reading = Reading(
        symbol=symbol,
        source=source,
        place="row",
        label=timestamp,
        zone=None if timezone is None else zone_named(timezone),
        bar_ns=None if bar_length is None else length_ns(bar_length),
        repair=repair,
    )
    raw = read_frame(frame, source)
    parts = [raw.stamp_ns, raw.open, raw.high, raw.low, raw.close, raw.volume]
    plain = [_LOADER_VERSION, symbol, timestamp, timezone, bar_length, repair]
    seal = hashlib.sha256(json.dumps(plain).encode())
    for part in parts:
        seal.update(np.ascontiguousarray(part).data)
    return _series(assemble(raw, reading), reading, (), seal.hexdigest())


def _through_cache(
    cache: BarCache, settings: SourceSettings, content: bytes, factors: bytes | None, digest: str, sha256: str
) -> BarSeries:
    """Return the copy that there is for this content, or load and keep one; a cache that fails is said, not fatal."""
    series = cache.read(digest, settings.symbol, str(settings.file))
    fresh = series is None
    if series is None:
        series = _load(settings, content, factors, digest)
    try:
        if fresh:
            cache.write(series)
        cache.note_content(settings.file, sha256)
    except OSError as refused:
        told = f"{settings.symbol}: no copy of the bars was kept in {cache.folder} ({refused.strerror or refused})"
        return replace(series, warnings=(*series.warnings, told))
    return series


def _load(settings: SourceSettings, content: bytes, factors: bytes | None, digest: str) -> BarSeries:
    read = _from_parquet(settings, content) if is_parquet(content) else _from_text(settings, content)
    bars, adjusted = _adjusted(settings, read.bars, read.reading, factors)
    series = _series(bars, read.reading, (*read.notes, *adjusted), digest)
    return _session_checked(series, settings)


@dataclass(frozen=True, slots=True)
class _Read:
    """A file's bars before adjustment, how they were read, and sentences for the report."""

    bars: Assembled
    reading: Reading
    notes: tuple[str, ...]


def _from_parquet(settings: SourceSettings, content: bytes) -> _Read:
    if settings.columns is not None:
        raise SourceError(f"{settings.file}: a Parquet file names its columns itself; leave `columns` out")
    reading = replace(_reading(settings, None), place="row")
    raw = read_parquet(content, settings.file)
    bars = assemble(raw, reading)
    return _Read(bars, reading, _guesses(settings, bars, reading, None))


def _from_text(settings: SourceSettings, content: bytes) -> _Read:
    """Read fast; what is out of the ordinary is read again line by line, to repair it or say what it is."""
    text = as_text(content, settings.file)
    layout = recognise(_head(text, settings.file), settings.file, settings.symbol, settings.ticker, settings.columns)
    reading = _reading(settings, layout)
    raw = read_fast(text, layout)
    bars = None if raw is None else assemble_clean(raw, reading)
    if bars is None:
        raw = read_in_parts(text, layout, settings.file)
        bars = assemble(read_carefully(text, layout, settings.file) if raw is None else raw, reading)
    notes = _guesses(settings, bars, reading, layout.label)
    if not layout.columns.volume:
        notes += (f"{settings.symbol}: there is no volume; it is taken as 0",)
    if not text.endswith((b"\n", b"\r")):
        notes += (
            f"{settings.symbol}: the last line has no line end; if the file was cut off, its last cell is not whole",
        )
    return _Read(bars, reading, notes)


def _reading(settings: SourceSettings, layout: Layout | None) -> Reading:
    """Return how to understand the rows: as the settings say, else as the layout's makers mean it."""
    zone = None if settings.timezone is None else zone_named(settings.timezone)
    if zone is None and layout is not None and layout.exchange_time:
        zone = _exchange_zone(settings.symbol)
    return Reading(
        symbol=settings.symbol,
        source=str(settings.file),
        label=settings.timestamp or (None if layout is None else layout.label) or "open",
        zone=zone,
        bar_ns=None if settings.bar_length is None else length_ns(settings.bar_length),
        repair=settings.repair,
    )


def _head(text: bytes, path: Path) -> list[str]:
    """Return the first lines, whole."""
    whole = len(text) <= _HEAD_BYTES
    return text_lines(text if whole else text[:_HEAD_BYTES].rpartition(b"\n")[0], path)


def _exchange_zone(symbol: str) -> tzinfo:
    facts = contract(symbol)
    return zone_named(_SHARES_ZONE if facts is None else facts.timezone)


def _guesses(settings: SourceSettings, bars: Assembled, reading: Reading, known: Label | None) -> tuple[str, ...]:
    """Return sentences about label and zone, where neither the file nor the settings say them."""
    notes = []
    if settings.timestamp is None and known is None and not bars.long:
        notes.append(f"{settings.symbol}: times were taken as the bars' open; set `timestamp` to open or close")
    if settings.timezone is None and not bars.zoned and not bars.long:
        zone = "UTC" if reading.zone is None else str(reading.zone)
        notes.append(f"{settings.symbol}: times carry no zone and were read as {zone}; set `timezone`")
    return tuple(notes)


def _adjusted(
    settings: SourceSettings, bars: Assembled, reading: Reading, factors: bytes | None
) -> tuple[Assembled, tuple[str, ...]]:
    """Apply factor file and adjusted close, and return sentences for the report."""
    if factors is None or settings.factor_file is None:
        if not settings.use_adjusted_close:
            return bars, ()
        rows = apply_adjusted_close(bars.rows, reading.source, reading.place)
        return replace(bars, rows=rows), ()
    if settings.use_adjusted_close:
        raise SourceError(
            f"{settings.symbol}: `factor_file` and `use_adjusted_close` would adjust prices twice; set only one of them"
        )
    return _with_factors(settings, bars, reading, read_factors(factors, settings.factor_file))


def _with_factors(
    settings: SourceSettings, bars: Assembled, reading: Reading, factors: Factors
) -> tuple[Assembled, tuple[str, ...]]:
    dates: TimeArray = bars.time_ns
    misfit = None
    if bars.long:
        misfit = factor_misfit(settings.symbol, bars.rows, dates, factors)
    else:
        # Factor files are of shares: a bar's date is the exchange's.
        dates = to_wall(bars.time_ns, reading.zone or zone_named(_SHARES_ZONE)) // DAY_NS * DAY_NS
    rows = apply_factors(bars.rows, dates, factors, split=settings.split_adjust, dividend=settings.dividend_adjust)
    return replace(bars, rows=rows), (() if misfit is None else (misfit,))


def _session_checked(series: BarSeries, settings: SourceSettings) -> BarSeries:
    if settings.session_calendar is None:
        return series
    told = check_sessions(series, settings.session_calendar)
    return series if told is None else replace(series, warnings=(*series.warnings, told))


def _series(bars: Assembled, reading: Reading, notes: tuple[str, ...], digest: str) -> BarSeries:
    rows: RawBars = bars.rows
    moved = overnight_warning(reading.symbol, bars.time_ns, rows.open, rows.close)
    return BarSeries(
        symbol=reading.symbol,
        time_ns=np.ascontiguousarray(bars.time_ns),
        open=np.ascontiguousarray(rows.open),
        high=np.ascontiguousarray(rows.high),
        low=np.ascontiguousarray(rows.low),
        close=np.ascontiguousarray(rows.close),
        volume=np.ascontiguousarray(rows.volume),
        bar_ns=bars.bar_ns,
        source=reading.source,
        digest=digest,
        warnings=(*(f"{reading.symbol}: {note}" for note in rows.notes), *notes, *(() if moved is None else (moved,))),
        repairs=dict(sorted(bars.repairs.items())),
    )


def _digest(settings: SourceSettings, sha256: str, factors: bytes | None) -> str:
    """Return what names bars: loader, content and settings, wherever the files lie."""
    others = ("file", "factor_file", "reader")
    plain = {field.name: getattr(settings, field.name) for field in fields(settings) if field.name not in others}
    adjusting = None if factors is None else hashlib.sha256(factors).hexdigest()
    stated = json.dumps([_LOADER_VERSION, sha256, adjusting, plain], sort_keys=True)
    return hashlib.sha256(stated.encode()).hexdigest()
