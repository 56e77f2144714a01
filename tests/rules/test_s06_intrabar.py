"""INTRABAR: the path that price takes through a bar, and what it meets on it (S6)."""

import pytest

from tests.rules.table import Row, Story, play

START: Row = (100, 101, 99, 100)


def ends_by(path: str, bar: Row, side: str) -> str:
    """Which of two levels at 95 and 105 ends a position that was held before the bar."""
    levels = "sl 95 tp 105" if side == "buy" else "sl 105 tp 95"
    return play([START, bar], f"0 open: {side} 1 {levels}", path=path).trades[0]["exit_reason"]


@pytest.mark.rule("S6.1")
@pytest.mark.parametrize(
    ("bar", "long_ends_by"),
    [((100, 105, 94, 100), "take_profit"), ((100, 107, 94, 100), "stop_loss"), ((100, 106, 94, 100), "stop_loss")],
    ids=["H nearer: 5 and 6", "L nearer: 7 and 6", "a tie goes L first"],
)
def test_proximity_goes_to_the_nearer_extreme_first(bar: Row, long_ends_by: str) -> None:
    assert ends_by("proximity", bar, "buy") == long_ends_by


@pytest.mark.rule("S6.1")
@pytest.mark.parametrize(
    ("close", "long_ends_by"), [(99, "take_profit"), (101, "stop_loss"), (100, "stop_loss")], ids=["down", "up", "tie"]
)
def test_colour_goes_against_the_bars_direction_first(close: float, long_ends_by: str) -> None:
    assert ends_by("colour", (100, 106, 94, close), "buy") == long_ends_by


@pytest.mark.rule("S6.1")
@pytest.mark.parametrize("path", ["proximity", "colour"])
def test_a_tie_goes_low_first_for_shorts_too(path: str) -> None:
    assert ends_by(path, (100, 106, 94, 100), "sell") == "take_profit"


@pytest.mark.rule("S6.2")
@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("close", [94, 106])
def test_the_worst_case_takes_a_position_to_its_adverse_extreme_first(side: str, close: float) -> None:
    assert ends_by("worst_case", (100, 106, 94, close), side) == "stop_loss"


@pytest.mark.rule("S6.3")
@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("close", [94, 106])
def test_the_best_case_takes_it_to_its_favourable_extreme_first(side: str, close: float) -> None:
    assert ends_by("best_case", (100, 106, 94, close), side) == "take_profit"


def flat(path: str, *orders: str, close: float = 100) -> Story:
    """Orders that rest over a bar from 94 to 106."""
    return play([START, (100, 106, 94, close)], *(f"0 close: {order}" for order in orders), path=path)


@pytest.mark.rule("S6.2")
def test_flat_the_entry_order_with_the_lowest_id_decides_whether_or_not_it_is_reached() -> None:
    """A buy that rests at 50 sends price to H first, though only the two others fill; a sell at 150 to L first."""
    high_first = flat("worst_case", "buy 1 limit 50", "buy 1 limit 95", "sell 1 limit 105")
    low_first = flat("worst_case", "sell 1 limit 150", "buy 1 limit 95", "sell 1 limit 105")

    assert high_first.fills == ["1 INTRABAR sell 1 @ 105 limit", "1 INTRABAR buy 1 @ 95 limit"]
    assert low_first.fills == ["1 INTRABAR buy 1 @ 95 limit", "1 INTRABAR sell 1 @ 105 limit"]


@pytest.mark.rule("S6.2")
def test_a_reduce_only_order_is_no_entry_order() -> None:
    """It has the lowest id, yet the sell after it decides: L first."""
    story = flat("worst_case", "buy 1 limit 50 reduce_only", "sell 1 limit 150", "buy 1 limit 95", "sell 1 limit 105")

    assert story.fills[0] == "1 INTRABAR buy 1 @ 95 limit"


@pytest.mark.rule("S6.2")
def test_after_an_entry_in_mid_bar_the_worst_case_goes_to_the_adverse_extreme_next() -> None:
    """Up to 103, then all the way down through the stop at 96, though the bar closed at its high."""
    story = flat("worst_case", "buy 1 stop 103 sl 96 tp 105", close=106)

    assert story.fills == ["1 INTRABAR buy 1 @ 103 stop", "1 INTRABAR sell 1 @ 96 stop_loss"]


@pytest.mark.rule("S6.2")
def test_the_favourable_extreme_counts_no_second_time_if_price_was_there_before_the_entry() -> None:
    """H 106, then down to the limit at 97 and on to L 94, then C 101: the target 104 was only met while flat."""
    story = flat("worst_case", "buy 1 limit 97 tp 104", close=101)

    assert story.fills == ["1 INTRABAR buy 1 @ 97 limit"]


@pytest.mark.rule("S6.2")
def test_the_favourable_extreme_is_met_after_the_adverse_one_if_price_was_not_there() -> None:
    """Up to 103, down to L 94 and up to H 106: the target 105 is met."""
    story = flat("worst_case", "buy 1 stop 103 tp 105", close=101)

    assert story.fills == ["1 INTRABAR buy 1 @ 103 stop", "1 INTRABAR sell 1 @ 105 take_profit"]


@pytest.mark.rule("S6.3")
def test_after_an_entry_in_mid_bar_the_best_case_goes_to_the_favourable_extreme_next() -> None:
    """Flat, a buy goes L 94 first, then up to 103, H 106; L was met already, so the stop at 96 is not."""
    story = flat("best_case", "buy 1 stop 103 sl 96", close=100)

    assert story.fills == ["1 INTRABAR buy 1 @ 103 stop"]


@pytest.mark.rule("S6.3")
def test_the_best_case_meets_the_adverse_extreme_if_price_was_not_there_yet() -> None:
    """A buy limit at 97 on the way to L: first H 106, then L 94 and the stop 95. A sell goes H first."""
    buy, sell = (
        flat("best_case", "buy 1 limit 97 sl 95"),
        flat("best_case", "sell 1 limit 150", "buy 1 limit 99 tp 105"),
    )

    assert buy.fills == ["1 INTRABAR buy 1 @ 97 limit", "1 INTRABAR sell 1 @ 95 stop_loss"]
    assert sell.fills == ["1 INTRABAR buy 1 @ 99 limit", "1 INTRABAR sell 1 @ 105 take_profit"]


def fine(*bars: tuple[float, float, float, float], whole: Row = (100, 106, 94, 101)) -> Story:
    """A long from 100 with levels at 95 and 105 through a bar with finer bars."""
    given = {"A": {"1": [list(bar) for bar in bars]}}
    return play([START, whole], "0 open: buy 1 sl 95 tp 105", path="fine_bars", fine=given)


@pytest.mark.rule("S6.4")
def test_finer_bars_say_which_extreme_came_first() -> None:
    up_first = fine((100, 106, 100, 104), (104, 104, 94, 101))
    down_first = fine((100, 101, 94, 96), (96, 106, 96, 101))

    assert up_first.fills[1:] == ["1 INTRABAR sell 1 @ 105 take_profit"]
    assert down_first.fills[1:] == ["1 INTRABAR sell 1 @ 95 stop_loss"]


@pytest.mark.rule("S6.4")
def test_between_two_finer_bars_price_jumps_and_the_finer_open_fills() -> None:
    """From 99 straight to 94: the stop at 95 is filled at 94."""
    story = fine((100, 101, 98, 99), (94, 106, 94, 101))

    assert story.fills[1:] == ["1 INTRABAR sell 1 @ 94 stop_loss"]


@pytest.mark.rule("S6.4")
@pytest.mark.parametrize("wrong", [(100, 105.5, 94, 101), (101, 106, 94, 101), (100, 106, 94, 102)])
def test_finer_bars_that_do_not_make_up_the_bar_count_as_none(wrong: tuple[float, float, float, float]) -> None:
    """The worst case instead: L first. By colour the falling finer bar would meet 105 first."""
    story = fine((wrong[0], wrong[1], 96, 98), (98, 99, 94, wrong[3]))

    assert story.fills[1:] == ["1 INTRABAR sell 1 @ 95 stop_loss"]


@pytest.mark.rule("S6.4")
def test_a_finer_path_is_not_rerouted_after_an_entry_and_a_bar_without_one_is_a_worst_case() -> None:
    """Rising from 97 the finer bar goes 100, L 97, H 106, C 105: the entry at 103 never comes back to its stop 98."""
    orders = ("0 close: buy 1 stop 103 sl 98",)
    bars: list[Row] = [START, (100, 106, 97, 105)]

    finer = play(bars, *orders, path="fine_bars", fine={"A": {"1": [[100, 106, 97, 105]]}})
    without = play(bars, *orders, path="fine_bars")

    assert finer.fills == ["1 INTRABAR buy 1 @ 103 stop"]
    assert without.fills[1:] == ["1 INTRABAR sell 1 @ 98 stop_loss"]


@pytest.mark.rule("S6.5")
def test_orders_trigger_in_the_order_in_which_price_reaches_them() -> None:
    """Rising: buy stops and sell limits, by level; falling: sell stops and buy limits."""
    story = play(
        [START, (100, 106, 100, 106), (106, 106, 96, 96)],
        "0 close: sell 1 limit 105",
        "0 close: buy 1 stop 103",
        "0 close: sell 1 limit 102",
        "1 close: buy 1 limit 97",
        "1 close: sell 1 stop 98",
        path="colour",
    )

    assert [story.fill(number)["price"] for number in range(5)] == [102, 103, 105, 98, 97]


@pytest.mark.rule("S6.5")
def test_at_one_level_the_stop_goes_first_then_the_target_then_orders_by_id() -> None:
    """At 105: the target of the long, then the sell limits 2 and 3."""
    story = play(
        [START, (100, 106, 100, 106)],
        "0 open: buy 1 tp 105",
        "0 close: sell 1 limit 105",
        "0 close: sell 2 limit 105",
        path="colour",
    )

    assert [story.fill(number)["order"] for number in (1, 2, 3)] == [0, 2, 3]
    assert story.fills[1] == "1 INTRABAR sell 1 @ 105 take_profit"


@pytest.mark.rule("S6.5")
def test_everything_at_one_level_triggers_before_price_moves_on() -> None:
    """At 103 the buy stop opens, and the sell limit there closes it before the worst case could turn to L."""
    story = flat("worst_case", "buy 1 stop 103 sl 96", "sell 1 limit 103", close=106)

    assert story.fills == ["1 INTRABAR buy 1 @ 103 stop", "1 INTRABAR sell 1 @ 103 limit"]


@pytest.mark.rule("S6.5")
def test_a_level_that_is_reached_when_it_is_set_in_mid_bar_triggers_where_price_stands() -> None:
    """A stop-limit of 103 and 110 may carry a stop loss of 104: it fills at 103, below it."""
    story = flat("worst_case", "buy 1 stop 103 limit 110 sl 104")

    assert story.fills == ["1 INTRABAR buy 1 @ 103 stop_limit", "1 INTRABAR sell 1 @ 103 stop_loss"]


@pytest.mark.rule("S6.6")
def test_stops_fill_at_their_level_with_slippage_and_limits_at_theirs() -> None:
    story = play(
        [START, (100, 106, 94, 100)],
        "0 close: buy 1 stop 103",
        "0 close: sell 1 limit 105",
        slippage_ticks=2,
        path="colour",
    )

    assert story.fills == ["1 INTRABAR buy 1 @ 103.5 stop", "1 INTRABAR sell 1 @ 105 limit"]


@pytest.mark.rule("S6.6")
def test_a_bracket_opened_in_mid_bar_is_live_for_the_rest_of_the_path() -> None:
    """L 94 lies before the entry at 103, so by colour only the target 105 lies after it."""
    story = play([START, (100, 106, 94, 101)], "0 close: buy 1 stop 103 sl 95 tp 105", path="colour")

    assert story.fills == ["1 INTRABAR buy 1 @ 103 stop", "1 INTRABAR sell 1 @ 105 take_profit"]


@pytest.mark.rule("S6.7")
def test_touch_fills_a_limit_that_is_touched_and_through_asks_for_a_tick_more() -> None:
    touched: list[Row] = [START, (100, 101, 98, 100)]
    passed: list[Row] = [START, (100, 101, 97.75, 100)]

    assert play(touched, "0 close: buy 1 limit 98").fills == ["1 INTRABAR buy 1 @ 98 limit"]
    assert play(touched, "0 close: buy 1 limit 98", limit_fill="through").fills == []
    assert play(passed, "0 close: buy 1 limit 98", limit_fill="through").fills == ["1 INTRABAR buy 1 @ 98 limit"]


@pytest.mark.rule("S6.7")
def test_through_asks_for_a_tick_at_the_open_and_of_a_target_too() -> None:
    """O 98 touches the limit of 98 only; O 97.75 fills it at O. H 105 touches the target, H 105.25 fills it at 105."""
    at_open = play([START, (98, 98, 98, 98), (97.75, 98, 97.75, 98)], "0 close: buy 1 limit 98", limit_fill="through")
    target = play([START, (100, 105, 100, 100), (100, 105.25, 100, 100)], "0 open: buy 1 tp 105", limit_fill="through")

    assert at_open.fills == ["2 OPEN buy 1 @ 97.75 limit"]
    assert target.fills[1:] == ["2 INTRABAR sell 1 @ 105 take_profit"]


@pytest.mark.rule("S6.8")
def test_a_stop_limit_fills_at_its_trigger_or_rests_as_a_limit() -> None:
    """Stop 103, limit 104: filled at 103. With a limit of 102 it rests, and on the way to L it fills at 102."""
    within = flat("colour", "buy 1 stop 103 limit 104")
    beyond = play([START, (100, 106, 94, 99)], "0 close: buy 1 stop 103 limit 102", path="colour")

    assert within.fills == ["1 INTRABAR buy 1 @ 103 stop_limit"]
    assert beyond.fills == ["1 INTRABAR buy 1 @ 102 stop_limit"]


@pytest.mark.rule("S6.8")
def test_an_open_beyond_the_limit_triggers_a_stop_limit_without_filling_it() -> None:
    """O 105 triggers it, 104 is its most: it rests, and fills at 104 on the way to L 103."""
    story = play([START, (105, 106, 103, 105)], "0 close: buy 1 stop 103 limit 104")
    gone = play([START, (105, 106, 104.5, 105)], "0 close: buy 1 stop 103 limit 104")

    assert story.fills == ["1 INTRABAR buy 1 @ 104 stop_limit"]
    assert (gone.orders, gone.run.engine.order(1).triggered) == (["accepted"], True)


@pytest.mark.rule("S6.8")
def test_under_through_the_trigger_must_be_a_tick_better_than_the_limit() -> None:
    """A rising bar that ends at its high of 103, so that price never comes back."""
    words = {"path": "colour", "limit_fill": "through"}
    equal = play([START, (100, 103, 100, 103)], "0 close: buy 1 stop 103 limit 103", **words)
    better = play([START, (100, 103, 100, 103)], "0 close: buy 1 stop 103 limit 103.25", **words)

    assert equal.fills == []
    assert better.fills == ["1 INTRABAR buy 1 @ 103 stop_limit"]


def ambiguous(bar: Row, *orders: str) -> bool:
    return bool(play([START, bar], *orders, "1 close: close", liquidate_on_finish=True).trades[0]["ambiguous"])


@pytest.mark.rule("S6.9")
def test_a_trade_is_ambiguous_where_both_of_its_levels_lay_inside_a_bar() -> None:
    """Levels on the extremes lie inside."""
    assert ambiguous((100, 105, 95, 100), "0 open: buy 1 sl 95 tp 105")
    assert not ambiguous((100, 104.75, 95, 100), "0 open: buy 1 sl 95 tp 105")
    assert not ambiguous((100, 110, 90, 100), "0 open: buy 1 sl 95")


@pytest.mark.rule("S6.9")
def test_a_trade_is_ambiguous_where_it_began_in_mid_bar_with_a_level_inside_the_bar() -> None:
    assert ambiguous((100, 106, 94, 100), "0 close: buy 1 stop 103 sl 96")
    assert not ambiguous((100, 106, 94, 100), "0 close: buy 1 stop 103 sl 93")


@pytest.mark.rule("S6.9")
def test_a_gap_is_not_ambiguous() -> None:
    """Both levels lie inside the bar, but the open had stopped the trade before INTRABAR began."""
    assert not ambiguous((94, 106, 93, 100), "0 open: buy 1 sl 95 tp 105")


@pytest.mark.rule("S6.9")
def test_ambiguity_belongs_to_a_trade_and_not_to_the_next_one() -> None:
    story = play(
        [START, (100, 106, 94, 100), START], "0 open: buy 1 sl 95 tp 105", "2 open: buy 1", liquidate_on_finish=True
    )

    assert [trade["ambiguous"] for trade in story.trades] == [True, False]
