"""One backtest without a window: ``python run_backtest_headless.py --config configs/sample.yaml``, or ``--help``."""

import signal
import sys

from start import ensure_environment

if __name__ == "__main__":
    ensure_environment()
    from research.headless import main

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a scheduler's stop keeps what is done, as Ctrl-C does
    sys.exit(main(sys.argv[1:]))
