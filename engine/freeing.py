"""Decides that memory which only preparing a run needed goes back to the system before the run begins."""

import ctypes
import sys

#: Asset-bars from which it is worth the millisecond that it takes.
LEAST_ASSET_BARS = 100_000


def give_back_freed_memory(asset_bars: int) -> None:
    """Hand freed memory back where the C library would keep it.

    glibc learns from large arrays that were freed to keep later ones for itself: a fifth of what a long run holds.
    Other C libraries have no such call and need none.
    """
    if sys.platform != "linux" or asset_bars < LEAST_ASSET_BARS:
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(ctypes.c_size_t(0))
