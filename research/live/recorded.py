"""A recorded account once more, headless, compared with the journal that it left (S17.3)."""

import hashlib
from functools import partial
from pathlib import Path

from bots.catalog import make_bot
from data.errors import SourceError
from data.instruments import Instrument
from engine.config import BacktestConfig
from engine.journal import TABLES, Journal, Words, journal_of
from engine.live import LiveSection
from engine.live.session import INSTRUMENTS, JOURNAL, read_instruments
from engine.paper import replay

SAME, DIFFERS = 0, 3


def replay_and_compare(folder: Path, config: BacktestConfig, live: LiveSection) -> int:
    """Replay the account in ``folder``, write its journal beside the live one, and say whether they are the same.

    Raises:
        SourceError: the folder holds no account. ConfigError: it belongs to another configuration.
    """
    instruments = _instruments(folder)
    run = replay(folder, config, instruments, live.interval, partial(make_bot, config.bot, config.exit))
    journal = journal_of(run.engine, run.next_bar)
    target = folder / "replayed"
    target.mkdir(exist_ok=True)
    journal.write(target)
    counts = ", ".join(f"{len(next(iter(journal.tables[name].values())))} {name}" for name in TABLES)
    print(f"replayed {run.next_bar} bars: {counts}; journal in {target}")
    if not (folder / JOURNAL).is_dir():
        print("the account left no journal to compare with: it was not stopped cleanly")
        return SAME
    different = differences(Journal.read(folder / JOURNAL), Journal.read(target))
    print("the same, byte for byte" if not different else f"DIFFERENT: {', '.join(different)}")
    return DIFFERS if different else SAME


def _instruments(folder: Path) -> list[Instrument]:
    found = read_instruments(folder)
    if found is None:
        raise SourceError(f"{folder} holds no account: {INSTRUMENTS} is missing; give the folder of a paper account")
    return found


def differences(one: Journal, other: Journal) -> list[str]:
    """Columns, as table.column, whose bytes differ."""
    return [
        f"{table}.{column}"
        for table, columns in one.tables.items()
        for column in columns
        if _digest(one, table, column) != _digest(other, table, column)
    ]


def _digest(journal: Journal, table: str, column: str) -> str:
    values = journal.tables[table][column]
    if isinstance(values, Words):
        return hashlib.sha256(repr(values.array().tolist()).encode()).hexdigest()
    return hashlib.sha256(values.tobytes()).hexdigest()
