"""What a reader of a user's own is: a class that makes one symbol's bars out of a file that the loader does not know.

An asset names it (``reader: {name, module, settings}``), as a bot is named; runs, sweeps and the window use it alike.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from data.errors import SourceError, TriphaseError
from data.loading import SourceSettings
from data.series import BarSeries
from engine import settings as typed
from engine.catalog import find_class, made
from engine.config.sections import ReaderSection


class BarReader(ABC):
    """Base of readers. ``data.loading.series_from_frame`` puts what was read to the rules for bars (S3.4)."""

    Settings: ClassVar[type[typed.Settings]] = typed.Settings

    def __init__(self, settings: typed.Settings | None = None) -> None:
        self.settings = settings if settings is not None else self.Settings()

    @abstractmethod
    def read(self, source: SourceSettings) -> BarSeries:
        """The bars of ``source.symbol`` in ``source.file``, open-stamped, in UTC; the same for the same file."""


@dataclass(frozen=True, slots=True)
class OwnReader:
    """The reader that a section names; made only when it is used, so that it can be handed to other processes."""

    section: ReaderSection

    def __call__(self, source: SourceSettings) -> BarSeries:
        """Read.

        Raises:
            CatalogError, ConfigError: where the class or a setting is wrong.
            SourceError: where the reader raises, or gives anything but the symbol's bars.
        """
        # mypy takes an abstract base for a concrete class here; find_class refuses classes that lack methods.
        part = find_class(self.section, {}, BarReader, "reader")  # type: ignore[type-abstract]
        name = f"reader {self.section.name}"
        try:
            series: object = made(self.section, part).read(source)
        except TriphaseError:
            raise
        except Exception as raised:
            raise SourceError(f"{source.file}: {name} raised {type(raised).__name__}: {raised}") from raised
        if not isinstance(series, BarSeries) or series.symbol != source.symbol:
            found = f"bars of {series.symbol}" if isinstance(series, BarSeries) else type(series).__name__
            raise SourceError(f"{source.file}: {name} gave {found}; it must give a BarSeries of {source.symbol}")
        return series
