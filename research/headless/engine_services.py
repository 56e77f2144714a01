"""Which calls of the engine and the catalogs a headless run makes."""

from collections.abc import Mapping
from typing import Any

from bots.base import BaseStrategyBot
from bots.catalog import BOTS, make_bot
from engine import run_backtest, run_bounds
from engine.catalog import find_class
from engine.config import BacktestConfig
from engine.lookahead import check_lookahead
from exits.base import ExitStrategy
from exits.catalog import EXITS
from research.headless.arguments import Drive
from research.headless.listing import listing
from research.headless.services import LookAheadReport, MakeBot, ProgressListener, RunResult, Services


def services() -> Services:
    """The engine itself, in place of a played one."""
    return Services(
        make_bot=_bot, run=_run, bounds=_bounds, check_lookahead=_check, known_settings=_known, listing=listing
    )


def _bot(config: BacktestConfig) -> BaseStrategyBot:
    return make_bot(config.bot, config.exit)


def _run(config: BacktestConfig, bot: Any, drive: Drive, listener: ProgressListener | None) -> RunResult:
    return run_backtest(config, bot, drive=drive, progress=listener)


def _bounds(config: BacktestConfig, make: MakeBot, drive: Drive) -> Mapping[str, RunResult]:
    return run_bounds(config, make, drive)


def _check(config: BacktestConfig, make: MakeBot) -> LookAheadReport:
    return check_lookahead(config, make)


def _known(config: BacktestConfig, part: str) -> frozenset[str]:
    found: type[Any] = (
        find_class(config.bot, BOTS, BaseStrategyBot, "bot")
        if part == "bot"
        else find_class(config.exit, EXITS, ExitStrategy, "exit")
    )
    return frozenset(found.Settings.model_fields)
