"""Prices and ticks: the grid, the dust, and who pays for rounding (S2)."""

import pytest

from engine.orders import Order
from tests.rules.table import Story, play

QUIET = [(100.0, 101.0, 99.0, 100.0)]


def order(story: Story, number: int) -> Order:
    return story.run.engine.order(number)


@pytest.mark.rule("S2.1")
def test_floating_point_dust_does_not_decide_whether_a_level_was_touched() -> None:
    """0.1 + 0.2 is 0.30000000000000004: three ticks of 0.1, which a high of 0.3 reaches."""
    story = play([(0.1, 0.3, 0.1, 0.2)], f"0 open: buy 1 stop {0.1 + 0.2!r}", tick_size=0.1)

    assert story.fills == ["0 INTRABAR buy 1 @ 0.3 stop"]


@pytest.mark.rule("S2.1")
def test_a_price_within_a_millionth_of_a_tick_is_on_the_grid() -> None:
    """1e-7 is 4e-7 of a tick of 0.25, 1e-6 is four millionths of it."""
    story = play(QUIET, "0 open: buy 1 limit 98.9999999", "0 open: buy 1 limit 98.999999")

    assert [order(story, number).limit for number in (1, 2)] == [99.0, 98.75]


@pytest.mark.rule("S2.1")
def test_quantities_are_counted_in_lots_with_the_same_tolerance() -> None:
    """0.1 + 0.2 is three lots of 0.1; 0.35 is none."""
    story = play(QUIET, f"0 open: buy {0.1 + 0.2!r}", "0 open: buy 0.35", lot_size=0.1)

    assert story.orders == ["filled", "rejected quantity"]
    assert story.fill(0)["qty"] == 0.3  # three whole lots, to the last bit


@pytest.mark.rule("S2.1")
def test_counts_whose_last_bits_are_more_than_a_millionth_are_whole_all_the_same() -> None:
    """83749.44798433 / 1e-8 is a thousandth above a whole tick, 128.22222214 / 1e-8 two millionths above a lot."""
    high, quantity = 83749.44798433, 128.22222214
    bars = [(83000.0, high, 83000.0, 83000.0)]

    story = play(bars, f"0 open: sell {quantity} limit {high}", tick_size=1e-8, lot_size=1e-8, initial_margin=0.0)

    assert story.orders == ["filled"]
    assert (story.fill(0)["qty"], story.fill(0)["price"]) == (quantity, high)


@pytest.mark.rule("S2.1")
def test_prices_of_zero_and_below_are_prices() -> None:
    """April 2020: a buy limit of 0, its stop at -30; 30 points of 10 are lost. A limit of 0 is no market order."""
    story = play([(10, 11, 9, 10), (10, 10, -40, -37)], "0 close: buy 1 limit 0 sl -30")

    assert story.fills == ["1 INTRABAR buy 1 @ 0 limit", "1 INTRABAR sell 1 @ -30 stop_loss"]
    assert story.row("equity") == [100_000.0, 99_700.0]


@pytest.mark.rule("S2.2")
def test_order_prices_are_rounded_against_the_trader_when_they_are_accepted() -> None:
    """101.1 lies between 101.00 and 101.25, 98.1 between 98.00 and 98.25."""
    story = play(
        QUIET,
        "0 close: buy 1 limit 98.1",
        "0 close: sell 1 limit 101.1",
        "0 close: buy 1 stop 101.1",
        "0 close: sell 1 stop 98.1",
    )

    assert [order(story, number).limit for number in (1, 2)] == [98.0, 101.25]
    assert [order(story, number).stop for number in (3, 4)] == [101.25, 98.0]


@pytest.mark.rule("S2.2")
def test_protective_levels_are_rounded_like_the_orders_that_they_are() -> None:
    """A long's stop is a sell stop, its target a sell limit; a short's the other way round."""
    story = play({"A": QUIET, "B": QUIET}, "0 open: buy 1 sl 98.1 tp 102.1", "0 open: sell 1 of B sl 102.1 tp 98.1")

    assert story.held(0, "A") == {"qty": 1, "avg": 100, "sl": 98.0, "tp": 102.25}
    assert story.held(0, "B") == {"qty": -1, "avg": 100, "sl": 102.25, "tp": 98.0}


@pytest.mark.rule("S2.3")
def test_a_fill_with_slippage_is_rounded_against_the_trader_and_a_limit_fill_is_exact() -> None:
    """A tenth of a per cent of 100 is 0.1: 100.1 becomes 100.25, 99.9 becomes 99.75. A limit of 99 stays 99."""
    story = play(
        QUIET, "0 open: buy 1", "0 open: sell 1", "0 open: buy 1 limit 99", slippage_ticks=None, slippage_pct=0.001
    )

    assert [story.fill(number)["price"] for number in range(3)] == [100.25, 99.75, 99.0]


@pytest.mark.rule("S2.4")
def test_slippage_in_ticks_is_adverse_to_both_sides() -> None:
    story = play(QUIET, "0 open: buy 1", "0 open: sell 1", slippage_ticks=3)

    assert [story.fill(number)["price"] for number in (0, 1)] == [100.75, 99.25]


@pytest.mark.rule("S2.4")
def test_slippage_as_a_fraction_is_taken_of_the_size_of_the_price() -> None:
    """One per cent of -40 is 0.4: bought at -39.6, which is -39.50, sold at -40.4, which is -40.50."""
    story = play([(-40, -39, -41, -40)], "0 open: buy 1", "0 open: sell 1", slippage_ticks=None, slippage_pct=0.01)

    assert [story.fill(number)["price"] for number in (0, 1)] == [-39.5, -40.5]


@pytest.mark.rule("S2.5")
def test_slippage_may_carry_a_fill_out_of_the_bar() -> None:
    story = play(QUIET, "0 open: buy 1 stop 101", slippage_ticks=2)

    assert story.fills == ["0 INTRABAR buy 1 @ 101.5 stop"]


@pytest.mark.rule("S2.6")
def test_bars_off_the_grid_trigger_by_their_exact_value() -> None:
    """A low of 99.1 does not reach 99.0, one of 98.9 does; the fill is at the level."""
    story = play([(100, 100, 99.1, 100), (100, 100, 98.9, 100)], "0 open: buy 1 sl 99")

    assert story.fills[1:] == ["1 INTRABAR sell 1 @ 99 stop_loss"]


@pytest.mark.rule("S2.6")
def test_a_fill_at_an_open_off_the_grid_is_rounded_against_the_trader_limits_too() -> None:
    """O 100.1: bought at 100.25, sold at 100.00. The rounding costs 0.15 x 10 = 1.50 and 0.1 x 10 = 1.00."""
    story = play([(100.1, 101, 99, 100)], "0 open: buy 1 limit 101", "0 open: sell 1")

    assert story.fills == ["0 OPEN buy 1 @ 100.25 limit", "0 OPEN sell 1 @ 100 market"]
    assert [story.fill(number)["slippage_cost"] for number in (0, 1)] == pytest.approx([1.5, 1.0])


@pytest.mark.rule("S2.6")
def test_slippage_cost_is_measured_from_the_base_price_with_the_rounding_in_it() -> None:
    """Base 100.1, a tick on top 100.35, on the grid 100.50: 0.40 x 2 contracts x 10 = 8."""
    story = play([(100.1, 101, 99, 100)], "0 open: buy 2", slippage_ticks=1)

    assert (story.fill(0)["price"], story.fill(0)["base_price"]) == (100.5, 100.1)
    assert story.fill(0)["slippage_cost"] == pytest.approx(8.0)
