"""Bars and closings told by hand, a minute apart, shortly before midnight: what a recorder is given."""

from data.tradestation.bars import LiveBar, parse_time
from data.tradestation.events import BarClosed, CloseReason

NS_MINUTE = 60 * 10**9
EVE = parse_time("2024-03-06T23:55:00Z")


def bar(minute: int, close: float = 10.0) -> LiveBar:
    """The bar that closes so many minutes after EVE."""
    stamp = EVE + minute * NS_MINUTE
    return LiveBar(stamp - NS_MINUTE, stamp, 10.0, max(10.0, close), 10.0, close, 5.0, 2, True)


def closing(minute: int, *, backfilled: bool = False) -> BarClosed:
    """Its closing, told 7 ns later."""
    reason = CloseReason.HISTORY if backfilled else CloseReason.STATUS
    return BarClosed("@ES", bar(minute), reason, backfilled, not backfilled, EVE + minute * NS_MINUTE + 7)
