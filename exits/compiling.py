"""Compiles what only learned exits and their trainings run on, once, and says so: ``python -m exits.compiling``.

It is kept apart from the rest of the engine, so that who never uses it never waits for it. Where it is first needed it
is compiled there, with a line for each part, since it takes half a minute.
"""

import importlib
import sys
import time
from collections.abc import Callable

from engine.kernel.compiling import CACHE_FOLDER, JIT

#: In the order in which one needs the other.
MODULES = tuple(
    f"engine.kernel.{name}" for name in ("observing", "networks", "seats", "bandit", "choosing", "practice")
)
MARKER = CACHE_FOLDER.with_name(f"{CACHE_FOLDER.name}-learned") / "complete"


def aside(text: str) -> None:
    """A line beside the output, where a first run would seem to stand still."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def ensure_compiled(say: Callable[[str], None] = aside) -> None:
    """Compile all of it, unless that has been done for these sources; ``say`` is told before each part."""
    if not JIT or MARKER.exists():
        return
    began = time.process_time()
    for number, name in enumerate(MODULES, 1):
        say(f"compiling what learned exits run on, once: part {number} of {len(MODULES)}")
        importlib.import_module(name)
    MARKER.parent.mkdir(parents=True, exist_ok=True)
    MARKER.write_text("", encoding="utf-8")
    say(f"what learned exits run on is compiled ({time.process_time() - began:.1f} s)")


if __name__ == "__main__":
    ensure_compiled()
