"""What the window remembers between starts: recent runs, layouts, look, time zone, indicators."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from data.json_text import parsed

RECENT = 12


@dataclass(slots=True)
class Workspace:
    """Remembered things, in a JSON file.

    Attributes:
        file: where; None: nothing is kept.
        recent: run folders and configurations, newest first.
        layouts: name -> state of the window, as text.
        theme, zone: names.
        indicators: what is drawn on charts: name and parameters.
        arrangement: where docks and window stood when the window was closed.
        live: what the live window alone remembers: charts, watch lists, its layout.
        told: what was wrong with the file, empty where nothing was.
    """

    file: Path | None = None
    recent: list[str] = field(default_factory=list)
    layouts: dict[str, str] = field(default_factory=dict)
    theme: str = "dark"
    zone: str = "exchange"
    indicators: list[dict[str, Any]] = field(default_factory=list)
    arrangement: dict[str, Any] = field(default_factory=dict)
    live: dict[str, Any] = field(default_factory=dict)
    told: str = ""

    @classmethod
    def load(cls, file: Path | None) -> "Workspace":
        """Read the file; one that is damaged is set aside and said, never an obstacle."""
        if file is None or not file.exists():
            return cls(file)
        try:
            values = parsed(file.read_bytes())
            return cls(file, *cls._checked(values))
        except (OSError, ValueError, TypeError, KeyError) as error:
            told = (
                f"{file} is damaged ({error}): layouts and recent runs begin anew, the file is kept as {file.name}.bad"
            )
            return cls(file, told=told + _set_aside(file))

    @staticmethod
    def _checked(values: Any) -> tuple[Any, ...]:
        if not isinstance(values, dict):
            raise TypeError("it holds no keys")
        recent = [str(each) for each in list(values.get("recent", []))]
        layouts = {str(name): str(state) for name, state in dict(values.get("layouts", {})).items()}
        indicators = [dict(each) for each in list(values.get("indicators", []))]
        theme, zone = str(values.get("theme", "dark")), str(values.get("zone", "exchange"))
        own = (dict(values.get(name, {})) for name in ("arrangement", "live"))
        return recent, layouts, theme, zone, indicators, *own

    def save(self) -> None:
        """Write the file, whole or not at all.

        Raises:
            OSError: where it cannot be written.
        """
        if self.file is None:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        values = {key: value for key, value in asdict(self).items() if key not in ("file", "told")}
        part = self.file.with_name(f"{self.file.name}.{os.getpid()}.part")
        part.write_text(json.dumps(values, indent=1), encoding="utf-8")
        part.replace(self.file)

    def remember(self, what: str) -> None:
        """Put a run folder or configuration first among the recent ones."""
        self.recent = [what, *(each for each in self.recent if each != what)][:RECENT]


def _set_aside(file: Path) -> str:
    try:
        file.replace(file.with_name(f"{file.name}.bad"))
    except OSError as error:
        return f" (which failed: {error.strerror})"
    return ""
