"""Decides when bars that were loaded before need not be parsed again: binary copies, mapped into memory.

A copy is named by the digest of the file's content and the load settings. It is written under another name and renamed,
so that none is ever half there; one that is damaged or of another version is ignored, removed and built anew. A copy
never replaces another under its name: what is mapped cannot be replaced on every system.

Reading a file only to know that it has not changed would cost as much as the rest, so the content's digest is
remembered with the file's size, inode and times; it is trusted if it was noted well after the file's last change.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from data.json_text import parsed
from data.series import BarSeries

_MAGIC = b"TRIPHASEBARS\x00\x00\x01\x00"
_HEAD = 32
_ALIGN = 64
_BLOCK = 1 << 15  # words checked at a time
_ARRAYS = ("time_ns", "open", "high", "low", "close", "volume")
# Two changes within this time may leave one time stamp.
_SETTLED_NS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class BarCache:
    """Copies of bars in one folder, which is made when the first is written."""

    folder: Path

    def read(self, digest: str, symbol: str, source: str) -> BarSeries | None:
        """Return the bars with that digest, mapped (changes stay private), or None if there is no good copy."""
        for path in sorted(self.folder.glob(f"{digest}-*.bars")):
            series = _mapped(path, digest, symbol, source)
            if series is not None:
                return series
            _remove(path)
        return None

    def write(self, series: BarSeries) -> None:
        """Keep a copy of the bars; OSError if it cannot be written, and then nothing is left."""
        part = self._part(f"{series.digest}-", _blocks(series))
        part.rename(part.with_suffix(".bars"))

    def known_content(self, file: Path) -> str | None:
        """Return the SHA-256 of a file's content if it was noted and the file has not changed since, else None."""
        note = self._note(file)
        try:
            stated = parsed(note.read_bytes())
            settled = note.stat().st_mtime_ns - file.stat().st_mtime_ns > _SETTLED_NS
            return str(stated["sha256"]) if settled and stated["state"] == _state(file) else None
        except (OSError, ValueError, KeyError, TypeError):
            # No note, or one that cannot be read: the file is read instead.
            return None

    def note_content(self, file: Path, sha256: str) -> None:
        """Remember the SHA-256 of a file's content; OSError if that cannot be written."""
        stated = json.dumps({"state": _state(file), "sha256": sha256})
        self._part("", [stated.encode()]).replace(self._note(file))

    def _part(self, prefix: str, blocks: Iterable[bytes | memoryview]) -> Path:
        """Return a new file with the blocks; OSError if it cannot be written, and then nothing is left."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.folder, prefix=prefix, suffix=".part")
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                for block in blocks:
                    file.write(block)
        except OSError:  # also that of closing, where the last bytes are written
            _remove(part)
            raise
        return part

    def _note(self, file: Path) -> Path:
        return self.folder / f"{hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:32]}.seen"


def _state(file: Path) -> list[int]:
    facts = file.stat()
    return [facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino]


def _blocks(series: BarSeries) -> list[bytes | memoryview]:
    """Return the parts of a copy: magic and header length, header, arrays."""
    arrays = [np.ascontiguousarray(getattr(series, name)) for name in _ARRAYS]
    header = json.dumps(
        {
            "digest": series.digest,
            "bars": len(series),
            "bar_ns": series.bar_ns,
            "warnings": list(series.warnings),
            "repairs": dict(series.repairs),
            "sums": [_sums(array.view(np.uint64)) for array in arrays],
        }
    ).encode()
    padding = b" " * (-(_HEAD + len(header)) % _ALIGN)
    head = _MAGIC + (len(header) + len(padding)).to_bytes(_HEAD - len(_MAGIC), "little")
    return [head, header + padding, *(array.data.cast("B") for array in arrays)]


def _mapped(path: Path, digest: str, symbol: str, source: str) -> BarSeries | None:
    """Return the bars of a copy, or None if anything about it is not as it was written."""
    try:
        header, start = _checked(path, digest)
        n = int(header["bars"])
        whole = np.memmap(path, dtype=np.uint8, mode="c")
        words: NDArray[np.uint64] = np.asarray(whole[start:]).view(np.uint64).reshape(len(_ARRAYS), n)
        prices = {name: words[place].view(np.float64) for place, name in enumerate(_ARRAYS) if place}
        return BarSeries(
            symbol=symbol,
            time_ns=words[0].view(np.int64),
            **prices,
            bar_ns=int(header["bar_ns"]),
            source=source,
            digest=digest,
            warnings=tuple(header["warnings"]),
            repairs=dict(header["repairs"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        # A damaged copy is never an error: the file itself is there to be read.
        return None


def _checked(path: Path, digest: str) -> tuple[dict[str, Any], int]:
    """Header of a copy and where its arrays begin, once all of it has been read; ValueError if it is not as written.

    It is read and not mapped for this: pages that a run never looks at take no memory of it.
    """
    with path.open("rb") as file:
        header, start = _header(file)
        n = int(header["bars"])
        if header["digest"] != digest or path.stat().st_size != start + len(_ARRAYS) * n * 8:
            raise ValueError("a copy of other bars, or part of one")
        sums = [_sums_of_next(file, n) for _ in _ARRAYS]
        if sums != header["sums"]:
            raise ValueError("a copy whose bytes have changed")
    return header, start


def _header(file: BinaryIO) -> tuple[dict[str, Any], int]:
    head = file.read(_HEAD)
    if not head.startswith(_MAGIC) or len(head) < _HEAD:
        raise ValueError("not a copy of bars")
    length = int.from_bytes(head[len(_MAGIC) :], "little")
    return json.loads(file.read(length)), _HEAD + length


def _sums_of_next(file: BinaryIO, words: int) -> list[int]:
    """The checksums of the next 64-bit words of a file, as ``_sums`` gives them."""
    buffer = np.empty(_BLOCK, np.uint64)
    mixed, total = np.uint64(0), np.zeros(1, np.uint64)
    for first in range(0, words, _BLOCK):
        part = buffer[: min(_BLOCK, words - first)]
        if file.readinto(part.data) != part.nbytes:  # type: ignore[attr-defined]  # a buffered reader has it
            raise ValueError("a copy that ends early")
        mixed ^= np.bitwise_xor.reduce(part)
        total += np.add.reduce(part)
    return [int(mixed), int(total[0])]


def _sums(words: NDArray[np.uint64]) -> list[int]:
    """Return two checksums of 64-bit words; they cost a pass over memory each."""
    return [int(np.bitwise_xor.reduce(words)), int(np.add.reduce(words))]


def _remove(path: Path) -> None:
    """Remove a copy that is of no use; where another process still maps it, it stays, and is ignored again."""
    try:
        path.unlink(missing_ok=True)
    except PermissionError:
        return
