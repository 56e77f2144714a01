"""How often a panel that is dear to draw is drawn while the run plays: twice a second; at once while it stands."""

import time

SECONDS = 0.5


class Pacing:
    """Decides when a panel's state counts as new."""

    def __init__(self) -> None:
        self._next = 0.0

    def key(self, playing: bool, state: object, drawn: object) -> object:
        """``state`` where it is to be drawn, ``drawn`` where what is drawn will do for now."""
        now = time.monotonic()
        if playing and now < self._next:
            return drawn
        self._next = now + SECONDS
        return state
