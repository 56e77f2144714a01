"""Backtests from the command line, without a window."""

from research.headless.command import main

__all__ = ["main"]
