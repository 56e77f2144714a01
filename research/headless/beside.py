"""Bots for runs beside the run itself: each begins with what was learned before it, and keeps nothing of its own.

An exit that learns keeps a ``state`` folder. Bounds and the check for look-ahead run the same bars again: going on from
what was just learned on these bars, they would know them, and what they learned would stand in the folder afterwards.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from engine.config import BacktestConfig
from research.headless.services import MakeBot, Services


@contextmanager
def bots_beside(config: BacktestConfig, engine: Services, bot: Any) -> Iterator[MakeBot]:
    """What makes bots like ``bot``; a state folder of its exit is the one that stood there on entering."""
    exit: Any = getattr(bot, "exit", None)
    state = getattr(exit.settings, "state", None) if getattr(exit, "learns_in_kernel", False) else None
    if state is None:
        yield lambda: engine.make_bot(config)
        return
    with TemporaryDirectory(prefix="triphase-") as name:
        numbers, before = count(), Path(name) / "before"
        if Path(state).is_dir():
            shutil.copytree(state, before)

        def made() -> Any:
            own = Path(name) / str(next(numbers))
            if before.exists():
                shutil.copytree(before, own)
            return engine.make_bot(config.with_overrides([f"exit.state={own.as_posix()}"]))

        yield made
