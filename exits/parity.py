"""Whether the compiled forward pass gives what the trainer's library gave: checked when a model is loaded.

A model carries probes: inputs, and the outputs that torch computed for them. Outputs may differ by 1e-5, and the choice
must be the same wherever the two best outputs are more than 1e-4 apart.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import ModelError
from data.series import FloatArray
from engine.kernel.learned import FEATURES, LEARNED, MARKET_FEATURES, NETWORK_SEQUENCE
from models.store import Model

TOLERANCE, MARGIN = 1e-5, 1e-4
WIDEST = 256  # outputs of a layer at most, four gates of the memory cells included; the compiled code has no more room
SCRATCH = 5 * WIDEST
_NEEDED = ("weights", "sizes", "multiples", "calibration", "probe_x", "probe_out")
_NEEDED_BY_SEQUENCES = ("hidden", "lookback", "probe_sequence")


class Network:
    """A network alone, without a run: outputs for many decisions, one after the other.

    Args:
        arrays: ``weights``, ``sizes``, and for sequences ``hidden`` and ``lookback``.
        kind: NETWORK_POLICY or NETWORK_SEQUENCE.
        sequence: float32[rows, 8], rows of closed bars that sequence networks look back over.
    """

    def __init__(self, arrays: dict[str, NDArray[Any]], kind: int, sequence: NDArray[np.float32] | None = None) -> None:
        self.weights = np.ascontiguousarray(arrays["weights"], np.float32)
        self.sizes = np.ascontiguousarray(arrays["sizes"], np.int64)
        self.scratch = np.zeros(SCRATCH, np.float32)
        self.sequence = np.ascontiguousarray(sequence if sequence is not None else np.zeros((1, 8)), np.float32)
        self.record = np.zeros(1, LEARNED)
        row = self.record[0]
        row["network"], row["layers"], row["arms"] = kind, len(self.sizes), int(self.sizes[-1])
        row["hidden"], row["lookback"] = int(arrays.get("hidden", 0)), int(arrays.get("lookback", 1))
        for name in ("weights", "sizes", "scratch", "sequence"):
            row[f"{name}_a"] = getattr(self, name).ctypes.data

    def outputs(
        self,
        x: FloatArray,
        rows: NDArray[np.int64] | None = None,
        sides: NDArray[np.int64] | None = None,
    ) -> FloatArray:
        """Outputs float64[n, arms] for the numbers float64[n, 14], windows that end at ``rows``, and sides."""
        from engine.kernel.networks import evaluate

        inputs = np.ascontiguousarray(x, np.float64)
        count = len(inputs)
        ends = np.ascontiguousarray(np.zeros(count) if rows is None else rows, np.int64)
        signs = np.ascontiguousarray(np.ones(count) if sides is None else sides, np.int64)
        out = np.zeros((count, int(self.sizes[-1])))
        evaluate(
            self.record.ctypes.data, inputs.shape[1], inputs.ctypes.data, ends.ctypes.data, signs.ctypes.data,
            out.ctypes.data, count,
        )  # fmt: skip
        return out


def _check_sizes(model: Model, kind: int) -> None:
    """Refuse arrays that are not there or do not fit each other: the compiled code would read beyond them."""
    arrays, of_sequences = model.arrays, kind == NETWORK_SEQUENCE
    needed = _NEEDED + (_NEEDED_BY_SEQUENCES if of_sequences else ())
    lacking = [name for name in needed if name not in arrays]
    if lacking:
        raise ModelError(f"{model.path} lacks {', '.join(lacking)}; train the model again")
    hidden = int(arrays["hidden"]) if of_sequences else 0
    sizes = arrays["sizes"].tolist()
    widths = [hidden + MARKET_FEATURES if of_sequences else FEATURES, *sizes]
    memory = (MARKET_FEATURES + hidden + 2) * 4 * hidden
    expected = memory + sum((before + 1) * after for before, after in pairwise(widths))
    if len(arrays["weights"]) != expected or max(*widths, 4 * hidden) > WIDEST:
        raise ModelError(
            f"{model.path} has {len(arrays['weights'])} weights; layers of {sizes} after {hidden} memory cells need "
            f"{expected}, and none may be wider than {WIDEST}; train the model again"
        )
    count, arms = len(arrays["probe_x"]), len(arrays["multiples"])
    found = {name: arrays[name].shape for name in ("probe_x", "probe_out", "calibration")}
    wanted = {"probe_x": (count, FEATURES), "probe_out": (count, sizes[-1]), "calibration": (2, arms)}
    if found != wanted or sizes[-1] != arms:
        raise ModelError(f"{model.path} has arrays of {found}, {arms} multiples need {wanted}; train the model again")


def check_parity(model: Model, kind: int) -> None:
    """Refuse a model whose outputs for its probes are not those that it was stored with.

    Raises:
        ModelError: with both figures, or naming what is not there or does not fit.
    """
    _check_sizes(model, kind)
    arrays = model.arrays
    sequence = arrays.get("probe_sequence")
    network = Network(arrays, kind, None if sequence is None else sequence.reshape(-1, sequence.shape[-1]))
    lookback, count = int(arrays.get("lookback", 1)), len(arrays["probe_x"])
    ours = network.outputs(arrays["probe_x"], (np.arange(count) + 1) * lookback - 1)
    theirs = arrays["probe_out"]
    worst = float(np.max(np.abs(ours - theirs)))
    ranked = np.sort(theirs, axis=1)
    clear = ranked[:, -1] - ranked[:, -2] > MARGIN
    differs = np.flatnonzero(clear & (ours.argmax(axis=1) != theirs.argmax(axis=1)))
    if not worst <= TOLERANCE or len(differs):
        at = int(np.abs(ours - theirs).max(axis=1).argmax()) if not len(differs) else int(differs[0])
        raise ModelError(
            f"{model.path}: probe {at} gives {ours[at].tolist()}, the model was stored with {theirs[at].tolist()}; "
            f"they may differ by {TOLERANCE:g}. Train it again, or convert it again from its .zip or .pt"
        )
