"""A policy trained by PPO chooses the multiple of the trailing stop at the entry (rulebook S12.3)."""

from typing import ClassVar

from data.errors import ModelError
from engine.kernel.learned import NETWORK_POLICY
from engine.kernel.state import EXIT_TRAILING_ATR
from engine.settings import setting
from exits.features import feature_hash
from exits.learned import LearnedExit
from exits.parity import check_parity
from models.store import Model, load_model


class RLTrailingATRExit(LearnedExit):
    """The multiple with the highest probability of a policy network; then it trails as TrailingATRExit does.

    The policy sees fourteen numbers (docs/learning.md) and is served without torch; its model is checked when the run
    begins: hash, features, and its outputs for the probes stored with it.
    """

    class Settings(LearnedExit.Settings):
        """Settings of the PPO exit."""

        model: str = setting("ppo", unit="", help="Model in models/, or the path of one.")

    kernel_kind = EXIT_TRAILING_ATR
    network: ClassVar[int] = NETWORK_POLICY
    settings: Settings

    def model(self) -> Model:
        """The policy."""
        return checked_model(self.settings.model, "ppo", self.network)


def checked_model(name: str, kind: str, network: int) -> Model:
    """A model of that kind whose forward pass agrees with its probes.

    Raises:
        ModelError: where it is missing, damaged, or does not fit.
    """
    found = load_model(name, kind, feature_hash())
    check_parity(found, network)
    if len(found.multiples) != len(found.arrays["multiples"]) or any(found.arrays["multiples"] != found.multiples):
        raise ModelError(
            f"{found.path}: chooses from {found.arrays['multiples'].tolist()}, its manifest says "
            f"{list(found.multiples)}; train it again"
        )
    return found
