"""Where results are kept: rows as they come, in small files that are whole or not there, then one table.

A sweep's folder is known by its digest: started again, the same sweep finds what it has done, and only does the rest.
"""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data.checked_tables import read_checked, write_checked
from data.folder_lock import Hold
from data.json_text import parsed
from engine.errors import JournalError, SaveError
from research.sweeping.plan import Plan, Slice
from research.sweeping.rows import Row, table

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 1
RESULTS = "results.parquet"
LOCK = ".lock"
_PARTS = "parts"


def held_folder(folder: Path) -> Hold:
    """Keep other processes out of a sweep's folder; the folder is made where it does not exist.

    Raises:
        PlaceHeldError: where another one is at work there. SaveError: where it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Hold(folder / LOCK, f"the sweep in {folder}", "wait until that has ended, or name another --out")
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> SaveError:
    return SaveError(f"{folder} cannot be written: {error.strerror or error}; name another folder with --out")


class Store:
    """The folder of one sweep; one at a time, see ``held_folder``.

    Args:
        folder: made where it does not exist; must not hold another sweep.
        plan: the sweep.

    Raises:
        JournalError: where the folder holds another sweep, or a damaged one.
        SaveError: where it cannot be written.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder, self.plan = folder, plan
        self._number = 0
        self._open()

    def _open(self) -> None:
        note = self.folder / "sweep.json"
        if note.exists():
            found = _read_note(note)
            if found.get("digest") != self.plan.digest:
                raise JournalError(
                    f"{self.folder} holds the sweep {found.get('name')!r} of other runs, data or versions; name "
                    "another folder with --out, or remove it"
                )
        try:
            (self.folder / _PARTS).mkdir(parents=True, exist_ok=True)
            about = {"format": FORMAT, "name": self.plan.name, "digest": self.plan.digest, "runs": len(self.plan)}
            about |= {"versions": dict(self.plan.versions), "data": dict(self.plan.data)}
            _write_whole(note, json.dumps(about, indent=1, ensure_ascii=False).encode())
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    @property
    def finished(self) -> bool:
        """Whether the table of all results is there."""
        return (self.folder / RESULTS).exists()

    def done(self) -> NDArray[np.bool_]:
        """Per run, whether its row is there, bool[runs]."""
        found = np.zeros(len(self.plan), np.bool_)
        if self.finished:
            found[:] = True
            return found
        for path in self._parts():
            found[self._read(path, ["run"])["run"].to_numpy()] = True
        return found

    def missing(self, size: int) -> Iterator[Slice]:
        """What is still to do, in slices of at most ``size`` runs of one cell."""
        points = len(self.plan.points)
        done = self.done().reshape(-1, points)
        for cell in range(len(done)):
            left = np.flatnonzero(~done[cell])
            for run in np.split(left, np.flatnonzero(np.diff(left) > 1) + 1):
                for first in range(0, len(run), size):
                    part = run[first : first + size]
                    yield Slice(cell, int(part[0]), int(part[-1]) + 1)

    def append(self, rows: Sequence[Row]) -> None:
        """Keep rows; once this returns, they are on disk.

        Raises:
            SaveError: where they cannot be written.
        """
        path = self._next_part()
        _write_table(table(self.plan, rows), path.with_suffix(".part"), path)

    def finish(self) -> "pa.Table":
        """One table of all rows in the order of the runs; the parts are removed once it is written.

        Raises:
            JournalError: where a part is damaged.
            SaveError: where the table cannot be written.
        """
        import pyarrow as pa

        if not self.finished:
            whole = pa.concat_tables([self._read(path, None) for path in self._parts()])
            whole = whole.take(_first_of_each(whole["run"].to_numpy())).combine_chunks()
            path = self.folder / RESULTS
            _write_table(whole, self.folder / f".{RESULTS}.part", path, row_group_size=100_000)
            shutil.rmtree(self.folder / _PARTS, ignore_errors=True)
        return self._read(self.folder / RESULTS, None)

    def _next_part(self) -> Path:
        """A name that no part has yet: process numbers come again."""
        while True:
            self._number += 1
            path = self.folder / _PARTS / f"{self._number:06d}-{os.getpid()}.parquet"
            if not path.exists():
                return path

    def _parts(self) -> list[Path]:
        return sorted((self.folder / _PARTS).glob("*.parquet"))

    def _read(self, path: Path, columns: list[str] | None) -> "pa.Table":
        try:
            return read_checked(path, columns)
        except (OSError, ValueError) as error:
            raise JournalError(
                f"{path} is damaged: {error}; remove that file and start again: its runs are done anew"
            ) from error


def _write_table(rows: "pa.Table", part: Path, path: Path, row_group_size: int | None = None) -> None:
    """Write a table whole or not at all: as ``part`` first, then renamed."""
    try:
        write_checked(rows, part, row_group_size)
        part.replace(path)
    except OSError as error:
        raise SaveError(
            f"{path} cannot be written: {error.strerror or error}; free some space and start again, what is done "
            "is kept"
        ) from error


def _first_of_each(runs: NDArray[Any]) -> NDArray[Any]:
    """Positions that put runs in order, each once: a run that was done twice gave the same row twice."""
    return np.unique(runs, return_index=True)[1]


def _read_note(note: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = parsed(note.read_bytes())
    except (OSError, ValueError) as error:
        raise JournalError(f"{note} is damaged: {error}; remove the folder, or name another with --out") from error
    return found


def _write_whole(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.replace(path)
