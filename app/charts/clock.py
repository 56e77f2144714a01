"""When the window draws: one clock, at most one repaint a frame, asleep while nothing changes."""

from collections.abc import Callable
from typing import Protocol

from PyQt6.QtCore import QObject, Qt, QTimer

FRAME_MS = 16


class View(Protocol):
    """Something on the screen that draws from (data, cursor)."""

    def refresh(self) -> None:
        """Repaint if something it shows has changed."""


class FrameClock(QObject):
    """Calls producers (which move cursors and take in data), then lets every view refresh.

    A producer that is registered keeps the clock running; else it runs for the one frame that ``request`` asks for.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._producers: list[Callable[[], None]] = []
        self._views: list[View] = []
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self.tick)

    def add_producer(self, producer: Callable[[], None]) -> None:
        """Call this at the begin of every frame, until it is removed."""
        self._producers.append(producer)
        self._timer.start()

    def remove_producer(self, producer: Callable[[], None]) -> None:
        """Call it no longer; what it did last is still drawn."""
        self._producers.remove(producer)

    def add_view(self, view: View) -> None:
        """Let this refresh in every frame, until it is removed."""
        self._views.append(view)

    def remove_view(self, view: View) -> None:
        """Let it refresh no longer."""
        self._views.remove(view)

    def request(self) -> None:
        """Something has changed: draw the next frame."""
        if not self._timer.isActive():
            self._timer.start()

    def tick(self) -> None:
        """One frame. Called by the timer; a test may call it."""
        for producer in tuple(self._producers):
            producer()
        for view in tuple(self._views):
            view.refresh()
        if not self._producers:
            self._timer.stop()

    def stop(self) -> None:
        """Draw no more frames until asked."""
        self._timer.stop()

    @property
    def running(self) -> bool:
        """Whether a next frame is coming."""
        return self._timer.isActive()
