"""The live window: what the user sees in each state, and that it shows what the account does."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QApplication

from app.live.book import SymbolBook
from app.live.delay import Delay, delay_text
from app.live.logbox import LogBox
from app.live.papers import trade_marks
from app.live.states import countdown, skew_text, told, worst
from app.live.window import LiveWindow
from data.tradestation.bars import LiveBar
from data.tradestation.clock import ScaledClock
from data.tradestation.emulator.scenario import Fault, FaultKind
from data.tradestation.emulator.server import Emulator
from data.tradestation.events import (
    BarClosed,
    BarCorrected,
    BarUpdated,
    CloseReason,
    FeedState,
    FeedStatus,
    HistoryLoaded,
    StatusChanged,
)
from engine.config import BacktestConfig
from tests.app.live_windows import opened, scenario, until

NS = 10**9
MINUTE_NS = 60 * NS
CONFIG = BacktestConfig(
    initial_cash=300_000,
    assets=[{"symbol": "ESH24", "commission_per_contract": 2.0, "calendar": "24/7"}],
    bot={"name": "CoinFlip", "settings": {"flatten_before_maintenance": False, "atr_period": 5}},
    exit={"name": "TrailingATR", "settings": {"atr_multiple": 1.5, "atr_period": 5}},
)


def bar(minute: int, close: float = 10.0) -> LiveBar:
    at = minute * MINUTE_NS
    return LiveBar(at, at + MINUTE_NS, 10.0, max(10.0, close), 10.0, close, 5.0)


@contextmanager
def window(folder: Path, *faults: Fault, service: str = "DEMO", data_only: bool = False) -> Iterator[LiveWindow]:
    """A window on an emulator, with a bot that trades."""
    with (
        Emulator(scenario(*faults)) as emulator,
        opened(emulator, folder, config=CONFIG, service=service, data_only=data_only) as made,
    ):
        yield made


def test_the_window_shows_bars_states_and_the_account(look: QApplication, tmp_path: Path) -> None:
    with window(tmp_path) as made:
        until(look, lambda: made.state_bar.state.text() == "LIVE", "live")
        until(look, lambda: made.run is not None and made.run.next_bar > 63, "bars that close")
        until(look, lambda: made.charts.charts["ESH24"].chart is not None, "a chart")
        chart = made.charts.charts["ESH24"]
        rows = made.watch_list.model
        until(look, lambda: chart.left.text() != "" and rows.rowCount() > 0 and "live" in rows.row(0), "a bar")

        assert len(chart.book.store) >= 63
        assert made.paper.account.account.figure("Equity") != ""
        assert made.windowTitle().startswith("DEMO")


def test_the_bar_on_top_tells_milliseconds_from_the_socket_to_the_chart(look: QApplication, tmp_path: Path) -> None:
    """Arrivals are told in market time, which runs 240 times as fast here; what is shown is the wall's."""
    with window(tmp_path) as made:
        until(look, lambda: made.state_bar.delay.text() != "", "a delay")
        drawn: list[tuple[int, int]] = []
        chart = made.charts.charts["ESH24"]
        chart.drawn.connect(lambda seen_ns: drawn.append((seen_ns, made.session.now_ns)))
        until(look, lambda: len(drawn) >= 5, "five paintings")
        ms = made.delay.ms

        assert made.state_bar.delay.text().startswith("drawn after ")
        assert ms is not None
        real = sorted((now_ns - seen_ns) / 240 / 10**6 for seen_ns, now_ns in drawn)
        assert len({seen_ns for seen_ns, _ in drawn}) == len(drawn), "each arrival is told once"
        assert 0.0 < real[0] < 5_000.0


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process cannot be changed here")
def test_the_log_in_the_window_has_the_times_of_the_log_file(
    look: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UTC, and marked as such: a machine's own zone is neither that of the file nor the one that is chosen."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    box = LogBox()
    try:
        record = logging.LogRecord("feed", logging.INFO, __file__, 1, "the line is back", (), None)
        record.created = 1_709_730_000.0  # 2024-03-06 13:00:00 UTC
        logging.getLogger().handle(record)
        box.refresh()
        assert box.toPlainText() == "13:00:00Z INFO    the line is back"
    finally:
        box.end()
        box.deleteLater()
        monkeypatch.undo()
        time.tzset()


def test_the_delay_is_the_median_in_real_milliseconds_and_a_slow_window_is_warned_of() -> None:
    delay = Delay(ScaledClock(0, 60.0))
    assert (delay.ms, delay_text(delay.ms)) == (None, ("", "muted"))
    for market_ms in (600, 1_200, 60_000):
        delay.painted(10**18, 10**18 + market_ms * 10**6)
    assert delay.ms == pytest.approx(20.0)
    assert delay_text(delay.ms) == ("drawn after 20 ms", "muted")
    for _ in range(50):
        delay.painted(10**18, 10**18 + 18 * 10**9)
    assert delay_text(delay.ms) == ("drawn after 300 ms", "amber")


def test_what_was_not_painted_in_its_frame_is_no_delay_later(look: QApplication, tmp_path: Path) -> None:
    """A chart in the dark, or a book without a chart: the next painting must not count the time until then."""
    with window(tmp_path) as made:
        until(look, lambda: made.state_bar.delay.text() != "", "a delay")
        made.frames.stop()
        chart = made.charts.charts["ESH24"]
        assert chart.chart is not None
        drawn: list[int] = []
        chart.drawn.connect(drawn.append)
        chart.book.news_ns = 1
        chart.refresh_from(made.session.now_ns, None, made.run)
        chart.book.news_ns = None
        chart.refresh_from(made.session.now_ns, None, made.run)
        chart.chart.grab()

        assert drawn == []


@pytest.mark.parametrize(
    ("kind", "state"),
    [(FaultKind.HANG, "RECONNECTING"), (FaultKind.CUT, "RECONNECTING"), (FaultKind.DUAL_LOGON, "FAILED")],
)
def test_a_broken_line_is_seen(kind: FaultKind, state: str, look: QApplication, tmp_path: Path) -> None:
    fault = Fault(kind=kind, at=120.0, seconds=400.0, path="stream/barcharts")
    seen: set[str] = set()
    with window(tmp_path, fault, Fault(kind=FaultKind.UNAVAILABLE, at=125.0, times=2, path="stream/barcharts")) as made:
        until(look, lambda: seen.add(made.state_bar.state.text()) or state in seen, state)  # type: ignore[func-returns-value]

        assert made.state_bar.detail.text() != "" or state == "RECONNECTING"


def test_closing_the_window_takes_no_longer_than_a_second_while_the_line_hangs(
    look: QApplication, tmp_path: Path
) -> None:
    """Judged by the threads that are left, not by a clock: every feed has ended when close returns."""
    hang = Fault(kind=FaultKind.HANG, at=0.0, seconds=100_000.0, times=9)
    with window(tmp_path, hang) as made:
        until(look, lambda: made.session.instruments is not None, "details", 30.0)
        look.processEvents()
        made.close()
        names = [thread.name for thread in threading.enumerate()]

        assert not [name for name in names if "feed" in name]


def test_a_symbol_can_be_watched_and_removed_and_a_traded_one_stays(look: QApplication, tmp_path: Path) -> None:
    with window(tmp_path) as made:
        until(look, lambda: "ESH24" in made.books, "the first symbol")
        made.watch_list.added.emit("NQH24")
        until(look, lambda: "NQH24" in made.books and len(made.books["NQH24"].store) > 10, "the second symbol")
        made.watch_list.removed.emit("NQH24")
        made.watch_list.removed.emit("ESH24")

        assert list(made.books) == ["ESH24"]


def test_an_unknown_symbol_is_said(look: QApplication, tmp_path: Path) -> None:
    with window(tmp_path) as made:
        said: list[str] = []
        made.session.told.connect(said.append)
        until(look, lambda: made.session.instruments is not None, "details")
        made.session.watch("NOSUCH")
        until(look, lambda: said, "an answer")

        assert "does not know NOSUCH" in said[0]


def test_the_search_offers_what_the_service_finds(look: QApplication, tmp_path: Path) -> None:
    with window(tmp_path) as made:
        found: list[list[tuple[str, str]]] = []
        until(look, lambda: made.session.instruments is not None, "details")
        made.session.search("NQ", found.append)
        until(look, lambda: found, "an answer")

        assert "NQH24" in [name for name, _ in found[0]]


def test_an_order_by_hand_in_mid_bar_waits_and_the_ticket_says_so(look: QApplication, tmp_path: Path) -> None:
    """S17.3."""
    with window(tmp_path) as made:
        until(look, lambda: made.run is not None and made.run.is_open, "a bar under way")
        made.paper.ticket.sent.emit({"type": "market", "symbol": "ESH24", "side": "buy", "qty": 1})

        assert "fills at the next open" in made.paper.note.text()
        until(look, lambda: made.run is not None and made.run.actions_taken == 1, "the order")


def test_without_an_account_the_bars_are_recorded_and_no_panel_of_an_account_is_there(
    look: QApplication, tmp_path: Path
) -> None:
    with window(tmp_path, data_only=True) as made:
        until(look, lambda: "ESH24" in made.books and made.books["ESH24"].closed > 61, "bars that close")

        assert not made.docks["Account"].isVisible()
    assert list((tmp_path / "bars").glob("ESH24_1m/*/*.parquet"))


def test_live_and_sim_look_unmistakably_different(look: QApplication, tmp_path: Path) -> None:
    from app.live.statebar import SERVICES

    colours = {SERVICES[name][1] for name in SERVICES}

    assert len(colours) == len(SERVICES) == 3
    with window(tmp_path, service="LIVE") as made:
        assert made.windowTitle().startswith("LIVE")
        assert made.state_bar.badge.text() == "LIVE"


# Without a window


@pytest.mark.parametrize("state", list(FeedState))
def test_every_state_has_a_word_and_a_tone(state: FeedState) -> None:
    told_as = told(FeedStatus("ES", state, retry_in=4.0, attempt=2), 0, NS)

    assert told_as.word == state.value.upper()
    assert told_as.tone


def test_a_reconnect_tells_attempt_and_seconds_that_count_down() -> None:
    status = FeedStatus("ES", FeedState.RECONNECTING, "cut", attempt=3, retry_in=8.0)

    assert told(status, 0, 3 * NS).detail == "attempt 3, next in 5 s; cut"
    assert told(status, 0, 9 * NS).detail == "attempt 3, now; cut"


def test_a_quiet_symbol_and_a_closed_market_are_not_stale() -> None:
    assert told(FeedStatus("ES", FeedState.LIVE, quiet=True), 0, 0).detail.startswith("quiet")
    assert told(FeedStatus("ES", FeedState.LIVE, session_open=False), 0, 0).detail == "market closed"


def test_the_state_that_needs_someone_stands_for_all() -> None:
    states = [FeedStatus("A", FeedState.LIVE), FeedStatus("B", FeedState.SIGNED_OUT), FeedStatus("C", FeedState.STALE)]
    found = worst(states)

    assert found is not None
    assert found.symbol == "B"


def test_a_clock_that_is_wrong_is_warned_of() -> None:
    assert skew_text(0.4) == ("clock skew +0.4 s", "muted")
    assert skew_text(-0.02) == ("clock skew +0.0 s", "muted")
    assert skew_text(-125.0) == ("your clock is 125 s ahead", "amber")
    assert countdown(65 * NS, 0) == "1:05"


def test_a_book_keeps_bars_as_they_move_close_and_are_corrected() -> None:
    book = SymbolBook("ES", None)
    book.take(HistoryLoaded("ES", (bar(0), bar(1)), None), 0)
    book.take(BarUpdated("ES", bar(3, 11.0)), 0)
    book.take(BarUpdated("ES", bar(3, 12.0)), 0)
    assert (len(book.store), book.closed, book.last) == (3, 2, 12.0)
    book.take(BarClosed("ES", bar(3, 13.0), CloseReason.STATUS, False, True, 0), 0)
    book.take(BarCorrected("ES", bar(1), bar(1, 15.0), 0), 0)
    generation = book.generation
    book.take(BarCorrected("ES", None, bar(2, 14.0), 0), 0)
    book.take(StatusChanged("ES", FeedStatus("ES", FeedState.LIVE)), 7)

    assert book.store.close.tolist() == [10.0, 15.0, 14.0, 13.0]
    assert book.generation == generation + 1
    assert (book.closed, book.forming, book.told_ns) == (4, None, 7)


def test_trades_of_the_account_stand_on_the_bars_of_the_chart(look: QApplication, tmp_path: Path) -> None:
    with window(tmp_path) as made:
        until(look, lambda: made.run is not None and made.run.engine.tables.count("fills") > 0, "a fill", 40.0)
        run, book = made.run, made.books["ESH24"]
        assert run is not None
        marks = trade_marks(run, "ESH24", book.store.time_ns)
        at = int(run.engine.tables.rows("fills")[0]["bar"])

        assert book.store.time_ns[marks.entry_bar[0]] == run.engine.market.time_ns[at]
