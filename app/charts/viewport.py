"""Which stretch of time is in view: right edge and width in master bars, following the cursor or not."""

from dataclasses import dataclass, field

from app.charts.cursor import Cursor

AIR = 0.045  # share of the width that stays free to the right of the cursor
NARROWEST = 8.0  # bars
USUAL = 160.0  # bars


@dataclass(slots=True)
class Viewport:
    """A stretch of the master timeline; charts that share one are linked.

    Attributes:
        right: place of the right edge, in master bars.
        span: width in master bars.
        unit: master bars in a bar as it is drawn (more than 1 in a longer timeframe).
        follow: keep the cursor at the right edge, less some air.
        fit: show everything from the first bar to the cursor; panning or zooming ends it.
        revision: grows with every change.
    """

    right: float = 0.0
    span: float = USUAL
    unit: float = 1.0
    follow: bool = True
    fit: bool = False
    revision: int = field(default=0)

    def settle(self, cursor: Cursor) -> None:
        """Take in where the cursor is; called once a frame, before anything is drawn."""
        known = float(cursor.bar + 1)
        if self.fit:
            self.span = max(known, NARROWEST * self.unit) * 1.02
            self.right = self.span
        elif self.follow:
            self.right = known + self.span * AIR

    def pan(self, bars: float, cursor: Cursor) -> None:
        """Move by some bars (positive: towards later ones), not beyond half a width from what is known."""
        self.fit = False
        known = cursor.bar + 1
        self.right = min(max(self.right + bars, self.span * 0.1), known + self.span * 0.5)
        self.follow = bars > 0 and self.right >= known
        self.revision += 1

    def zoom(self, factor: float, anchor: float, cursor: Cursor) -> None:
        """Show ``factor`` times as many bars, with the place ``anchor`` kept where it is on the screen."""
        self.fit = False
        widest = max((cursor.bar + 1) * 1.2, USUAL * self.unit, self.span)
        span = min(max(self.span * factor, NARROWEST * self.unit), widest)
        if not self.follow:
            self.right = anchor + (self.right - anchor) * span / self.span
        self.span = span
        self.revision += 1

    def set_unit(self, unit: float) -> None:
        """Draw bars of another length; as many of them stay in view."""
        self.span *= unit / self.unit
        self.unit = unit
        self.revision += 1

    def centre(self, bar: int) -> None:
        """Show a bar in the middle."""
        self.fit = self.follow = False
        self.right = bar + 0.5 + self.span / 2
        self.revision += 1

    def show(self, first: int, last: int) -> None:
        """Show bars ``first`` to ``last``, with some air."""
        self.span = max((last - first + 1) * 1.3, NARROWEST * self.unit)
        self.centre((first + last) // 2)

    def home(self) -> None:
        """Back to following the cursor."""
        self.fit, self.follow = False, True
        self.revision += 1
