"""What every test may rely on: where the tree is, where the optional fixtures are, and what must not be left behind."""

import multiprocessing
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Before any test imports Qt or matplotlib: no window opens on the machine that runs the tests.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("MPLBACKEND", "Agg")

# The gate searches the same examples every time: a failure there is caused by the change it judges.
settings.register_profile(
    "gate", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", parent=settings.get_profile("gate"), derandomize=False, max_examples=2000)
settings.load_profile(os.environ.get("TRIPHASE_HYPOTHESIS", "gate"))

REPO_ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The folder that holds start.py."""
    return REPO_ROOT


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The optional folder of real bars, golden values and scenarios beside the project (never part of it).

    Its place is the parent of the project's folder, under the name ``shared``; the environment variable
    ``TRIPHASE_SHARED`` names another one. Tests that ask for it are skipped where it is absent.
    """
    folder = Path(os.environ.get("TRIPHASE_SHARED", REPO_ROOT / "../shared")).resolve()
    if not folder.is_dir():
        pytest.skip(f"the optional fixtures folder {folder.name}/ is not beside the project")
    return folder


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves a child process or a thread that would keep the interpreter alive."""
    before = set(threading.enumerate())
    yield
    children = multiprocessing.active_children()
    for child in children:
        child.terminate()
        child.join(5)
    assert not children, f"left running: {children}"
    threads = [t for t in threading.enumerate() if t not in before and not t.daemon and t.is_alive()]
    for thread in threads:
        thread.join(2)
    threads = [t for t in threads if t.is_alive()]
    assert not threads, f"left running: {threads}"
