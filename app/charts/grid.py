"""Several charts in one window: linked in time, with one crosshair, on one clock."""

from collections.abc import Sequence

from PyQt6.QtWidgets import QGridLayout, QWidget

from app.charts.clock import FrameClock
from app.charts.time_chart import TimeChart


class ChartGrid(QWidget):
    """Charts in rows and columns; all share the first one's crosshair and, unless they show the whole run, its time.

    Attributes:
        charts: the charts, row by row.
        clock: what lets them draw.
    """

    def __init__(
        self, charts: Sequence[TimeChart], clock: FrameClock, columns: int = 1, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.charts = list(charts)
        self.clock = clock
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        widest = max((chart.axis_chars for chart in self.charts), default=0)
        for number, chart in enumerate(self.charts):
            if not chart.viewport_model.fit:
                chart.viewport_model = self.charts[0].viewport_model
            chart.crosshair = self.charts[0].crosshair
            chart.set_axis_chars(widest)
            chart.changed.connect(clock.request)
            clock.add_view(chart)
            layout.addWidget(chart, number // columns, number % columns)

    def chart(self, symbol: str) -> TimeChart:
        """A chart by its symbol; KeyError if there is none."""
        return {chart.symbol: chart for chart in self.charts}[symbol]

    def release(self) -> None:
        """Take the charts off the clock, before the grid is thrown away."""
        for chart in self.charts:
            self.clock.remove_view(chart)
            chart.changed.disconnect(self.clock.request)
