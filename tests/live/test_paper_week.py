"""A simulated week against the emulator: all sessions, a change of clocks, a holiday, a roll, 200 random faults."""

import random
import time
from pathlib import Path

import numpy as np
import pytest

from bots.catalog import make_bot
from data.tradestation.bars import Interval, LiveBar, format_time
from data.tradestation.emulator import Emulator, Fault, FaultKind, Framing, Scenario
from data.tradestation.emulator.scenario import SymbolSpec
from data.tradestation.emulator.tokens import GrantedTokens
from data.tradestation.events import BarClosed, BarCorrected, Event, HistoryLoaded, StatusChanged
from data.tradestation.live import LiveFeed
from data.tradestation.patience import FeedSettings
from data.tradestation.reconnect import Backoff
from data.tradestation.rest import TradeStationClient
from engine.config import BacktestConfig
from engine.live import LiveSection, LiveSession
from engine.live.session import read_instruments
from engine.paper import replay
from engine.paper.run import PaperRun
from tests.live.harness import figures
from tests.live.paper_market import differing, fresh_bot, journal_bytes

RATE = 2400.0
BARS = Interval(15)
# Market seconds; at this rate 60 of them are 25 ms, which a busy machine needs for a frame.
PATIENT = FeedSettings(
    grace_s=60.0, settle_s=120.0, silence_s=600.0, mute_s=900.0, backoff=Backoff(first=20.0, longest=120.0)
)
WEEK_S = 7 * 86_400.0
# The Friday before the clocks of New York go forward; the Tuesday after it is a holiday here.
START, HOLIDAY = "2024-03-08T15:00:00Z", "2024-03-12"
KINDS = (
    FaultKind.HANG, FaultKind.MUTE, FaultKind.GOAWAY_V2, FaultKind.GOAWAY_V3, FaultKind.CUT, FaultKind.RESET,
    FaultKind.END, FaultKind.STREAM_ERROR, FaultKind.ERROR_LINE, FaultKind.GARBAGE, FaultKind.CORRECTION,
    FaultKind.UNAVAILABLE, FaultKind.TOO_MANY, FaultKind.UNAUTHORIZED, FaultKind.SLOW_HEADERS, FaultKind.NOT_JSON,
)  # fmt: skip


QUIET_END_S = 3 * 3_600.0  # the last fault is over, and whatever it hid has been asked about, when the week ends
MORE_MIB = 64.0


def week(seed: int) -> Scenario:
    rng = random.Random(seed)
    faults = tuple(
        Fault(
            kind=rng.choice(KINDS),
            at=rng.uniform(0.0, WEEK_S - QUIET_END_S),
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
        symbols=symbols, faults=faults, seed=6 + seed, framing=Framing(heartbeat_s=60.0),
    )  # fmt: skip


class Origins:
    """Of every bar, what the feeds told of it and when: what a wrong one is judged by."""

    def __init__(self, session: LiveSession) -> None:
        self._session = session
        self._told: dict[tuple[str, int], list[str]] = {}
        self.states: dict[str, int] = {}
        session.happened.connect(self._take)

    def _take(self, event: Event) -> None:
        if isinstance(event, StatusChanged):
            self.states[event.status.state] = self.states.get(event.status.state, 0) + 1
        elif isinstance(event, BarClosed):
            late = " (backfilled)" if event.backfilled else ""
            self._note(event.symbol, event.bar, f"closed by {event.reason}{late}")
        elif isinstance(event, BarCorrected):
            self._note(event.symbol, event.bar, "corrected")
        elif isinstance(event, HistoryLoaded):
            for bar in event.bars:
                self._note(event.symbol, bar, "history")

    def _note(self, symbol: str, bar: LiveBar, how: str) -> None:
        now = format_time(self._session.now_ns)
        self._told.setdefault((symbol, bar.open_ns), []).append(f"{now} {how} {bar.close:g} x {bar.volume:g}")

    def of(self, symbol: str, open_ns: int) -> list[str]:
        return self._told.get((symbol, open_ns), ["never told"])


def wrong_bars(emulator: Emulator, run: PaperRun, symbol: str, origins: Origins) -> list[str]:
    """Bars that the account knows otherwise than the market made them, each with where its figures came from."""
    known = run.bars.known[run.bars.symbols.index(symbol)].series()
    times = known.time_ns.tolist()[:-2]
    truth = emulator.truth(symbol, BARS, times[0] + BARS.bar_ns - 1, times[-1] + BARS.bar_ns)
    assert times == [bar.close_ns - BARS.bar_ns for bar in truth]
    mine = np.column_stack([known.open, known.high, known.low, known.close, known.volume]).tolist()
    wrong = []
    for bar, own in zip(truth, mine, strict=False):
        if not np.allclose(figures(bar), own, atol=1e-9, rtol=0.0):
            open_ns = bar.close_ns - BARS.bar_ns
            told = "; ".join(origins.of(symbol, open_ns))
            wrong.append(f"{symbol} {format_time(open_ns)}: {own}, should be {figures(bar)}: {told}")
    return wrong


def resident_mib() -> float:
    """Memory of this process; 0 where the system does not tell."""
    path = Path("/proc/self/statm")
    return int(path.read_text().split()[1]) * 4096 / 2**20 if path.is_file() else 0.0


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [5, 6, 7, 8, 9])
def test_in_a_simulated_week_no_bar_is_lost_doubled_or_wrong_and_it_replays(tmp_path: Path, seed: int) -> None:
    """S17.2, S17.3."""
    given = BacktestConfig(
        initial_cash=500_000,
        assets=[{"symbol": "@ES", "commission_per_contract": 2.0}, {"symbol": "CLK24", "commission_per_contract": 2.0}],
        bot={"name": "TrendFollowing", "settings": {"ema_span": 20, "breakout_atr": 0.5, "risk_pct": 0.004}},
        exit={"name": "TrailingATR", "settings": {"atr_multiple": 2.0}},
    )
    with Emulator(week(seed)) as emulator:
        client = TradeStationClient(emulator.endpoints, GrantedTokens(emulator), emulator.clock)
        feed = LiveFeed(client, random.Random(1), settings=PATIENT)
        live = LiveSection(minutes=15, history_bars=300, open_grace=60.0, patience=600.0)
        session = LiveSession(given, live, feed, emulator.clock, lambda: make_bot(given.bot, given.exit), tmp_path)
        origins = Origins(session)
        session.start()
        early_mib = 0.0
        try:
            while emulator.clock.monotonic() < WEEK_S:
                session.poll()
                time.sleep(0.002)
                if early_mib == 0.0 and emulator.clock.monotonic() > WEEK_S / 3:
                    early_mib = resident_mib()
            account = session.account
            assert account is not None
            run = account.run
            assert run is not None
            assert run.shifts_taken == {"@ES": 1}
            assert len(emulator.faults.pending) < 10
            for symbol in run.bars.symbols:
                assert wrong_bars(emulator, run, symbol, origins) == []
        finally:
            session.close()
    assert resident_mib() - early_mib < MORE_MIB
    assert run.engine.tables.count("fills") > 0
    instruments = read_instruments(tmp_path)
    assert instruments is not None
    again = replay(tmp_path, given, instruments, BARS, lambda: fresh_bot(given))

    assert differing(journal_bytes(run.engine, run.next_bar), journal_bytes(again.engine, again.next_bar)) == []
