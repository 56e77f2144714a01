"""How the cursor moves: speeds, steps by bar, phase and trade, dates, and the conditions on which playing stops."""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from app.charts.cursor import PHASES, Cursor
from app.replay.model import ReplayModel
from engine.kernel.schema import EventKind, Phase, Reason

PRESETS = (1.0, 5.0, 25.0, 100.0, 500.0, 5000.0, float("inf"))  # bars a second
READABLE = 100.0  # bars a second up to which every figure is shown in every frame
JUMPS = (10, 100, 1000)  # bars of rewind and fast-forward


class Condition(Enum):
    """What playing may stop at."""

    FILL = "next fill"
    STOP_HIT = "next stop hit"
    MARGIN_CALL = "margin call"
    DRAWDOWN = "drawdown over"
    DATE = "date"


@dataclass(slots=True)
class PauseRule:
    """A condition, with its limit: a fraction for a drawdown, nanoseconds for a date."""

    condition: Condition
    limit: float = 0.0


class Playback:
    """Moves the cursor of a model.

    Attributes:
        playing: whether time goes on; speed: in bars a second, infinite for as fast as there are bars.
        rules: where it stops; stopped_by: what it stopped at last.
        turn: frames that it has played for.
    """

    def __init__(self, model: ReplayModel) -> None:
        self.model = model
        self.playing, self.speed = False, 25.0
        self.rules: list[PauseRule] = []
        self.stopped_by: Condition | None = None
        self.turn = 0
        self._owed = 0.0

    @property
    def rushing(self) -> bool:
        """Whether more bars go by than anybody can read figures of."""
        return self.playing and self.speed > READABLE

    def play(self, on: bool = True) -> None:
        """Start or stop."""
        self.playing, self.stopped_by, self._owed = on, None, 0.0

    def advance(self, seconds: float, running: bool = False) -> bool:
        """Let time pass; returns whether the cursor moved. With ``running`` it waits at the end for more bars."""
        if not self.playing or seconds <= 0.0:
            return False
        self.turn += 1
        cursors = self.model.cursor_model
        self._owed = min(self._owed + seconds * self.speed, 1e12)
        bars = int(self._owed)
        if bars == 0:
            return False
        self._owed -= bars
        before = cursors.cursor
        target = Cursor(min(before.bar + bars, cursors.length - 1), Phase.CLOSE)
        stop = self._first_stop(before, target)
        place = target if stop is None else stop[0]
        moved = cursors.go(place.bar, place.phase)
        if stop is not None:
            self.playing, self.stopped_by = False, stop[1]
        elif cursors.at_end and not running:
            self.playing = False
        return moved

    def _first_stop(self, before: Cursor, target: Cursor) -> tuple[Cursor, Condition] | None:
        found = [(place, rule.condition) for rule in self.rules if (place := self._stop_of(rule, before, target))]
        return min(found, key=lambda each: each[0]) if found else None

    def _stop_of(self, rule: PauseRule, before: Cursor, target: Cursor) -> Cursor | None:
        """Where a rule stops playing between two cursors (the first excluded)."""
        store = self.model.store
        if rule.condition is Condition.DATE:
            bar = int(np.searchsorted(self.model.facts.market.time_ns, int(rule.limit), side="left"))
            return Cursor(bar, Phase.OPEN) if before < Cursor(bar, Phase.OPEN) <= target else None
        if rule.condition is Condition.DRAWDOWN:
            return self._drawdown_stop(rule.limit, before, target)
        if rule.condition is Condition.MARGIN_CALL:
            events = store.events
            rows = events.rows[events.count(before) : events.count(target)]
            return _first(rows, rows["kind"] == EventKind.MARGIN_CALL)
        rows = store.fills.rows[store.fills.count(before) : store.fills.count(target)]
        wanted = np.ones(len(rows), np.bool_)
        if rule.condition is Condition.STOP_HIT:
            wanted = rows["reason"] == Reason.STOP_LOSS
        return _first(rows, wanted)

    def _drawdown_stop(self, limit: float, before: Cursor, target: Cursor) -> Cursor | None:
        """The first close between two cursors at which the drawdown goes over the limit."""
        equity = self.model.store.equity.rows["equity"]
        first = max(before.known(Phase.CLOSE), 0)
        values = equity[first : target.known(Phase.CLOSE)]
        if not len(values):
            return None
        start = self.model.accounts.peak(first, self.model.facts.initial_cash)
        fall = 1.0 - values / np.maximum(np.maximum.accumulate(values), start)
        earlier = 1.0 - equity[first - 1] / start if first else 0.0
        over = np.flatnonzero((fall > limit) & (np.concatenate(([earlier], fall[:-1])) <= limit))
        return Cursor(first + int(over[0]), Phase.CLOSE) if len(over) else None

    # Steps

    def step_bars(self, bars: int) -> bool:
        """Move by bars, keeping the phase; playing stops."""
        self.playing = False
        return self.model.cursor_model.step_bars(bars)

    def step_phases(self, phases: int) -> bool:
        """Move by phases; playing stops."""
        self.playing = False
        return self.model.cursor_model.step_phases(phases)

    def step_trade(self, direction: int) -> bool:
        """Go to where the next (1) or previous (-1) trade began or ended; playing stops."""
        self.playing = False
        events = self.model.store.events
        marks = np.isin(events.rows["kind"], (EventKind.TRADE_OPENED, EventKind.TRADE_CLOSED))
        keys = np.unique(events.keys[marks])
        here = self.model.cursor.ordinal
        at = int(np.searchsorted(keys, here, side="right" if direction > 0 else "left"))
        at += 0 if direction > 0 else -1
        if not 0 <= at < len(keys):
            return False
        return self.go(Cursor(int(keys[at]) // PHASES, Phase(int(keys[at]) % PHASES)))

    def go(self, cursor: Cursor) -> bool:
        """Go to a place; playing stops."""
        self.playing = False
        return self.model.cursor_model.go(cursor.bar, cursor.phase)

    def go_to_time(self, time_ns: int) -> bool:
        """Go to the OPEN of the first bar at or after a time."""
        bar = int(np.searchsorted(self.model.facts.market.time_ns, time_ns, side="left"))
        return self.go(Cursor(bar, Phase.OPEN))

    def restart(self) -> bool:
        """Go to the first bar's OPEN."""
        return self.go(Cursor(0, Phase.OPEN))


def _first(
    rows: np.ndarray[tuple[int], np.dtype[np.void]], wanted: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> Cursor | None:
    found = np.flatnonzero(wanted)
    if not len(found):
        return None
    row = rows[found[0]]
    return Cursor(int(row["bar"]), Phase(int(row["phase"])))
