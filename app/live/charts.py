"""The charts of live symbols: the backtest's own chart over a book, with indicators, sessions, trades and levels."""

from typing import Any

import numpy as np
from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QLabel, QSplitter, QVBoxLayout, QWidget

from app.charts.clock import FrameClock
from app.charts.cursor import Cursor
from app.charts.levels import Level
from app.charts.line_pyramid import LinePyramid
from app.charts.lines import Line
from app.charts.prices import PriceFormat
from app.charts.widget import ChartWidget
from app.live.book import SymbolBook
from app.live.papers import levels, trade_marks
from app.live.states import countdown, told
from app.panels.parts import label, set_tone
from app.theme.tokens import Theme
from data.tradestation.quotes import Quote
from engine import indicators
from engine.indicators import IndicatorBars, compute
from engine.paper import PaperRun

USUAL_INDICATORS: list[dict[str, Any]] = [{"name": "ema", "parameters": {"period": 50}}]


class LiveChart(QWidget):
    """One symbol: a quote line over its chart.

    Signals:
        intent: a line was dragged (MoveLevel).
    """

    intent = pyqtSignal(object)

    def __init__(self, book: SymbolBook, form: PriceFormat, frames: FrameClock, look: Theme) -> None:
        super().__init__()
        self.book, self.form, self.look = book, form, look
        self._frames = frames
        self.chart: ChartWidget | None = None
        self.chosen = list(USUAL_INDICATORS)
        self.run: PaperRun | None = None
        self._generation = self._closed = self._fills = self._events = self._length = -1
        self._names: list[tuple[str, bool]] = []
        self.name, self.quote, self.state = label(book.symbol), label("", "number"), label("", "heading")
        self.left: QLabel = label("", "number")
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._layout.addWidget(self._heading())

    def _heading(self) -> QWidget:
        from app.panels.parts import row_of

        heading = QWidget()
        row = row_of(self.name, self.quote, spacing=12)
        row.setContentsMargins(8, 2, 8, 2)
        row.addStretch(1)
        row.addWidget(self.left)
        row.addWidget(self.state)
        heading.setLayout(row)
        self.left.setToolTip("Time until the bar closes")
        return heading

    def refresh_from(self, now_ns: int, quote: Quote | None, run: PaperRun | None) -> None:
        """Take in what the book knows now; called once a frame."""
        self.run = run if run is not None and self.book.symbol in run.bars.symbols else None
        if self.book.generation != self._generation and len(self.book.store):
            self._make()
        self._put_heading(now_ns, quote)
        if self.chart is None:
            return
        if self.book.closed != self._closed:
            self._closed = self.book.closed
            self._draw_indicators(self.chart)
        if len(self.book.store) != self._length:
            self._length = len(self.book.store)
            self.chart.set_hours(self.book.hours())
        self._put_trades(self.chart)

    def _put_heading(self, now_ns: int, quote: Quote | None) -> None:
        status = told(self.book.status, self.book.told_ns, now_ns)
        texts = {
            self.state: status.word,
            self.left: countdown(None if self.book.forming is None else self.book.forming.close_ns, now_ns),
            self.quote: self._quote_text(quote),
        }
        for widget, text in texts.items():
            if widget.text() != text:
                widget.setText(text)
        set_tone(self.state, status.tone)

    def _quote_text(self, quote: Quote | None) -> str:
        if quote is not None and quote.error:
            return quote.error
        last = self.book.last if quote is None or quote.last is None else quote.last
        parts = [] if last is None else [f"last {self.form.text(last)}"]
        if quote is not None:
            parts += [f"{name} {self.form.text(v)}" for name, v in (("bid", quote.bid), ("ask", quote.ask)) if v]
            parts += ["DELAYED"] if quote.delayed else []
        if self.book.status.underlying is not None:
            parts.append(f"stands for {self.book.status.underlying}")
        return "   ".join(parts)

    def _make(self) -> None:
        """A chart over the book's bars, which are other ones now."""
        old = self.chart
        self._generation, self._closed, self._fills = self.book.generation, -1, -1
        self._length = -1
        self._names = []
        self.chart = ChartWidget(
            self.book.symbol,
            self.book.view,
            self.book.cursor,
            self.form,
            theme=self.look,
            viewport=None if old is None else old.viewport_model,
        )
        self.chart.set_sources(self._levels)
        self.chart.show_volume("overlay")
        self.chart.intent.connect(self.intent)
        self.chart.changed.connect(self._frames.request)
        self._frames.add_view(self.chart)
        self._layout.addWidget(self.chart, 1)
        if old is not None:
            self._drop(old)

    def _drop(self, chart: ChartWidget) -> None:
        self._frames.remove_view(chart)
        self._layout.removeWidget(chart)
        chart.hide()
        chart.deleteLater()

    def end(self) -> None:
        """The window closes, or the symbol is looked at no longer."""
        if self.chart is not None:
            self._drop(self.chart)
            self.chart = None

    def _levels(self, _cursor: Cursor) -> tuple[Level, ...]:
        return () if self.run is None else levels(self.run, self.book.symbol)

    def _put_trades(self, chart: ChartWidget) -> None:
        if self.run is None:
            return
        tables = self.run.engine.tables
        fills, events = tables.count("fills"), tables.count("events")
        if fills != self._fills:
            chart.set_trades(trade_marks(self.run, self.book.symbol, self.book.store.time_ns))
        elif events != self._events:
            chart.touch()  # a level or an order has moved
        self._fills, self._events = fills, events

    # Indicators

    def set_indicators(self, chosen: list[dict[str, Any]]) -> None:
        """Draw these indicators: ``{"name": "ema", "parameters": {"period": 21}}``."""
        self.chosen, self._closed = chosen, -1

    def _draw_indicators(self, chart: ChartWidget) -> None:
        """All anew from the closed bars: microseconds, and the same numbers as a backtest's (S10.2)."""
        for name, is_pane in self._names:
            if is_pane:
                chart.remove_pane(name)
            else:
                chart.remove_line(name)
        self._names = []
        bars = self._closed_bars()
        for one in self.chosen:
            if str(one["name"]) in indicators.names():
                self._draw_indicator(chart, bars, str(one["name"]), dict(one.get("parameters", {})))

    def _closed_bars(self) -> IndicatorBars:
        store, count = self.book.store, self.book.closed
        session = None
        if not self.book.calendar.continuous and count:
            session = self.book.calendar.table(store.time_ns[:count]).session
        columns = (store.open, store.high, store.low, store.close, store.volume)
        o, h, l, c, v = (np.ascontiguousarray(column[:count]) for column in columns)  # noqa: E741 - a bar's letters
        return IndicatorBars(open=o, high=h, low=l, close=c, volume=v, time_ns=store.time_ns[:count], session=session)

    def _draw_indicator(self, chart: ChartWidget, bars: IndicatorBars, name: str, given: dict[str, Any]) -> None:
        about = indicators.describe(name)
        parameters = {each.name: given.get(each.name, each.default) for each in about.parameters}
        told_as = " ".join([name.upper(), *(f"{v:g}" for v in parameters.values() if isinstance(v, int | float))])
        lines = []
        for output in about.outputs:
            values = compute(name, bars, **parameters, output=output)
            text = f"{told_as} {output}" if len(about.outputs) > 1 else told_as
            lines.append(Line(text, LinePyramid(np.ascontiguousarray(values))))
        if about.where == "overlay":
            for line in lines:
                chart.add_line(line)
                self._names.append((line.name, False))
            return
        chart.add_line_pane(lines[0].name, lines, PriceFormat(0.01, 2))
        self._names.append((lines[0].name, True))


class LiveCharts(QSplitter):
    """Charts below each other, the chosen symbols first."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self.setChildrenCollapsible(False)
        self.charts: dict[str, LiveChart] = {}

    def add(self, chart: LiveChart) -> None:
        """Show one more chart."""
        self.charts[chart.book.symbol] = chart
        self.addWidget(chart)

    def remove(self, symbol: str) -> None:
        """Show a chart no longer."""
        chart = self.charts.pop(symbol, None)
        if chart is not None:
            chart.end()
            chart.hide()
            chart.setParent(None)
            chart.deleteLater()

    def choose(self, symbol: str, most: int) -> None:
        """Show a symbol, and others as far as there is room for them."""
        order = [symbol, *(name for name in self.charts if name != symbol)]
        for place, name in enumerate(order):
            self.charts[name].setVisible(place < most)
            self.insertWidget(place, self.charts[name])
