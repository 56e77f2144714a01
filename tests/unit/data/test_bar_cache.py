"""Binary copies of bars: used while content and settings are the same, ignored when damaged, never half there."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data.cache import BarCache
from data.loading import SourceSettings, load_series
from data.series import BarSeries

TEXT = "timestamp,open,high,low,close,volume\n" + "".join(
    f"2024-01-02T15:{minute:02d}:00Z,{10 + minute},{12 + minute},{9 + minute},{11 + minute},100\n"
    for minute in range(30)
)
ARRAYS = ("time_ns", "open", "high", "low", "close", "volume")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ES.csv"
    path.write_text(TEXT)
    # Long ago, so that a note of it is trusted at once.
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


def same(one: BarSeries, other: BarSeries) -> bool:
    arrays = all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ARRAYS)
    facts = ("symbol", "bar_ns", "source", "digest", "warnings", "repairs")
    return arrays and all(getattr(one, name) == getattr(other, name) for name in facts)


def test_a_copy_gives_the_same_bars_facts_and_warnings(file: Path, tmp_path: Path) -> None:
    settings = SourceSettings(symbol="ES", file=file)
    plain = load_series(settings)

    first, second = (load_series(settings, tmp_path / "cache") for _ in range(2))

    assert plain.warnings
    assert same(plain, first)
    assert same(plain, second)
    assert isinstance(second.close.base, np.ndarray)
    assert len(list((tmp_path / "cache").glob("*.bars"))) == 1
    assert not list((tmp_path / "cache").glob("*.part"))


def test_a_copy_is_really_used(file: Path, tmp_path: Path) -> None:
    settings = SourceSettings(symbol="ES", file=file)
    cache = tmp_path / "cache"
    series = load_series(settings, cache)
    before = {path.name for path in cache.iterdir()}
    fake = BarSeries(
        **{name: getattr(series, name) for name in BarSeries.__dataclass_fields__} | {"close": series.close + 0.5}
    )
    for path in cache.glob("*.bars"):
        path.unlink()
    BarCache(cache).write(fake)

    assert load_series(settings, cache).close[0] == series.close[0] + 0.5
    assert len(before) == 2


def test_changing_a_mapped_array_changes_no_copy(file: Path, tmp_path: Path) -> None:
    settings = SourceSettings(symbol="ES", file=file)
    load_series(settings, tmp_path / "cache")
    mapped = load_series(settings, tmp_path / "cache")

    mapped.close[0] = 99.0

    assert load_series(settings, tmp_path / "cache").close[0] == 11.0


def test_other_content_or_other_settings_are_loaded_anew(file: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = load_series(SourceSettings(symbol="ES", file=file), cache)

    closing = load_series(SourceSettings(symbol="ES", file=file, timestamp="close"), cache)
    file.write_text(TEXT.replace(",11,100", ",11.5,100"))
    changed = load_series(SourceSettings(symbol="ES", file=file), cache)

    assert closing.time_ns[0] == first.time_ns[0] - 60_000_000_000
    assert changed.close[0] == 11.5
    assert len({first.digest, closing.digest, changed.digest}) == 3


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no time of the last change that cannot be set")
def test_a_change_that_keeps_size_and_time_is_noticed(file: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    load_series(SourceSettings(symbol="ES", file=file), cache)

    file.write_text(TEXT.replace(",11,100", ",12,100"))
    os.utime(file, (1_700_000_000, 1_700_000_000))

    assert load_series(SourceSettings(symbol="ES", file=file), cache).close[0] == 12


def test_a_file_written_just_now_is_read_to_be_sure(file: Path, tmp_path: Path) -> None:
    cache = BarCache(tmp_path / "cache")
    file.write_text(TEXT)
    cache.note_content(file, "0" * 64)

    assert cache.known_content(file) is None


def test_bars_are_the_same_wherever_their_file_lies(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere.csv"
    other.write_bytes(file.read_bytes())

    here, there = (load_series(SourceSettings(symbol="ES", file=path), tmp_path / "cache") for path in (file, other))

    assert here.digest == there.digest
    assert there.source == str(other)
    assert len(list((tmp_path / "cache").glob("*.bars"))) == 1


def shortened(content: bytes) -> bytes:
    return content[:-8]


def flipped(content: bytes) -> bytes:
    return content[:-5] + bytes([content[-5] ^ 1]) + content[-4:]


def zeroed(content: bytes) -> bytes:
    return content[: len(content) // 2] + bytes(len(content) - len(content) // 2)


def emptied(content: bytes) -> bytes:
    return content[:0]


def foreign(content: bytes) -> bytes:
    return b"something else" + content[14:]


def swapped(content: bytes) -> bytes:
    return content.replace(b'"bars": 30', b'"bars": 10')


@pytest.mark.parametrize("damage", [shortened, flipped, zeroed, emptied, foreign, swapped])
def test_a_damaged_copy_is_ignored_and_built_anew(file: Path, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    settings = SourceSettings(symbol="ES", file=file)
    cache = tmp_path / "cache"
    good = load_series(settings, cache)
    (copy,) = cache.glob("*.bars")
    copy.write_bytes(damage(copy.read_bytes()))

    again = load_series(settings, cache)

    assert same(good, again)
    (rebuilt,) = cache.glob("*.bars")
    assert rebuilt.name != copy.name
    assert same(good, load_series(settings, cache))


def test_a_damaged_note_is_ignored(file: Path, tmp_path: Path) -> None:
    settings = SourceSettings(symbol="ES", file=file)
    cache = tmp_path / "cache"
    good = load_series(settings, cache)
    (note,) = cache.glob("*.seen")
    for text in ("", "{}", "[1]", '{"state": [1], "sha256": 5}'):
        note.write_text(text)
        assert same(good, load_series(settings, cache))


def test_a_cache_that_cannot_be_written_is_said_and_the_bars_are_there(file: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")

    series = load_series(SourceSettings(symbol="ES", file=file), blocked)

    assert len(series) == 30
    assert "no copy of the bars was kept" in series.warnings[-1]


def test_a_note_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        BarCache(tmp_path / "cache").note_content(tmp_path / "gone.csv", "digest")

    assert list(tmp_path.glob("cache/*")) == []
