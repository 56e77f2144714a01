"""Errors of the engine and of what runs on it; the whole tree is drawn in ``data.errors``."""

from data.errors import TriphaseError


class ConfigError(TriphaseError):
    """A configuration key or value is wrong; the text names file, line or key path, value and what is allowed."""


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


class LookAheadError(TriphaseError):
    """A bot or exit used what it could not know (rulebook S15)."""


class JournalError(TriphaseError):
    """A run folder is damaged, incomplete, or was written by another version."""


class SaveError(TriphaseError):
    """Results could not be written; nothing half-written is left."""
