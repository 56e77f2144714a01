"""The same trades as backtesting.py, to the cent, on the reference work (an engine that shares no line with ours)."""

from pathlib import Path

import pytest

from data.loading import SourceSettings, load_series
from data.series import BarSeries
from data.synthetic import MarketSettings, generate
from engine.market import Market
from tests.proof import reference_work as work


def market_of(series: BarSeries) -> Market:
    return Market([work.instrument(series.symbol)], [series])


def traded(market: Market) -> tuple[list[work.Traded], list[work.Traded]]:
    """The work's trades, here and there: bars, size, and net to the cent."""
    run = work.run_here(market)
    assert run.complete() == "completed"
    return work.traded_here(run), work.traded_there(market)


@pytest.fixture(scope="module")
def walk() -> Market:
    """Gaps between bars, jumps, trends and chop."""
    settings = MarketSettings(symbol="ES", sessions=8, jump_chance=0.01, opening_step=0.5, volatility_ticks=4.0)
    return market_of(generate(settings, 11).series)


def test_a_synthetic_market_gives_the_same_trades(walk: Market) -> None:
    here, there = traded(walk)

    assert here == there
    assert len(here) >= 150
    assert {trade.size for trade in here} == {1, -1}


def test_a_week_of_es_gives_the_same_trades(shared_dir: Path) -> None:
    file = shared_dir / "data" / "ESZ3_1m_2013-10.csv"
    series = load_series(SourceSettings(symbol="ES", file=file, timestamp="open"))

    here, there = traded(market_of(series))

    assert here == there
    assert len(here) >= 80
    assert {trade.size for trade in here} == {1, -1}


def test_a_tick_less_of_slippage_is_noticed(walk: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    run = work.run_here(walk)
    run.complete()
    monkeypatch.setattr(work, "SLIPPAGE_TICKS", 0.0)
    assert work.traded_here(run) != work.traded_there(walk)


@pytest.mark.rule("S14")
def test_both_drives_do_the_work_alike(walk: Market) -> None:
    step, compiled = (work.run_here(walk, drive) for drive in ("step", "compiled"))
    step.complete()
    compiled.complete()
    assert work.traded_here(step) == work.traded_here(compiled)
