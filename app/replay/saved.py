"""How a run folder is opened: manifest and tables checked, bars loaded, and what has changed since said."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.replay.facts import RunFacts
from app.replay.rows import Rows
from app.replay.store import JournalStore
from data.json_text import parsed
from engine.config import BacktestConfig
from engine.config.places import Places
from engine.errors import JournalError
from engine.journal import FORMAT, StoredTable, Words, give_back_memory
from engine.kernel import schema
from engine.preparing import prepare
from engine.result import versions

FIELDS: Mapping[str, Mapping[str, str]] = {
    "equity": {},
    "fills": {"lots": "quantity"},
    "trades": {"number": "trade", "max_lots": "quantity"},
    "orders": {"lots": "quantity", "tif": "time_in_force"},
    "events": {"ref": "reference"},
    "margin_calls": {},
    "choices": {f"v{number}": f"value_{number + 1}" for number in range(8)},
}
WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "fills": {"reason": tuple(m.name.lower() for m in schema.Reason)},
    "trades": {"exit_reason": tuple(m.name.lower() for m in schema.ExitReason)},
    "orders": {
        "type": tuple(m.name.lower() for m in schema.OrderType),
        "tif": tuple(m.name.lower() for m in schema.TimeInForce),
        "status": tuple(m.name.lower() for m in schema.OrderStatus),
        "reject": tuple(m.name.lower() for m in schema.Reject),
    },
    "events": {"kind": tuple(m.name.lower() for m in schema.EventKind)},
    "margin_calls": {},
    "choices": {},
}
_SIDES = {"sell": -1, "short": -1, "none": 0, "buy": 1, "long": 1}
_PHASES = tuple(m.name for m in schema.Phase)
_SOURCES = tuple(m.name.lower() for m in schema.Source)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedRun:
    """A run folder, opened.

    Attributes:
        folder: where; manifest: as written; facts: bars and contracts; store: the journal.
        warnings: what differs from when it was run, in sentences.
    """

    folder: Path
    manifest: Mapping[str, Any]
    facts: RunFacts
    store: JournalStore
    warnings: tuple[str, ...]

    @property
    def interventions(self) -> tuple[Mapping[str, Any], ...]:
        """What was done by hand in it."""
        return tuple(self.manifest.get("interventions", ()))


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run folder.

    Raises:
        JournalError: where the folder is none, is incomplete, damaged, or of another format.
    """
    file = folder / "manifest.json"
    try:
        manifest = parsed(file.read_bytes())
    except FileNotFoundError:
        what = "is not a run folder: it has no manifest.json" if folder.is_dir() else "does not exist"
        raise JournalError(f"{folder} {what}; name a folder below runs/") from None
    except (OSError, ValueError) as error:
        raise JournalError(f"{file} cannot be read: {error}; run the backtest again") from None
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise JournalError(f"{file} is not a run's manifest; run the backtest again")
    if manifest["format"] != FORMAT:
        raise JournalError(
            f"{folder} is of journal format {manifest['format']}, this version reads {FORMAT}; run the backtest again"
        )
    return manifest


def config_of(manifest: Mapping[str, Any], folder: Path) -> BacktestConfig:
    """The configuration that a run was made with; relative files begin where they began then."""
    where = manifest.get("folder")
    places = Places(str(folder / "manifest.json"), None if where is None else Path(where), {})
    try:
        return BacktestConfig.placed({"name": manifest["name"]} | dict(manifest["given"]), places)
    except KeyError as missing:
        raise JournalError(f"{folder / 'manifest.json'} lacks {missing}; run the backtest again") from None


def open_run(folder: Path) -> SavedRun:
    """Open a run folder.

    Raises:
        JournalError: where it is damaged or of another version; DataError, ConfigError: where its bars are gone.
    """
    manifest = read_manifest(folder)
    config = config_of(manifest, folder)
    facts = RunFacts(config, prepare(config))
    store = store_of(folder, facts.symbols)
    if store.bars > facts.bars:
        raise JournalError(
            f"{folder} has {store.bars:,} bars of equity, its data files now give {facts.bars:,}; put the files back "
            "as they were, or run the backtest again"
        )
    return SavedRun(folder=folder, manifest=manifest, facts=facts, store=store, warnings=_changes(manifest, facts))


def _changes(manifest: Mapping[str, Any], facts: RunFacts) -> tuple[str, ...]:
    """What is not as it was when the run was made."""
    told = []
    for symbol, data in dict(manifest.get("data", {})).items():
        now = facts.prepared.digests.get(symbol)
        if now != data.get("digest"):
            told.append(f"{symbol}: {data.get('source')} has changed since the run; bars may not fit its fills")
    before, now_versions = dict(manifest.get("versions", {})), dict(versions())
    for name in ("kernel", "machine"):
        if before.get(name) != now_versions[name]:
            told.append(f"{name} {before.get(name)} made this run, this is {now_versions[name]}: results may differ")
    return tuple(told)


def store_of(folder: Path, symbols: tuple[str, ...]) -> JournalStore:
    """The tables of a run folder as the window holds them, read column by column into the place where they stay.

    Raises:
        JournalError: where a table is missing or damaged, a column is missing or a word is unknown.
    """
    store = JournalStore()
    tables: Mapping[str, Rows] = {
        "equity": store.equity,
        "fills": store.fills,
        "trades": store.trades,
        "orders": store.orders,
        "events": store.events,
        "margin_calls": store.calls,
        "choices": store.choices,
    }
    try:
        for name, table in tables.items():
            with StoredTable(folder, name) as stored:
                table.write(0, _records(name, stored, table.rows.dtype, symbols))
                if name == "orders":
                    store.reasons = _reasons(stored.column("reason"))
    except (KeyError, ValueError, TypeError) as error:
        raise JournalError(f"{folder} has tables that cannot be read: {error}; run the backtest again") from None
    store.revision += 1
    give_back_memory()
    return store


def _records(name: str, stored: StoredTable, dtype: np.dtype[Any], symbols: tuple[str, ...]) -> NDArray[Any]:
    rows = np.zeros(stored.rows, dtype)
    for field in dtype.names or ():
        column = FIELDS[name].get(field, field)
        # Equity is whole; of the others the kernel knows more than the journal tells.
        if column in stored.names or name == "equity":
            rows[field] = _codes(name, field, stored.column(column), symbols)
    return rows


def _codes(name: str, field: str, column: Any, symbols: tuple[str, ...]) -> NDArray[Any]:
    """A column as the kernel's codes and numbers."""
    if not isinstance(column, Words):
        return np.asarray(column)
    if field == "side":
        codes = [_SIDES[word] for word in column.names] + [0]
    else:
        known = symbols if field == "symbol" else _PHASES if "phase" in field else WORDS[name].get(field, _SOURCES)
        codes = [*(known.index(word) for word in column.names), -1]
    found: NDArray[Any] = np.array(codes)[column.codes]
    return found


def _reasons(column: Any) -> dict[int, str]:
    return {int(index): column.names[column.codes[index]] for index in np.flatnonzero(column.codes >= 0)}
