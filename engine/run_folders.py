"""Where runs are saved: folders below the configuration's output folder, named by run and time."""

from datetime import datetime
from pathlib import Path


def new_folder(parent: Path, name: str, now: datetime) -> Path:
    """A folder below ``parent`` that does not exist yet: ``runs/sample_2024-03-08_143000``, then ``..._2``."""
    safe = "".join(character if character.isalnum() or character in "-_." else "_" for character in name)
    first = parent / f"{safe}_{now:%Y-%m-%d_%H%M%S}"
    number, folder = 1, first
    while folder.exists():
        number += 1
        folder = first.with_name(f"{first.name}_{number}")
    return folder
