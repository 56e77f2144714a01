"""When the phases of a live bar run (S17.1, S17.2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from data.tradestation.bars import LiveBar
from data.tradestation.events import BarClosed, BarUpdated, CloseReason, FeedState
from data.tradestation.hours import SessionTimes
from engine.paper.phases import PhaseKeeper

NS = 10**9
MINUTE_NS = 60 * NS
T0 = 1_709_733_600 * NS


@dataclass
class Told:
    """What the phases would have an account do, as short texts."""

    said: list[str] = field(default_factory=list)

    def opened(self, time_ns: int, prints: Mapping[str, tuple[int, float]], decide: bool) -> None:
        own = ",".join(f"{symbol}{(at - T0) // MINUTE_NS}" for symbol, (at, _) in prints.items())
        behind = "+" if time_ns % MINUTE_NS else ""
        self.said.append(f"open {(time_ns - T0) // MINUTE_NS}{behind} {own}{'' if decide else ' undecided'}")

    def closed(self, closings: Mapping[str, BarClosed]) -> None:
        self.said.append(f"close {','.join(sorted(closings))}")

    def missed(self, closing: BarClosed) -> None:
        self.said.append(f"missed {closing.symbol}{(closing.bar.open_ns - T0) // MINUTE_NS}")


def bar(minute: int, close: float = 10.0) -> LiveBar:
    at = T0 + minute * MINUTE_NS
    return LiveBar(at, at + MINUTE_NS, 10.0, max(10.0, close), 10.0, close, 5.0)


def keeper(**settings: object) -> tuple[PhaseKeeper, Told]:
    told = Told()
    made = PhaseKeeper(("A", "B"), MINUTE_NS, told, **settings)  # type: ignore[arg-type]
    made.begin(T0 - MINUTE_NS, {"A": T0 - MINUTE_NS, "B": T0 - MINUTE_NS})
    return made, told


def at(minute: int, seconds: float) -> int:
    return T0 + minute * MINUTE_NS + int(seconds * NS)


def prints(made: PhaseKeeper, symbol: str, minute: int, seconds: float, *, live: bool = True) -> None:
    made.updated(BarUpdated(symbol, bar(minute), live), at(minute, seconds))


def closes(made: PhaseKeeper, symbol: str, minute: int, now_ns: int, *, live: bool = True, close: float = 10.0) -> None:
    reason = CloseReason.STATUS if live else CloseReason.HISTORY
    made.closing(BarClosed(symbol, bar(minute, close), reason, not live, live, now_ns), now_ns)


@pytest.mark.rule("S17.1")
def test_open_runs_once_as_soon_as_all_have_printed() -> None:
    """S17.1."""
    made, told = keeper()
    prints(made, "A", 0, 0.5)
    assert told.said == []
    prints(made, "B", 0, 0.9)
    prints(made, "A", 0, 30.0)

    assert told.said == ["open 0 A0,B0"]


@pytest.mark.rule("S17.1")
def test_open_runs_when_the_grace_is_over_and_a_later_print_opens_nothing() -> None:
    """S17.1: the late one's bar is synthetic, and told as missed when it closes."""
    made, told = keeper(open_grace_s=2.0)
    prints(made, "A", 0, 0.5)
    made.pass_time(at(0, 2.4))
    assert told.said == []
    made.pass_time(at(0, 2.5))
    prints(made, "B", 0, 9.0)
    closes(made, "B", 0, at(1, 0.1))
    closes(made, "A", 0, at(1, 0.2))

    assert told.said == ["open 0 A0", "missed B0", "close A"]


def test_a_symbol_whose_market_is_closed_is_not_waited_for() -> None:
    made, told = keeper(hours={"B": SessionTimes([T0 - 10 * MINUTE_NS], [T0])})
    prints(made, "A", 0, 0.5)

    assert told.said == ["open 0 A0"]


@pytest.mark.rule("S17.1")
def test_the_rest_runs_when_the_bar_has_closed_for_all() -> None:
    """S17.1."""
    made, told = keeper()
    prints(made, "A", 0, 0.5)
    prints(made, "B", 0, 0.9)
    closes(made, "A", 0, at(1, 0.1))
    prints(made, "A", 1, 0.3)
    assert told.said == ["open 0 A0,B0"]
    closes(made, "B", 0, at(1, 0.5))
    prints(made, "B", 1, 0.6)

    assert told.said == ["open 0 A0,B0", "close A,B", "open 1 A1,B1"]


@pytest.mark.rule("S17.2")
def test_backfilled_bars_run_at_once_in_order_and_undecided() -> None:
    """S17.2."""
    made, told = keeper()
    for minute in (0, 1):
        closes(made, "A", minute, at(3, 0.0), live=False)
        closes(made, "B", minute, at(3, 0.0), live=False)
    prints(made, "A", 3, 0.5)
    prints(made, "B", 3, 0.6)

    assert told.said == [
        "open 0 A0 undecided", "close A", "open 0+ B0 undecided", "close B",
        "open 1 A1 undecided", "close A", "open 1+ B1 undecided", "close B",
        "open 3 A3,B3",
    ]  # fmt: skip


def test_a_backfill_waits_for_those_that_are_still_catching_up() -> None:
    """Bars of one time act together, whichever line comes back first."""
    made, told = keeper()
    made.state("A", FeedState.HISTORY)
    made.state("B", FeedState.RECONNECTING)
    closes(made, "A", 0, at(1, 5.0), live=False)
    closes(made, "A", 1, at(1, 6.0), live=False)
    assert told.said == []
    closes(made, "B", 0, at(1, 10.0), live=False)
    closes(made, "B", 1, at(1, 10.0), live=False)

    assert told.said == ["open 0 A0,B0 undecided", "close A,B", "open 1 A1,B1 undecided", "close A,B"]


def test_a_backfill_waits_no_longer_than_the_patience() -> None:
    made, told = keeper(patience_s=30.0)
    made.state("B", FeedState.SIGNED_OUT)
    closes(made, "A", 0, at(1, 5.0), live=False)
    made.pass_time(at(1, 34.0))
    assert told.said == []
    made.pass_time(at(1, 35.0))

    assert told.said == ["open 0 A0 undecided", "close A"]


def test_a_bar_whose_line_died_closes_as_it_was_seen_and_acts_again_once_it_is_whole() -> None:
    """S17.2: the others are not held up, and no price of the bar is lost for stops."""
    made, told = keeper(patience_s=30.0)
    prints(made, "A", 0, 0.5)
    prints(made, "B", 0, 0.6)
    made.updated(BarUpdated("B", bar(0)), at(0, 20.0))
    closes(made, "A", 0, at(1, 0.1))
    prints(made, "A", 1, 0.2)
    made.pass_time(at(1, 29.0))
    assert told.said == ["open 0 A0,B0"]
    made.pass_time(at(1, 30.0))
    closes(made, "B", 0, at(1, 40.0), live=False, close=12.0)
    closes(made, "A", 1, at(2, 0.1))

    assert told.said == [
        "open 0 A0,B0", "close A,B", "open 1 A1", "close A", "open 1+ B0 undecided", "close B",
    ]  # fmt: skip


def test_a_bar_that_was_seen_whole_before_its_line_died_does_not_act_twice() -> None:
    made, told = keeper(patience_s=30.0)
    prints(made, "A", 0, 0.5)
    prints(made, "B", 0, 0.6)
    made.updated(BarUpdated("B", bar(0)), at(0, 59.0))
    closes(made, "A", 0, at(1, 0.1))
    made.pass_time(at(1, 30.0))
    closes(made, "B", 0, at(1, 40.0), live=False)

    assert told.said == ["open 0 A0,B0", "close A,B"]


@pytest.mark.rule("S17.2")
def test_a_print_that_was_not_seen_live_opens_nothing() -> None:
    """S17.2: a bar joined in its middle gets no decision."""
    made, told = keeper()
    prints(made, "A", 0, 20.0, live=False)
    prints(made, "B", 0, 20.0, live=False)
    made.pass_time(at(0, 59.0))
    assert told.said == []


def test_no_decision_is_taken_on_a_bar_that_is_over() -> None:
    """A machine that slept: the print is taken in when the bar has long closed."""
    made, told = keeper()
    made.updated(BarUpdated("A", bar(0)), at(5, 0.0))
    made.pass_time(at(5, 3.0))

    assert told.said == ["open 0 A0 undecided"]


def test_a_closing_that_was_told_before_is_not_acted_on_again() -> None:
    made, told = keeper()
    closes(made, "A", -1, at(0, 0.0))
    event = BarClosed("A", replace(bar(-1), close=10.5, high=10.5), CloseReason.HISTORY, True, False, at(0, 0.0))
    made.closing(event, at(0, 1.0))

    assert told.said == []


def test_a_late_bar_of_the_time_that_is_about_to_open_comes_behind_it() -> None:
    """Two master bars never share a time."""
    made, told = keeper()
    made.state("B", FeedState.HISTORY)
    prints(made, "A", 0, 1.0)
    closes(made, "B", 0, at(0, 1.5), live=False)
    assert told.said == []
    made.pass_time(at(0, 3.0))
    closes(made, "A", 0, at(1, 0.1))

    assert told.said == ["open 0 A0", "close A", "open 0+ B0 undecided", "close B"]


def test_a_bar_that_closed_before_its_open_could_run_acts_late_when_the_next_one_prints() -> None:
    """It was held up by a backfill of others; no bar is lost."""
    made, told = keeper(patience_s=300.0)
    made.state("B", FeedState.HISTORY)
    closes(made, "A", 0, at(1, 0.5), live=False)
    prints(made, "A", 1, 1.0)
    closes(made, "A", 1, at(2, 0.1))
    prints(made, "A", 2, 0.5)
    assert told.said == []
    made.state("B", FeedState.LIVE)
    made.pass_time(at(2, 3.0))

    assert told.said == ["open 0 A0 undecided", "close A", "open 1 A1 undecided", "close A", "open 2 A2"]


def figures_acted_on(made: PhaseKeeper, told: Told) -> list[tuple[str, float]]:
    """Closes of the bars, as an account gets them from here on."""
    acted: list[tuple[str, float]] = []
    told.closed = lambda closings: acted.extend(  # type: ignore[method-assign]
        (symbol, closings[symbol].bar.close) for symbol in sorted(closings)
    )
    return acted


@pytest.mark.rule("S17.2")
def test_a_correction_of_a_bar_that_waits_to_act_is_what_it_acts_by() -> None:
    """S17.2: A has closed and waits for B when its correction comes; the old figures must not come after it."""
    made, told = keeper()
    acted = figures_acted_on(made, told)
    prints(made, "A", 0, 0.5)
    prints(made, "B", 0, 0.9)
    closes(made, "A", 0, at(1, 0.1), close=11.0)

    assert made.corrected("A", bar(0, 12.0))
    closes(made, "B", 0, at(1, 0.5))
    assert acted == [("A", 12.0), ("B", 10.0)]
    assert not made.corrected("A", bar(0, 13.0))


@pytest.mark.rule("S17.2")
def test_a_backfilled_bar_that_is_told_again_before_it_acts_acts_once_by_its_newest_figures() -> None:
    """S17.2: history loaded anew tells bars that wait for another line; they must not act twice."""
    made, told = keeper(patience_s=30.0)
    acted = figures_acted_on(made, told)
    made.state("B", FeedState.RECONNECTING)
    closes(made, "A", 0, at(1, 0.1), live=False, close=11.0)
    closes(made, "A", 0, at(1, 5.0), live=False, close=12.0)
    assert acted == []
    made.pass_time(at(1, 40.0))

    assert acted == [("A", 12.0)]


def test_a_long_history_that_waits_for_another_symbol_is_taken_in_once_a_bar() -> None:
    """Tens of thousands of bars may come at once after an outage; each must not be compared with all that wait."""
    looked_at = 0

    class Counted(LiveBar):
        def __getattribute__(self, name: str) -> object:
            nonlocal looked_at
            looked_at += name == "open_ns"
            return super().__getattribute__(name)

    made, told = keeper(patience_s=1e9)
    made.state("B", FeedState.RECONNECTING)
    for minute in range(300):
        plain = bar(minute)
        given = Counted(plain.open_ns, plain.close_ns, *plain.figures)
        assert not made.corrected("A", given)
        made.closing(BarClosed("A", given, CloseReason.HISTORY, True, False, at(300, 0)), at(300, 0))

    assert told.said == []
    assert looked_at < 300 * 30
