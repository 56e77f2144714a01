"""One bridge from the blueprint's signals and other sources to Qt: gathered as they come, handed on once a frame."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from psygnal import SignalInstance
from PyQt6.QtCore import QObject, pyqtSignal

from engine.api import APIInterface

SIGNALS = (
    "bar_updated", "bar_closed", "bar_advanced", "backtest_finished", "order_accepted", "order_filled",
    "order_rejected", "order_cancelled", "order_expired", "order_modified", "stop_moved", "target_moved", "margin_call",
)  # fmt: skip
MOST = 100_000  # payloads that may wait; the oldest are dropped beyond it


@dataclass(frozen=True, slots=True)
class Told:
    """A signal and what it carried."""

    name: str
    payload: object


class FrameBridge(QObject):
    """Gathers from any thread, and hands on in the window's thread.

    Signals:
        arrived: a list of ``Told`` and of what sources gave, at most once a frame.
    """

    arrived = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: deque[Any] = deque(maxlen=MOST)
        self._sources: list[Callable[[], Iterable[Any]]] = []
        self._heard: list[tuple[SignalInstance, Callable[..., None]]] = []

    def listen(self, api: APIInterface) -> None:
        """Gather what an account says: every signal of the interface that it has."""
        for name in SIGNALS:
            signal = getattr(api, name, None)
            if isinstance(signal, SignalInstance):
                hear = self._hearer(name)
                signal.connect(hear)
                self._heard.append((signal, hear))

    def _hearer(self, name: str) -> Callable[..., None]:
        def hear(payload: object) -> None:
            self._waiting.append(Told(name, payload))

        return hear

    def add_source(self, source: Callable[[], Iterable[Any]]) -> None:
        """Ask this once a frame."""
        self._sources.append(source)

    def remove_source(self, source: Callable[[], Iterable[Any]]) -> None:
        """Ask it no longer."""
        self._sources.remove(source)

    def hand_on(self) -> None:
        """Tell Qt what has gathered; called by the frame clock."""
        for source in tuple(self._sources):
            self._waiting.extend(source())
        if not self._waiting:
            return
        batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
        self.arrived.emit(batch)

    def release(self) -> None:
        """Hear nothing any more."""
        for signal, hear in self._heard:
            signal.disconnect(hear)
        self._heard.clear()
        self._sources.clear()
