"""Decides whether bars' times can be right, by the hours in which their market is closed.

A file whose bars are stamped at their end and read as stamped at their start (or the reverse) has one bar a day just
outside of the session; a file read in the wrong zone has an hour of bars in the daily break.
"""

import numpy as np

from data.bar_times import length_text
from data.errors import BarError
from data.series import BarSeries, TimeArray
from data.sources.stamps import stamp_text
from data.zones import DAY_NS, SECOND_NS

_NEARLY_ALL_DAY_NS = 20 * 3600 * SECOND_NS
_MOST = 0.5
_FEW = 0.02


def check_sessions(series: BarSeries, calendar: str) -> str | None:
    """Return a sentence about bars outside of the calendar's sessions, or None; BarError if label or zone is wrong.

    Daily bars have no time of day, and are not checked. Raises CalendarError if the calendar is unknown.
    """
    if series.bar_ns >= DAY_NS:
        return None
    from data.sessions import SessionCalendar

    table = SessionCalendar.named(calendar).table(series.time_ns)
    opens, closes = np.unique(table.session_open_ns), np.unique(table.session_close_ns)
    outside = ~table.in_session
    if not outside.any():
        return None
    _check_label(series, opens, closes, calendar)
    first = stamp_text(int(series.time_ns[int(np.argmax(outside))]))
    fact = (
        f"{int(outside.sum())} of {len(series)} bars open outside of the sessions of {calendar}, first at {first} UTC"
    )
    nearly_all_day = float(np.median(table.session_close_ns - table.session_open_ns)) >= _NEARLY_ALL_DAY_NS
    if nearly_all_day and int(outside.sum()) > _FEW * len(series):
        raise BarError(
            f"{series.source}: {fact}; the times are of another zone or market: set `timezone`, or correct `calendar`"
        )
    return f"{series.symbol}: {fact}"


def _check_label(series: BarSeries, opens: TimeArray, closes: TimeArray, calendar: str) -> None:
    """Raise if most sessions have a bar that opens as they close and none as they open, or one just before that."""
    times, sessions = series.time_ns, len(opens)
    at_open, at_close = int(np.isin(opens, times).sum()), int(np.isin(closes, times).sum())
    before = int(np.isin(opens - series.bar_ns, times).sum())
    length = length_text(series.bar_ns)
    if at_close > _MOST * sessions and at_open < _MOST * at_close:
        raise BarError(
            f"{series.source}: {at_close} of {sessions} sessions of {calendar} have a {length} bar stamped at their "
            f"close and {at_open} one stamped at their open, so bars are stamped at their end; set `timestamp: close`"
        )
    if before > _MOST * sessions and before > 2 * at_close:
        raise BarError(
            f"{series.source}: {before} of {sessions} sessions of {calendar} have a bar that opens {length} before, "
            "so bars are stamped at their start; set `timestamp: open`"
        )
