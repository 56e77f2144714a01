"""How price moves within a bar: one tick at a time, up or down, so that nothing ever overshoots a level.

A bar of variance v (ticks squared) takes a number of steps that is Poisson distributed with mean v. Without drift,
every step is a fair coin: the price is a martingale, a level on the grid is reached exactly before it is passed, and
open, high, low and close are prices of the path itself, not roundings of them. In the limit of many steps extremes
follow the Brownian bridge: given a move of s in a bar of n steps, P(high - open >= x) is the ratio of binomials
C(n, (n + 2x - s) / 2) / C(n, (n + s) / 2), which tends to exp(-2 x (x - s) / n) (reflection principle).
"""

from collections.abc import Callable
from typing import cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ticks = NDArray[np.int64]

MAX_EDGE = 0.8  # of a step: what drift and reversion together may ask for

WalkFunction = Callable[
    [Ticks, Ticks, Floats, Floats, Floats, NDArray[np.bool_], Ticks, NDArray[np.bool_], NDArray[np.float32], Ticks],
    None,
]


def _walk(
    state: Ticks,  # price and anchor, in ticks; read and written
    steps: Ticks,  # of each bar
    variance: Floats,  # of each bar, ticks squared
    drift: Floats,  # of each bar, in sigma, signed
    reversion: Floats,  # of each bar
    anchors: NDArray[np.bool_],  # bars at whose open the anchor is set anew
    leaps: Ticks,  # of each bar, before its open: gaps and jumps; they move the anchor too
    opening: NDArray[np.bool_],  # bars whose first step comes before their open
    coins: NDArray[np.float32],  # uniform, one per step
    out: Ticks,  # [bars, 4]: open, high, low, close
) -> None:
    price, anchor = state[0], state[1]
    at = 0
    for i in range(len(steps)):
        price += leaps[i]
        anchor = price if anchors[i] else anchor + leaps[i]
        edge = drift[i] / np.sqrt(variance[i]) - reversion[i] * (price - anchor) / variance[i]
        up = 0.5 + 0.5 * min(max(edge, -MAX_EDGE), MAX_EDGE)
        left = steps[i]
        if opening[i] and left > 0:
            price += 1 if coins[at] < up else -1
            at += 1
            left -= 1
        high = low = first = price
        for _ in range(left):
            price += 1 if coins[at] < up else -1
            at += 1
            high = max(high, price)
            low = min(low, price)
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = first, high, low, price
    state[0], state[1] = price, anchor


walk = cast(WalkFunction, njit(cache=True)(_walk))
