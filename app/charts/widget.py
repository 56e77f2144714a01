"""The chart of one symbol: candles, volume, sessions, indicators, trades and price lines over one time axis."""

from collections.abc import Callable, Sequence

from PyQt6.QtWidgets import QWidget

from app.charts.candles import CandleLayer, GapLayer
from app.charts.crosshair import Crosshair
from app.charts.cursor import Cursor, CursorModel
from app.charts.frame import Layer
from app.charts.levels import Level
from app.charts.lines import Line, LineLayer
from app.charts.marks import TradeMarks
from app.charts.pane import Pane
from app.charts.prices import PriceFormat, PriceStyle
from app.charts.sessions import Hours, SessionLayer
from app.charts.ticks import LocalTime
from app.charts.time_chart import TimeChart, line_colour
from app.charts.timeframe import BarView
from app.charts.trades import PathLayer, TradeLayer
from app.charts.viewport import Viewport
from app.charts.volume import VolumeLayer
from app.theme.tokens import DARK, Theme

PRICE = "price"
VOLUME = "volume"

LevelSource = Callable[[Cursor], Sequence[Level]]
PathSource = Callable[[Cursor], Sequence[float]]


class ChartWidget(TimeChart):
    """The chart of one symbol.

    Attributes:
        symbol: its name.
        form: how its prices are written and to which tick they snap.
        title: begins the heading.
    """

    def __init__(
        self,
        symbol: str,
        view: BarView,
        model: CursorModel,
        form: PriceFormat,
        *,
        title: str | None = None,
        theme: Theme = DARK,
        clock: LocalTime | None = None,
        viewport: Viewport | None = None,
        crosshair: Crosshair | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            symbol, view, model, theme=theme, clock=clock, viewport=viewport, crosshair=crosshair, parent=parent
        )
        self.form = form
        self._level_source: LevelSource | None = None
        self._path_source: PathSource | None = None
        self._volume = VolumeLayer()
        self._trades = TradeLayer(TradeMarks.empty())
        self._path = PathLayer()
        layers: list[Layer] = [self._volume, GapLayer(), CandleLayer(), self._trades, self._path]
        self.price = Pane(
            PRICE, form, layers, symbol if title is None else title, 3.0, self.levels, bars=True, below=0.24
        )
        self.add_pane(self.price)
        if len(view.master):
            self.set_axis_chars(max(9, len(form.text(float(view.master.close[0]))) + 1))

    def add_line(self, line: Line, pane: str = PRICE) -> None:
        """Draw a line in a pane that is there; over the bars it does not squeeze them."""
        target = self.pane(pane)
        layer = LineLayer(line, line_colour(line, len(target.lines())), stretch=not target.bars)
        # Over the candles, under the trades.
        at = target.layers.index(self._trades) if target.bars else len(target.layers)
        target.layers.insert(at, layer)
        self.touch()

    def show_volume(self, where: str) -> None:
        """Volume under the candles ("overlay"), in a pane of its own ("pane") or not at all ("off")."""
        if VOLUME in [pane.name for pane in self.panes]:
            self.remove_pane(VOLUME)
        self.price.layers = [layer for layer in self.price.layers if layer is not self._volume]
        self.price.below = 0.24 if where == "overlay" else 0.08
        if where == "overlay":
            self.price.layers.insert(int(self.hours is not None), self._volume)
        elif where == "pane":
            form = PriceFormat(1.0, 0, PriceStyle.COMPACT)
            self.add_pane(Pane(VOLUME, form, [VolumeLayer(share=1.0)], "Volume", 0.6, below=0.0))
        self.touch()

    def set_hours(self, hours: Hours | None) -> None:
        """Shade sessions, and let days of the time axis begin with them."""
        self.price.layers = [layer for layer in self.price.layers if not isinstance(layer, SessionLayer)]
        if hours is not None:
            self.price.layers.insert(0, SessionLayer(hours))
        self.hours = hours
        self.touch()

    def set_trades(self, marks: TradeMarks) -> None:
        """Show these entries and exits, as far as the cursor has come."""
        self._trades.marks = marks
        self.touch()

    def set_sources(self, levels: LevelSource | None = None, path: PathSource | None = None) -> None:
        """Where price lines and the assumed path of a bar come from: asked once a frame, with the cursor."""
        self._level_source, self._path_source = levels, path
        self.touch()

    def set_log(self, log: bool) -> None:
        """Make the price scale logarithmic or linear."""
        self.price.log = log
        self.price.manual = None
        self.touch()

    def _pull(self, cursor: Cursor) -> None:
        self.levels.levels = () if self._level_source is None else tuple(self._level_source(cursor))
        self._path.path = () if self._path_source is None else tuple(self._path_source(cursor))
