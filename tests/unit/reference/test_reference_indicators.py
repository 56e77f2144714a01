"""The reference's plain indicators are TA-Lib's (S10.1)."""

import numpy as np
import pytest
import talib

from tests.reference.bot import trend_side
from tests.reference.indicators import average_true_range, exponential_average


def random_rows(length: int) -> list[list[float]]:
    rng = np.random.default_rng(7)
    closes = 100 + rng.normal(size=length).cumsum()
    opens = closes + rng.normal(size=length)
    highs, lows = np.maximum(opens, closes) + rng.random(length), np.minimum(opens, closes) - rng.random(length)
    return [[float(x) for x in row] for row in np.stack([opens, highs, lows, closes], axis=1)]


@pytest.mark.parametrize("period", [1, 2, 14])
@pytest.mark.parametrize("length", [1, 2, 14, 15, 60])
def test_values_and_warm_up_are_those_of_ta_lib(period: int, length: int) -> None:
    rows = random_rows(length)
    _, high, low, close = (np.array(column) for column in zip(*rows, strict=True))

    own = average_true_range(rows, period), exponential_average([row[3] for row in rows], period + 1)
    theirs = talib.ATR(high, low, close, period), talib.EMA(close, period + 1)

    for mine, reference in zip(own, theirs, strict=True):
        assert len(mine) == length
        np.testing.assert_allclose([np.nan if x is None else x for x in mine], reference, rtol=1e-12)


@pytest.mark.parametrize(
    ("average", "close", "opening", "side"),
    [
        (100, 99, 101, 1),
        (100, 100, 101, 1),
        (100, 101, 99, -1),
        (100, 101, 106, 1),
        (100, 99, 94, -1),
        (100, 99, 96, 0),
    ],
)
def test_a_cross_back_comes_before_a_breakout(average: float, close: float, opening: float, side: int) -> None:
    """S11.7, with a breakout distance of 5."""
    assert trend_side(average, close, opening, 5) == side
