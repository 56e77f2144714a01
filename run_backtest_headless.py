"""One backtest without a window: ``python run_backtest_headless.py --config configs/sample.yaml``, or ``--help``."""

import sys

from start import ensure_environment

if __name__ == "__main__":
    ensure_environment()
    from research.headless import main

    sys.exit(main(sys.argv[1:]))
