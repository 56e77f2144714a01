"""What a headless run asks of the engine and the catalogs; imported late, so that help and errors come at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from engine.config import BacktestConfig
from engine.statistics import Statistics
from research.headless.arguments import Drive


class Progress(Protocol):
    """How far a run is: bars done and in all, and the equity at the last one."""

    @property
    def bar(self) -> int:
        """Bars done."""

    @property
    def bars(self) -> int:
        """Bars in all."""

    @property
    def equity(self) -> float:
        """Equity at the last bar done."""


class RunResult(Protocol):
    """What is shown and saved of a result."""

    @property
    def statistics(self) -> Statistics:
        """Figures of the portfolio (S13)."""

    @property
    def symbol_statistics(self) -> Mapping[str, Statistics]:
        """Figures of each symbol."""

    @property
    def status(self) -> str:
        """``completed``, ``bankrupt``, ``interrupted`` or ``failed``."""

    @property
    def drive(self) -> str:
        """The drive that was taken: ``step`` or ``compiled``."""

    @property
    def bars(self) -> int:
        """Master bars that were run."""

    @property
    def seconds(self) -> float:
        """Time the run took, without loading."""

    @property
    def ambiguous_trades(self) -> int:
        """Trades that the path policy decided (S6.9)."""

    @property
    def warnings(self) -> Sequence[str]:
        """Sentences for whoever reads the result."""

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it early."""

    @property
    def error(self) -> Exception | None:
        """What a bot or exit raised; the run ended there."""

    @property
    def bounds(self) -> dict[str, Any]:
        """The same run under other assumptions, by name; filled here for the report, where asked for."""

    def save(self, folder: Path) -> object:
        """Write the run folder, whole or not at all."""


class LookAheadReport(Protocol):
    """What a check for look-ahead looked at."""

    def summary(self) -> str:
        """The verdict in a sentence or two."""


ProgressListener = Callable[[Any], None]
MakeBot = Callable[[], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The calls a headless run makes; tests pass their own.

    Attributes:
        make_bot: a fresh bot with its exit, by a configuration.
        run: runs a bot; ends early with status ``interrupted`` on Ctrl-C, ``failed`` where a bot raised.
        bounds: the same run under ``worst_case``, ``best_case`` and ``next_open``, by name.
        check_lookahead: raises LookAheadError where a bot or exit uses what it cannot know.
        known_settings: names of the settings of a bot or exit (``"bot"``, ``"exit"``) as configured.
        listing: the catalogs as text.
    """

    make_bot: Callable[[BacktestConfig], Any]
    run: Callable[[BacktestConfig, Any, Drive, ProgressListener | None], RunResult]
    bounds: Callable[[BacktestConfig, MakeBot, Drive], Mapping[str, RunResult]]
    check_lookahead: Callable[[BacktestConfig, MakeBot], LookAheadReport]
    known_settings: Callable[[BacktestConfig, str], frozenset[str]]
    listing: Callable[[], str]
