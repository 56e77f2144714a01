"""How the window reaches an engine: a thread for compiled runs, a process for bots written in Python."""

import multiprocessing
import queue
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Protocol

from app.engine_link.messages import Broken, Command, Job, Message, Stop
from app.engine_link.worker import work
from engine.preparing import Prepared

WAITING = 64  # messages that may wait for the window before the engine waits for it
PATIENCE = 3.0  # seconds that an engine has to end by itself


class EngineLink(Protocol):
    """An engine beside the window."""

    @property
    def kind(self) -> str:
        """Thread or process."""

    def send(self, command: Command) -> None:
        """Tell the engine; never waits."""

    def messages(self, most: int = WAITING) -> Iterator[Message]:
        """What has arrived; never waits."""

    def close(self) -> None:
        """End the engine, whatever it does."""


def _arrived(arrivals: "queue.Queue[Message]", most: int) -> Iterator[Message]:
    for _ in range(most):
        try:
            yield arrivals.get_nowait()
        except queue.Empty:
            return


class _Hung(Exception):  # noqa: N818 - no error: the window has hung up
    """The window has closed the line."""


class ThreadLine:
    """The engine's end in the same process."""

    shared = True

    def __init__(self) -> None:
        self.commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self.arrivals: queue.Queue[Message] = queue.Queue(WAITING)
        self.closed = threading.Event()

    def send(self, message: Message) -> None:
        while not self.closed.is_set():
            try:
                self.arrivals.put(message, timeout=0.1)
            except queue.Full:
                continue
            return

    def receive(self, wait: bool) -> Command | None:
        if self.closed.is_set():
            return Stop()
        try:
            return self.commands.get(block=wait)
        except queue.Empty:
            return None


class ThreadLink:
    """An engine in a thread: compiled runs release Python's lock while they run."""

    kind = "thread"

    def __init__(self, job: Job, prepared: Prepared | None = None) -> None:
        self._line = ThreadLine()
        self._thread = threading.Thread(target=work, args=(job, self._line, prepared), name="engine", daemon=True)
        self._thread.start()

    def send(self, command: Command) -> None:
        self._line.commands.put(command)

    def messages(self, most: int = WAITING) -> Iterator[Message]:
        return _arrived(self._line.arrivals, most)

    def close(self) -> None:
        self._line.closed.set()
        self._line.commands.put(Stop())
        self._thread.join(PATIENCE)


class ProcessLine:
    """The engine's end in a process of its own."""

    shared = False

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def send(self, message: Message) -> None:
        try:
            self._connection.send(message)
        except (BrokenPipeError, OSError):
            raise _Hung from None

    def receive(self, wait: bool) -> Command | None:
        if not wait and not self._connection.poll():
            return None
        try:
            command: Command = self._connection.recv()
        except (EOFError, OSError):
            return Stop()
        return command


def serve_process(connection: Connection, job: Job) -> None:
    """Main function of the engine's process."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the window's: it ends its engines
    try:
        work(job, ProcessLine(connection))
    except _Hung:
        return


class ProcessLink:
    """An engine in a process of its own: whatever a bot does, the window keeps its frames."""

    kind = "process"

    def __init__(self, job: Job) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        self._process = context.Process(target=serve_process, args=(other, job), name="engine", daemon=True)
        self._process.start()
        other.close()
        self._arrivals: queue.Queue[Message] = queue.Queue(WAITING)
        self._outgoing: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._reader = threading.Thread(target=self._read, name="engine reader", daemon=True)
        self._writer = threading.Thread(target=self._write, name="engine writer", daemon=True)
        self._reader.start()
        self._writer.start()

    @property
    def pid(self) -> int | None:
        """Number of the engine's process."""
        return self._process.pid

    def send(self, command: Command) -> None:
        self._outgoing.put(command)

    def messages(self, most: int = WAITING) -> Iterator[Message]:
        return _arrived(self._arrivals, most)

    def _write(self) -> None:
        while (command := self._outgoing.get()) is not None:
            try:
                self._connection.send(command)
            except OSError:
                return

    def _read(self) -> None:
        while not self._closed.is_set():
            try:
                message: Message = self._connection.recv()
            except (EOFError, OSError):
                break
            self._hand_on(message)
        if not self._closed.is_set():
            self._process.join(PATIENCE)
            self._hand_on(Broken(text=f"the engine's process ended by itself, exit code {self._process.exitcode}"))

    def _hand_on(self, message: Message) -> None:
        while not self._closed.is_set():
            try:
                self._arrivals.put(message, timeout=0.1)
            except queue.Full:
                continue
            return

    def close(self) -> None:
        self._closed.set()
        self._outgoing.put(Stop())
        self._outgoing.put(None)
        self._writer.join(0.2)
        self._process.join(0.3)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(PATIENCE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(PATIENCE)
        self._connection.close()
        self._reader.join(PATIENCE)
        self._process.close()


def start_engine(job: Job, prepared: Prepared | None = None, own_process: bool | None = None) -> EngineLink:
    """An engine for a job: a thread where the compiled drive can run it, else a process.

    Raises:
        ConfigError, CatalogError: where bot or exit cannot be made.
    """
    from app.engine_link.worker import bot_of

    if own_process is None:
        own_process = not bot_of(job).compilable
    return ProcessLink(job) if own_process else ThreadLink(job, prepared)
