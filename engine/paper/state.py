"""A paper account on disk: all that a restart needs to go on with the same bytes, in one file, whole or not at all.

The bars are not in it: the recording has them. Arrays are read without pickle; a file of another version, or of another
configuration, is refused with the cure.
"""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import SourceError
from data.whole_files import PRIVATE, replace_file
from engine.errors import ConfigError
from engine.kernel.schema import Phase
from engine.kernel.state import ACCOUNT
from engine.paper.plain import from_text, to_text
from engine.paper.run import PaperRun
from engine.tables import GROWING_TABLES

FORMAT = 1
FIXED = ("account", "symbols", "gates")
FILE = "state.npz"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedState:
    """What was read from a state file.

    Attributes:
        last_ns: the last master bar that the account had opened; ``opens``: of the bar under way, None between bars.
        decided: whether the bot had decided in the bar under way.
        complete: whether bot and exit told their state; if not, only a replay from the start restores them.
    """

    last_ns: int
    opens: dict[str, tuple[int, float]] | None
    decided: bool
    complete: bool
    facts: Mapping[str, Any]
    tables: Mapping[str, NDArray[Any]]


def save_state(folder: Path, run: PaperRun) -> None:
    """Write the account's state; OSError where the disk refuses."""
    tables = run.engine.tables
    arrays = {name: tables.rows(name) for name in GROWING_TABLES if name != "links"}
    arrays["links"] = tables.links[: tables.count("orders")]
    arrays |= {name: getattr(tables, name) for name in FIXED}
    arrays["equity"] = tables.equity[: len(run.bars)]
    arrays["facts"] = np.frombuffer(to_text(_facts(run)).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    replace_file(folder / FILE, buffer.getbuffer(), durable=True, mode=PRIVATE)


def _facts(run: PaperRun) -> dict[str, Any]:
    bot, exit_state = run.bot.get_state(), run.bot.exit.get_state()
    return {
        "format": FORMAT,
        "config": run.config.hash(),
        "last_ns": run.bars.last_ns,
        "opens": run.opens if run.is_open else None,
        "decided": run.decided,
        "bot": bot,
        "exit": exit_state,
        "generators": run.env.generator_states(),
        "trades_seen": run.trades_seen,
        "actions_taken": run.actions_taken,
        "added_ns": run.added_ns,
        "shifts_taken": run.shifts_taken,
        "interventions": [dict(action) for given in run.interventions.values() for action in given],
        "notes": run.engine.notes,
        "status": run.status,
        "error": None if run.error is None else [str(run.error), run.error.bar, run.error.phase],
        "unknown": {str(key): name for key, name in run.engine.unknown_names.items()},
    }


def has_state(folder: Path) -> bool:
    """Whether an account has left its state there."""
    return (folder / FILE).is_file()


def read_state(folder: Path, config_hash: str) -> SavedState | None:
    """The state in ``folder``; None where there is none.

    Raises:
        SourceError: the file is damaged or of another version.
        ConfigError: it belongs to another configuration.
    """
    if not has_state(folder):
        return None
    path = folder / FILE
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
            arrays = {name: saved[name] for name in saved.files}
        facts = from_text(bytes(arrays.pop("facts")).decode())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise SourceError(
            f"{path} cannot be read: {error}; remove it: the account is then rebuilt from its recording"
        ) from error
    if facts["format"] != FORMAT:
        raise SourceError(f"{path} is of format {facts['format']}, this version reads {FORMAT}; remove it to rebuild")
    if facts["config"] != config_hash:
        raise ConfigError(
            f"{path} belongs to another configuration (account, symbols, bot or exit differ); go on with that one, or "
            "give another --folder for a new account"
        )
    opens = facts["opens"]
    return SavedState(
        last_ns=int(facts["last_ns"]),
        opens=None if opens is None else {symbol: (int(own), float(price)) for symbol, (own, price) in opens.items()},
        decided=bool(facts["decided"]),
        complete=facts["bot"] is not None and facts["exit"] is not None,
        facts=facts,
        tables=arrays,
    )


def restore_state(run: PaperRun, state: SavedState) -> None:
    """Put the account where the state was taken; ``run`` holds the same bars, and nothing has acted on them.

    Raises:
        SourceError: a table has other columns than this version's, or the recording lacks bars.
    """
    bars = len(state.tables["equity"])
    if bars != len(run.bars):
        raise SourceError(
            f"{FILE} was saved at {bars} bars, the recording beside it has {len(run.bars)} of them; bring the missing "
            f"parts of the recording back, or remove {FILE} to rebuild the account from what there is"
        )
    _restore_tables(run, state.tables)
    facts, engine = state.facts, run.engine
    engine.stands_at(len(run.bars) - 1, Phase(int(engine.tables.account["phase"][0])))
    engine.events_seen = engine.tables.count("events")
    engine.notes[:] = facts["notes"]
    engine.unknown_names.update({int(key): name for key, name in facts["unknown"].items()})
    run.resume(state.opens, state.decided, int(facts["trades_seen"]))
    run.actions_taken, run.added_ns = int(facts["actions_taken"]), [int(time_ns) for time_ns in facts["added_ns"]]
    run.shifts_taken = dict(facts.get("shifts_taken", {}))  # older states have none
    for action in facts["interventions"]:
        run.interventions.setdefault((int(action["bar"]), Phase.CLOSE), []).append(action)
    if facts["bot"] is not None:
        run.bot.set_state(facts["bot"])
    if facts["exit"] is not None:
        run.bot.exit.set_state(facts["exit"])
    run.env.set_generator_states(facts["generators"])
    if facts["error"] is not None:
        run.failed(*facts["error"])


def _restore_tables(run: PaperRun, saved: Mapping[str, NDArray[Any]]) -> None:
    tables = run.engine.tables
    for name in (*GROWING_TABLES, *FIXED, "equity"):
        if saved[name].dtype != getattr(tables, name).dtype:
            raise SourceError(f"the saved table {name} has other columns than this version's; remove {FILE} to rebuild")
    addresses = {name: tables.account[0][name] for name in ACCOUNT.names or () if name.endswith("_a")}
    for name in FIXED:
        getattr(tables, name)[...] = saved[name]
    for name, address in addresses.items():
        tables.account[0][name] = address
    for name in GROWING_TABLES:
        table = np.zeros(max(1024, 2 * len(saved["links" if name == "links" else name])), saved[name].dtype)
        table[: len(saved[name])] = saved[name]
        setattr(tables, name, table)
    tables.equity[: len(saved["equity"])] = saved["equity"]
    tables.tell_addresses()
