"""What the market did: bars of all symbols on the master timeline, in prices for bots and in ticks for the kernel.

Also the flags that say when a symbol trades, when its trading day turns, and when sessions end (S3, S7.4, S11.1), and
indicator tables computed once and read by everyone (S10).
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.instruments import AssetClass, Instrument
from data.resampling import resample
from data.series import BarSeries, FloatArray, TimeArray
from data.sessions import REGULAR_HOURS, RegularHours, SessionCalendar, SessionTable, flatten_window
from data.timeline import Timeline, build_timeline
from engine.chance import seeded_generator
from engine.errors import ConfigError
from engine.indicators import IndicatorBars, compute
from engine.kernel.state import BAR, DAY_FIRST, DAY_LAST, ENTRY_OK, FLATTEN, REAL, SESSION_FIRST
from engine.scale import LARGE, LAST_BITS
from engine.tables import empty_bars

HOUR_NS = 3_600_000_000_000
_BLOCK = 1 << 14  # bars taken to ticks at a time: few enough to stay in the processor's cache
GRID_TOLERANCE = 1e-6
FlagArray = NDArray[np.uint8]
Key = tuple[str, str | None, tuple[tuple[str, object], ...]]


def to_ticks(prices: FloatArray, tick_size: float) -> FloatArray:
    """Prices as tick counts; within 1e-6 tick of the grid they are whole numbers, others stay fractions (S2.1).

    Counts so large that their last bits are worth more than that are whole within these.
    """
    ticks = prices / tick_size
    nearest = np.rint(ticks)
    tolerance: float | FloatArray = GRID_TOLERANCE
    if ticks.size and max(ticks.max(), -ticks.min()) > LARGE:
        tolerance = np.maximum(GRID_TOLERANCE, LAST_BITS * np.abs(nearest))
    snapped: FloatArray = np.where(np.abs(ticks - nearest) <= tolerance, nearest, ticks) + 0.0
    return snapped


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPolicy:
    """What the base bot asks of sessions (S11.1).

    Attributes:
        flatten: flatten before the session's end; None: for futures with a calendar and bars up to an hour.
        minutes: length of the window before the end.
        enforce: entries in regular hours only.
        regular_hours: from, to (HH:MM), zone.
    """

    flatten: bool | None = None
    minutes: float = 5.0
    enforce: bool = False
    regular_hours: RegularHours = REGULAR_HOURS


class Columns(dict[str, int]):
    """Columns of symbols; who asks for another symbol is told which there are."""

    def __missing__(self, symbol: str) -> int:
        raise KeyError(f"the run has no symbol {symbol!r}; it has {', '.join(self)}")


class Market:
    """Bars of ``k`` symbols on ``n`` master bars.

    Attributes:
        symbols: names, in configuration order; columns: where each of them is in the tables.
        instruments: contract facts per symbol.
        series: the real bars per symbol.
        fine: finer bars per symbol, where there are any (S6.4).
        timeline: the master timeline.
        bars: BAR records [n, k] in ticks; a synthetic bar has only its close (S3.2). They are made from the series,
            unless they are given, made from the same series before.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        series: Sequence[BarSeries],
        fine: Mapping[str, BarSeries] | None = None,
        calendars: Sequence[SessionCalendar] | None = None,
        timeline: Timeline | None = None,
        seed: int = 0,
        bars: NDArray[Any] | None = None,
    ) -> None:
        self.seed = seed
        self.instruments = tuple(instruments)
        self.series = tuple(series)
        self.symbols = tuple(one.symbol for one in series)
        self.columns = Columns((symbol, column) for column, symbol in enumerate(self.symbols))
        self.fine = dict(fine or {})
        self.timeline = timeline if timeline is not None else build_timeline(series)
        self.calendars = tuple(calendars or (SessionCalendar.named(one.calendar) for one in instruments))
        self._given_bars = bars
        self._tables: dict[Key, FloatArray] = {}
        self._sessions: dict[str | None, SessionTable] = {}
        self._own_sessions: dict[int, SessionTable] = {}

    def __len__(self) -> int:
        return len(self.timeline)

    @property
    def time_ns(self) -> TimeArray:
        """Times at which the master bars open, int64[n], UTC nanoseconds."""
        return self.timeline.time_ns

    @cached_property
    def bars(self) -> NDArray[Any]:
        """BAR records [n, k] in ticks; a synthetic bar has only its close (S3.2). Made when an engine first asks."""
        return self._bars_in_ticks() if self._given_bars is None else self._given_bars

    def column(self, symbol: str) -> int:
        """Column of a symbol.

        Raises:
            KeyError: where the run has no such symbol.
        """
        return self.columns[symbol]

    def _bars_in_ticks(self) -> NDArray[Any]:
        bars = empty_bars(len(self), len(self.symbols))
        for column, (one, facts) in enumerate(zip(self.series, self.instruments, strict=True)):
            real, row = self.timeline.real[:, column], self.timeline.row[:, column]
            if self._one_to_one(column, len(one)):
                self._fill_column(bars[:, column], one, facts)
                continue
            own = np.empty(len(one), BAR)
            self._fill_column(own, one, facts)
            # As plain numbers: records are copied field by field, which takes several times as long.
            table = bars.view(np.float64).reshape(*bars.shape, 4)
            # By row: a live bar may stand at two master bars, or at none.
            table[real, column] = own.view(np.float64).reshape(-1, 4)[row[real]]
            carried = np.flatnonzero(~real & (row >= 0))
            table[carried, column, 3] = own["c"][row[carried]]
        return bars

    def _one_to_one(self, column: int, bars: int) -> bool:
        """Whether master bar and own bar are the same number; live, as many may stand at none as stand at two."""
        real, row = self.timeline.real[:, column], self.timeline.row[:, column]
        return bars == len(self) and bool(real.all()) and np.array_equal(row, np.arange(bars))

    @staticmethod
    def _fill_column(target: NDArray[Any], one: BarSeries, facts: Instrument) -> None:
        for first in range(0, len(one), _BLOCK):
            part = slice(first, first + _BLOCK)
            for field, prices in (("o", one.open), ("h", one.high), ("l", one.low), ("c", one.close)):
                target[field][part] = to_ticks(prices[part], facts.tick_size)

    # Prices for bots that decide on whole arrays

    def _spread(self, column: int, values: FloatArray, fill: bool) -> FloatArray:
        """Values of a symbol's real bars on the master timeline; carried forward or NaN on synthetic bars."""
        row, real = self.timeline.row[:, column], self.timeline.real[:, column]
        if self._one_to_one(column, len(values)):
            return values
        known = row >= 0 if fill else real
        spread = np.full(len(self), np.nan)
        spread[known] = values[row[known]]
        return spread

    def _prices(self, field: str, fill: bool) -> FloatArray:
        columns = [self._spread(column, getattr(one, field), fill) for column, one in enumerate(self.series)]
        return _side_by_side(columns)

    @cached_property
    def open(self) -> FloatArray:
        """Opens, float64[n, k]; NaN on synthetic bars. Known at OPEN of the bar."""
        return self._prices("open", False)

    @cached_property
    def high(self) -> FloatArray:
        """Highs, float64[n, k]; NaN on synthetic bars. Known from CLOSE of the bar on."""
        return self._prices("high", False)

    @cached_property
    def low(self) -> FloatArray:
        """Lows, float64[n, k]; NaN on synthetic bars. Known from CLOSE of the bar on."""
        return self._prices("low", False)

    @cached_property
    def close(self) -> FloatArray:
        """Closes, float64[n, k]; the last close on synthetic bars (S3.2). Known from CLOSE of the bar on."""
        return self._prices("close", True)

    @cached_property
    def volume(self) -> FloatArray:
        """Volumes, float64[n, k]; 0 on synthetic bars (S3.2). Known from CLOSE of the bar on."""
        return np.nan_to_num(self._prices("volume", False), nan=0.0)

    @staticmethod
    def before(table: FloatArray) -> FloatArray:
        """The table one bar earlier: what is known at OPEN of a bar from values of closed bars; NaN first."""
        shifted = np.empty_like(table)
        shifted[0] = np.nan
        shifted[1:] = table[:-1]
        return shifted

    def known_at_open(self, column: int, values: FloatArray) -> FloatArray:
        """Values of a symbol's closed real bars as known at the OPEN of each master bar; NaN before the first."""
        return self.before(self._spread(column, values, True))

    def volume_at(self, column: int, bar: int) -> float:
        """Volume of a bar; 0 on a synthetic one (S3.2)."""
        if not self.timeline.real.item(bar, column):
            return 0.0
        volume: float = self.series[column].volume.item(self.timeline.row.item(bar, column))
        return volume

    # Sessions

    def sessions(self, column: int) -> SessionTable:
        """Session facts of the master bars for a symbol's calendar."""
        calendar = self.calendars[column]
        if calendar.name not in self._sessions:
            self._sessions[calendar.name] = calendar.table(self.time_ns)
        return self._sessions[calendar.name]

    def own_sessions(self, column: int) -> SessionTable:
        """Session facts of a symbol's own bars."""
        if len(self.series[column]) == len(self) and self.timeline.real[:, column].all():
            return self.sessions(column)
        if column not in self._own_sessions:
            self._own_sessions[column] = self.calendars[column].table(self.series[column].time_ns)
        return self._own_sessions[column]

    @property
    def trading_day(self) -> NDArray[np.int32]:
        """Trading day of each master bar for the account: that of the first symbol (S7.4, S13)."""
        return self.sessions(0).trading_day

    def flattens(self, column: int, policy: SessionPolicy) -> bool:
        """Whether a symbol is flattened before its session ends (S11.1, S18).

        Raises:
            ConfigError: where sessions are asked for on bars longer than an hour.
        """
        one, facts = self.series[column], self.instruments[column]
        if one.bar_ns > HOUR_NS and (policy.flatten or policy.enforce):
            name = "flatten_before_maintenance" if policy.flatten else "enforce_sessions"
            raise ConfigError(
                f"bot.{name}: {one.symbol} has bars of {one.bar_ns / HOUR_NS:g} hours, longer than an hour, in which "
                f"sessions cannot be kept (S11.1); set {name}: false or use shorter bars"
            )
        wanted = facts.asset_class is AssetClass.FUTURE if policy.flatten is None else policy.flatten
        return wanted and one.bar_ns <= HOUR_NS and self.calendars[column].name is not None

    def flags(self, policy: SessionPolicy | None = None) -> FlagArray:
        """Flag bits of all bars, uint8[n, k]; without a policy every real bar allows entries."""
        flags = np.zeros((len(self), len(self.symbols)), np.uint8)
        for column in range(len(self.symbols)):
            flags[:, column] = self._column_flags(column, policy)
        return flags

    def _column_flags(self, column: int, policy: SessionPolicy | None) -> FlagArray:
        real = self.timeline.real[:, column]
        table = self.sessions(column)
        turns = np.flatnonzero(np.diff(table.trading_day)) + 1
        flags = np.where(real, REAL, 0).astype(np.uint8)
        flags[0] |= DAY_FIRST
        flags[-1] |= DAY_LAST
        flags[turns] |= DAY_FIRST
        flags[turns - 1] |= DAY_LAST
        allowed = np.ones(len(self), np.bool_)
        if policy is not None and policy.enforce:
            allowed &= self.calendars[column].table(self.time_ns, policy.regular_hours).regular
        if policy is not None and self.flattens(column, policy):
            window = flatten_window(table, self.time_ns, self.series[column].bar_ns, policy.minutes) & real
            flags[window] |= FLATTEN
            own = np.flatnonzero(real)
            flags[own[1:][np.diff(table.session[own]) != 0]] |= SESSION_FIRST
            allowed &= ~window
        flags[allowed] |= ENTRY_OK
        return flags

    # Indicators

    def indicator_bars(self, column: int) -> IndicatorBars:
        """A symbol's real bars as indicators see them."""
        calendar = self.calendars[column]
        session = None if calendar.continuous else self.own_sessions(column).session
        return IndicatorBars.from_series(self.series[column], session)

    def indicator(self, name: str, timeframe: str | None = None, **parameters: object) -> FloatArray:
        """Indicator of all symbols, float64[n, k]: at t the value known once bar t has closed (S10).

        With ``timeframe`` (such as ``1h``) it is computed on bars of that length, closed ones only (S3.6).
        Carried forward over synthetic bars (S3.3). Read it one bar back at OPEN: ``Market.before(table)``.
        """
        key: Key = (name, timeframe, tuple(sorted(parameters.items())))
        if key not in self._tables:
            self._tables[key] = self._indicator_table(name, timeframe, parameters)
        return self._tables[key]

    def _indicator_table(self, name: str, timeframe: str | None, parameters: Mapping[str, object]) -> FloatArray:
        return _side_by_side([self._indicator_column(c, name, timeframe, parameters) for c in range(len(self.symbols))])

    def forget_indicators(self, most_bytes: int) -> None:
        """Forget the oldest tables until the others take at most ``most_bytes``; who holds one keeps it."""
        held = sum(table.nbytes for table in self._tables.values())
        for key in list(self._tables):
            if held <= most_bytes:
                return
            held -= self._tables.pop(key).nbytes

    def forget_tables(self) -> None:
        """Forget all that was derived from the series, until it is asked for again; who holds a table keeps it."""
        self.forget_indicators(0)
        for name in ("bars", "open", "high", "low", "close", "volume"):
            self.__dict__.pop(name, None)

    def reseeded(self, seed: int) -> "Market":
        """The same market, tables included, whose draws come from another seed."""
        self._given_bars = self.bars  # made now, once for both
        other = copy.copy(self)
        other.seed = seed
        return other

    def indicator_in_ticks(self, name: str, **parameters: object) -> FloatArray:
        """An indicator that is a distance in price, such as ``atr``, in ticks of each symbol, float64[n, k].

        The table in prices is not kept for it: who asks for that has it computed.
        """
        given = tuple(sorted(parameters.items()))
        key: Key = (name, "in ticks", given)
        if key not in self._tables:
            ticks = np.array([facts.tick_size for facts in self.instruments])
            prices = self._tables.get((name, None, given))
            if prices is None:
                prices = self._indicator_table(name, None, parameters)
            table = np.ascontiguousarray(prices / ticks)
            table.flags.writeable = False
            self._tables[key] = table
        return self._tables[key]

    def _indicator_column(
        self, column: int, name: str, timeframe: str | None, parameters: Mapping[str, object]
    ) -> FloatArray:
        if timeframe is None:
            return self._spread(column, compute(name, self.indicator_bars(column), **parameters), True)
        one = self.series[column]
        sessions = None if self.calendars[column].continuous else self.own_sessions(column).session_open_ns
        longer = resample(one, timeframe, sessions)
        values = compute(name, IndicatorBars.from_series(longer), **parameters)
        known = self._closed_by_next_open(longer)
        spread = np.full(len(self), np.nan)
        spread[known >= 0] = values[known[known >= 0]]
        return spread

    def _closed_by_next_open(self, longer: BarSeries) -> NDArray[np.int64]:
        """Per master bar, the last longer bar that is over when the next master bar opens; -1 for none."""
        ends = longer.time_ns + longer.bar_ns
        ends[:-1] = np.minimum(ends[:-1], longer.time_ns[1:])
        next_open = np.append(self.time_ns[1:], self.time_ns[-1] + min(one.bar_ns for one in self.series))
        found: NDArray[np.int64] = (np.searchsorted(ends, next_open, side="right") - 1).astype(np.int64)
        return found

    def draws(self, name: str) -> FloatArray:
        """Uniform draws in [0, 1) from a generator of (seed, name), float64[n]; draw t belongs to bar t (S11.6)."""
        return seeded_generator(self.seed, name).random(len(self))

    # Finer bars

    def fine_table(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Finer bars in ticks, all symbols behind one another, and where each master bar's begin, int64[k * (n + 1)].

        Finer bars that do not begin at the bar's O and reach its H, L and C are left out (S6.4).
        """
        tables, starts, offset = [np.empty(0, BAR)], [], 0
        for column, one in enumerate(self.series):
            rows, first = self._fine_column(column, self.fine.get(one.symbol))
            tables.append(rows)
            starts.append(first + offset)
            offset += len(rows)
        return np.concatenate(tables), np.concatenate(starts)

    def _fine_column(self, column: int, fine: BarSeries | None) -> tuple[NDArray[Any], NDArray[np.int64]]:
        if fine is None or not len(fine):
            return np.empty(0, BAR), np.zeros(len(self) + 1, np.int64)
        rows = np.empty(len(fine), BAR)
        self._fill_column(rows, fine, self.instruments[column])
        first = np.searchsorted(fine.time_ns, self.time_ns, side="left")
        last = np.searchsorted(fine.time_ns, self.time_ns + self.series[column].bar_ns, side="left")
        valid = self._fine_matches(column, rows, first, last)
        counts = np.where(valid, last - first, 0)
        inside = np.zeros(len(fine) + 1, np.int64)
        np.add.at(inside, first[valid], 1)
        np.add.at(inside, last[valid], -1)
        kept = np.cumsum(inside)[:-1] > 0
        return rows[kept], np.concatenate(([0], np.cumsum(counts))).astype(np.int64)

    def _fine_matches(
        self, column: int, rows: NDArray[Any], first: NDArray[np.int64], last: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Which bars their finer bars make up exactly, within the tolerance of the grid."""
        valid = self.timeline.real[:, column] & (last > first)
        for bar in np.flatnonzero(valid):
            part, whole = rows[first[bar] : last[bar]], self.bars[bar, column]
            made = (part["o"][0], part["h"].max(), part["l"].min(), part["c"][-1])
            gaps = [abs(a - whole[field]) for a, field in zip(made, ("o", "h", "l", "c"), strict=True)]
            valid[bar] = max(gaps) <= GRID_TOLERANCE
        return valid

    def cut(self, start_ns: int | None, end_ns: int | None) -> "Market":
        """The same market from ``start_ns`` (included) to ``end_ns`` (excluded), as copies of nothing."""
        return Market(
            self.instruments,
            [cut_series(one, start_ns, end_ns) for one in self.series],
            {name: cut_series(one, start_ns, end_ns) for name, one in self.fine.items()},
            self.calendars,
            seed=self.seed,
        )


def _side_by_side(columns: Sequence[FloatArray]) -> FloatArray:
    """Columns of symbols as one table [n, k] that cannot be written; of a single symbol without a copy."""
    table = columns[0].reshape(-1, 1) if len(columns) == 1 else np.column_stack(columns)
    table = np.ascontiguousarray(table).view()
    table.flags.writeable = False
    return table


def cut_series(series: BarSeries, start_ns: int | None, end_ns: int | None) -> BarSeries:
    """Bars that open from ``start_ns`` (included) to ``end_ns`` (excluded); views of the same arrays."""
    first = 0 if start_ns is None else int(np.searchsorted(series.time_ns, start_ns, side="left"))
    last = len(series) if end_ns is None else int(np.searchsorted(series.time_ns, end_ns, side="left"))
    return replace(
        series,
        time_ns=series.time_ns[first:last],
        open=series.open[first:last],
        high=series.high[first:last],
        low=series.low[first:last],
        close=series.close[first:last],
        volume=series.volume[first:last],
    )
