"""A made-up run for the tests of the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from data.series import FloatArray, TimeArray
from engine.kernel.schema import TRADE
from engine.statistics import Statistics, StatisticsInputs, portfolio_statistics
from engine.statistics.loops import DayArray

MINUTE_NS = 60_000_000_000
DAY_NS = 1440 * MINUTE_NS


@dataclass(frozen=True, kw_only=True)
class MadeRun:
    """Satisfies ``ReportSource``."""

    title: str = "Trend following on two futures"
    status: str = "finished"
    currency: str = "USD"
    initial_cash: float = 100_000.0
    symbols: Sequence[str] = ("ES", "GC")
    time_ns: TimeArray
    trading_day: DayArray
    equity: FloatArray
    closes: FloatArray
    statistics: Statistics
    symbol_statistics: Mapping[str, Statistics]
    trades: Mapping[str, NDArray[Any]]
    margin_calls: Mapping[str, NDArray[Any]]
    bounds: Mapping[str, Statistics] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    repairs: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=lambda: {"Seed": "7", "Drive": "compiled"})
    configuration: Mapping[str, Any] = field(default_factory=dict)


def made_run(n_bars: int, n_trades: int, step_ns: int = 30 * MINUTE_NS, **given: Any) -> MadeRun:
    """A seeded run: equity and prices are walks, the trades are spread over the bars."""
    rng = np.random.default_rng(5)
    time_ns = np.int64(1_704_150_000_000_000_000) + np.arange(n_bars, dtype=np.int64) * step_ns
    trading_day = (time_ns // DAY_NS).astype(np.int32)
    equity = 100_000.0 + np.cumsum(rng.normal(6_000.0 / max(n_bars, 1), 12_000.0 / max(n_bars, 1) ** 0.5, n_bars))
    drift = rng.normal(0.0, 0.15 / max(n_bars, 1) ** 0.5, (n_bars, 2))
    closes = np.array([4_750.0, 2_060.0]) * np.exp(np.cumsum(drift, axis=0))
    trades = _made_trades(rng, time_ns, n_trades)
    inputs = StatisticsInputs(
        initial_cash=100_000.0,
        time_ns=time_ns,
        trading_day=trading_day,
        equity=equity,
        worst_equity=equity - 350.0,
        trades=_records(trades),
        bars_in_position=n_bars // 3,
        turnover=4.2e6,
        commission=412.5,
        fees=0.0,
        slippage_cost=1_250.0,
        margin_calls=0,
    )
    statistics = portfolio_statistics(inputs)
    values: dict[str, Any] = {
        "symbol_statistics": {"ES": statistics, "GC": statistics},
        "margin_calls": {
            name: np.zeros(0) for name in ("time_ns", "worst_equity", "required", "between", "equity_after")
        },
        "configuration": {"seed": 7, "assets": [{"symbol": "ES", "fee_per_trade": None}], "fx_rates": {}},
    }
    return MadeRun(
        time_ns=time_ns,
        trading_day=trading_day,
        equity=equity,
        closes=closes,
        statistics=statistics,
        trades=trades,
        **{**values, **given},
    )


def _made_trades(rng: np.random.Generator, time_ns: TimeArray, count: int) -> dict[str, NDArray[Any]]:
    entry = np.sort(rng.integers(0, max(len(time_ns) - 40, 1), count)).astype(np.int32)
    leave = entry + rng.integers(1, 39, count).astype(np.int32)
    r = np.round(np.where(rng.random(count) < 0.42, rng.exponential(1.9, count), -(rng.random(count) ** 0.3)), 2)
    net = np.round(r * 480.0, 2)
    return {
        "number": np.arange(1, count + 1),
        "symbol": np.array(["ES", "GC"])[rng.integers(0, 2, count)],
        "side": rng.choice([1, -1], count),
        "quantity": rng.integers(1, 4, count).astype(np.float64),
        "entry_bar": entry,
        "exit_bar": leave,
        "entry_time_ns": time_ns[entry] if count else np.zeros(0, dtype=np.int64),
        "exit_time_ns": time_ns[leave] if count else np.zeros(0, dtype=np.int64),
        "entry_price": 4_750.25 + np.round(rng.normal(0, 40, count)) * 0.25,
        "exit_price": 4_750.25 + np.round(rng.normal(0, 40, count)) * 0.25,
        "exit_reason": np.array(["stop_loss", "take_profit", "signal", "flatten"])[rng.integers(0, 4, count)],
        "commission": np.full(count, 4.5),
        "fees": np.zeros(count),
        "slippage_cost": np.full(count, 25.0),
        "net": net,
        "r_multiple": r,
        "mae": np.minimum(net, 0.0) - np.round(rng.exponential(120.0, count), 2),
        "mfe": np.maximum(net, 0.0) + np.round(rng.exponential(160.0, count), 2),
        "ambiguous": rng.random(count) < 0.05,
    }


def _records(columns: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    records = np.zeros(len(columns["net"]), dtype=TRADE)
    for name in ("side", "entry_bar", "exit_bar", "net", "r_multiple", "mae", "mfe"):
        records[name] = columns[name]
    return records


@pytest.fixture(scope="session")
def run() -> MadeRun:
    """Half a year of half-hour bars, 240 trades."""
    return made_run(9_000, 240)
