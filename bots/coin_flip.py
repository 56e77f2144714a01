"""A bot without any edge: the side of every entry is a coin's (rulebook S11.6)."""

import numpy as np

from bots.base import BaseStrategyBot, BotSettings, SideArray
from engine.market import Market
from engine.settings import setting


class CoinFlipBot(BaseStrategyBot):
    """Buys with probability ``p_buy``, else sells; draw number t of (seed, symbol) belongs to bar t."""

    class Settings(BotSettings):
        """Settings of the coin flip bot."""

        p_buy: float = setting(0.5, unit="probability", ge=0, le=1, help="Probability of a buy.")

    settings: Settings

    def sides(self, market: Market) -> SideArray:
        """Every draw of every symbol, whether an entry is possible or not: the same whatever happens (S11.6)."""
        draws = np.column_stack([market.draws(symbol) for symbol in market.symbols])
        return np.where(draws < self.settings.p_buy, 1, -1).astype(np.int8)

    def get_state(self) -> dict[str, object]:
        """Nothing to keep: draws belong to bars."""
        return {}
