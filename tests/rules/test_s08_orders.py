"""Orders, margin and accounting (S8)."""

import pytest

from engine.orders import OrderRequest, Side
from tests.properties import drives
from tests.rules.table import Bars, Row, made, play

START: Row = (100, 101, 99, 100)
WIDE: Row = (100, 106, 94, 101)


@pytest.mark.rule("S8.1")
def test_every_order_takes_the_next_id_and_ends_in_one_state() -> None:
    """One of each state; the rejected one has an id too."""
    story = play(
        [START, WIDE],
        "0 open: buy 1",
        "0 open: buy 0",
        "0 close: buy 1 limit 90 day",
        "0 close: buy 1 limit 50",
        "0 close: buy 1 limit 51",
        "1 close: cancel 4",
    )

    assert story.orders == [
        "filled",
        "rejected quantity",
        "expired day_ended",
        "cancelled by_bot",
        "accepted",
    ]


@pytest.mark.rule("S8.1")
def test_an_immediate_or_cancel_order_has_one_try_at_the_first_open() -> None:
    """At OPEN it meets this O, at CLOSE the next; touching its limit later in the bar does not help it."""
    story = play(
        [START, WIDE], "0 open: buy 1 limit 99.5 ioc", "0 close: buy 1 limit 99 ioc", "0 close: buy 1 limit 100 ioc"
    )

    assert story.fills == ["1 OPEN buy 1 @ 100 limit"]
    assert story.orders == ["cancelled ioc_unfilled", "cancelled ioc_unfilled", "filled"]


@pytest.mark.rule("S8.1")
def test_a_rejection_says_why_with_its_figures() -> None:
    story = play([START], "0 open: buy 12", "0 open: buy 1.5", "0 open: buy 1 sl 101", cash=1000.0)

    assert (
        story.reason(1)
        == "buy 12 needs 1,200 initial margin, free margin after costs is 1,000; largest affordable quantity is 10"
    )
    assert story.reason(2) == "quantity 1.5 is not a positive multiple of the lot step 1"
    assert story.reason(3) == "stop loss 101 is not below the entry 100 of a buy"


@pytest.mark.rule("S8.1")
def test_reduce_only_is_cut_to_the_position_and_cancelled_where_there_is_none() -> None:
    """Five of which two are left to sell; then nothing; its levels are dropped."""
    story = play(
        [START, START],
        "0 open: buy 2",
        "0 open: sell 5 reduce_only sl 105 tp 95",
        "0 open: sell 5 reduce_only",
        "0 open: buy 1",
        "0 open: buy 1 reduce_only",
    )

    assert story.fills[1] == "0 OPEN sell 2 @ 100 market"
    assert story.orders == ["filled", "filled", "cancelled flat", "filled", "cancelled flat"]
    assert story.run.engine.order(2).stop_loss is None


@pytest.mark.rule("S8.1")
def test_a_close_takes_the_whole_position_that_is_there_when_it_fills() -> None:
    """Given while one contract was held; by the next open there are three. Flat, it is rejected."""
    story = play([START, START], "0 open: close", "0 open: buy 1", "0 close: buy 2", "0 close: close")

    assert story.orders == ["rejected flat", "filled", "filled", "filled"]
    assert story.fills[2] == "1 OPEN sell 3 @ 100 market"


@pytest.mark.rule("S8.1")
def test_cancelling_what_does_not_rest_or_setting_a_level_without_a_position_has_no_effect_and_says_so() -> None:
    engine = drives.made(made([START], (), 1000.0, {}), "step").engine
    engine.open_bar(0)
    order = engine.place_order(OrderRequest(symbol="A", side=Side.BUY, quantity=1))

    assert not engine.cancel_order(order.id)
    assert not engine.cancel_order(99)
    assert engine.modify_stop_loss("A", 95.0)
    engine.close_position("A")
    assert not engine.modify_stop_loss("A", 95.0)
    assert not engine.modify_take_profit("A", 105.0)


@pytest.mark.rule("S8.1")
def test_a_changed_order_keeps_its_id_and_its_place_and_meets_the_open_anew() -> None:
    """Order 1 gets the price of order 2, and fills before it; order 3 is lifted to O and fills at it.

    A change that would be refused, here to a quantity of 0, changes nothing at all.
    """
    story = play(
        [START, START, (100, 100, 94, 95)],
        "0 close: buy 1 limit 90",
        "0 close: buy 2 limit 95",
        "0 close: buy 3 limit 91",
        "1 close: modify 1 limit 95",
        "2 open: modify 3 limit 100 qty 4",
        "2 open: modify 2 limit 90 qty 0",
    )

    assert story.fills == ["2 OPEN buy 4 @ 100 limit", "2 INTRABAR buy 1 @ 95 limit", "2 INTRABAR buy 2 @ 95 limit"]


@pytest.mark.rule("S8.1")
def test_a_level_is_cleared_by_none_kept_where_it_is_not_finite_and_set_by_tightening_where_there_is_none() -> None:
    cleared = play([START], "0 open: buy 1 sl 95 tp 105", "0 close: set sl none", "0 close: set tp inf")
    tightened = play([START], "0 open: buy 1", "0 close: tighten sl 95", "0 close: tighten sl 94")

    assert cleared.held(0) == {"qty": 1, "avg": 100, "sl": None, "tp": 105}
    assert tightened.held(0) == {"qty": 1, "avg": 100, "sl": 95, "tp": None}


@pytest.mark.rule("S8.1")
def test_a_triggered_stop_limit_has_no_stop_to_change_any_more() -> None:
    """Triggered at O 105, beyond its limit of 104; a stop of 110 would hold it back, but it is a limit now."""
    bars: Bars = [START, (105, 106, 104.5, 105), (105, 106, 103, 105)]

    story = play(bars, "0 close: buy 1 stop 103 limit 104", "1 close: modify 1 stop 110")

    assert story.fills == ["2 INTRABAR buy 1 @ 104 stop_limit"]


@pytest.mark.rule("S8.2")
@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("buy 1 of X", "unknown_symbol"),
        ("buy 0", "quantity"),
        ("buy -1", "quantity"),
        ("buy 1.5", "quantity"),
        ("buy 1 limit none", "price_missing"),
        ("buy 1 limit nan", "price_missing"),
        ("buy 1 stop inf", "price_missing"),
        ("buy 1 sl inf", "price_missing"),
        ("buy 1 limit 98 sl 98", "stop_loss_side"),
        ("buy 1 limit 98 tp 98", "take_profit_side"),
        ("sell 1 limit 103 sl 103", "stop_loss_side"),
        ("sell 1 limit 103 tp 103", "take_profit_side"),
        ("buy 1 stop 103 limit 105 sl 105", "stop_loss_side"),
        ("buy 1 stop 103 sl 103", "stop_loss_side"),
        ("buy 1 sl 100", "stop_loss_side"),
        ("sell 1 tp 100", "take_profit_side"),
    ],
)
def test_an_order_that_makes_no_sense_is_rejected_at_once(words: str, why: str) -> None:
    assert play([START], f"0 open: {words}").orders == [f"rejected {why}"]


@pytest.mark.rule("S8.2")
def test_levels_are_compared_after_rounding_and_changed_ones_not_at_all() -> None:
    """A long's stop of 99.9 becomes 99.75, below 100; one of 97.8 equals the limit of 97.9 once both are 97.75."""
    story = play([START, START], "0 open: buy 1 sl 99.9", "0 open: buy 1 limit 97.9 sl 97.8", "0 close: set sl 150")

    assert story.orders == ["filled", "rejected stop_loss_side"]
    assert story.trades[0]["exit_reason"] == "stop_loss"


@pytest.mark.rule("S8.2")
def test_the_levels_of_a_market_order_are_compared_with_the_mark() -> None:
    """At CLOSE the mark is C 104: a stop of 103 is below it, though O was 100."""
    story = play([(100, 105, 99, 104), START], "0 close: buy 1 sl 103", "0 close: buy 1 sl 104")

    assert story.orders == ["filled", "rejected stop_loss_side"]


@pytest.mark.rule("S8.2")
def test_before_a_symbol_has_a_price_a_market_orders_levels_are_not_compared() -> None:
    """A stop loss of 200 above a buy: accepted, and met at the first open (S5.4)."""
    story = play({"A": [None, START], "B": [START, START]}, "0 open: buy 1 sl 200")

    assert story.fills == ["A: 1 OPEN buy 1 @ 100 market", "A: 1 OPEN sell 1 @ 100 stop_loss"]


@pytest.mark.rule("S8.3")
def test_adding_replaces_the_levels_that_the_order_carries_and_keeps_the_others() -> None:
    story = play([START], "0 open: buy 1 sl 90 tp 110", "0 open: buy 1 sl 92")

    assert story.held(0) == {"qty": 2, "avg": 100, "sl": 92, "tp": 110}


@pytest.mark.rule("S8.3")
def test_reducing_keeps_levels_closing_clears_them_and_reversing_takes_the_new_orders() -> None:
    reduced = play([START], "0 open: buy 2 sl 90 tp 110", "0 open: sell 1 sl 105")
    closed = play([START], "0 open: buy 1 sl 90 tp 110", "0 open: sell 1", "0 open: buy 1")
    reversed_ = play([START], "0 open: buy 1 sl 90 tp 110", "0 open: sell 3 sl 105")

    assert reduced.held(0) == {"qty": 1, "avg": 100, "sl": 90, "tp": 110}
    assert closed.held(0) == {"qty": 1, "avg": 100, "sl": None, "tp": None}
    assert reversed_.held(0) == {"qty": -2, "avg": 100, "sl": 105, "tp": None}


@pytest.mark.rule("S8.3")
def test_one_protective_level_closes_the_whole_position_and_the_other_is_gone() -> None:
    story = play([START, (100, 106, 100, 106), (106, 106, 90, 90)], "0 open: buy 2 sl 95", "0 open: buy 1 tp 105")

    assert story.fills[2:] == ["1 INTRABAR sell 3 @ 105 take_profit"]


@pytest.mark.rule("S8.4")
def test_a_fill_needs_the_initial_margin_of_what_it_opens_and_its_costs() -> None:
    """Ten contracts need 1000 and cost 10 x 1 + 5; a cent less and the order is refused whole. 9 would fit."""
    costs = {"commission_per_contract": 1.0, "fee_per_trade": 5.0}

    assert play([START], "0 open: buy 10", cash=1015.0, **costs).orders == ["filled"]
    short = play([START], "0 open: buy 10", cash=1014.99, **costs)
    assert (short.orders, short.fills) == (["rejected margin"], [])
    assert "largest affordable quantity is 9" in short.reason(1)


@pytest.mark.rule("S8.4")
def test_dust_in_sums_of_money_refuses_nothing() -> None:
    """Three times 0.1 is 0.30000000000000004, and the account has 0.30."""
    story = play([START], "0 open: buy 3", cash=0.3, initial_margin=0.1, maintenance_margin=0.0)

    assert story.orders == ["filled"]


@pytest.mark.rule("S8.4")
def test_what_is_affordable_with_less_than_a_unit_of_money_is_told() -> None:
    """Lots need 0.1 each and 0.50 is there: nine are refused, five would fit."""
    story = play([START], "0 open: buy 9", cash=0.5, initial_margin=0.1, maintenance_margin=0.0)

    assert story.orders == ["rejected margin"]
    assert "largest affordable quantity is 5" in story.reason(1)


@pytest.mark.rule("S8.4")
def test_equity_counts_at_the_marks_and_what_is_held_is_taken_off() -> None:
    """Five from 100, now at O 104: equity 1200, used 500, so seven more fit and eight do not."""
    bars: Bars = [START, (104, 105, 103, 104)]

    assert play(bars, "0 open: buy 5", "1 open: buy 7", cash=1000.0).orders[1] == "filled"
    assert play(bars, "0 open: buy 5", "1 open: buy 8", cash=1000.0).orders[1] == "rejected margin"


@pytest.mark.rule("S8.4")
def test_a_reversing_fill_has_the_margin_of_what_it_closes_and_is_refused_with_its_closing_part() -> None:
    """Ten long with 1000: twenty sold are ten short. Twenty-one are refused, and the ten stay; 20 would fit."""
    fits = play([START], "0 open: buy 10", "0 open: sell 20", cash=1000.0)
    short = play([START], "0 open: buy 10", "0 open: sell 21", cash=1000.0)

    assert fits.held(0) == {"qty": -10, "avg": 100, "sl": None, "tp": None}
    assert short.held(0) == {"qty": 10, "avg": 100, "sl": None, "tp": None}
    assert "largest affordable quantity is 20" in short.reason(2)


@pytest.mark.rule("S8.4")
def test_a_refused_reversal_could_always_have_closed_what_is_held() -> None:
    """Ten long from 100 with 1000, at O 90.5: equity is 50, an eleventh sold would need 100. The ten could be sold."""
    bars: Bars = [START, (90.5, 91, 90, 90.5)]
    short = play(bars, "0 open: buy 10", "1 open: sell 11", cash=1000.0, maintenance_margin=0.0)

    assert short.orders == ["filled", "rejected margin"]
    assert short.reason(2).endswith("free margin after costs is 50; largest affordable quantity is 10")


@pytest.mark.rule("S8.4")
def test_a_fill_that_only_reduces_is_never_refused() -> None:
    """At O 91 equity is 10, used margin 100."""
    story = play([START, (91, 92, 90.5, 91)], "0 open: buy 1", "1 open: sell 1", cash=100.0, maintenance_margin=0.0)

    assert story.orders == ["filled", "filled"]


@pytest.mark.rule("S8.4")
def test_a_margin_rate_is_taken_of_the_mark_and_of_the_base_price() -> None:
    """Half of 100 x 10 is 500 each: two of a share fit into 1000, at O 104 (equity 1080) the third needs 520."""
    rates = {
        "initial_margin": None,
        "maintenance_margin": None,
        "initial_margin_rate": 0.5,
        "maintenance_margin_rate": 0.25,
    }

    story = play([START, (104, 105, 103, 104)], "0 open: buy 2", "1 open: buy 1", cash=1000.0, **rates)

    assert story.orders == ["filled", "rejected margin"]
    assert story.reason(2).startswith("buy 1 needs 520 initial margin, free margin after costs is 40;")
    assert story.row("used_margin") == [1000.0, 1040.0]
    assert story.row("maintenance_margin") == [500.0, 520.0]


@pytest.mark.rule("S8.4")
def test_slippage_of_the_entry_is_no_part_of_the_check() -> None:
    story = play([START], "0 open: buy 10", cash=1000.0, slippage_ticks=4)

    assert story.orders == ["filled"]
    assert story.row("equity") == [900.0]


@pytest.mark.rule("S8.5")
def test_the_entry_is_the_average_by_volume_and_a_reducing_fill_realises_against_it() -> None:
    """(100 + 2 x 103) / 3 = 102; one sold at 106 makes 4 points, 40."""
    story = play(
        [START, (103, 106, 102, 106), (106, 106, 106, 106)], "0 open: buy 1", "1 open: buy 2", "2 open: sell 1"
    )

    assert story.held(1) == {"qty": 3, "avg": 102, "sl": None, "tp": None}
    assert story.fill(2)["realised"] == 40.0
    assert story.held(2) == {"qty": 2, "avg": 102, "sl": None, "tp": None}


@pytest.mark.rule("S8.5")
def test_a_reversing_fill_closes_and_then_opens_at_its_price() -> None:
    """Two long from 100, five sold at 98: 2 x -2 x 10 = -40, three short from 98."""
    story = play([START, (98, 99, 97, 98)], "0 open: buy 2", "1 open: sell 5")

    assert story.fill(1)["realised"] == -40.0
    assert story.held(1) == {"qty": -3, "avg": 98, "sl": None, "tp": None}


@pytest.mark.rule("S8.6")
def test_cash_is_the_initial_cash_plus_realised_less_costs() -> None:
    """Three contracts each way: 2 x (3 x 2 + 0.5) = 13 of costs, 3 points x 3 x 10 = 90 realised."""
    story = play(
        [START, (103, 103, 103, 103)],
        "0 open: buy 3",
        "1 open: close",
        commission_per_contract=2.0,
        fee_per_trade=0.5,
    )

    assert story.row("cash") == [99_993.5, 100_077.0]


@pytest.mark.rule("S8.6")
def test_a_fully_paid_share_is_accounted_the_same_way() -> None:
    """Ten shares of 100 hold 1000 of margin; cash stays, and equity moves with the price."""
    share = {"tick_size": 0.01, "tick_value": 0.01, "initial_margin": None, "maintenance_margin": None}
    rates = {"initial_margin_rate": 1.0, "maintenance_margin_rate": 0.0}

    story = play([START, (103, 103, 103, 103)], "0 open: buy 10", cash=1000.0, **share, **rates)

    assert story.row("cash") == [1000.0, 1000.0]
    assert story.row("equity") == [1000.0, 1030.0]
    assert story.row("used_margin") == [1000.0, 1030.0]


@pytest.mark.rule("S8.7")
def test_equity_is_what_was_paid_in_realised_spent_and_is_still_open() -> None:
    story = play(
        {"A": [START, WIDE, WIDE], "B": [START, None, START]},
        "0 open: buy 2 sl 97",
        "0 open: sell 3 of B",
        "1 close: buy 1 limit 96",
        "2 open: buy 4 of B",
        commission_per_contract=2.25,
        slippage_ticks=1,
    )

    realised = sum(fill["realised"] for fill in story.result["fills"])
    costs = sum(fill["commission"] + fill["fee"] for fill in story.result["fills"])
    unrealised = (101 - 96) * 10 * 1 + (100 - 100.25) * 10 * 1
    assert story.row("equity")[2] == pytest.approx(100_000 + realised - costs + unrealised, rel=1e-12)
    assert story.row("used_margin") == [500.0, 300.0, 200.0]


@pytest.mark.rule("S8.8")
def test_a_trade_runs_from_flat_to_flat_with_averages_of_all_its_fills() -> None:
    """In 1 at 100 and 2 at 103, out 1 at 106 and 2 at 101: gross (101 + ... ) = 3 points less 1, 10 x (4 - 2) = 20."""
    story = play(
        [START, (103, 103, 103, 103), (106, 106, 106, 106), (101, 101, 101, 101)],
        "0 open: buy 1 sl 98",
        "1 open: buy 2",
        "2 open: sell 1",
        "3 open: sell 2",
        commission_per_contract=1.0,
        fee_per_trade=0.5,
    )

    trade = story.trades[0]
    assert (trade["side"], trade["qty"], trade["entry_bar"], trade["exit_bar"], trade["bars_held"]) == (
        "long",
        3,
        0,
        3,
        3,
    )
    assert trade["entry_price"] == 102.0
    assert trade["exit_price"] == pytest.approx((106 + 2 * 101) / 3)
    assert (trade["gross"], trade["commission"], trade["fees"], trade["net"]) == (20.0, 6.0, 2.0, 12.0)
    assert trade["exit_reason"] == "signal"


@pytest.mark.rule("S8.8")
def test_a_reversal_ends_one_trade_and_begins_the_next_with_costs_by_quantity() -> None:
    """Four sold, one to close: a quarter of 4 x 1 + 2 = 6 belongs to the first trade, three quarters to the second."""
    story = play(
        [START, START],
        "0 open: buy 1",
        "0 open: sell 4",
        "1 open: close",
        commission_per_contract=1.0,
        fee_per_trade=2.0,
    )

    assert [trade["side"] for trade in story.trades] == ["long", "short"]
    assert [trade["commission"] for trade in story.trades] == [1 + 1, 3 + 3]
    assert [trade["fees"] for trade in story.trades] == [2 + 0.5, 1.5 + 2]


@pytest.mark.rule("S8.8")
def test_excursions_are_the_lowest_and_the_highest_gross_profit_while_held() -> None:
    """Two from 100: at L 94 they have lost 120, at H 106 gained 120. One sold at 104 (+40): at H 110 40 + 100."""
    story = play(
        [START, (100, 106, 94, 104), (104, 110, 104, 105), (105, 105, 105, 105)],
        "0 open: buy 2",
        "2 open: sell 1",
        "3 open: sell 1",
    )

    assert (story.trades[0]["mae"], story.trades[0]["mfe"]) == (-120.0, 140.0)


@pytest.mark.rule("S8.8")
def test_excursions_never_cross_zero() -> None:
    rising = play([(100, 101, 100, 101), (102, 103, 102, 103)], "0 open: buy 1", "1 open: close")

    assert (rising.trades[0]["mae"], rising.trades[0]["mfe"]) == (0.0, 20.0)


@pytest.mark.rule("S8.8")
def test_r_is_net_over_the_risk_that_was_frozen_when_the_trade_first_had_a_stop() -> None:
    """Two contracts, stop 4 points away: 80 at risk. Moved to 99, the risk stays; +5 points are 100, R 1.25."""
    bars: Bars = [START, (105, 105, 105, 105)]

    story = play(bars, "0 open: buy 2 sl 96", "0 close: set sl 99", "1 open: close")
    without = play(bars, "0 open: buy 2", "1 open: close")

    assert (story.trades[0]["initial_risk"], story.trades[0]["r_multiple"]) == (80.0, 1.25)
    assert (without.trades[0]["initial_risk"], without.trades[0]["r_multiple"]) == (None, None)


@pytest.mark.rule("S8.8")
@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ("1 open: close", "signal"),
        ("1 open: close manual", "manual"),
        ("1 open: sell 1 manual", "manual"),
        ("0 close: set sl 97", "stop_loss"),
        ("0 close: set tp 103", "take_profit"),
        ("1 open: flatten", "flatten"),
        ("0 close: cancel 1", "finish"),
    ],
)
def test_the_exit_reason_is_that_of_the_last_fill(order: str, reason: str) -> None:
    story = play([START, (100, 104, 96, 100)], "0 open: buy 1", order, liquidate_on_finish=True)

    assert story.trades[0]["exit_reason"] == reason


@pytest.mark.rule("S8.8")
def test_a_liquidated_trade_says_so() -> None:
    assert play([START, (88, 89, 87, 88)], "0 open: buy 1", cash=150.0).trades[0]["exit_reason"] == "liquidation"


@pytest.mark.rule("S8.9")
def test_every_fill_says_why_it_happened() -> None:
    story = play(
        [START, (100, 106, 94, 100), (100, 110, 100, 110), (110, 110, 110, 110)],
        "0 open: buy 1",
        "0 open: flatten",
        "0 close: buy 1 limit 95",
        "0 close: buy 1 stop 105",
        "0 close: sell 2 stop 103 limit 102.5",
        "1 close: buy 1 tp 108",
        "2 close: buy 1",
        path="colour",
        liquidate_on_finish=True,
    )

    reasons = [fill["reason"] for fill in story.result["fills"]]
    assert reasons == [
        "market", "flatten", "limit", "stop_limit", "stop", "market", "take_profit", "market", "finish",
    ]  # fmt: skip


@pytest.mark.rule("S8.9")
def test_stop_losses_and_liquidations_say_so_too() -> None:
    stopped = play([START, WIDE], "0 open: buy 1 sl 95")
    called = play([START, WIDE], "0 open: buy 1", cash=130.0)

    assert [stopped.fill(1)["reason"], called.fill(1)["reason"]] == ["stop_loss", "liquidation"]
