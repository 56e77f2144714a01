"""The bots that go by a name, and how configuration sections become a bot with its exit."""

from bots.base import BaseStrategyBot
from engine.catalog import Shipped, find_class, made
from engine.config.sections import BotSection, ExitSection
from exits.catalog import make_exit

BOTS: Shipped[BaseStrategyBot] = Shipped(
    {
        "CoinFlip": "bots.coin_flip.CoinFlipBot",
        "TrendFollowing": "bots.trend_following.TrendFollowingBot",
        "Scripted": "bots.scripted.ScriptedBot",
    }
)


def make_bot(bot: BotSection | None = None, exit: ExitSection | None = None) -> BaseStrategyBot:
    """The bot that a configuration names, with its exit; all settings checked.

    Raises:
        CatalogError: where bot or exit is unknown, cannot be loaded or lacks a method.
        ConfigError: where a setting is wrong.
    """
    chosen = bot if bot is not None else BotSection()
    part = find_class(chosen, BOTS, BaseStrategyBot, "bot")
    return made(chosen, part, make_exit(exit))
