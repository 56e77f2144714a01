"""What every panel has: the run it shows, the look, and one refresh a frame that does nothing while nothing changed."""

from datetime import UTC

from PyQt6.QtCore import QPoint, QRect
from PyQt6.QtWidgets import QWidget

from app.charts.ticks import LocalTime
from app.replay.playback import Playback
from app.session import RunSession
from app.theme.tokens import DARK, Theme


class Panel(QWidget):
    """A view of a run at the cursor.

    Attributes:
        session: the run, None while there is none; look: colours; clock: zone of times.
        of_figures: whether it is read rather than looked at: then every second frame will do while bars rush by.
    """

    of_figures = True

    def __init__(self) -> None:
        super().__init__()
        self.session: RunSession | None = None
        self.look: Theme = DARK
        self.clock = LocalTime(UTC, "UTC")
        self._drawn: object = None

    def set_session(self, session: RunSession | None) -> None:
        """Show another run."""
        self.session, self._drawn = session, None
        self.begin()

    def set_look(self, look: Theme, clock: LocalTime) -> None:
        """Other colours, another zone."""
        self.look, self.clock, self._drawn = look, clock, None

    def begin(self) -> None:
        """A run has been opened or closed; a panel that keeps something of it makes it anew."""

    def time(self, bar: int) -> str:
        """When a bar opens: 2024-03-08 14:35."""
        if self.session is None or not 0 <= bar < self.session.facts.bars:
            return ""
        return f"{self.clock.moment(self.session.facts.time_ns(bar)):%Y-%m-%d %H:%M}"

    @property
    def in_sight(self) -> bool:
        """Whether anything of it is to be seen.

        Qt counts a dock behind another one of its tabs as visible, and puts it outside the window. The visible region
        does not tell: it leaves out what opaque children cover, and a chart that fills the panel covers all of it.
        """
        window = self.window()
        if window is None or not self.isVisible():
            return False
        return QRect(self.mapTo(window, QPoint()), self.size()).intersects(window.rect())

    def refresh(self) -> None:
        """Draw what changed; called once a frame."""
        if self.session is None or not self.in_sight or (self.of_figures and _waits(self.session.playback)):
            return
        key = self.key(self.session)
        if key != self._drawn:
            self._drawn = key
            self.show_state(self.session)

    def key(self, session: RunSession) -> object:
        """Differs whenever the panel must draw anew."""
        return session.model.state

    def show_state(self, session: RunSession) -> None:
        """Draw the session's state."""


def _waits(playback: Playback) -> bool:
    """Whether figures are not drawn in this frame: in one of two such frames tables are (``app.panels.activity``)."""
    return playback.rushing and playback.turn % 2 == 1
