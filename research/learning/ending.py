"""How a learning command ends: done, with an error told in words, or stopped; and what its exit code then is."""

import sys
from collections.abc import Callable
from pathlib import Path

from data.errors import TriphaseError
from research.headless.surroundings import DONE, FAILED, STOPPED


def exit_code(work: Callable[[], bool], out: Path | None, stopped: str) -> int:
    """Do a command's work and return its exit code: 0 done, 2 an error, 130 stopped.

    Args:
        work: answers False where it was stopped and has said so.
        out: where it writes, named where the system does not say which file it could not write.
        stopped: what is said where Ctrl-C ends it at once: which of what was made is kept.
    """
    try:
        return DONE if work() else STOPPED
    except TriphaseError as error:
        return _failed(str(error))
    except OSError as error:
        place, why = error.filename or out, error.strerror or error
        return _failed(f"{place} cannot be written: {why}; name another place with --out")
    except KeyboardInterrupt:
        print(f"stopped{stopped}", file=sys.stderr)
        return STOPPED


def _failed(text: str) -> int:
    print(f"error: {text}", file=sys.stderr)
    return FAILED
