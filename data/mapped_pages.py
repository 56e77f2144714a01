"""Decides that bars which lie mapped in memory leave it until they are looked at again."""

import mmap
from collections.abc import Iterable

import numpy as np

from data.series import BarSeries


def let_pages_go(series: Iterable[BarSeries]) -> None:
    """Let the pages of mapped bars go; looking at a bar brings its page back, from the system's file cache.

    Only for bars as they were loaded: a page that somebody wrote to would come back as it is in the file. Bars
    that are not mapped, and systems that know no such advice, are left as they are.
    """
    maps = {id(found): found for one in series if (found := _map_of(one.time_ns)) is not None}
    for found in maps.values():
        if hasattr(mmap, "MADV_DONTNEED"):
            found.madvise(mmap.MADV_DONTNEED)


def _map_of(array: object) -> mmap.mmap | None:
    """What an array's numbers lie in, where that is a mapped file."""
    while isinstance(array, np.ndarray):
        array = array.base
    return array if isinstance(array, mmap.mmap) else None
