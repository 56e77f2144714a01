# ruff: noqa: N999 - the name that the command has always had
"""Bars to a labelled data set: ``python research/generate_ML_SL_Training_data.py``, or ``--help``."""

import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from start import ensure_environment

    ensure_environment("core")
    from research.learning.data_command import main

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a scheduler's stop keeps what is done, as Ctrl-C does
    sys.exit(main(sys.argv[1:]))
