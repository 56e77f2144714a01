"""The chart as a widget: it paints once a frame, follows the cursor, and tells what the mouse wants."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QMouseEvent, QWheelEvent
from PyQt6.QtWidgets import QApplication, QSplitter
from pytestqt.qtbot import QtBot

from app.charts.bars import BarStore
from app.charts.clock import FrameClock
from app.charts.cursor import Cursor, CursorModel
from app.charts.equity import EquityChart
from app.charts.levels import Level, LevelKind, MoveLevel, position_levels
from app.charts.line_pyramid import LinePyramid
from app.charts.lines import Line, drawdown
from app.charts.prices import PriceFormat
from app.charts.sessions import Hours
from app.charts.ticks import LocalTime
from app.charts.timeframe import BarView, Timeframe
from app.charts.widget import ChartWidget
from app.theme import DARK, LIGHT
from engine.kernel.schema import Phase
from tests.app.markets import MINUTE, cut, marks_on, walk
from tests.app.painting import coloured, pixels

COUNT = 2000
TICK = PriceFormat.for_tick(0.25)


def bare_chart(store: BarStore, cursor: Cursor, timeframe: Timeframe | None = None) -> ChartWidget:
    """A chart with everything on it."""
    model = CursorModel(len(store))
    model.go(cursor.bar, cursor.phase)
    chart = ChartWidget("ESZ5", BarView(store, timeframe, MINUTE), model, TICK, clock=LocalTime(ZoneInfo("UTC"), "UTC"))
    count = len(store)
    chart.set_hours(Hours(np.arange(count, dtype=np.int64) // 300, np.arange(count) % 300 < 200))
    chart.add_line(Line("EMA 20", LinePyramid(store.close + 2.0)))
    chart.add_line_pane("RSI", [Line("RSI 14", LinePyramid(store.close - store.low))], PriceFormat(0.01, 2))
    chart.set_sources(levels)
    return chart


def make_chart(qtbot: QtBot, store: BarStore, cursor: Cursor, timeframe: Timeframe | None = None) -> ChartWidget:
    """The same, shown."""
    chart = bare_chart(store, cursor, timeframe)
    qtbot.addWidget(chart)
    chart.resize(900, 600)
    chart.show()
    qtbot.waitExposed(chart)
    return chart


def levels(cursor: Cursor) -> tuple[Level, ...]:
    del cursor
    return position_levels(
        side=1, quantity=2, average=4400.0, point_value=50.0, stop=4390.0, target=4420.0, initial_risk=1000.0
    )


def mouse(chart: ChartWidget, kind: QEvent.Type, x: float, y: float, pressed: bool = True) -> None:
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    moving = kind == QEvent.Type.MouseMove
    event = QMouseEvent(
        kind,
        QPointF(x, y),
        chart.viewport().mapToGlobal(QPointF(x, y)),
        none if moving else left,
        left if pressed else none,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(chart.viewport(), event)


def drag(chart: ChartWidget, start: tuple[float, float], end: tuple[float, float], let_go: bool = True) -> None:
    mouse(chart, QEvent.Type.MouseMove, *start, pressed=False)
    mouse(chart, QEvent.Type.MouseButtonPress, *start)
    for share in (0.3, 0.7, 1.0):
        x, y = (a + (b - a) * share for a, b in zip(start, end, strict=True))
        mouse(chart, QEvent.Type.MouseMove, x, y)
    if let_go:
        mouse(chart, QEvent.Type.MouseButtonRelease, *end, pressed=False)


def height_of(chart: ChartWidget, price: float) -> float:
    item = chart.pane_at(100)
    assert item is not None
    return item.pos().y() + chart.frame_of(item).row(price) / chart.devicePixelRatioF()


@pytest.fixture
def chart(qtbot: QtBot, look: QApplication) -> Iterator[ChartWidget]:
    made = make_chart(qtbot, walk(COUNT, gaps=0.05), Cursor(60, Phase.CLOSE))
    yield made
    made.hide()


@pytest.mark.usefixtures("look")
@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("timeframe", [None, Timeframe("5m", 5 * MINUTE)], ids=["1m", "5m"])
def test_a_whole_chart_looks_as_if_the_run_had_ended_at_the_cursor(
    qtbot: QtBot, phase: Phase, timeframe: Timeframe | None
) -> None:
    """Axes, heading, tags and time labels included."""
    store = walk(COUNT, gaps=0.05)
    bar = 1007
    cursor = Cursor(bar, phase)

    whole = make_chart(qtbot, store, cursor, timeframe)
    ended = make_chart(qtbot, cut(store, bar + 1), cursor, timeframe)
    whole.set_trades(marks_on(store))
    ended.set_trades(marks_on(store))

    np.testing.assert_array_equal(pixels(whole.grab().toImage()), pixels(ended.grab().toImage()))


def test_going_back_shows_what_was_shown_before(chart: ChartWidget) -> None:
    before = pixels(chart.grab().toImage())

    chart.model.go(1500, Phase.OPEN)
    later = pixels(chart.grab().toImage())
    chart.model.go(60, Phase.CLOSE)

    assert (later != before).any()
    np.testing.assert_array_equal(pixels(chart.grab().toImage()), before)


def test_however_much_changes_a_frame_paints_once(chart: ChartWidget, clock: FrameClock, qtbot: QtBot) -> None:
    clock.add_view(chart)
    chart.changed.connect(clock.request)
    qtbot.wait(50)
    before = chart.paints

    for bar in range(100, 200):
        chart.model.go(bar)
        chart.crosshair.move(bar, (chart, "price"), 100, 100)
        chart.set_auto()
    clock.tick()
    QApplication.processEvents()

    assert chart.paints == before + 1


def test_a_frame_without_a_change_paints_nothing(chart: ChartWidget, clock: FrameClock, qtbot: QtBot) -> None:
    clock.add_view(chart)
    clock.tick()
    qtbot.wait(20)
    before = chart.paints

    clock.tick()
    QApplication.processEvents()

    assert chart.paints == before


def test_the_clock_sleeps_while_nothing_changes(clock: FrameClock, qtbot: QtBot) -> None:
    clock.request()
    assert clock.running
    qtbot.waitUntil(lambda: not clock.running, timeout=2000)


def test_a_producer_keeps_the_clock_running_until_it_is_removed(clock: FrameClock, qtbot: QtBot) -> None:
    calls: list[int] = []

    def producer() -> None:
        calls.append(len(calls))

    clock.add_producer(producer)
    qtbot.waitUntil(lambda: len(calls) >= 3, timeout=2000)
    assert clock.running

    clock.remove_producer(producer)
    told = len(calls)
    qtbot.waitUntil(lambda: not clock.running, timeout=2000)

    assert len(calls) == told


def test_at_the_start_the_bars_do_not_fill_one_pixel_column(qtbot: QtBot, look: QApplication) -> None:
    chart = make_chart(qtbot, walk(COUNT), Cursor(0, Phase.CLOSE))

    window = chart.picture().window

    assert 3 <= window.step / window.ratio <= 40


def test_the_last_bar_is_near_the_right_edge(chart: ChartWidget) -> None:
    chart.model.go(1500)
    chart.grab()
    window = chart.picture().window

    assert window.centre(1500) > 0.9 * window.width
    assert window.centre(1500) < window.width


def test_a_dragged_stop_snaps_to_the_tick_and_asks_on_release_only(chart: ChartWidget, qtbot: QtBot) -> None:
    asked: list[MoveLevel] = []
    chart.intent.connect(asked.append)
    start = height_of(chart, 4390.0)
    goal = height_of(chart, 4393.1)

    drag(chart, (300, start), (320, goal), let_go=False)
    assert asked == []
    mouse(chart, QEvent.Type.MouseButtonRelease, 320, goal, pressed=False)

    assert len(asked) == 1
    wish = asked[0]
    assert (wish.symbol, wish.key, wish.kind, wish.old_price) == ("ESZ5", "stop", LevelKind.STOP, 4390.0)
    assert wish.cursor == Cursor(60, Phase.CLOSE)
    assert wish.price % 0.25 == 0
    assert abs(wish.price - 4393.1) < 1.0
    assert chart.levels.drag is None
    assert chart.levels.levels[1].price == 4390.0


def test_while_a_stop_is_dragged_its_label_tells_money_and_r_there(chart: ChartWidget) -> None:
    drag(chart, (300, height_of(chart, 4390.0)), (300, height_of(chart, 4395.0)), let_go=False)

    held = chart.levels.drag
    assert held is not None
    money = (held.price - 4400.0) * 100.0
    assert held.level.label(held.price) == f"SL  \N{MINUS SIGN}{-money:,.0f} USD  \N{MINUS SIGN}{-money / 1000:.1f} R"


def test_escape_gives_up_a_drag(chart: ChartWidget, qtbot: QtBot) -> None:
    asked: list[MoveLevel] = []
    chart.intent.connect(asked.append)
    drag(chart, (300, height_of(chart, 4390.0)), (300, height_of(chart, 4395.0)), let_go=False)

    qtbot.keyClick(chart, Qt.Key.Key_Escape)
    mouse(chart, QEvent.Type.MouseButtonRelease, 300, 100, pressed=False)

    assert asked == []
    assert chart.levels.drag is None


def test_a_price_for_which_a_logarithmic_scale_has_no_place_is_told_at_the_foot(chart: ChartWidget) -> None:
    """An order by hand may rest at any price; what cannot be placed takes no other label with it."""
    lines = [
        Level(key=str(price), kind=LevelKind.ORDER, price=price, text=f"BUY 1 AT {price:g}")
        for price in (-5.0, 0.0, 4400.0)
    ]
    chart.set_sources(lambda cursor: lines)
    linear = pixels(chart.grab().toImage())

    chart.set_log(True)

    assert (pixels(chart.grab().toImage()) != linear).any()  # what goes wrong while it is painted fails the test


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_values_out_of_all_bounds_leave_the_rest_of_a_pane_where_it_is(chart: ChartWidget, share: float) -> None:
    """The exponential of a price is infinite: where there is nothing else, the pane is empty."""
    values = np.where(np.arange(COUNT) % 10 < 10 * share, np.inf, np.arange(COUNT) / 10.0)
    chart.add_line_pane("EXP", [Line("EXP", LinePyramid(values))], PriceFormat(0.0025, 3))
    chart.grab()

    scale = chart.pane("EXP").scale(chart.picture().window)
    assert scale.empty == (share == 1.0)
    assert np.isfinite([scale.low, scale.high]).all()


def test_the_entry_line_cannot_be_dragged(chart: ChartWidget) -> None:
    asked: list[MoveLevel] = []
    chart.intent.connect(asked.append)

    drag(chart, (300, height_of(chart, 4400.0)), (300, height_of(chart, 4405.0)))

    assert asked == []


def test_panning_back_ends_following_and_panning_on_takes_it_up_again(chart: ChartWidget) -> None:
    chart.model.go(1000)
    chart.grab()
    y = height_of(chart, chart.frame_of(chart.pane_at(100)).scale.value(0.9))  # type: ignore[arg-type]

    drag(chart, (300, y), (500, y))
    assert not chart.viewport_model.follow
    chart.grab()
    drag(chart, (700, y), (200, y))

    assert chart.viewport_model.follow


def test_a_chart_that_does_not_follow_stays_where_it_is(chart: ChartWidget) -> None:
    chart.model.go(1000)
    chart.viewport_model.centre(500)
    chart.grab()
    first = chart.picture().window.start

    chart.model.go(1400)
    chart.grab()

    assert chart.picture().window.start == first


def test_the_wheel_zooms_about_the_mouse(chart: ChartWidget) -> None:
    chart.model.go(1500)
    chart.viewport_model.centre(1000)
    chart.grab()
    before = chart.picture().window.index_at(200)
    span = chart.viewport_model.span

    event = QWheelEvent(
        QPointF(200, 200),
        chart.mapToGlobal(QPointF(200, 200)),
        QPoint(),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(chart.viewport(), event)
    chart.grab()

    assert chart.viewport_model.span < span
    assert abs(chart.picture().window.index_at(200) - before) <= 1


def test_a_quick_drag_on_the_time_axis_stretches_as_much_as_a_slow_one(chart: ChartWidget) -> None:
    """The mouse may move by more than a screen's third between two frames."""
    chart.model.go(1500)
    chart.grab()
    spans = []
    for places in ((500, 250), (500, 450, 400, 350, 300, 250)):
        chart.viewport_model.span = 160.0
        mouse(chart, QEvent.Type.MouseButtonPress, 500, chart.height() - 5)
        for x in places[1:]:
            mouse(chart, QEvent.Type.MouseMove, x, chart.height() - 5)
        mouse(chart, QEvent.Type.MouseButtonRelease, 250, chart.height() - 5, pressed=False)
        spans.append(chart.viewport_model.span)
    assert spans[0] == pytest.approx(spans[1])
    assert spans[0] > 160.0


def test_a_double_click_chooses_the_bar_and_none_beyond_the_cursor(chart: ChartWidget) -> None:
    chosen: list[int] = []
    chart.bar_chosen.connect(chosen.append)
    chart.model.go(1500)
    chart.grab()
    window = chart.picture().window
    y = height_of(chart, chart.frame_of(chart.pane_at(100)).scale.value(0.95))  # type: ignore[arg-type]

    mouse(chart, QEvent.Type.MouseButtonDblClick, window.centre(1480), y)
    mouse(chart, QEvent.Type.MouseButtonDblClick, window.centre(1503), y)

    assert chosen == [1480]


def test_an_axis_dragged_scales_the_pane_by_hand_and_a_double_click_gives_it_back(chart: ChartWidget) -> None:
    x = chart.width() - 20

    drag(chart, (x, 200), (x, 260))
    assert chart.price.manual is not None
    mouse(chart, QEvent.Type.MouseButtonDblClick, x, 200)

    assert chart.price.manual is None


def test_the_edge_between_two_panes_can_be_moved(chart: ChartWidget) -> None:
    items = [chart.pane_at(10), chart.pane_at(550)]
    assert items[0] is not None and items[1] is not None  # noqa: PT018
    edge = items[1].pos().y()

    drag(chart, (300, edge), (300, edge - 80))

    assert abs(items[1].pos().y() - (edge - 80)) <= 1


def test_nothing_is_drawn_over_the_heading(chart: ChartWidget) -> None:
    """Nor in a small pane, where candles reach up to it."""
    chart.resize(500, 150)
    chart.model.go(1500)
    picture = pixels(chart.grab().toImage())

    item = chart.pane_at(10)
    assert item is not None
    top = chart.frame_of(item).top
    plot = picture[top:, : chart.width() - chart.axis_width]
    heading = picture[:top, : chart.width() - chart.axis_width]
    wicks = [DARK.wick_up, DARK.wick_down]
    assert top >= 20
    assert any(coloured(plot, ink).any() for ink in wicks)
    assert not any(coloured(heading, ink).any() for ink in wicks)


def test_charts_above_each_other_share_time_and_crosshair(qtbot: QtBot, clock: FrameClock) -> None:
    first = bare_chart(walk(COUNT, 1), Cursor(1000))
    second = bare_chart(walk(COUNT, 2, start=16_000.0), Cursor(1000))
    second.model, second.viewport_model, second.crosshair = first.model, first.viewport_model, first.crosshair
    above = QSplitter(Qt.Orientation.Vertical)
    for chart in (first, second):
        chart.set_axis_chars(max(first.axis_chars, second.axis_chars))
        clock.add_view(chart)
        above.addWidget(chart)
    qtbot.addWidget(above)
    above.resize(800, 700)
    above.show()
    qtbot.waitExposed(above)

    first.viewport_model.centre(500)
    mouse(first, QEvent.Type.MouseMove, 300, 100, pressed=False)
    clock.tick()
    QApplication.processEvents()

    assert first.axis_width == second.axis_width
    assert first.picture().window.start == second.picture().window.start
    assert second.picture().hover_bar == first.picture().hover_bar == first.crosshair.bar
    assert second.picture().hover is None
    for chart in (first, second):
        clock.remove_view(chart)
    above.hide()


def test_another_timeframe_keeps_the_number_of_bars_in_view(qtbot: QtBot, chart: ChartWidget) -> None:
    chart.model.go(1500)
    chart.grab()
    before = chart.picture().window.step

    kept = chart.viewport_model
    chart = make_chart(qtbot, chart.view.master, chart.model.cursor, Timeframe("5m", 5 * MINUTE))
    chart.viewport_model = kept
    kept.set_unit(chart.view.ratio)
    chart.grab()

    assert chart.picture().window.step == pytest.approx(before, rel=0.05)


def test_another_theme_changes_the_ground(chart: ChartWidget) -> None:
    chart.set_theme(LIGHT)

    picture = pixels(chart.grab().toImage())

    assert coloured(picture, LIGHT.chart).mean() > 0.4
    assert not coloured(picture, DARK.chart).any()


def test_the_legend_follows_the_crosshair_and_tells_no_bar_beyond_the_cursor(chart: ChartWidget) -> None:
    chart.model.go(1500)
    chart.crosshair.move(1400, (chart, "price"), 100, 100)
    chart.grab()
    assert chart.picture().hover_bar == 1400

    chart.crosshair.move(1600, (chart, "price"), 100, 100)
    chart.grab()

    assert chart.picture().hover_bar is None


def test_volume_moves_between_overlay_pane_and_off(chart: ChartWidget) -> None:
    chart.show_volume("pane")
    assert [pane.name for pane in chart.panes] == ["price", "RSI", "volume"]
    chart.show_volume("off")
    assert [pane.name for pane in chart.panes] == ["price", "RSI"]
    assert not coloured(pixels(chart.grab().toImage()), DARK.volume_up).any()
    chart.show_volume("overlay")
    assert coloured(pixels(chart.grab().toImage()), DARK.volume_up).any()


def test_a_pane_can_be_taken_away_again(chart: ChartWidget) -> None:
    chart.remove_pane("RSI")

    assert [pane.name for pane in chart.panes] == ["price"]


@pytest.mark.usefixtures("look")
@pytest.mark.parametrize("bar", [0, 1, 57, 1500])
def test_the_equity_chart_shows_the_run_so_far_and_nothing_later(qtbot: QtBot, bar: int) -> None:
    store = walk(COUNT)
    equity = 100_000 + np.cumsum(np.random.default_rng(5).normal(0, 50, COUNT))

    def shot(count: int) -> np.ndarray:
        model = CursorModel(count)
        model.go(bar, Phase.CLOSE)
        fall = LinePyramid(drawdown(equity[:count], 100_000.0))
        chart = EquityChart(
            BarView(cut(store, count)), model, Line("Equity", LinePyramid(equity[:count])), Line("Drawdown", fall)
        )
        qtbot.addWidget(chart)
        chart.resize(500, 260)
        return pixels(chart.grab().toImage())

    now = shot(COUNT)

    np.testing.assert_array_equal(now, shot(bar + 1))
    assert bar < 2 or coloured(now, DARK.accent).any()
    assert bar < 2 or coloured(now, DARK.down).any()
