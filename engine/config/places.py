"""Where each key of a configuration was written: file and line, or the override that set it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import KeyPath, Problem, shown_path


@dataclass(frozen=True, slots=True)
class Places:
    """Places of keys.

    Attributes:
        source: the file as the user named it; empty for a mapping in memory.
        folder: the file's folder, from which relative data files begin.
        lines: line (from 1) at which each key stands.
        overrides: text of the override that set a key.
    """

    source: str = ""
    folder: Path | None = None
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    overrides: Mapping[KeyPath, str] = field(default_factory=dict)

    def where(self, path: KeyPath) -> str:
        """``configs/x.yaml:12``, or ``override bot.x=1``; a key not written has its section's place."""
        for length in range(len(path), -1, -1):
            prefix = path[:length]
            if prefix in self.overrides:
                return f"override {self.overrides[prefix]}:"
            if prefix in self.lines:
                return f"{self.source}:{self.lines[prefix]}"
        below = [text for key, text in self.overrides.items() if key[: len(path)] == path]
        return f"override {below[0]}:" if below and path else self.source

    def line(self, path: KeyPath) -> int:
        """Line of a key or of the nearest section around it; 0 for what was not written in a file."""
        return next((self.lines[path[:n]] for n in range(len(path), -1, -1) if path[:n] in self.lines), 0)

    def shown(self, path: KeyPath) -> str:
        """Place and key path, to begin an error with."""
        return f"{self.where(path)} {shown_path(path)}".strip()

    def placed(self, problem: Problem) -> Problem:
        """``problem`` with its place."""
        return Problem(problem.path, problem.text, self.where(problem.path))

    def file(self, file: Path | None) -> Path | None:
        """A data file from the configuration's folder."""
        return file if file is None or self.folder is None else self.folder / file
