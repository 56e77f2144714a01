"""LinUCB chooses the multiple of the trailing stop and learns from every trade while it runs (rulebook S12.3).

The arithmetic is compiled (engine.kernel.bandit); here are the settings, the state per symbol, and its file. State is
written after trades have closed, whole or not at all, and refused where features, multiples, R unit or prior differ.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from data.errors import ModelError
from data.json_text import parsed
from data.series import FloatArray
from data.whole_files import replace_file
from engine.backtester import BacktesterEngine
from engine.config.values import File
from engine.environment import TradingEnvironment
from engine.kernel.learned import (
    COUNT,
    G_COUNT,
    G_LEARNED,
    G_MEAN,
    G_NUMBER,
    G_SKIPPED,
    G_SPREAD,
    GATE_FIELDS,
    LEARNER_FEEDBACK,
    LEARNER_REPLAY,
    LINEAR,
    PENDING,
    SEAT,
    SQUARES,
    SUM,
    WORK_ROW,
    WORK_ROWS,
    arm_words,
    inverses_of,
)  # fmt: skip
from engine.kernel.state import EXIT_TRAILING_ATR
from engine.settings import setting
from exits.features import feature_hash
from exits.learned import LearnedExit
from exits.stages import UNITS, Stage
from models.store import Model, packed, read_arrays

SLOTS = 64  # trades of a symbol that wait for their last arm to exit; more are not learned from, and counted
STATE_FORMAT = 3
Unit = Literal["initial_stop", "atr"]
_LEARNERS = {"replay": LEARNER_REPLAY, "bandit": LEARNER_FEEDBACK}
_KEPT = ("inverse", "state", "gate")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFigures:
    """What a learner knows of one multiple on one symbol.

    Attributes:
        learned: observations; mean_r: their mean, with a 95 % interval; None before there are two.
        served: how often the run entered with it.
    """

    symbol: str
    multiple: float
    learned: int
    served: int
    mean_r: float | None
    low: float | None
    high: float | None


class LinUCBExit(LearnedExit):
    """The multiple with the highest upper confidence value of a linear model per multiple; then it trails.

    By default it learns by counterfactual replay: once a trade is over, what every multiple would have made of it is
    computed on the same bars, and all of them learn.
    """

    class Settings(LearnedExit.Settings):
        """Settings of the LinUCB exit."""

        multiples: tuple[float, ...] = setting((1.0, 1.5, 2.0, 3.0, 4.0, 6.0), unit="ATR", help="What it chooses from.")
        fixed_multiple: float = setting(
            3.0, unit="ATR", gt=0, help="Served before anything is learned and behind the gate; one of multiples."
        )
        feedback: Literal["replay", "bandit"] = setting(
            "replay", unit="", help="replay: all multiples learn from each trade; bandit: only the one served."
        )
        alpha: float | None = setting(
            None, unit="", ge=0, help="Weight of the uncertainty; empty: 0 with replay, 1 with bandit feedback."
        )
        ridge: float = setting(1.0, unit="", gt=0, help="Strength of the prior that all numbers are without effect.")
        r_unit: Unit = setting(
            "initial_stop", unit="", help="What one R is: the initial stop, or the ATR at the entry."
        )
        gate: bool = setting(
            False, unit="", help="Serve fixed_multiple until the learned advantage is above zero with confidence."
        )
        gate_z: float = setting(1.96, unit="standard errors", ge=0, help="Confidence of the gate.")
        gate_trades: int = setting(50, unit="trades", ge=2, help="The gate stays shut before so many.")
        state: File | None = setting(None, unit="", help="Folder that keeps what is learned; empty: nothing is kept.")
        begin: Literal["load", "fresh"] = setting(
            "load", unit="", help="load: go on from the state folder where it holds something; fresh: begin anew."
        )

    kernel_kind = EXIT_TRAILING_ATR
    learns_in_kernel = True
    settings: Settings
    _waiting: dict[str, Any] | None = None

    def arms(self, model: Model | None) -> tuple[float, ...]:
        """The multiples of the settings."""
        return tuple(self.settings.multiples)

    @property
    def extra(self) -> int:
        """Numbers of the linear model before the constant: 1 with a prior."""
        return 0

    def precisions(self) -> FloatArray:
        """Diagonal of A at the start."""
        return np.full(LINEAR + self.extra, self.settings.ridge)

    # The record

    def fill_record(self, engine: BacktesterEngine, model: Model | None, learning: bool) -> None:
        """The learner's part: settings, private accounts, and the state, which is kept where the run goes on."""
        own, row = self.settings, self.record[0]
        multiples = self.arms(model)
        if min(multiples) <= 0.0 or len(set(multiples)) < len(multiples):
            raise ModelError(f"multiples {list(multiples)}: each must be above zero, and stand there once")
        if own.state is not None and own.state.exists() and not own.state.is_dir():
            raise ModelError(f"state {own.state} is no folder; name one in which what is learned can be kept")
        if own.fixed_multiple not in multiples:
            raise ModelError(f"fixed_multiple {own.fixed_multiple:g} is none of {list(multiples)}; name one of them")
        if own.gate and own.feedback == "bandit":
            raise ModelError("the gate needs feedback: replay; with bandit feedback the fixed multiple is not compared")
        if model is None:
            self.tables["calibration"][:] = 0.0
        row["learner"], row["inverses"] = _LEARNERS[own.feedback], self._inverses(len(multiples))
        row["learning"], row["dims"], row["slots"] = int(learning), LINEAR + self.extra, SLOTS
        row["unit"], row["fixed_arm"] = UNITS[own.r_unit], multiples.index(own.fixed_multiple)
        row["gated"], row["gate_min"], row["gate_z"] = int(own.gate), own.gate_trades, own.gate_z
        row["alpha"] = own.alpha if own.alpha is not None else float(own.feedback == "bandit")
        atr = engine.tables.attached["exit_atr_a"]
        self.stages = [Stage(engine, column, atr) for column in range(len(engine.scales))]
        self.tables["stages"] = np.array([stage.address for stage in self.stages], np.int64)
        self.tables["work"] = np.zeros((WORK_ROWS, WORK_ROW))
        self.tables["templates"] = np.array([stage.template.ctypes.data for stage in self.stages], np.int64)
        if getattr(self, "_engine", None) is not engine:
            self._begin(engine, model, multiples)
        self.tables |= self.state

    def _begin(self, engine: BacktesterEngine, model: Model | None, multiples: tuple[float, ...]) -> None:
        """The state that a run begins with."""
        self._engine = engine
        n_symbols, arms = len(engine.scales), len(multiples)
        self.described: dict[str, Any] = {
            "format": STATE_FORMAT,
            "feature_hash": feature_hash(),
            "multiples": list(multiples),
            "r_unit": self.settings.r_unit,
            "prior": "none" if model is None else model.identity,
        }
        self.state: dict[str, Any] = {
            "inverse": np.tile(np.diag(1.0 / self.precisions()), (n_symbols, self._inverses(arms), 1, 1)),
            "state": np.zeros((n_symbols, arms, arm_words(LINEAR + self.extra))),
            "gate": np.zeros((n_symbols, GATE_FIELDS)),
            "pendings": np.zeros((n_symbols, SLOTS), PENDING),
            "seats": np.zeros((n_symbols, SLOTS, arms), SEAT),
            "waiting": np.zeros(n_symbols, np.int64),
        }
        if self._waiting is not None:
            self.set_state(self._waiting)
        elif self.settings.state is not None and self.settings.begin == "load":
            for column, symbol in enumerate(engine.market.symbols):
                self._load(column, symbol)

    def _inverses(self, arms: int) -> int:
        """How many A^-1 a symbol has."""
        return inverses_of(_LEARNERS[self.settings.feedback], LINEAR + self.extra, arms)

    # Learning

    def ingest_trade_log(self, env: TradingEnvironment) -> None:
        """Trades have closed: take in what all arms have finished, and keep the state where a folder is set."""
        if self.settings.state is None or self.fallback is not None:
            return
        self.learn_until(env.api.bar + 1)
        self.save(self.settings.state)

    def learn_until(self, bar: int) -> None:
        """Take in every trade whose arms have all exited before ``bar``; decisions do this themselves when due."""
        from engine.kernel.bandit import learn

        for column in range(len(self.state["gate"])):
            learn(self.record.ctypes.data, column, bar)

    # The state as a file

    def save(self, folder: Path) -> list[Path]:
        """Write what was learned, one file per symbol, each whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for column, symbol in enumerate(self._engine.market.symbols):
            described = json.dumps({**self.described, "symbol": symbol}, sort_keys=True)
            arrays = {name: self.state[name][column] for name in _KEPT}
            arrays["described"] = np.frombuffer(described.encode(), np.uint8)
            path = folder / f"{symbol}.npz"
            replace_file(path, packed(arrays))
            written.append(path)
        return written

    def _load(self, column: int, symbol: str) -> None:
        """Go on from a symbol's file, where there is one.

        Raises:
            ModelError: where it does not fit, with both values.
        """
        path = (self.settings.state or Path()) / f"{symbol}.npz"
        if not path.exists():
            return
        arrays = read_arrays(path.read_bytes(), path)
        described = self._description(path, arrays)
        for key, expected in self.described.items():
            if described.get(key) != expected:
                raise ModelError(
                    f"{path}: was learned with {key} {described.get(key)!r}, this run has {expected!r}; use another "
                    "state folder, or begin: fresh"
                )
        for name in _KEPT:
            if arrays.get(name, np.empty(0)).shape != self.state[name][column].shape:
                raise ModelError(f"{path}: {name} has not the shape of this run's; use begin: fresh")
            self.state[name][column] = arrays[name]

    @staticmethod
    def _description(path: Path, arrays: dict[str, Any]) -> dict[str, Any]:
        try:
            described = parsed(bytes(arrays["described"]))
        except (KeyError, ValueError) as error:
            raise ModelError(f"{path} is no state of a learner: {error}; use begin: fresh") from None
        return described if isinstance(described, dict) else {}

    # The state in snapshots

    def get_state(self) -> dict[str, Any] | None:
        """Models, figures of the gate, and the trades that wait for their last arm."""
        if not hasattr(self, "state"):
            return {}
        active = np.nonzero(self.state["pendings"]["active"])
        return {
            **{name: self.state[name].copy() for name in _KEPT},
            "active": active,
            "pendings": self.state["pendings"][active].copy(),
            "seats": self.state["seats"][active].copy(),
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Go back to what ``get_state`` gave; the compiled code reads the same arrays."""
        if not state:
            return
        if not hasattr(self, "state"):  # made anew in mid-run: the state waits until the run has prepared it
            self._waiting = state
            return
        for name in _KEPT:
            self.state[name][:] = state[name]
        self.state["pendings"]["active"] = 0
        self.state["pendings"][state["active"]] = state["pendings"]
        self.state["waiting"][:] = (self.state["pendings"]["active"] == 1).sum(axis=1)
        self.state["seats"][state["active"]] = state["seats"]

    # What it knows

    def figures(self) -> list[ArmFigures]:
        """Per symbol and multiple: how often it has learned and was served, and the mean R with its interval."""
        choices = self._engine.tables.rows("choices")
        choices = choices[choices["order"] > 0]  # size or broker refused the others
        tail = LINEAR + self.extra
        found = []
        for column, symbol in enumerate(self._engine.market.symbols):
            served = np.bincount(
                choices["arm"][choices["symbol"] == column], minlength=len(self.described["multiples"])
            )
            for arm, multiple in enumerate(self.described["multiples"]):
                kept = self.state["state"][column, arm, tail:]
                mean, half = _mean_and_half(kept[COUNT], kept[SUM], kept[SQUARES])
                low, high = (None, None) if mean is None or half is None else (mean - half, mean + half)
                found.append(
                    ArmFigures(
                        symbol=symbol, multiple=multiple, learned=int(kept[COUNT]), served=int(served[arm]),
                        mean_r=mean, low=low, high=high,
                    )
                )  # fmt: skip
        return found

    def summary(self) -> list[str]:
        """The figures as lines for a report: arm counts, mean R with interval, the learned advantage."""
        if self.fallback is not None:
            return [self.fallback]
        lines = []
        for symbol in self._engine.market.symbols:
            arms = [one for one in self.figures() if one.symbol == symbol]
            lines.append(f"{symbol}: " + "; ".join(_arm_text(one) for one in arms))
            lines.append(f"{symbol}: {self.advantage_text(self._engine.market.symbols.index(symbol))}")
        return lines

    def advantage_text(self, column: int) -> str:
        """What a symbol's learner has taken in, and its advantage over the fixed multiple."""
        gate = self.state["gate"][column]
        if gate[G_COUNT] < 2:
            return f"{int(gate[G_NUMBER])} entries, too few learned to tell an advantage"
        half = 1.96 * float(np.sqrt(gate[G_SPREAD] / (gate[G_COUNT] - 1) / gate[G_COUNT]))
        mean = float(gate[G_MEAN])
        return (
            f"{int(gate[G_NUMBER])} entries, {int(gate[G_LEARNED])} learned from, {int(gate[G_SKIPPED])} left out; "
            f"advantage over {self.settings.fixed_multiple:g} x ATR {mean:+.3f} R "
            f"[{mean - half:+.3f}, {mean + half:+.3f}]"
        )


def _mean_and_half(count: float, total: float, squares: float) -> tuple[float | None, float | None]:
    """Mean and half its 95 % interval; None where there are too few."""
    if count < 2:
        return None, None
    mean = total / count
    variance = max(squares / count - mean * mean, 0.0) * count / (count - 1)
    return float(mean), float(1.96 * np.sqrt(variance / count))


def _arm_text(one: ArmFigures) -> str:
    if one.mean_r is None or one.low is None or one.high is None:
        return f"{one.multiple:g} x ATR served {one.served}"
    return f"{one.multiple:g} x ATR served {one.served}, mean {one.mean_r:+.2f} R [{one.low:+.2f}, {one.high:+.2f}]"
