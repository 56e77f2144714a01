"""Statistics at the cursor: every figure of S13, months, histogram of R, MAE and MFE of trades."""

from collections.abc import Sequence

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QTableWidget, QTableWidgetItem, QTabWidget, QVBoxLayout, QWidget

from app.charts.canvas import CENTRE, LEFT, RIGHT, Canvas, text_width
from app.charts.columns import IntArray
from app.charts.prices import number
from app.charts.ticks import LocalTime
from app.panels.pacing import Pacing
from app.panels.painted import Painted
from app.panels.panel import Panel
from app.panels.parts import DASH
from app.session import RunSession
from app.tables.views import SmallTable
from app.theme.fonts import numbers, words
from app.theme.tokens import Theme, blend
from data.series import FloatArray
from engine.statistics import Statistics, describe_figures, format_figure
from engine.statistics.figures import TradeFigures
from engine.statistics.tables import Histogram, monthly_returns, r_histogram

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Year")


class Histogrammed(Painted):
    """R multiples of closed trades, in steps of half an R."""

    def __init__(self) -> None:
        super().__init__()
        self.histogram = Histogram(edges=np.zeros(0), counts=np.zeros(0, np.int64))
        self.told = ""
        self.setMinimumHeight(160)
        self.setAccessibleName("Histogram of R multiples")

    def put(self, r_multiples: FloatArray) -> None:
        """Show these R multiples, NaN where a trade had no stop."""
        known = r_multiples[~np.isnan(r_multiples)]
        self.histogram = r_histogram(r_multiples)
        mean = number(float(known.mean()), 3, signed=True) if len(known) else ""
        self.told = f"{len(known):,} trades by R, in steps of 0.5; mean {mean} R; what lies beyond 10 R is at the edge"
        self.update()

    def draw(self, canvas: Canvas, width: int, height: int) -> None:
        edges, counts = self.histogram.edges, self.histogram.counts
        if not len(counts):
            _say(canvas, self.look, width, height, "no closed trade with a stop yet")
        else:
            self._bars(canvas, width, height, edges, counts)

    def _bars(self, canvas: Canvas, width: int, height: int, edges: FloatArray, counts: IntArray) -> None:
        left, foot, top = canvas.px(16), height - canvas.px(26), canvas.px(60)
        step = (width - 2 * left) / len(counts)
        _say_above(canvas, self.look, width, self.told)
        font, small = numbers(canvas.px(11)), numbers(canvas.px(10))
        every = max(1, int(np.ceil(canvas.px(48) / step)))
        begin = int(np.argmin(np.abs(edges[:-1]))) % every  # so that zero has its label
        for place, count in enumerate(counts.tolist()):
            x = round(left + place * step)
            tall = round((foot - top) * count / max(int(counts.max()), 1))
            # What is rare is a sliver, what is not there is nothing.
            tall = max(tall, canvas.px(1)) if count else 0
            colour = self.look.up if edges[place] >= 0 else self.look.down
            canvas.rect(colour, x, foot - tall, max(round(step) - canvas.px(1), 1), tall)
            if place % every == begin:
                text = number(float(edges[place]), 1, signed=True)
                canvas.text(text, self.look.muted, font, x - canvas.px(24), foot, canvas.px(48), canvas.px(22), CENTRE)
            told = f"{count:,}" if count < 1000 else f"{count / 1000:.1f}k"
            if count and text_width(told, small) <= step:
                box = (x, foot - tall - canvas.px(16), round(step), canvas.px(14))
                canvas.text(told, self.look.muted, small, *box, CENTRE)


class Scatter(Painted):
    """MAE against MFE of closed trades, money: what a trade gave up, and what it could have been."""

    def __init__(self) -> None:
        super().__init__()
        self.mae = self.mfe = self.net = np.zeros(0)
        self.setMinimumHeight(160)
        self.setAccessibleName("MAE and MFE of trades")

    def draw(self, canvas: Canvas, width: int, height: int) -> None:
        if not len(self.net):
            _say(canvas, self.look, width, height, "no closed trade yet")
        else:
            self._dots(canvas, width, height)

    def _dots(self, canvas: Canvas, width: int, height: int) -> None:
        left, foot, top = canvas.px(76), height - canvas.px(30), canvas.px(60)
        lowest, highest = float(np.quantile(-self.mae, 0.995)) or 1.0, float(np.quantile(self.mfe, 0.995)) or 1.0
        x = left + np.clip(-self.mae / lowest, 0, 1) * (width - left - canvas.px(16))
        y = foot - np.clip(self.mfe / highest, 0, 1) * (foot - top)
        canvas.rect(self.look.line, left, top, 1, foot - top)
        canvas.rect(self.look.line, left, foot, width - left - canvas.px(16), 1)
        won = self.net >= 0
        # Tall for a gain, flat for a loss: colour is not all that tells them apart.
        for which, token, wide, tall in ((~won, self.look.down, 5, 2), (won, self.look.up, 2, 5)):
            colour = blend(token, self.look.chart, 0.8)
            at = (x[which].astype(np.int64), y[which].astype(np.int64) - canvas.px(tall))
            canvas.rects(colour, *at, canvas.px(wide), canvas.px(tall))
        told = f"{int(won.sum()):,} trades that gained (upright marks), {int((~won).sum()):,} that lost (flat marks)"
        _say_above(canvas, self.look, width, told)
        font = numbers(canvas.px(11))
        axis = (
            (number(highest, 0), 0, top - canvas.px(8), left - canvas.px(6), RIGHT),
            ("0", 0, foot - canvas.px(14), left - canvas.px(6), RIGHT),
            ("MFE", 0, (top + foot) // 2 - canvas.px(8), left - canvas.px(6), RIGHT),
            ("0", left, foot + canvas.px(6), canvas.px(60), LEFT),
            ("MAE", (left + width) // 2 - canvas.px(40), foot + canvas.px(6), canvas.px(80), CENTRE),
            (number(-lowest, 0), width - canvas.px(96), foot + canvas.px(6), canvas.px(80), RIGHT),
        )  # fmt: skip
        for text, at_x, at_y, wide, side in axis:
            canvas.text(text, self.look.muted, font, at_x, at_y, wide, canvas.px(16), side)


def _say_above(canvas: Canvas, look: Theme, width: int, text: str) -> None:
    """What a picture shows, above it."""
    canvas.text(text, look.muted, words(canvas.px(12)), canvas.px(16), canvas.px(8), width, canvas.px(20), LEFT)


def _say(canvas: Canvas, look: Theme, width: int, height: int, text: str) -> None:
    """What stands where there is nothing to show."""
    canvas.text(text, look.muted, words(canvas.px(13)), 0, 0, width, height, CENTRE)


class StatisticsPanel(Panel):
    """The statistics dialog; it may be docked."""

    def __init__(self) -> None:
        super().__init__()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName("Statistics")
        self.figures = SmallTable("Statistics", ["Figure"])
        self.months = self._make_months()
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
        self._pacing = Pacing()

    def set_look(self, look: Theme, clock: LocalTime) -> None:
        super().set_look(look, clock)
        self.histogram.look = self.scatter.look = look

    def key(self, session: RunSession) -> object:
        """While the run plays, twice a second will do."""
        return self._pacing.key(session.playback.playing, (session.model.state, self.tabs.currentIndex()), self._drawn)

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
            self.histogram.put(trades["r_multiple"].copy())
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
        for row, (name, text, unit, why) in enumerate(described):
            _put(table, row, 0, text, left=True).setToolTip(why)
            for place, (statistics, trades_only) in enumerate(columns.values()):
                figure = None if trades_only and name not in trade_figures else getattr(statistics, name)
                _put(table, row, 1 + place, DASH if figure is None else format_figure(figure, unit))
        self._widen(table)

    @staticmethod
    def _widen(table: QTableWidget) -> None:
        """Columns as wide as what stands in them; those that were widened stay so, or they would twitch."""
        for column in range(table.columnCount()):
            head = table.horizontalHeaderItem(column)
            if head is not None:
                head.setTextAlignment(LEFT if column == 0 else RIGHT)
            font = words(12) if column == 0 else numbers(12)
            items = (table.item(row, column) for row in range(table.rowCount()))
            wanted = max((text_width(item.text(), font) for item in items if item is not None), default=0) + 28
            table.setColumnWidth(column, max(wanted, table.columnWidth(column) if column else 0, 84))

    def _show_months(self, session: RunSession) -> None:
        known = session.model.figures.so_far(session.model.cursor).bars
        days = session.facts.market.trading_day[:known]
        equity = session.model.store.equity.rows["equity"][:known].copy()
        found = monthly_returns(days, equity, session.facts.initial_cash)
        self.months.setRowCount(len(found.years))
        for row, year in enumerate(found.years):
            _put(self.months, row, 0, str(year), left=True)
            for place, value in enumerate([*found.returns[row], found.totals[row]]):
                item = _put(self.months, row, 1 + place, "" if value != value else number(100 * value, 1, True))
                gained = self.look.up if value > 0 else self.look.down if value < 0 else self.look.text
                item.setForeground(QColor(gained))

    def _make_months(self) -> QTableWidget:
        """Returns by month in percent; it is as wide as the window is at first."""
        table = SmallTable("Returns by month in percent", ["%", *MONTHS])
        for column in range(14):
            table.setColumnWidth(column, 56 if column == 0 else 61)
            head = table.horizontalHeaderItem(column)
            if head is not None:
                head.setTextAlignment(LEFT if column == 0 else RIGHT)
        return table


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
