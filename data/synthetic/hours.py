"""When synthetic sessions are, and how volatility and volume follow the hours of the day."""

from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from data.session_rules import local_ns

_NEW_YORK = ZoneInfo("America/New_York")
_DAY_HOURS = 23.0
# Hours since 18:00 New York: quiet evening, London's open (9), New York's (15.5), lunch, the close (22), the tail.
_HOURS = np.array([0.0, 0.5, 2.0, 7.0, 9.0, 10.5, 14.0, 15.4, 15.5, 16.5, 18.5, 20.5, 21.9, 22.0, 22.2, 23.0])
_VOLATILITY = np.array([0.9, 0.7, 0.5, 0.5, 0.9, 0.8, 0.8, 1.1, 2.4, 1.8, 1.1, 1.2, 1.7, 1.6, 0.6, 0.5])
_VOLUME = np.array([0.5, 0.25, 0.12, 0.1, 0.4, 0.4, 0.5, 0.9, 4.5, 3.4, 1.8, 1.9, 4.5, 3.0, 0.3, 0.15])


def session_days(first_day: date, sessions: int) -> list[date]:
    """Trade dates: Monday to Friday from ``first_day`` on."""
    days: list[date] = []
    day = first_day
    while len(days) < sessions:
        if day.weekday() < 5:
            days.append(day)
        day += timedelta(days=1)
    return days


def session_open_ns(day: date) -> int:
    """18:00 New York on the day before the trade date, UTC nanoseconds."""
    return local_ns(day - timedelta(days=1), time(18), _NEW_YORK)


def volatility_curve(bars: int) -> NDArray[np.float64]:
    """Factor on a bar's standard deviation through a session of ``bars`` bars; its mean square is 1."""
    curve = np.interp((np.arange(bars) + 0.5) * (_DAY_HOURS / bars), _HOURS, _VOLATILITY)
    return np.asarray(curve / np.sqrt(np.mean(curve**2)))


def volume_curve(bars: int) -> NDArray[np.float64]:
    """Factor on a bar's volume through a session of ``bars`` bars; its mean is 1."""
    curve = np.interp((np.arange(bars) + 0.5) * (_DAY_HOURS / bars), _HOURS, _VOLUME)
    return np.asarray(curve / np.mean(curve))
