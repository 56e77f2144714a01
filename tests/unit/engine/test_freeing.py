"""Memory that was freed goes back to the system."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
# A block of 30 MB comes and goes, then ten of 3 MB in another thread: what is it that stays?
CHILD = """
import os, threading
from engine.freeing import hand_large_blocks_back
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
hand_large_blocks_back()
before = resident()
def take_in():
    blocks = [bytearray(b"x") * 3_000_000 for _ in range(10)]
bytearray(b"x") * 30_000_000
thread = threading.Thread(target=take_in)
thread.start()
thread.join()
print(resident() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not tell the memory of a process")
def test_large_blocks_that_a_thread_has_freed_are_handed_back() -> None:
    told = subprocess.run([sys.executable, "-c", CHILD], cwd=ROOT, check=True, capture_output=True, text=True)
    assert int(told.stdout) < 4_000_000
