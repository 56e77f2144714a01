"""Invented markets with known properties, for tests, demonstrations and the proof of learners."""

from data.synthetic.market import SyntheticMarket, generate, generate_many
from data.synthetic.settings import FAIR_REGIMES, HIDDEN_REGIMES, MarketSettings, Regime

__all__ = [
    "FAIR_REGIMES",
    "HIDDEN_REGIMES",
    "MarketSettings",
    "Regime",
    "SyntheticMarket",
    "generate",
    "generate_many",
]
