"""Requests that must not hold anybody up: each in a thread, its answer handed over in the thread that polls."""

import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from data.errors import TriphaseError

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
        """Do ``work`` in a thread; ``done`` or ``failed`` is called by ``poll``."""

        def do() -> None:
            try:
                answer = work()
            except TriphaseError as error:
                wrong = error
                self._done.put(lambda: failed(wrong))
            else:
                self._done.put(lambda: done(answer))

        threading.Thread(target=do, name=name, daemon=True).start()

    def poll(self) -> None:
        """Hand over what is done."""
        while not self._done.empty():
            self._done.get()()
