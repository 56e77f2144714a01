"""Trades and equity curves made up for the tests of statistics."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.kernel.schema import TRADE
from engine.statistics import StatisticsInputs

DAY_NS = 86_400_000_000_000

MakeTrades = Callable[..., NDArray[Any]]
MakeInputs = Callable[..., StatisticsInputs]


@pytest.fixture
def make_trades() -> MakeTrades:
    """``make_trades([500, -250], r=[2, -1], side=1)``: records with these nets, two bars each."""

    def make(nets: Sequence[float], r: Sequence[float] | None = None, side: int | Sequence[int] = 1) -> NDArray[Any]:
        trades = np.zeros(len(nets), dtype=TRADE)
        trades["net"] = nets
        trades["r_multiple"] = np.nan if r is None else r
        trades["side"] = side
        trades["entry_bar"] = 3 * np.arange(len(nets))
        trades["exit_bar"] = trades["entry_bar"] + 2
        trades["mae"] = np.minimum(trades["net"], 0.0) - 10.0
        trades["mfe"] = np.maximum(trades["net"], 0.0) + 20.0
        return trades

    return make


@pytest.fixture
def make_inputs(make_trades: MakeTrades) -> MakeInputs:
    """``make_inputs([101, 99], initial_cash=100)``: one bar a day, no trades, no costs, unless given."""

    def make(equity: Sequence[float], initial_cash: float = 10_000.0, **given: Any) -> StatisticsInputs:
        n = len(equity)
        values: dict[str, Any] = {
            "time_ns": np.arange(n, dtype=np.int64) * DAY_NS,
            "trading_day": np.arange(n, dtype=np.int32),
            "worst_equity": None,
            "trades": make_trades([]),
            "bars_in_position": 0,
            "turnover": 0.0,
            "commission": 0.0,
            "fees": 0.0,
            "slippage_cost": 0.0,
            "margin_calls": 0,
        }
        return StatisticsInputs(
            initial_cash=initial_cash, equity=np.asarray(equity, dtype=np.float64), **{**values, **given}
        )

    return make
