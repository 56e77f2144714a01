"""A window with charts over a seeded random walk, for eyes: ``python -m tests.app.show_grid --theme light``."""

import argparse
import signal
import sys
from zoneinfo import ZoneInfo

import numpy as np
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication

from app.charts.clock import FrameClock
from app.charts.cursor import Cursor, CursorModel
from app.charts.equity import MONEY, EquityChart
from app.charts.grid import ChartGrid
from app.charts.levels import Level, LevelKind, MoveLevel, position_levels
from app.charts.line_pyramid import LinePyramid
from app.charts.lines import Line, RuleLayer, drawdown
from app.charts.prices import PriceFormat
from app.charts.sessions import Hours
from app.charts.ticks import LocalTime
from app.charts.timeframe import BarView, Timeframe
from app.charts.widget import ChartWidget, LevelSource, PathSource
from app.theme import THEMES, Theme, apply_theme
from engine.kernel.schema import Phase
from tests.app.markets import MINUTE, marks_on, walk

NEW_YORK = ZoneInfo("America/New_York")


def hours_of(time_ns: np.ndarray) -> Hours:
    """Trading days from 18:00 and regular hours 09:30 to 16:00, New York in winter."""
    local = time_ns // 1_000_000_000 - 5 * 3600
    second = local % 86400
    return Hours((local + 6 * 3600) // 86400, (second >= 34200) & (second < 57600))


def average(values: np.ndarray, span: int) -> LinePyramid:
    """A simple moving average."""
    sums = np.cumsum(np.concatenate(([0.0], values)))
    return LinePyramid(np.concatenate((np.full(span - 1, np.nan), (sums[span:] - sums[:-span]) / span)))


def chart(
    symbol: str, model: CursorModel, theme: Theme, bars: int, seed: int, timeframe: Timeframe | None
) -> ChartWidget:
    """One chart with everything on it."""
    store = walk(bars, seed, gaps=0.01 * (seed > 1), start=4400.0 if seed == 1 else 16200.0)
    view = BarView(store, timeframe, MINUTE)
    name = "1m" if timeframe is None else timeframe.name
    widget = ChartWidget(
        symbol,
        view,
        model,
        PriceFormat.for_tick(0.25),
        title=f"{symbol} \N{MIDDLE DOT} {name} \N{MIDDLE DOT} CME",
        theme=theme,
        clock=LocalTime(NEW_YORK, "New York"),
    )
    widget.set_hours(hours_of(store.time_ns))
    widget.add_line(Line("SMA 21", average(store.close, 21)))
    widget.add_line(Line("SMA 100", average(store.close, 100)))
    widget.set_trades(marks_on(store, seed))
    if seed == 1:
        momentum = LinePyramid(np.concatenate((np.full(14, np.nan), store.close[14:] - store.close[:-14])))
        widget.add_line_pane("momentum", [Line("Momentum 14", momentum)], PriceFormat(0.25, 2), [RuleLayer((0.0,))])
    return widget


def position(store_close: np.ndarray) -> LevelSource:
    """A short that was opened 40 bars ago, with stop and target."""

    def levels(cursor: Cursor) -> tuple[Level, ...]:
        if cursor.bar < 40:
            return ()
        entry = float(store_close[cursor.bar - cursor.bar % 100])
        lines = position_levels(
            side=-1,
            quantity=2,
            average=entry,
            point_value=50.0,
            stop=entry + 12.5,
            target=entry - 25.0,
            initial_risk=1250.0,
        )
        order = Level(key="7", kind=LevelKind.ORDER, price=entry - 24.0, text="BUY 1 LIMIT", draggable=True)
        return (*lines, order)

    return levels


def path(widget: ChartWidget) -> PathSource:
    """The path of the cursor's bar: O, then L, then H, then C."""

    def prices(cursor: Cursor) -> tuple[float, ...]:
        bar = widget.view.master.bar(cursor.bar)
        if cursor.phase != Phase.INTRABAR or bar.synthetic or widget.view.timeframe is not None:
            return ()
        return (bar.open, bar.low, bar.high, bar.close)

    return prices


def build(
    clock: FrameClock, theme: Theme, bars: int, timeframe: Timeframe | None = None
) -> tuple[ChartGrid, CursorModel]:
    """The grid: two symbols, linked."""
    model = CursorModel(bars)
    charts = [chart("ESZ5", model, theme, bars, 1, timeframe), chart("NQZ5", model, theme, bars, 2, timeframe)]
    for widget in charts:
        widget.set_sources(position(widget.view.master.close), path(widget))
        widget.bar_chosen.connect(lambda bar: (model.go(bar), clock.request()))
    charts[0].intent.connect(lambda wish: print(_told(wish), flush=True))
    fall = np.random.default_rng(9).normal(0.4, 60.0, bars).cumsum() + 100_000
    equity = Line("Equity", LinePyramid(fall), form=MONEY)
    parent = Line("Parent", LinePyramid(fall + np.random.default_rng(8).normal(0, 30, bars).cumsum()), colour="muted")
    below = Line("Drawdown", LinePyramid(drawdown(fall, 100_000.0)))
    account = EquityChart(charts[0].view, model, equity, below, others=[parent], theme=theme, clock=charts[0].clock)
    return ChartGrid([*charts, account], clock), model


def _told(wish: MoveLevel) -> str:
    return f"{wish.symbol} {wish.kind.value} {wish.old_price} -> {wish.price} at bar {wish.cursor.bar}"


def main() -> None:
    """Open the window."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--theme", default="dark", choices=THEMES)
    parser.add_argument("--bars", type=int, default=20_000)
    parser.add_argument("--at", type=int, default=10_041)
    parser.add_argument("--phase", type=int, default=2)
    parser.add_argument("--span", type=float, default=160)
    parser.add_argument("--timeframe", type=int, default=0, help="minutes")
    parser.add_argument("--volume", default="overlay")
    parser.add_argument("--play", type=int, default=0, help="bars a frame")
    parser.add_argument("--size", default="1280x800")
    given = parser.parse_args()
    application = QApplication(sys.argv[:1])
    apply_theme(application, THEMES[given.theme])
    clock = FrameClock()
    timeframe = Timeframe(f"{given.timeframe}m", given.timeframe * MINUTE) if given.timeframe else None
    grid, model = build(clock, THEMES[given.theme], given.bars, timeframe)
    model.go(given.at, Phase(given.phase))
    grid.charts[0].viewport_model.span = given.span
    grid.charts[0].show_volume(given.volume)
    if given.play:
        clock.add_producer(lambda: model.step_bars(given.play))
    grid.layout().setRowStretch(0, 2)
    grid.layout().setRowStretch(1, 1)
    grid.layout().setRowStretch(2, 1)
    grid.resize(*(int(side) for side in given.size.split("x")))
    grid.setWindowTitle("Charts")
    grid.show()
    # Python's signal handlers run only while Python does.
    signal.signal(signal.SIGINT, lambda *_: application.quit())
    pulse = QTimer()
    pulse.timeout.connect(lambda: None)
    pulse.start(200)
    application.exec()
    clock.stop()


if __name__ == "__main__":
    main()
