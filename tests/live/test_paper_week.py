"""A simulated week against the emulator: all sessions, a change of clocks, a holiday, a roll, 200 random faults."""

import random
import time
from pathlib import Path

import pytest

from bots.catalog import make_bot
from data.tradestation.bars import Interval
from data.tradestation.emulator import Emulator, Fault, FaultKind, Scenario
from data.tradestation.emulator.scenario import SymbolSpec
from data.tradestation.live import LiveFeed
from data.tradestation.rest import TradeStationClient
from engine.config import BacktestConfig
from engine.live import LiveSection, LiveSession
from engine.live.session import read_instruments
from engine.paper import replay
from tests.live.harness import QUICK, GrantedTokens, figures
from tests.live.paper_market import differing, fresh_bot, journal_bytes

RATE = 2400.0
FIVE = Interval(5)
WEEK_S = 7 * 86_400.0
# The Friday before the clocks of New York go forward; the Tuesday after it is a holiday here.
START, HOLIDAY = "2024-03-08T15:00:00Z", "2024-03-12"
KINDS = (
    FaultKind.HANG, FaultKind.MUTE, FaultKind.GOAWAY_V2, FaultKind.GOAWAY_V3, FaultKind.CUT, FaultKind.RESET,
    FaultKind.END, FaultKind.STREAM_ERROR, FaultKind.ERROR_LINE, FaultKind.GARBAGE, FaultKind.CORRECTION,
    FaultKind.UNAVAILABLE, FaultKind.TOO_MANY, FaultKind.UNAUTHORIZED, FaultKind.SLOW_HEADERS, FaultKind.NOT_JSON,
)  # fmt: skip


def week() -> Scenario:
    rng = random.Random(5)
    faults = tuple(
        Fault(
            kind=rng.choice(KINDS),
            at=rng.uniform(0.0, WEEK_S),
            seconds=rng.uniform(20.0, 900.0),
            symbol=rng.choice(("", "@ES", "CLK24")),
            path="barcharts",
            text="InternalServerError",
        )
        for _ in range(200)
    )
    symbols = (
        SymbolSpec(symbol="@ES", root="ES", contracts=("ESH24", "ESM24"), rolls_at=(4.5 * 86_400,), quiet=0.02),
        SymbolSpec(symbol="CLK24", root="CL", price=78.0, tick_size=0.01, point_value=1000.0, quiet=0.2),
    )
    return Scenario(
        start=START, rate=RATE, session="cme", holidays=(HOLIDAY,), history_days=4.0, live_hours=200.0,
        symbols=symbols, faults=faults, seed=11,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_in_a_simulated_week_no_bar_is_lost_or_doubled_and_it_replays(tmp_path: Path) -> None:
    """S17.2, S17.3."""
    given = BacktestConfig(
        initial_cash=500_000,
        assets=[{"symbol": "@ES", "commission_per_contract": 2.0}, {"symbol": "CLK24", "commission_per_contract": 2.0}],
        bot={"name": "TrendFollowing", "settings": {"ema_span": 20, "breakout_atr": 0.5, "risk_pct": 0.004}},
        exit={"name": "TrailingATR", "settings": {"atr_multiple": 2.0}},
    )
    with Emulator(week()) as emulator:
        client = TradeStationClient(emulator.endpoints, GrantedTokens(emulator), emulator.clock)
        feed = LiveFeed(client, random.Random(1), settings=QUICK)
        live = LiveSection(minutes=5, history_bars=400, open_grace=20.0, patience=240.0)
        session = LiveSession(given, live, feed, emulator.clock, lambda: make_bot(given.bot, given.exit), tmp_path)
        session.start()
        try:
            while emulator.clock.monotonic() < WEEK_S:
                session.poll()
                time.sleep(0.002)
            account = session.account
            assert account is not None
            run = account.run
            assert run is not None
            shift = 40 * 0.25
            for symbol in ("@ES", "CLK24"):
                known = run.bars.known[run.bars.symbols.index(symbol)].series()
                times = known.time_ns.tolist()[:-2]
                truth = emulator.truth(symbol, FIVE, times[0] + FIVE.bar_ns - 1, times[-1] + FIVE.bar_ns)
                assert times == [bar.close_ns - FIVE.bar_ns for bar in truth]
                wrong = [
                    (bar, close) for bar, close in zip(truth, known.close.tolist(), strict=False)
                    if abs(figures(bar)[3] - close) > 1e-9 and abs(figures(bar)[3] - close) != shift
                ]  # fmt: skip
                assert wrong == []
        finally:
            session.close()
    assert run.engine.tables.count("fills") > 20
    instruments = read_instruments(tmp_path)
    assert instruments is not None
    again = replay(tmp_path, given, instruments, FIVE, lambda: fresh_bot(given))

    assert differing(journal_bytes(run.engine, run.next_bar), journal_bytes(again.engine, again.next_bar)) == []
