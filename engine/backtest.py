"""The call that most users make: one configuration, one bot, one result."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from engine.actions import Action
from engine.config import BacktestConfig
from engine.preparing import Prepared, engine_of, prepare
from engine.result import Result
from engine.run import Drive, Progress, Run, RunnableBot

if TYPE_CHECKING:
    import pandas as pd

MakeBot = Callable[[], RunnableBot]

# Name -> overrides of the three assumptions that a result is bounded by (S6.9).
BOUNDS: dict[str, tuple[str, ...]] = {
    "worst_case": ("simulation.path=worst_case",),
    "best_case": ("simulation.path=best_case",),
    "next_open": ("simulation.market_fill=next_open",),
}


def run_backtest(
    config: BacktestConfig,
    bot: RunnableBot,
    bars: "Mapping[str, pd.DataFrame] | None" = None,
    drive: Drive = "auto",
    progress: Progress | None = None,
    *,
    interventions: Iterable[Action] = (),
) -> Result:
    """Run a backtest to its end.

    Args:
        config: what is run.
        bot: a fresh bot with its exit (``bots.catalog.make_bot`` or your own object).
        bars: DataFrames in place of the configured files, by symbol.
        drive: auto takes the compiled drive where bot and exit allow it; the result is the same.
        progress: called about twenty times a second; answering False stops the run.
        interventions: orders by hand to replay (S16).

    Raises:
        TriphaseError: where configuration or bars are wrong. A bot that raises ends the run with status ``failed``:
            see ``result.error``, and ``result.raise_error()``.

    Example:
        >>> from bots.catalog import make_bot
        >>> config = load_config("configs/sample.yaml")  # doctest: +SKIP
        >>> run_backtest(config, make_bot(config.bot, config.exit)).statistics.net_profit  # doctest: +SKIP
    """
    return run_prepared(config, prepare(config, bars), bot, drive, progress, interventions=interventions)


def run_prepared(
    config: BacktestConfig,
    prepared: Prepared,
    bot: RunnableBot,
    drive: Drive = "auto",
    progress: Progress | None = None,
    *,
    interventions: Iterable[Action] = (),
) -> Result:
    """The same on bars that are loaded already."""
    run = Run(engine_of(config, prepared), bot, drive=drive, interventions=interventions)
    run.complete(progress)
    return Result(config, prepared, run)


def run_bounds(config: BacktestConfig, make_bot: MakeBot, drive: Drive = "auto") -> dict[str, Result]:
    """The run under its worst and best path and with fills at the next open, by name (S6.9); bars are loaded once."""
    prepared = prepare(config)
    return {
        name: run_prepared(config.with_overrides(overrides), prepared, make_bot(), drive)
        for name, overrides in BOUNDS.items()
    }
