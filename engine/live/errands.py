"""Requests that must not hold anybody up: each in a thread, its answer handed over in the thread that polls."""

import logging
import queue
import threading
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from data.errors import TriphaseError
from data.tradestation.tokenstore import redact

LOG = logging.getLogger(__name__)
T = TypeVar("T")


class Errands:
    """Runs functions aside."""

    def __init__(self) -> None:
        self._done: queue.SimpleQueue[Callable[[], Any]] = queue.SimpleQueue()

    def run(
        self,
        name: str,
        work: Callable[[], T],
        done: Callable[[T], object],
        failed: Callable[[TriphaseError], object],
    ) -> None:
        """Do ``work`` in a thread; ``done`` or ``failed`` is called by ``poll``, whatever becomes of it."""

        def do() -> None:
            try:
                answer = work()
            except TriphaseError as error:
                wrong = error
                self._done.put(lambda: failed(wrong))
            except Exception as error:  # noqa: BLE001 - whoever waits for an answer must get one
                LOG.error("%s\n%s", name, redact(traceback.format_exc()))  # noqa: TRY400
                ours = TriphaseError(redact(f"{name}: {type(error).__name__}: {error}; the log has more"))
                self._done.put(lambda: failed(ours))
            else:
                self._done.put(lambda: done(answer))

        threading.Thread(target=do, name=name, daemon=True).start()

    def poll(self) -> None:
        """Hand over what is done."""
        while not self._done.empty():
            self._done.get()()
