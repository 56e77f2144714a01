"""Errors of the engine and of what runs on it; the whole tree is drawn in ``data.errors``."""

from collections.abc import Sequence
from dataclasses import dataclass

from data.errors import TriphaseError

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a configuration or with settings.

    Attributes:
        path: keys and list positions from the root, such as ``("assets", 1, "tick_size")``.
        text: what is wrong and what is allowed, without the place.
        where: the place as the user knows it: file and line, or the override's text; empty for plain mappings.
    """

    path: KeyPath
    text: str
    where: str = ""

    def __str__(self) -> str:
        place = f"{self.where} {shown_path(self.path)}".strip().removesuffix(":")
        return f"{place}: {self.text}" if place else self.text


def shown_path(path: KeyPath) -> str:
    """``("assets", 1, "tick_size")`` as ``assets[1].tick_size``."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(parts).removeprefix(".")


class ConfigError(TriphaseError):
    """A configuration key or value is wrong; the text names file, line or key path, value and what is allowed.

    Attributes:
        problems: every problem that was found; a form shows each beside its field.
    """

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> "ConfigError":
        """The error that lists all of ``problems``, one to a line."""
        if len(problems) == 1:
            return cls(str(problems[0]), problems)
        lines = "".join(f"\n  {problem}" for problem in problems)
        return cls(f"{len(problems)} problems:{lines}", problems)

    def __reduce__(self) -> tuple[type["ConfigError"], tuple[str, tuple[Problem, ...]]]:
        return type(self), (str(self), self.problems)


class CatalogError(TriphaseError):
    """A bot, exit, indicator or slippage model is unknown or cannot be loaded."""


class StrategyError(TriphaseError):
    """A bot or exit raised while running; what happened up to there is kept.

    Attributes:
        bar: master bar at which it raised.
        phase: phase at which it raised (0 OPEN, 1 INTRABAR, 2 CLOSE).
    """

    def __init__(self, message: str, bar: int, phase: int) -> None:
        super().__init__(message)
        self.bar = bar
        self.phase = phase

    def __reduce__(self) -> tuple[type["StrategyError"], tuple[str, int, int]]:
        return type(self), (str(self), self.bar, self.phase)


class LookAheadError(TriphaseError):
    """A bot or exit used what it could not know (rulebook S15)."""


class JournalError(TriphaseError):
    """A run folder is damaged, incomplete, or was written by another version."""


class SaveError(TriphaseError):
    """Results could not be written; nothing half-written is left."""
