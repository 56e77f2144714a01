"""Live bars in a window, or paper trading without one: ``python run_live.py --demo``, or ``--help``."""

import sys

from start import ensure_environment

if __name__ == "__main__":
    ensure_environment()
    from research.live import main

    def window(*arguments: object) -> int:
        """Open the viewer; Qt is imported only now."""
        from app.live import show

        return show(*arguments)  # type: ignore[arg-type]  # handed on as it comes

    sys.exit(main(sys.argv[1:], window))
