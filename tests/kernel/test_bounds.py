"""Every index that the compiled kernel uses lies inside its table, also where hundreds of orders crowd one bar."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernel.journals import cases_to_run, digests

pytestmark = pytest.mark.slow
SEEDS = (0, 150)


def run_checked(repo_root: Path, *command: str) -> str:
    """What a Python says whose compiled code looks at every index; compiled once and cached apart."""
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=repo_root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@pytest.mark.rule("S14")
def test_with_indices_checked_every_byte_is_the_same(repo_root: Path) -> None:
    checked = run_checked(repo_root, "tests.kernel.journals", "--seeds", str(SEEDS[0]), str(SEEDS[1]))

    assert checked.splitlines() == list(digests(cases_to_run(None, *SEEDS)))


@pytest.mark.rule("S14")
def test_with_indices_checked_the_scenarios_leave_the_same_bytes(repo_root: Path, shared_dir: Path) -> None:
    folder = shared_dir / "scenarios"

    checked = run_checked(repo_root, "tests.kernel.journals", "--scenarios", str(folder))

    assert checked.splitlines() == list(digests(cases_to_run(folder, 0, 0)))


def test_with_indices_checked_crowded_tables_hold_and_wrong_indices_are_refused(repo_root: Path) -> None:
    """The tests of the tables once more; those of the checks themselves run only here and without compilation."""
    told = run_checked(repo_root, "pytest", "-q", "-p", "no:cacheprovider", "tests/kernel/test_tables.py")

    assert "passed" in told
    assert "skipped" not in told
