"""Decides that memory which only preparing or opening a run needed goes back to the system."""

import ctypes
import os
import sys

#: Bytes from which a block is the system's again once it is freed: a table, or a column of a long run.
LARGE_BLOCK = 1 << 20
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # their numbers in glibc's malloc.h
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


def hand_large_blocks_back() -> None:
    """Have every large block handed back when it is freed, in whichever thread; to be called at the start.

    glibc counts a freed block of up to 32 MB as one that will be wanted again, keeps up to twice as much in each
    thread's heap, and no call brings back what lies free at a heap's end: the chunks of a long run leave 60 MB behind.
    """
    option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if option is not None:
        option(_MMAP_THRESHOLD, LARGE_BLOCK)
        option(_TRIM_THRESHOLD, LARGE_BLOCK)


def read_tables_through_the_c_library() -> None:
    """Let Parquet files be decoded in memory of the C library's, which goes back at once; to be called at the start.

    The reader's own allocator keeps half of what a run of a million bars takes, whatever it is asked. It is chosen when
    pyarrow is first imported, and only by this variable; who has set it already has chosen.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
