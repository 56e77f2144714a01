"""With compilation off the kernel is plain Python: the tests reach every branch of it, and no byte differs."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.kernel.journals import cases_to_run, digests

# The files that decide fills, money and margin.
DECIDING = ("broker", "ledger", "lifecycle", "margin", "matching", "phases", "ticks", "walk", "working")
# Each branch is reached by at least two of them.
SEEDS = (0, 300)


def run_uncompiled(folder: Path, repo_root: Path, *command: str) -> str:
    """What a Python without compilation says; its coverage, if any, goes into the folder."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "COVERAGE_FILE": str(folder / "coverage")}
    environment.pop("COVERAGE_PROCESS_START", None)
    done = subprocess.run(
        [sys.executable, *command], cwd=repo_root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def missing_branches(told: dict[str, Any]) -> list[str]:
    """Lines and branches of the deciding files that did not run, as ``file:line`` and ``file:from->to``."""
    missing = []
    for name in DECIDING:
        file = next(facts for path, facts in told["files"].items() if Path(path).name == f"{name}.py")
        missing += [f"{name}.py:{line}" for line in file["missing_lines"]]
        missing += [f"{name}.py:{source}->{target}" for source, target in file["missing_branches"]]
    return missing


@pytest.mark.rule("S14")
def test_without_compilation_every_branch_runs_and_every_byte_is_the_same(tmp_path: Path, repo_root: Path) -> None:
    """One run serves both questions: random cases in every drive that they can take, under branch coverage."""
    settings = tmp_path / "coveragerc"
    settings.write_text("[run]\nbranch = true\ninclude = */engine/kernel/*\n", encoding="utf-8")
    journals = ("-m", "tests.kernel.journals", "--seeds", str(SEEDS[0]), str(SEEDS[1]))

    uncompiled = run_uncompiled(tmp_path, repo_root, "-m", "coverage", "run", f"--rcfile={settings}", *journals)
    told = run_uncompiled(tmp_path, repo_root, "-m", "coverage", "json", f"--rcfile={settings}", "-q", "-o", "-")

    assert uncompiled.splitlines() == list(digests(cases_to_run(None, *SEEDS)))
    assert missing_branches(json.loads(told)) == []


@pytest.mark.rule("S14")
def test_without_compilation_the_scenarios_leave_the_same_bytes(
    tmp_path: Path, repo_root: Path, shared_dir: Path
) -> None:
    folder = shared_dir / "scenarios"

    uncompiled = run_uncompiled(tmp_path, repo_root, "-m", "tests.kernel.journals", "--scenarios", str(folder))

    assert uncompiled.splitlines() == list(digests(cases_to_run(folder, 0, 0)))
