"""What is exported: the tables of a course up to the cursor, with words and times, as CSV or Parquet."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.charts.cursor import Cursor
from app.replay.facts import RunFacts
from app.replay.rows import Records
from app.replay.store import JournalStore
from engine.errors import SaveError
from engine.kernel import schema
from engine.kernel.schema import Phase

TABLES = ("equity", "fills", "trades", "orders", "events", "choices")
_WORDS: dict[str, type[Any]] = {
    "phase": schema.Phase,
    "entry_phase": schema.Phase,
    "exit_phase": schema.Phase,
    "placed_phase": schema.Phase,
    "ended_phase": schema.Phase,
    "reason": schema.Reason,
    "exit_reason": schema.ExitReason,
    "source": schema.Source,
    "type": schema.OrderType,
    "tif": schema.TimeInForce,
    "status": schema.OrderStatus,
    "reject": schema.Reject,
    "kind": schema.EventKind,
}
_INSIDE = ("whole", "flatten", "live", "waiting", "figure_a", "figure_b", "figure_c")
_BARS = ("bar", "entry_bar", "exit_bar", "placed_bar", "ended_bar")
Columns = dict[str, NDArray[Any]]


def columns_of(facts: RunFacts, store: JournalStore, table: str, cursor: Cursor) -> Columns:
    """A table up to the cursor as named columns: words for codes, UTC times beside bars."""
    if table == "equity":
        rows = store.equity.rows[: min(cursor.known(Phase.CLOSE), store.bars)]
        bars = np.arange(len(rows), dtype=np.int64)
        return {"bar": bars, "time": _times(facts, bars)} | {n: rows[n] for n in rows.dtype.names or ()}
    rows = getattr(store, table).upto(cursor)
    if table == "orders":
        rows = _as_known(rows, cursor)
    result: Columns = {}
    for name in rows.dtype.names or ():
        if name in _INSIDE:
            continue
        result[name] = _column(facts, name, rows)
        if name in _BARS:
            result[f"{name.removesuffix('bar')}time"] = _times(facts, rows[name].astype(np.int64))
    return result


def _as_known(rows: Records, cursor: Cursor) -> Records:
    """Orders that end beyond the cursor still work there."""
    known = rows.copy()
    later = (known["ended_bar"] >= 0) & (known["ended_bar"] * 3 + known["ended_phase"] > cursor.ordinal)
    for name, value in (("ended_bar", -1), ("ended_phase", -1), ("status", 0), ("reject", 0), ("triggered", 0)):
        known[name][later] = value
    return known


def _column(facts: RunFacts, name: str, rows: Records) -> NDArray[Any]:
    values: NDArray[Any] = rows[name]
    if name == "symbol":
        words: NDArray[Any] = np.array([*facts.symbols, ""], dtype=object)[values]
        return words
    if name not in _WORDS:
        return values
    names = [member.name if _WORDS[name] is schema.Phase else member.name.lower() for member in _WORDS[name]]
    told: NDArray[Any] = np.array([*names, ""], dtype=object)[values]
    return told


def _times(facts: RunFacts, bars: NDArray[np.int64]) -> NDArray[Any]:
    times = facts.market.time_ns[np.maximum(bars, 0)].astype("datetime64[ns]")
    return np.where(bars < 0, np.datetime64("NaT", "ns"), times)


def write_tables(facts: RunFacts, store: JournalStore, cursor: Cursor, folder: Path, kind: str) -> list[Path]:
    """Write every table into a folder, as ``csv`` or ``parquet``; returns the files.

    Raises:
        SaveError: where a file cannot be written.
    """
    files = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for table in TABLES:
            file = folder / f"{table}.{kind}"
            write_columns(columns_of(facts, store, table, cursor), file)
            files.append(file)
    except OSError as error:
        raise SaveError(f"{folder} cannot be written: {error.strerror or error}; choose another folder") from error
    return files


def write_columns(columns: Columns, file: Path) -> None:
    """Write one table, by the file's ending."""
    if file.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table({name: pa.array(values) for name, values in columns.items()}), file)
        return
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(columns)
        writer.writerows(zip(*(_texts(values) for values in columns.values()), strict=True))


def _texts(values: NDArray[Any]) -> list[Any]:
    if values.dtype.kind == "M":
        seconds: list[Any] = np.datetime_as_string(values, unit="s").tolist()
        return ["" if text == "NaT" else f"{text}Z" for text in seconds]
    if values.dtype.kind == "f":
        return ["" if value != value else repr(value) for value in values.tolist()]
    plain: list[Any] = values.tolist()
    return plain
