"""The window: ``python run_backtest.py``, with ``--config configs/sample.yaml`` or ``--open runs/<id>``; ``--help``."""

import sys

from start import ensure_environment

if __name__ == "__main__":
    ensure_environment()
    from app.command import main

    sys.exit(main(sys.argv[1:]))
