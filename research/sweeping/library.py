"""The bars of a sweep, read once and handed to every run; for other processes, the part that a group of symbols needs.

A part is a list of arrays: prices and times of its symbols, and their bars in ticks. Whoever runs the sweep puts them
where others can map them, in one block of memory or in a cluster's object store; nobody copies them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import DataError, TriphaseError
from data.instruments import Instrument
from data.loading import SourceSettings, load_series
from data.series import BarSeries, TimeArray
from data.timeline import Timeline
from engine.config import BacktestConfig, fine_source_settings, instrument_of, source_settings
from engine.preparing import bar_cache, prepare
from research.sweeping.folds import Span
from research.sweeping.plan import Cell, Plan

_ARRAYS = ("time_ns", "open", "high", "low", "close", "volume")
_TIMES, _TICKS = "times", "ticks"
_TO_LINE = 64  # bytes: arrays begin where cache lines do
Records = NDArray[Any]
Arrays = dict[str, NDArray[Any]]
Facts = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Book:
    """Bars that were read by some settings, or why they could not be."""

    settings: SourceSettings
    series: BarSeries | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """Bars of a group of symbols in ticks.

    Attributes:
        facts: digest of the bars and size of a tick, per symbol.
        time_ns: the master timeline; bars: BAR records [n, k] on it.
    """

    facts: Facts
    time_ns: TimeArray
    bars: Records

    def part(
        self, series: Sequence[BarSeries], instruments: Sequence[Instrument], timeline: Timeline
    ) -> Records | None:
        """The rows that a market of these bars would make; None where it has to make them itself.

        That is so where facts differ, and where the bars were cut at a time at which a symbol has none: whoever cuts
        does not know the close before, which the rows carry on.
        """
        if facts_of(series, instruments) != self.facts:
            return None
        first = int(np.searchsorted(self.time_ns, timeline.time_ns[0]))
        if first > 0 and timeline.row[0].min() < 0:
            return None
        rows = slice(first, first + len(timeline))
        times = self.time_ns[rows]
        same = len(times) == len(timeline) and bool((times[[0, -1]] == timeline.time_ns[[0, -1]]).all())
        return self.bars[rows] if same else None


def facts_of(series: Sequence[BarSeries], instruments: Sequence[Instrument]) -> Facts:
    """What a table in ticks is made from."""
    return tuple((one.digest, facts.tick_size) for one, facts in zip(series, instruments, strict=True))


@dataclass(frozen=True)
class Library:
    """Bars of a sweep, all of them or those of a group of symbols.

    Attributes:
        digests: digest of each symbol's bars; of finer bars under ``symbol/fine``; why they could not be loaded.
        ground: the group's bars in ticks, where they have been made for all of its runs.
    """

    books: tuple[Book, ...]
    digests: Mapping[str, str] = field(default_factory=dict)
    ground: Ground | None = None

    @classmethod
    def of(cls, config: BacktestConfig) -> "Library":
        """Read the bars of every symbol of a configuration; those that cannot be read fail later, in their runs."""
        books: list[Book] = []
        digests: dict[str, str] = {}
        for symbol in config.symbols:
            try:
                instrument, _ = instrument_of(config, symbol)
                wanted = {symbol: source_settings(config, symbol, instrument.calendar)}
                fine = fine_source_settings(config, symbol, instrument.calendar)
            except TriphaseError as error:
                digests[symbol] = f"error: {error}"
                continue
            if fine is not None:
                wanted[f"{symbol}/fine"] = fine
            for name, settings in wanted.items():
                book = _read(settings, bar_cache(config))
                books.append(book)
                digests[name] = f"error: {book.error}" if book.series is None else book.series.digest
        return cls(tuple(books), digests)

    def read(self, settings: SourceSettings, cache: Path | None) -> BarSeries:
        """The bars read by these settings; read now where they have not been.

        Raises:
            DataError: where they cannot be read.
        """
        book = next((book for book in self.books if book.settings == settings), None)
        if book is None:
            return load_series(settings, cache)
        if book.series is None:
            raise DataError(book.error)
        return book.series

    @property
    def range_ns(self) -> tuple[int, int] | None:
        """Time of the first and of the last bar of all symbols; None where no bars could be read."""
        held = [book.series for book in self.books if book.series is not None and len(book.series)]
        if not held:
            return None
        return min(int(one.time_ns[0]) for one in held), max(int(one.time_ns[-1]) for one in held)

    @property
    def bars(self) -> int:
        """Bars of all symbols, finer ones too."""
        return sum(0 if book.series is None else len(book.series) for book in self.books)

    def bars_of(self, symbols: tuple[str, ...]) -> int:
        """Bars of a group of symbols, finer ones too."""
        return Library(self._books_of(symbols)).bars

    def _books_of(self, symbols: tuple[str, ...]) -> tuple[Book, ...]:
        return tuple(book for book in self.books if book.settings.symbol in symbols)

    def in_ticks(
        self, series: Sequence[BarSeries], instruments: Sequence[Instrument], timeline: Timeline
    ) -> Records | None:
        """The table of these bars in ticks where it has been made, else None."""
        return None if self.ground is None else self.ground.part(series, instruments, timeline)

    # The part of a group of symbols

    def of_group(self, plan: Plan, symbols: tuple[str, ...]) -> "Library":
        """What the cells of a group of symbols need, with its bars in ticks.

        Those are made from the bars as they are read: a sweep whose runs join them to longer ones makes its own.
        """
        ground = None if plan.base.bar is not None else self._ground(plan, symbols)
        return Library(self._books_of(symbols), ground=ground)

    def _ground(self, plan: Plan, symbols: tuple[str, ...]) -> Ground | None:
        spans = [cell.span for cell in plan.cells if cell.symbols == symbols]
        starts = [span.start for span in spans if span.start is not None]
        ends = [span.end for span in spans if span.end is not None]
        start = min(starts, key=date.isoformat) if len(starts) == len(spans) else None
        end = max(ends, key=date.isoformat) if len(ends) == len(spans) else None
        whole = Span(0, "all", start, end)
        try:
            market = prepare(plan.stage_config(Cell(symbols, whole, plan.cells[0].path, 0), ()), read=self.read).market
        except TriphaseError:
            return None  # its runs will say why
        return Ground(facts_of(market.series, market.instruments), market.time_ns, market.bars)

    def arrays(self) -> Arrays:
        """Every array by the number of its book and its name, and the ground's."""
        held = {
            f"{number}/{name}": np.ascontiguousarray(getattr(book.series, name))
            for number, book in enumerate(self.books)
            if book.series is not None
            for name in _ARRAYS
        }
        if self.ground is not None:
            held |= {_TIMES: self.ground.time_ns, _TICKS: self.ground.bars}
        return held

    def catalogue(self) -> "Library":
        """The same without the bars: what is sent to a process that maps them itself."""
        ground = self.ground
        if ground is not None:
            ground = replace(ground, time_ns=ground.time_ns[:0].copy(), bars=ground.bars[:0].copy())
        return replace(
            self, books=tuple(replace(book, series=_emptied(book.series)) for book in self.books), ground=ground
        )

    def filled(self, arrays: Mapping[str, NDArray[Any]]) -> "Library":
        """The library whose catalogue this is, on arrays by the names that ``arrays`` gives them."""
        books = []
        for number, book in enumerate(self.books):
            held: dict[str, Any] = {name: arrays[f"{number}/{name}"] for name in _ARRAYS if book.series is not None}
            books.append(book if book.series is None else replace(book, series=replace(book.series, **held)))
        ground = self.ground
        if ground is not None:
            ground = replace(ground, time_ns=arrays[_TIMES], bars=arrays[_TICKS])
        return replace(self, books=tuple(books), ground=ground)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an array lies in a block of memory."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int


def layout(arrays: Mapping[str, NDArray[Any]]) -> tuple[tuple[Placed, ...], int]:
    """Where each array goes, and the bytes that all take; arrays that are the same memory take one place."""
    places, begins, size = [], dict[tuple[int, int], int](), 0
    for name, array in arrays.items():
        memory = (array.ctypes.data, array.nbytes)
        if memory not in begins:
            begins[memory] = size
            size += -(-array.nbytes // _TO_LINE) * _TO_LINE
        places.append(Placed(name, array.dtype, array.shape, begins[memory]))
    return tuple(places), max(size, _TO_LINE)


def mapped(block: memoryview, places: Sequence[Placed]) -> Arrays:
    """The arrays of a block, which cannot be written."""
    found: Arrays = {}
    for place in places:
        array: NDArray[Any] = np.ndarray(place.shape, place.dtype, buffer=block, offset=place.begin)
        array.flags.writeable = False
        found[place.name] = array
    return found


def write(block: memoryview, places: Sequence[Placed], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Copy the arrays to their places in a block."""
    for place in places:
        array = np.ascontiguousarray(arrays[place.name])
        block[place.begin : place.begin + array.nbytes] = array.reshape(-1).view(np.uint8).data


def _read(settings: SourceSettings, cache: Path | None) -> Book:
    try:
        return Book(settings, load_series(settings, cache))
    except TriphaseError as error:
        return Book(settings, None, str(error))


def _emptied(series: BarSeries | None) -> BarSeries | None:
    if series is None:
        return None
    nothing: dict[str, Any] = {name: getattr(series, name)[:0].copy() for name in _ARRAYS}
    return replace(series, **nothing)
