"""How the tests of the window draw: a pane into an image, without a window."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PyQt6.QtGui import QColor, QImage, QPainter

from app.charts.bars import BarStore
from app.charts.canvas import Canvas
from app.charts.cursor import Cursor
from app.charts.frame import Frame, Layer, Window
from app.charts.level_lines import LevelLayer
from app.charts.pane import Pane, Picture, paint_pane
from app.charts.prices import PriceFormat
from app.charts.timeframe import BarView, Timeframe
from app.charts.viewport import Viewport
from app.theme import DARK, Theme
from tests.app.markets import MINUTE

WIDTH, HEIGHT, AXIS = 640, 320, 80
TICK = PriceFormat.for_tick(0.25)


@dataclass(frozen=True)
class Look:
    """How a picture is taken."""

    span: float = 90.0
    ratio: float = 1.0
    timeframe: Timeframe | None = None
    theme: Theme = DARK
    log: bool = False
    heading: bool = True

    def at(self, **changes: object) -> "Look":
        return replace(self, **changes)


def window_of(store: BarStore, cursor: Cursor, look: Look) -> Window:
    view = BarView(store, look.timeframe, MINUTE)
    viewport = Viewport(span=look.span)
    viewport.settle(cursor)
    width = round((WIDTH - AXIS) * look.ratio)
    return Window(view, cursor, viewport, left=0, width=width, ratio=look.ratio)


def paint(
    store: BarStore,
    cursor: Cursor,
    layers: Sequence[Layer],
    look: Look | None = None,
    levels: LevelLayer | None = None,
    bars: bool = True,
) -> np.ndarray:
    """A pane with these layers as pixels, ``[height, width, 3]``."""
    look = look or Look()
    window = window_of(store, cursor, look)
    pane = Pane("price", TICK, list(layers), "TEST" if look.heading else "", levels=levels, bars=bars, log=look.log)
    top = round(44 * look.ratio)
    frame = Frame(window, pane.scale(window), top, round(HEIGHT * look.ratio), TICK, look.theme)
    picture = Picture(window, [], round(AXIS * look.ratio), look.theme)
    image = QImage(round(WIDTH * look.ratio), round(HEIGHT * look.ratio), QImage.Format.Format_RGB32)
    image.fill(QColor(look.theme.chart))
    painter = QPainter(image)
    try:
        paint_pane(Canvas(painter, look.ratio), pane, frame, picture, 1)
    finally:
        painter.end()
    return pixels(image)


def pixels(image: QImage) -> np.ndarray:
    """An image as an array ``[height, width, 3]`` (red, green, blue), a copy."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    memory = image.constBits()
    memory.setsize(image.sizeInBytes())
    rows = np.frombuffer(memory, dtype=np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return rows[:, : image.width(), 2::-1].copy()


def coloured(picture: np.ndarray, colour: str) -> np.ndarray:
    """Where a picture has exactly this colour."""
    wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return (picture == wanted).all(axis=2)
