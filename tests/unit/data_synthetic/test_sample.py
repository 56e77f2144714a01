"""The shipped sample is what its command writes, small, and labelled as synthetic."""

import csv
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from data.synthetic import generate
from data.synthetic.sample import SAMPLE, SAMPLE_DIR, SEED, main, write_sample

COLUMNS = ["timestamp", "open", "high", "low", "close", "volume"]


def test_the_shipped_bars_are_those_that_the_command_writes(tmp_path: Path) -> None:
    """S14: one symbol made again, value by value."""
    (settings,) = [each for each in SAMPLE if each.symbol == "ES_SYN"]
    shipped = parquet.read_table(SAMPLE_DIR / "ES_SYN.parquet")

    write_sample(tmp_path, [settings])

    assert parquet.read_table(tmp_path / "ES_SYN.parquet").equals(shipped)
    series = generate(settings, SEED).series
    assert np.array_equal(shipped["close"].to_numpy(), series.close)
    assert np.array_equal(shipped["timestamp"].to_numpy().astype("datetime64[ns]").astype(np.int64), series.time_ns)


@pytest.mark.parametrize("symbol", ["ES_SYN", "NQ_SYN", "CL_SYN", "GC_SYN"])
def test_every_file_says_synthetic_and_has_sixty_sessions(symbol: str) -> None:
    file = parquet.ParquetFile(SAMPLE_DIR / f"{symbol}.parquet")
    stamps = file.read(["timestamp"])["timestamp"].to_numpy()

    assert file.schema_arrow.names == COLUMNS
    assert file.schema_arrow.metadata[b"source"].startswith(b"SYNTHETIC")
    assert 80_000 < len(stamps) < 60 * 1380
    assert np.count_nonzero(np.diff(stamps) > np.timedelta64(1, "h")) <= 59


def test_the_sample_is_small_and_its_readme_says_what_it_is() -> None:
    files = [path for path in SAMPLE_DIR.iterdir() if path.is_file()]

    assert sum(path.stat().st_size for path in files) < 6_000_000
    assert "SYNTHETIC" in (SAMPLE_DIR / "README.md").read_text(encoding="utf-8")


def test_the_table_of_regimes_covers_every_bar() -> None:
    with (SAMPLE_DIR / "regimes.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    for symbol in ("ES_SYN", "NQ_SYN", "CL_SYN", "GC_SYN"):
        stays = [row for row in rows if row["symbol"] == symbol]
        bars = parquet.ParquetFile(SAMPLE_DIR / f"{symbol}.parquet").metadata.num_rows
        assert sum(int(row["bars"]) for row in stays) == bars
        assert {row["regime"] for row in stays} == {"trend", "chop", "quiet"}


def test_the_command_writes_into_the_folder_it_is_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", str(tmp_path / "new")]) == 0

    written = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert written == [
        "CL_SYN.parquet",
        "ES_SYN.parquet",
        "GC_SYN.parquet",
        "NQ_SYN.parquet",
        "README.md",
        "regimes.csv",
    ]
    assert capsys.readouterr().out.count("bytes") == 6
