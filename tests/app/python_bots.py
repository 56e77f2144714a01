"""A bot whose Python runs in every bar: it looks at every symbol when a bar closes."""

from bots.trend_following import TrendFollowingBot
from engine.environment import TradingEnvironment


class Watchful(TrendFollowingBot):
    """Trades like its parent; what it looks at changes nothing."""

    def on_close(self, env: TradingEnvironment) -> None:
        for symbol in env.symbols:
            env.bar(symbol)


class Failing(Watchful):
    """Raises when the thousandth bar closes."""

    bars = 0

    def on_close(self, env: TradingEnvironment) -> None:
        self.bars += 1
        if self.bars == 1000:
            raise ZeroDivisionError("the thousandth bar")
