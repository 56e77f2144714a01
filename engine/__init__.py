"""The simulator: kernel, drives, environment, journal, statistics, results.

Names are fetched when they are first asked for: whoever needs the record types alone does not wait for the kernel.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.api import APIInterface, Capabilities
    from engine.backtest import run_backtest, run_bounds, run_prepared
    from engine.backtester import BacktesterEngine
    from engine.config import BacktestConfig, load_config
    from engine.environment import TradingEnvironment
    from engine.orders import Order, OrderRequest, Side
    from engine.result import Result
    from engine.run import ProgressInfo, Run

_HOMES = {
    "APIInterface": "engine.api",
    "BacktestConfig": "engine.config",
    "BacktesterEngine": "engine.backtester",
    "Capabilities": "engine.api",
    "Order": "engine.orders",
    "OrderRequest": "engine.orders",
    "ProgressInfo": "engine.run",
    "Result": "engine.result",
    "Run": "engine.run",
    "Side": "engine.orders",
    "TradingEnvironment": "engine.environment",
    "load_config": "engine.config",
    "run_backtest": "engine.backtest",
    "run_bounds": "engine.backtest",
    "run_prepared": "engine.backtest",
}

__all__ = [
    "APIInterface",
    "BacktestConfig",
    "BacktesterEngine",
    "Capabilities",
    "Order",
    "OrderRequest",
    "ProgressInfo",
    "Result",
    "Run",
    "Side",
    "TradingEnvironment",
    "load_config",
    "run_backtest",
    "run_bounds",
    "run_prepared",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
