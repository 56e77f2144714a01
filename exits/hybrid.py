"""A trained network's prediction, corrected by a linear bandit that learns while it trades (rulebook S12.3)."""

from typing import Any, Literal

import numpy as np

from data.series import FloatArray
from engine.kernel.learned import G_TRIAL, LINEAR, NETWORK_POLICY, NETWORK_SEQUENCE
from engine.kernel.state import EXIT_TRAILING_ATR
from engine.settings import setting
from exits.bandit_overlay import LinUCBExit
from exits.ppo import checked_model
from models.store import Model

_NETWORKS = {"ppo": NETWORK_POLICY, "lstm": NETWORK_SEQUENCE}


class HybridExit(LinUCBExit):
    """R of each multiple = f(x)(1 + d) + theta.x: the network's f as prior, trust d and correction theta learned.

    A good prior is kept, a reversed one is unlearned: the correction is on trial, and the network's choice is served,
    until what the correction would have gained over it lies above zero with confidence, and again where it no longer
    does. One trade at a time counts, so that overlapping trades are not taken for more than they say.
    A policy's outputs become R through the calibration that was fitted when it was trained. Multiples and R unit are
    the model's.
    """

    class Settings(LinUCBExit.Settings):
        """Settings of the hybrid exit."""

        prior: Literal["ppo", "lstm"] = setting("ppo", unit="", help="Kind of the network.")
        model: str | None = setting(None, unit="", help="Model in models/, or the path of one; empty: named as prior.")
        trust: float = setting(
            10.0, unit="", gt=0, help="Strength of the belief that the prior is right; in observations of 1 R."
        )
        ridge: float = setting(
            100_000.0, unit="", gt=0, help="Strength of the belief that nothing needs to be corrected."
        )

        trial: bool = setting(
            True,
            unit="",
            help="Serve the prior's choice until the correction has gained on it; with bandit feedback there is none.",
        )
        trial_z: float = setting(2.25, unit="standard errors", ge=0, help="Confidence that ends the trial.")
        trial_trades: int = setting(20, unit="trades", ge=2, help="The trial lasts for so many at least.")

    kernel_kind = EXIT_TRAILING_ATR
    settings: Settings

    @property
    def network(self) -> int:  # type: ignore[override]
        """The kind of network that the settings name."""
        return _NETWORKS[self.settings.prior]

    @property
    def extra(self) -> int:
        """The prediction is a number of the linear model too."""
        return 1

    def model(self) -> Model:
        """The network."""
        return checked_model(self.settings.model or self.settings.prior, self.settings.prior, self.network)

    def arms(self, model: Model | None) -> tuple[float, ...]:
        """The multiples that the network was trained on."""
        return model.multiples if model is not None else ()

    def precisions(self) -> FloatArray:
        """Diagonal of A at the start: trust, then the linear part."""
        return np.array([self.settings.trust, *[self.settings.ridge] * LINEAR])

    def fill_record(self, engine: Any, model: Model | None, learning: bool) -> None:
        """As LinUCB, with the R unit that the network was trained on."""
        if model is not None and model.manifest["r_unit"] != self.settings.r_unit:
            self.settings = self.settings.model_copy(update={"r_unit": model.manifest["r_unit"]})
        super().fill_record(engine, model, learning)
        self.put_on_trial(self.record[0])

    def put_on_trial(self, row: Any) -> None:
        """The trial's part of a record; without replay nobody knows what the correction would have gained."""
        own = self.settings
        row["trial"] = int(own.trial and own.feedback == "replay")
        row["trial_min"], row["trial_z"] = own.trial_trades, own.trial_z

    def advantage_text(self, column: int) -> str:
        """What the correction gained over the prior, behind what any learner tells of a symbol."""
        text = super().advantage_text(column)
        count, mean, spread = self.state["gate"][column, G_TRIAL:]
        if not self.record[0]["trial"] or count < 2:
            return text
        half = self.settings.trial_z * float(np.sqrt(spread / (count - 1) / count))
        stands = "served" if count >= self.settings.trial_trades and mean > half else "on trial"
        return (
            f"{text}; the correction gained {mean:+.3f} R [{mean - half:+.3f}, {mean + half:+.3f}] over "
            f"{self.settings.prior} in {int(count)} trades: {stands}"
        )
