"""Live windows for tests: on an emulator of their own, one market minute a quarter of a second."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PyQt6.QtWidgets import QApplication

from app.live.window import LiveWindow
from app.workspace import Workspace
from bots.base import BaseStrategyBot
from bots.catalog import make_bot
from data.tradestation.bars import LiveBar
from data.tradestation.emulator.scenario import Fault, Scenario, SymbolSpec
from data.tradestation.emulator.server import Emulator
from data.tradestation.emulator.tokens import GrantedTokens
from data.tradestation.live import LiveFeed
from data.tradestation.patience import FeedSettings
from data.tradestation.reconnect import Backoff
from data.tradestation.rest import TradeStationClient
from engine.config import BacktestConfig
from engine.live import LiveSection, LiveSession

# A bot that never trades, an exit that never moves a stop: what happens is done by hand.
BY_HAND = BacktestConfig(
    initial_cash=300_000,
    assets=[{"symbol": "ESH24", "commission_per_contract": 2.0, "calendar": "24/7"}],
    bot={"name": "Scripted"},
    exit={"name": "FixedRatio"},
)
MINUTE_NS = 60 * 10**9
PATIENT = FeedSettings(silence_s=120.0, mute_s=150.0, backoff=Backoff(first=5.0, longest=40.0))


def bars(count: int) -> list[LiveBar]:
    """A random walk, minute by minute; the same each time."""
    walk = np.cumsum(np.random.default_rng(4).integers(-3, 4, (count + 1,))) * 0.25 + 4500.0
    made = []
    for minute, (first, last) in enumerate(zip(walk[:-1].tolist(), walk[1:].tolist(), strict=True)):
        at = (minute + 3) * MINUTE_NS
        high, low = max(first, last) + 0.5, min(first, last) - 0.25
        made.append(LiveBar(at, at + MINUTE_NS, first, high, low, last, 10.0 + minute))
    return made


def scenario(*faults: Fault, symbols: tuple[str, ...] = ("ESH24", "NQH24"), rate: float = 240.0) -> Scenario:
    """A market of these symbols."""
    return Scenario(rate=rate, symbols=tuple(SymbolSpec(symbol=name) for name in symbols), faults=faults)


@contextmanager
def opened(
    emulator: Emulator,
    folder: Path,
    *,
    config: BacktestConfig = BY_HAND,
    service: str = "DEMO",
    data_only: bool = False,
    workspace: Workspace | None = None,
    history: int = 60,
    make: Callable[[], BaseStrategyBot] | None = None,
) -> Iterator[LiveWindow]:
    """A window on an emulator, its account in ``folder``; it is closed at the end. ``make``: another bot."""
    client = TradeStationClient(emulator.endpoints, GrantedTokens(emulator), emulator.clock)
    feed = LiveFeed(client, random.Random(1), settings=PATIENT)
    fresh = None if data_only else make or (lambda: make_bot(config.bot, config.exit))
    session = LiveSession(config, LiveSection(history_bars=history), feed, emulator.clock, fresh, folder)
    made = LiveWindow(session, service, workspace=workspace)
    made.show()
    made.begin()
    try:
        yield made
    finally:
        made.close()
        made.deleteLater()
        assert session.written(30.0)


def until(app: QApplication, condition: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    """Let the window live until something holds; a deadline, not a measure."""
    deadline = time.monotonic() + seconds
    while not condition():
        app.processEvents()
        time.sleep(0.002)
        assert time.monotonic() < deadline, f"waited in vain for {what}"
