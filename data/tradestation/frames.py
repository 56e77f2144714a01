"""What a line of a stream means: a bar, a heartbeat, a farewell, a fault, or nothing that can be used.

Streams are chunked HTTP with one JSON object per line. HTTP chunks are no message boundaries, older servers send plain
text between the objects, and market-data and brokerage streams say good-bye in different shapes.
"""

from dataclasses import dataclass
from typing import Any

from data.json_text import parsed
from data.tradestation.bars import parse_time


class LineSplitter:
    r"""Cuts bytes into lines at ``\n``; keeps what has no end yet, whatever the pieces it arrives in."""

    def __init__(self, max_line: int = 1 << 20) -> None:
        self._rest = bytearray()
        self._max_line = max_line

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that ``data`` completes, without line ends; ValueError where one exceeds the maximum."""
        self._rest += data
        if b"\n" not in data:
            if len(self._rest) > self._max_line:
                raise ValueError(f"a line of more than {self._max_line:,} bytes without an end")
            return []
        *lines, rest = bytes(self._rest).split(b"\n")
        self._rest = bytearray(rest)
        return lines


@dataclass(frozen=True, slots=True)
class Content:
    """An object with figures; ``row`` is the decoded JSON."""

    row: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The stream is idle but alive; ``server_ns`` is the server's time, None where it is not readable."""

    server_ns: int | None


@dataclass(frozen=True, slots=True)
class GoAway:
    """The server closes the stream on purpose: open a new one at once."""


@dataclass(frozen=True, slots=True)
class EndSnapshot:
    """What follows are changes (brokerage streams)."""


@dataclass(frozen=True, slots=True)
class StreamFault:
    """The server reports an error, for the whole stream or, with ``symbol``, for one symbol of it."""

    error: str
    message: str = ""
    symbol: str | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that is no JSON object; shown in the log, never fatal by itself."""

    text: str


Frame = Content | Heartbeat | GoAway | EndSnapshot | StreamFault | Unreadable


def parse_line(line: bytes) -> Frame | None:
    """What ``line`` means; None for a blank one."""
    text = line.decode("utf-8", errors="replace").strip()
    if not text:
        return None
    try:
        row = parsed(text)
    except ValueError:
        return _plain_text(text)
    return _classify(row) if isinstance(row, dict) else Unreadable(text[:200])


def _plain_text(text: str) -> Frame:
    """Older servers' text lines; only entitlement has a meaning of its own."""
    if "NOT_ENTITLED" in text:
        return StreamFault("Forbidden", text[:200])
    return Unreadable(text[:200])


def _classify(row: dict[str, Any]) -> Frame:
    if "Heartbeat" in row:
        return Heartbeat(_server_time(row))
    if "StreamStatus" in row:
        return GoAway() if row["StreamStatus"] == "GoAway" else EndSnapshot()
    if "Error" in row:
        return _fault(row)
    return Content(row)


def _server_time(row: dict[str, Any]) -> int | None:
    try:
        return parse_time(str(row.get("Timestamp")))
    except ValueError:
        return None


def _fault(row: dict[str, Any]) -> Frame:
    error = str(row["Error"])
    if error == "GoAway":
        return GoAway()
    symbol = row.get("Symbol")
    return StreamFault(error, str(row.get("Message") or ""), None if symbol is None else str(symbol))
