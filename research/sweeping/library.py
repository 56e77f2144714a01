"""The bars of a sweep, read once: handed to every run, and to other processes as one block of memory.

Worker processes map the block, they do not copy it; a cluster keeps the same arrays in its object store.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import DataError, TriphaseError
from data.loading import SourceSettings, load_series
from data.series import BarSeries
from engine.config import BacktestConfig, fine_source_settings, instrument_of, source_settings
from engine.preparing import bar_cache

_ARRAYS = ("time_ns", "open", "high", "low", "close", "volume")
_TO_LINE = 64  # bytes: arrays begin where cache lines do


@dataclass(frozen=True, slots=True)
class Book:
    """Bars that were read by some settings, or why they could not be."""

    settings: SourceSettings
    series: BarSeries | None
    error: str = ""


@dataclass(frozen=True)
class Library:
    """All bars of a sweep.

    Attributes:
        digests: digest of each symbol's bars; of finer bars under ``symbol/fine``; why they could not be loaded.
    """

    books: tuple[Book, ...]
    digests: Mapping[str, str] = field(default_factory=dict)

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
    def size(self) -> int:
        """Bytes that ``write_to`` needs."""
        return sum(_stretched(array.nbytes) for array in self.arrays().values()) or _TO_LINE

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every array by the number of its book and its name."""
        return {
            f"{number}/{name}": np.ascontiguousarray(getattr(book.series, name))
            for number, book in enumerate(self.books)
            if book.series is not None
            for name in _ARRAYS
        }

    def write_to(self, block: memoryview) -> None:
        """Copy all arrays into one block."""
        begin = 0
        for array in self.arrays().values():
            np.ndarray(array.shape, array.dtype, buffer=block, offset=begin)[:] = array
            begin += _stretched(array.nbytes)

    def catalogue(self) -> "Library":
        """The same without the bars: what is sent to a process that maps them itself."""
        return replace(self, books=tuple(replace(book, series=_emptied(book.series)) for book in self.books))

    def lengths(self) -> tuple[int, ...]:
        """Bars per book, 0 where there are none."""
        return tuple(0 if book.series is None else len(book.series) for book in self.books)

    def read_from(self, block: memoryview, lengths: tuple[int, ...]) -> "Library":
        """The library whose catalogue this is, on the arrays in a block; they cannot be written."""
        arrays: dict[str, NDArray[Any]] = {}
        begin = 0
        for number, (book, length) in enumerate(zip(self.books, lengths, strict=True)):
            if book.series is None:
                continue
            for name in _ARRAYS:
                dtype = np.dtype(np.int64 if name == "time_ns" else np.float64)
                array: NDArray[Any] = np.ndarray((length,), dtype, buffer=block, offset=begin)
                array.flags.writeable = False
                arrays[f"{number}/{name}"] = array
                begin += _stretched(array.nbytes)
        return self.filled(arrays)

    def filled(self, arrays: Mapping[str, NDArray[Any]]) -> "Library":
        """The library whose catalogue this is, on arrays by the names that ``arrays`` gives them."""
        books = []
        for number, book in enumerate(self.books):
            held: dict[str, Any] = {name: arrays[f"{number}/{name}"] for name in _ARRAYS if book.series is not None}
            books.append(book if book.series is None else replace(book, series=replace(book.series, **held)))
        return replace(self, books=tuple(books))


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


def _stretched(size: int) -> int:
    return -(-size // _TO_LINE) * _TO_LINE
