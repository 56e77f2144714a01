"""Who runs the slices: threads of this process, processes that share the bars, or nothing else than this thread.

Every way gives the same rows. A process that dies is replaced; its slice is tried again, then in halves, so that the
one run that kills its process is found, marked, and the others are done.
"""

import gc
import multiprocessing
import os
import shutil
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing import connection, shared_memory
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Generic, Protocol, TypeAlias, TypeVar

from engine.errors import ConfigError
from research.sweeping.library import Library, Placed, layout, mapped, write
from research.sweeping.plan import Plan, Slice
from research.sweeping.rows import Row, failed_row
from research.sweeping.stage import Workplace

TRIES = 2
_SHARED_MEMORY = Path("/dev/shm")
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


Symbols: TypeAlias = tuple[str, ...]
Held = TypeVar("Held")


class Groups(Generic[Held]):
    """What the slices under way need of the bars: made when a group of symbols begins, dropped once it is done.

    Cells of the same symbols follow each other, so that one or two groups are held at a time, however many there are.

    Args:
        make: makes what is held for a group; drop: ends it.
    """

    def __init__(self, plan: Plan, make: Callable[[Symbols], Held], drop: Callable[[Held], None]) -> None:
        self._plan, self._make, self._drop = plan, make, drop
        self._held: dict[Symbols, Held] = {}
        self._latest: Symbols | None = None

    def of(self, piece: Slice) -> Held:
        """What a slice needs."""
        symbols = self._latest = self._plan.cells[piece.cell].symbols
        if symbols not in self._held:
            self._held[symbols] = self._make(symbols)
        return self._held[symbols]

    def keep(self, under_way: Iterable[Slice]) -> None:
        """Drop what neither these slices need nor the one that was asked about last."""
        wanted = {self._plan.cells[piece.cell].symbols for piece in under_way} | {self._latest}
        for symbols in [held for held in self._held if held not in wanted]:
            self._drop(self._held.pop(symbols))

    def end(self) -> None:
        """Drop everything."""
        self._latest = None
        self.keep(())


@dataclass(frozen=True, slots=True)
class Shared:
    """A group's arrays in a block of memory, and what has to be known to map them.

    Attributes:
        block: the driver's handle, None in what is sent.
    """

    name: str
    places: tuple[Placed, ...]
    catalogue: Library
    block: shared_memory.SharedMemory | None = None

    def drop(self) -> None:
        """Give the memory back; processes that still map it keep it until they let go."""
        if self.block is not None:
            self.block.close()
            self.block.unlink()


def share(library: Library) -> Shared:
    """Copy a group's arrays into a block of memory that others can map.

    Raises:
        ConfigError: where there is no room for it.
    """
    arrays = library.arrays()
    places, size = layout(arrays)
    free = free_shared_bytes()
    if free is not None and size > free:
        names = ", ".join(dict.fromkeys(book.settings.symbol for book in library.books))
        raise ConfigError(
            f"the bars of {names} take {size / 2**20:,.1f} MiB of shared memory, {_SHARED_MEMORY} has "
            f"{free / 2**20:,.1f} MiB free; give it more, or leave --workers out: threads need none"
        )
    block = shared_memory.SharedMemory(create=True, size=size)
    write(_memory(block), places, arrays)
    return Shared(block.name, places, library.catalogue(), block)


def free_shared_bytes() -> int | None:
    """Room for blocks of shared memory; None where the system refuses by itself what it has no room for.

    Linux does not: it takes the block, and kills whoever writes to the part that there is no memory for.
    """
    return shutil.disk_usage(_SHARED_MEMORY).free if _SHARED_MEMORY.is_dir() else None


@dataclass
class _Worker:
    """A process, the line to it, what it was given, and the block that it maps."""

    process: "multiprocessing.process.BaseProcess"
    line: Connection
    given: deque[Slice] = field(default_factory=deque)
    block: str = ""


class Processes:
    """Processes on this machine; a group's bars, in prices and in ticks, are one block that all of them map.

    Args:
        workers: how many.
    """

    def __init__(self, plan: Plan, library: Library, workers: int) -> None:
        self._plan, self._count = plan, workers
        self._context = multiprocessing.get_context("spawn")
        self._losses = Losses(plan)
        self._groups = Groups(plan, lambda symbols: share(library.of_group(plan, symbols)), Shared.drop)

    def rows(self, pieces: Iterable[Slice]) -> RowLists:
        """Rows of each slice as it is done."""
        workers: list[_Worker] = []
        try:
            workers += [self._start() for _ in range(self._count)]
            yield from self._served(workers, pieces)
        finally:
            for worker in workers:
                _stop(worker)
            self._groups.end()

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=serve, args=(theirs, self._plan), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def _served(self, workers: list[_Worker], pieces: Iterable[Slice]) -> Iterator[list[Row]]:
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
                    workers[position] = self._start()
                else:
                    worker.given.popleft()
                    yield rows
            self._groups.keep(piece for worker in workers for piece in worker.given)

    def _give(self, worker: _Worker, piece: Slice) -> None:
        """Send a slice, and where its bars are if they are others than before; a dead process is noticed later."""
        shared = self._groups.of(piece)
        told = None if worker.block == shared.name else replace(shared, block=None)
        worker.given.append(piece)
        worker.block = shared.name
        with suppress(OSError):
            worker.line.send((piece, told))

    def _lost(self, worker: _Worker) -> Iterator[list[Row]]:
        """What a dead process was given is done again."""
        _stop(worker)
        running, *waiting = worker.given
        self._losses.again.extend(waiting)
        rows = self._losses.lost(running, f"exit code {worker.process.exitcode}")
        if rows:
            yield rows


def serve(line: Connection, plan: Plan) -> None:
    """What a worker process does: maps the bars of a group, runs the slices it is sent, until the line ends."""
    place, maps = Workplace(plan, Library(())), Maps()
    try:
        while True:
            piece, told = line.recv()
            if told is not None:
                place.use(Library(()))
                place.use(maps.library(told))
            line.send(place.run(piece))
    except (EOFError, OSError, KeyboardInterrupt):
        # The driver is gone or has had enough: whatever is not sent is done again.
        os._exit(0)


class Maps:
    """The block that a process maps; one before is let go as soon as nothing looks into it any more."""

    def __init__(self) -> None:
        self._open: list[shared_memory.SharedMemory] = []

    def library(self, told: Shared) -> Library:
        """The bars of a group, on memory that all processes share."""
        gc.collect()
        self._open = [block for block in self._open if not _closed(block)]
        self._open.append(shared_memory.SharedMemory(name=told.name))
        return told.catalogue.filled(mapped(_memory(self._open[-1]), told.places))


def _closed(block: shared_memory.SharedMemory) -> bool:
    """Whether a block could be let go; not while an array still lies in it."""
    try:
        block.close()
    except BufferError:
        return False
    return True


def _memory(block: shared_memory.SharedMemory) -> memoryview:
    """The bytes of a block that is open."""
    if block.buf is None:
        raise ValueError(f"shared memory {block.name} is closed")
    return block.buf


def _stop(worker: _Worker) -> None:
    worker.line.close()
    worker.process.terminate()
    worker.process.join()
