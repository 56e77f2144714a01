"""What a request looks like to the emulator's parts, and how they answer it."""

import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

TITLES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    429: "TooManyRequests",
    500: "InternalServerError",
    501: "NotImplemented",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}


class Refusal(Exception):  # noqa: N818  (an answer, not a defect)
    """The request is answered with an error status."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, str]:
        """The service's shape of an error."""
        return {"Error": TITLES.get(self.status, "InternalServerError"), "Message": str(self)}


@dataclass(frozen=True, slots=True)
class Request:
    """A request; query keys are lower case, ``body`` the decoded JSON or form."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


class Exchange:
    """The answering side of one request."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self._handler = handler

    def reply(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        """A whole answer: JSON, or text as it is."""
        text = body if isinstance(body, str) else json.dumps(body)
        data = text.encode("utf-8")
        handler = self._handler
        handler.send_response(status)
        handler.send_header("Content-Type", "text/html" if isinstance(body, str) else "application/json")
        handler.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    def redirect(self, url: str) -> None:
        """302 to ``url``."""
        self.reply(302, "", {"Location": url})

    def begin_stream(self, content_type: str) -> None:
        """Headers of a chunked answer."""
        handler = self._handler
        handler.send_response(200)
        handler.send_header("Content-Type", content_type)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.close_connection = True

    def chunk(self, data: bytes) -> None:
        """One chunk; an empty one ends the answer."""
        self._handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def cut(self) -> None:
        """Close the connection without another byte."""
        self._handler.close_connection = True

    def reset(self) -> None:
        """Close it by a TCP reset."""
        handler = self._handler
        handler.close_connection = True
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
