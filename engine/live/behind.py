"""What must happen in order but must not hold up the thread that polls: writing to disk, in a thread of its own."""

import logging
import queue
import threading
from collections.abc import Callable

LOG = logging.getLogger(__name__)


class Behind:
    """Runs functions one after another behind the caller's back.

    The thread is no daemon: a program that ends waits until all is written, its window being closed already.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._waiting: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def run(self, what: str, work: Callable[[], object]) -> None:
        """Do ``work`` after all that was given before; ``what``: how the log names it should the disk refuse."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name)
            self._thread.start()

        def guarded() -> None:
            try:
                work()
            except OSError as error:
                LOG.warning("%s: %s", what, error.strerror or error)
            except Exception:  # an error of ours: what waits behind it is written all the same
                LOG.exception("%s", what)

        self._waiting.put(guarded)

    def _work(self) -> None:
        while (work := self._waiting.get()) is not None:
            work()

    def finish(self, seconds: float) -> bool:
        """Take in nothing more; wait so long for what is still to be done, and tell whether it is."""
        if self._thread is None:
            return True
        self._waiting.put(None)
        self._thread.join(seconds)
        return not self._thread.is_alive()
