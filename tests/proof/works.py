"""What the proofs run: the built-in bots and exits, on the shipped sample and on a week of real bars."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bots.base import BaseStrategyBot
from bots.catalog import BOTS, make_bot
from bots.scripted import ScriptedBot
from engine.actions import Action
from engine.config import BacktestConfig
from engine.config.sections import BotSection, ExitSection
from engine.preparing import Prepared, engine_of
from engine.run import Drive, Run
from exits.catalog import EXITS

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "data" / "sample"
COSTS = {"commission_per_contract": 2.25, "fee_per_trade": 0.5, "slippage_ticks": 1}

# Settings with which every bot trades often on both markets; an exit that needs settings of its own is named here.
BOT_SETTINGS: dict[str, dict[str, Any]] = {
    "CoinFlip": {"risk_pct": 0.002, "max_positions_open": 2},
    "TrendFollowing": {"risk_pct": 0.002, "max_daily_loss_pct": 0.02},
}
EXIT_SETTINGS: dict[str, dict[str, Any]] = {"TrailingATR": {}, "FixedRatio": {"r_multiple": 1.5}}


@dataclass(frozen=True)
class Work:
    """One market with its configuration, loaded once and never changed."""

    name: str
    config: BacktestConfig
    prepared: Prepared


@dataclass(frozen=True)
class Pair:
    """A built-in bot with a built-in exit, by name."""

    bot: str
    exit: str

    def __str__(self) -> str:
        return f"{self.bot}-{self.exit}"

    def make(self) -> BaseStrategyBot:
        """A fresh bot with its exit."""
        bot = BotSection(name=self.bot, settings=BOT_SETTINGS.get(self.bot, {}))
        return make_bot(bot, ExitSection(name=self.exit, settings=EXIT_SETTINGS.get(self.exit, {})))


DECIDING = [name for name in BOTS if name != "Scripted"]
PAIRS = [Pair(bot, exit) for bot in DECIDING for exit in EXITS]


def sample_config(end: str | None = "2024-09-10") -> BacktestConfig:
    """Four synthetic futures; all sixty sessions with ``end=None``."""
    assets = [
        {"symbol": f"{root}_SYN", "file": SAMPLE / f"{root}_SYN.parquet", "contract": root}
        for root in ("ES", "NQ", "CL", "GC")
    ]
    return BacktestConfig(assets=assets, defaults=COSTS, initial_cash=500_000.0, seed=3, end=end)


def week_config(folder: Path) -> BacktestConfig:
    """Two futures and a share with other hours, so that the union of their times has synthetic bars (S3.2)."""
    share = {"asset_class": "equity", "tick_size": 0.01, "tick_value": 0.01, "initial_margin_rate": 0.5}
    assets = [
        {"symbol": "ES", "file": folder / "ESZ3_1m_2013-10.csv"},
        {"symbol": "GC", "file": folder / "GCZ3_1m_2013-10.csv"},
        {"symbol": "SPY", "file": folder / "SPY_1m_2013-10.csv", **share, "maintenance_margin_rate": 0.25},
    ]
    return BacktestConfig(assets=assets, defaults={**COSTS, "timestamp": "open"}, initial_cash=500_000.0, seed=3)


def made(work: Work, bot: BaseStrategyBot, drive: Drive, **more: Any) -> Run:
    """A run before its first bar, with snapshots."""
    return Run(engine_of(work.config, work.prepared), bot, drive=drive, snapshots=True, **more)


def completed(run: Run) -> Run:
    """The run, at its end; whatever a bot raised is raised here."""
    run.complete()
    if run.error is not None:
        raise run.error
    return run


def drives_of(bot: BaseStrategyBot) -> tuple[Drive, ...]:
    """The drives that can run a bot."""
    return ("step", "compiled") if bot.compilable else ("step",)


def script(work: Work) -> list[Action]:
    """Orders of every type at both phases, brackets, changes and closes, for all symbols in turn."""
    return list(_script(work.prepared.market))


def _script(market: Any) -> Iterator[Action]:
    last = len(market) - 20
    for number, bar in enumerate(range(30, last, 37)):
        column = number % len(market.symbols)
        symbol, price = market.symbols[column], float(market.close[bar - 1, column])
        if price != price:
            continue
        for at, action in enumerate(_orders(number, symbol, price)):
            yield {"bar": bar + 3 * at, "symbol": symbol, **action}


def _orders(number: int, symbol: str, price: float) -> list[dict[str, Any]]:
    side, sign = (("buy", 1.0), ("sell", -1.0))[number % 2]
    near, far = 0.0005 * price * sign, 0.002 * price * sign
    levels = {"side": side, "qty": 1, "sl": price - far, "tp": price + far}
    kinds: list[Callable[[], list[dict[str, Any]]]] = [
        lambda: [{"type": "market", "phase": "OPEN", **levels}, {"type": "close", "phase": "CLOSE"}],
        lambda: [{"type": "limit", "phase": "CLOSE", "tif": "day", "limit": price - near, **levels}],
        lambda: [{"type": "stop", "phase": "OPEN", "stop": price + near, **levels}],
        lambda: [
            {"type": "stop_limit", "phase": "OPEN", "stop": price + near, "limit": price + 2 * near, **levels},
            {"type": "modify_stop", "phase": "OPEN", "sl": price - near},
        ],
        lambda: [{"type": "market", "phase": "CLOSE", "tif": "ioc", "side": side, "qty": 2}],
        lambda: [{"type": "flatten", "phase": "OPEN"}],
    ]
    return kinds[number % len(kinds)]()


def scripted(work: Work) -> ScriptedBot:
    """A bot that carries out ``script``."""
    return ScriptedBot(actions=script(work))
