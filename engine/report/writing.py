"""Writing a run's report: ``report.html``, one file that needs nothing else, and ``equity.png``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import SaveError
from engine.report import charts, sections
from engine.report.curves import buy_and_hold
from engine.report.picture import write_picture
from engine.report.source import ReportSource
from engine.statistics import drawdown_series, r_histogram

_TEMPLATES = Path(__file__).parent / "templates"


def write_report(source: ReportSource, folder: Path) -> Path:
    """Write ``report.html`` and ``equity.png`` into ``folder``, which is made if need be; gives the report's path.

    The same run gives the same bytes: nothing in it tells when or where it was written. A million bars take a few
    seconds: curves are thinned, tables are cut with a note. Without a single bar there is no picture.

    Raises SaveError if a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "report.html"
        path.write_text(render(source), encoding="utf-8")
        if len(source.equity):
            write_picture(source, folder / "equity.png")
    except OSError as error:
        raise SaveError(f"the report could not be written to {folder}: {error.strerror or error}") from error
    return path


def render(source: ReportSource) -> str:
    """The page as text."""
    return page_of(_TEMPLATES / "report.html", _content(source))


def page_of(template: Path, content: Mapping[str, Any]) -> str:
    """A page from a template and what it names, in the style of all reports; a name without content is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(template.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (_TEMPLATES / "report.css").read_text(encoding="utf-8")
    return environment.get_template(template.name).render(style=style, **content)


def _content(source: ReportSource) -> dict[str, Any]:
    statistics, trades = source.statistics, source.trades
    return {
        "title": source.title,
        "status": source.status,
        "currency": source.currency,
        "subtitle": _subtitle(source),
        "cards": sections.cards(statistics, source.currency),
        "months": sections.months(source),
        "figures": sections.figure_list(statistics),
        "symbols": sections.per_symbol(source),
        "sides": sections.sides(source),
        "costs": sections.costs(statistics),
        "bounds": sections.bounds(source) if source.bounds else None,
        "ambiguous": int(np.count_nonzero(trades["ambiguous"])),
        "margin_calls": sections.margin_calls(source),
        "trades": sections.trades(source),
        "trade_count": statistics.trades,
        "warnings": [*source.warnings, *sections.repairs(source)],
        "facts": source.facts,
        "configuration": sections.configuration_text(source.configuration),
        **_charts(source),
    }


def _charts(source: ReportSource) -> dict[str, Any]:
    from markupsafe import Markup

    trades = source.trades
    hold = buy_and_hold(source.closes, source.initial_cash)
    fall = drawdown_series(source.equity, source.initial_cash)
    histogram = r_histogram(np.asarray(trades["r_multiple"], dtype=np.float64))
    excursions = (trades["mae"], trades["mfe"], trades["net"])
    return {
        # Markup is safe here: the charts contain numbers and fixed words only.
        "equity_chart": Markup(charts.equity_chart(source.time_ns, source.equity, hold, fall)) if len(fall) else "",
        "has_hold": hold is not None,
        "r_chart": Markup(charts.r_chart(histogram)) if len(histogram.counts) else "",
        "excursion_chart": Markup(charts.excursion_chart(*excursions)) if len(trades["net"]) else "",
        "scatter_step": charts.every_nth(len(trades["net"])).step,
    }


def _subtitle(source: ReportSource) -> str:
    if not len(source.time_ns):
        return "no bars"
    first, last = sections.moment(int(source.time_ns[0])), sections.moment(int(source.time_ns[-1]))
    return f"{', '.join(source.symbols)} · {first} to {last} UTC · {len(source.time_ns):,} bars"
