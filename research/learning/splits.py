"""Which entries are for learning and which for judging: by time, purged and with an embargo, never shuffled.

An entry whose last arm exits after the judging part begins would carry its future into the learning part: it is
purged. The embargo keeps a further stretch free (Lopez de Prado 2018, chapter 7).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from research.learning.entries import Entries

DAY_NS = 86_400_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Masks of entries: ``train`` and ``test``; times at which the judging part begins and ends, UTC nanoseconds."""

    train: NDArray[np.bool_]
    test: NDArray[np.bool_]
    begins_ns: int
    ends_ns: int

    @property
    def purged(self) -> int:
        """Entries that belong to neither: they reach into the judging part, or end behind the data."""
        return int(np.count_nonzero(~self.train & ~self.test))


def split_at(entries: Entries, begins_ns: int, ends_ns: int | None = None, embargo_ns: int = DAY_NS) -> Split:
    """Learn from what was over ``embargo_ns`` before ``begins_ns``; judge what begins from then to ``ends_ns``."""
    end = int(entries.time_ns[-1]) + 1 if ends_ns is None else ends_ns
    whole = ~entries.censored
    return Split(
        train=whole & (entries.end_ns + embargo_ns <= begins_ns),
        test=whole & (entries.time_ns >= begins_ns) & (entries.time_ns < end),
        begins_ns=begins_ns,
        ends_ns=end,
    )


def split_by_share(entries: Entries, share: float = 0.7, embargo_ns: int = DAY_NS) -> Split:
    """The first ``share`` of the time for learning, the rest for judging."""
    first, last = int(entries.time_ns[0]), int(entries.time_ns[-1])
    return split_at(entries, first + int((last - first) * share), embargo_ns=embargo_ns)


def walk_forward(entries: Entries, folds: int, first: float = 0.4, embargo_ns: int = DAY_NS) -> Iterator[Split]:
    """``folds`` judging parts of equal length behind the ``first`` share; each learns from all that came before."""
    begin, last = int(entries.time_ns[0]), int(entries.time_ns[-1]) + 1
    judged = begin + int((last - begin) * first)
    edges = [judged + (last - judged) * number // folds for number in range(folds + 1)]  # floats would lose ns
    for start, end in pairwise(edges):
        yield split_at(entries, start, end, embargo_ns)
