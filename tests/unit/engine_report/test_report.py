"""The report of a run: what it says, that it stands alone, and that it says the same every time."""

import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from engine.errors import SaveError
from engine.report import ReportSource, sections, write_report
from engine.report.sections import MAX_TRADES
from engine.report.writing import render
from tests.unit.engine_report.conftest import MadeRun, made_run

VOID = {"meta", "path", "rect", "circle", "br", "link", "input", "img"}


class Balance(HTMLParser):
    """Collects the text and refuses tags that do not close in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())

    @property
    def text(self) -> str:
        return " ".join(" ".join(word for word in self.words if word).split())


def test_a_report_is_one_page_and_one_picture(run: MadeRun, tmp_path: Path) -> None:
    source: ReportSource = run  # the protocol is satisfied

    path = write_report(source, tmp_path / "made" / "here")

    assert path == tmp_path / "made" / "here" / "report.html"
    assert (path.parent / "equity.png").read_bytes()[16:24] == (1600).to_bytes(4, "big") + (900).to_bytes(4, "big")
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["equity.png", "report.html"]


def test_the_page_needs_nothing_from_elsewhere(run: MadeRun) -> None:
    page = render(run)

    assert not re.search(r"https?://|<script|<link|<img|@import|url\(", page)
    assert "prefers-color-scheme: dark" in page


def test_the_same_run_gives_the_same_bytes(run: MadeRun, tmp_path: Path) -> None:
    first = write_report(run, tmp_path / "a").parent
    second = write_report(run, tmp_path / "b").parent

    for name in ("report.html", "equity.png"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_every_section_is_there_with_its_figures(run: MadeRun) -> None:
    text = Balance(render(run)).text

    for heading in (
        "Equity and drawdown", "Returns by month", "Statistics", "R multiples", "Worst and best profit while held",
        "By symbol", "Long and short", "Costs, USD", "What the bars cannot tell", "Margin calls", "Trades", "Run",
        "Configuration",
    ):  # fmt: skip
        assert heading in text, heading
    assert f"{run.statistics.net_profit:,.2f}" in text
    assert f"{int(run.trades['ambiguous'].sum())} of 240 trades are ambiguous" in text
    assert "1,250.00" in text  # slippage
    assert "Seed 7" in text
    assert "fee_per_trade: none" in text
    assert "fx_rates: none" in text
    assert "9,000 bars" in text


def test_warnings_repairs_bounds_and_margin_calls_are_shown_where_there_are_any(run: MadeRun) -> None:
    full = dataclasses.replace(
        run,
        warnings=["No commission was given for GC: 0 is assumed."],
        repairs={"ES": {"duplicate": 3, "order": 0}},
        bounds={"best case": run.statistics},
        margin_calls={
            "time_ns": np.array([1_704_450_600_000_000_000]),
            "worst_equity": np.array([41_250.0]),
            "required": np.array([42_000.0]),
            "between": np.array([-312.5]),
            "equity_after": np.array([43_100.0]),
        },
    )

    text = Balance(render(full)).text

    assert "No commission was given for GC: 0 is assumed." in text
    assert "ES: 3 rows repaired (duplicate)" in text
    assert "(order)" not in text
    assert "this run" in text
    assert "best case" in text
    assert "2024-01-05 10:30 41,250.00 42,000.00 -312.50 43,100.00" in text
    assert "Warnings and repairs" not in Balance(render(run)).text


def test_words_of_the_user_are_shown_as_words(run: MadeRun) -> None:
    page = render(dataclasses.replace(run, title="<b>A & B</b>", configuration={"note": "<script>x</script>"}))

    assert "<h1>&lt;b&gt;A &amp; B&lt;/b&gt;</h1>" in page
    assert "<script>" not in page


def test_a_long_table_of_trades_is_cut_with_a_note() -> None:
    page = render(made_run(3_000, MAX_TRADES + 500))

    text = Balance(page).text
    assert f"The last {MAX_TRADES:,} of {MAX_TRADES + 500:,} trades" in text
    assert page.count("<tr>") < MAX_TRADES + 100
    assert f"{MAX_TRADES + 500}" in text


def test_many_bars_and_trades_keep_the_page_small() -> None:
    page = render(made_run(300_000, 20_000))

    assert len(page) < 1_500_000
    assert "Every 7th trade is drawn." in page


@pytest.mark.parametrize(("bars", "trades"), [(0, 0), (1, 0), (2, 0), (60, 1)])
def test_short_runs_have_a_report_too(bars: int, trades: int, tmp_path: Path) -> None:
    path = write_report(made_run(bars, trades), tmp_path)

    page = path.read_text(encoding="utf-8")
    text = Balance(page).text
    assert "nan" not in page
    assert ">inf" not in page
    assert (tmp_path / "equity.png").exists() == (bars > 0)
    assert ("no bars" in text) == (bars == 0)
    assert ("There are no trades." in text) == (trades == 0)


def test_trades_without_a_stop_have_no_r(run: MadeRun) -> None:
    bare = dataclasses.replace(run, trades={**run.trades, "r_multiple": np.full(240, np.nan)})

    text = Balance(render(bare)).text

    assert "No trade had a stop, so there is no R." in text


def test_a_market_that_does_not_move_and_one_below_zero_are_drawn(run: MadeRun) -> None:
    still = dataclasses.replace(run, equity=np.full(9_000, 100_000.0), closes=np.full((9_000, 2), -37.6))

    page = render(still)

    assert "buy and hold" not in page
    assert "nan" not in page


def test_a_folder_that_cannot_be_written_is_named(run: MadeRun, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")

    with pytest.raises(SaveError, match=r"the report could not be written to .*taken"):
        write_report(run, taken)


def test_prices_of_a_symbol_stand_under_each_other(run: MadeRun) -> None:
    """19,083.00 above 19,087.25, where 19,083 would stand above the quarter."""
    rows = sections.trades(run).rows
    decimals = {cell.text.partition(".")[2] for row in rows for cell in (row[5], row[7])}
    assert {len(text) for text in decimals} == {2}
    assert len(decimals) > 1


def test_costs_are_told_in_basis_points_of_the_turnover(run: MadeRun) -> None:
    """A commission of a thousandth of a percent is 0.00 %, and 0.10 bp."""
    statistics = dataclasses.replace(run.statistics, commission=1_000.0, turnover=1e8)
    table = sections.costs(statistics)
    assert table.headings[-1] == "Of turnover, bp"
    assert table.rows[0][-1].text == "0.10"
