"""How a good file becomes a malformed one: bytes flipped, cut, doubled, moved; words replaced by hostile ones."""

import random
import re
from collections.abc import Callable

_WORD = re.compile(rb"[-+]?[0-9][0-9_.eE:+-]*|[A-Za-z_@][A-Za-z0-9_@.]*")
_HOSTILE = (
    b"", b"0", b"-1", b"1", b"-0.0", b"0.0000001", b"nan", b".nan", b"NaN", b"inf", b"-.inf", b"1e400", b"1e308",
    b"99999999999999999999", b"-9223372036854775808", b"2147483648", b"true", b"null", b"~", b"[]", b"{}", b"''", b"\"",
    b"'", b"[", b"{", b"]", b"}", b": ", b", ", b"- ", b"|", b">", b"&a", b"*a", b"<<", b"#", b"%", b"@", b"`", b"\t",
    b"\n", b"\r", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3\x28", "\u202e".encode(), "é".encode(),
    b"!!python/object/apply:os.getcwd []", b"../../../etc", b"C:\\", b"2024-02-30", b"2024-09-02 25:61:00",
    b"1969-12-31", b"9999-12-31", b"0001-01-01", b"A" * 3000, b"[" * 3000, b"{a: " * 1500, b"- " * 1500,
)  # fmt: skip
Damage = Callable[[bytes, random.Random], bytes]


def _place(content: bytes, chance: random.Random) -> int:
    return chance.randrange(len(content) + 1)


def _flip(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8))):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut_off(content: bytes, chance: random.Random) -> bytes:
    return content[: _place(content, chance)]


def _take_out(content: bytes, chance: random.Random) -> bytes:
    start = _place(content, chance)
    return content[:start] + content[start + chance.choice((1, 2, 7, 64, 1000)) :]


def _double(content: bytes, chance: random.Random) -> bytes:
    start = _place(content, chance)
    end = start + chance.choice((1, 5, 60, 1000))
    return content[:end] + content[start:end] + content[end:]


def _put_in(content: bytes, chance: random.Random) -> bytes:
    start = _place(content, chance)
    return content[:start] + chance.choice(_HOSTILE) + content[start:]


def _replace_word(content: bytes, chance: random.Random) -> bytes:
    words = list(_WORD.finditer(content))
    if not words:
        return _put_in(content, chance)
    word = chance.choice(words)
    return content[: word.start()] + chance.choice(_HOSTILE) + content[word.end() :]


def _other_number(content: bytes, chance: random.Random) -> bytes:
    words = [word for word in _WORD.finditer(content) if word.group()[:1].isdigit()]
    if not words:
        return _flip(content, chance)
    word = chance.choice(words)
    number = str(chance.choice((7, -3, 0.5, 1e-9, 1e12, chance.random() * 10, -chance.random()))).encode()
    return content[: word.start()] + number + content[word.end() :]


def _swap_lines(content: bytes, chance: random.Random) -> bytes:
    lines = content.split(b"\n")
    first, second = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


def _drop_line(content: bytes, chance: random.Random) -> bytes:
    lines = content.split(b"\n")
    del lines[chance.randrange(len(lines))]
    return b"\n".join(lines)


def _indent_line(content: bytes, chance: random.Random) -> bytes:
    lines = content.split(b"\n")
    line = chance.randrange(len(lines))
    lines[line] = chance.choice((b" ", b"   ", b"\t", b"- ")) + lines[line]
    return b"\n".join(lines)


BINARY: tuple[Damage, ...] = (_flip, _cut_off, _take_out, _double, _put_in)
TEXT: tuple[Damage, ...] = (
    *BINARY, _replace_word, _replace_word, _replace_word, _other_number, _other_number, _swap_lines, _drop_line,
    _indent_line,
)  # fmt: skip


def damaged(content: bytes, chance: random.Random, ways: tuple[Damage, ...]) -> bytes:
    """The content after one to three damages."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        content = chance.choice(ways)(content, chance)
    return content
