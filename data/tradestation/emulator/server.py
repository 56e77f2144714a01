"""The emulated service as an HTTP server on the loopback interface: who may ask what, and who answers.

One port serves sign-in (``/authorize``, ``/oauth/token``), version 3 (``/v3/...``) and the search of version 2.
"""

import json
import random
import socket
import ssl
import threading
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from data.tradestation.bars import Interval, parse_time
from data.tradestation.clock import NS, ScaledClock
from data.tradestation.emulator.auth import AuthDesk
from data.tradestation.emulator.book import Book
from data.tradestation.emulator.exchange import Exchange, Refusal, Request
from data.tradestation.emulator.faults import FaultDesk
from data.tradestation.emulator.limits import Windows, category_of
from data.tradestation.emulator.market import Market
from data.tradestation.emulator.routes import Routes
from data.tradestation.emulator.scenario import Fault, FaultKind, Scenario
from data.tradestation.emulator.tape import TapeBar
from data.tradestation.endpoints import Endpoints

_STATUSES = {
    FaultKind.UNAVAILABLE: (503, "emulated outage"),
    FaultKind.UNAUTHORIZED: (401, "emulated: the token is refused"),
    FaultKind.FORBIDDEN: (403, "emulated: no entitlement"),
}


class Emulator:
    """A TradeStation-like service on 127.0.0.1; use it as a context manager.

    Args:
        port: 0 for any that is free; tls: speak HTTPS with this context's certificate.

    Attributes:
        clock: the machine's view of market time; the server's own clock is wrong by ``clock_offset_s``.
        requests: ``METHOD path`` of every request so far, for tests of a client's manners.
    """

    def __init__(self, scenario: Scenario | None = None, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.scenario = Scenario() if scenario is None else scenario
        start_ns = parse_time(self.scenario.start) if self.scenario.start else int(datetime.now(UTC).timestamp()) * NS
        self.clock = ScaledClock(start_ns, self.scenario.rate)
        self.start_ns = start_ns
        self.market = Market(self.scenario, start_ns)
        self.faults = FaultDesk(self.scenario.faults, start_ns, self.clock.now_ns)
        self.windows = Windows(self.scenario.limits, self.now_ns)
        self.auth = AuthDesk(self.scenario.auth, self.now_ns)
        self.book = Book(self.scenario.book, self.market, self.now_ns)
        self.routes = Routes(self)
        self.requests: list[str] = []
        self._closing = threading.Event()
        self._busy = 0
        self._busy_lock = threading.Lock()
        self._idle = threading.Event()
        self._idle.set()
        self._rng = random.Random(self.scenario.seed)
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self._scheme = "http" if tls is None else "https"
        if tls is not None:  # the handshake is the business of each connection's own thread
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._serve, name="emulator", daemon=True)

    # ---------------------------------------------------------------------------------------- control

    def __enter__(self) -> "Emulator":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Serve, in threads of its own."""
        self._thread.start()

    def _serve(self) -> None:
        self._server.serve_forever(0.02)

    def close(self) -> None:
        """End every stream and every thread."""
        self._closing.set()
        self._server.shutdown()
        # Streams say their last chunk first; who reads nothing any more cannot hold the end up for long.
        self._idle.wait(1.0)
        self._server.drop_connections()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Base URL."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    @property
    def endpoints(self) -> Endpoints:
        """What a client is given."""
        return Endpoints.at(self.url)

    def inject(self, fault: Fault) -> None:
        """Script a fault now."""
        self.faults.add(fault)

    def truth(self, symbol: str, interval: Interval, after_ns: int, until_ns: int | None = None) -> list[TapeBar]:
        """The closed bars stamped in (after, until], as known now, corrections included."""
        now_ns = self.now_ns()
        listing = self.market.find(symbol)
        if listing is None:
            raise KeyError(symbol)
        bars = listing.tape.bars(interval, now_ns, after_ns + 1, now_ns if until_ns is None else until_ns)
        return [bar for bar in bars if bar.closed]

    # ------------------------------------------------------------------------------------ for its parts

    def now_ns(self) -> int:
        """Server time."""
        return self.clock.now_ns() + int(self.scenario.clock_offset_s * NS)

    def nap(self, seconds: float) -> bool:
        """Let market time pass, at most a twentieth of a second of the machine's; False once closing."""
        real = min(0.05, self.clock.real_seconds(seconds))
        return not self._closing.wait(max(0.001, real))

    def stream_fault(self, path: str) -> Fault | None:
        """The fault that hits the stream on ``path`` now."""
        return self.faults.for_stream(path)

    def stream_rng(self) -> random.Random:
        """Randomness for one stream's looks."""
        return random.Random(self._rng.random())

    # ---------------------------------------------------------------------------------------- requests

    def handle(self, request: Request, exchange: Exchange) -> None:
        """Answer ``request``."""
        self.requests.append(f"{request.method} {request.path}")
        self._enter(1)
        try:
            if self._struck(request, exchange):
                return
            if request.path.startswith(("/v2/", "/v3/")):
                self.auth.check(request)
                self._count(request)
            self.routes.answer(request, exchange)
        except Refusal as refusal:
            exchange.reply(refusal.status, refusal.body, refusal.headers)
        finally:
            self._enter(-1)

    def _enter(self, change: int) -> None:
        """Count requests under way."""
        with self._busy_lock:
            self._busy += change
            if self._busy:
                self._idle.clear()
            else:
                self._idle.set()

    def _struck(self, request: Request, exchange: Exchange) -> bool:
        """Whether a fault has answered the request."""
        fault = self.faults.for_request(request.path)
        if fault is None:
            return False
        if fault.kind in _STATUSES:
            raise Refusal(*_STATUSES[fault.kind])
        if fault.kind is FaultKind.TOO_MANY:
            headers = {"Retry-After": str(int(fault.seconds))} if fault.retry_after else {}
            raise Refusal(429, "Rate quota exceeded", headers)
        if fault.kind is FaultKind.SLOW_HEADERS:
            self._sleep(fault.seconds)
            return False
        if fault.kind is FaultKind.NOT_JSON:
            exchange.reply(200, "<html>We will be back soon</html>")
        else:
            exchange.reset()
        return True

    def _sleep(self, seconds: float) -> None:
        until = self.clock.monotonic() + seconds
        while self.clock.monotonic() < until and self.nap(seconds):
            continue

    def _count(self, request: Request) -> None:
        category = category_of(request.path)
        if self.scenario.limited and category is not None and not self.windows.admit(category):
            raise Refusal(429, "Rate quota exceeded")


class _Server(ThreadingHTTPServer):
    """Threads that are waited for, connections that can be dropped."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves is no error; anything else is one of ours and is shown."""
        import sys

        if not isinstance(sys.exception(), ConnectionError | ValueError | OSError):
            super().handle_error(request, client_address)

    def drop_connections(self) -> None:
        """End what clients keep open."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            try:
                socket.socket.shutdown(connection, socket.SHUT_RDWR)  # also where it speaks TLS
            except OSError:
                continue  # the client was quicker


def _handler(emulator: Emulator) -> type[BaseHTTPRequestHandler]:
    """A handler class bound to ``emulator``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        server_version = "Emulator/1"

        def _any(self) -> None:
            emulator.handle(_request(self), Exchange(self))

        do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815

        def date_time_string(self, timestamp: float | None = None) -> str:
            return format_datetime(datetime.fromtimestamp(emulator.now_ns() // NS, UTC), usegmt=True)

        def log_message(self, *_: Any) -> None:
            """Said by the caller, if at all."""

    return Handler


def _request(handler: BaseHTTPRequestHandler) -> Request:
    parts = urlsplit(handler.path)
    length = int(handler.headers.get("Content-Length") or 0)
    text = handler.rfile.read(length).decode("utf-8") if length else ""
    kind = handler.headers.get("Content-Type") or ""
    body: Any = dict(parse_qsl(text)) if "urlencoded" in kind else _json(text)
    query = {key.casefold(): value for key, value in parse_qsl(parts.query)}
    return Request(handler.command, unquote(parts.path), query, dict(handler.headers.items()), body)


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None
