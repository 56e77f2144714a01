"""Turns the rows of one source into the bars of one symbol: zone, order, rules, bar length, opening times.

The steps come in the order in which they depend on each other; without ``repair`` every finding of the first four is
gathered before the first offender is reported, so that a file is described as a whole.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo

import numpy as np

from data.bar_times import are_long, dates_of, length_text, open_times, overlapping, recognise_length
from data.errors import BarError, SourceError
from data.series import TimeArray
from data.sources.raw import Label, RawBars
from data.sources.stamps import stamp_text
from data.validation import (
    Finding,
    Mask,
    Repair,
    clock_findings,
    later_of_twice,
    order_findings,
    reader_findings,
    refuse,
    repaired_order,
    repaired_values,
    value_findings,
)
from data.zones import DAY_NS, to_utc, to_wall


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the rows of one source are to be understood.

    Attributes:
        source: the file, for messages; ``place`` is what its rows are counted in.
        zone: zone of times without an offset; for daily bars, the zone whose date counts; None: the file's own,
            else UTC.
        bar_ns: declared length of a bar, None to recognise it.
    """

    symbol: str
    source: str
    place: str = "line"
    label: Label
    zone: tzinfo | None = None
    bar_ns: int | None = None
    repair: Repair | None = None


@dataclass(frozen=True, slots=True)
class Assembled:
    """Rows that keep every rule, with the times at which their bars open.

    Attributes:
        long: bars of a day or longer; their times are dates.
        zoned: the source's times carry a zone or an offset.
    """

    rows: RawBars
    time_ns: TimeArray
    bar_ns: int
    long: bool
    zoned: bool
    repairs: Counter[str]


def assemble(raw: RawBars, reading: Reading) -> Assembled:
    """Apply the rules for bars; BarError names the first row that breaks one, unless ``repair`` is set."""
    repairs: Counter[str] = Counter()
    zoned = raw.aware
    findings = reader_findings(raw)
    if reading.repair is not None:
        repairs.update({finding.kind: int(finding.rows.sum()) for finding in findings})
        raw, findings = raw.take(~raw.unreadable), []
    long = _long(raw, reading)
    raw, clock, counted = (raw, [], Counter[str]()) if long or raw.aware else _in_utc(raw, reading)
    repairs += counted
    times = _dates(raw, reading) if long else raw.stamp_ns
    if reading.repair is None:
        found = [*findings, *clock, *order_findings(times, ~raw.unreadable), *value_findings(raw)]
        refuse(found, raw.lines, reading.source, reading.place)
    else:
        raw, counted = repaired_values(raw, reading.repair)
        repairs += counted
        times = _dates(raw, reading) if long else raw.stamp_ns
        raw, times, counted = repaired_order(raw, times, reading.repair)
        repairs += counted
    return _timed(raw, times, long, zoned, reading, repairs)


def assemble_clean(raw: RawBars, reading: Reading) -> Assembled | None:
    """Return the bars of rows that break no rule, or None if any does: the same as ``assemble``, in one pass."""
    long, zoned = _long(raw, reading), raw.aware
    clock: list[Finding] = []
    if not long and not raw.aware:
        raw, clock, _ = _in_utc(raw, replace(reading, repair=None))
    times = _dates(raw, reading) if long else raw.stamp_ns
    if clock or order_findings(times, ~raw.unreadable) or value_findings(raw):
        return None
    bar_ns = reading.bar_ns or recognise_length(times, reading.symbol)
    label: Label = "open" if long else reading.label
    if overlapping(times, bar_ns, label).any():
        return None
    return Assembled(raw, open_times(times, bar_ns, label), bar_ns, long, zoned, Counter())


def _timed(
    raw: RawBars, times: TimeArray, long: bool, zoned: bool, reading: Reading, repairs: Counter[str]
) -> Assembled:
    """Recognise the bar length and shift stamps to the open, once rows are in order."""
    if not len(raw):
        raise SourceError(f"{reading.source}: no bar is left after repair ({_counts(repairs)}); correct the file")
    bar_ns = reading.bar_ns or recognise_length(times, reading.symbol)
    label: Label = "open" if long else reading.label
    crossing = overlapping(times, bar_ns, label)
    if crossing.any():
        _refuse_length(raw, times, crossing, bar_ns, reading)
        repairs["overlap"] += int(crossing.sum())
        raw, times = raw.take(~crossing), times[~crossing]
    return Assembled(raw, open_times(times, bar_ns, label), bar_ns, long, zoned, repairs)


def _refuse_length(raw: RawBars, times: TimeArray, crossing: Mask, bar_ns: int, reading: Reading) -> None:
    """Raise where bars overlap and no repair was asked for, or where so many do that the length must be wrong."""
    length = length_text(bar_ns)
    if int(crossing.sum()) * 10 > len(times):
        steps = np.diff(times)
        raise BarError(
            f"{reading.source}: {int(crossing.sum())} of {len(times)} bars of {length} open before the last one ended, "
            f"the shortest distance is {length_text(int(steps.min()))} (S3.5); correct `bar_length`"
        )
    if reading.repair is None:
        text = f"{stamp_text(int(times[int(np.argmax(crossing))]))} UTC is less than {length} after the bar before"
        refuse([Finding("overlap", crossing, lambda row: text)], raw.lines, reading.source, reading.place)


def _long(raw: RawBars, reading: Reading) -> bool:
    if reading.bar_ns is not None:
        return reading.bar_ns >= DAY_NS
    readable = raw.stamp_ns[~raw.unreadable] if raw.defects else raw.stamp_ns
    return raw.dates_only or are_long(readable)


def _dates(raw: RawBars, reading: Reading) -> TimeArray:
    """Return each bar's date: on the clock of the zone asked for, else on the file's own."""
    if raw.aware and reading.zone is not None:
        wall = to_wall(raw.stamp_ns, reading.zone)
    elif raw.aware:
        wall = to_wall(raw.stamp_ns, UTC) if raw.wall_ns is None else raw.wall_ns
    else:
        wall = raw.stamp_ns
    return dates_of(wall, reading.label, raw.dates_only)


def _in_utc(raw: RawBars, reading: Reading) -> tuple[RawBars, list[Finding], Counter[str]]:
    """Read wall-clock times in their zone; hours that came twice or never are findings, or repaired and counted."""
    wall = raw.stamp_ns
    localised = to_utc(wall, reading.zone or UTC)
    findings = clock_findings(localised, wall, ~raw.unreadable)
    if reading.repair is None or not findings:
        return replace(raw, stamp_ns=localised.utc_ns, aware=True), findings, Counter()
    utc_ns, keep, counts = later_of_twice(localised, reading.repair)
    return replace(raw, stamp_ns=utc_ns, aware=True).take(keep), [], counts


def _counts(repairs: Counter[str]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in repairs.items()) or "nothing repaired"
