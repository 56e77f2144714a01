"""Compiles the engine once and keeps the result on disk: ``python -m engine.kernel.compile``.

Importing the kernel compiles whatever its cache lacks; this command does it at a time of its own choosing, says how
long it took, and removes what versions of the kernel that are no longer used have left behind.
"""

import importlib
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from engine.kernel.compiling import CACHE_FOLDER, JIT, READY

# The kernel's entries, then the loops that a run's report and its indicators need.
MODULES = ("engine.kernel.loops", "engine.statistics", "engine.indicators.loops")
KEPT_DAYS = 14
_DAY_SECONDS = 86_400.0

Say = Callable[[str], None]


def compile_engine() -> None:
    """Import everything that compiles when it is imported, and compile what waits for its first call."""
    for name in MODULES:
        module = importlib.import_module(name)
    module.compile_all()


def left_behind(root: Path, current: Path, now: float) -> list[Path]:
    """Cache folders of other versions under ``root`` that nothing was written to for ``KEPT_DAYS`` days.

    ``now`` is in seconds since the epoch.
    """
    if not root.is_dir():
        return []
    others = [folder for folder in sorted(root.iterdir()) if folder.is_dir() and folder != current]
    return [folder for folder in others if now - folder.stat().st_mtime > KEPT_DAYS * _DAY_SECONDS]


def remove_left_behind(root: Path, current: Path, now: float, say: Say) -> None:
    """Remove the folders that ``left_behind`` finds; one that cannot be removed is named, and is no failure."""
    for folder in left_behind(root, current, now):
        try:
            shutil.rmtree(folder)
        except OSError as raised:
            say(f"an old compiled engine could not be removed, {folder}: {raised}")


def main(say: Say = print) -> int:
    """Compile, say how long it took, tidy up; returns the exit status.

    The seconds are the processor's since the interpreter began: importing the package ``engine`` is part of the work.
    """
    if not JIT:
        say("compilation is switched off (NUMBA_DISABLE_JIT): there is nothing to compile")
        return 0
    if not READY:
        say("compiling the engine, once")
    compile_engine()
    say("the engine was compiled before" if READY else f"the engine is compiled ({time.process_time():.1f} s)")
    remove_left_behind(CACHE_FOLDER.parent, CACHE_FOLDER, time.time(), say)
    return 0


if __name__ == "__main__":
    sys.exit(main())
