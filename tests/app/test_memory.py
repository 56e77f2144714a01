"""What a million bars add to the window's memory: half again the bars, and the journal."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.runs import long_run

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A short run and one of a million bars, both saved."""
    short, long = tmp_path_factory.mktemp("short"), tmp_path_factory.mktemp("long")
    return long_run(20_000, short), long_run(1_000_000, long)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not tell the memory of a process")
@pytest.mark.parametrize("case", ["saved", "thread", "process"])
def test_a_run_adds_half_again_its_bars_and_its_journal(case: str, runs: tuple[Path, Path], tmp_path: Path) -> None:
    """A run that was saved; one that begins, with its engine in the window's process; and in one of its own."""
    command = [sys.executable, "-m", "tests.app.resident", case, *map(str, runs)]
    surroundings = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    told = subprocess.run(command, cwd=tmp_path, env=surroundings, check=True, capture_output=True, text=True).stdout
    grown, bars, journal = map(int, told.split())
    assert grown < 1.5 * bars + journal
