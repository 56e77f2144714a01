"""The charts of live symbols: the backtest's own chart over a book, with indicators, sessions, trades and levels."""

from collections.abc import Callable
from datetime import UTC
from typing import Any

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QPaintEvent
from PyQt6.QtWidgets import QLabel, QSplitter, QVBoxLayout, QWidget

from app.charts.clock import FrameClock
from app.charts.cursor import Cursor
from app.charts.levels import Level
from app.charts.lines import LineLayer, RuleLayer
from app.charts.marks import TradeMarks
from app.charts.prices import PriceFormat
from app.charts.ticks import LocalTime
from app.charts.timeframe import BarView
from app.charts.viewport import Viewport
from app.charts.widget import ChartWidget
from app.live.book import SymbolBook
from app.live.choices import Choices
from app.live.drawing import indicator_lines, timeframe_of
from app.live.papers import levels, trade_marks
from app.live.states import countdown, told
from app.panels.charts import RULES, length_text, pane_form
from app.panels.parts import label, row_of, set_tone
from app.panels.toolbar import NarrowLabel
from app.theme.tokens import DARK, Theme
from data.tradestation.events import FeedState
from data.tradestation.quotes import Quote
from engine import indicators
from engine.paper import PaperRun

FEWEST = 40.0  # bars in view
# States in which the bar under way goes on.
COMING = (FeedState.LIVE, FeedState.DELAYED, FeedState.HISTORY)


class _Painted(ChartWidget):
    """A chart that says when it has been painted."""

    painted = pyqtSignal()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self.painted.emit()


class LiveChart(QWidget):
    """One symbol: a quote line over its chart.

    Signals:
        intent: a line was dragged (MoveLevel). menu_asked: (symbol, price, position) of a right click.
        drawn: what came in on the stream at this server time (int) is on the screen.
    """

    intent = pyqtSignal(object)
    menu_asked = pyqtSignal(object)
    drawn = pyqtSignal(object)

    def __init__(
        self,
        book: SymbolBook,
        form: PriceFormat,
        frames: FrameClock,
        choices: Choices,
        bar_ns: int,
    ) -> None:
        super().__init__()
        self.book, self.form, self.choices, self.bar_ns = book, form, choices, bar_ns
        self.look, self.clock = DARK, LocalTime(UTC, "UTC")
        self._frames = frames
        self.chart: ChartWidget | None = None
        self._news_ns: int | None = None
        self.run: PaperRun | None = None
        self._generation = self._closed = self._fills = self._acts = self._length = -1
        self.name, self.state = label(book.symbol), label("", "heading")
        self.quote, self.left = NarrowLabel(Qt.AlignmentFlag.AlignLeft), QLabel()
        self.quote.setProperty("role", "number")
        self.left.setProperty("role", "number")
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._layout.addWidget(self._heading())
        self.empty = label("", "muted")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._layout.addWidget(self.empty, 1)

    def _heading(self) -> QWidget:
        heading = QWidget()
        row = row_of(self.name, spacing=12)
        row.setContentsMargins(8, 2, 8, 2)
        row.addWidget(self.quote, 1)
        row.addWidget(self.left)
        row.addWidget(self.state)
        heading.setLayout(row)
        self.left.setToolTip("Time until the bar closes")
        self.left.setAccessibleName("Time until the bar closes")
        self.state.setAccessibleName(f"State of {self.book.symbol}")
        return heading

    # Every frame

    def refresh_from(self, now_ns: int, quote: Quote | None, run: PaperRun | None) -> None:
        """Take in what the book knows now; called once a frame."""
        self.run = run if run is not None and self.book.symbol in run.bars.symbols else None
        self._news_ns = self.book.news_ns  # what the last frame has not painted it will not paint any more
        if self.book.generation != self._generation and len(self.book.store):
            self._make()
        self._put_heading(now_ns, quote)
        if self.chart is None:
            return
        if self.book.closed != self._closed:
            self._closed = self.book.closed
            self._renew_indicators(self.chart)
        if len(self.book.store) != self._length:
            self._length = len(self.book.store)
            if self.choices.shown["sessions"]:
                self.chart.set_hours(self.book.hours())
        self._put_trades(self.chart)

    def _put_heading(self, now_ns: int, quote: Quote | None) -> None:
        status = told(self.book.status, self.book.told_ns, now_ns)
        for widget, text in (
            (self.state, status.word),
            (self.left, countdown(self._closes_ns(), now_ns)),
            (self.quote, self._quote_text(quote)),
        ):
            if widget.text() != text:
                widget.setText(text)
        set_tone(self.state, status.tone)
        if self.chart is None and self.empty.text() != (waits := _waits(status.word, status.detail)):
            self.empty.setText(waits)

    def _closes_ns(self) -> int | None:
        """When the bar under way closes: the one that is shown."""
        if self.book.forming is None or self.book.status.state not in COMING:
            return None
        view = None if self.chart is None else self.chart.view
        if view is None or view.timeframe is None or not len(view.store):
            return self.book.forming.close_ns
        return int(view.store.time_ns[-1]) + view.timeframe.bar_ns

    def _quote_text(self, quote: Quote | None) -> str:
        if quote is not None and quote.error:
            return quote.error
        last = self.book.last if quote is None or quote.last is None else quote.last
        parts = [] if last is None else [f"last {self.form.text(last)}"]
        if quote is not None:
            named = (("bid", quote.bid), ("ask", quote.ask))
            parts += [f"{name} {self.form.text(value)}" for name, value in named if value is not None]
            parts += ["DELAYED"] if quote.delayed and self.book.status.state is not FeedState.DELAYED else []
            parts += ["HALTED"] if quote.halted else []
        if self.book.status.underlying is not None:
            parts.append(f"stands for {self.book.status.underlying}")
        return "   ".join(parts)

    # The chart

    def dress(self) -> None:
        """Draw what is chosen now; the stretch of time stays."""
        self._generation = -1

    def set_look(self, look: Theme, clock: LocalTime) -> None:
        """Other colours, another zone."""
        self.look, self.clock = look, clock
        if self.chart is not None:
            self.chart.set_theme(look)
            self.chart.set_clock(clock)

    def _make(self) -> None:
        """A chart over the book's bars, which are other ones now, or are to be shown otherwise."""
        old, shown = self.chart, self.choices.shown
        self._generation, self._closed = self.book.generation, self.book.closed
        self._fills = self._length = -1
        view = self._view()
        chart = _Painted(
            self.book.symbol,
            view,
            self.book.cursor,
            self.form,
            title=self.choices.timeframe or length_text(self.bar_ns),
            theme=self.look,
            clock=self.clock,
            viewport=_viewport(len(view.store)) if old is None else old.viewport_model,
        )
        chart.set_sources(self._levels)
        chart.show_volume("overlay" if shown["volume"] else "off")
        chart.set_log(shown["log"])
        chart.intent.connect(self.intent)
        chart.painted.connect(self._tell_drawn)
        chart.menu_asked.connect(lambda asked: self.menu_asked.emit((self.book.symbol, *asked[1:])))
        chart.changed.connect(self._frames.request)
        if old is not None:
            chart.set_axis_chars(old.axis_chars)
        self.chart = chart
        self._draw_indicators(chart)
        self._frames.add_view(chart)
        self.empty.hide()
        self._layout.addWidget(chart, 1)
        if old is not None:
            self._drop(old)

    def _tell_drawn(self) -> None:
        news_ns, self._news_ns = self._news_ns, None
        if news_ns is not None:
            self.drawn.emit(news_ns)

    def _view(self) -> BarView:
        frame = timeframe_of(self.choices.timeframe, self.book.calendar)
        return self.book.view if frame is None else self.book.view.in_timeframe(frame, self.bar_ns)

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
        fills, acts = tables.count("fills"), tables.count("events") + len(self.run.held)
        if fills != self._fills:
            with_trades = self.choices.shown["trades"]
            marks = trade_marks(self.run, self.book.symbol, self.book.store.time_ns)
            chart.set_trades(marks if with_trades else TradeMarks.empty())
        elif acts != self._acts:
            chart.touch()  # a level or an order has moved, or waits to
        self._fills, self._acts = fills, acts

    # Indicators

    def _draw_indicators(self, chart: ChartWidget) -> None:
        for one in self.choices.indicators:
            name = str(one["name"])
            lines = indicator_lines(chart.view, self._closed, self.book.calendar, one)
            if indicators.describe(name).where == "overlay":
                for line in lines:
                    chart.add_line(line)
            else:
                rules = [RuleLayer(RULES.get(name, ()))]
                chart.add_line_pane(lines[0].name, lines, pane_form(name, self.form.tick), rules)

    def _renew_indicators(self, chart: ChartWidget) -> None:
        """New values on the lines that are there; panes stay as they were sized."""
        chart.view.update()
        drawn: list[dict[str, Any]] = self.choices.indicators
        lines = [line for one in drawn for line in indicator_lines(chart.view, self._closed, self.book.calendar, one)]
        fresh = {line.name: line for line in lines}
        for pane in chart.panes:
            for layer in pane.layers:
                if isinstance(layer, LineLayer) and layer.line.name in fresh:
                    layer.line = fresh[layer.line.name]
        chart.touch()


def _viewport(bars: int) -> Viewport:
    """As many bars in view as usual, or those that there are."""
    made = Viewport()
    made.span = min(made.span, max(float(bars), FEWEST))
    return made


def _waits(word: str, detail: str) -> str:
    """What stands where a chart will be."""
    return f"{(detail or word).capitalize()} \N{HORIZONTAL ELLIPSIS}"


class LiveCharts(QSplitter):
    """Charts below each other, the chosen symbols first.

    Args:
        make: makes the chart of a symbol, when it is first seen.

    Attributes:
        charts: those that were seen, by symbol; order: all symbols as they are shown; most: how many are in sight.
    """

    def __init__(self, make: Callable[[str], LiveChart]) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self.setChildrenCollapsible(False)
        self._make = make
        self.charts: dict[str, LiveChart] = {}
        self.order: list[str] = []
        self.most = 1

    def add(self, symbols: list[str], order: list[str]) -> None:
        """Take in more symbols, behind the others, unless ``order`` puts them first."""
        self.order += symbols
        known = [symbol for symbol in order if symbol in self.order]
        self.order = [*known, *(symbol for symbol in self.order if symbol not in known)]
        self._place()

    def remove(self, symbol: str) -> None:
        """Show a symbol no longer."""
        self.order.remove(symbol)
        chart = self.charts.pop(symbol, None)
        if chart is not None:
            chart.end()
            chart.hide()
            chart.setParent(None)
            chart.deleteLater()
        self._place()

    def choose(self, symbol: str) -> None:
        """Show a symbol: first, unless it is in sight already."""
        if symbol in self.order and symbol not in self.order[: self.most]:
            self.order.remove(symbol)
            self.order.insert(0, symbol)
            self._place()

    def show_most(self, count: int) -> None:
        """Keep so many charts in sight."""
        self.most = count
        self._place()

    def _place(self) -> None:
        for name, chart in self.charts.items():
            chart.setVisible(name in self.order[: self.most])
        for place, name in enumerate(self.order[: self.most]):
            if name not in self.charts:
                self.charts[name] = self._make(name)
            if self.indexOf(self.charts[name]) != place:
                self.insertWidget(place, self.charts[name])

    @property
    def visible(self) -> list[LiveChart]:
        """The charts in sight, from top to bottom."""
        return [self.charts[name] for name in self.order[: self.most]]

    def align(self) -> None:
        """Make all value axes as wide as the widest, so that times stand below each other."""
        made = [one.chart for one in self.visible if one.chart is not None]
        widest = max((chart.axis_chars for chart in made), default=9)
        for chart in made:
            if chart.axis_chars != widest:
                chart.set_axis_chars(widest)
