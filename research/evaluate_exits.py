"""Learned exits against fixed multiples, out of sample: ``python research/evaluate_exits.py``, or ``--help``."""

import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from start import ensure_environment

    ensure_environment()
    from research.learning.evaluation_command import main, needs_torch

    if needs_torch(sys.argv[1:]):
        ensure_environment("full")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a scheduler's stop keeps what is done, as Ctrl-C does
    sys.exit(main(sys.argv[1:]))
