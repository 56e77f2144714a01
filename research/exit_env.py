"""A gymnasium environment in which an agent chooses the ATR multiple of a trailing stop, on the engine's own kernel.

from research.exit_env import ExitEnv
env = ExitEnv(ground, entries, mode="trade", seed=1)   # ground and entries: research.learning.entries
"""

from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from engine.kernel.learned import FEATURES, LIMIT
from research.learning.entries import Entries, Ground
from research.learning.practice import Mode, Practice

Observation = NDArray[np.float32]


class ExitEnv(gymnasium.Env[Observation, np.int64]):
    """One trade an episode. Action: index of a multiple. Reward in R, net of costs; gamma is meant to be 1.

    ``reset(options={"entry": i})`` begins at entry ``i``; without it at a random one. ``info`` of the last step holds
    ``r``, the trade's R.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}

    def __init__(self, ground: Ground, entries: Entries, mode: Mode = "trade", seed: int = 0) -> None:
        self._practice = Practice(ground, entries, 1, mode, seed)
        self.observation_space = gymnasium.spaces.Box(-LIMIT, LIMIT, (FEATURES,), np.float32)
        self.action_space = gymnasium.spaces.Discrete(len(entries.multiples))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin a trade; see the class for ``options``."""
        super().reset(seed=seed)
        if seed is not None:
            self._practice.rng = np.random.default_rng(seed)
        if options is not None and "entry" in options:
            self._practice.begin_at(np.array([0]), np.array([int(options["entry"])]))
        else:
            self._practice.reset()
        return self._seen(), {"entry": int(self._practice.chosen[0])}

    def step(self, action: np.int64) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """One trade or one bar, by the mode; truncated where data end before the trade."""
        practice = self._practice
        practice.step(np.array([int(action)]), renew=False)
        end = int(practice.ends[0])
        info = {"r": float(practice.r[0])} if end == 1 else {}
        return self._seen(), float(practice.rewards[0]), end == 1, end == 2, info

    def _seen(self) -> Observation:
        seen: Observation = practice_view(self._practice)[0]
        return seen


def practice_view(practice: Practice) -> Observation:
    """What all trades see, float32[count, 14], within the bounds of the observation space."""
    seen: Observation = np.clip(practice.x, -LIMIT, LIMIT).astype(np.float32)
    return seen
