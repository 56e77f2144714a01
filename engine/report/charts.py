"""The charts of a report as inline SVG: colours come from the page's style sheet, so they follow light and dark."""

from html import escape
from typing import NamedTuple

import numpy as np

from data.series import FloatArray, TimeArray
from engine.report.axes import Scale, number_marks, short_number, time_marks
from engine.report.curves import thin
from engine.statistics import Histogram

WIDTH = 1120
MAX_POINTS = 3000
_LEFT, _RIGHT = 64, 14


class Box(NamedTuple):
    """A plot area in pixels."""

    left: float
    top: float
    right: float
    bottom: float


def equity_chart(time_ns: TimeArray, equity: FloatArray, hold: FloatArray | None, drawdown: FloatArray) -> str:
    """Equity (and buy and hold, dashed) above the drawdown, over one time axis."""
    upper, lower = Box(_LEFT, 12, WIDTH - _RIGHT, 290), Box(_LEFT, 312, WIDTH - _RIGHT, 410)
    x = Scale(float(time_ns[0]), float(time_ns[-1]), upper.left, upper.right)
    curves = [equity] if hold is None else [equity, hold]
    low, high = min(float(c.min()) for c in curves), max(float(c.max()) for c in curves)
    pad = (high - low) * 0.04
    money = Scale(low - pad, high + pad, upper.bottom, upper.top)
    depth = Scale(min(float(drawdown.min()), -0.001) * 1.05, 0.0, lower.bottom, lower.top)
    parts = [_rows(upper, money, percent=False), _rows(lower, depth, percent=True, wanted=3)]
    parts.append(_time_axis(x, upper, lower))
    parts.append(_fall(x, depth, time_ns, drawdown, lower))
    if hold is not None:
        parts.append(f'<path class="hold" d="{_line(x, money, *thin(time_ns, hold, WIDTH))}"/>')
    parts.append(f'<path class="equity" d="{_line(x, money, *thin(time_ns, equity, WIDTH))}"/>')
    return _svg(WIDTH, 436, "Equity and drawdown", parts)


def r_chart(histogram: Histogram) -> str:
    """Number of trades by R multiple, losses left of zero hatched by their class."""
    box = Box(52, 12, 536, 250)
    edges, counts = histogram.edges, histogram.counts
    x = Scale(float(edges[0]), float(edges[-1]), box.left, box.right)
    y = Scale(0.0, float(counts.max()) * 1.05, box.bottom, box.top)
    parts = [_rows(box, y, percent=False, wanted=4)]
    for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True):
        kind = "win" if low >= 0 else "loss"
        left, right, top = x(float(low)) + 1, x(float(high)) - 1, y(float(count))
        title = f"<title>{low + 0.0:g} to {high + 0.0:g} R: {count}</title>"
        parts.append(
            f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{max(right - left, 0.5):.1f}" '
            f'height="{box.bottom - top:.1f}">{title}</rect>'
        )
    parts += [_below(x(mark), box, f"{mark:g} R") for mark in number_marks(x.low, x.high, 12)]
    return _svg(550, 280, "Histogram of R multiples", parts)


def excursion_chart(mae: FloatArray, mfe: FloatArray, net: FloatArray) -> str:
    """Each trade's worst (across) and best (up) gross profit while held; winners are circles, losers crosses."""
    box = Box(60, 12, 536, 250)
    chosen = every_nth(len(net))
    x = Scale(0.0, max(float(-mae.min()), 1e-9) * 1.04, box.left, box.right)
    y = Scale(0.0, max(float(mfe.max()), 1e-9) * 1.04, box.bottom, box.top)
    parts = [_rows(box, y, percent=False, wanted=5)]
    parts += [_below(x(mark), box, short_number(-mark)) for mark in number_marks(x.low, x.high, 6)]
    across, up = x.all(-mae[chosen]), y.all(mfe[chosen])
    won = net[chosen] > 0.0
    circles = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.6"/>' for a, b in zip(across[won], up[won], strict=True))
    crosses = "".join(
        f"M{a - 2.6:.1f} {b - 2.6:.1f}l5.2 5.2m0 -5.2l-5.2 5.2" for a, b in zip(across[~won], up[~won], strict=True)
    )
    parts += [f'<g class="win-mark">{circles}</g>', f'<path class="loss-mark" d="{crosses}"/>']
    return _svg(550, 280, "Worst and best profit while held", parts)


def every_nth(count: int) -> slice:
    """All of them, or as many at equal distances as a scatter can show."""
    return slice(0, count, -(-count // MAX_POINTS) if count else 1)


def _svg(width: int, height: int, title: str, parts: list[str]) -> str:
    body = "".join(parts)
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">{body}</svg>'


def _rows(box: Box, y: Scale, *, percent: bool, wanted: int = 6) -> str:
    """Horizontal grid lines with their labels at the left."""
    rows = []
    for mark in number_marks(y.low, y.high, wanted):
        at = y(mark)
        label = f"{mark * 100:g} %" if percent else short_number(mark)
        rows.append(f'<path class="grid" d="M{box.left} {at:.1f}H{box.right}"/>')
        rows.append(f'<text class="axis end" x="{box.left - 8}" y="{at + 4:.1f}">{label}</text>')
    return "".join(rows)


def _time_axis(x: Scale, upper: Box, lower: Box) -> str:
    marks = []
    for at, label in time_marks(int(x.low), int(x.high)):
        left = x(at)
        marks.append(f'<path class="grid" d="M{left:.1f} {upper.top}V{upper.bottom}M{left:.1f} {lower.top}')
        marks.append(f'V{lower.bottom}"/>')
        marks.append(_below(left, lower, label))
    return "".join(marks)


def _below(left: float, box: Box, label: str) -> str:
    return f'<text class="axis mid" x="{left:.1f}" y="{box.bottom + 18}">{label}</text>'


def _fall(x: Scale, y: Scale, time_ns: TimeArray, drawdown: FloatArray, box: Box) -> str:
    times, depths = thin(time_ns, drawdown, WIDTH)
    line = _line(x, y, times, depths)
    return (
        f'<path class="fall-area" d="{line}L{x(float(times[-1])):.1f} {box.top}L{x(float(times[0])):.1f} {box.top}Z"/>'
        f'<path class="fall" d="{line}"/>'
    )


def _line(x: Scale, y: Scale, times: TimeArray, values: FloatArray) -> str:
    points = np.column_stack((x.all(times.astype(np.float64)), y.all(values)))
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in points.tolist())
