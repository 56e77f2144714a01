"""Copies of a run's state at the close of bars, so that going back costs milliseconds and changes no byte (S14)."""

import copy
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from engine.tables import TableState

Part = TypeVar("Part")

EVERY_BARS = 10_000
EVERY_SECONDS = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The state of a run when ``next_bar`` bars have closed.

    Attributes:
        tables: the kernel's tables.
        bot, exit: their own state as plain data; None: unknown to us.
        generators: states of the environment's random generators.
        trades_seen: closed trades that learners have taken in; notes: sentences kept for the report.
    """

    next_bar: int
    tables: TableState
    bot: dict[str, Any] | None
    exit: dict[str, Any] | None
    generators: dict[str, Any]
    trades_seen: int
    notes: int

    @property
    def complete(self) -> bool:
        """Whether bot and exit told their state; if not, only the start of the run can be restored."""
        return self.bot is not None and self.exit is not None


class SnapshotStore:
    """Snapshots of one run, by bar: every 10,000 bars or 40 ms of run time, whichever comes first."""

    def __init__(self, keep: bool) -> None:
        self.keep = keep
        self._bars: list[int] = []
        self._snapshots: list[Snapshot] = []
        self._seconds = 0.0

    def take(self, snapshot: Snapshot) -> None:
        """Keep a snapshot; later ones, of a course that was left, are dropped."""
        at = bisect_right(self._bars, snapshot.next_bar - 1)
        self._bars[at:], self._snapshots[at:] = [snapshot.next_bar], [snapshot]
        self._seconds = 0.0

    def drop_after(self, bars: int) -> None:
        """Drop snapshots at which more than ``bars`` bars have closed: what comes then has changed; the first stays."""
        at = max(bisect_right(self._bars, bars), 1)
        del self._bars[at:], self._snapshots[at:]

    def offer(self, next_bar: int, seconds: float, make: Callable[[], Snapshot]) -> None:
        """Take a snapshot if one is due after another ``seconds`` of run time."""
        self._seconds += seconds
        due = self._seconds >= EVERY_SECONDS or next_bar - self._bars[-1] >= EVERY_BARS
        if self.keep and due and next_bar > self._bars[-1]:
            snapshot = make()
            if snapshot.complete:
                self.take(snapshot)

    def before(self, bar: int) -> Snapshot:
        """The latest snapshot at which at most ``bar`` bars have closed."""
        return self._snapshots[bisect_right(self._bars, bar) - 1]


def copied(part: Part) -> Part | None:
    """A copy with all that it holds; None where Python cannot make one, which whoever asks has to tell."""
    try:
        return copy.deepcopy(part)
    except Exception:  # noqa: BLE001 - of a user's class, which may hold or raise anything
        return None
