"""Fair random walks with a tick path that is known, and what an exit earns on them.

The walk moves one tick at a time, so a level on the grid is met exactly before it is passed; gaps between bars are
symmetric. By optional stopping every trade is worth nothing before costs, whatever the exit does, as long as the
simulator fills at prices that the walk had, in the order in which it had them.

With a stop alone a bar's range tells everything. With a stop and a target in one bar the order matters: run on bars of
fifteen minutes, whose minutes (``fine_bars``) are too short to hold both levels, it is known.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bots.coin_flip import CoinFlipBot
from data.instruments import Instrument
from data.resampling import resample
from data.synthetic import MarketSettings, generate
from engine.backtester import BacktesterEngine
from engine.config.sections import SimulationSection
from engine.market import Market
from engine.run import Run
from exits.base import ExitStrategy

SESSIONS = 120
# One contract at a time, and cash enough for the worst of courses: what a trade earns does not depend on the others.
BOT = CoinFlipBot.Settings(risk_pct=0.01, max_quantity=1)
CASH = 1e9
ALLOWED = 3.5  # standard errors; with seeds fixed the verdict is the same on every run


@dataclass(frozen=True)
class Earned:
    """What the trades of a run earned in R before costs: their number, mean, standard error."""

    trades: int
    mean: float
    error: float

    @property
    def z(self) -> float:
        """Distance from nothing, in standard errors."""
        return self.mean / self.error


@cache
def fair_market(seed: int, bar: str | None) -> Market:
    """A walk without drift; minutes, or longer bars with their minutes beside them."""
    # Inside a longer bar a jump would pass a level unseen, and a wild minute could hold two levels.
    calm = {} if bar is None else {"jump_chance": 0.0, "seasonal": False}
    settings = MarketSettings(symbol="FAIR", sessions=SESSIONS, volatility_ticks=4.0, **calm)  # type: ignore[arg-type]
    minutes = generate(settings, seed).series
    costs = {"commission_per_contract": 2.25, "fee_per_trade": 0.5, "slippage_ticks": 1.0}
    facts = Instrument(
        symbol="FAIR", tick_size=0.25, tick_value=12.5, initial_margin=1.0, maintenance_margin=1.0,
        calendar="CME_Equity_Index", **costs,
    )  # fmt: skip
    if bar is None:
        return Market([facts], [minutes], seed=seed)
    opens = Market([facts], [minutes]).sessions(0).session_open_ns
    return Market([facts], [resample(minutes, bar, opens)], {"FAIR": minutes}, seed=seed)


def run_on(market: Market, exit: ExitStrategy, path: str) -> Run:
    """A coin flip with an exit, to the end; what is open then is closed."""
    rules = SimulationSection(path=path, liquidate_on_finish=True)  # type: ignore[arg-type]
    run = Run(BacktesterEngine(market, rules, initial_cash=CASH, seed=market.seed), CoinFlipBot(BOT, exit))
    assert run.complete() == "completed"
    return run


def trades_of(run: Run) -> NDArray[Any]:
    """Closed trades."""
    rows: NDArray[Any] = run.engine.tables.rows("trades")
    return rows


def before_costs(trades: NDArray[Any]) -> NDArray[np.float64]:
    """What each trade earned in R, commission, fees and slippage added back."""
    money = trades["net"] + trades["commission"] + trades["fees"] + trades["slippage_cost"]
    earned: NDArray[np.float64] = money / trades["initial_risk"]
    return earned


def earned(values: NDArray[np.float64]) -> Earned:
    """Mean and standard error of independent results."""
    return Earned(len(values), float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))


def pooled(path: str, bar: str | None, exit: ExitStrategy, seeds: range) -> Earned:
    """Results of several walks together."""
    return earned(np.concatenate([before_costs(trades_of(run_on(fair_market(s, bar), exit, path))) for s in seeds]))
