"""What a person does in the live window: drag levels, give orders, choose what is shown, and find it all again."""

import gc
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPointF, Qt
from PyQt6.QtGui import QMouseEvent
from PyQt6.QtWidgets import QApplication

from app.charts.clock import FrameClock
from app.charts.lines import LineLayer
from app.charts.prices import PriceFormat
from app.charts.scale import Scale
from app.charts.widget import ChartWidget
from app.dialogs.small import TextDialog
from app.live.book import SymbolBook
from app.live.charts import LiveChart
from app.live.choices import Choices
from app.live.papers import Before, outcome
from app.live.rows import RowsModel
from app.live.watchlist import WatchList
from app.live.window import LiveWindow
from app.theme import DARK, LIGHT, apply_theme
from app.workspace import Workspace
from bots.scripted import ScriptedBot
from data.resampling import resample
from data.series import BarSeries
from data.tradestation.bars import LiveBar
from data.tradestation.emulator.server import Emulator
from data.tradestation.events import (
    BarClosed,
    BarUpdated,
    CloseReason,
    FeedState,
    FeedStatus,
    HistoryLoaded,
    StatusChanged,
)
from engine.actions import Action
from engine.environment import TradingEnvironment
from engine.indicators import IndicatorBars, compute
from tests.app.live_windows import bars, opened, scenario, until
from tests.live.paper_market import account, market, play

NS = 10**9
MINUTE_NS = 60 * NS


def chart_of(made: LiveWindow, symbol: str = "ESH24") -> ChartWidget:
    chart = made.charts.charts[symbol].chart
    assert chart is not None
    return chart


def begun(made: LiveWindow, app: QApplication) -> None:
    """The account has begun and the chart is there."""
    until(app, lambda: made.run is not None and made.charts.charts["ESH24"].chart is not None, "the account")


def position(made: LiveWindow) -> object:
    return None if made.run is None else made.run.engine.position("ESH24")


def stop_of(made: LiveWindow) -> float | None:
    held = None if made.run is None else made.run.engine.position("ESH24")
    return None if held is None else held.stop_loss


def bought(made: LiveWindow, app: QApplication, distance: float = 15.0) -> None:
    """A long position of one with a stop and a target far enough away to stay."""
    begun(made, app)
    price = made.last("ESH24")
    assert price is not None
    made.hands.give(
        {"type": "market", "symbol": "ESH24", "side": "buy", "qty": 1, "sl": price - distance, "tp": price + 500.0}
    )
    until(app, lambda: position(made) is not None, "the position")
    app.processEvents()


def mouse(chart: ChartWidget, kind: QEvent.Type, y: float, pressed: bool = True) -> None:
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    moving = kind == QEvent.Type.MouseMove
    at = QPointF(200.0, y)
    event = QMouseEvent(
        kind,
        at,
        chart.viewport().mapToGlobal(at),
        none if moving else left,
        left if pressed else none,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(chart.viewport(), event)


def height_of(chart: ChartWidget, price: float) -> float:
    item = chart.pane_at(100)
    assert item is not None
    return float(item.pos().y() + chart.frame_of(item).row(price) / chart.devicePixelRatioF())


def price_at(chart: ChartWidget, key: str) -> float:
    return next(level.price for level in chart.levels.levels if level.key == key)


def grab(chart: ChartWidget, key: str, by: float) -> float:
    """Drag the line ``key`` by so many pixels down; returns the height at which it is held."""
    chart.grab()
    item, price = chart.pane_at(100), price_at(chart, key)
    assert item is not None
    seen = chart.frame_of(item).scale
    # As by a pull at the price axis: the market may have left the line out of sight.
    chart.price.manual = Scale(min(seen.low, price) - 10.0, max(seen.high, price) + 10.0, log=False)
    chart.grab()
    start = height_of(chart, price)
    mouse(chart, QEvent.Type.MouseMove, start, pressed=False)
    mouse(chart, QEvent.Type.MouseButtonPress, start)
    mouse(chart, QEvent.Type.MouseMove, start + by / 2)
    mouse(chart, QEvent.Type.MouseMove, start + by)
    return start + by


# Levels


def test_a_stop_dragged_on_a_live_chart_snaps_to_the_tick_acts_after_the_bar_and_survives_a_restart(
    look: QApplication, tmp_path: Path
) -> None:
    """S17.3: nothing is asked before the mouse lets go; the account acts at the bar's close; the state is on disk."""
    with Emulator(scenario()) as emulator:
        with opened(emulator, tmp_path) as made:
            bought(made, look)
            chart, before = chart_of(made), stop_of(made)
            assert before is not None
            made.frames.stop()  # the hand is quicker than the market
            at = grab(chart, "stop", 40.0)
            held = chart.levels.drag
            assert held is not None
            assert made.run is not None
            assert made.run.held == ()
            mouse(chart, QEvent.Type.MouseButtonRelease, at, pressed=False)
            made.frames.request()

            until(look, lambda: stop_of(made) not in (before, None), "the stop to move")
            moved = stop_of(made)
            assert moved == held.price
            assert moved % 0.25 == 0
            assert moved < before
            until(look, lambda: price_at(chart, "stop") == moved, "the line")
        with opened(emulator, tmp_path) as again:
            begun(again, look)
            chart_of(again).grab()

            assert stop_of(again) == moved
            assert price_at(chart_of(again), "stop") == moved


def test_a_level_that_waits_for_the_close_stands_beside_the_one_that_still_acts(
    look: QApplication, tmp_path: Path
) -> None:
    """S17.3."""
    with Emulator(scenario(rate=60.0)) as emulator, opened(emulator, tmp_path) as made:
        bought(made, look)
        before = stop_of(made)
        assert before is not None
        until(look, lambda: made.run is not None and made.run.is_open, "a bar under way")
        made.frames.stop()
        made.hands.give({"type": "modify_stop", "symbol": "ESH24", "sl": before - 5.0})
        chart_of(made).grab()
        lines = {level.key: level for level in chart_of(made).levels.levels}

        assert lines["stop"].price == before
        assert lines["modify_stop waits"].price == before - 5.0
        assert "waits" in lines["modify_stop waits"].label()
        assert "Waits for the bar's close" in made.paper.note.text()
        made.frames.request()
        until(look, lambda: stop_of(made) == before - 5.0, "the stop to move")


def test_a_working_order_is_dragged_to_another_price(look: QApplication, tmp_path: Path) -> None:
    with Emulator(scenario()) as emulator, opened(emulator, tmp_path) as made:
        begun(made, look)
        price = made.last("ESH24")
        assert price is not None
        made.hands.give({"type": "limit", "symbol": "ESH24", "side": "buy", "qty": 1, "limit": price - 12.0})
        run = made.run
        assert run is not None
        until(look, lambda: bool(run.engine.get_orders()), "the order")
        made.frames.stop()
        order = run.engine.get_orders()[0]
        at = grab(chart_of(made), str(order.id), 30.0)
        mouse(chart_of(made), QEvent.Type.MouseButtonRelease, at, pressed=False)
        made.frames.request()
        until(look, lambda: run.engine.order(order.id).limit != order.limit, "the order to move")
        limit = run.engine.order(order.id).limit

        assert limit is not None
        assert limit < price - 12.0
        assert limit % 0.25 == 0


# The ticket


def test_account_and_ticket_are_the_backtests_own_and_refuse_in_the_brokers_words(
    look: QApplication, tmp_path: Path
) -> None:
    """S8.4."""
    with Emulator(scenario()) as emulator, opened(emulator, tmp_path) as made:
        bought(made, look)
        run = made.run
        assert run is not None
        made.paper.set_symbol("ESH24")
        made.frames.stop()
        made.paper.show_run(run)
        figures = made.paper.account
        assert figures.account.figure("Equity") == f"{run.engine.get_portfolio().equity:,.2f}"
        assert figures.position.figure("Side, quantity") == "LONG 1"
        ticket = made.paper.ticket
        ticket.quantity.setValue(100_000.0)
        made.paper.show_run(run)

        assert not ticket.buy.isEnabled()
        assert "margin" in ticket.told.text()
        ticket.quantity.setValue(1.0)
        made.paper.show_run(run)
        assert ticket.buy.isEnabled()


def test_what_the_broker_refuses_is_said_when_the_bar_has_closed(look: QApplication, tmp_path: Path) -> None:
    """S8.2: a stop loss on the wrong side."""
    with Emulator(scenario()) as emulator, opened(emulator, tmp_path) as made:
        begun(made, look)
        price = made.last("ESH24")
        assert price is not None
        made.hands.give({"type": "market", "symbol": "ESH24", "side": "buy", "qty": 1, "sl": price + 400.0})
        until(look, lambda: made.paper.note.text().startswith("Refused"), "the refusal")

        assert position(made) is None


def test_what_became_of_an_order_by_hand_is_told(look: QApplication, tmp_path: Path) -> None:
    """It waits for the bar's close, and fills at the next open (S17.3), or works on."""
    with Emulator(scenario()) as emulator, opened(emulator, tmp_path) as made:
        begun(made, look)
        price, told = made.last("ESH24"), list[str]()
        assert price is not None
        made.paper.said.connect(told.append)
        made.hands.give({"type": "market", "symbol": "ESH24", "side": "buy", "qty": 2})
        until(look, lambda: made.paper.note.text().startswith("Filled"), "the fill")
        assert made.run is not None
        average = made.run.engine.get_positions()[0].average
        assert told[-1] == f"Filled: BUY 2 ESH24 at {average:,.2f}."
        assert "next open" in told[0]
        made.hands.give({"type": "limit", "symbol": "ESH24", "side": "sell", "qty": 1, "limit": price + 900.0})
        until(look, lambda: made.paper.note.text().startswith("Working"), "the order")
        made.hands.give({"type": "modify_stop", "symbol": "ESH24", "sl": price - 900.0})
        until(look, lambda: made.paper.note.text() == "Done.", "the level")

        assert stop_of(made) == price - 900.0


def test_a_right_click_offers_levels_and_orders_at_the_price(look: QApplication, tmp_path: Path) -> None:
    with Emulator(scenario()) as emulator, opened(emulator, tmp_path) as made:
        bought(made, look)
        price = made.last("ESH24")
        assert price is not None
        offers = dict(made.hands.offers("ESH24", price - 10.1))
        words = list(offers)

        assert [word.split(" at ")[0] for word in words[:3]] == ["Stop loss", "Take profit", "Close the position"]
        assert words[3].startswith("Buy 1 limit")
        assert words[4].startswith("Sell 1 stop")
        assert offers[words[3]]["limit"] % 0.25 == 0


class RaisingBot(ScriptedBot):
    """Raises at its first decision."""

    def on_bar(self, env: TradingEnvironment) -> None:
        raise RuntimeError("no idea")


def test_a_bot_that_raises_is_told_once_with_its_traceback_and_orders_by_hand_go_on(
    look: QApplication, tmp_path: Path
) -> None:
    with Emulator(scenario()) as emulator, opened(emulator, tmp_path, make=RaisingBot) as made:
        until(look, lambda: made.dialogs, "the dialog")
        dialog = made.dialogs[0]
        assert isinstance(dialog, TextDialog)
        assert "RuntimeError: no idea" in dialog.text.toPlainText()
        assert "decides no more" in made.chart_bar.told.text()
        dialog.close()
        bought(made, look)

        assert made.dialogs == [], "it is told once, and a dialog that is closed goes"


# The feed


def test_reconnect_keeps_the_bars_and_reload_makes_them_anew(look: QApplication, tmp_path: Path) -> None:
    with Emulator(scenario()) as emulator, opened(emulator, tmp_path) as made:
        begun(made, look)
        book = made.books["ESH24"]
        until(look, lambda: book.status.state is FeedState.LIVE, "live")
        streams = len([one for one in emulator.requests if "stream/barcharts/ESH24" in one])
        generation, count = book.generation, len(book.store)
        made.actions_by_key["reconnect"].trigger()
        until(
            look,
            lambda: len([one for one in emulator.requests if "stream/barcharts/ESH24" in one]) > streams,
            "another stream",
        )
        until(look, lambda: book.status.state is FeedState.LIVE, "live again")
        kept = (book.generation, len(book.store) >= count)
        made.actions_by_key["reload"].trigger()
        until(look, lambda: book.generation > generation, "history anew")

        assert kept == (generation, True)


# The watch list


def test_choosing_a_row_offers_to_remove_it_also_after_garbage_was_collected(look: QApplication) -> None:
    watch_list = WatchList()
    watch_list.model.put([("ES", "1", "", "live"), ("NQ", "2", "", "live")])
    gc.collect()
    watch_list.view.selectRow(1)
    chosen = watch_list.remove_button.isEnabled()
    watch_list.model.put([("ES", "1", "", "live")])

    assert chosen
    assert not watch_list.remove_button.isEnabled()


def test_what_is_typed_into_the_watch_list_becomes_symbols(look: QApplication) -> None:
    watch_list = WatchList()
    added: list[str] = []
    watch_list.added.connect(added.append)
    for text in ("nqh24", "NQH24  E-mini Nasdaq", "@es, gc ,", "  "):
        watch_list.field.setText(text)
        watch_list.field.returnPressed.emit()

    assert added == ["NQH24", "NQH24", "@ES", "GC"]


# What the charts show


def series_of(made: list[LiveBar]) -> BarSeries:
    columns = np.array([one.figures for one in made]).T
    o, h, l, c, v = (np.ascontiguousarray(column) for column in columns)  # noqa: E741 - a bar's letters
    times = np.array([one.open_ns for one in made], np.int64)
    return BarSeries(
        symbol="ES", time_ns=times, open=o, high=h, low=l, close=c, volume=v, bar_ns=MINUTE_NS, source="", digest=""
    )


@pytest.fixture
def live_chart(look: QApplication, clock: FrameClock) -> LiveChart:
    """A chart of five-minute bars over minutes, the last of which is under way."""
    book = SymbolBook("ES", None)
    choices = Choices(timeframe="5m", indicators=[{"name": "ema", "parameters": {"period": 4}}])
    return LiveChart(book, PriceFormat.for_tick(0.25), clock, choices, MINUTE_NS)


def shown(chart: LiveChart) -> list[tuple[float, ...]]:
    assert chart.chart is not None
    store = chart.chart.view.store
    columns = (store.time_ns, store.open, store.high, store.low, store.close, store.volume)
    return [tuple(float(value) for value in row) for row in zip(*columns, strict=True)]


def expected(made: list[LiveBar]) -> list[tuple[float, ...]]:
    coarse = resample(series_of(made), "5m")
    columns = (coarse.time_ns, coarse.open, coarse.high, coarse.low, coarse.close, coarse.volume)
    return [tuple(float(value) for value in row) for row in zip(*columns, strict=True)]


def test_a_longer_timeframe_shows_the_same_bars_joined_the_one_under_way_included(live_chart: LiveChart) -> None:
    """S3.6: whatever has come so far, it is what the resampler makes of it."""
    every, book = bars(64), live_chart.book
    book.take(HistoryLoaded("ES", tuple(every[:50]), None), 0)
    live_chart.refresh_from(0, None, None)
    for number, bar in enumerate(every[50:], 50):
        half = LiveBar(bar.open_ns, bar.close_ns, bar.open, bar.high, bar.open, bar.high, 1.0)
        for event in (
            BarUpdated("ES", half),
            BarUpdated("ES", bar),
            BarClosed("ES", bar, CloseReason.STATUS, False, True, 0),
        ):
            book.take(event, 0)
            live_chart.refresh_from(0, None, None)
            assert live_chart.chart is not None
            live_chart.chart.view.update()

            assert shown(live_chart) == expected([*every[:number], event.bar])
    live_chart.end()


def test_indicators_of_a_longer_timeframe_are_those_of_its_own_bars(live_chart: LiveChart) -> None:
    """S3.6, S10.2: bit by bit, and a bar that is under way has none yet."""
    every, book = bars(64), live_chart.book
    book.take(HistoryLoaded("ES", tuple(every[:50]), None), 0)
    live_chart.refresh_from(0, None, None)
    for bar in every[50:]:
        book.take(BarClosed("ES", bar, CloseReason.STATUS, False, True, 0), 0)
        live_chart.refresh_from(0, None, None)
    chart = live_chart.chart
    assert chart is not None
    line = next(layer.line for layer in chart.price.layers if isinstance(layer, LineLayer))
    coarse = resample(series_of(every), "5m")
    whole = len(coarse.time_ns) - 1
    given = IndicatorBars(
        **{name: getattr(coarse, name)[:whole] for name in ("open", "high", "low", "close", "volume", "time_ns")},
        session=None,
    )
    sampled, known = line.in_view(chart.view, chart.model.cursor)

    assert known == whole
    assert np.array_equal(sampled.values[:whole], compute("ema", given, period=4), equal_nan=True)
    live_chart.end()


def test_the_countdown_is_that_of_the_bar_that_is_shown(live_chart: LiveChart) -> None:
    every, book = bars(50), live_chart.book
    book.take(StatusChanged("ES", FeedStatus("ES", FeedState.LIVE)), 0)
    book.take(HistoryLoaded("ES", tuple(every[:49]), None), 0)
    book.take(BarUpdated("ES", every[49]), 0)
    live_chart.refresh_from(every[49].open_ns + 20 * NS, None, None)

    # The bar opens at minute 52: five-minute bars end at 55.
    assert live_chart.left.text() == "2:40"
    live_chart.choices.timeframe = None
    live_chart.dress()
    live_chart.refresh_from(every[49].open_ns + 20 * NS, None, None)
    assert live_chart.left.text() == "0:40"
    book.take(StatusChanged("ES", FeedStatus("ES", FeedState.RECONNECTING)), 0)
    live_chart.refresh_from(every[49].open_ns + 20 * NS, None, None)
    assert live_chart.left.text() == ""
    live_chart.end()


# What is remembered


def test_look_charts_and_watch_list_are_found_again(look: QApplication, tmp_path: Path) -> None:
    file = tmp_path / "live.json"
    try:
        with Emulator(scenario()) as emulator:
            with opened(emulator, tmp_path / "paper", workspace=Workspace.load(file)) as made:
                begun(made, look)
                made.hands.add("NQH24")
                until(look, lambda: "NQH24" in made.books, "the second symbol")
                made.looks.set_theme("light")
                made.looks.set_timeframe("5m")
                made.looks.set_indicators([{"name": "rsi", "parameters": {"period": 7}}])
                made.looks.toggle("volume", False)
                made.looks.set_charts(1)
                made.docks["Log"].hide()
                assert made.charts.order[0] == "ESH24"
                made.choose("NQH24")
            with opened(emulator, tmp_path / "paper", workspace=Workspace.load(file)) as again:
                until(look, lambda: len(again.books) == 2, "both symbols")
                until(look, lambda: again.charts.charts["NQH24"].chart is not None, "the chart")
                chart = chart_of(again, "NQH24")

                assert (again.look, chart.look) == (LIGHT, LIGHT)
                assert again.charts.order == ["NQH24", "ESH24"]
                assert not again.charts.charts["ESH24"].isVisible()
                assert not again.docks["Log"].isVisible()
                assert chart.view.timeframe is not None
                assert chart.view.timeframe.name == "5m"
                assert [pane.name for pane in chart.panes] == ["price", "RSI 7"]
                assert again.chart_bar.frames["5m"].isChecked()
                assert not again.chart_bar.toggles["volume"].isChecked()
    finally:
        apply_theme(look, DARK)


def test_layouts_go_by_name_and_a_damaged_one_is_said_and_forgotten(look: QApplication, tmp_path: Path) -> None:
    workspace = Workspace()
    with Emulator(scenario()) as emulator, opened(emulator, tmp_path, workspace=workspace) as made:
        made.docks["Log"].hide()
        workspace.layouts["mine"] = made.looks.layout_text()
        made.looks.use_layout("As at first", None)
        assert made.docks["Log"].isVisible()
        made.looks.use_layout("mine", workspace.layouts["mine"])
        assert not made.docks["Log"].isVisible()
        workspace.layouts["bad"] = "bm90IGEgbGF5b3V0"
        made.looks.use_layout("bad", workspace.layouts["bad"])

        assert list(workspace.layouts) == ["mine"]
        assert "damaged" in made.statusBar().currentMessage()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "kept",
    [
        {"timeframe": "7m", "indicators": [{"name": "nonsense"}], "shown": [], "charts": 99},
        {"timeframe": 5, "indicators": "ema", "shown": {"volume": 1, "else": True}, "charts": "2"},
        {"timeframe": "1m"},
    ],
)
def test_choices_that_make_no_sense_are_as_at_first(kept: dict[str, object]) -> None:
    made = Choices.recalled(kept, MINUTE_NS)

    assert (made.timeframe, made.charts, set(made.shown)) == (None, 2, {"volume", "sessions", "trades", "log"})
    assert all(one["name"] == "ema" for one in made.indicators)


def test_the_help_sheet_has_every_action_and_no_key_twice(look: QApplication, tmp_path: Path) -> None:
    with Emulator(scenario()) as emulator, opened(emulator, tmp_path) as made:
        keys = [action.shortcut().toString() for action in made.actions_by_key.values()]
        made.actions_by_key["shortcuts"].trigger()

        assert len(set(keys)) == len(keys)
        assert made.dialogs[-1].isVisible()


def test_an_exception_in_a_slot_is_told_and_the_window_lives_on(look: QApplication, tmp_path: Path) -> None:
    with Emulator(scenario()) as emulator, opened(emulator, tmp_path) as made:
        made.tell_exception("ValueError: wrong", "Traceback ...")

        assert made.dialogs[-1].windowTitle() == "Something went wrong"
        begun(made, look)


# Tables


def test_rows_change_in_place_and_tell_which(look: QApplication) -> None:
    model = RowsModel(("Symbol", "Last"), ("Symbol",), lambda heading, row: "up" if heading == "Last" else "")
    model.put([("A", "1"), ("B", "2"), ("C", "3")])
    told: list[tuple[int, int]] = []
    model.dataChanged.connect(lambda first, last, _roles: told.append((first.row(), last.row())))

    model.put([("A", "1"), ("B", "9"), ("C", "3")])
    model.put([("A", "1"), ("B", "9"), ("C", "3")])

    assert told == [(1, 1)]
    assert model.data(model.index(1, 1)) == "9"
    assert model.data(model.index(1, 1), Qt.ItemDataRole.ForegroundRole).name() == DARK.up


def test_the_days_change_counts_from_the_last_close_of_the_day_before() -> None:
    """S7.4: a UTC day without a calendar."""
    day = 1440 * MINUTE_NS
    made = [
        LiveBar(at, at + MINUTE_NS, close, close, close, close, 1.0)
        for at, close in ((day - 2 * MINUTE_NS, 10.0), (day - MINUTE_NS, 11.0), (day, 13.0))
    ]
    book = SymbolBook("ES", None)
    book.take(HistoryLoaded("ES", tuple(made[:2]), None), 0)
    early = book.before
    book.take(BarUpdated("ES", made[2]), 0)

    assert (early, book.before, book.last) == (None, 11.0, 13.0)


def test_a_change_by_hand_that_changed_nothing_is_not_told_as_done(tmp_path: Path) -> None:
    """What it was given for may be gone when the bar closes: the stop filled in the bar, or the order did (S17.3)."""
    one = account(tmp_path)
    play(one, market(history=20, live=0)[1])
    assert one.run is not None
    run = one.run

    def told(action: Action) -> tuple[str, str] | None:
        before = Before.of(run)
        one.by_hand(action)
        return outcome(run, before)

    order = {"type": "limit", "symbol": "ESH24", "side": "buy", "qty": 1, "limit": 4_000.0}
    assert told(order) == ("Working: BUY 1 ESH24 limit.", "")
    number = run.engine.tables.count("orders")
    assert told({"type": "modify_order", "id": number, "limit": 4_001.0}) == ("Done.", "")
    assert told({"type": "cancel", "id": number}) == ("Done.", "")
    gone = "Nothing has changed: it is gone meanwhile, or was so already."
    assert told({"type": "cancel", "id": number}) == (gone, "amber")
    assert told({"type": "modify_stop", "symbol": "ESH24", "sl": 4_000.0}) == (gone, "amber"), "there is no position"
    refused = told({"type": "modify_order", "id": number, "limit": 4_002.0})
    assert refused is not None
    assert refused[0].startswith("Refused: ")
    assert refused[0].endswith(f"order {number} does not work any more: it is cancelled")
