"""How bytes travel: one requests session whose sockets can be shut from another thread at once.

``Response.close()`` waits for a reader that waits for bytes, up to the whole read timeout. Shutting the socket down
ends the reader immediately, so every connection made here registers its socket.
"""

import socket
import threading
from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.retry import Retry

from data.errors import NetworkError
from data.tradestation.clock import Clock

RETRY_STATUSES = (502, 503, 504)
# However fast market time runs, a busy machine gets so many real seconds for an answer.
SHORTEST_S = 0.5


class SocketRegister:
    """The open sockets of one transport."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._aborted = False

    def add(self, sock: socket.socket | None) -> None:
        """Remember ``sock``; shut it at once where ``abort`` came first."""
        if sock is None:
            return
        with self._lock:
            self._sockets = [s for s in self._sockets if s.fileno() >= 0]
            self._sockets.append(sock)
            aborted = self._aborted
        if aborted:
            _shut(sock)

    def abort(self) -> None:
        """Shut every socket, also those that are connected later."""
        with self._lock:
            self._aborted = True
            sockets = list(self._sockets)
        for sock in sockets:
            _shut(sock)

    @property
    def aborted(self) -> bool:
        """True once ``abort`` was called."""
        with self._lock:
            return self._aborted


def _shut(sock: socket.socket) -> None:
    # The plain socket's method: the TLS one would drop its state under the reader's feet.
    try:
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        return  # already closed by the other side: nothing is left to shut


def _pools(register: SocketRegister) -> dict[str, Any]:
    """Connection pools whose connections tell ``register`` their socket."""

    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            register.add(self.sock)

    class Secure(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            register.add(self.sock)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


class Transport:
    """HTTP with timeouts, a register of sockets and, for GET, a few retries.

    Args:
        retries: how often a GET is repeated on 502, 503, 504 and broken connections; 0 for streams, which have a
            policy of their own. Requests that change something are never repeated.
        backoff: market seconds before the second repetition; they double.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        connect_timeout: float = 5.0,
        read_timeout: float = 20.0,
        retries: int = 0,
        backoff: float = 0.25,
    ) -> None:
        self._clock = clock
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._register = SocketRegister()
        self._session = requests.Session()
        # Proxies from the environment stay honoured, passwords of a .netrc do not: they would replace our token.
        self._session.auth = _keep_header
        retry = Retry(
            total=retries,
            allowed_methods=frozenset({"GET"}),
            status_forcelist=RETRY_STATUSES,
            backoff_factor=clock.real_seconds(backoff),
            raise_on_status=False,
            # urllib3 would sleep it off, deaf to `abort`; the quota's own wait is ours (`limiter`).
            respect_retry_after_header=False,
        )
        adapter = HTTPAdapter(max_retries=retry)
        adapter.poolmanager.pool_classes_by_scheme = _pools(self._register)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        stream: bool = False,
        read_timeout: float | None = None,
    ) -> requests.Response:
        """The answer, whatever its status; NetworkError where there is none. Timeouts are market seconds."""
        if self._register.aborted:
            raise NetworkError(f"{_place(url)}: the connection is being closed")
        patience = self._read_timeout if read_timeout is None else read_timeout
        try:
            return self._session.request(
                method,
                url,
                headers=dict(headers or {}),
                params=dict(params or {}),
                json=json,
                stream=stream,
                allow_redirects=False,
                timeout=(self._connect_timeout, max(SHORTEST_S, self._clock.real_seconds(patience))),
            )
        except (requests.RequestException, OSError) as error:
            raise NetworkError(f"{_place(url)}: {describe(error)}; check the network, then reconnect") from error

    @property
    def aborted(self) -> bool:
        """True once ``abort`` was called."""
        return self._register.aborted

    def abort(self) -> None:
        """End every request now, from any thread; the transport is of no use afterwards."""
        self._register.abort()

    def close(self) -> None:
        """End idle connections too; call it from the thread that used them."""
        # urllib3 closes a pool's sockets when the pool is collected, which a kept traceback can put off for long.
        self._register.abort()
        self._session.close()


def _keep_header(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _place(url: str) -> str:
    """The URL without its query, which could hold what is nobody's business."""
    return url.split("?", 1)[0]


# Words of the TLS library, and what they mean to whom they stop; the first that occurs counts.
_CERTIFICATE = (
    ("not yet valid", "its certificate is not valid yet: is this machine's clock right?"),
    ("has expired", "its certificate has expired: is this machine's clock right?"),
    ("doesn't match", "its certificate is for another host: somebody else answers in its place"),
    ("mismatch", "its certificate is for another host: somebody else answers in its place"),
    (
        "certificate verify failed",
        "its certificate is signed by nobody trusted here; if your network opens TLS, set REQUESTS_CA_BUNDLE",
    ),
    ("WRONG_VERSION_NUMBER", "the answer is not TLS: something between you and the service, or http for https"),
)


def describe(error: BaseException) -> str:
    """What went wrong with a connection, in plain words."""
    text = str(error)
    if isinstance(error, requests.exceptions.SSLError):
        return next((words for sign, words in _CERTIFICATE if sign in text), "no secure connection could be made")
    if "timed out" in text or isinstance(error, TimeoutError):
        return "no answer in time"
    if "Connection refused" in text or "NewConnectionError" in text or "NameResolution" in text:
        return "cannot be reached"
    if "reset" in text:
        return "the connection was reset"
    return "the connection broke off"
