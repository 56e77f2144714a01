"""The command line of live data and paper trading."""

from research.live.command import main

__all__ = ["main"]
