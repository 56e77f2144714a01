"""What may be seen: a cursor ``(bar, phase)`` over a run, and the model that moves it (rulebook S4)."""

from dataclasses import dataclass

from engine.kernel.schema import Phase

PHASES = 3


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in a run: master bar and phase, ordered in time.

    ``Cursor(-1, Phase.CLOSE)`` lies before the first bar: nothing is visible.
    """

    bar: int = -1
    phase: Phase = Phase.CLOSE

    def moved(self, phases: int) -> "Cursor":
        """The cursor so many phases later (negative: earlier), not before the start of the run."""
        place = max(self.ordinal + phases, -1)
        return Cursor(place // PHASES, Phase(place % PHASES))

    @property
    def ordinal(self) -> int:
        """Number of the phase, counted from the first bar's OPEN (0)."""
        return self.bar * PHASES + int(self.phase)

    def known(self, since: Phase) -> int:
        """How many bars have reached phase ``since``: values that are set in that phase are known for them."""
        return self.bar + 1 if self.phase >= since else self.bar


class CursorModel:
    """Where the cursor is, between the first bar's OPEN and the last bar that is there yet.

    Views keep the ``revision`` they have drawn and pull when it differs; nothing is pushed.

    Attributes:
        cursor: the place.
        length: master bars that are there; grows while an engine or a feed runs ahead.
        revision: grows with every move.
    """

    def __init__(self, length: int = 0, cursor: Cursor | None = None) -> None:
        self.length = length
        self.revision = 0
        self.cursor = Cursor() if cursor is None else cursor

    def go(self, bar: int, phase: Phase = Phase.CLOSE) -> bool:
        """Move to a bar and phase, held within what is there; tell whether the cursor moved."""
        last = Cursor(self.length - 1, Phase.CLOSE)
        first = Cursor(0, Phase.OPEN) if self.length else last
        target = min(max(Cursor(bar, phase), first), last)
        moved = target != self.cursor
        self.cursor = target
        self.revision += moved
        return moved

    def step_bars(self, bars: int) -> bool:
        """Move by whole bars, keeping the phase."""
        return self.go(self.cursor.bar + bars, self.cursor.phase)

    def step_phases(self, phases: int) -> bool:
        """Move by phases: OPEN, INTRABAR, CLOSE, the next bar's OPEN."""
        target = self.cursor.moved(phases)
        return self.go(target.bar, target.phase)

    def grow(self, length: int) -> None:
        """Take in that more bars are there; the cursor stays."""
        self.length = max(self.length, length)

    @property
    def at_end(self) -> bool:
        """Whether nothing lies beyond the cursor yet."""
        return self.cursor >= Cursor(self.length - 1, Phase.CLOSE)
