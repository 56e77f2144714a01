"""Master timeline: what a symbol without a bar does, and does not (S3)."""

from math import isnan

import numpy as np
import pytest

from tests.properties import drives
from tests.rules.table import made, play

HOLED = {
    "A": [(100, 101, 99, 100), None, (95, 96, 94, 95)],
    "B": [(50, 51, 49, 50), (50, 51, 49, 50), (50, 51, 49, 50)],
}


@pytest.mark.rule("S3.2")
def test_a_synthetic_bar_has_the_last_close_no_volume_and_no_other_price() -> None:
    run = drives.made(made(HOLED, (), 1000.0, {}), "step")

    run.advance(2)

    view = run.engine.get_latest_data("A")
    assert (view.real, view.close, view.last_close, view.volume) == (False, 100.0, 100.0, 0.0)
    assert isnan(view.open)
    assert isnan(view.high)
    assert isnan(view.low)


@pytest.mark.rule("S3.2")
def test_before_a_symbols_first_bar_there_is_no_price_at_all() -> None:
    late = {"A": [None, (100, 101, 99, 100)], "B": [(50, 51, 49, 50), (50, 51, 49, 50)]}
    run = drives.made(made(late, (), 1000.0, {}), "step")

    run.advance(1)

    view = run.engine.get_latest_data("A")
    assert isnan(view.close)
    assert isnan(view.last_close)


@pytest.mark.rule("S3.3")
def test_nothing_fills_on_a_synthetic_bar_and_the_mark_is_the_last_close() -> None:
    """The long of A is worth (100 - 99) x 10 less after bar 0, and as much after bar 1; its stop waits for bar 2."""
    bars = {"A": [(100, 101, 98, 99), None, (95, 96, 94, 95)], "B": HOLED["B"]}

    story = play(bars, "0 open: buy 1 sl 97", "0 close: sell 1")

    assert story.fills[1:] == ["A: 2 OPEN sell 1 @ 95 stop_loss", "A: 2 OPEN sell 1 @ 95 market"]
    assert story.row("equity") == [99_990.0, 99_990.0, 99_950.0]


@pytest.mark.rule("S3.3")
def test_the_bot_decides_nothing_for_a_symbol_without_a_bar() -> None:
    """The ATR of one bar is known from the second bar's close on."""
    row = (100, 101, 99, 100)
    bars = {"A": [row, row, None, row], "B": [row] * 4}
    bot = {"kind": "given", "sides": {"A": ["buy"] * 4}, "exit": {"kind": "trailing_atr", "atr_period": 1}}

    story = play(bars, bot=bot | {"risk_pct": 0.01, "max_margin_pct": 0.5})

    assert story.result["gates"]["A"] == ["atr", "atr", "synthetic", "entered"]


@pytest.mark.rule("S3.3")
def test_indicators_are_carried_over_synthetic_bars() -> None:
    """Mean of two closes of A: none, still none, (100 + 95) / 2 = 97.5."""
    market = drives.made(made(HOLED, (), 1000.0, {}), "step").engine.market

    average = market.indicator("sma", period=2)[:, 0]
    ema = market.indicator("ema", period=1)[:, 0]

    assert np.array_equal(average, [np.nan, np.nan, 97.5], equal_nan=True)
    assert ema.tolist() == [100.0, 100.0, 95.0]
