"""Small promises of the loader that no other file of tests keeps."""

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import numpy as np
import pytest

from data.adjustments import read_factors
from data.bar_times import open_times, overlapping
from data.cache import BarCache
from data.errors import BarError, SourceError
from data.loading import SourceSettings, load_series
from data.resampling import resample
from data.series import BarSeries
from data.zones import to_utc, to_wall
from tests.unit.data.conftest import Load

MINUTE = 60_000_000_000
HEAD = "timestamp,open,high,low,close,volume\n"


def test_columns_of_bars_lie_in_one_piece_each_and_hold_64_bits(load: Load) -> None:
    series = load(HEAD + "2024-01-02T15:00Z,1,2,0,1,5\n2024-01-02T15:01Z,1,2,0,1,5\n")

    for name in ("time_ns", "open", "high", "low", "close", "volume"):
        array = getattr(series, name)
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert array.dtype == (np.int64 if name == "time_ns" else np.float64)


def test_an_empty_factor_file_and_one_without_a_file_are_errors(load: Load, tmp_path: Path) -> None:
    text = HEAD + "2024-01-02,1,1,1,1,1\n2024-01-03,1,1,1,1,1\n"
    (tmp_path / "factors.csv").write_text("\n")

    with pytest.raises(SourceError, match="the file is empty"):
        load(text, factor_file=tmp_path / "factors.csv")
    with pytest.raises(SourceError, match="there is no such file"):
        load(text, factor_file=tmp_path / "none.csv")


def test_a_copy_that_cannot_be_finished_leaves_nothing(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    series = load(HEAD + "2024-01-02,1,1,1,1,1\n2024-01-03,1,1,1,1,1\n")

    def full(_: BarSeries) -> Iterator[bytes]:
        yield b"the first bytes"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("data.cache._blocks", full)

    with pytest.raises(OSError, match="No space left"):
        BarCache(tmp_path / "cache").write(series)
    assert not list((tmp_path / "cache").iterdir())


def test_a_disk_that_is_full_is_said_in_the_report(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: BarSeries) -> list[bytes]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("data.cache._blocks", full)

    series = load(HEAD + "2024-01-02,1,1,1,1,1\n2024-01-03,1,1,1,1,1\n", cache=tmp_path / "cache")

    assert series.warnings[-1].endswith("(No space left on device)")


def test_overlapping_bars_are_named_and_left_out_on_request(load: Load) -> None:
    """S3.5"""
    rows = "".join(f"2024-01-02T15:{minute:02d}:00Z,1,1,1,1,1\n" for minute in range(20))
    text = HEAD + rows + "2024-01-02T15:19:30Z,2,2,2,2,2\n"

    with pytest.raises(BarError, match="line 22: 2024-01-02 15:19:30 UTC is less than 1m after the bar before"):
        load(text)
    repaired = load(text, repair="drop")
    assert len(repaired) == 20
    assert repaired.repairs == {"overlap": 1}


def test_one_short_bar_before_a_break_is_no_overlap_when_stamped_at_its_end() -> None:
    """S3.1, S3.5"""
    stamps = np.array([60, 120, 150, 300, 360], dtype=np.int64) * MINUTE

    assert not overlapping(stamps, 60 * MINUTE, "close").any()
    assert overlapping(stamps, 60 * MINUTE, "open").tolist() == [False, False, True, False, False]
    assert (open_times(stamps, 60 * MINUTE, "close") // MINUTE).tolist() == [0, 60, 120, 240, 300]


def test_the_digest_names_content_and_settings_but_no_place(tmp_path: Path) -> None:
    text = HEAD + "2024-01-02T15:00Z,1,2,0,1,5\n2024-01-02T15:01Z,1,2,0,1,5\n"
    (tmp_path / "a.csv").write_text(text)
    (tmp_path / "b.csv").write_text(text)

    one = load_series(SourceSettings(symbol="ES", file=tmp_path / "a.csv"))
    other = load_series(SourceSettings(symbol="ES", file=tmp_path / "b.csv"))
    shifted = load_series(SourceSettings(symbol="ES", file=tmp_path / "a.csv", timestamp="close"))

    assert one.digest == other.digest != shifted.digest


def test_a_large_file_is_recognised_from_its_head(load: Load) -> None:
    n = 5000
    stamps = np.datetime_as_string(np.datetime64("2024-01-01T00:00:00") + np.arange(n) * np.timedelta64(60, "s"))
    rows = "".join(f"{stamp}Z,1,2,0,1,{row}\n" for row, stamp in enumerate(stamps))

    series = load(HEAD + rows)

    assert len(series) == n
    with pytest.raises(
        BarError, match=f"line {n + 2}: 3 fields where the header has 6; the last line ends in the middle"
    ):
        load(HEAD + rows + "2024-03-01T00:00:00Z,1,2")


def test_a_series_without_bars_can_be_resampled_and_one_factor_file_must_have_lines(load: Load) -> None:
    one = load(HEAD + "2024-01-02T15:00Z,1,2,0,1,5\n2024-01-02T15:01Z,1,2,0,1,5\n")
    facts = {name: getattr(one, name) for name in BarSeries.__dataclass_fields__}
    columns = {name: facts[name][:0] for name in ("time_ns", "open", "high", "low", "close", "volume")}

    assert len(resample(BarSeries(**facts | columns), "5m")) == 0
    with pytest.raises(SourceError, match="the factor file is empty"):
        read_factors(b"\n\n", Path("factors.csv"))


def test_no_times_at_all_are_no_matter_for_a_zone() -> None:
    nothing = np.zeros(0, dtype=np.int64)

    assert len(to_utc(nothing, UTC).utc_ns) == 0
    assert len(to_wall(nothing, UTC)) == 0


def test_split_dates_of_uneven_form_are_read_one_by_one(load: Load) -> None:
    """Exports leave out the time of day at midnight."""
    series = load(HEAD + "1/2/2024 23:59,1,1,1,1,1\n1/3/2024,1,1,1,1,1\n1/3/2024 0:01,1,1,1,1,1\n", timezone="UTC")

    assert (np.diff(series.time_ns) // MINUTE).tolist() == [1, 1]
