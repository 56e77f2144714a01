"""Trains the policy: PPO of stable-baselines3 on a thousand trades at once (Schulman et al. 2017)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.series import FloatArray
from research.learning.checkpoints import checkpoint_path, identity_of, read_checkpoint, write_checkpoint
from research.learning.entries import Entries, Ground
from research.learning.practice import Mode, Practice

#: Called between updates with the frames done; answering False ends the training there.
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

    frames: int = 1_000_000
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


class _Stopped(Exception):  # noqa: N818 - no error: the way out of the library's loop
    """The listener has asked for the end."""


def train_policy(
    ground: Ground,
    entries: Entries,
    settings: PolicySettings,
    seed: int,
    path: Path,
    watch: Watch | None = None,
    resume: Path | None = None,
) -> int:
    """Train, and write stable-baselines3's ``.zip`` to ``path``; returns the frames done.

    Args:
        watch: called between updates; where it answers False, a checkpoint is left beside ``path``.
        resume: a checkpoint to go on from, exactly as if the training had not been interrupted.

    Raises:
        ModelError: where the checkpoint is damaged or another training's.
    """
    identity = identity_of(settings, entries, seed)
    state = None if resume is None else read_checkpoint(resume, identity)
    model, practice = _model_of(ground, entries, settings, seed)
    if state is not None:
        _go_on(model, practice, state)
    keeper, done = _keeper(watch), model.num_timesteps
    try:
        model.learn(settings.frames - done, callback=keeper, reset_num_timesteps=state is None)
    except _Stopped:
        write_checkpoint(checkpoint_path(path), identity, _state_of(model, practice))
    model.save(path)
    return int(model.num_timesteps)


def _model_of(ground: Ground, entries: Entries, settings: PolicySettings, seed: int) -> tuple[Any, Practice]:
    """The untrained model, and the trades that it practises on."""
    import torch
    from stable_baselines3 import PPO

    from research.learning.vector_env import PracticeVecEnv

    torch.set_num_threads(settings.threads)
    practice = Practice(ground, entries, settings.trades, settings.mode, seed, settings.baseline)
    model = PPO(
        "MlpPolicy",
        PracticeVecEnv(practice),
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
    return model, practice


def _keeper(watch: Watch | None) -> Any:
    from stable_baselines3.common.callbacks import BaseCallback

    class Keeper(BaseCallback):
        """Tells how far the training is, and ends it between two updates where the listener says so."""

        def _on_step(self) -> bool:
            return True

        def _on_rollout_start(self) -> None:
            if watch is not None and not watch(self.num_timesteps):
                raise _Stopped

        def _on_training_end(self) -> None:
            if watch is not None:
                watch(self.num_timesteps)

    return Keeper()


def _state_of(model: Any, practice: Practice) -> dict[str, Any]:
    """Everything that the next update depends on: weights, optimiser, trades, and all random generators."""
    import torch

    generator: Any = np.random.get_state()  # noqa: NPY002 - the library's own generator
    return {
        "policy": model.policy.state_dict(),
        "optimizer": model.policy.optimizer.state_dict(),
        "frames": int(model.num_timesteps),
        "practice": {name: torch.from_numpy(array.copy()) for name, array in practice.kept().items()},
        "practice_generator": json.dumps(practice.rng.bit_generator.state),
        "starts": torch.from_numpy(model._last_episode_starts.copy()),
        "torch_generator": torch.get_rng_state(),
        "numpy_generator": torch.from_numpy(generator[1].astype(np.int64)),
        "numpy_generator_rest": json.dumps(generator[2:]),
    }


def _go_on(model: Any, practice: Practice, state: Mapping[str, Any]) -> None:
    """Put a new model and its trades where a checkpoint stands."""
    import torch

    from research.exit_env import practice_view

    model.policy.load_state_dict(state["policy"])
    model.policy.optimizer.load_state_dict(state["optimizer"])
    model.num_timesteps = int(state["frames"])
    practice.go_on({name: tensor.numpy() for name, tensor in state["practice"].items()})
    practice.rng.bit_generator.state = json.loads(state["practice_generator"])
    model._last_obs, model._last_episode_starts = practice_view(practice), state["starts"].numpy()
    torch.set_rng_state(state["torch_generator"])
    keys = state["numpy_generator"].numpy().astype(np.uint32)
    np.random.set_state(("MT19937", keys, *json.loads(state["numpy_generator_rest"])))  # noqa: NPY002


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
