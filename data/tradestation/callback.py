"""Where the browser comes back to after signing in: a listener on one of the ports that the service allows."""

import threading
import time
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from data.errors import SignInError

_PAGE = """<!doctype html><meta charset="utf-8"><title>Triphase</title>
<body style="font-family:sans-serif;margin:4em;background:#0b0e14;color:#dbe1ea"><h1>{title}</h1><p>{text}</p>"""
_SILENCE_S = 10.0


class CallbackListener:
    """Waits for one redirect to ``http://localhost:PORT``; use it as a context manager.

    Each connection has a thread of its own: browsers open some ahead of need, on which they say nothing.
    """

    def __init__(self, ports: Sequence[int]) -> None:
        self._answer: dict[str, str] | None = None
        self._arrived = threading.Event()
        self._server = self._bound(ports)
        self._thread = threading.Thread(target=self._serve, name="sign-in listener", daemon=True)

    def _bound(self, ports: Sequence[int]) -> ThreadingHTTPServer:
        handler = _handler(self)
        for port in ports:
            try:
                return ThreadingHTTPServer(("127.0.0.1", port), handler)
            except OSError:
                continue  # taken: the next one that the service allows
        named = ", ".join(map(str, ports))
        raise SignInError(f"none of the ports {named} is free for the sign-in; close what uses one")

    def _serve(self) -> None:
        self._server.serve_forever(0.05)

    def __enter__(self) -> "CallbackListener":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def redirect_uri(self) -> str:
        """What the service is told."""
        return f"http://localhost:{self._server.server_address[1]}"

    def wait(self, state: str, timeout: float, cancel: threading.Event | None = None) -> str:
        """The code; SignInError for a refused consent, another state, or no answer within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while not self._arrived.wait(0.05):
            if cancel is not None and cancel.is_set():
                raise SignInError("the sign-in was cancelled")
            if time.monotonic() > deadline:
                raise SignInError(f"nobody signed in within {timeout:.0f} s; try again")
        answer = self._answer or {}
        if answer.get("state") != state:
            raise SignInError("the sign-in came back with another state than it was sent with; try again")
        if "error" in answer:
            said = answer.get("error_description") or answer["error"]
            raise SignInError(f"the sign-in was refused: {said}")
        return answer["code"]

    def take(self, answer: Mapping[str, str]) -> tuple[str, str]:
        """Keep the first redirect; what the browser shows."""
        if self._answer is None:
            self._answer = dict(answer)
            self._arrived.set()
        if "error" in answer:
            return "Not signed in", "The sign-in was refused. You can close this page."
        return "Signed in", "You can close this page and go back to Triphase."


def _handler(listener: CallbackListener) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _SILENCE_S

        def do_GET(self) -> None:
            answer = dict(parse_qsl(urlsplit(self.path).query))
            if not {"code", "error"} & set(answer):
                self.send_error(404)  # a browser asks for its icon too
                return
            title, text = listener.take(answer)
            page = _PAGE.format(title=title, text=text).encode("utf-8")
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: Any) -> None:
            """Never: the address holds the code."""

    return Handler
