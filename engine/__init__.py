"""The simulator: kernel, drives, environment, journal, statistics, results."""

from engine.api import APIInterface, Capabilities
from engine.backtest import run_backtest, run_bounds, run_prepared
from engine.backtester import BacktesterEngine
from engine.config import BacktestConfig, load_config
from engine.environment import TradingEnvironment
from engine.orders import Order, OrderRequest, Side
from engine.result import Result
from engine.run import ProgressInfo, Run

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
