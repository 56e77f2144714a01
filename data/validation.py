"""Decides whether rows are bars (rulebook S3.4): what is refused, how that is said, and what ``repair`` does about it.

``repair: drop`` removes every row that breaks a rule. ``repair: fix`` sorts rows, keeps the last of equal times, widens
high and low to open and close, sets a negative volume to 0, takes the hours of a clock put back in their order, and
removes only what says nothing (no price, no time) and what opens before the bar before has ended. Both are counted per
kind; without ``repair`` the first offender is an error.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from data.errors import BarError
from data.series import FloatArray, TimeArray
from data.sources.raw import RawBars
from data.sources.stamps import stamp_text
from data.zones import Localised

Repair = Literal["drop", "fix"]
Mask = NDArray[np.bool_]

RULES: Mapping[str, str] = {
    "cut_off": "the last line ends in the middle, so the file was cut off; get it again",
    "fields": "every row must have one cell for each column of the header",
    "time": "every row needs a time that can be read",
    "mixed_zone": "either all times of a file carry an offset, or none; export them all in UTC",
    "text": "prices and volume must be numbers",
    "missing": "prices and volume must be finite numbers",
    "hour_twice": "the clock showed this time twice when summer time ended; export in UTC, or correct `timezone`",
    "hour_skipped": "the clock never showed this time, summer time began; export in UTC, or correct `timezone`",
    "duplicate_time": "two bars cannot have one time",
    "out_of_order": "times must ascend",
    "high_low": "high must be at least, and low at most, both open and close",
    "negative_volume": "volume must not be negative",
    "overlap": "a bar must have ended before the next one opens; set `bar_length` if it was recognised wrongly",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Rows that break one rule, and how to word one of them."""

    kind: str
    rows: Mask
    text: Callable[[int], str]


def reader_findings(raw: RawBars) -> list[Finding]:
    """Return what the reader noted, per kind."""
    by_line = {int(line): row for row, line in enumerate(raw.lines)} if raw.defects else {}
    findings = []
    for kind in dict.fromkeys(defect.kind for defect in raw.defects):
        texts = {by_line[defect.line]: defect.text for defect in raw.defects if defect.kind == kind}
        rows = np.zeros(len(raw), dtype=bool)
        rows[list(texts)] = True
        findings.append(Finding(kind, rows, texts.__getitem__))
    return findings


def value_findings(raw: RawBars) -> list[Finding]:
    """Return rows whose prices or volume break a rule; rows with NaN in them are the ``missing`` ones."""
    top, bottom = np.maximum(raw.open, raw.close), np.minimum(raw.open, raw.close)
    finite = np.logical_and.reduce([np.isfinite(column) for column in _columns(raw).values()])
    found = (
        Finding("missing", ~finite & ~raw.unreadable, lambda row: _prices(raw, row)),
        Finding("high_low", (raw.high < top) | (raw.low > bottom), lambda row: _contradiction(raw, row)),
        Finding("negative_volume", raw.volume < 0, lambda row: f"volume is {raw.volume[row]:g}"),
    )
    return [finding for finding in found if finding.rows.any()]


def order_findings(time_ns: TimeArray, readable: Mask) -> list[Finding]:
    """Return rows whose time does not come after every time before it."""
    if bool((np.diff(time_ns) > 0).all()):
        return []
    known = np.where(readable, time_ns, np.iinfo(np.int64).min)
    before = np.concatenate(([np.iinfo(np.int64).min], np.maximum.accumulate(known)[:-1]))
    found = (
        Finding(
            "duplicate_time",
            readable & (time_ns == before),
            lambda row: f"{stamp_text(int(time_ns[row]))} UTC comes twice",
        ),
        Finding(
            "out_of_order",
            readable & (time_ns < before),
            lambda row: f"{stamp_text(int(time_ns[row]))} UTC comes after {stamp_text(int(before[row]))} UTC",
        ),
    )
    return [finding for finding in found if finding.rows.any()]


def clock_findings(localised: Localised, wall_ns: TimeArray, readable: Mask) -> list[Finding]:
    """Return rows whose wall-clock time came twice or never in the zone it was read in."""
    found = (
        Finding(
            "hour_twice", localised.twice & readable, lambda row: f"{stamp_text(int(wall_ns[row]))} is not one moment"
        ),
        Finding(
            "hour_skipped", localised.missing & readable, lambda row: f"{stamp_text(int(wall_ns[row]))} does not exist"
        ),
    )
    return [finding for finding in found if finding.rows.any()]


def refuse(findings: Sequence[Finding], lines: TimeArray, source: str, place: str = "line") -> None:
    """Raise a BarError for the first offender, with the count of all others; return if there is none."""
    if not findings:
        return
    first = min(findings, key=lambda finding: int(lines[finding.rows].min()))
    rows = np.flatnonzero(first.rows)
    row = int(rows[np.argmin(lines[rows])])
    others = Counter({finding.kind: int(finding.rows.sum()) for finding in findings})
    others[first.kind] -= 1
    more = ", ".join(f"{count} {kind}" for kind, count in others.items() if count)
    tail = f" {sum(others.values())} more: {more}." if more else ""
    raise BarError(
        f"{source} {place} {int(lines[row])}: {first.text(row)}; {RULES[first.kind]} (S3.4, {first.kind}).{tail} "
        "Correct the file, or set `repair` to drop or fix."
    )


def repaired_values(raw: RawBars, repair: Repair) -> tuple[RawBars, Counter[str]]:
    """Return the rows with prices and volumes that keep the rules, and how many were changed or removed, per kind."""
    counts: Counter[str] = Counter()
    bad = np.zeros(len(raw), dtype=bool)
    for finding in value_findings(raw):
        counts[finding.kind] += int(finding.rows.sum())
        if repair == "drop" or finding.kind == "missing":
            bad |= finding.rows
    if repair == "fix" and counts:
        raw = replace(
            raw,
            high=np.maximum(raw.high, np.maximum(raw.open, raw.close)),
            low=np.minimum(raw.low, np.minimum(raw.open, raw.close)),
            volume=np.maximum(raw.volume, 0.0),
        )
    return raw.take(~bad) if bad.any() else raw, counts


def repaired_order(raw: RawBars, time_ns: TimeArray, repair: Repair) -> tuple[RawBars, TimeArray, Counter[str]]:
    """Return the rows in strict order of time, their times, and how many were moved or removed, per kind."""
    counts: Counter[str] = Counter()
    findings = order_findings(time_ns, np.ones(len(raw), dtype=bool))
    if not findings:
        return raw, time_ns, counts
    for finding in findings:
        counts[finding.kind] += int(finding.rows.sum())
    if repair == "drop":
        bad = np.logical_or.reduce([finding.rows for finding in findings])
        rows: NDArray[np.int64] = np.flatnonzero(~bad)
    else:
        rows = np.argsort(time_ns, kind="stable")
        last = np.concatenate((np.diff(time_ns[rows]) > 0, [True]))
        counts["duplicate_time"] = int((~last).sum())
        rows = rows[last]
    return raw.take(rows), time_ns[rows], +counts


def later_of_twice(localised: Localised, repair: Repair) -> tuple[TimeArray, Mask, Counter[str]]:
    """Return moments for wall-clock times, the rows to keep, and counts.

    ``fix`` reads an hour that came twice in the file's own order: the first time through it, until the clock steps
    back, is the earlier one. Times that the clock skipped are removed.
    """
    twice, utc_ns = localised.twice, localised.utc_ns
    counts = Counter({"hour_twice": int(twice.sum()), "hour_skipped": int(localised.missing.sum())})
    keep = ~localised.missing
    if repair == "drop":
        return utc_ns, keep & ~twice, +counts
    stepped_back = np.concatenate(([False], np.diff(utc_ns) <= 0)) & twice
    begins = twice & ~np.concatenate(([False], twice[:-1]))
    # Steps back are counted from where each run of such hours begins: one run a year.
    steps = np.cumsum(stepped_back)
    before_run = np.concatenate(([0], (steps - stepped_back)[begins]))
    second = twice & (steps > before_run[np.cumsum(begins)])
    return np.where(second, localised.later_ns, utc_ns), keep, +counts


def overnight_warning(symbol: str, time_ns: TimeArray, open_: FloatArray, close: FloatArray) -> str | None:
    """Return a sentence about moves of more than 40 % from one date's last close to the next open (S3.4), or None."""
    new_day = np.flatnonzero(np.diff(time_ns // 86_400_000_000_000) > 0)
    before, after = close[new_day], open_[new_day + 1]
    # Halves, so that no difference of two finite prices is too large for a number.
    moved = (before > 0) & (np.abs(after / 2 - before / 2) > 0.2 * before)
    if not moved.any():
        return None
    row = int(np.argmax(moved))
    return (
        f"{symbol}: {int(moved.sum())} overnight moves of more than 40 %, the first from {before[row]:g} to "
        f"{after[row]:g} into {stamp_text(int(time_ns[new_day[row] + 1]))} UTC: prices may not be adjusted for splits; "
        "give `factor_file`, or `use_adjusted_close`"
    )


def _prices(raw: RawBars, row: int) -> str:
    return ", ".join(
        f"{name} is {array[row]:g}" for name, array in _columns(raw).items() if not np.isfinite(array[row])
    )


def _columns(raw: RawBars) -> dict[str, FloatArray]:
    return {"open": raw.open, "high": raw.high, "low": raw.low, "close": raw.close, "volume": raw.volume}


def _contradiction(raw: RawBars, row: int) -> str:
    open_, high, low, close = (float(array[row]) for array in (raw.open, raw.high, raw.low, raw.close))
    if high < max(open_, close):
        name, value = ("open", open_) if open_ >= close else ("close", close)
        return f"high {high:g} is below {name} {value:g}"
    name, value = ("open", open_) if open_ <= close else ("close", close)
    return f"low {low:g} is above {name} {value:g}"
