"""Statistics at the cursor: every figure of S13, months, histogram of R, MAE and MFE of trades."""

import time
from collections.abc import Sequence

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QTableWidget, QTableWidgetItem, QTabWidget, QVBoxLayout, QWidget

from app.charts.canvas import CENTRE, LEFT, Canvas
from app.charts.columns import IntArray
from app.charts.prices import number
from app.charts.ticks import LocalTime
from app.panels.panel import Panel
from app.panels.working import small_table
from app.session import RunSession
from app.theme.fonts import numbers, words
from app.theme.tokens import DARK, Theme, blend
from data.series import FloatArray
from engine.statistics import Statistics, describe_figures, format_figure
from engine.statistics.figures import TradeFigures
from engine.statistics.tables import Histogram, monthly_returns, r_histogram

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Year")
SECONDS = 0.5  # between two reckonings while the run plays


class Histogrammed(QWidget):
    """R multiples of closed trades, in steps of half an R."""

    def __init__(self) -> None:
        super().__init__()
        self.look: Theme = DARK
        self.histogram = Histogram(edges=np.zeros(0), counts=np.zeros(0, np.int64))
        self.setMinimumHeight(160)
        self.setAccessibleName("Histogram of R multiples")

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter, ratio = QPainter(self), self.devicePixelRatioF()
        painter.scale(1 / ratio, 1 / ratio)
        canvas = Canvas(painter, ratio)
        width, height = round(self.width() * ratio), round(self.height() * ratio)
        canvas.rect(self.look.chart, 0, 0, width, height)
        edges, counts = self.histogram.edges, self.histogram.counts
        if not len(counts):
            _say(painter, canvas, self.look, width, height, "no closed trade with a stop yet")
        else:
            self._bars(painter, canvas, width, height, edges, counts)
        painter.end()

    def _bars(
        self, painter: QPainter, canvas: Canvas, width: int, height: int, edges: FloatArray, counts: IntArray
    ) -> None:
        left, foot, top = canvas.px(16), height - canvas.px(26), canvas.px(24)
        step = (width - 2 * left) / len(counts)
        painter.setFont(numbers(canvas.px(11)))
        every = max(1, int(np.ceil(canvas.px(44) / step)))
        for place, count in enumerate(counts.tolist()):
            x = round(left + place * step)
            tall = round((foot - top) * count / max(int(counts.max()), 1))
            colour = self.look.up if edges[place] >= 0 else self.look.down
            canvas.rect(colour, x, foot - tall, max(round(step) - canvas.px(1), 1), tall)
            painter.setPen(QColor(self.look.muted))
            if place % every == 0:
                painter.drawText(x, foot + canvas.px(16), number(float(edges[place]), 1, signed=True))
            if step > canvas.px(26) and count:
                painter.drawText(x, foot - tall - canvas.px(4), f"{count:,}")


class Scatter(QWidget):
    """MAE against MFE of closed trades, money: what a trade gave up, and what it could have been."""

    def __init__(self) -> None:
        super().__init__()
        self.look: Theme = DARK
        self.mae = self.mfe = self.net = np.zeros(0)
        self.setMinimumHeight(160)
        self.setAccessibleName("MAE and MFE of trades")

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter, ratio = QPainter(self), self.devicePixelRatioF()
        painter.scale(1 / ratio, 1 / ratio)
        canvas = Canvas(painter, ratio)
        width, height = round(self.width() * ratio), round(self.height() * ratio)
        canvas.rect(self.look.chart, 0, 0, width, height)
        if not len(self.net):
            _say(painter, canvas, self.look, width, height, "no closed trade yet")
        else:
            self._dots(painter, canvas, width, height)
        painter.end()

    def _dots(self, painter: QPainter, canvas: Canvas, width: int, height: int) -> None:
        left, foot, top = canvas.px(76), height - canvas.px(30), canvas.px(14)
        lowest, highest = float(np.quantile(-self.mae, 0.995)) or 1.0, float(np.quantile(self.mfe, 0.995)) or 1.0
        x = left + np.clip(-self.mae / lowest, 0, 1) * (width - left - canvas.px(16))
        y = foot - np.clip(self.mfe / highest, 0, 1) * (foot - top)
        canvas.rect(self.look.line, left, top, 1, foot - top)
        canvas.rect(self.look.line, left, foot, width - left - canvas.px(16), 1)
        size = canvas.px(3)
        for which, token in ((self.net < 0, self.look.down), (self.net >= 0, self.look.up)):
            colour = blend(token, self.look.chart, 0.8)
            canvas.rects(colour, x[which].astype(np.int64), y[which].astype(np.int64), size, size)
        painter.setFont(numbers(canvas.px(11)))
        painter.setPen(QColor(self.look.muted))
        painter.drawText(canvas.px(8), top + canvas.px(10), number(highest, 0))
        painter.drawText(canvas.px(8), foot - canvas.px(4), "MFE 0")
        painter.drawText(left, foot + canvas.px(18), "MAE 0")
        painter.drawText(width - canvas.px(90), foot + canvas.px(18), number(-lowest, 0))


def _say(painter: QPainter, canvas: Canvas, look: Theme, width: int, height: int, text: str) -> None:
    painter.setFont(words(canvas.px(13)))
    painter.setPen(QColor(look.muted))
    painter.drawText(0, 0, width, height, int(CENTRE), text)


class StatisticsPanel(Panel):
    """The statistics dialog; it may be docked."""

    def __init__(self) -> None:
        super().__init__()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.figures = small_table("Statistics", ["Figure"])
        self.months = small_table("Returns by month", ["Year", *MONTHS])
        self.histogram, self.scatter = Histogrammed(), Scatter()
        pages: Sequence[tuple[str, QWidget]] = (
            ("Figures", self.figures), ("Months", self.months), ("R multiples", self.histogram),
            ("MAE and MFE", self.scatter),
        )  # fmt: skip
        for title, page in pages:
            self.tabs.addTab(page, title)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tabs)
        self._next = 0.0

    def set_look(self, look: Theme, clock: LocalTime) -> None:
        super().set_look(look, clock)
        self.histogram.look = self.scatter.look = look

    def key(self, session: RunSession) -> object:
        """While the run plays, twice a second will do."""
        playing, now = session.playback.playing, time.monotonic()
        if playing and now < self._next:
            return self._drawn
        self._next = now + SECONDS
        return (session.model.state, self.tabs.currentIndex())

    def show_state(self, session: RunSession) -> None:
        if not session.model.standing:
            return
        page = self.tabs.currentIndex()
        trades = session.model.figures.so_far(session.model.cursor).trades
        if page == 0:
            self._show_figures(session)
        elif page == 1:
            self._show_months(session)
        elif page == 2:
            self.histogram.histogram = r_histogram(trades["r_multiple"].copy())
            self.histogram.update()
        else:
            self.scatter.mae, self.scatter.mfe = trades["mae"].copy(), trades["mfe"].copy()
            self.scatter.net = trades["net"].copy()
            self.scatter.update()

    def _show_figures(self, session: RunSession) -> None:
        cursor, figures = session.model.cursor, session.model.figures
        columns: dict[str, tuple[Statistics, bool]] = {"Portfolio": (figures.portfolio(cursor), False)}
        columns |= {"Long": (figures.side(1, cursor), True), "Short": (figures.side(-1, cursor), True)}
        if len(session.facts.symbols) > 1:
            for column, symbol in enumerate(session.facts.symbols):
                columns[symbol] = (figures.symbol(column, cursor), False)
        self._write(columns)

    def _write(self, columns: dict[str, tuple[Statistics, bool]]) -> None:
        described = list(describe_figures(Statistics))
        trade_figures = {name for name, *_ in describe_figures(TradeFigures)}
        table = self.figures
        table.setColumnCount(1 + len(columns))
        table.setHorizontalHeaderLabels(["Figure", *columns])
        table.setRowCount(len(described))
        table.setColumnWidth(0, 190)
        for column in range(1, 1 + len(columns)):
            table.setColumnWidth(column, 120)
        for row, (name, text, unit, why) in enumerate(described):
            _put(table, row, 0, text, left=True).setToolTip(why)
            for place, (statistics, trades_only) in enumerate(columns.values()):
                told = trades_only and name not in trade_figures
                _put(table, row, 1 + place, "" if told else format_figure(getattr(statistics, name), unit))

    def _show_months(self, session: RunSession) -> None:
        known = session.model.figures.so_far(session.model.cursor).bars
        days = session.facts.market.trading_day[:known]
        equity = session.model.store.equity.rows["equity"][:known].copy()
        found = monthly_returns(days, equity, session.facts.initial_cash)
        self.months.setRowCount(len(found.years))
        for row, year in enumerate(found.years):
            _put(self.months, row, 0, str(year), left=True)
            for place, value in enumerate([*found.returns[row], found.totals[row]]):
                item = _put(self.months, row, 1 + place, "" if value != value else f"{number(100 * value, 1, True)} %")
                gained = self.look.up if value > 0 else self.look.down if value < 0 else self.look.text
                item.setForeground(QColor(gained))
            self.months.setColumnWidth(0, 60)
        for column in range(1, 14):
            self.months.setColumnWidth(column, 74)


def _put(table: QTableWidget, row: int, column: int, text: str, left: bool = False) -> QTableWidgetItem:
    item = table.item(row, column)
    if item is None:
        item = QTableWidgetItem()
        item.setFont(words(12) if left else numbers(12))
        side = LEFT if left else Qt.AlignmentFlag.AlignRight
        item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
        table.setItem(row, column, item)
    item.setText(text)
    return item
