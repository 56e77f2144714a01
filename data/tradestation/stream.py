"""One open stream: bytes in, frames out, gone within a moment when told to stop.

A thread reads bytes and puts frames into a bounded inbox. Silence, a broken connection and a clean end all end the
stream with a sentence; what to do about it is decided by the one who reads the inbox.
"""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import requests

from data.errors import LiveDataError, NetworkError
from data.tradestation.clock import Clock
from data.tradestation.frames import Frame, GoAway, LineSplitter, parse_line
from data.tradestation.limiter import Category
from data.tradestation.rest import TradeStationClient
from data.tradestation.transport import Transport, describe

HEARTBEAT_S = 5.0
SILENCE_S = 3.0 * HEARTBEAT_S
STOP_S = 1.0


@dataclass(frozen=True, slots=True)
class Received:
    """A frame and when it came in by our clock."""

    frame: Frame
    received_ns: int


class StreamEndedError(NetworkError):
    """The stream is over.

    Attributes:
        farewell: the server said good-bye: open a new stream at once.
    """

    def __init__(self, message: str, *, farewell: bool = False) -> None:
        super().__init__(message)
        self.farewell = farewell


class Inbox:
    """A bounded queue that, when full, forgets everything and says so: the reader of it fetches anew."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: deque[Received] = deque()
        self._ready = threading.Condition()
        self._overflowed = False
        self._ended: StreamEndedError | None = None

    def put(self, item: Received) -> None:
        """Add ``item``, or mark an overflow."""
        with self._ready:
            if self._overflowed:
                return
            if len(self._items) >= self._capacity:
                self._items.clear()
                self._overflowed = True
            else:
                self._items.append(item)
            self._ready.notify()

    def end(self, error: StreamEndedError) -> None:
        """Nothing more will come, for the reason that ``error`` gives; what is queued stays readable."""
        with self._ready:
            self._ended = error
            self._ready.notify()

    def get(self, real_seconds: float) -> Received | None:
        """The next item; None after ``real_seconds`` or on an overflow; the end's error once all is read."""
        with self._ready:
            if not self._items and self._ended is None and not self._overflowed:
                self._ready.wait(real_seconds)
            if self._items:
                return self._items.popleft()
            if self._ended is not None and not self._overflowed:
                raise self._ended
            return None

    def take_overflow(self) -> bool:
        """True once after an overflow; from then on items are taken in again."""
        with self._ready:
            overflowed, self._overflowed = self._overflowed, False
            return overflowed


class LineStream:
    """A stream of lines, opened by ``open`` in the caller's thread and read by one of its own.

    Args:
        url: full address; what: how errors name it, as ``bar stream of @ES``.
        silence_s: market seconds without a byte after which the connection counts as dead (heartbeats come every 5).
    """

    def __init__(
        self,
        client: TradeStationClient,
        category: Category,
        url: str,
        params: Mapping[str, str],
        *,
        what: str,
        silence_s: float = SILENCE_S,
        capacity: int = 10_000,
    ) -> None:
        self._client = client
        self._category = category
        self._url = url
        self._params = dict(params)
        self._what = what
        self._silence_s = silence_s
        self._clock: Clock = client.clock
        self._transport = Transport(client.clock)
        self._response: requests.Response | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self.inbox = Inbox(capacity)

    def open(self) -> None:
        """Connect and begin to read; raises what stands in the way, as REST calls do."""
        response = self._client.ask(
            self._transport,
            self._category,
            self._url,
            self._params,
            stream=True,
            read_timeout=self._silence_s,
        )
        if response.status_code != 200:
            error = self._refusal(response)
            self._transport.close()
            raise error
        self._response = response
        self._thread = threading.Thread(target=self._read, name=f"{self._what}: reader", daemon=True)
        self._thread.start()

    def _refusal(self, response: requests.Response) -> LiveDataError:
        try:
            return self._client.refusal(response, self._category, self._what)
        except requests.RequestException as error:
            return NetworkError(f"{self._what}: {describe(error)}")

    def abort(self) -> None:
        """End reading and opening at once, from any thread; does not wait."""
        self._stopping.set()
        self._transport.abort()

    def stop(self) -> None:
        """``abort``, then wait for the reader (a moment) and give the connection back."""
        self.abort()
        if self._thread is not None:
            self._thread.join(STOP_S)
        self._transport.close()

    def _read(self) -> None:
        response = self._response
        if response is None:
            return
        try:
            ended = self._read_lines(response)
        except (requests.RequestException, OSError, ValueError, AttributeError) as error:
            # AttributeError and ValueError: urllib3 on a socket that was shut under it.
            ended = StreamEndedError(f"{self._what}: {self._why(error)}")
        finally:
            response.close()
        self.inbox.end(ended)

    def _why(self, error: Exception) -> str:
        words = describe(error)
        if words == "no answer in time":
            return f"no byte for {self._silence_s:.0f} s, not even a heartbeat"
        return words

    def _read_lines(self, response: requests.Response) -> StreamEndedError:
        splitter = LineSplitter()
        for data in response.iter_content(chunk_size=None):
            for line in splitter.feed(data):
                frame = parse_line(line)
                if frame is None:
                    continue
                if isinstance(frame, GoAway):
                    return StreamEndedError(f"{self._what}: the server goes away", farewell=True)
                self.inbox.put(Received(frame, self._clock.now_ns()))
            if self._stopping.is_set():
                break
        return StreamEndedError(f"{self._what}: the server ended the stream")
