"""Forward passes of the small networks that choose a multiple: the one numeric path of training pages and serving.

Weights are float32 in one array, each layer as [inputs, outputs] and then its bias; sums run over inputs outermost, so
that they are the same sums whatever the machine does with vectors. No BLAS. The batch form is a loop over the single.

Sources: multilayer perceptron with tanh as in stable-baselines3's MlpPolicy; long short-term memory as in Hochreiter
and Schmidhuber 1997 with forget gates, gate order input, forget, cell, output as torch has it.
"""

from typing import Any

import numpy as np

from engine.kernel.hooking import late_entry, late_internal
from engine.kernel.learned import FIRST_SIGNED, MARKET_FEATURES, NETWORK_POLICY, NETWORK_SEQUENCE, SIGNED
from engine.kernel.observing import floats, integers, learned_at_index, singles
from engine.kernel.state import I8

_WIDEST = 256  # outputs of a layer at most, four gates of the memory cells included


@late_internal
def dense(weights: Any, offset: int, inputs: Any, n_inputs: int, outputs: Any, n_outputs: int) -> int:
    """Outputs = inputs x weights + bias; returns where the next layer's weights begin."""
    bias = offset + n_inputs * n_outputs
    for out in range(n_outputs):
        outputs[out] = weights[bias + out]
    for one in range(n_inputs):
        value = inputs[one]
        row = offset + one * n_outputs
        for out in range(n_outputs):
            outputs[out] += weights[row + out] * value
    return bias + n_outputs


@late_internal
def squash(values: Any, count: int) -> None:
    """Tanh in place."""
    for index in range(count):
        values[index] = np.tanh(values[index])


@late_internal
def sigmoid(value: Any) -> Any:
    """1 / (1 + exp(-x)) in float32."""
    one = np.float32(1.0)
    return one / (one + np.exp(-value))


@late_internal
def perceptron(learned: Any, offset: int, n_inputs: int, scratch: Any) -> Any:
    """Layers with tanh between them, inputs in the first row of ``scratch``; returns the row of outputs."""
    sizes = integers(learned.sizes_a, learned.layers)
    weights = singles(learned.weights_a, offset + 1_000_000)
    inputs, outputs = scratch[:_WIDEST], scratch[_WIDEST : 2 * _WIDEST]
    count = n_inputs
    for layer in range(learned.layers):
        offset = dense(weights, offset, inputs, count, outputs, sizes[layer])
        count = sizes[layer]
        if layer < learned.layers - 1:
            squash(outputs, count)
        inputs, outputs = outputs, inputs
    return inputs


@late_internal
def remember(learned: Any, row: int, side: int, scratch: Any) -> None:
    """Run the memory cells over the last ``lookback`` closed bars up to ``row``; leaves h in the first row."""
    hidden = learned.hidden
    gates = 4 * hidden
    weights = singles(learned.weights_a, (MARKET_FEATURES + hidden + 2) * gates)
    h, sums = scratch[:hidden], scratch[_WIDEST : _WIDEST + gates]
    c, more = scratch[2 * _WIDEST : 2 * _WIDEST + hidden], scratch[3 * _WIDEST : 3 * _WIDEST + gates]
    x = scratch[4 * _WIDEST : 4 * _WIDEST + MARKET_FEATURES]
    h[:] = np.float32(0.0)
    c[:] = np.float32(0.0)
    first = row - learned.lookback + 1
    bars = singles(learned.sequence_a + 4 * first * MARKET_FEATURES, learned.lookback * MARKET_FEATURES)
    for step in range(learned.lookback):
        for index in range(MARKET_FEATURES):
            value = bars[step * MARKET_FEATURES + index]
            x[index] = value * np.float32(side) if FIRST_SIGNED <= index and index < FIRST_SIGNED + SIGNED else value
        after = dense(weights, 0, x, MARKET_FEATURES, sums, gates)
        dense(weights, after, h, hidden, more, gates)
        for cell in range(hidden):
            keep = sigmoid(sums[hidden + cell] + more[hidden + cell])
            write = sigmoid(sums[cell] + more[cell])
            new = np.tanh(sums[2 * hidden + cell] + more[2 * hidden + cell])
            c[cell] = keep * c[cell] + write * new
            h[cell] = sigmoid(sums[3 * hidden + cell] + more[3 * hidden + cell]) * np.tanh(c[cell])


@late_internal
def policy_outputs(learned: Any, x: Any, n_inputs: int, out: Any) -> None:
    """Outputs of the policy network for the numbers ``x``."""
    scratch = singles(learned.scratch_a, 5 * _WIDEST)
    for index in range(n_inputs):
        scratch[index] = np.float32(x[index])
    result = perceptron(learned, 0, n_inputs, scratch)
    for arm in range(learned.arms):
        out[arm] = np.float64(result[arm])


@late_internal
def sequence_outputs(learned: Any, row: int, side: int, x: Any, out: Any) -> None:
    """Outputs of the sequence network: memory over closed bars up to ``row``, beside the market numbers of now."""
    scratch = singles(learned.scratch_a, 5 * _WIDEST)
    remember(learned, row, side, scratch)
    hidden = learned.hidden
    for index in range(MARKET_FEATURES):
        scratch[hidden + index] = np.float32(x[index])
    offset = (MARKET_FEATURES + hidden + 2) * 4 * hidden
    result = perceptron(learned, offset, hidden + MARKET_FEATURES, scratch)
    for arm in range(learned.arms):
        out[arm] = np.float64(result[arm])


@late_internal
def network_outputs(learned: Any, row: int, side: int, x: Any, n_inputs: int, out: Any) -> None:
    """Outputs of whichever network the record names; zeros without one."""
    if learned.network == NETWORK_POLICY:
        policy_outputs(learned, x, n_inputs, out)
    elif learned.network == NETWORK_SEQUENCE:
        sequence_outputs(learned, row, side, x, out)
    else:
        for arm in range(learned.arms):
            out[arm] = 0.0


@late_entry(I8(I8, I8, I8, I8, I8, I8, I8))
def evaluate(address: int, n_inputs: int, x_a: int, rows_a: int, sides_a: int, out_a: int, count: int) -> int:
    """Outputs for many decisions: the single form in a loop; x float64[n, inputs], out float64[n, arms]."""
    learned = learned_at_index(address, 0)
    rows, sides = integers(rows_a, count), integers(sides_a, count)
    for index in range(count):
        x = floats(x_a + 8 * index * n_inputs, n_inputs)
        out = floats(out_a + 8 * index * learned.arms, learned.arms)
        network_outputs(learned, rows[index], sides[index], x, n_inputs, out)
    return count
