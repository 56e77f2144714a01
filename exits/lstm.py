"""A network with memory of the last closed bars chooses the multiple of the trailing stop (rulebook S12.3)."""

from typing import ClassVar

from engine.kernel.learned import NETWORK_SEQUENCE
from engine.kernel.state import EXIT_TRAILING_ATR
from engine.settings import setting
from exits.learned import LearnedExit
from exits.ppo import checked_model
from models.store import Model


class SequenceRLATRExit(LearnedExit):
    """The multiple with the highest R that an LSTM over the last ``lookback`` closed bars predicts."""

    class Settings(LearnedExit.Settings):
        """Settings of the LSTM exit."""

        model: str = setting("lstm", unit="", help="Model in models/, or the path of one.")

    kernel_kind = EXIT_TRAILING_ATR
    network: ClassVar[int] = NETWORK_SEQUENCE
    settings: Settings

    def model(self) -> Model:
        """The network."""
        return checked_model(self.settings.model, "lstm", self.network)
