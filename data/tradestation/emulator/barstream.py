"""What an open bar stream sends, moment by moment: history, prints, closings, corrections, heartbeats and faults."""

import random
from typing import Any, Protocol

from data.tradestation.bars import Interval, format_time
from data.tradestation.clock import NS
from data.tradestation.emulator.exchange import Exchange, Request
from data.tradestation.emulator.faults import ends_stream
from data.tradestation.emulator.history import bars_back, interval_of, listing_of
from data.tradestation.emulator.jsonbars import bar_row
from data.tradestation.emulator.market import Market
from data.tradestation.emulator.scenario import Fault, FaultKind, Scenario
from data.tradestation.emulator.tape import TapeBar
from data.tradestation.emulator.wire import Wire

MARKET_DATA = "application/vnd.tradestation.streams.v2+json"


class Host(Protocol):
    """What streams need of the emulator."""

    scenario: Scenario
    market: Market

    def now_ns(self) -> int:
        """Server time."""
        ...

    def nap(self, seconds: float) -> bool:
        """Let market time pass, in small steps; False once the emulator closes."""
        ...

    def stream_fault(self, path: str) -> Fault | None:
        """The fault that hits the stream now."""
        ...

    def stream_rng(self) -> random.Random:
        """Randomness for one stream's looks."""
        ...


class Pulse:
    """The part that all streams share: heartbeats when idle, faults when scripted."""

    def __init__(self, host: Host, exchange: Exchange, path: str) -> None:
        self._host = host
        self._exchange = exchange
        self._path = path
        self.wire = Wire(exchange, host.scenario.framing, host.stream_rng())
        self._count = 0
        self._last_ns = host.now_ns()
        self._mute_until_ns = 0
        self.corrections = 0

    @property
    def muted(self) -> bool:
        """True while data are held back though heartbeats go on."""
        return self._host.now_ns() < self._mute_until_ns

    def send(self, rows: list[dict[str, Any]]) -> None:
        """Send data."""
        if rows:
            self.wire.send(rows)
            self._last_ns = self._host.now_ns()

    def beat(self) -> bool:
        """Pass a moment; False when the stream is over."""
        if not self._host.nap(0.5):
            self.wire.end()
            return False
        fault = self._host.stream_fault(self._path)
        if fault is not None and not self._strike(fault):
            return False
        now_ns = self._host.now_ns()
        if now_ns - self._last_ns >= int(self._host.scenario.framing.heartbeat_s * NS):
            self._count += 1
            self.wire.send([{"Heartbeat": self._count, "Timestamp": format_time(now_ns, fraction=True)}])
            self._last_ns = now_ns
        return True

    def _strike(self, fault: Fault) -> bool:
        """Let ``fault`` happen; False when nothing follows."""
        if fault.kind is FaultKind.HANG:
            self._hang(fault.seconds)
        elif fault.kind is FaultKind.MUTE:
            self._mute_until_ns = self._host.now_ns() + int(fault.seconds * NS)
        elif fault.kind is FaultKind.CORRECTION:
            self._correct(fault)
        elif fault.kind is FaultKind.ERROR_LINE:
            self.wire.send_text(fault.text or "ERROR - DATAFEED_NOT_CONNECTED")
        elif fault.kind is FaultKind.GARBAGE:
            self.wire.send([{"TimeStamp": format_time(self._host.now_ns()), "Close": None, "Open": "12,5"}])
        else:
            self._finish(fault)
        return not ends_stream(fault.kind)

    def _hang(self, seconds: float) -> None:
        until_ns = self._host.now_ns() + int(seconds * NS)
        while self._host.now_ns() < until_ns and self._host.nap(0.5):
            continue

    def _correct(self, fault: Fault) -> None:
        listing = self._host.market.find(self._path.rsplit("/", 1)[-1])
        if listing is not None:
            listing.tape.correct(self._host.now_ns(), fault.bars_back, fault.ticks)
            self.corrections += 1

    def _finish(self, fault: Fault) -> None:
        symbol = self._path.rsplit("/", 1)[-1]
        last_words: dict[FaultKind, dict[str, Any]] = {
            FaultKind.GOAWAY_V2: {"Error": "GoAway", "Message": "The server is about to shut down."},
            FaultKind.GOAWAY_V3: {"StreamStatus": "GoAway"},
            FaultKind.DUAL_LOGON: {"Symbol": symbol, "Error": "DualLogon"},
            FaultKind.STREAM_ERROR: {"Error": fault.text or "InternalServerError", "Message": "emulated"},
        }
        if fault.kind in last_words:
            self.wire.send([last_words[fault.kind]])
        if fault.kind is FaultKind.NOT_ENTITLED:
            self.wire.send_text("ERROR - FAILED, EX_NOT_ENTITLED")
        if fault.kind is FaultKind.RESET:
            self._exchange.reset()
        elif fault.kind is FaultKind.CUT:
            self._exchange.cut()
        else:
            self.wire.end()


class BarStream:
    """One open bar stream."""

    def __init__(self, host: Host, exchange: Exchange, request: Request, symbol: str) -> None:
        self._host = host
        self._exchange = exchange
        self._habits = host.scenario.bars
        self._interval: Interval = interval_of(request)
        self._tape = listing_of(host.market, symbol).tape
        self._count = bars_back(request, self._interval)
        self._path = request.path
        self._sent: dict[int, TapeBar] = {}
        self._corrected = self._tape.corrected

    def run(self) -> None:
        """Send until the client leaves, a fault ends it, or the emulator closes."""
        self._exchange.begin_stream(MARKET_DATA)
        pulse = Pulse(self._host, self._exchange, self._path)
        seen_ns = self._host.now_ns()
        pulse.send(self._history(seen_ns))
        while pulse.beat():
            now_ns = self._host.now_ns()
            if pulse.muted:
                seen_ns = now_ns  # what happens while muted is never sent
                self._note(now_ns)
                continue
            pulse.send(self._news(seen_ns, now_ns))
            seen_ns = now_ns

    def _history(self, now_ns: int) -> list[dict[str, Any]]:
        bars = self._tape.last(self._interval, now_ns, self._count)
        self._sent = {bar.close_ns: bar for bar in bars}
        rows = [bar_row(bar, self._habits, end_of_history=bar is bars[-1]) for bar in bars]
        if self._habits.shuffled_history and len(rows) > 2:
            rows[:-1] = rows[-2::-1]
        return rows

    def _news(self, seen_ns: int, now_ns: int) -> list[dict[str, Any]]:
        """Copies for every print in (seen, now], each closing, and whatever changed in what was sent."""
        corrected = self._tape.corrected
        if corrected == self._corrected and self._tape.stands_still(seen_ns, now_ns):
            return []
        self._corrected = corrected
        rows: list[dict[str, Any]] = []
        edges = self._tape.prints_between(seen_ns, now_ns)
        for at_ns in [*edges, now_ns]:
            for bar in self._tape.bars(self._interval, at_ns, at_ns - 3 * self._interval.bar_ns, at_ns + 2**62):
                if self._is_news(bar, now_ns):
                    self._sent[bar.close_ns] = bar
                    rows.append(bar_row(bar, self._habits))
        self._forget()
        return rows

    def _is_news(self, bar: TapeBar, now_ns: int) -> bool:
        before = self._sent.get(bar.close_ns)
        if before is None:
            return bar.close_ns >= max(self._sent, default=0)
        if bar.closed and not before.closed:
            same = _figures(bar) == _figures(before)
            return self._habits.closed_frame or not same
        return _figures(bar) != _figures(before)

    def _note(self, now_ns: int) -> None:
        for bar in self._tape.last(self._interval, now_ns, 2):
            self._sent[bar.close_ns] = bar

    def _forget(self) -> None:
        for close_ns in sorted(self._sent)[:-8]:
            del self._sent[close_ns]


def _figures(bar: TapeBar) -> tuple[float, float, float, float, float]:
    return (bar.open, bar.high, bar.low, bar.close, bar.volume)
