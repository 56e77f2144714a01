"""The picture of a run, ``equity.png``: equity against buy and hold, and the drawdown below it."""

from pathlib import Path
from typing import Any

from data.series import FloatArray, TimeArray
from engine.report.axes import short_number
from engine.report.curves import buy_and_hold, thin
from engine.report.source import ReportSource
from engine.statistics import Statistics, drawdown_series, format_figure
from engine.statistics.figures import Unit

_BACK, _CARD, _LINE = "#0b0e14", "#11151d", "#252d3a"
_TEXT, _MUTED = "#dbe1ea", "#8d98aa"
_ACCENT, _DOWN = "#4c8dff", "#f6465d"
_COLUMNS = 1400


def write_picture(source: ReportSource, path: Path) -> None:
    """Draw 1600 x 900 pixels; needs at least one bar."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(16, 9), dpi=100, facecolor=_BACK)
    FigureCanvasAgg(figure)
    upper, lower = figure.subplots(
        2,
        1,
        sharex=True,
        height_ratios=(3, 1),
        gridspec_kw={"hspace": 0.06, "left": 0.06, "right": 0.97, "top": 0.86, "bottom": 0.06},
    )
    _draw_equity(upper, source)
    _draw_drawdown(lower, source)
    for axes in (upper, lower):
        _dress(axes)
    figure.text(0.06, 0.935, source.title, color=_TEXT, fontsize=20, fontweight="bold")
    figure.text(0.06, 0.895, _summary(source.statistics, source.currency), color=_MUTED, fontsize=13)
    figure.savefig(path, facecolor=_BACK)


def _draw_equity(axes: Any, source: ReportSource) -> None:
    hold = buy_and_hold(source.closes, source.initial_cash)
    if hold is not None:
        axes.plot(
            *_curve(source.time_ns, hold), color=_MUTED, linewidth=1.2, linestyle=(0, (5, 3)), label="buy and hold"
        )
    axes.plot(*_curve(source.time_ns, source.equity), color=_ACCENT, linewidth=1.6, label="equity")
    axes.yaxis.set_major_formatter(lambda value, _: short_number(round(value, 9)))
    axes.legend(loc="upper left", frameon=False, labelcolor=_TEXT, fontsize=12)


def _draw_drawdown(axes: Any, source: ReportSource) -> None:
    times, depths = _curve(source.time_ns, drawdown_series(source.equity, source.initial_cash) * 100.0)
    axes.fill_between(times, depths, 0.0, color=_DOWN, alpha=0.25, linewidth=0)
    axes.plot(times, depths, color=_DOWN, linewidth=1.0)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value + 0.0:g} %")
    axes.set_ylabel("drawdown", color=_MUTED, fontsize=12)


def _curve(time_ns: TimeArray, values: FloatArray) -> tuple[Any, FloatArray]:
    times, kept = thin(time_ns, values, _COLUMNS)
    return times.astype("datetime64[ns]").astype("datetime64[us]").astype(object), kept


def _dress(axes: Any) -> None:
    axes.set_facecolor(_CARD)
    axes.grid(color=_LINE, linewidth=0.6)
    axes.tick_params(colors=_MUTED, labelsize=12, length=0)
    axes.margins(x=0.01)
    for spine in axes.spines.values():
        spine.set_color(_LINE)


def _summary(statistics: Statistics, currency: str) -> str:
    shown = (
        f"net {format_figure(statistics.net_profit, Unit.MONEY)} {currency}",
        f"return {format_figure(statistics.total_return, Unit.FRACTION)}",
        f"max drawdown {format_figure(statistics.max_drawdown_pct, Unit.FRACTION)}",
        f"Sharpe {format_figure(statistics.sharpe, Unit.RATIO)}",
        f"{statistics.trades:,} trades",
    )
    return "   ".join(shown)
