"""What a feed asks about although the line looks well, told frame by frame without a network (S17.2).

A stream may drop a bar's last copies, a correction, or a line that cannot be read, and go on as if nothing had been.
"""

import json
import random
import threading
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from data.errors import NetworkError
from data.tradestation.bars import Interval, LiveBar
from data.tradestation.clock import NS
from data.tradestation.emulator.jsonbars import bar_row
from data.tradestation.emulator.scenario import BarHabits
from data.tradestation.emulator.tape import TapeBar
from data.tradestation.events import BarClosed, BarCorrected, BarUpdated, Event, RolledOver
from data.tradestation.feed import SymbolFeed
from data.tradestation.frames import parse_line
from data.tradestation.hours import SessionTimes
from data.tradestation.patience import FeedSettings
from data.tradestation.skew import SkewEstimate
from data.tradestation.stream import Inbox, Received, StreamEndedError

MINUTE = Interval(1)
T0 = 1_709_733_600 * NS
SETTINGS = FeedSettings(mute_s=3000.0, reconcile_s=900.0)


@dataclass
class HandClock:
    """Time that a test moves."""

    at_ns: int = T0
    slept_ns: int = 0

    def now_ns(self) -> int:
        return self.at_ns

    def monotonic(self) -> float:
        return (self.at_ns - T0 - self.slept_ns) / NS

    def real_seconds(self, seconds: float) -> float:
        return 0.0

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.is_set()


@dataclass
class Service:
    """What the service would answer: all bars up to now as it has them; or nothing while it is away."""

    clock: HandClock = field(default_factory=HandClock)
    bars: dict[int, LiveBar] = field(default_factory=dict)
    skew: SkewEstimate = field(default_factory=SkewEstimate)
    asked: list[int] = field(default_factory=list)
    away: bool = False
    contract: str = "ESH24"
    contracts_asked: int = 0

    def symbols(self, names: list[str]) -> dict[str, Any]:
        self.contracts_asked += 1
        if self.away:
            raise NetworkError("no answer")
        return {name: SimpleNamespace(underlying=self.contract) for name in names}

    def bars_between(self, symbol: str, interval: Interval, first_ns: int, **_: object) -> list[LiveBar]:
        self.asked.append(first_ns)
        if self.away:
            raise NetworkError("no answer")
        now_ns = self.clock.at_ns
        found = [self.bars[key] for key in sorted(self.bars) if key >= first_ns and self.bars[key].open_ns < now_ns]
        return [replace(bar, closed=bar.close_ns <= now_ns) for bar in found]


def bar(minute: int, close: float = 10.0, volume: float = 50.0) -> LiveBar:
    """The bar that opens so many minutes behind T0."""
    at = T0 + minute * MINUTE.bar_ns
    return LiveBar(at, at + MINUTE.bar_ns, 10.0, max(close, 10.0), min(close, 10.0), close, volume)


class Line:
    """A feed that is live, with ten closed bars behind it, and its stream."""

    def __init__(self, hours: SessionTimes | None = None, symbol: str = "ESH24") -> None:
        self.service = Service()
        client: Any = self.service
        self.feed = SymbolFeed(client, symbol, MINUTE, 10, rng=random.Random(1), settings=SETTINGS, hours=hours)
        self.stream: Any = SimpleNamespace(inbox=Inbox(100))
        history = [replace(bar(minute), closed=True) for minute in range(-10, 0)]
        self.service.bars = {one.close_ns: one for one in history}
        self.feed._bars.replace(history, T0)
        self.feed._confirm(history)
        self.feed._check_contract()

    def says(self, one: LiveBar, at_s: float, *, closed: bool = False) -> None:
        """The stream sends a copy of a bar, so many seconds behind T0."""
        tape = TapeBar(one.close_ns, one.open, one.high, one.low, one.close, one.volume, closed)
        self.sends(json.dumps(bar_row(tape, BarHabits())), at_s)

    def sends(self, text: str, at_s: float) -> None:
        self.service.clock.at_ns = T0 + int(at_s * NS)
        frame = parse_line(text.encode())
        assert frame is not None
        self.stream.inbox.put(Received(frame, self.service.clock.at_ns))
        self.feed._step(self.stream)

    def passes(self, at_s: float) -> None:
        """Time passes without a word."""
        self.service.clock.at_ns = T0 + int(at_s * NS)
        self.feed._step(self.stream)

    def has(self, *bars: LiveBar) -> None:
        """What the service has of bars from now on."""
        self.service.bars |= {one.close_ns: one for one in bars}

    def told(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.feed.drain() if isinstance(event, kind)]


def known(line: Line, minute: int) -> tuple[float, ...]:
    return next(one.figures for one in line.feed.closed_bars() if one.open_ns == bar(minute).open_ns)


def test_a_bar_whose_last_copies_were_dropped_is_asked_about_when_the_next_one_prints() -> None:
    """Mute for the last seconds of a bar: no Closed copy comes, the next bar ends it with too little."""
    line = Line()
    line.has(bar(0, 12.0, 90.0), bar(1))
    line.says(bar(0, 11.0, 40.0), 30.0)
    line.says(bar(1, 10.0, 1.0), 61.0)

    assert line.service.asked != []
    assert known(line, 0) == bar(0, 12.0, 90.0).figures
    assert len(line.told(BarClosed)) == 1


def test_a_bar_that_a_closed_copy_ended_is_not_asked_about() -> None:
    line = Line()
    line.says(bar(0), 30.0)
    line.says(bar(0), 60.0, closed=True)
    line.says(bar(1, 10.0, 1.0), 61.0)

    assert line.service.asked == []


def test_a_bar_that_cannot_be_asked_about_now_is_asked_about_with_the_next_one() -> None:
    line = Line()
    line.has(bar(0, 12.0, 90.0), bar(1), bar(2))
    line.service.away = True
    line.says(bar(0, 11.0, 40.0), 30.0)
    line.says(bar(1, 10.0, 1.0), 61.0)
    line.service.away = False
    line.says(bar(1), 120.0, closed=True)
    line.says(bar(2, 10.0, 1.0), 121.0)

    assert known(line, 0) == bar(0, 12.0, 90.0).figures


def test_a_line_that_could_not_be_read_is_asked_about() -> None:
    """It may have been a correction or a bar's end."""
    line = Line()
    line.says(bar(0), 30.0)
    line.sends('{"TimeStamp": "2024-03-06T14:00:00Z", "Close": null}', 40.0)
    line.says(bar(0), 60.0, closed=True)
    line.has(bar(-1, 9.0, 60.0), bar(0), bar(1))
    line.says(bar(1, 10.0, 1.0), 61.0)

    assert [event.bar.figures for event in line.told(BarCorrected)] == [bar(-1, 9.0, 60.0).figures]


def test_a_correction_of_a_session_s_last_bar_is_found_when_the_next_session_prints() -> None:
    """In the pause nothing is sent and nothing is asked."""
    opens = [T0 - 60 * MINUTE.bar_ns, T0 + 5 * MINUTE.bar_ns]
    line = Line(SessionTimes(opens, [T0, T0 + 60 * MINUTE.bar_ns]))
    line.has(bar(-1, 9.0, 51.0), bar(5))
    line.says(bar(5, 10.0, 1.0), 301.0)

    assert known(line, -1) == bar(-1, 9.0, 51.0).figures


def test_a_correction_that_the_stream_has_dropped_comes_to_light_by_asking_now_and_then() -> None:
    """However old it is by then: the request begins with the bars of the last one."""
    line = Line()
    made = [bar(minute) for minute in range(16)]
    line.has(*made)
    for minute, one in enumerate(made[:14]):
        line.says(one, 60.0 * minute + 30.0)
        line.says(one, 60.0 * minute + 60.0, closed=True)
        if minute == 1:
            line.has(bar(0, 13.0, 51.0))  # and not a word of it on the stream
    assert known(line, 0) == bar(0).figures
    line.says(made[14], 14 * 60.0 + 30.0)
    line.passes(901.0)

    assert len(line.service.asked) == 1
    assert known(line, 0) == bar(0, 13.0, 51.0).figures


def test_no_more_is_asked_while_the_market_is_closed() -> None:
    line = Line(SessionTimes([T0 - 60 * MINUTE.bar_ns], [T0]))
    line.feed._last_data_ns = T0
    for hour in range(1, 48):
        line.passes(3600.0 * hour)

    assert line.service.asked == []


def test_a_bar_that_the_service_still_calls_open_stays_in_doubt() -> None:
    """Closed here by the clock, a little early."""
    line = Line()
    line.has(bar(0, 11.0, 40.0), bar(1), bar(2))
    line.says(bar(0, 11.0, 40.0), 30.0)
    line.says(bar(1, 10.0, 1.0), 59.0)  # a clock that runs ahead: the service's answer has bar 0 open
    assert line.feed._doubted
    line.has(bar(0, 12.0, 90.0))
    line.says(bar(1), 120.0, closed=True)
    line.says(bar(2, 10.0, 1.0), 121.0)

    assert known(line, 0) == bar(0, 12.0, 90.0).figures


def test_the_first_bar_behind_a_pause_is_told_only_once_the_contract_has_been_asked_for() -> None:
    """A roll that is found later would let a session's first bars meet levels from before it."""
    line = Line(symbol="@ES")
    line.service.contract = "ESM24"
    with pytest.raises(StreamEndedError, match="stands for ESM24 now"):
        line.says(bar(60), 3601.0)

    assert [type(event) for event in line.feed.drain()] == [RolledOver]


def test_history_that_moves_as_a_whole_has_the_contract_asked_for() -> None:
    """The service sends bars that have closed once more, all prices another: nothing of it is told as a correction."""
    line = Line(symbol="@ES")
    line.service.contract = "ESM24"
    one = bar(-2)
    moved = replace(one, open=one.open + 5.0, high=one.high + 5.0, low=one.low + 5.0, close=one.close + 5.0)
    with pytest.raises(StreamEndedError, match="stands for ESM24 now"):
        line.says(moved, 30.0, closed=True)

    assert line.told(BarCorrected) == []


def test_bars_in_a_row_and_contracts_that_do_not_roll_are_not_asked_about() -> None:
    plain, continuous = Line(), Line(symbol="@ES")
    plain.says(bar(60), 3601.0)
    for minute in range(3):
        continuous.says(bar(minute), 60.0 * minute + 30.0)
        continuous.says(bar(minute), 60.0 * minute + 60.0, closed=True)

    assert plain.service.contracts_asked == 0
    assert continuous.service.contracts_asked == 1


def test_a_contract_that_cannot_be_asked_for_holds_no_bar_up() -> None:
    line = Line(symbol="@ES")
    line.service.away = True
    line.says(bar(60), 3601.0)

    assert line.feed._bars.newest_ns == bar(60).close_ns


def test_a_laptop_that_slept_for_an_hour_gets_every_bar_of_it_once() -> None:
    """Wall time has jumped, seconds of work have not; the line comes back with the bar that is open then."""
    line = Line()
    line.has(*(bar(minute) for minute in range(62)))
    line.says(bar(0, 10.0, 20.0), 30.0)
    line.service.clock.slept_ns = 3600 * NS
    line.says(bar(61, 10.0, 1.0), 3665.0)
    closed = line.told(BarClosed)

    assert [event.bar.open_ns for event in closed] == [bar(minute).open_ns for minute in range(61)]
    assert [event.bar.figures for event in closed] == [bar(minute).figures for minute in range(61)]
    assert all(not event.opened_live for event in closed[1:])
    assert line.feed._bars.open_bar is not None
    assert line.feed._bars.open_bar.open_ns == bar(61).open_ns


def test_the_first_print_behind_a_quiet_minute_is_seen_live() -> None:
    """Asking what lies between must not take its OPEN from a bar that has just begun."""
    line = Line()
    line.feed._bars.watching_since_ns = T0
    line.has(bar(0), bar(2))
    line.says(bar(0), 30.0)
    line.says(bar(0), 60.0, closed=True)
    line.says(bar(2, 10.0, 1.0), 121.0)

    assert len(line.service.asked) == 1
    assert [event.opened_live for event in line.told(BarUpdated)] == [True]


def test_a_line_that_did_not_survive_the_sleep_is_noticed_by_asking() -> None:
    """Nothing comes any more, not even an end: the service has newer bars, so the line is dead."""
    line = Line()
    line.has(*(bar(minute) for minute in range(64)))
    line.says(bar(0, 10.0, 20.0), 30.0)
    line.service.clock.slept_ns = 3600 * NS
    line.passes(3665.0)
    with pytest.raises(StreamEndedError, match="alive but mute"):
        line.passes(3675.0)

    assert [event.bar.open_ns for event in line.told(BarClosed)] == [bar(minute).open_ns for minute in range(61)]
