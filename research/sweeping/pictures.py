"""Pictures of a sweep's report, as SVG: how results spread, and in sample against out of sample."""

from collections.abc import Callable, Mapping
from html import escape

import numpy as np

from data.series import FloatArray

_MOST_DOTS = 2000
_MOST_BOXES = 60
_WIDTH, _ROW, _LEFT, _RIGHT = 760.0, 22.0, 150.0, 90.0
_SIDE, _EDGE = 420.0, 34.0

Words = Callable[[float], str]


def boxes(groups: Mapping[str, FloatArray], words: Words) -> str:
    """One row per group: lowest, quarter, median, three quarters, highest; empty where there is nothing to show."""
    shown = {name: values for name, values in list(groups.items())[:_MOST_BOXES] if len(values)}
    if not shown:
        return ""
    low = min(float(values.min()) for values in shown.values())
    high = max(float(values.max()) for values in shown.values())
    span = high - low or 1.0
    inner = _WIDTH - _LEFT - _RIGHT

    def across(value: float) -> float:
        return _LEFT + (value - low) / span * inner

    lines = [_zero(across, low, high, _ROW * len(shown))]
    for row, (name, values) in enumerate(shown.items()):
        lines.append(_box(name, np.percentile(values, [0, 25, 50, 75, 100]).tolist(), row, across, words))
    height = _ROW * len(shown) + 4.0
    return f'<svg viewBox="0 0 {_WIDTH:g} {height:g}" role="img">{"".join(lines)}</svg>'


def _zero(across: Callable[[float], float], low: float, high: float, height: float) -> str:
    if not low < 0.0 < high:
        return ""
    x = across(0.0)
    return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height:.1f}" stroke="var(--line)"/>'


def _box(name: str, marks: list[float], row: int, across: Callable[[float], float], words: Words) -> str:
    y = row * _ROW + _ROW / 2
    least, quarter, middle, upper, most = (across(mark) for mark in marks)
    told = ", ".join(words(mark) for mark in marks)
    return (
        f"<g><title>{escape(name)}: {escape(told)}</title>"
        f"{_label(_LEFT - 8, y + 4, 'end', name)}"
        f'<line x1="{least:.1f}" x2="{most:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="var(--muted)"/>'
        f'<rect x="{quarter:.1f}" y="{y - 6:.1f}" width="{max(upper - quarter, 1.0):.1f}" height="12" '
        f'fill="var(--raised)" stroke="var(--muted)"/>'
        f'<line x1="{middle:.1f}" x2="{middle:.1f}" y1="{y - 6:.1f}" y2="{y + 6:.1f}" stroke="var(--accent)" '
        f'stroke-width="2"/>'
        f'<text x="{_WIDTH - _RIGHT + 8:g}" y="{y + 4:.1f}" font-size="12" fill="var(--text)">{escape(words(marks[2]))}'
        "</text></g>"
    )


def scatter(inside: FloatArray, later: FloatArray, words: Words) -> str:
    """One dot per setting: in sample to the right, out of sample upwards, each axis with its own ends."""
    step = max(1, -(-len(inside) // _MOST_DOTS))
    x = _placed(inside[::step])
    y = _SIDE - _placed(later[::step])
    dots = "".join(
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.5" fill="var(--accent)" fill-opacity=".5"/>'
        for a, b in zip(x.tolist(), y.tolist(), strict=True)
    )
    inner = f"{_SIDE - 2 * _EDGE:g}"
    frame = f'<rect x="{_EDGE:g}" y="{_EDGE:g}" width="{inner}" height="{inner}" fill="none" stroke="var(--line)"/>'
    ends = [
        _label(_EDGE, _SIDE - 14, "start", words(float(inside.min()))),
        _label(_SIDE - _EDGE, _SIDE - 14, "end", words(float(inside.max()))),
        _label(_SIDE / 2, _SIDE - 14, "middle", "in sample"),
        _label(_EDGE, _EDGE - 8, "start", f"out of sample {words(float(later.min()))} to {words(float(later.max()))}"),
    ]
    opening = f'<svg viewBox="0 0 {_SIDE:g} {_SIDE:g}" style="max-width:{_SIDE:g}px" role="img">'
    return f"{opening}{frame}{dots}{''.join(ends)}</svg>"


def _placed(values: FloatArray) -> FloatArray:
    low, span = values.min(), np.ptp(values) or 1.0
    placed: FloatArray = _EDGE + (values - low) / span * (_SIDE - 2 * _EDGE)
    return placed


def _label(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-size="12" fill="var(--muted)">{escape(text)}</text>'
