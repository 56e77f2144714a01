"""Live sessions for tests: an account on an emulator, waiting for what it does, and its bars against the market's."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bots.catalog import make_bot
from data.tradestation.emulator import Emulator, Scenario
from data.tradestation.emulator.scenario import SymbolSpec
from data.tradestation.emulator.tokens import GrantedTokens
from data.tradestation.endpoints import Endpoints
from data.tradestation.live import LiveFeed
from data.tradestation.rest import TradeStationClient
from engine.config import BacktestConfig
from engine.live import LiveSection, LiveSession
from engine.paper.run import PaperRun
from tests.live.harness import MINUTE, QUICK, figures

SYMBOLS = (SymbolSpec(symbol="ESH24"), SymbolSpec(symbol="NQH24", price=18_000.0, quiet=0.3, point_value=20.0))


def wait(poll: Callable[[], object], condition: Callable[[], bool], what: str, seconds: float = 25.0) -> None:
    """Poll until something holds; a deadline, not a measure."""
    deadline = time.monotonic() + seconds
    while not condition():
        poll()
        time.sleep(0.003)
        assert time.monotonic() < deadline, f"waited in vain for {what}"


@contextmanager
def session(
    folder: Path, scenario: Scenario, given: BacktestConfig, *, endpoints: Endpoints | None = None, trades: bool = True
) -> Iterator[tuple[Emulator, LiveSession]]:
    """An emulator and a started session on it, its account in ``folder``; ``endpoints``: another place to ask."""
    with Emulator(scenario) as emulator:
        there = emulator.endpoints if endpoints is None else endpoints
        client = TradeStationClient(there, GrantedTokens(emulator), emulator.clock, retries=0)
        feed = LiveFeed(client, random.Random(1), settings=QUICK)
        fresh = (lambda: make_bot(given.bot, given.exit)) if trades else None
        made = LiveSession(given, LiveSection(history_bars=120), feed, emulator.clock, fresh, folder)
        made.start()
        try:
            yield emulator, made
        finally:
            made.close()


def run_of(made: LiveSession) -> PaperRun:
    """The run of the session's account, once it has begun."""
    wait(made.poll, lambda: made.account is not None and made.account.run is not None, "the account")
    assert made.account is not None
    assert made.account.run is not None
    return made.account.run


def acted_bars(made: LiveSession, symbol: str) -> dict[int, tuple[float, ...]]:
    """The bars of a symbol as the account has them, by opening time; the one under way is left out."""
    assert made.account is not None
    run = made.account.run
    assert run is not None
    series = run.engine.market.series[run.bars.symbols.index(symbol)]
    columns = (series.open, series.high, series.low, series.close, series.volume)
    rows = dict(zip(series.time_ns.tolist(), zip(*(c.tolist() for c in columns), strict=True), strict=True))
    if run.is_open and symbol in run.opens:
        rows.pop(run.opens[symbol][0])
    return rows


def wrong_bars(emulator: Emulator, made: LiveSession) -> dict[tuple[str, int], object]:
    """Bars that the account lacks, or knows otherwise than the market made them; revisions to come are left out."""
    assert made.account is not None
    run = made.account.run
    assert run is not None
    found: dict[tuple[str, int], object] = {}
    for column, symbol in enumerate(run.bars.symbols):
        mine = acted_bars(made, symbol)
        first, last = min(mine) + MINUTE.bar_ns, max(mine) + MINUTE.bar_ns
        truth = {b.close_ns - MINUTE.bar_ns: figures(b) for b in emulator.truth(symbol, MINUTE, first - 1, last)}
        pending = {open_ns for at, open_ns, _ in run.bars._revisions if at == column}
        for key in (mine.keys() | truth.keys()) - pending:
            if mine.get(key) != truth.get(key):
                found[symbol, key] = (mine.get(key), truth.get(key))
    return found
