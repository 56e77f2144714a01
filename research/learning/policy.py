"""Trains the policy: PPO of stable-baselines3 on a thousand trades at once (Schulman et al. 2017)."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.series import FloatArray
from research.learning.entries import Entries, Ground
from research.learning.practice import Mode, Practice

#: Called after every update with the frames done; answering False ends the training there.
Watch = Callable[[int], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySettings:
    """How a policy is trained.

    Attributes:
        frames: steps in all; trades: side by side; steps: per trade between updates; minibatch, epochs: of an update.
        rate: learning rate at the start, falling to a tenth; entropy: weight of the bonus for staying undecided.
        widths: of the hidden layers; mode: what a step is;
            baseline: take the mean of all multiples off the rewards (mode trade).
        threads: of torch; device: cpu, cuda or auto.
    """

    frames: int = 400_000
    trades: int = 1024
    steps: int = 8
    minibatch: int = 2048
    epochs: int = 6
    rate: float = 2e-3
    entropy: float = 0.003
    widths: tuple[int, ...] = (24, 24)
    mode: Mode = "trade"
    baseline: bool = True
    threads: int = 1
    device: str = "cpu"


def train_policy(
    ground: Ground,
    entries: Entries,
    settings: PolicySettings,
    seed: int,
    path: Path,
    watch: Watch | None = None,
    resume: Path | None = None,
) -> int:
    """Train, and write stable-baselines3's ``.zip`` to ``path``; returns the frames done. Ctrl-C keeps what is done.

    Args:
        resume: a checkpoint of this function to go on from (plain weights).
    """
    import torch
    from stable_baselines3 import PPO

    from research.learning.vector_env import PracticeVecEnv

    torch.set_num_threads(settings.threads)
    environment = PracticeVecEnv(Practice(ground, entries, settings.trades, settings.mode, seed, settings.baseline))
    model = PPO(
        "MlpPolicy",
        environment,
        learning_rate=lambda left: settings.rate * (0.1 + 0.9 * left),
        n_steps=settings.steps,
        batch_size=settings.minibatch,
        n_epochs=settings.epochs,
        gamma=1.0,
        gae_lambda=1.0,
        ent_coef=settings.entropy,
        policy_kwargs={"net_arch": list(settings.widths)},
        seed=seed,
        device=settings.device,
        verbose=0,
    )
    done = 0 if resume is None else load_checkpoint(model, resume)
    keeper = _keeper(watch, done)
    try:
        model.learn(max(settings.frames - done, 0), callback=keeper)
    except KeyboardInterrupt:
        save_checkpoint(model, path.with_suffix(".checkpoint.pt"), done + int(keeper.num_timesteps))
    model.save(path)
    return done + int(keeper.num_timesteps)


def _keeper(watch: Watch | None, before: int) -> Any:
    from stable_baselines3.common.callbacks import BaseCallback

    class Keeper(BaseCallback):
        """Tells how far the training is, and ends it where the listener says so."""

        def _on_step(self) -> bool:
            return True

        def _on_rollout_end(self) -> None:
            if watch is not None and not watch(before + self.num_timesteps):
                raise KeyboardInterrupt

    return Keeper()


def save_checkpoint(model: Any, path: Path, frames: int) -> None:
    """Weights and optimiser as plain tensors, and the frames done."""
    import torch

    state = {"policy": model.policy.state_dict(), "optimizer": model.policy.optimizer.state_dict(), "frames": frames}
    torch.save(state, path)


def load_checkpoint(model: Any, path: Path) -> int:
    """Go on from a checkpoint; returns the frames done before it."""
    import torch

    state = torch.load(path, map_location="cpu", weights_only=True)
    model.policy.load_state_dict(state["policy"])
    model.policy.optimizer.load_state_dict(state["optimizer"])
    return int(state["frames"])


def policy_probes(path: Path, x: FloatArray) -> FloatArray:
    """What torch says of the numbers ``x``, outputs float64[n, arms]: the truth that serving is checked against."""
    import io
    import zipfile

    import torch

    with zipfile.ZipFile(path) as archive:
        state = torch.load(io.BytesIO(archive.read("policy.pth")), map_location="cpu", weights_only=True)
    values = torch.tensor(x, dtype=torch.float32)
    numbers = sorted({int(name.split(".")[2]) for name in state if name.startswith("mlp_extractor.policy_net.")})
    for number in numbers:
        name = f"mlp_extractor.policy_net.{number}"
        values = torch.tanh(torch.nn.functional.linear(values, state[f"{name}.weight"], state[f"{name}.bias"]))
    out = torch.nn.functional.linear(values, state["action_net.weight"], state["action_net.bias"])
    return np.asarray(out.detach().numpy(), np.float64)
