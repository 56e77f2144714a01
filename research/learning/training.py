"""What the training commands share: one model or one per symbol, what --resume goes on from, and how they end."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data.folder_lock import Hold
from engine.errors import ConfigError
from research.learning.checkpoints import checkpoint_path
from research.learning.ending import exit_code
from research.learning.preparing import Schooling, configuration

_ELSEWHERE = ("device", "threads")


def train_each(given: argparse.Namespace, train: Callable[[argparse.Namespace], bool]) -> int:
    """Train what was asked for; returns the exit code. ``train`` answers False where it was interrupted."""

    def work() -> bool:
        for one in _models(given):
            with _held(one):
                if not train(one):
                    return False
        return True

    return exit_code(work, given.out, " at once; models and checkpoints that are there are whole")


def _held(given: argparse.Namespace) -> Hold:
    """Keep other trainers off the model and its checkpoint; PlaceHeldError where one is at work on them."""
    folder = Path(given.out)
    folder.mkdir(parents=True, exist_ok=True)
    hold = Hold(
        folder / f".{given.name}.lock",
        f"the model {given.name} in {folder}",
        "wait until that has ended, or give another --name or --out",
    )
    if hold.warning:
        print(f"warning: {hold.warning}", file=sys.stderr)
    return hold


def _models(given: argparse.Namespace) -> Iterator[argparse.Namespace]:
    """The options of each model: as given, or one per symbol, named after it."""
    if not given.per_symbol:
        yield given
        return
    for symbol in given.symbols or configuration(given).symbols:
        yield argparse.Namespace(**{**vars(given), "symbols": [symbol], "name": f"{given.name}-{symbol}"})


def model_file(given: argparse.Namespace, suffix: str) -> Path:
    """Where the trainer's own file goes; its folder is made."""
    folder = Path(given.out)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{given.name}{suffix}"


def checked_device(device: str) -> None:
    """Refuse a device that torch does not find.

    Raises:
        ConfigError: with torch's version and the cure.
    """
    import torch

    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError(f"--device {device}: torch {torch.__version__} finds no CUDA device here; take cpu or auto")


def resume_from(given: argparse.Namespace, path: Path) -> Path | None:
    """The checkpoint to go on from; None, and a word about it, where there is none."""
    if not given.resume:
        return None
    checkpoint = checkpoint_path(path)
    if checkpoint.exists():
        return checkpoint
    print(f"{checkpoint} does not exist: {given.name} is trained from the beginning")
    return None


def is_trained(
    given: argparse.Namespace, path: Path, settings: Any, schooling: Schooling, done: str, total: int
) -> bool:
    """Whether ``--resume`` finds the whole model, of the same settings, seed, bars and split.

    ``done``: the key of the manifest's training that counts its steps, of which there are ``total``.
    """
    manifest = _manifest(path.with_suffix(".json"))
    if not given.resume or manifest is None or not path.with_suffix(".npz").exists():
        return False
    training = dict(manifest.get("training", {}))
    if training.pop(done, 0) < total:
        return False
    wanted = {**schooling.facts, "seed": given.seed, "training": asdict(settings)}
    found = {key: manifest.get(key) for key in wanted} | {"training": training | _placed(settings)}
    if found != json.loads(json.dumps(wanted)):
        return False
    print(f"{path.with_suffix('.npz')} is trained already, from the same bars and settings")
    return True


def _placed(settings: Any) -> dict[str, Any]:
    """What may differ between two trainings of the same model."""
    return {name: getattr(settings, name) for name in _ELSEWHERE}


def _manifest(file: Path) -> dict[str, Any] | None:
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) else None
