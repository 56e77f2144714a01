"""Who runs the slices: threads of this process, processes that share the bars, or nothing else than this thread.

Every way gives the same rows. A process that dies is replaced; its slice is tried again, then in halves, so that the
one run that kills its process is found, marked, and the others are done.
"""

import multiprocessing
import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import connection, shared_memory
from multiprocessing.connection import Connection
from typing import Protocol, TypeAlias

from research.sweeping.library import Library
from research.sweeping.plan import Plan, Slice
from research.sweeping.rows import Row, failed_row
from research.sweeping.stage import Workplace

TRIES = 2
_AHEAD = 2  # slices given out per worker: one it runs, one that waits


RowLists: TypeAlias = Generator[list[Row], None, None]


class Way(Protocol):
    """Runs slices; rows come in any order of slices, closing the generator ends all that runs."""

    def rows(self, pieces: Iterable[Slice]) -> RowLists:
        """Rows of each slice as it is done."""


class Threads:
    """Threads of this process; compiled batches run beside each other, Python bots in turn."""

    def __init__(self, plan: Plan, library: Library, workers: int) -> None:
        self._place, self._workers = Workplace(plan, library), workers

    def rows(self, pieces: Iterable[Slice]) -> RowLists:
        """Rows of each slice as it is done."""
        left = iter(pieces)
        pool = ThreadPoolExecutor(self._workers)
        try:
            running: set[Future[list[Row]]] = set()
            while True:
                while len(running) < _AHEAD * self._workers and (piece := next(left, None)) is not None:
                    running.add(pool.submit(self._place.run, piece))
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class Losses:
    """What is done about slices whose worker died: once more, then in halves, until the run that kills is found."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._tries: dict[Slice, int] = {}
        self.again: deque[Slice] = deque()

    def lost(self, piece: Slice, why: str) -> list[Row]:
        """Note that ``piece`` was lost; rows of a run that is given up."""
        tries = self._tries[piece] = self._tries.get(piece, 0) + 1
        if tries < TRIES:
            self.again.appendleft(piece)
        elif piece.stop - piece.first > 1:
            middle = (piece.first + piece.stop) // 2
            self.again.appendleft(Slice(piece.cell, middle, piece.stop))
            self.again.appendleft(Slice(piece.cell, piece.first, middle))
        else:
            text = f"what ran it ended {tries} times: {why}"
            return [failed_row(self._plan, index, text) for index in self._plan.indices(piece)]
        return []

    def next(self, left: Iterator[Slice]) -> Slice | None:
        """The next slice to give out; None for no more now."""
        return self.again.popleft() if self.again else next(left, None)


@dataclass
class _Worker:
    """A process, the line to it, and what it was given."""

    process: "multiprocessing.process.BaseProcess"
    line: Connection
    given: deque[Slice] = field(default_factory=deque)


class Processes:
    """Processes on this machine; the bars are one block of memory that all of them map.

    Args:
        workers: how many.
    """

    def __init__(self, plan: Plan, library: Library, workers: int) -> None:
        self._plan, self._library, self._count = plan, library, workers
        self._context = multiprocessing.get_context("spawn")
        self._losses = Losses(plan)

    def rows(self, pieces: Iterable[Slice]) -> RowLists:
        """Rows of each slice as it is done."""
        block = shared_memory.SharedMemory(create=True, size=self._library.size)
        workers: list[_Worker] = []
        try:
            self._library.write_to(_memory(block))
            workers += [self._start(block.name) for _ in range(self._count)]
            yield from self._served(workers, block.name, pieces)
        finally:
            for worker in workers:
                _stop(worker)
            block.close()
            block.unlink()

    def _start(self, block: str) -> _Worker:
        ours, theirs = self._context.Pipe()
        arguments = (theirs, self._plan, self._library.catalogue(), self._library.lengths(), block)
        process = self._context.Process(target=serve, args=arguments, daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def _served(self, workers: list[_Worker], block: str, pieces: Iterable[Slice]) -> Iterator[list[Row]]:
        left = iter(pieces)
        while True:
            for worker in workers:
                while len(worker.given) < _AHEAD and (piece := self._losses.next(left)) is not None:
                    self._give(worker, piece)
            busy = [worker for worker in workers if worker.given]
            if not busy:
                return
            ready = set(connection.wait([worker.line for worker in busy]))
            for position, worker in enumerate(workers):
                if worker.line not in ready:
                    continue
                try:
                    rows = worker.line.recv()
                except (EOFError, OSError):
                    yield from self._lost(worker)
                    workers[position] = self._start(block)
                else:
                    worker.given.popleft()
                    yield rows

    @staticmethod
    def _give(worker: _Worker, piece: Slice) -> None:
        """A process that has died by now is noticed when it is listened to."""
        worker.given.append(piece)
        with suppress(OSError):
            worker.line.send(piece)

    def _lost(self, worker: _Worker) -> Iterator[list[Row]]:
        """What a dead process was given is done again."""
        _stop(worker)
        running, *waiting = worker.given
        self._losses.again.extend(waiting)
        rows = self._losses.lost(running, f"exit code {worker.process.exitcode}")
        if rows:
            yield rows


def serve(line: Connection, plan: Plan, library: Library, lengths: tuple[int, ...], block_name: str) -> None:
    """What a worker process does: maps the bars, runs the slices it is sent, until the line ends."""
    block = shared_memory.SharedMemory(name=block_name)
    try:
        place = Workplace(plan, library.read_from(_memory(block), lengths))
        while True:
            line.send(place.run(line.recv()))
    except (EOFError, OSError, KeyboardInterrupt):
        # The driver is gone or has had enough: whatever is not sent is done again.
        os._exit(0)


def _memory(block: shared_memory.SharedMemory) -> memoryview:
    """The bytes of a block that is open."""
    if block.buf is None:
        raise ValueError(f"shared memory {block.name} is closed")
    return block.buf


def _stop(worker: _Worker) -> None:
    worker.line.close()
    worker.process.terminate()
    worker.process.join()
