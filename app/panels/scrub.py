"""The scrub bar: the whole run as a strip to drag the cursor on; equity and trades up to the cursor, nothing later."""

import numpy as np
from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QMouseEvent
from PyQt6.QtWidgets import QSizePolicy

from app.charts.canvas import Canvas
from app.charts.cursor import PHASES, Cursor
from app.panels.painted import Painted
from app.session import RunSession
from app.theme.tokens import blend
from data.series import FloatArray
from engine.kernel.schema import Phase


class ScrubBar(Painted):
    """A strip from the run's first bar to its last.

    Signals:
        moved: where the cursor was dragged to.
    """

    moved = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self.session: RunSession | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(160, 28)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName("Scrub bar: drag to move in time")
        self.setToolTip("Drag to move in time")

    def sizeHint(self) -> QSize:
        return QSize(320, 32)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        self._drag(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self._drag(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        if event is not None:
            event.ignore()

    def _drag(self, event: QMouseEvent | None) -> None:
        if self.session is not None and event is not None:
            share = min(max(event.position().x() / max(self.width() - 1, 1), 0.0), 1.0)
            self.moved.emit(Cursor(round(share * (self.session.facts.bars - 1)), Phase.CLOSE))

    def draw(self, canvas: Canvas, width: int, height: int) -> None:
        if self.session is not None and self.session.facts.bars:
            self._paint(canvas, self.session, width, height)

    def _paint(self, canvas: Canvas, session: RunSession, width: int, height: int) -> None:
        bars, store = session.facts.bars, session.model.store
        cursor = session.model.cursor
        ready = round(width * store.bars / bars)
        foot = canvas.px(3)
        # Up to where the engine has come: how far one may go, not what is there.
        canvas.rect(self.look.line, 0, height - foot, ready, foot)
        known = min(cursor.known(Phase.CLOSE), store.bars)
        here = round((width - 1) * max(cursor.bar, 0) / max(bars - 1, 1))
        if known > 1:
            self._paint_equity(canvas, store.equity.rows["equity"], known, bars, width, height - foot)
        self._paint_trades(canvas, session, width, height - foot, foot)
        canvas.rect(self.look.amber, min(here, width - canvas.px(2)), 0, canvas.px(2), height)

    def _paint_equity(
        self, canvas: Canvas, equity: FloatArray, known: int, bars: int, width: int,
        height: int,
    ) -> None:  # fmt: skip
        at = np.unique(np.linspace(0, known - 1, min(known, 2 * width)).astype(np.int64))
        values = equity[at]
        low, high = float(values.min()), float(values.max())
        share = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
        margin = canvas.px(3)
        x: FloatArray = at.astype(np.float64) * ((width - 1) / max(bars - 1, 1))
        y: FloatArray = (height - margin - share * (height - 2 * margin)).astype(np.float64)
        canvas.polyline(blend(self.look.accent, self.look.chart, 0.75), x, y, canvas.px(1))

    def _paint_trades(self, canvas: Canvas, session: RunSession, width: int, top: int, height: int) -> None:
        """A tick per pixel in which trades ended: up where they gained more than they lost."""
        store = session.model.store
        known = store.trades.count(session.model.cursor)
        if not known:
            return
        # The first bar of each pixel, and one beyond the last: trades are in order of their exits, so that sums over
        # pixels are differences of sums over time.
        first = np.ceil(np.arange(width + 1) * (max(session.facts.bars - 1, 1) / (width - 1))).astype(np.int64)
        places = np.searchsorted(store.trades.keys[:known], first * PHASES)
        there, sums = np.diff(places) > 0, np.diff(store.nets()[places])
        for which, colour in ((there & (sums >= 0), self.look.up), (there & (sums < 0), self.look.down)):
            lefts = np.flatnonzero(which).astype(np.int64)
            canvas.rects(colour, lefts, top, max(canvas.px(1), 1), height)
