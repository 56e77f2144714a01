"""A market that grows while it is watched: a master bar begins with its opens alone, is completed, may be corrected.

What a bot sees is the batch market over the bars known by then, so that indicators and sides are those of a backtest
over the same bars (S10.2). The bar under way holds its O four times: nothing later exists to be seen (S5.2).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import CalendarError
from data.instruments import Instrument
from data.series import BarSeries, FloatArray, TimeArray
from data.session_schedule import SessionSchedule
from data.sessions import RegularHours, SessionCalendar
from data.timeline import Timeline
from engine.kernel.state import DAY_LAST
from engine.market import FlagArray, Market, SessionPolicy, to_ticks

Figures = tuple[float, float, float, float, float]
NO_BAR = int(np.iinfo(np.int64).min)
FIRST_CAPACITY = 1024
MONTH_NS = 30 * 86_400_000_000_000


def moved(figures: Figures, gap: float) -> Figures:
    """The bar with all prices moved."""
    open_, high, low, close, volume = figures
    return open_ + gap, high + gap, low + gap, close + gap, volume


class GrowingArray:
    """Rows that are appended to; room is doubled, so that appending costs next to nothing."""

    def __init__(self, width: int, dtype: type[np.generic]) -> None:
        self._data = np.zeros((FIRST_CAPACITY, width), dtype)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, row: Sequence[float] | NDArray[np.generic]) -> None:
        """One more row at the end."""
        self.insert(self._count, row)

    def insert(self, place: int, row: Sequence[float] | NDArray[np.generic]) -> None:
        """One more row at ``place``; those behind it move up."""
        if self._count == len(self._data):
            self._data = np.concatenate([self._data, np.zeros_like(self._data)])
        self._data[place + 1 : self._count + 1] = self._data[place : self._count]
        self._data[place] = row
        self._count += 1

    @property
    def rows(self) -> NDArray[np.generic]:
        """The rows in use, without a copy."""
        return self._data[: self._count]


class KnownBars:
    """One symbol's real bars as they are known now."""

    def __init__(self, symbol: str, bar_ns: int) -> None:
        self.symbol, self.bar_ns = symbol, bar_ns
        self._times = GrowingArray(1, np.int64)
        self._figures = GrowingArray(5, np.float64)

    def __len__(self) -> int:
        return len(self._times)

    @property
    def last_ns(self) -> int:
        """Opening time of the newest bar; ``NO_BAR`` without one."""
        return int(self._times.rows[-1, 0]) if len(self) else NO_BAR

    @property
    def first_ns(self) -> int:
        """Opening time of the oldest bar; ``NO_BAR`` without one."""
        return int(self._times.rows[0, 0]) if len(self) else NO_BAR

    def put(self, open_ns: int, figures: Figures) -> None:
        """A bar's figures: a new bar in its place, or new figures of one that is there."""
        times = self._times.rows[:, 0]
        place = int(np.searchsorted(times, open_ns, side="left"))
        if place < len(times) and times[place] == open_ns:
            self._figures.rows[place] = figures
            return
        self._times.insert(place, [open_ns])
        self._figures.insert(place, figures)

    def get(self, open_ns: int) -> Figures | None:
        """The figures of the bar that opened then."""
        times = self._times.rows[:, 0]
        place = int(np.searchsorted(times, open_ns, side="left"))
        if place == len(times) or times[place] != open_ns:
            return None
        o, h, l, c, v = self._figures.rows[place].tolist()  # noqa: E741 - the letters of a bar
        return o, h, l, c, v

    def shift(self, gap: float, before_ns: int) -> None:
        """Move the prices of all bars that open before ``before_ns``."""
        count = int(np.searchsorted(self._times.rows[:, 0], before_ns, side="left"))
        prices = self._figures.rows[:count, :4]
        np.add(prices, gap, out=prices, casting="no")

    def series(self) -> BarSeries:
        """The bars as the batch code wants them; a copy, which later changes leave as it is."""
        table = self._figures.rows.astype(np.float64)
        columns = [np.ascontiguousarray(table[:, place]) for place in range(5)]
        return BarSeries(
            symbol=self.symbol,
            time_ns=self._times.rows[:, 0].astype(np.int64),
            open=columns[0],
            high=columns[1],
            low=columns[2],
            close=columns[3],
            volume=columns[4],
            bar_ns=self.bar_ns,
            source="live",
            digest="",
        )


class RememberedCalendar(SessionCalendar):
    """A calendar that keeps the sessions and hours it has looked up: a live market asks at every bar."""

    @classmethod
    def of(cls, calendar: SessionCalendar) -> "RememberedCalendar":
        """The same calendar, remembering."""
        return cls(name=calendar.name, overrides=calendar.overrides, cache_dir=calendar.cache_dir)

    @cached_property
    def _kept(self) -> dict[RegularHours | None, tuple[int, int, Any]]:
        return {}

    def sessions(self, first_ns: int, last_ns: int) -> SessionSchedule:
        """Sessions that cover both times; see SessionCalendar."""
        schedule: SessionSchedule = self._remembered(None, first_ns, last_ns, super().sessions)
        return schedule

    def _regular_windows(
        self, schedule: SessionSchedule, hours: RegularHours, first_ns: int, last_ns: int
    ) -> tuple[TimeArray, TimeArray]:
        look_up = super()._regular_windows

        def windows(first: int, last: int) -> tuple[TimeArray, TimeArray]:
            return look_up(self.sessions(first, last), hours, first, last)

        found: tuple[TimeArray, TimeArray] = self._remembered(hours, first_ns, last_ns, windows)
        return found

    def _remembered(
        self, key: RegularHours | None, first_ns: int, last_ns: int, look_up: Callable[[int, int], Any]
    ) -> Any:
        """What was looked up before where it covers both times, else what is looked up now, a month ahead."""
        first, last, found = self._kept.get(key, (0, -1, None))
        if first <= first_ns and last_ns <= last:
            return found
        try:
            found = look_up(first_ns, last_ns + MONTH_NS)
        except CalendarError:  # the calendar ends within a month: it is asked for what is needed alone
            return look_up(first_ns, last_ns)
        self._kept[key] = (first_ns, last_ns + MONTH_NS, found)
        return found

    def trading_day(self, time_ns: int) -> int:
        """Trading day, in days since 1970, of a bar that opens then (S7.4)."""
        schedule = self.sessions(time_ns, time_ns)
        return int(schedule.trading_day[np.searchsorted(schedule.close_ns, time_ns, side="right")])


class LiveMarket(Market):
    """The market as it stood at one moment; its last bar may still be open."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        series: Sequence[BarSeries],
        calendars: Sequence[RememberedCalendar],
        timeline: Timeline,
        seed: int,
        ends_day: bool = False,
    ) -> None:
        super().__init__(instruments, series, calendars=calendars, timeline=timeline, seed=seed)
        self.days = tuple(calendars)
        self._ends_day = ends_day

    def act_on(self, column: int, figures: Figures) -> None:
        """Let the last bar be what was acted on, where its figures are others by now (S17.2)."""
        ticks = to_ticks(np.array(figures[:4]), self.instruments[column].tick_size)
        self.bars[-1, column] = tuple(ticks.tolist())

    def flags(self, policy: SessionPolicy | None = None) -> FlagArray:
        """Flag bits of all bars; whether the last bar ends its trading day is told by the calendar alone (S7.4)."""
        if not len(self):
            return np.zeros((0, len(self.symbols)), np.uint8)
        flags = super().flags(policy)
        for column in range(len(self.symbols)):
            if not self.day_ends_after(column):
                flags[-1, column] &= ~np.uint8(DAY_LAST)
        return flags

    def day_ends_after(self, column: int) -> bool:
        """Whether the next bar of the symbol's length would belong to another trading day."""
        if self._ends_day:
            return True
        calendar, last = self.days[column], int(self.time_ns[-1])
        return calendar.trading_day(last) != calendar.trading_day(last + self.series[column].bar_ns)

    def _indicator_column(
        self, column: int, name: str, timeframe: str | None, parameters: Mapping[str, object]
    ) -> FloatArray:
        if not len(self.series[column]):
            return np.full(len(self), np.nan)
        return super()._indicator_column(column, name, timeframe, parameters)


class GrowingBars:
    """All symbols' bars and the master timeline that a run acted on.

    Args:
        instruments: contract facts, in configuration order.
        bar_ns: length of a bar, the same for all.
        seed: of everything random.
    """

    def __init__(self, instruments: Sequence[Instrument], bar_ns: int, seed: int) -> None:
        self.instruments = tuple(instruments)
        self.symbols = tuple(one.symbol for one in instruments)
        self.bar_ns, self.seed = bar_ns, seed
        self.calendars = [RememberedCalendar.of(SessionCalendar.named(one.calendar)) for one in instruments]
        self.known = [KnownBars(symbol, bar_ns) for symbol in self.symbols]
        self._times = GrowingArray(1, np.int64)
        self._as_of = GrowingArray(len(self.symbols), np.int64)
        self._real = GrowingArray(len(self.symbols), np.bool_)
        self._revisions: list[tuple[int, int, Figures]] = []
        self._acted: dict[int, Figures] = {}
        self._ends_day = False

    def __len__(self) -> int:
        return len(self._times)

    @property
    def last_ns(self) -> int:
        """Opening time of the newest master bar; ``NO_BAR`` before the first."""
        return int(self._times.rows[-1, 0]) if len(self) else NO_BAR

    def own_times(self, column: int) -> TimeArray:
        """Per master bar, when the symbol's newest bar opened, int64[n]; ``NO_BAR`` before its first."""
        return self._as_of.rows[:, column].astype(np.int64)

    def newest(self) -> dict[str, int]:
        """Opening time of each symbol's newest bar, revisions to come included; ``NO_BAR`` without one."""
        newest = {one.symbol: one.last_ns for one in self.known}
        for column, open_ns, _ in self._revisions:
            newest[self.symbols[column]] = max(newest[self.symbols[column]], open_ns)
        return newest

    def latest(self, symbol: str, open_ns: int) -> Figures | None:
        """The newest figures of a bar, a revision to come included; None where there is no such bar."""
        column = self.symbols.index(symbol)
        told = (figures for at, own_ns, figures in reversed(self._revisions) if at == column and own_ns == open_ns)
        return next(told, None) or self.known[column].get(open_ns)

    def begin(self, history: Mapping[str, Sequence[tuple[int, Figures]]]) -> None:
        """The bars from before the run, (opening time, figures) per symbol; they become master bars too."""
        for column, symbol in enumerate(self.symbols):
            for open_ns, figures in history.get(symbol, ()):
                self.known[column].put(open_ns, figures)
        times = [one.series().time_ns for one in self.known]
        for moment in np.unique(np.concatenate(times)).tolist():
            places = [int(np.searchsorted(own, moment, side="right")) - 1 for own in times]
            as_of = [int(own[place]) if place >= 0 else NO_BAR for own, place in zip(times, places, strict=True)]
            self._add(moment, as_of, [one == moment for one in as_of])

    def _add(self, time_ns: int, as_of: Sequence[int], real: Sequence[bool]) -> None:
        self._times.append([time_ns])
        self._as_of.append(as_of)
        self._real.append(real)

    def open(self, time_ns: int, opens: Mapping[str, tuple[int, float]], ends_day: bool = False) -> None:
        """Begin a master bar: per symbol that trades in it, when its own bar opened and at which price (S17.1)."""
        for column, open_ns, figures in self._revisions:
            self.known[column].put(open_ns, figures)
        self._revisions.clear()
        as_of = self._as_of.rows[-1].tolist() if len(self) else [NO_BAR] * len(self.symbols)
        real = [symbol in opens for symbol in self.symbols]
        for column, symbol in enumerate(self.symbols):
            if symbol in opens:
                as_of[column], price = opens[symbol]
                self.known[column].put(as_of[column], (price, price, price, price, 0.0))
        self._add(time_ns, as_of, real)
        self._acted, self._ends_day = {}, ends_day

    def close(self, figures: Mapping[str, Figures]) -> None:
        """Complete the master bar; the O that was acted on stays the O of what is acted on."""
        for column, symbol in enumerate(self.symbols):
            if symbol not in figures:
                continue
            own_ns = int(self._as_of.rows[-1, column])
            seen = self.known[column].get(own_ns)
            assert seen is not None
            price = seen[0]
            self.known[column].put(own_ns, figures[symbol])
            _, high, low, close, volume = figures[symbol]
            self._acted[column] = (price, max(high, price), min(low, price), close, volume)

    def revise(self, symbol: str, open_ns: int, figures: Figures) -> None:
        """New figures of a bar, or a bar that nobody acted on; they count from the next OPEN on (S17.2)."""
        self._revisions.append((self.symbols.index(symbol), open_ns, figures))

    def shift(self, symbol: str, gap: float, since_ns: int) -> None:
        """Move a symbol's earlier prices at once, O of the bar under way and revisions to come included."""
        column = self.symbols.index(symbol)
        self.known[column].shift(gap, since_ns)
        self._revisions = [
            (at, open_ns, moved(figures, gap) if at == column and open_ns < since_ns else figures)
            for at, open_ns, figures in self._revisions
        ]
        if column in self._acted and int(self._as_of.rows[-1, column]) < since_ns:
            self._acted[column] = moved(self._acted[column], gap)

    def first_bar_since(self, symbol: str, since_ns: int) -> int:
        """The first master bar that stands for a bar of the symbol that opened then or later; their count if none."""
        return int(np.searchsorted(self._as_of.rows[:, self.symbols.index(symbol)], since_ns, side="left"))

    def market(self) -> LiveMarket:
        """The market as it stands."""
        series = [one.series() for one in self.known]
        as_of = self._as_of.rows
        row = np.empty(as_of.shape, np.int32)
        for column, one in enumerate(series):
            row[:, column] = np.searchsorted(one.time_ns, as_of[:, column], side="right") - 1
        timeline = Timeline(
            self.symbols, self._times.rows[:, 0].astype(np.int64), self._real.rows.astype(np.bool_), row
        )
        market = LiveMarket(self.instruments, series, self.calendars, timeline, self.seed, self._ends_day)
        for column, figures in self._acted.items():
            market.act_on(column, figures)
        return market
