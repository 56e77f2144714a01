"""Markets of the proofs, loaded once for all tests that share a process."""

from pathlib import Path

import pytest

from engine.preparing import prepare
from tests.proof.works import PAIRS, Pair, Work, sample_config, week_config


@pytest.fixture(scope="session")
def sample() -> Work:
    """Five sessions of the shipped sample."""
    config = sample_config()
    return Work("sample", config, prepare(config))


@pytest.fixture(scope="session")
def week(shared_dir: Path) -> Work:
    """A week of real bars of ES, GC and SPY."""
    config = week_config(shared_dir / "data")
    return Work("week", config, prepare(config))


@pytest.fixture(params=["sample", "week"])
def work(request: pytest.FixtureRequest) -> Work:
    """Both markets in turn; the real one is skipped where it is absent."""
    chosen: Work = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture(params=PAIRS, ids=str)
def pair(request: pytest.FixtureRequest) -> Pair:
    """Every built-in bot with every built-in exit."""
    chosen: Pair = request.param
    return chosen
