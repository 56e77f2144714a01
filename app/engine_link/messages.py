"""What window and engine say to each other."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from app.replay.chunk import Chunk
from engine.actions import Action
from engine.config import BacktestConfig
from engine.inspection import Explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What an engine is started with.

    Attributes:
        config: the run.
        interventions: records to carry out from the first bar on (S16).
    """

    config: BacktestConfig
    interventions: tuple[Action, ...] = ()


# From the window


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTo:
    """Go on until so many bars have closed; None: to the end of the data. 0 halts."""

    bars: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """Run a course: go back to where it parts from the present one, and go on with its interventions."""

    course: int
    interventions: tuple[Action, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskDecision:
    """Why did the bot (not) enter a symbol at OPEN of a bar?"""

    ask: int
    symbol: str
    bar: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AskFill:
    """How did the price of a fill come about?"""

    ask: int
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Save:
    """Write the present course as a run folder."""

    folder: Path
    report: bool
    replaces: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Write report.html and equity.png of the present course into a folder."""

    folder: Path


@dataclass(frozen=True, slots=True)
class Stop:
    """End."""


Command: TypeAlias = RunTo | Follow | AskDecision | AskFill | Save | Report | Stop


# From the engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The run is prepared; ``drive`` is step or compiled."""

    drive: str
    bars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """A course begins: it keeps so many closed bars and rows of each table of the course it came from."""

    course: int
    bars: int
    counts: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A course is over: completed, bankrupt or failed (``error`` then holds the bot's traceback)."""

    course: int
    status: str
    error: str | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """The answer to a question, or why there is none."""

    ask: int
    explanation: Explanation | None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A run folder (or a report alone) was written, or why it was not."""

    course: int
    folder: Path
    error: str = ""
    report: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The engine could not start, or is gone."""

    text: str
    details: str = field(default="")


Message: TypeAlias = Chunk | Ready | Turned | Ended | Explained | Saved | Broken
