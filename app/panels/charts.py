"""The charts of a run: one per symbol, linked, with indicators, trades, price lines and the assumed path."""

from typing import Any

import numpy as np
from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QSplitter, QVBoxLayout

from app.charts.clock import FrameClock
from app.charts.crosshair import Crosshair
from app.charts.cursor import PHASES
from app.charts.line_pyramid import LinePyramid
from app.charts.lines import Line, RuleLayer
from app.charts.marks import TradeMarks
from app.charts.prices import PriceFormat
from app.charts.ticks import LocalTime
from app.charts.timeframe import BarView, Timeframe
from app.charts.viewport import Viewport
from app.charts.widget import ChartWidget
from app.panels.panel import Panel
from app.session import RunSession
from app.theme.tokens import Theme
from engine import indicators

MINUTES = {"1m": 1, "5m": 5, "15m": 15, "1h": 60, "4h": 240, "1D": 1440}
MINUTE_NS = 60_000_000_000
SHARES = (5, 3)  # height of the first chart, of every other
RULES = {"rsi": (30.0, 70.0), "adx": (25.0,), "stoch_k": (20.0, 80.0), "cci": (-100.0, 100.0), "willr": (-80.0, -20.0)}


class ChartsPanel(Panel):
    """Charts above each other.

    Attributes:
        clocks: the zone of each symbol's times.

    Signals:
        intent: a line was dragged (MoveLevel); bar_chosen: a master bar; menu_asked: (symbol, bar, price, position).
        symbol_chosen: a chart was clicked.
    """

    intent = pyqtSignal(object)
    bar_chosen = pyqtSignal(object)
    menu_asked = pyqtSignal(object)

    of_figures = False

    def __init__(self, clock: FrameClock) -> None:
        super().__init__()
        self._frames = clock
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._splitter: QSplitter | None = None
        self.charts: list[ChartWidget] = []
        self.timeframe: str | None = None
        self.chosen: list[dict[str, Any]] = []
        self.shown = {"volume": True, "sessions": True, "trades": True, "log": False, "path": True}
        self.symbols: list[int] | None = None
        self.clocks: list[LocalTime] = []
        self._marked: dict[int, tuple[object, int, int]] = {}
        self._views: dict[tuple[int, str | None], BarView] = {}

    def begin(self) -> None:
        self._drop()
        self._views.clear()
        self._marked.clear()
        self.timeframe = None  # another run's bars may be longer than what was chosen for the last
        if self.session is not None:
            self.symbols = list(range(min(len(self.session.facts.symbols), 2)))
            self._make(self.session)

    def show_symbols(self, columns: list[int]) -> None:
        """Show charts of these symbols, at the stretch of time that is in sight."""
        self.symbols = columns
        self.redress()

    def _drop(self) -> None:
        for chart in self.charts:
            self._frames.remove_view(chart)
        self.charts = []
        if self._splitter is not None:
            self._layout.removeWidget(self._splitter)
            self._splitter.hide()  # until it is gone, Qt would paint what Python may have taken apart already
            self._splitter.deleteLater()
            self._splitter = None

    def _make(self, session: RunSession) -> None:
        from PyQt6.QtCore import Qt

        self._splitter = QSplitter(Qt.Orientation.Vertical)
        self._splitter.setChildrenCollapsible(False)
        viewport, crosshair = Viewport(), Crosshair()
        if session.facts.bars < viewport.span:
            viewport.span = max(float(session.facts.bars), 40.0)
        for place, column in enumerate(self.symbols or []):
            chart = self._chart(session, column, viewport, crosshair)
            self.charts.append(chart)
            self._frames.add_view(chart)
            self._splitter.addWidget(chart)
            self._splitter.setStretchFactor(place, SHARES[0] if place == 0 else SHARES[1])
        widest = max((chart.axis_chars for chart in self.charts), default=9)
        for chart in self.charts:
            chart.set_axis_chars(widest)
        self._layout.addWidget(self._splitter)
        # In thousands: Qt scales them to the height there is, and keeps their proportion.
        self._splitter.setSizes([1000 * SHARES[min(place, 1)] for place in range(len(self.charts))])
        self._marked.clear()
        self._drawn = None  # new charts have their trades to be told, though the cursor has not moved
        self._frames.request()

    def _chart(self, session: RunSession, column: int, viewport: Viewport, crosshair: Crosshair) -> ChartWidget:
        facts = session.facts
        chart = ChartWidget(
            facts.symbols[column],
            self._view(session, column),
            session.model.cursor_model,
            facts.forms[column],
            title=self._title(session, column),
            theme=self.look,
            clock=self._zone(column),
            viewport=viewport,
            crosshair=crosshair,
        )
        chart.set_sources(
            lambda cursor: session.model.levels(column),
            lambda cursor: self._path(session, column),
        )
        chart.setMinimumHeight(120)
        chart.intent.connect(self.intent)
        chart.bar_chosen.connect(self.bar_chosen)
        chart.menu_asked.connect(lambda asked: self.menu_asked.emit((column, *asked)))
        chart.changed.connect(self._frames.request)
        self._dress(session, chart, column)
        return chart

    def _path(self, session: RunSession, column: int) -> tuple[float, ...]:
        """The assumed path, in the run's own bars alone."""
        if not self.shown["path"] or self.timeframe is not None:
            return ()
        return session.model.assumed_path(column)

    def _title(self, session: RunSession, column: int) -> str:
        name = self.timeframe or length_text(session.facts.market.series[column].bar_ns)
        exchange = session.facts.contracts[column].facts.exchange
        words = [session.facts.symbols[column], name, *([exchange] if exchange else [])]
        return " \N{MIDDLE DOT} ".join(words)

    def _view(self, session: RunSession, column: int) -> BarView:
        key = (column, self.timeframe)
        if key not in self._views:
            base = session.facts.view(column)
            if self.timeframe is None:
                self._views[key] = base
            else:
                self._views[key] = base.in_timeframe(self._frame(session, column), session.facts.master_ns)
        return self._views[key]

    def _frame(self, session: RunSession, column: int) -> Timeframe:
        calendar, market = session.facts.market.calendars[column], session.facts.market
        assert self.timeframe is not None
        length = MINUTES[self.timeframe] * MINUTE_NS
        if calendar.continuous:
            return Timeframe(self.timeframe, length)
        opens = market.sessions(column).session_open_ns
        times = market.time_ns

        def session_open(time_ns: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Any:
            return opens[np.searchsorted(times, time_ns)]

        return Timeframe(self.timeframe, length, session_open)

    def _dress(self, session: RunSession, chart: ChartWidget, column: int) -> None:
        """Everything on a chart that the choices ask for."""
        chart.show_volume("overlay" if self.shown["volume"] else "off")
        if self.shown["sessions"]:
            chart.set_hours(session.facts.hours(column))
        chart.set_log(self.shown["log"])
        for one in self.chosen:
            self._add_indicator(session, chart, column, one)

    def _add_indicator(self, session: RunSession, chart: ChartWidget, column: int, one: dict[str, Any]) -> None:
        name, given = str(one["name"]), dict(one.get("parameters", {}))
        about = indicators.describe(name)
        parameters = {each.name: given.get(each.name, each.default) for each in about.parameters}
        lines = [
            Line(indicator_text(name, output if len(about.outputs) > 1 else "", parameters), LinePyramid(values))
            for output in about.outputs
            for values in [self._values(session, column, name, parameters | {"output": output})]
        ]
        if about.where == "overlay":
            for line in lines:
                chart.add_line(line)
            return
        tick = session.facts.contracts[column].facts.tick_size
        chart.add_line_pane(lines[0].name, lines, pane_form(name, tick), [RuleLayer(RULES.get(name, ()))])

    def _values(self, session: RunSession, column: int, name: str, parameters: dict[str, Any]) -> Any:
        """Of the bars that are shown: a longer timeframe has indicators of its own (S3.6)."""
        frame = None if self.timeframe is None else self.timeframe.replace("1D", "1d")
        return np.ascontiguousarray(session.facts.market.indicator(name, frame, **parameters)[:, column])

    # What a person chooses

    def redress(self) -> None:
        """Make the charts anew with the choices; the stretch of time stays."""
        if self.session is None:
            return
        kept = self.charts[0].viewport_model if self.charts else None
        sizes = self._splitter.sizes() if self._splitter is not None else []
        self._drop()
        self._make(self.session)
        if kept is not None:
            for chart in self.charts:
                chart.viewport_model = kept
                chart.viewport_model.set_unit(chart.view.ratio)
        if self._splitter is not None and len(sizes) == len(self.charts):
            self._splitter.setSizes(sizes)

    def set_timeframe(self, name: str | None) -> None:
        """Show other bars: None for the run's own."""
        self.timeframe = name
        self.redress()

    def toggle(self, what: str, on: bool) -> None:
        """Show or hide volume, sessions, trades, the path, or a logarithmic scale."""
        self.shown[what] = on
        self.redress()

    def set_indicators(self, chosen: list[dict[str, Any]]) -> None:
        """Draw these indicators: ``{"name": "ema", "parameters": {"period": 21}}``."""
        self.chosen = [one for one in chosen if one.get("name") in indicators.names()]
        self.redress()

    def set_look(self, look: Theme, clock: LocalTime) -> None:
        super().set_look(look, clock)
        for chart, column in zip(self.charts, self.symbols or [], strict=False):  # none of no run
            chart.set_theme(look)
            chart.set_clock(self._zone(column))

    def _zone(self, column: int) -> LocalTime:
        return self.clocks[column] if column < len(self.clocks) else self.clock

    def set_auto(self) -> None:
        """Let scales follow what is visible, and the cursor be followed."""
        for chart in self.charts:
            chart.set_auto()
            chart.viewport_model.home()

    def show_state(self, session: RunSession) -> None:
        """Marks are made anew only when the cursor goes beyond those that there are."""
        store = session.model.store
        for chart in self.charts:
            column = session.facts.symbols.index(chart.symbol)
            marked = self._marked.get(column)
            fills = len(store.fills) if self.shown["trades"] else 0
            if marked is not None and marked[0] is store and (
                session.model.cursor.ordinal < marked[1] or fills == marked[2]
            ):  # fmt: skip
                continue
            chart.set_trades(store.marks_of(column) if self.shown["trades"] else TradeMarks.empty())
            self._marked[column] = (store, store.bars * PHASES, fills)


def length_text(bar_ns: int) -> str:
    """How long a bar is: 1m, 4h, 1D."""
    minutes = bar_ns / MINUTE_NS
    if minutes >= 1440:
        return f"{minutes / 1440:g}D"
    return f"{minutes / 60:g}h" if minutes >= 60 else f"{minutes:g}m" if minutes >= 1 else f"{minutes * 60:g}s"


def pane_form(name: str, tick: float) -> PriceFormat:
    """How the values of an indicator in a pane of its own are written."""
    return PriceFormat(0.01, 2) if name in RULES else PriceFormat(tick / 100, 3)


def indicator_text(name: str, output: str, parameters: dict[str, Any]) -> str:
    """How a line of an indicator is called; ``output`` is empty where it has but one: BOLLINGER 20 2 upper."""
    told = [f"{value:g}" for value in parameters.values() if isinstance(value, int | float)]
    return " ".join([name.upper(), *told, *([output] if output else [])])
