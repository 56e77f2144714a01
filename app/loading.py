"""How runs are loaded without holding the window up: in a thread, the outcome taken in by a later frame."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from data.errors import TriphaseError

T = TypeVar("T")


class Loading(Generic[T]):
    """Something that is loaded in the background.

    Attributes:
        done: whether it has ended; error: what went wrong, in words, None where nothing did.
    """

    def __init__(self, load: Callable[[], T]) -> None:
        self._load = load
        self.result: T | None = None
        self.error: str | None = None
        self._thread = threading.Thread(target=self._run, name="loading", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.result = self._load()
        except TriphaseError as error:
            self.error = str(error)
        except Exception as raised:  # noqa: BLE001 - the window must hear of anything, and live on
            self.error = f"{type(raised).__name__}: {raised}"

    @property
    def done(self) -> bool:
        """Whether there is a result or an error."""
        return not self._thread.is_alive()

    def wait(self) -> None:
        """Let it end: before the window closes."""
        self._thread.join()
