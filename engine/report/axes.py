"""Where an axis has its marks, and what they say."""

import math

import numpy as np

from data.series import FloatArray

_MINUTE, _DAY = 60_000_000_000, 86_400_000_000_000
_STEPS = [_MINUTE * m for m in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720)] + [_DAY * d for d in (1, 2, 4, 7, 14)]
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600)
_MONTH_NS = 30.44 * _DAY

Mark = tuple[float, str]


def number_marks(low: float, high: float, wanted: int = 6) -> list[float]:
    """Round values from ``low`` to ``high``, about ``wanted`` of them; steps are 1, 2, 2.5 or 5 x a power of ten."""
    span = high - low
    if not span > 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(span / wanted))
    step = next(power * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if span / (power * factor) <= wanted)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) + 0.0 for i in range(first, last + 1)]


def short_number(value: float) -> str:
    """``1.25M``, ``100k``, ``950``, ``0.5``."""
    for size, suffix in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.10g}{suffix}"
    return f"{value + 0.0:.10g}"


def time_marks(start_ns: int, end_ns: int, wanted: int = 8) -> list[Mark]:
    """(time, label) at round moments from start to end, UTC; the label says no more than the step needs."""
    span = end_ns - start_ns
    for step in _STEPS:
        if span / step <= wanted:
            first = -(-start_ns // step) * step
            times = np.arange(first, end_ns + 1, step, dtype=np.int64).astype("datetime64[ns]")
            return [(float(at.astype(np.int64)), _label(at, clock=step < _DAY)) for at in times]
    months = next((m for m in _MONTHS if span / (m * _MONTH_NS) <= wanted), _MONTHS[-1])
    return _month_marks(start_ns, end_ns, months)


def _month_marks(start_ns: int, end_ns: int, step: int) -> list[Mark]:
    first = int(np.datetime64(start_ns, "ns").astype("datetime64[M]").astype(np.int64))
    last = int(np.datetime64(end_ns, "ns").astype("datetime64[M]").astype(np.int64))
    marks = []
    for month in range(-(-first // step) * step, last + 1, step):
        at = np.datetime64(month, "M")
        at_ns = float(at.astype("datetime64[ns]").astype(np.int64))
        if start_ns <= at_ns <= end_ns:
            marks.append((at_ns, str(at)[:4] if step >= 12 else str(at)))
    return marks


def _label(at: np.datetime64, *, clock: bool) -> str:
    text = str(at.astype("datetime64[m]"))
    return text[5:].replace("T", " ") if clock else text[:10]


class Scale:
    """Maps values from ``low`` to ``high`` linearly onto pixels from ``start`` to ``end``."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        room = 0.0 if high > low else max(1.0, abs(low) * 1e-9)
        self.low, self.high = low - room, high + room
        self.start, self.end = start, end

    def __call__(self, value: float) -> float:
        """Pixel of one value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def all(self, values: FloatArray) -> FloatArray:
        """Pixels of many values."""
        pixels: FloatArray = self.start + (values - self.low) / (self.high - self.low) * (self.end - self.start)
        return pixels
