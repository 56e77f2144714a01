"""Every learner behind one call: learn from labelled entries, then choose for others."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from data.series import FloatArray
from engine.kernel.learned import (
    GATE_FIELDS,
    LEARNED,
    LEARNER_FEEDBACK,
    LEARNER_REPLAY,
    MARKET_FEATURES,
    WORK_ROW,
    WORK_ROWS,
    arm_words,
    inverses_of,
)
from exits.bandit_overlay import LinUCBExit
from exits.convert import arrays_of_script, arrays_of_zip
from exits.features import SIGNED
from exits.hybrid import HybridExit
from research.learning.comparing import best_fixed
from research.learning.entries import Entries, Ground, joined
from research.learning.finishing import calibration_of, outputs_of
from research.learning.memory import MemorySettings, train_memory
from research.learning.policy import PolicySettings, train_policy

Arms = NDArray[np.int64]
Feedback = Literal["replay", "bandit"]
#: (ground, learning part, judging part, seed) -> arms chosen for the judging part.
Learner = Callable[[Ground, Entries, Entries, int], Arms]


class LinearBandit:
    """LinUCB, or a hybrid where priors are given, walked over labelled entries in time.

    Args:
        symbols, arms: how many; fixed: the arm served before anything is learned.
        feedback: replay (all arms learn) or bandit; alpha: weight of the uncertainty; with_prior: a number more.
    """

    def __init__(
        self,
        symbols: int,
        arms: int,
        fixed: int,
        *,
        feedback: Feedback = "replay",
        alpha: float = 0.0,
        with_prior: bool = False,
    ) -> None:
        own = HybridExit.Settings(feedback=feedback) if with_prior else LinUCBExit.Settings(feedback=feedback)
        made = HybridExit(own) if with_prior else LinUCBExit(own)
        precisions = made.precisions()
        dims, learner = len(precisions), LEARNER_REPLAY if feedback == "replay" else LEARNER_FEEDBACK
        count = inverses_of(learner, dims, arms)
        self.inverse = np.tile(np.diag(1.0 / precisions), (symbols, count, 1, 1))
        self.state, self.work = np.zeros((symbols, arms, arm_words(dims))), np.zeros((WORK_ROWS, WORK_ROW))
        self.gate = np.zeros((symbols, GATE_FIELDS))
        self.record = np.zeros(1, LEARNED)
        row = self.record[0]
        row["arms"], row["dims"], row["fixed_arm"], row["alpha"] = arms, dims, fixed, alpha
        row["learner"], row["inverses"] = learner, count
        row["state_a"], row["inverse_a"] = self.state.ctypes.data, self.inverse.ctypes.data
        row["work_a"], row["gate_a"] = self.work.ctypes.data, self.gate.ctypes.data
        if isinstance(made, HybridExit):
            made.put_on_trial(row)

    def walk(self, entries: Entries, priors: FloatArray | None = None) -> Arms:
        """Arms chosen for entries in the order of their time; it goes on learning."""
        from engine.kernel.bandit import walk

        count, arms = entries.r.shape
        now = entries.x[:, :MARKET_FEATURES]
        x = np.ascontiguousarray(np.column_stack((np.ones(count), now, np.abs(now[:, SIGNED[:MARKET_FEATURES]]))))
        given = np.ascontiguousarray(np.zeros((count, arms)) if priors is None else priors)
        order = np.argsort(entries.end_ns, kind="stable").astype(np.int64)
        arrays = [
            np.ascontiguousarray(array)
            for array in (entries.symbol, entries.time_ns, entries.end_ns, order, x, given, entries.r)
        ]
        chosen = np.zeros(count, np.int64)
        places: list[int] = [array.ctypes.data for array in arrays]
        walk(self.record.ctypes.data, count, *places, chosen.ctypes.data)  # type: ignore[call-arg]
        return chosen


def linucb(ground: Ground, train: Entries, test: Entries, seed: int, feedback: Feedback = "replay") -> Arms:
    """LinUCB over all entries in time, judged on the judging part; per symbol, as it is served."""
    whole = joined([train, test])
    alpha = 0.0 if feedback == "replay" else 1.0
    bandit = LinearBandit(len(train.symbols), len(train.multiples), best_fixed(train.r), feedback=feedback, alpha=alpha)
    return bandit.walk(whole)[len(train) :]


def policy(settings: PolicySettings) -> Learner:
    """PPO with these settings."""

    def learn(ground: Ground, train: Entries, test: Entries, seed: int) -> Arms:
        arms: Arms = policy_outputs(settings, ground, train, test, seed).argmax(axis=1)
        return arms

    return learn


def policy_arrays_of(settings: PolicySettings, ground: Ground, train: Entries, seed: int) -> dict[str, NDArray[Any]]:
    """Train a policy; its arrays."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy.zip"
        train_policy(ground, train, settings, seed, path)
        return dict(arrays_of_zip(path))


def policy_outputs(settings: PolicySettings, ground: Ground, train: Entries, test: Entries, seed: int) -> FloatArray:
    """Outputs of a trained policy for the judging part, as R through their calibration."""
    arrays = policy_arrays_of(settings, ground, train, seed)
    return calibrated("ppo", arrays, ground, train, test)


def memory_arrays_of(settings: MemorySettings, ground: Ground, train: Entries, seed: int) -> dict[str, NDArray[Any]]:
    """Train a sequence network; its arrays."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "memory.pt"
        train_memory(ground.features.sequence, train, settings, seed, path)
        return dict(arrays_of_script(path)) | {"lookback": np.array(settings.lookback, np.int64)}


def memory(settings: MemorySettings) -> Learner:
    """The LSTM with these settings."""

    def learn(ground: Ground, train: Entries, test: Entries, seed: int) -> Arms:
        arrays = memory_arrays_of(settings, ground, train, seed)
        arms: Arms = outputs_of("lstm", arrays, ground, test).argmax(axis=1)
        return arms

    return learn


def calibrated(
    kind: str, arrays: Mapping[str, NDArray[Any]], ground: Ground, train: Entries, test: Entries
) -> FloatArray:
    """What a network says of the judging part in R."""
    outputs = outputs_of(kind, arrays, ground, test)
    if kind == "lstm":
        return outputs
    intercepts, slopes = calibration_of(outputs_of(kind, arrays, ground, train), train.r)
    values: FloatArray = intercepts + slopes * outputs
    return values


def hybrid(priors: FloatArray, test: Entries, fixed: int) -> Arms:
    """A hybrid that begins with these priors at the judging part, and learns there."""
    bandit = LinearBandit(len(test.symbols), len(test.multiples), fixed, with_prior=True)
    return bandit.walk(test, priors)
