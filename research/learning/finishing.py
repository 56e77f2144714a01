"""What a training leaves in the store: plain arrays, probes, calibration, and a manifest that says where from."""

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from data.series import FloatArray
from engine.kernel.learned import MARKET_FEATURES, NETWORK_POLICY, NETWORK_SEQUENCE
from exits.convert import arrays_of_script, arrays_of_zip
from exits.features import NAMES, feature_hash
from exits.parity import Network, check_parity
from models.store import Model, save_model
from research.learning.comparing import best_fixed
from research.learning.entries import Entries, Ground
from research.learning.memory import memory_probes, windows
from research.learning.policy import policy_probes

Kind = Literal["ppo", "lstm"]
PROBES = 8
_LIBRARIES = ("numpy", "numba", "torch", "stable-baselines3", "gymnasium")
NETWORKS: dict[str, int] = {"ppo": NETWORK_POLICY, "lstm": NETWORK_SEQUENCE}


def finish_model(
    kind: Kind, trained: Path, ground: Ground, learned_from: Entries, facts: Mapping[str, Any], seed: int
) -> Model:
    """Convert what was trained to plain arrays, add probes, check parity, and write arrays and manifest beside it."""
    arrays: dict[str, NDArray[Any]] = dict(arrays_of_zip(trained) if kind == "ppo" else arrays_of_script(trained))
    arrays["multiples"] = np.array(learned_from.multiples)
    if kind == "lstm":
        arrays["lookback"] = np.array(ground.lookback, np.int64)
    probes = np.random.default_rng(seed).choice(len(learned_from), min(PROBES, len(learned_from)), replace=False)
    _add_probes(kind, trained, ground, learned_from.take(np.sort(probes)), arrays)
    outputs = outputs_of(kind, arrays, ground, learned_from)
    arrays["calibration"] = calibration_of(outputs, learned_from.r) if kind == "ppo" else _as_is(outputs.shape[1])
    manifest = {
        "kind": kind,
        "multiples": list(learned_from.multiples),
        "r_unit": ground.unit,
        "features": list(NAMES),
        "feature_hash": feature_hash(),
        "fixed_best": learned_from.multiples[best_fixed(learned_from.r)],
        **facts,
        "seed": seed,
        "versions": {name: version(name) for name in _LIBRARIES} | {"python": platform.python_version()},
    }
    path = trained.with_suffix(".npz")
    check_parity(Model(trained.stem, path, manifest, arrays), NETWORKS[kind])
    save_model(path, arrays, manifest)
    return Model(trained.stem, path, manifest, arrays)


def _add_probes(kind: Kind, trained: Path, ground: Ground, probes: Entries, arrays: dict[str, NDArray[Any]]) -> None:
    """Inputs and what torch says of them; sequences are stored with the side's sign in them."""
    arrays["probe_x"] = probes.x
    if kind == "ppo":
        arrays["probe_out"] = policy_probes(trained, probes.x)
        return
    bars = windows(ground.features.sequence, probes.row, probes.side, ground.lookback)
    arrays["probe_sequence"] = bars
    now = probes.x[:, :MARKET_FEATURES].astype(np.float32)
    arrays["probe_out"] = memory_probes(trained, bars, now)


def outputs_of(kind: str, arrays: Mapping[str, NDArray[Any]], ground: Ground, entries: Entries) -> FloatArray:
    """Outputs of a network for entries, by the serving's own forward pass, float64[n, arms]."""
    network = Network(dict(arrays), NETWORKS[kind], ground.features.sequence)
    return network.outputs(entries.x, entries.row, entries.side.astype(np.int64))


def calibration_of(outputs: FloatArray, r: FloatArray) -> FloatArray:
    """[intercepts, slopes] that turn a policy's outputs into R: one slope, by least squares on differences of arms."""
    centred = outputs - outputs.mean(axis=1, keepdims=True)
    target = r - r.mean(axis=1, keepdims=True)
    spread = float((centred * centred).sum())
    slope = float((centred * target).sum()) / spread if spread > 0.0 else 0.0
    return np.vstack((r.mean(axis=0) - slope * outputs.mean(axis=0), np.full(outputs.shape[1], slope)))


def _as_is(arms: int) -> FloatArray:
    """Outputs that are R already."""
    return np.vstack((np.zeros(arms), np.ones(arms)))
