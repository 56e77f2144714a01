"""Equity and drawdown, of the portfolio or of a symbol, with the parent's equity beside a branch's."""

from collections.abc import Callable

from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout

from app.charts.clock import FrameClock
from app.charts.equity import MONEY, EquityChart
from app.charts.line_pyramid import LinePyramid
from app.charts.lines import Line, LineLayer
from app.charts.prices import number
from app.charts.ticks import LocalTime
from app.panels.panel import Panel
from app.panels.parts import Value, tone_of
from app.replay.falls import Falls
from app.session import RunSession
from app.theme.tokens import Theme
from data.series import FloatArray


class EquityPanel(Panel):
    """The account's curve up to the cursor."""

    of_figures = False

    def __init__(self, clock: FrameClock) -> None:
        super().__init__()
        self._frames = clock
        self.chart: EquityChart | None = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self.of = QComboBox()
        self.of.setAccessibleName("Whose equity")
        self.of.currentIndexChanged.connect(self._chosen)
        self.told, self.result = Value("Equity"), Value("Result")
        for value, wide in ((self.told, 96), (self.result, 76)):
            value.setFixedWidth(wide)
        top = QHBoxLayout()
        top.setContentsMargins(8, 4, 8, 4)
        top.setSpacing(8)
        top.addWidget(self.of)
        top.addStretch(1)
        for value in (self.told, self.result):
            top.addWidget(value)
        self._layout.addLayout(top)
        self._sources: tuple[object, ...] = ()
        self._taken = 0

    def begin(self) -> None:
        self._drop()
        if self.session is None:
            return
        self.of.blockSignals(True)
        self.of.clear()
        self.of.addItems(["Portfolio", *self.session.facts.symbols])
        self.of.blockSignals(False)
        self._make(self.session)

    def _drop(self) -> None:
        if self.chart is not None:
            self._frames.remove_view(self.chart)
            self._layout.removeWidget(self.chart)
            self.chart.hide()  # until it is gone, Qt would paint what Python may have taken apart already
            self.chart.deleteLater()
            self.chart = None

    def _make(self, session: RunSession) -> None:
        self._line = Line("Equity", LinePyramid(), form=MONEY)
        self._below = Line("Drawdown", LinePyramid())
        self._parent = Line("Parent", LinePyramid(), colour="muted", form=MONEY)
        view = session.facts.view(0)
        self.chart = EquityChart(
            view, session.model.cursor_model, self._line, self._below, theme=self.look, clock=self.clock
        )
        self.chart.changed.connect(self._frames.request)
        self._frames.add_view(self.chart)
        self._layout.addWidget(self.chart, 1)
        self._sources, self._taken = (), 0

    def set_look(self, look: Theme, clock: LocalTime) -> None:
        super().set_look(look, clock)
        for value in (self.told, self.result):
            value.set_look(look)
        if self.chart is not None:
            self.chart.set_theme(look)
            self.chart.set_clock(clock)

    def _chosen(self) -> None:
        self._sources, self._drawn = (), None
        self._frames.request()

    def show_state(self, session: RunSession) -> None:
        self._take_in(session)
        self._tell(session)

    def _take_in(self, session: RunSession) -> None:
        """Curves grow with the journal; another course or choice begins them anew."""
        store, parent, column = session.model.store, session.parent_store(), self.of.currentIndex() - 1
        sources = (store, parent, column)  # held: another journal in the place of one that is gone is another one
        if sources != self._sources:
            self._sources = sources
            self._show(session, lambda: store.equity.rows["equity"])
            self._parent.data = LinePyramid()
            shown = parent is not None and column < 0
            if parent is not None and shown:
                self._parent.data = LinePyramid(source=lambda at: parent.equity.rows["equity"][at])
                self._parent.data.take_in(parent.bars)
            self._overlay(shown)
        if column >= 0 and self._taken != store.bars:
            # A symbol's curve is derived from all fills, so it is made anew.
            values = session.model.figures.symbol_equity(column, store.bars)
            self._show(session, lambda: values)
            self._extend(len(values))
        elif store.bars > self._taken:
            # The last row may change when the run is finished: it is taken in once there is one after it, or at once
            # where nothing more is to come.
            self._extend((store.bars if not session.running else store.bars - 1) - self._taken)
        if self.chart is not None:
            self.chart.touch()

    def _overlay(self, on: bool) -> None:
        """The parent's curve behind a branch's."""
        if self.chart is not None:
            pane = self.chart.pane("equity")
            pane.layers = [x for x in pane.layers if not (isinstance(x, LineLayer) and x.line is self._parent)]
            if on:
                pane.layers.append(LineLayer(self._parent, "muted"))

    def _show(self, session: RunSession, curve: Callable[[], FloatArray]) -> None:
        """Begin anew with a curve; nothing of it is copied."""
        self._falls, self._taken = Falls(curve, session.facts.initial_cash), 0
        self._line.data, self._below.data = LinePyramid(source=lambda at: curve()[at]), LinePyramid(source=self._falls)

    def _extend(self, bars: int) -> None:
        """Take in the next bars of the curve."""
        self._falls.take_in(bars)
        self._line.data.take_in(bars)
        self._below.data.take_in(bars)
        self._taken += bars

    def _tell(self, session: RunSession) -> None:
        state, start = session.model.account, session.facts.initial_cash
        result = state.equity / start - 1.0
        self.told.put(number(state.equity, 2))
        self.result.put(f"{number(100 * result, 2, signed=True)} %", tone_of(round(result, 4)))
