"""Entries as a training ground: many trades at once, each step a trade or a bar, on the engine's kernel.

Both environments, the gymnasium one and the batched one, are thin covers of this.
"""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from data.series import FloatArray
from engine.kernel.learned import FEATURES, SEAT
from research.learning.entries import Entries, Ground

Mode = Literal["trade", "bars", "every_bar"]
_KEPT = ("symbols", "bars", "sides", "chosen", "x")
MODES: dict[Mode, int] = {"trade": 0, "bars": 1, "every_bar": 2}


class Practice:
    """``count`` trades side by side, begun at entries drawn from a generator.

    Modes: ``trade``: a step is a whole trade, its reward the trade's R; ``bars``: a step is a bar, the multiple chosen
    at the entry stays; ``every_bar``: a step is a bar and each chooses anew. Rewards of a trade sum to its R: in mode
    ``trade`` they are it, per bar the last one is R less what was paid before, rounded once.

    Args:
        baseline: in mode ``trade``, pay the R less the mean R of all multiples at that entry. It does not depend on the
            action, so that the best policy stays the same; it takes away most of the noise.

    Attributes:
        x: float64[count, 14], what each sees; rewards float64[count]; ends int64[count]: 0 goes on, 1 over, 2 cut off.
        r: float64[count], R of the trades that ended in the last step, NaN elsewhere.
    """

    def __init__(
        self,
        ground: Ground,
        entries: Entries,
        count: int,
        mode: Mode = "trade",
        seed: int = 0,
        baseline: bool = False,
    ) -> None:
        if not len(entries):
            raise ValueError("there are no entries to practise on")
        self.ground, self.entries, self.count, self.mode = ground, entries, count, mode
        self.baseline = baseline and mode == "trade"
        self.means = np.nan_to_num(entries.r).mean(axis=1)
        self.rng = np.random.default_rng(seed)
        self.seats = np.zeros(count, SEAT)
        self.symbols, self.bars = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self.sides, self.chosen = np.zeros(count, np.int8), np.zeros(count, np.int64)
        self.x, self.rewards = np.zeros((count, FEATURES)), np.zeros(count)
        self.ends, self.r = np.zeros(count, np.int64), np.full(count, np.nan)
        self.actions = np.zeros(count, np.int64)

    def reset(self) -> FloatArray:
        """Begin all trades anew; returns what they see."""
        self._begin(np.arange(self.count))
        return self.x

    def begin_at(self, which: NDArray[np.int64], entries: NDArray[np.int64]) -> None:
        """Let chosen trades begin at chosen entries."""
        from engine.kernel import practice as kernel

        self.chosen[which] = entries
        self.symbols[which], self.bars[which] = self.entries.symbol[entries], self.entries.bar[entries]
        self.sides[which] = self.entries.side[entries]
        if self.mode == "trade":
            self.x[which] = self.entries.x[entries]
            return
        seats = np.ascontiguousarray(which, np.int64)
        kernel.reset(
            self.ground.record.ctypes.data, MODES[self.mode], self.seats.ctypes.data, self.symbols.ctypes.data,
            self.bars.ctypes.data, self.sides.ctypes.data, seats.ctypes.data, len(seats), self.x.ctypes.data,
        )  # fmt: skip

    def kept(self) -> dict[str, NDArray[Any]]:
        """The trades as they stand, as plain arrays; seats as bytes."""
        return {name: getattr(self, name) for name in _KEPT} | {"seats": self.seats.view(np.uint8)}

    def go_on(self, kept: Mapping[str, NDArray[Any]]) -> None:
        """Go back to what ``kept`` gave."""
        for name in _KEPT:
            getattr(self, name)[:] = kept[name]
        self.seats.view(np.uint8)[:] = kept["seats"]

    def _begin(self, which: NDArray[np.int64]) -> None:
        self.begin_at(which, self.rng.integers(len(self.entries), size=len(which)))

    def step(self, actions: NDArray[np.int64], renew: bool = True) -> None:
        """One step of every trade; ``renew``: those that ended begin anew at other entries."""
        self.actions[:] = actions
        if self.mode == "trade":
            self._step_trades()
        else:
            self._step_bars()
        over = np.flatnonzero(self.ends)
        if renew and len(over):
            self._begin(over)

    def _step_trades(self) -> None:
        """The labels are the kernel's: a whole trade is looked up."""
        r = self.entries.r[self.chosen, self.actions]
        self.ends[:] = np.where(np.isnan(r), 2, 1)
        common = self.means[self.chosen] if self.baseline else 0.0
        self.rewards[:] = np.where(np.isnan(r), 0.0, r - common)
        self.r[:] = r

    def _step_bars(self) -> None:
        from engine.kernel import practice as kernel

        kernel.step(
            self.ground.record.ctypes.data, MODES[self.mode], self.seats.ctypes.data, self.symbols.ctypes.data,
            self.bars.ctypes.data, self.sides.ctypes.data, self.count, self.actions.ctypes.data, self.x.ctypes.data,
            self.rewards.ctypes.data, self.ends.ctypes.data, len(self.ground.engine.market),
        )  # fmt: skip
        self.r[:] = np.where(self.ends == 1, self.seats["own"]["r"], np.nan)
