"""Which trained model a name means, and whether its files may be trusted: arrays and manifest, checked before use.

A model is two files: ``<name>.npz`` holds plain arrays (never pickled), ``<name>.json`` its manifest: what it is, what
it was trained on, and the hash of the arrays. A model without manifest, with another hash or another format is refused.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import ModelError
from data.json_text import parsed
from data.whole_files import replace_file

FORMAT = 1
FOLDER = Path(__file__).resolve().parent
#: What a manifest must say for the model to be used.
REQUIRED = ("format", "kind", "multiples", "r_unit", "features", "feature_hash", "arrays_sha256")
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Model:
    """A model as it was read.

    Attributes:
        name: as asked for; path: of its arrays.
        manifest: what it is and where it comes from.
        arrays: weights and probes, by name.
    """

    name: str
    path: Path
    manifest: Mapping[str, Any]
    arrays: Arrays

    @property
    def multiples(self) -> tuple[float, ...]:
        """The multiples that it chooses from."""
        return tuple(float(value) for value in self.manifest["multiples"])

    @property
    def identity(self) -> str:
        """Name and hash of the arrays, for states and runs that depend on them."""
        return f"{self.path.stem}:{self.manifest['arrays_sha256'][:16]}"


def model_path(name: str, folder: Path = FOLDER) -> Path:
    """The arrays of a model: a file of that name in the store, or the path of one (``.npz``, ``.json`` or neither)."""
    given = Path(name)
    stem = given.with_suffix("") if given.suffix in (".npz", ".json", ".zip", ".pt") else given
    found = stem if stem.parent != Path() else folder / stem.name
    return found.with_name(f"{found.name}.npz")


def available(folder: Path = FOLDER) -> list[str]:
    """Names of the models in the store."""
    return sorted(path.stem for path in folder.glob("*.npz") if path.with_suffix(".json").exists())


def load_model(name: str, kind: str, feature_hash: str, folder: Path = FOLDER) -> Model:
    """Read a model and check that it is whole, of that kind, and trained on these features.

    Raises:
        ModelError: naming file, what was found and what was expected.
    """
    path = model_path(name, folder)
    manifest = _manifest(path, folder)
    arrays = _arrays(path, str(manifest["arrays_sha256"]))
    if manifest["kind"] != kind:
        raise ModelError(f"{path}: is a model of kind {manifest['kind']!r}, asked for {kind!r}; name another model")
    if manifest["feature_hash"] != feature_hash:
        raise ModelError(
            f"{path}: was trained on feature list {manifest['feature_hash']}, this version computes {feature_hash}; "
            "train it again"
        )
    return Model(name, path, manifest, arrays)


def _manifest(path: Path, folder: Path) -> dict[str, Any]:
    file = path.with_suffix(".json")
    if not path.exists():
        known = ", ".join(available(folder)) or "none"
        raise ModelError(f"{path} does not exist; models in the store: {known}. Train one, or name another")
    if not file.exists():
        raise ModelError(f"{path} has no manifest {file.name} beside it, so nothing says what it is; train it again")
    try:
        manifest = parsed(file.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} cannot be read: {error}; train the model again") from None
    missing = [key for key in REQUIRED if not isinstance(manifest, dict) or key not in manifest]
    if missing:
        raise ModelError(f"{file} lacks {', '.join(missing)}; train the model again")
    if manifest["format"] != FORMAT:
        raise ModelError(f"{file} is of model format {manifest['format']}, this version reads {FORMAT}; train it again")
    checked: dict[str, Any] = manifest
    return checked


def _arrays(path: Path, expected: str) -> Arrays:
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ModelError(
            f"{path} is damaged or was changed: its SHA-256 is {found}, its manifest says {expected}; train it again"
        )
    return read_arrays(content, path)


def read_arrays(content: bytes, path: Path) -> Arrays:
    """Plain arrays of an ``.npz``; nothing is unpickled.

    Raises:
        ModelError: where it is none, or holds objects.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path} is not a file of plain arrays: {error}; make it again") from None


def save_model(path: Path, arrays: Arrays, manifest: Mapping[str, Any]) -> Path:
    """Write arrays and manifest beside each other; the manifest last, each whole or not at all."""
    content = packed(arrays)
    whole = {"format": FORMAT, **manifest, "arrays_sha256": hashlib.sha256(content).hexdigest()}
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, content)
    replace_file(path.with_suffix(".json"), (json.dumps(whole, indent=1) + "\n").encode())
    return path


def packed(arrays: Arrays) -> bytes:
    """Arrays as the bytes of an ``.npz``; the same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: arrays[name] for name in sorted(arrays)})
    return buffer.getvalue()
