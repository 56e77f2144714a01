"""How volume is drawn: columns at the foot of a pane, scaled by what is visible up to the cursor."""

import numpy as np

from app.charts.canvas import Canvas
from app.charts.frame import Frame, Layer, Window
from app.charts.scale import Extent


class VolumeLayer(Layer):
    """Columns of volume.

    Attributes:
        share: how much of the pane's height the highest column takes; below 1 the columns stand under the candles
            and do not take part in the pane's scale.
    """

    def __init__(self, share: float = 0.18) -> None:
        self.share = share

    def extent(self, window: Window) -> Extent | None:
        if self.share < 1:
            return None
        return Extent(0.0, self._highest(window))

    def paint(self, canvas: Canvas, frame: Frame) -> None:
        window, buckets, theme = frame.window, frame.window.buckets, frame.theme
        highest = frame.scale.high if self.share >= 1 else self._highest(window)
        room = (frame.bottom - frame.top) * min(self.share, 1.0)
        heights = np.rint(buckets.volume / highest * room).astype(np.int64)
        rising = ~(buckets.close < buckets.open)
        for which, colour in ((rising, theme.volume_up), (~rising, theme.volume_down)):
            some = which & (heights > 0)
            lefts, widths = (column[some] for column in window.columns)
            canvas.rects(colour, lefts, frame.bottom - heights[some], widths, heights[some])

    @staticmethod
    def _highest(window: Window) -> float:
        volume = window.buckets.volume
        return max(float(volume.max()), 1.0) if len(volume) else 1.0
