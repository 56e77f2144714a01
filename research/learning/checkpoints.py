"""What an interrupted training leaves, and whether a later one may go on from it: same entries, settings and seed.

A checkpoint holds plain tensors, numbers and text, and is read with ``weights_only``. Training goes on from it exactly
as if it had not been interrupted.
"""

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import ModelError
from data.whole_files import replace_file
from exits.features import feature_hash
from models.store import packed, read_arrays
from research.learning.entries import Entries

_ELSEWHERE = ("device", "threads")  # where it is computed, not what


def checkpoint_path(model: Path) -> Path:
    """The checkpoint of a model that is being trained."""
    return model.with_suffix(".checkpoint.pt")


def identity_of(settings: Any, entries: Entries, seed: int) -> dict[str, Any]:
    """What must be the same for a training to be gone on with; ``settings`` is a dataclass."""
    plain = {name: value for name, value in asdict(settings).items() if name not in _ELSEWHERE}
    identity = {**plain, "seed": seed, **entries_identity(entries)}
    known: dict[str, Any] = json.loads(json.dumps(identity))
    return known


def entries_identity(entries: Entries) -> dict[str, str]:
    """Hashes of the features' list and of what was seen and earned at the entries."""
    digest = hashlib.sha256()
    for array in (entries.symbol, entries.bar, entries.side, entries.x, entries.row, entries.r):
        digest.update(np.ascontiguousarray(array).tobytes())
    return {"features": feature_hash(), "entries": digest.hexdigest()[:16]}


def write_checkpoint(path: Path, identity: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Write tensors, numbers and text whole or not at all."""
    import torch

    buffer = io.BytesIO()
    torch.save({**state, "identity": json.dumps(dict(identity))}, buffer)
    replace_file(path, buffer.getvalue())


def read_checkpoint(path: Path, identity: Mapping[str, Any]) -> dict[str, Any]:
    """The state of an interrupted training.

    Raises:
        ModelError: where the file is damaged, or was left by another training.
    """
    import torch

    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        found = json.loads(state["identity"])
    except Exception as error:  # noqa: BLE001 - torch names the errors of damaged files differently by version
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"{path} is no whole checkpoint: {reason}; train anew, without --resume") from None
    for key, expected in identity.items():
        if found.get(key) != expected:
            raise ModelError(
                f"{path}: the interrupted training had {key} {found.get(key)!r}, this one has {expected!r}; "
                "give the same, or train anew, without --resume"
            )
    return state


class Notes:
    """Arrays that are made one after the other, kept in a file so that an interrupted run need not make them again.

    Args:
        file: where; None keeps nothing. identity: what must be the same for them to be taken over.
        resume: whether to take over what is there.

    Raises:
        ModelError: where the file is damaged, or belongs to something else.
    """

    def __init__(self, file: Path | None, identity: Mapping[str, Any], resume: bool) -> None:
        self.file, self.identity = file, json.dumps(dict(identity), sort_keys=True)
        self.known: dict[str, NDArray[Any]] = {}
        if file is not None and resume and file.exists():
            arrays = read_arrays(file.read_bytes(), file)
            if bytes(arrays.pop("identity", np.empty(0, np.uint8))).decode() != self.identity:
                raise ModelError(f"{file}: was left by a run over other entries or options; begin without --resume")
            self.known = arrays

    def recall(self, key: str, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """The array of that name: the one kept, else made and kept."""
        if key not in self.known:
            self.known[key] = make()
            if self.file is not None:
                whole = {**self.known, "identity": np.frombuffer(self.identity.encode(), np.uint8)}
                replace_file(self.file, packed(whole))
        return self.known[key]

    def forget(self) -> None:
        """All is done: remove the file."""
        if self.file is not None:
            self.file.unlink(missing_ok=True)
