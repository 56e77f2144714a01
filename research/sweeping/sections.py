"""What a sweep file may say: the runs that are wanted, as one frozen, checked value."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, field_validator

from data.spelling import nearest_or_all
from engine.config.sections import BotSection, ExitSection, PathPolicy, Section
from engine.config.values import File, Moment, PlainMapping, Symbol, refused
from engine.errors import ConfigError
from engine.settings import setting
from engine.statistics import Statistics, describe_figures
from engine.wording import problems_of, shown

Scale = Literal["linear", "log", "integer"]
FoldKind = Literal["fixed", "rolling", "anchored"]
Goal = Literal["max", "min"]

# Figures in which less is better; in every other one more is.
_LESS_IS_BETTER = frozenset(
    {
        "max_drawdown", "max_drawdown_pct", "max_drawdown_ns", "worst_case_drawdown", "worst_case_drawdown_pct",
        "losses", "longest_losing_streak", "commission", "fees", "slippage_cost", "margin_calls", "turnover",
    }
)  # fmt: skip


def _listed(value: object) -> object:
    """One value where a list is wanted is a list of one."""
    return value if isinstance(value, list | tuple) else [value]


def _part(value: object) -> object:
    """The name of a bot or exit alone is short for the section with that name."""
    return {"name": value} if isinstance(value, str) else value


def _objective(value: object) -> object:
    return {"figure": value} if isinstance(value, str) else value


class RandomSection(Section):
    """Settings drawn at random, all of them anew for every draw."""

    draws: int = setting(100, unit="draws", ge=1, help="How many settings are drawn.")
    seed: int = setting(0, unit="", ge=0, help="Seed of the draws; the same seed draws the same settings.")
    ranges: PlainMapping = Field(description="Key -> {low, high, scale}, or a list to choose from.")

    @field_validator("ranges")
    @classmethod
    def _some(cls, ranges: dict[str, Any]) -> dict[str, Any]:
        if not ranges:
            raise refused("no range is given; write one as bot.ema_span: {low: 10, high: 200, scale: integer}")
        return ranges


class PartsSection(Section):
    """One fold with dates of its own."""

    in_sample: tuple[Moment, Moment] = Field(description="First and last day of the in-sample part.", strict=False)
    out_of_sample: tuple[Moment, Moment] | None = Field(
        None, description="First and last day of the out-of-sample part; empty: none.", strict=False
    )


class FoldSection(Section):
    """How the dates are cut into in-sample and out-of-sample parts."""

    kind: FoldKind = setting("rolling", unit="", help="fixed dates, a window that rolls, or one that grows.")
    parts: Annotated[tuple[PartsSection, ...], Field(strict=False)] = Field(
        default=(), description="The folds of kind fixed."
    )
    in_sample: str | None = setting(None, unit="time", help="Length of an in-sample part: 180d, 26w, 6mo, 2y.")
    out_of_sample: str | None = setting(None, unit="time", help="Length of an out-of-sample part.")
    step: str | None = setting(None, unit="time", help="From one fold to the next; empty: out_of_sample.")
    purge: str = setting("0d", unit="time", help="Cut off the end of every in-sample part.")
    embargo: str = setting("0d", unit="time", help="Skipped between the in-sample part and the out-of-sample part.")
    start: Moment | None = setting(None, unit="date", help="First day; empty: the base configuration's, or the data's.")
    end: Moment | None = setting(None, unit="date", help="Last day; empty: the base configuration's, or the data's.")


class ObjectiveSection(Section):
    """What the runs are ranked by."""

    figure: str = setting("sharpe", unit="", help="A figure of docs/statistics.md.")
    goal: Goal | None = setting(None, unit="", help="max or min; empty: what is good for that figure.")
    minimum_trades: int = setting(0, unit="trades", ge=0, help="Runs with fewer trades are not ranked.")

    @field_validator("figure")
    @classmethod
    def _known(cls, figure: str) -> str:
        names = [name for name, *_ in describe_figures(Statistics)]
        if figure not in names:
            raise refused(f"{shown(figure)} is no figure{nearest_or_all(figure, names)}")
        return figure

    @property
    def sign(self) -> float:
        """1 where more is better, -1 where less is."""
        goal = self.goal or ("min" if self.figure in _LESS_IS_BETTER else "max")
        return 1.0 if goal == "max" else -1.0


Bots = Annotated[
    tuple[Annotated[BotSection, BeforeValidator(_part)], ...], BeforeValidator(_listed), Field(strict=False)
]
Exits = Annotated[
    tuple[Annotated[ExitSection, BeforeValidator(_part)], ...], BeforeValidator(_listed), Field(strict=False)
]
Universe = Annotated[tuple[Symbol, ...], BeforeValidator(_listed), Field(strict=False)]


class SweepSection(Section):
    """The whole sweep file.

    Raises:
        ConfigError: on creation, listing every problem with its key path.
    """

    name: str = setting("sweep", unit="", help="Name of the sweep; empty in a file: the file's name.")
    config: File = Field(description="Base configuration, beside this file.")
    symbols: Literal["together", "each"] | Annotated[tuple[Universe, ...], Field(strict=False)] = Field(
        "together", description="together, each, or a list of symbols and of lists of symbols: one run for each."
    )
    bots: Bots = Field(default=(), description="Bots to try; empty: the base configuration's.")
    exits: Exits = Field(default=(), description="Exits to try; empty: the base configuration's.")
    grid: PlainMapping = Field(
        default_factory=dict, description="Key -> list or {low, high, step or count, scale}; all combinations are run."
    )
    random: RandomSection | None = Field(None, description="Settings drawn at random, each with every grid point.")
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], BeforeValidator(_listed), Field(strict=False)] = Field(
        default=(), description="Seeds to try; empty: the base configuration's."
    )
    paths: Annotated[tuple[PathPolicy, ...], BeforeValidator(_listed), Field(strict=False)] = Field(
        default=(), description="Path policies to try; empty: the base configuration's."
    )
    folds: FoldSection | None = Field(None, description="Date folds; empty: the whole range.")
    objective: Annotated[ObjectiveSection, BeforeValidator(_objective)] = Field(
        default_factory=ObjectiveSection, description="What the runs are ranked by."
    )

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigError.of(problems_of(error, type(self))) from None

    @field_validator("config")
    @classmethod
    def _a_file(cls, config: Path) -> Path:
        if config.suffix not in (".yaml", ".yml"):
            raise refused(f"{config} is no configuration; name a .yaml file")
        return config
