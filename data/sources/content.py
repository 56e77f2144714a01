"""Decides whether a file can be read at all: there, not empty, whole if compressed, text in a known encoding."""

import gzip
import zlib
from pathlib import Path

from data.errors import SourceError

_GZIP = b"\x1f\x8b"
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def read_file(path: Path) -> bytes:
    """Return a file's bytes as they are on disk; SourceError if it is missing, a folder, unreadable or empty."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as missing:
        raise SourceError(f"{path}: there is no such file; check `file` in the configuration") from missing
    except OSError as refused:
        raise SourceError(
            f"{path}: cannot be read ({refused.strerror}); check the path and its permissions"
        ) from refused
    if not content or content.isspace():
        raise SourceError(f"{path}: the file is empty; export it again")
    return content


def as_text(content: bytes, path: Path) -> bytes:
    """Return UTF-8 text without a byte order mark, unpacked if it is gzip; SourceError if it is damaged."""
    if content.startswith(_GZIP):
        content = _unpacked(content, path)
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return _decoded(content, encoding, path).encode()
    _decoded(content[:4096].rpartition(b"\n")[0], "utf-8", path)
    return content


def text_lines(content: bytes, path: Path) -> list[str]:
    """Return the lines of UTF-8 text as an editor counts them; the last is empty if the text ends with a line end."""
    text = _decoded(content, "utf-8", path)
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _unpacked(content: bytes, path: Path) -> bytes:
    try:
        unpacked = gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as damaged:
        raise SourceError(
            f"{path}: the gzip data ends early or is damaged ({damaged}); get the file again"
        ) from damaged
    if not unpacked or unpacked.isspace():
        raise SourceError(f"{path}: the file is empty once unpacked; export it again")
    return unpacked


def _decoded(content: bytes, encoding: str, path: Path) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as wrong:
        line = content.count(b"\n", 0, wrong.start) + 1
        raise SourceError(
            f"{path} line {line}: byte 0x{content[wrong.start]:02x} is not {encoding} text; "
            "save the file as UTF-8, or check that it is a table of bars"
        ) from wrong
