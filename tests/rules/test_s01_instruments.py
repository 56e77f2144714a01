"""Instruments: what a point is worth, and in whose money (S1)."""

import pytest

from tests.rules.table import play

UP_ONE_POINT = [(100.0, 101.0, 100.0, 101.0), (101.0, 101.0, 101.0, 101.0)]


@pytest.mark.rule("S1.1")
def test_every_fact_of_a_contract_enters_the_account() -> None:
    """Two lots: margin 2 x 100 and 2 x 80; costs 2 x 1.25 + 0.5 = 3; one tick of slippage 2 x 2.50 = 5."""
    story = play(UP_ONE_POINT, "0 open: buy 2", commission_per_contract=1.25, fee_per_trade=0.5, slippage_ticks=1)

    fill = story.fill(0)
    assert (fill["price"], fill["commission"], fill["fee"], fill["slippage_cost"]) == (100.25, 2.5, 0.5, 5.0)
    assert story.row("used_margin") == [200.0, 200.0]
    assert story.row("maintenance_margin") == [160.0, 160.0]


@pytest.mark.rule("S1.2")
@pytest.mark.parametrize("contract_size", [1.0, 50.0, 5000.0])
def test_profit_comes_from_tick_value_over_tick_size_whatever_the_contract_size(contract_size: float) -> None:
    """Corn in cents: a quarter cent is worth 12.50, one cent of price 50, and 5,000 bushels are never multiplied."""
    story = play(UP_ONE_POINT, "0 open: buy 1", tick_value=12.5, contract_size=contract_size)

    assert story.row("equity") == [100_050.0, 100_050.0]


@pytest.mark.rule("S1.3")
def test_facts_of_one_symbol_are_its_own() -> None:
    """One point: 10 for A, with B's own tick value of 5 it is 20."""
    story = play(
        {"A": UP_ONE_POINT, "B": UP_ONE_POINT},
        "0 open: buy 1",
        "0 open: buy 1 of B",
        facts_of={"B": {"tick_value": 5.0}},
    )

    assert story.row("equity") == [100_030.0, 100_030.0]


@pytest.mark.rule("S1.4")
def test_amounts_in_another_currency_are_converted_as_they_arise() -> None:
    """At 1.25: a point is 12.50, commission 2 is 2.50, margin 100 is 125, a tick of slippage 3.125."""
    story = play(
        UP_ONE_POINT,
        "0 open: buy 1",
        "1 open: close",
        fx_rate=1.25,
        commission_per_contract=2.0,
        slippage_ticks=1,
    )

    assert story.row("used_margin") == [125.0, 0.0]
    assert story.fill(0)["slippage_cost"] == 3.125
    assert story.trades[0]["gross"] == pytest.approx(12.5 - 2 * 3.125)
    assert story.row("cash") == [99_997.5, 100_000 + 6.25 - 5.0]
