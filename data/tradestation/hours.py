"""When the market is open, as far as a feed must know: to tell a quiet symbol from a dead line."""

from typing import Protocol

import numpy as np

from data.sessions import SessionCalendar
from data.tradestation.bars import DAY_NS
from data.tradestation.clock import NS


class TradingHours(Protocol):
    """Answers for one symbol; times are UTC nanoseconds."""

    def is_open(self, at_ns: int) -> bool:
        """Whether trades are possible at ``at_ns``."""
        ...

    def open_seconds(self, first_ns: int, last_ns: int) -> float:
        """Seconds between the two times in which trades were possible."""
        ...


class AlwaysOpen:
    """A market without sessions, or one whose sessions are not known."""

    def is_open(self, at_ns: int) -> bool:
        """True."""
        return True

    def open_seconds(self, first_ns: int, last_ns: int) -> float:
        """All seconds between the two."""
        return max(0, last_ns - first_ns) / NS


class SessionTimes:
    """Hours given as sessions [open, close), ascending and apart."""

    def __init__(self, opens_ns: list[int], closes_ns: list[int]) -> None:
        self._opens = np.asarray(opens_ns, dtype=np.int64)
        self._closes = np.asarray(closes_ns, dtype=np.int64)

    def is_open(self, at_ns: int) -> bool:
        """Whether ``at_ns`` lies in a session."""
        index = int(np.searchsorted(self._opens, at_ns, side="right")) - 1
        return index >= 0 and at_ns < int(self._closes[index])

    def open_seconds(self, first_ns: int, last_ns: int) -> float:
        """Seconds of sessions between the two."""
        starts = np.clip(self._opens, first_ns, last_ns)
        ends = np.clip(self._closes, first_ns, last_ns)
        return float(np.maximum(ends - starts, 0).sum()) / NS


class CalendarHours:
    """Hours of a session calendar, looked up by the year as time goes on; pauses within a session are closed.

    Raises CalendarError, when asked, where the calendar does not cover the time.
    """

    def __init__(self, calendar: SessionCalendar) -> None:
        self._calendar = calendar
        self._times = SessionTimes([], [])
        self._first_ns = self._last_ns = 0

    def is_open(self, at_ns: int) -> bool:
        """Whether ``at_ns`` lies in a session."""
        return self._covering(at_ns, at_ns).is_open(at_ns)

    def open_seconds(self, first_ns: int, last_ns: int) -> float:
        """Seconds of sessions between the two; a first time more than a month back counts as a month."""
        first_ns = max(first_ns, last_ns - 31 * DAY_NS)
        return self._covering(first_ns, last_ns).open_seconds(first_ns, last_ns)

    def _covering(self, first_ns: int, last_ns: int) -> SessionTimes:
        if not self._first_ns <= first_ns <= last_ns <= self._last_ns:
            begin_ns, end_ns = first_ns - 35 * DAY_NS, last_ns + 5 * DAY_NS
            schedule = self._calendar.sessions(begin_ns, end_ns)
            opens, closes = schedule.open_ns.tolist(), schedule.close_ns.tolist()
            # Where a session has no pause, both ends of it are the close.
            starts, ends = schedule.break_start_ns, schedule.break_end_ns
            paused = starts < ends
            self._times = SessionTimes(sorted(opens + ends[paused].tolist()), sorted(closes + starts[paused].tolist()))
            self._first_ns, self._last_ns = begin_ns, end_ns
        return self._times
