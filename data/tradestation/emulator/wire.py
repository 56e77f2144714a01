"""How a stream's objects look as bytes: lines, chunks, and everything a parser must bear."""

import itertools
import json
import random
from collections.abc import Sequence
from typing import Any

from data.tradestation.emulator.exchange import Exchange
from data.tradestation.emulator.scenario import Chunking, Framing


class Wire:
    """Writes one stream's objects the way the scenario wants them."""

    def __init__(self, exchange: Exchange, framing: Framing, rng: random.Random) -> None:
        self._exchange = exchange
        self._framing = framing
        self._rng = rng

    def send(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write ``rows``, each one a line."""
        lines: list[bytes] = []
        for row in rows:
            line = self._line(row)
            lines += [line, line] if self._framing.duplicates and "Close" in row else [line]
            if self._framing.blank_lines and self._rng.random() < 0.5:
                lines.append(b"\r\n" if self._framing.crlf else b"\n")
        for chunk in self._chunks(lines):
            self._exchange.chunk(chunk)

    def send_text(self, text: str) -> None:
        """Write a line that is no object."""
        self._exchange.chunk(text.encode("utf-8") + b"\n")

    def end(self) -> None:
        """The clean end."""
        self._exchange.chunk(b"")

    def _line(self, row: dict[str, Any]) -> bytes:
        if self._framing.unknown_fields:
            # Letters of two and three bytes, so that a cut can fall inside one.
            row = row | {"Remark": "prêt à négocier: 100 €", "Nested": {"Levels": [1, 2.5, None]}}
        end = b"\r\n" if self._framing.crlf else b"\n"
        return json.dumps(row, ensure_ascii=False).encode("utf-8") + end

    def _chunks(self, lines: list[bytes]) -> list[bytes]:
        kind = self._framing.chunking
        if kind is Chunking.LINE or not lines:
            return lines
        data = b"".join(lines)
        if kind is Chunking.JOINED:
            return [data]
        if kind is Chunking.BYTES:
            return [data[i : i + 7] for i in range(0, len(data), 7)]
        return _cut(data, self._places(data))

    def _places(self, data: bytes) -> list[int]:
        """Where to cut: inside a letter of several bytes, inside a number, and somewhere."""
        inside = [i for i, byte in enumerate(data) if byte & 0xC0 == 0x80][:3]
        digits = [i for i in range(1, len(data)) if data[i - 1 : i + 1].isdigit()]
        chosen = self._rng.sample(digits, min(2, len(digits)))
        return sorted({*inside, *chosen, self._rng.randrange(1, len(data))})


def _cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *places, len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges) if b > a]
