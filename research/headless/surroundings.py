"""What a command is given by its surroundings: streams, clocks, exit codes."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TextIO

DONE, FAILED, STOPPED = 0, 2, 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Streams and clocks of a command.

    Attributes:
        seconds: a clock that only runs forward, for durations.
        now: time of day, UTC, for the names of run folders.
    """

    out: TextIO
    error: TextIO
    seconds: Callable[[], float] = time.perf_counter
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
