"""What a frame costs the window's thread, as a ratio to a fixed piece of Python in the same run.

The budget (candles 4 ms, whole chart 12 ms, whatever the number of bars; append 20 microseconds) is stated for a
machine on which the calibration takes 0.6 ms. CPU time of this thread is measured, never the wall clock.
"""

import pytest
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.charts.bars import BarStore
from app.charts.cursor import CursorModel
from app.charts.line_pyramid import LinePyramid
from app.charts.lines import Line
from app.charts.prices import PriceFormat
from app.charts.pyramid import BarPyramid
from app.charts.timeframe import BarView
from app.charts.widget import ChartWidget
from tests.app.markets import marks_on, walk
from tests.app.processor import budget, cpu_ms

FRAMES = 30
TICK = PriceFormat.for_tick(0.25)


def cost_of_a_frame(chart: ChartWidget, app: QApplication) -> float:
    def frame() -> None:
        chart.model.step_bars(1)
        chart.refresh()
        app.processEvents()

    frame()
    before = chart.paints
    cost = cpu_ms(frame, FRAMES)
    assert chart.paints - before == 3 * FRAMES
    return cost


def full(chart: ChartWidget, store: BarStore) -> None:
    """Everything that a chart can show at once."""
    chart.show_volume("overlay")
    for name, values in (("A", store.high), ("B", store.low), ("C", store.close)):
        chart.add_line(Line(name, LinePyramid(values)))
    chart.add_line_pane("D", [Line("D", LinePyramid(store.volume))], PriceFormat(1.0, 0))
    chart.set_trades(marks_on(store))


@pytest.mark.parametrize("count", [10_000, 1_000_000, pytest.param(10_000_000, marks=pytest.mark.slow)])
def test_a_frame_stays_within_its_budget_whatever_the_number_of_bars(
    count: int, qtbot: QtBot, look: QApplication
) -> None:
    store = walk(count)
    view = BarView(store)
    for span in (150.0, 1400.0, count * 0.9):
        model = CursorModel(count)
        model.go(count - 4 * FRAMES - 10)
        chart = ChartWidget("ES", view, model, TICK)
        qtbot.addWidget(chart)
        chart.resize(1600, 800)
        chart.viewport_model.span = span
        chart.show_volume("off")
        chart.show()
        qtbot.waitExposed(chart)

        assert cost_of_a_frame(chart, look) <= budget(4.0), f"candles, {span:g} bars in view"
        full(chart, store)
        model.go(count - 4 * FRAMES - 10)
        assert cost_of_a_frame(chart, look) <= budget(12.0), f"whole chart, {span:g} bars in view"
        chart.hide()


def test_taking_in_a_bar_costs_microseconds() -> None:
    store = walk(200_000)
    pyramid = BarPyramid(store)
    bar, time_ns = store.bar(7), int(store.time_ns[-1])

    def append() -> None:
        store.append(time_ns + 1, bar)
        pyramid.update()

    append()

    assert cpu_ms(append, 4000) <= budget(0.02)


def test_there_is_nothing_between_frames_that_grows_with_the_run(qtbot: QtBot, look: QApplication) -> None:
    """A frame at the end of a long run costs no more than one near its begin."""
    store = walk(400_000)
    model = CursorModel(len(store))
    model.go(1000)
    chart = ChartWidget("ES", BarView(store), model, TICK)
    qtbot.addWidget(chart)
    chart.resize(1200, 600)
    full(chart, store)
    chart.show()
    qtbot.waitExposed(chart)

    early = cost_of_a_frame(chart, look)
    model.go(399_000)
    late = cost_of_a_frame(chart, look)

    assert late <= 2.0 * early
    chart.hide()
