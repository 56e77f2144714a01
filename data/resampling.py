"""Decides how longer bars are built from finer ones, and which of them are over at a given time (rulebook S3.6).

Longer bars are aligned to the session's open; a session's last bar is cut at its end. Without sessions they are aligned
to midnight UTC.
"""

import hashlib
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from data.bar_times import length_ns, length_text
from data.errors import BarError
from data.series import BarSeries, TimeArray
from data.zones import DAY_NS


def resample(series: BarSeries, bar_length: str, session_open_ns: TimeArray | None = None) -> BarSeries:
    """Return the series in bars of ``bar_length``, a whole multiple of its own.

    Args:
        series: the finer bars, n of them.
        bar_length: such as ``5m`` or ``1h``; the same length returns the series itself.
        session_open_ns: int64[n], opening time of the session that each bar belongs to (or of the next one, for a bar
            between two sessions); None: midnight UTC.

    A bar's time is its place on the grid, whether or not its first minute traded. Raises BarError if the lengths do
    not fit, or ``bar_length`` is more than a day: bars end with their session, so that it would give days under a
    longer name.
    """
    wanted = length_ns(bar_length)
    if wanted == series.bar_ns:
        return series
    if wanted < series.bar_ns or wanted % series.bar_ns:
        raise BarError(
            f"{series.symbol}: bars of {length_text(series.bar_ns)} cannot be joined to bars of {bar_length} (S3.6); "
            f"choose a whole multiple of {length_text(series.bar_ns)}"
        )
    if wanted > DAY_NS:
        raise BarError(
            f"{series.symbol}: bars of {bar_length} cannot be built: each session's last bar ends with it (S3.6); "
            "choose 1d or less"
        )
    if not len(series):
        return replace(series, bar_ns=wanted, digest=_digest(series, wanted, None))
    origin = series.time_ns // DAY_NS * DAY_NS if session_open_ns is None else session_open_ns
    starts, first = _buckets(series.time_ns, origin, wanted)
    last = np.concatenate((first[1:], [len(series)])) - 1
    return replace(
        series,
        time_ns=starts,
        open=series.open[first],
        high=np.maximum.reduceat(series.high, first),
        low=np.minimum.reduceat(series.low, first),
        close=series.close[last],
        volume=np.add.reduceat(series.volume, first),
        bar_ns=wanted,
        digest=_digest(series, wanted, session_open_ns),
    )


def closed_bar_index(fine: BarSeries, coarse: BarSeries) -> NDArray[np.int64]:
    """Return, for the OPEN of each fine bar, the index of the last coarse bar that is over by then; -1 for none.

    A coarse bar is over one bar length after it opened, or when the next one opens.
    """
    ends = coarse.time_ns + coarse.bar_ns
    ends[:-1] = np.minimum(ends[:-1], coarse.time_ns[1:])
    found: NDArray[np.int64] = (np.searchsorted(ends, fine.time_ns, side="right") - 1).astype(np.int64)
    return found


def _buckets(time_ns: TimeArray, origin: TimeArray, wanted: int) -> tuple[TimeArray, NDArray[np.int64]]:
    """Return the times of the longer bars and the index of each one's first fine bar."""
    step = (time_ns - origin) // wanted
    changes = (np.diff(origin) != 0) | (np.diff(step) != 0)
    first = np.flatnonzero(np.concatenate(([True], changes)))
    starts = origin[first] + step[first] * wanted
    # A bar between two sessions counts from the next one's open; its place on that grid may lie in the session before.
    return np.where(step[first] < 0, time_ns[first], starts), first


def _digest(series: BarSeries, wanted: int, origin: TimeArray | None) -> str:
    parts = hashlib.sha256(f"{series.digest} {wanted}".encode())
    if origin is not None:
        parts.update(np.ascontiguousarray(origin).tobytes())
    return parts.hexdigest()
