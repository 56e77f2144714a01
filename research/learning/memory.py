"""Trains the sequence network: an LSTM over the last closed bars that predicts the R of every multiple.

The loss is on the R of all arms (mean squared error, or expected R under the softmax), never on which arm was best:
that label is one class most of the time, and throws away by how much it was.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from data.series import FloatArray
from engine.kernel.learned import MARKET_FEATURES
from exits.features import SIGNED
from research.learning.checkpoints import checkpoint_path, identity_of, read_checkpoint, write_checkpoint
from research.learning.entries import Entries

Watch = Callable[[int, float], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySettings:
    """How a sequence network is trained.

    Attributes:
        lookback: closed bars it sees; hidden: memory cells; width: of the layer behind them.
        epochs, batch, rate, decay: of Adam; the rate falls to a tenth. loss: mse on R, or expected R.
        threads: of torch; device: cpu, cuda or auto.
    """

    lookback: int = 64
    hidden: int = 16
    width: int = 16
    epochs: int = 4
    batch: int = 512
    rate: float = 3e-3
    decay: float = 1e-4
    loss: Literal["mse", "expected"] = "mse"
    threads: int = 1
    device: str = "cpu"


def windows(sequence: NDArray[np.float32], rows: NDArray[np.int64], sides: NDArray[Any], lookback: int) -> Any:
    """float32[n, lookback, 8]: the closed bars up to ``rows``, direction-like numbers times the side."""
    taken = sequence[rows[:, None] + np.arange(1 - lookback, 1)]
    signs = np.where(SIGNED[:MARKET_FEATURES], sides[:, None].astype(np.float32), np.float32(1.0))
    return taken * signs[:, None, :]


def network_of(settings: MemorySettings, arms: int) -> Any:
    """The untrained module: ``memory`` over the bars, ``head`` over its last state and the numbers of now."""
    import torch

    class SequenceNetwork(torch.nn.Module):
        """Windows and numbers of now in, R of each arm out."""

        def __init__(self) -> None:
            super().__init__()
            self.memory = torch.nn.LSTM(MARKET_FEATURES, settings.hidden, batch_first=True)
            self.head = torch.nn.Sequential(
                torch.nn.Linear(settings.hidden + MARKET_FEATURES, settings.width),
                torch.nn.Tanh(),
                torch.nn.Linear(settings.width, arms),
            )

        def forward(self, bars: torch.Tensor, now: torch.Tensor) -> torch.Tensor:
            states = self.memory(bars)[0]
            return self.head(torch.cat((states[:, -1], now), dim=1))

    return SequenceNetwork()


def train_memory(
    sequence: NDArray[np.float32],
    entries: Entries,
    settings: MemorySettings,
    seed: int,
    path: Path,
    watch: Watch | None = None,
    resume: Path | None = None,
) -> int:
    """Train, and write TorchScript to ``path``; returns the batches done.

    Args:
        sequence: of the ground the entries lie on.
        watch: called with batches done and the loss; where it answers False, a checkpoint is left beside ``path``.
        resume: a checkpoint to go on from, exactly as if the training had not been interrupted.

    Raises:
        ModelError: where the checkpoint is damaged or another training's.
    """
    import torch

    torch.set_num_threads(settings.threads)
    torch.manual_seed(seed)
    identity = identity_of(settings, entries, seed)
    if settings.device == "auto":
        settings = replace(settings, device="cuda" if torch.cuda.is_available() else "cpu")
    network = network_of(settings, len(entries.multiples)).to(settings.device)
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.rate, weight_decay=settings.decay)
    done = 0 if resume is None else _go_on(network, optimiser, read_checkpoint(resume, identity))
    order = _order(len(entries), settings, seed)
    going = True
    while going and done < len(order):
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * (1.0 - 0.9 * done / len(order))
        loss = _learn(network, optimiser, sequence, entries, order[done], settings)
        done += 1
        going = watch is None or watch(done, loss)
    if done < len(order):
        state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "done": done}
        write_checkpoint(checkpoint_path(path), identity, state)
    _save(network.to("cpu"), path)
    return done


def batches_of(count: int, settings: MemorySettings) -> int:
    """Batches of a whole training."""
    return settings.epochs * max(1, count // settings.batch)


def _order(count: int, settings: MemorySettings, seed: int) -> list[NDArray[np.int64]]:
    """Which entries each batch holds; the order within the learning part may be shuffled, the split never is."""
    rng, parts = np.random.default_rng(seed), []
    per_epoch = max(1, count // settings.batch)
    for _ in range(settings.epochs):
        parts += np.array_split(rng.permutation(count)[: per_epoch * settings.batch], per_epoch)
    return parts


def _learn(
    network: Any, optimiser: Any, sequence: Any, entries: Entries, which: Any, settings: MemorySettings
) -> float:
    """One step of the optimiser; returns the loss."""
    import torch

    bars = windows(sequence, entries.row[which], entries.side[which], settings.lookback)
    now = entries.x[which, :MARKET_FEATURES].astype(np.float32)
    target = torch.tensor(entries.r[which].astype(np.float32), device=settings.device)
    out = network(torch.tensor(bars, device=settings.device), torch.tensor(now, device=settings.device))
    if settings.loss == "mse":
        loss = torch.mean((out - target) ** 2)
    else:
        loss = -torch.mean(torch.sum(torch.softmax(out, dim=1) * target, dim=1))
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
    return float(loss.detach())


def _save(network: Any, path: Path) -> None:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript: deprecated by its makers
        torch.jit.script(network.eval()).save(str(path))


def _go_on(network: Any, optimiser: Any, state: Mapping[str, Any]) -> int:
    network.load_state_dict(state["network"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["done"])


def memory_probes(path: Path, bars: NDArray[np.float32], now: NDArray[np.float32]) -> FloatArray:
    """What torch says of windows and numbers, float64[n, arms]: the truth that serving is checked against."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        network = torch.jit.load(str(path), map_location="cpu")
    with torch.no_grad():
        out = network(torch.tensor(bars), torch.tensor(now))
    return np.asarray(out.numpy(), np.float64)
