"""Whole sweeps, as a user starts them: killed and resumed, on Ray, on noise; slow, since processes are started."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from research.sweeping.driving import drive
from research.sweeping.planning import plan_sweep
from research.sweeping.report import render, verdict
from research.sweeping.standings import Standings
from research.sweeping.store import Store
from research.sweeping.ways import Threads
from tests.sweep.worlds import BASE, world

pytestmark = pytest.mark.slow
needs_kill = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed (requirements-ray.txt)")

MANY = """\
config: base.yaml
symbols: each
bots: [{name: Own, module: own.py}]
grid:
  bot.ema_span: {low: 5, high: 54, step: 1, scale: integer}
  exit.atr_multiple: [1, 2, 3]
"""
OWN = """\
import time

from bots.trend_following import TrendFollowingBot


class Own(TrendFollowingBot):
    def sides(self, market):
        time.sleep(0.1)
        return super().sides(market)
"""


def started(repo_root: Path, *argv: object) -> "subprocess.Popen[str]":
    command = [sys.executable, str(repo_root / "research" / "sweep.py"), *(str(word) for word in argv)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, cwd=repo_root
    )


def done(repo_root: Path, *argv: object) -> str:
    process = started(repo_root, *argv)
    out, error = process.communicate(timeout=170)
    assert process.returncode == 0, error
    return out


@pytest.fixture
def many(tmp_path: Path) -> Path:
    file = world(tmp_path / "world", MANY)
    (file.parent / "own.py").write_text(OWN, encoding="utf-8")
    return file


@pytest.fixture
def alone(many: Path, tmp_path: Path) -> bytes:
    """The table of the undisturbed sweep."""
    plan, library = plan_sweep(many)
    store = Store(tmp_path / "alone", plan)
    drive(plan, store, Threads(plan, library, 1))
    store.finish()
    return (tmp_path / "alone" / "results.parquet").read_bytes()


@needs_kill
@pytest.mark.parametrize("how", [[], ["--workers", "2"]])
def test_a_driver_that_is_killed_is_started_again_and_ends_the_same(
    how: list[str], many: Path, alone: bytes, tmp_path: Path, repo_root: Path
) -> None:
    """Killed without warning in mid-sweep, its workers with it or left to themselves; then started again (S14)."""
    folder = tmp_path / "killed"
    plan, _ = plan_sweep(many)
    counts = []
    for _ in range(2):
        process = started(repo_root, many, "--out", folder, *how)
        kept = len(list((folder / "parts").glob("*.parquet"))) if folder.exists() else 0
        limit = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < limit:
            if folder.exists() and len(list((folder / "parts").glob("*.parquet"))) > kept:
                os.kill(process.pid, signal.SIGKILL)
                break
            time.sleep(0.01)
        process.communicate()
        counts.append(int(Store(folder, plan).done().sum()))
    assert 0 < counts[0] < len(plan)
    assert counts == sorted(counts)
    done(repo_root, many, "--out", folder, *how)
    assert (folder / "results.parquet").read_bytes() == alone


@needs_ray
@pytest.mark.timeout(400)
def test_ray_gives_the_same_bytes_with_the_user_s_bot_shipped(
    many: Path, alone: bytes, tmp_path: Path, repo_root: Path
) -> None:
    process = started(repo_root, many, "--out", tmp_path / "ray", "--ray", "local", "--quiet")
    _, error = process.communicate(timeout=380)
    assert process.returncode == 0, error
    assert (tmp_path / "ray" / "results.parquet").read_bytes() == alone


@needs_ray
@needs_kill
@pytest.mark.timeout(400)
def test_a_ray_worker_that_is_killed_leaves_no_trace(tmp_path: Path, repo_root: Path) -> None:
    sweep = MANY.replace("high: 54", "high: 30")
    file = world(tmp_path / "world", sweep)
    deadly = OWN.replace(
        "        time.sleep(0.1)\n",
        "        import os\n"
        "        from pathlib import Path\n"
        f"        once = Path({str(tmp_path / 'once')!r})\n"
        "        if self.settings.ema_span == 20 and not once.exists() and os.environ.get('RAY_JOB_ID'):\n"
        "            once.touch()\n"
        "            os.kill(os.getpid(), 9)\n",
    )
    (file.parent / "own.py").write_text(deadly, encoding="utf-8")
    process = started(repo_root, file, "--out", tmp_path / "ray", "--ray", "local", "--quiet")
    _, error = process.communicate(timeout=380)
    assert process.returncode == 0, error
    assert (tmp_path / "once").exists()
    done(repo_root, file, "--out", tmp_path / "alone", "--quiet")
    assert (tmp_path / "ray" / "results.parquet").read_bytes() == (tmp_path / "alone" / "results.parquet").read_bytes()


def test_noise_whose_best_looks_good_in_sample_is_called_overfitted(tmp_path: Path) -> None:
    """Random walks, no costs: the best of many settings has a fine Sharpe ratio in sample, and the report says luck."""
    base = BASE.replace("commission_per_contract: 2.5", "commission_per_contract: 0")
    base = base.replace("fee_per_trade: 0.5", "fee_per_trade: 0").replace("slippage_ticks: 1", "slippage_ticks: 0")
    sweep = (
        "config: base.yaml\nsymbols: [AA]\n"
        "random: {draws: 300, seed: 1, ranges: {bot.ema_span: {low: 5, high: 300, scale: integer},"
        " bot.breakout_atr: {low: 0.2, high: 5}, exit.atr_multiple: {low: 0.5, high: 8, scale: log}}}\n"
        "folds: {kind: fixed, parts: [{in_sample: [2024-01-01, 2024-02-09],"
        " out_of_sample: [2024-02-10, 2024-03-20]}]}\n"
    )
    plan, library = plan_sweep(world(tmp_path, sweep, base, bars=24_000))
    store = Store(tmp_path / "out", plan)
    drive(plan, store, Threads(plan, library, 2))
    found = Standings(plan, store.finish())
    assert found.best is not None
    best = float(found.scored[found.best])
    assert best > 2.0
    word, why = verdict(list(found.luck()))
    assert word == "overfitted"
    assert "luck" in why
    assert "overfitted" in render(found)
    assert float(np.nanmean(found.later)) < best
    print(json.dumps({"best": best, "later": float(found.later[found.best])}))
