"""Bots and exits that look ahead, each by another way, for the check that must catch them."""

from bots.base import BaseStrategyBot, SideArray
from engine.environment import TradingEnvironment
from engine.kernel.schema import OrderType
from engine.market import Market
from engine.orders import OrderRequest, Side
from engine.views import Position
from exits.atr import FixedRatioExit, TrailingATRExit
from exits.base import ExitContext, Levels

# Registered by the test alone: the highest high of this bar and the two that follow.
FUTURE_HIGH = "future_high"


class PeeksThroughTheMarket(BaseStrategyBot):
    """Reads the close of the bar that is open."""

    def decide_side(self, env: TradingEnvironment, symbol: str) -> Side | None:
        market = env.api.market
        row = env.bar_index, market.column(symbol)
        return Side.BUY if market.close[row] > market.open[row] else Side.SELL


class PeeksThroughTheTables(BaseStrategyBot):
    """Reads the kernel's own bars, some bars on."""

    def decide_side(self, env: TradingEnvironment, symbol: str) -> Side | None:
        market = env.api.market
        later = min(env.bar_index + 5, len(market) - 1)
        rise = market.bars["c"][later, market.column(symbol)] - market.bars["o"][env.bar_index, market.column(symbol)]
        return Side.BUY if rise > 0 else Side.SELL if rise < 0 else None


class PeeksThroughArrays(BaseStrategyBot):
    """Forgets to shift: the average of bar t takes in its close."""

    def sides(self, market: Market) -> SideArray:
        ema = market.indicator("ema", period=10)
        return ((market.close > ema).astype("i1") - (market.close < ema).astype("i1")).astype("i1")


class PeeksAtTheWholeSeries(BaseStrategyBot):
    """Compares with a mean over all bars, later ones included."""

    def sides(self, market: Market) -> SideArray:
        rising = market.open > market.close.mean(axis=0)
        return rising.astype("i1")


class PeeksThroughAnIndicator(BaseStrategyBot):
    """Trusts an indicator of its own that looks two bars ahead."""

    def decide_side(self, env: TradingEnvironment, symbol: str) -> Side | None:
        return Side.BUY if env.indicator(FUTURE_HIGH, symbol) > env.bar(symbol).open * 1.0004 else None


class BracketsWhatRests(BaseStrategyBot):
    """Lets a limit rest in every bar, its stop loss where this bar does not reach."""

    def on_bar(self, env: TradingEnvironment) -> None:
        symbol, market = env.symbols[0], env.api.market
        tick, row = env.instrument(symbol).tick_size, (env.bar_index, 0)
        for order in env.get_orders():
            env.cancel_order(order.id)
        limit = env.bar(symbol).open - 4 * tick
        if env.bar(symbol).real:
            stop = min(float(market.low[row]), limit) - tick
            env.place_order(
                OrderRequest(
                    symbol=symbol, side=Side.BUY, quantity=1, type=OrderType.LIMIT, limit=limit, stop_loss=stop
                )
            )


class HidesWhatItBracketed(BaseStrategyBot):
    """Lets a limit rest that never fills, its target where this bar does not reach, and says otherwise in the next."""

    def on_bar(self, env: TradingEnvironment) -> None:
        symbol, market = env.symbols[0], env.api.market
        tick = env.instrument(symbol).tick_size
        for order in env.get_orders():
            assert order.limit is not None
            env.modify_order(order.id, take_profit=order.limit + 100 * tick)
            env.cancel_order(order.id)
        if env.bar(symbol).real:
            limit, target = env.bar(symbol).open - 400 * tick, float(market.high[env.bar_index, 0]) + tick
            env.place_order(
                OrderRequest(
                    symbol=symbol, side=Side.BUY, quantity=1, type=OrderType.LIMIT, limit=limit, take_profit=target
                )
            )


class StopBelowTheLow(TrailingATRExit):
    """Puts the stop where this bar will not reach it."""

    def initial_levels(self, side: Side, entry_price: float, atr: float, market: ExitContext) -> Levels:
        whole = market.env.api.market
        row = market.env.bar_index, whole.column(market.symbol)
        reach = max(whole.high[row] - entry_price, entry_price - whole.low[row]) + atr
        return Levels(stop_loss=entry_price - side * reach)


class TrailsThisClose(FixedRatioExit):
    """Trails the close of the bar that is open."""

    def update_stop(self, position: Position, market: ExitContext) -> float | None:
        whole = market.env.api.market
        close = float(whole.close[market.env.bar_index, whole.column(market.symbol)])
        return close - position.side * 2 * market.indicator("atr", period=14)
