"""Which values indicators have on a live chart: of its own closed bars, in whatever timeframe it shows (S3.6, S10)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.charts.line_pyramid import LinePyramid
from app.charts.lines import Line
from app.charts.timeframe import BarView, Timeframe
from app.panels.charts import MINUTE_NS, MINUTES, indicator_text
from data.series import FloatArray, TimeArray
from data.sessions import SessionCalendar
from engine import indicators
from engine.indicators import IndicatorBars, compute


def timeframe_of(name: str | None, calendar: SessionCalendar) -> Timeframe | None:
    """The timeframe of a name: aligned to the sessions of the calendar, or to UTC days where there are none."""
    if name is None:
        return None
    length = MINUTES[name] * MINUTE_NS
    if calendar.continuous:
        return Timeframe(name, length)

    def session_open(time_ns: TimeArray) -> TimeArray:
        opens: TimeArray = calendar.table(time_ns).session_open_ns
        return opens

    return Timeframe(name, length, session_open)


def indicator_lines(view: BarView, closed: int, calendar: SessionCalendar, one: dict[str, Any]) -> list[Line]:
    """One line per output of an indicator over the bars of ``view``, of whose master bars ``closed`` have closed.

    All anew from the closed bars: the same numbers as a backtest's (S10.2).
    """
    name, given = str(one["name"]), dict(one.get("parameters", {}))
    about = indicators.describe(name)
    parameters = {each.name: given.get(each.name, each.default) for each in about.parameters}
    bars = closed_bars(view, closed, calendar)
    lines = []
    for output in about.outputs:
        values = _spread(view, closed, compute(name, bars, **parameters, output=output))
        text = indicator_text(name, output if len(about.outputs) > 1 else "", parameters)
        lines.append(Line(text, LinePyramid(np.ascontiguousarray(values))))
    return lines


def closed_bars(view: BarView, closed: int, calendar: SessionCalendar) -> IndicatorBars:
    """The bars of a view that have closed."""
    store, count = view.store, view.complete(closed)
    session = None
    if not calendar.continuous and count:
        session = calendar.table(store.time_ns[:count]).session
    columns = (store.open, store.high, store.low, store.close, store.volume)
    o, h, l, c, v = (np.ascontiguousarray(column[:count]) for column in columns)  # noqa: E741 - a bar's letters
    return IndicatorBars(open=o, high=h, low=l, close=c, volume=v, time_ns=store.time_ns[:count], session=session)


def _spread(view: BarView, closed: int, values: FloatArray) -> NDArray[np.float64]:
    """Values of the view's bars, one per closed master bar: each from the CLOSE of its last master bar on."""
    if view.timeframe is None:
        return values
    place = np.searchsorted(view.ends(len(values)), np.arange(closed), side="right") - 1
    return np.where(place >= 0, np.append(values, np.nan)[place], np.nan)
