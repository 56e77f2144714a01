"""The exits that go by a name, and how a configuration section becomes an exit."""

from engine.catalog import Shipped, find_class, made
from engine.config.sections import ExitSection
from exits.base import ExitStrategy

EXITS: Shipped[ExitStrategy] = Shipped(
    {
        "TrailingATR": "exits.atr.TrailingATRExit",
        "FixedRatio": "exits.atr.FixedRatioExit",
        "ppo": "exits.ppo.RLTrailingATRExit",
        "lstm": "exits.lstm.SequenceRLATRExit",
        "linucb": "exits.bandit_overlay.LinUCBExit",
        "hybrid": "exits.hybrid.HybridExit",
    }
)


def make_exit(section: ExitSection | None = None) -> ExitStrategy:
    """The exit that a configuration names, with its settings checked.

    Raises:
        CatalogError: where it is unknown or cannot be loaded.
        ConfigError: where a setting is wrong.
    """
    chosen = section if section is not None else ExitSection()
    # mypy takes an abstract base for a concrete class here; find_class refuses classes that lack methods.
    part = find_class(chosen, EXITS, ExitStrategy, "exit")  # type: ignore[type-abstract]
    return made(chosen, part)
