"""What was seen live, kept: every closed bar and correction on disk at once, and nothing ever half there (S17.2).

A series is a folder; each UTC day of it a folder of small Parquet parts, one per event or one for all events that came
together, written beside and renamed. When the day is over, or the recorder closes, its parts become one file. Rows are
numbered, so that a crash between the new file's rename and the parts' removal does no harm: the reader takes each
number once.
"""

import logging
import os
import tempfile
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from data.checked_tables import read_checked, write_checked
from data.tradestation.bars import DAY_NS, Interval, LiveBar
from data.tradestation.events import BarClosed, BarCorrected, Event, GapMarked, HistoryLoaded, RolledOver

LOG = logging.getLogger(__name__)
VERSION = b"1"
KINDS = ("history", "bar", "correction", "gap", "roll", "shift")


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What a run made of a bar when it closed.

    Attributes:
        decided: the bot decided at its OPEN.
        open_seen: O as it was seen then; None where there was no decision.
        absent: the symbol had not printed when OPEN ran, so the run took the bar as synthetic (S17.1).
        master_ns: the master bar in which it acted; of an absent one, the last that had opened when it came.
    """

    decided: bool
    open_seen: float | None = None
    absent: bool = False
    master_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that become one file; ``facts`` stand in its head."""

    path: Path
    rows: Sequence[dict[str, Any]]
    facts: dict[str, str]


class Recorder:
    """Writes one series; one recorder per series at a time. What a disk refuses waits, and goes with the next rows.

    Args:
        at_once: every event is on disk when its call returns; else ``parts`` wait for whoever writes several series
            in one step.
    """

    def __init__(self, folder: Path, symbol: str, interval: Interval, *, at_once: bool = True) -> None:
        self._at_once = at_once
        self._waiting: deque[tuple[Path, dict[str, Any]]] = deque()
        self._folder = folder / series_name(symbol, interval)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._symbol = symbol
        self._interval = interval
        self._next = 1 + max((last_number(path) for path in self._folder.glob("*/*.parquet")), default=0)
        self._day: Path | None = None

    # ----------------------------------------------------------------------------------------- writing

    def history(self, event: HistoryLoaded, seen_ns: int, after_ns: int | None = None) -> None:
        """The bars with which a feed begins (or begins anew after a roll): replays need them to warm up.

        ``after_ns``: the last master bar that a run had opened when they came; None before it began.
        """
        facts = {"backfilled": True, "text": event.underlying or "", "master_ns": after_ns}
        rows = [self._row("history", bar, seen_ns, **facts) for bar in event.bars]
        if rows:
            self._write(rows, event.bars[-1].close_ns)

    def bar(self, event: BarClosed, acted: Acted | None = None) -> None:
        """A bar as it was seen when it closed, and what was made of it (None: nobody acts, a viewer)."""
        facts: dict[str, Any] = {"backfilled": event.backfilled, "opened_live": event.opened_live}
        if acted is not None:
            facts |= asdict(acted)
        self._write([self._row("bar", event.bar, event.seen_ns, text=event.reason.value, **facts)], event.bar.close_ns)

    def correction(self, event: BarCorrected, after_ns: int | None = None) -> None:
        """Beside the bar, which stays as it was seen; ``after_ns``: the last master bar that a run had opened."""
        self._write([self._row("correction", event.bar, event.seen_ns, master_ns=after_ns)], event.bar.close_ns)

    def shift(self, gap: float, since_ns: int, now_ns: int, after_ns: int, mid_bar: bool) -> None:
        """All bars that open before ``since_ns`` have prices higher by ``gap`` from now on: a roll (S17.2).

        ``after_ns``: the last master bar that a run had opened; ``mid_bar``: it had not closed.
        """
        row = self._note("shift", now_ns, since_ns, "") | {"open": gap, "master_ns": after_ns, "opened_live": mid_bar}
        self._write([row], now_ns)

    def take(self, event: Event, now_ns: int) -> None:
        """Record ``event`` as a viewer does; moves of the open bar and states are not kept."""
        if isinstance(event, HistoryLoaded):
            self.history(event, now_ns)
        elif isinstance(event, BarClosed):
            self.bar(event)
        elif isinstance(event, BarCorrected):
            self.correction(event)
        elif isinstance(event, GapMarked):
            self._write([self._note("gap", now_ns, event.since_ns, event.reason)], now_ns)
        elif isinstance(event, RolledOver):
            self._write([self._note("roll", now_ns, now_ns, f"{event.before} -> {event.after}")], now_ns)

    # ------------------------------------------------------------------------------------------- parts

    @property
    def waiting(self) -> int:
        """Rows that are not on disk yet."""
        return len(self._waiting)

    def parts(self) -> list[Part]:
        """What waits, as the files that it will be: one a day."""
        facts = {"symbol": self._symbol, "interval": self._interval.label, "version": VERSION.decode()}
        found = []
        for day, group in groupby(self._waiting, key=lambda one: one[0]):
            rows = [row for _, row in group]
            found.append(Part(day / part_name(rows[0]["number"], rows[-1]["number"]), rows, facts))
        return found

    def wrote(self, part: Part) -> None:
        """The first of ``parts`` is on disk."""
        for _ in part.rows:
            self._waiting.popleft()
        day = part.path.parent
        if self._day is not None and day != self._day:
            join_parts(self._day)
        self._day = day

    def close(self) -> None:
        """Make one file of the last day's parts."""
        if self._day is not None:
            join_parts(self._day)

    # ---------------------------------------------------------------------------------------- details

    def _row(self, kind: str, bar: LiveBar, seen_ns: int, **facts: Any) -> dict[str, Any]:
        figures = {"open": bar.open, "high": bar.high, "low": bar.low, "close": bar.close, "volume": bar.volume}
        stamps = {"open_ns": bar.open_ns, "close_ns": bar.close_ns}
        return self._blank(kind, seen_ns) | figures | stamps | {"ticks": bar.ticks} | facts

    def _note(self, kind: str, seen_ns: int, at_ns: int, text: str) -> dict[str, Any]:
        return self._blank(kind, seen_ns) | {"open_ns": at_ns, "close_ns": at_ns, "text": text}

    def _blank(self, kind: str, seen_ns: int) -> dict[str, Any]:
        number, self._next = self._next, self._next + 1
        return dict.fromkeys(_columns()) | {"number": number, "kind": kind, "seen_ns": seen_ns}

    def _write(self, rows: Sequence[dict[str, Any]], at_ns: int) -> None:
        day = self._folder / datetime.fromtimestamp((at_ns - 1) // DAY_NS * 86_400, UTC).strftime("%Y-%m-%d")
        self._waiting.extend((day, row) for row in rows)
        if self._at_once:
            for part in self.parts():
                write_parts([part])
                self.wrote(part)


def series_name(symbol: str, interval: Interval) -> str:
    """The folder of a series; characters that file systems dislike are replaced."""
    safe = "".join(c if c.isalnum() or c in "@.-=" else "_" for c in symbol)
    return f"{safe}_{interval.label}"


def part_name(first: int, last: int) -> str:
    """Name of a file with the rows of these numbers."""
    return f"{first:012d}-{last:012d}.parquet"


def last_number(path: Path) -> int:
    """The highest row number that a file's name tells."""
    return int(path.stem.split("-")[1])


@cache
def _columns() -> tuple[str, ...]:
    return tuple(_schema().names)


@cache
def _schema() -> Any:
    import pyarrow as pa

    numbers = [(name, pa.float64()) for name in ("open", "high", "low", "close", "volume", "open_seen")]
    stamps = [(name, pa.int64()) for name in ("number", "open_ns", "close_ns", "seen_ns", "ticks", "master_ns")]
    flags = [(name, pa.bool_()) for name in ("backfilled", "opened_live", "decided", "absent")]
    return pa.schema([*stamps, ("kind", pa.string()), *numbers, *flags, ("text", pa.string())])


def write_part(path: Path, rows: Sequence[dict[str, Any]], facts: dict[str, str]) -> None:
    """Write ``rows`` to ``path``, whole or not at all, on disk when it returns."""
    write_parts([Part(path, rows, facts)])


def write_parts(parts: Sequence[Part]) -> None:
    """Write files that belong together: each is whole on disk beside its place before the first one is put there."""
    aside: list[Path] = []
    try:
        for part in parts:
            _write_aside(part, aside)
        for part, temporary in zip(parts, aside, strict=True):
            temporary.replace(part.path)
    except BaseException:
        for temporary in aside:
            temporary.unlink(missing_ok=True)
        raise


def _write_aside(part: Part, aside: list[Path]) -> None:
    """Write a part beside its place; the file's name is the last of ``aside`` even where that fails."""
    import pyarrow as pa

    table = pa.Table.from_pylist(list(part.rows), schema=_schema().with_metadata(part.facts))
    part.path.parent.mkdir(exist_ok=True)
    handle, name = tempfile.mkstemp(dir=part.path.parent, suffix=".tmp")
    aside.append(Path(name))
    with os.fdopen(handle, "wb") as file:
        write_checked(table, file)
        file.flush()
        os.fsync(file.fileno())


def compact(day: Path) -> None:
    """One file instead of many; safe to interrupt at any point, and to repeat."""
    import pyarrow.parquet as pq

    parts = sorted(day.glob("*.parquet"))
    if len(parts) < 2:
        return
    facts = {key.decode(): value.decode() for key, value in (pq.read_schema(parts[0]).metadata or {}).items()}
    rows = unique_rows(parts)
    whole = day / part_name(rows[0]["number"], rows[-1]["number"])
    write_part(whole, rows, facts)
    for part in parts:
        if part != whole:
            part.unlink()


def join_parts(day: Path) -> None:
    """``compact``, where it can be done: parts that stay as they are lose nothing, and bars to come matter more."""
    try:
        compact(day)
    except (OSError, ValueError) as error:
        LOG.warning("%s: its parts are not joined: %s", day, error)


def unique_rows(parts: Sequence[Path]) -> list[dict[str, Any]]:
    """Rows of all files in order of their numbers, each number once.

    Raises:
        OSError, ValueError: a file cannot be read, or has other columns than this version writes.
    """
    needed = _schema()
    rows: dict[int, dict[str, Any]] = {}
    for part in parts:
        table = read_checked(part)
        if not table.schema.equals(needed):
            lacking = ", ".join(sorted(set(needed.names) - set(table.schema.names))) or "columns of these types"
            raise ValueError(f"{part.name} lacks {lacking}")
        rows |= {row["number"]: row for row in table.to_pylist()}
    return [rows[number] for number in sorted(rows)]
