"""How many shapes reach Qt in one call: arrays of Qt's plain records, filled through numpy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PyQt6 import sip
from PyQt6.QtCore import QLineF, QPointF, QRect

from data.series import FloatArray

# sip's stubs do not tell of the size that an array takes, nor that its memory can be read.
_sip: Any = sip


def boxes(count: int) -> tuple[Any, NDArray[np.int32]]:
    """QRects and their memory, a row each: left, top, right, bottom, the last two inside the box."""
    array = _sip.array(QRect, count)
    return array, np.frombuffer(_sip.voidptr(array, count * 16), dtype=np.int32).reshape(count, 4)


def points(count: int) -> tuple[Any, FloatArray]:
    """QPointFs and their memory, a row each: x, y."""
    array = _sip.array(QPointF, count)
    return array, np.frombuffer(_sip.voidptr(array, count * 16), dtype=np.float64).reshape(count, 2)


def lines(count: int) -> tuple[Any, FloatArray]:
    """QLineFs and their memory, a row each: x and y of one end, x and y of the other."""
    array = _sip.array(QLineF, count)
    return array, np.frombuffer(_sip.voidptr(array, count * 32), dtype=np.float64).reshape(count, 4)
