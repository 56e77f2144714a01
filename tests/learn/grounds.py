"""Synthetic markets to learn on, with and without something to learn, and the oracle that sees what is hidden."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bots.coin_flip import CoinFlipBot
from data.instruments import Instrument
from data.synthetic import FAIR_REGIMES, HIDDEN_REGIMES, MarketSettings, generate
from engine.backtester import BacktesterEngine
from engine.config.sections import SimulationSection
from engine.market import Market
from research.learning.entries import Entries, Ground


def instrument(symbol: str, **changes: object) -> Instrument:
    """A future without costs, unless told otherwise."""
    facts: dict[str, object] = {
        "symbol": symbol, "tick_size": 0.25, "tick_value": 12.5, "initial_margin": 1000.0, "maintenance_margin": 900.0,
        "slippage_ticks": 0.0, "calendar": "CME_Equity_Index",
    }  # fmt: skip
    return Instrument(**{**facts, **changes})  # type: ignore[arg-type]


def market(seed: int, sessions: int = 8, symbols: int = 1, hidden: bool = True, **costs: object) -> Market:
    """Minute bars of invented futures; the hidden regimes are in ``regimes_of``."""
    names = [f"{letter}_SYN" for letter in "ABCDEFGH"[:symbols]]
    made = [generate(_settings(name, sessions, hidden), seed) for name in names]
    return Market([instrument(name, **costs) for name in names], [one.series for one in made], seed=seed)


def _settings(name: str, sessions: int, hidden: bool) -> MarketSettings:
    return MarketSettings(symbol=name, sessions=sessions, regimes=HIDDEN_REGIMES if hidden else FAIR_REGIMES)


def engine(of: Market, **rules: object) -> BacktesterEngine:
    """An account with plenty of money."""
    return BacktesterEngine(of, SimulationSection(**rules), initial_cash=1e7, seed=of.seed)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A ground, its entries, and the hidden regime at each."""

    ground: Ground
    entries: Entries
    regime: NDArray[np.int64]


def lesson(
    seed: int, sessions: int = 8, symbols: int = 1, hidden: bool = True, stride: int = 1, **costs: object
) -> Lesson:
    """Labelled entries by the fall of a coin, with the regimes that only an oracle sees."""
    of = market(seed, sessions, symbols, hidden, **costs)
    ground = Ground(engine(of), CoinFlipBot())
    entries = ground.entries(stride)
    regime = np.zeros(len(entries), np.int64)
    for column, name in enumerate(of.symbols):
        states = generate(_settings(name, sessions, hidden), seed).regime
        own = entries.symbol == column
        regime[own] = states[of.timeline.row[entries.bar[own], column]]
    return Lesson(ground, entries, regime)


def oracle_arms(train: Entries, train_regime: NDArray[np.int64], regime: NDArray[np.int64]) -> NDArray[np.int64]:
    """The arm that was best in each regime where it learned, by the regime that is hidden from everyone else."""
    best = np.zeros(int(max(train_regime.max(), regime.max())) + 1, np.int64)
    for state in np.unique(train_regime):
        best[state] = train.r[train_regime == state].mean(axis=0).argmax()
    return best[regime]
