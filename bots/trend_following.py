"""Follows the trend: a cross back through an average, or a breakout from it (rulebook S11.7)."""

import numpy as np
from numpy.typing import NDArray

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
        ema, atr = (
            market.indicator("ema", period=own.ema_span)[:-1],
            market.indicator("atr", period=own.atr_period)[:-1],
        )
        close, opening = market.close[:-1], market.open[1:]
        reach = own.breakout_atr * atr
        crossed = _sign((close <= ema) & (ema < opening), (close >= ema) & (ema > opening))
        far = _sign(opening > ema + reach, opening < ema - reach)
        sides = np.zeros(market.open.shape, np.int8)  # the first bar has no close before it
        sides[1:] = np.where(crossed != 0, crossed, far)
        return sides

    def get_state(self) -> dict[str, object]:
        """Nothing to keep."""
        return {}


def _sign(buys: NDArray[np.bool_], sells: NDArray[np.bool_]) -> SideArray:
    return buys.view(np.int8) - sells.view(np.int8)
