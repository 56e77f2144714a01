"""The chart of an account: equity and drawdown from the first bar to the cursor, beside those of other runs."""

from collections.abc import Sequence

from PyQt6.QtWidgets import QWidget

from app.charts.crosshair import Crosshair
from app.charts.cursor import CursorModel
from app.charts.lines import AreaLayer, Line, LineLayer
from app.charts.pane import Pane
from app.charts.prices import PriceFormat, PriceStyle
from app.charts.ticks import LocalTime
from app.charts.time_chart import TimeChart, line_colour
from app.charts.timeframe import BarView
from app.charts.viewport import Viewport
from app.theme.tokens import DARK, Theme

MONEY = PriceFormat(0.01, 0)
FRACTION = PriceFormat(0.0001, 4, PriceStyle.PERCENT)


class EquityChart(TimeChart):
    """Equity over drawdown; it shows the whole run so far until it is zoomed.

    ``view`` gives the master timeline (any symbol's bars). ``equity`` is in money, ``drawdown`` a fraction of the
    peak so far, at most 0 (``lines.drawdown``); ``others`` are lines of other runs, such as a branch's parent.
    """

    def __init__(
        self,
        view: BarView,
        model: CursorModel,
        equity: Line,
        drawdown: Line,
        *,
        others: Sequence[Line] = (),
        theme: Theme = DARK,
        clock: LocalTime | None = None,
        viewport: Viewport | None = None,
        crosshair: Crosshair | None = None,
        parent: QWidget | None = None,
    ) -> None:
        shown = Viewport(fit=True) if viewport is None else viewport
        super().__init__(
            "Equity", view, model, theme=theme, clock=clock, viewport=shown, crosshair=crosshair, parent=parent
        )
        lines = [LineLayer(line, line_colour(line, number)) for number, line in enumerate(others)]
        area = AreaLayer(equity, equity.colour or "accent")
        self.add_pane(Pane("equity", MONEY, [area, *lines], stretch=2.0))
        fall = AreaLayer(drawdown, drawdown.colour or "down", base=0.0)
        self.add_pane(Pane("drawdown", FRACTION, [fall], stretch=1.0))
