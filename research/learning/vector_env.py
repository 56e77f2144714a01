"""The batched environment as stable-baselines3 wants it: a thousand trades a call, no process, no Python per trade."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from engine.kernel.learned import FEATURES, LIMIT
from research.exit_env import practice_view
from research.learning.practice import Practice


class PracticeVecEnv(VecEnv):
    """A Practice as a vectorised environment; trades that end begin anew at once."""

    def __init__(self, practice: Practice) -> None:
        self.practice = practice
        self._actions: NDArray[np.int64] = np.zeros(practice.count, np.int64)
        super().__init__(
            practice.count,
            gymnasium.spaces.Box(-LIMIT, LIMIT, (FEATURES,), np.float32),
            gymnasium.spaces.Discrete(len(practice.entries.multiples)),
        )

    def reset(self) -> NDArray[np.float32]:
        """Begin all trades."""
        self.practice.reset()
        return practice_view(self.practice)

    def step_async(self, actions: NDArray[np.int64]) -> None:
        """Take the actions of the next step."""
        self._actions = actions

    def step_wait(
        self,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """One step; infos are empty, since an episode here is one trade."""
        practice = self.practice
        practice.step(self._actions)
        done = practice.ends != 0
        return practice_view(practice), practice.rewards.astype(np.float32), done, [{} for _ in range(self.num_envs)]

    def close(self) -> None:
        """Nothing to close."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """The same attribute for every trade."""
        return [getattr(self, attr_name, None)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute of the whole."""
        setattr(self, attr_name, value)

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """There are no environments behind it."""
        raise NotImplementedError(f"a batched environment has no {method_name} per trade")

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
        """Never."""
        return [False] * len(list(self._get_indices(indices)))

    def get_images(self) -> Sequence[NDArray[np.uint8] | None]:
        """Nothing to show."""
        return []
