"""Fifty symbols in the live window: what a frame costs, that news is painted in its frame, and who waits for whom."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QApplication

from app.charts.widget import ChartWidget
from app.live.window import LiveWindow
from app.workspace import Workspace
from data.tradestation.bars import LiveBar
from data.tradestation.emulator.scenario import Fault, FaultKind
from data.tradestation.emulator.server import Emulator
from data.tradestation.emulator.tokens import GrantedTokens
from data.tradestation.events import BarUpdated, Event, FeedState, FeedStatus, HistoryLoaded, StatusChanged
from data.tradestation.live import LiveFeed, Subscription
from data.tradestation.quotes import Quote
from data.tradestation.rest import TradeStationClient
from engine.config import BacktestConfig
from engine.live import LiveSection, LiveSession
from engine.live.session import Watched
from tests.app.live_windows import bars, opened, scenario, until
from tests.app.processor import budget

NAMES = tuple(f"SYM{number:02d}" for number in range(50))
FRAMES_A_SECOND = 60
BUDGET_MS = 6.0  # of a frame's 16; the whole window of a backtest has 12


class Wire:
    """Stands in for the feeds: what is put here comes out at the next poll.

    Attributes:
        window: over fifty symbols that have their history; waiting: events to come.
    """

    def __init__(self, window: LiveWindow) -> None:
        self.window = window
        self.waiting: list[Event] = []
        session = window.session
        session.feed.drain = self.drain  # type: ignore[method-assign,assignment]
        every = bars(400)
        for name in NAMES:
            session.watched[name] = Watched(symbol=name, tick_size=0.25, calendar=None, description="", traded=False)
            self.waiting += [
                StatusChanged(name, FeedStatus(name, FeedState.LIVE)),
                HistoryLoaded(name, tuple(every), None),
            ]
        self.at_ns = every[-1].close_ns

    def drain(self, _enough: object = None) -> int:
        events, self.waiting = self.waiting, []
        for event in events:
            self.window.session.happened.emit(event)
        return len(events)

    def move(self, number: int, close: float) -> None:
        """One symbol trades: a copy of its bar under way, and a quote."""
        name = NAMES[number % len(NAMES)]
        bar = LiveBar(self.at_ns, self.at_ns + 60 * 10**9, 4500.0, max(4500.0, close), 4490.0, close, 10.0 + number)
        self.waiting.append(BarUpdated(name, bar))
        self.window.session.quotes[name] = Quote(
            symbol=name, last=close, bid=close - 0.25, ask=close, volume=1.0, delayed=False, halted=False, error=""
        )


@pytest.fixture
def wire(look: QApplication, tmp_path: Path) -> Iterator[Wire]:
    config = BacktestConfig(initial_cash=1_000_000, assets=[{"symbol": name} for name in NAMES])
    with Emulator(scenario()) as emulator:  # for its clock alone: nothing is asked
        client = TradeStationClient(emulator.endpoints, GrantedTokens(emulator), emulator.clock)
        session = LiveSession(config, LiveSection(), LiveFeed(client, random.Random(1)), emulator.clock, None, tmp_path)
        window = LiveWindow(session, "DEMO", workspace=Workspace(live={"charts": {"charts": 2}}))
        window.show()
        made = Wire(window)
        for _ in range(12):
            window.frame()
            window.frames.tick()
            look.processEvents()
        yield made
        window.close()
        window.deleteLater()
        assert session.written(30.0)


def chart_of(wire: Wire, name: str) -> ChartWidget:
    chart = wire.window.charts.charts[name].chart
    assert chart is not None
    return chart


def test_a_frame_with_fifty_symbols_that_trade_every_second_stays_within_its_budget(
    wire: Wire, look: QApplication
) -> None:
    """CPU time of the window's thread, as a ratio to a fixed piece of Python: the wall clock says nothing here."""
    number = 0

    def second() -> float:
        nonlocal number
        begin = time.thread_time()
        for _ in range(FRAMES_A_SECOND):
            for _ in range(1 + number % 6 // 5):  # fifty in sixty frames
                number += 1
                wire.move(number, 4495.0 + 0.25 * (number % 40))
            wire.window.frame()
            wire.window.frames.tick()
            look.processEvents()
        return (time.thread_time() - begin) / FRAMES_A_SECOND * 1000

    second()
    cost = min(second() for _ in range(3))

    assert cost < budget(BUDGET_MS)


def test_news_are_on_the_chart_in_the_frame_in_which_they_are_polled(wire: Wire, look: QApplication) -> None:
    """Frame to chart: no frame passes between."""
    chart = chart_of(wire, NAMES[1])
    before = chart.paints
    for close in (4496.0, 4493.5):
        wire.move(1, close)
        wire.window.frame()
        wire.window.frames.tick()
        look.processEvents()
        shown = chart.picture().window.cut.tail

        assert shown is not None
        assert shown.close == close
    assert chart.paints == before + 2


def test_a_chart_without_news_is_not_painted(wire: Wire, look: QApplication) -> None:
    chart = chart_of(wire, NAMES[0])
    before = chart.paints
    for number in range(2, 14):
        wire.move(number, 4496.0)
        wire.window.frame()
        wire.window.frames.tick()
        look.processEvents()

    assert chart.paints == before


def test_only_symbols_that_were_seen_have_charts(wire: Wire) -> None:
    charts = wire.window.charts
    assert list(charts.charts) == list(NAMES[:2])
    wire.window.choose(NAMES[40])

    assert charts.order[:2] == [NAMES[40], NAMES[0]]
    assert [chart.book.symbol for chart in charts.visible] == [NAMES[40], NAMES[0]]
    assert len(wire.window.watch_list.model._rows) == len(NAMES)


class Told:
    """A feed that always has something to tell."""

    def __init__(self, name: str) -> None:
        self.name = name

    def drain(self) -> list[Event]:
        return [StatusChanged(self.name, FeedStatus(self.name, FeedState.LIVE))]


def test_feeds_whose_turn_did_not_come_are_first_in_the_next_call(tmp_path: Path) -> None:
    with Emulator(scenario()) as emulator:
        client = TradeStationClient(emulator.endpoints, GrantedTokens(emulator), emulator.clock)
        feed = LiveFeed(client, random.Random(1))
        interval = LiveSection().interval
        feed._feeds = {Subscription(name, interval): Told(name) for name in "ABCDE"}  # type: ignore[misc]
        seen: list[str] = []
        feed.status_changed.connect(lambda event: seen.append(event.symbol))
        for _ in range(4):
            budgets = iter([False, True])
            feed.drain(lambda budgets=budgets: next(budgets))  # type: ignore[misc]

        assert "".join(seen) == "ABCDEABC"
        assert feed.drain() == 5
        feed._feeds.clear()
        feed.stop()


def test_symbols_that_come_together_share_one_stream_of_quotes(look: QApplication, tmp_path: Path) -> None:
    """Not one stream after another, each with one symbol more."""
    names = NAMES[:8]
    config = BacktestConfig(
        initial_cash=1_000_000,
        assets=[{"symbol": name, "initial_margin": 1000, "maintenance_margin": 900} for name in names],
    )
    with Emulator(scenario(symbols=names)) as emulator:
        with opened(emulator, tmp_path, config=config, data_only=True) as made:
            until(look, lambda: len(made.session.quotes) == len(names), "quotes of all")
        asked = [request for request in emulator.requests if "stream/quotes" in request]

    assert len(asked) == 1


def test_closing_while_the_streams_of_all_symbols_hang_leaves_no_thread_behind(
    look: QApplication, tmp_path: Path
) -> None:
    """Judged by the threads that are left, and by the time that closing waits for at most."""
    names = NAMES[:8]
    config = BacktestConfig(
        initial_cash=1_000_000,
        assets=[{"symbol": name, "initial_margin": 1000, "maintenance_margin": 900} for name in names],
    )
    hang = Fault(kind=FaultKind.HANG, at=0.0, seconds=1_000_000.0, times=99)
    with Emulator(scenario(hang, symbols=names)) as emulator, opened(emulator, tmp_path, config=config) as made:
        until(look, lambda: len(made.session.feed.feeds) == len(names), "the feeds")
        feeds = list(made.session.feed.feeds.values())
        made.close()

        assert [feed.symbol for feed in feeds if feed._thread.is_alive()] == []
