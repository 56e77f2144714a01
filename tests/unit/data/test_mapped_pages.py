"""Pages of mapped bars leave memory and come back as they were."""

import sys
from pathlib import Path

import numpy as np
import pytest

from data.mapped_pages import let_pages_go
from data.series import BarSeries


def resident(path: Path) -> int:
    """Bytes of a mapped file that are in this process's memory."""
    lines = Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines()
    at = next(number for number, line in enumerate(lines) if line.endswith(str(path)))
    return 1024 * int(next(line for line in lines[at:] if line.startswith("Rss:")).split()[1])


def series_of(columns: np.ndarray) -> BarSeries:
    names = ("open", "high", "low", "close", "volume")
    prices = dict(zip(names, columns[1:].view(np.float64), strict=True))
    return BarSeries(symbol="ES", time_ns=columns[0], **prices, bar_ns=1, source="here", digest="0")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what of a mapped file is in memory")
def test_pages_of_mapped_bars_leave_memory_and_come_back_as_they_were(tmp_path: Path) -> None:
    written = np.arange(600_000, dtype=np.int64).reshape(6, -1)
    file = tmp_path / "bars"
    written.tofile(file)
    columns = np.asarray(np.memmap(file, dtype=np.int64, mode="c")).reshape(6, -1)
    assert columns.sum() == written.sum()
    assert resident(file) > 4_000_000

    let_pages_go([series_of(columns)])

    assert resident(file) == 0
    np.testing.assert_array_equal(columns, written)


def test_bars_that_are_not_mapped_are_left_as_they_are() -> None:
    columns = np.arange(60, dtype=np.int64).reshape(6, -1)

    let_pages_go([series_of(columns)])

    assert columns.ravel().tolist() == list(range(60))
