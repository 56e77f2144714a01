"""Follows the trend: a cross back through an average, or a breakout from it (rulebook S11.7)."""

import numpy as np

from bots.base import BaseStrategyBot, BotSettings, SideArray
from engine.market import Market
from engine.settings import setting


class TrendFollowingBot(BaseStrategyBot):
    """Enters where O has crossed the EMA since the last close, else where O lies far enough from it."""

    class Settings(BotSettings):
        """Settings of the trend following bot."""

        ema_span: int = setting(50, unit="bars", ge=2, help="Span of the exponential moving average.")
        breakout_atr: float = setting(1.5, unit="ATR", ge=0, help="Distance from the average that counts as breakout.")

    settings: Settings

    def sides(self, market: Market) -> SideArray:
        """With E the EMA and C the close before: C <= E < O or O > E + breakout buys, mirrored sells."""
        own = self.settings
        ema = market.before(market.indicator("ema", period=own.ema_span))
        atr = market.before(market.indicator("atr", period=own.atr_period))
        close, opening = market.before(market.close), market.open
        crossed = ((close <= ema) & (ema < opening)).astype(np.int8) - ((close >= ema) & (ema > opening))
        far = (opening > ema + own.breakout_atr * atr).astype(np.int8) - (opening < ema - own.breakout_atr * atr)
        return np.where(crossed != 0, crossed, far).astype(np.int8)

    def get_state(self) -> dict[str, object]:
        """Nothing to keep."""
        return {}
