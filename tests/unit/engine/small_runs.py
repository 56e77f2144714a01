"""Small markets given as rows, and runs on them, for tests of the engine's Python side."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bots.base import BaseStrategyBot
from data.instruments import Instrument
from data.series import BarSeries
from data.sessions import SessionCalendar
from engine.backtester import BacktesterEngine
from engine.config.sections import SimulationSection
from engine.environment import TradingEnvironment
from engine.market import Market
from engine.run import Run

MINUTE_NS = 60_000_000_000
START_NS = 1_709_899_200_000_000_000  # 2024-03-08 12:00 UTC
Row = tuple[float, float, float, float]
Rows = Sequence[Row | None]
COSTS: dict[str, Any] = {"commission_per_contract": 1.0, "fee_per_trade": 0.5, "slippage_ticks": 1.0}


def instrument(symbol: str, **facts: Any) -> Instrument:
    """A future of a quarter tick worth 12.50, with costs and no calendar."""
    given: dict[str, Any] = {"tick_size": 0.25, "tick_value": 12.5, "initial_margin": 1000.0, **COSTS}
    return Instrument(symbol=symbol, **{**given, "maintenance_margin": 800.0, **facts})


def series(symbol: str, rows: Rows) -> BarSeries:
    """Minute bars; None: no bar in that minute. Volume is 10, 11, ... by minute."""
    at = np.array([minute for minute, row in enumerate(rows) if row is not None], np.int64)
    table = np.array([row for row in rows if row is not None], np.float64).reshape(-1, 4)
    columns = [np.ascontiguousarray(table[:, i]) for i in range(4)]
    return BarSeries(
        symbol=symbol, time_ns=START_NS + at * MINUTE_NS, open=columns[0], high=columns[1], low=columns[2],
        close=columns[3], volume=10.0 + at, bar_ns=MINUTE_NS, source="test", digest="",
    )  # fmt: skip


def market(bars: Mapping[str, Rows], **facts: Any) -> Market:
    """A market of the symbols in ``bars``."""
    never = [SessionCalendar.named(None)] * len(bars)
    return Market(
        [instrument(name, **facts) for name in bars], [series(name, rows) for name, rows in bars.items()], None, never
    )


def flat_rows(n: int, price: float = 100.0) -> list[Row | None]:
    """Bars that rise half a point each and reach a point around their ends."""
    return [(price + i / 2, price + i / 2 + 1, price + i / 2 - 1, price + i / 2 + 0.5) for i in range(n)]


def engine(bars: Mapping[str, Rows] | None = None, cash: float = 100_000.0, **rules: Any) -> BacktesterEngine:
    """An account over a small market; one symbol, 30 bars, if none are given."""
    return BacktesterEngine(market(bars or {"ES": flat_rows(30)}), SimulationSection(**rules), initial_cash=cash)


class ActingBot(BaseStrategyBot):
    """Calls a function at every OPEN, and one at every CLOSE where it is given."""

    def __init__(
        self,
        at_open: Callable[[TradingEnvironment], object] = lambda env: None,
        at_close: Callable[[TradingEnvironment], object] | None = None,
    ) -> None:
        super().__init__()
        self.at_open, self.at_close = at_open, at_close

    def prepare(self, engine: BacktesterEngine) -> None:
        """Nothing of the base bot is used."""

    @property
    def acts_at_close(self) -> bool:
        return self.at_close is not None

    def on_bar(self, env: TradingEnvironment) -> None:
        self.at_open(env)

    def on_close(self, env: TradingEnvironment) -> None:
        if self.at_close is not None:
            self.at_close(env)


def completed(account: BacktesterEngine, bot: BaseStrategyBot, **options: Any) -> Run:
    """A run at its end; what a bot raised is raised here."""
    run = Run(account, bot, **options)
    run.complete()
    if run.error is not None:
        raise run.error
    return run
