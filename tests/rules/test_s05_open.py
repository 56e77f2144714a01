"""OPEN: what the opening print does, and what is decided at it (S5)."""

from math import isnan

import pytest

from bots.base import BaseStrategyBot
from engine.backtester import BacktesterEngine
from engine.environment import TradingEnvironment
from engine.run import Run
from tests.rules.table import made, play
from tests.scenarios import kernel


@pytest.mark.rule("S5.1")
def test_a_gap_through_the_stop_fills_at_the_open_with_slippage() -> None:
    story = play([(100, 101, 99, 100), (95, 97, 94, 96)], "0 open: buy 1 sl 98", slippage_ticks=1)

    assert story.fills == ["0 OPEN buy 1 @ 100.25 market", "1 OPEN sell 1 @ 94.75 stop_loss"]


@pytest.mark.rule("S5.1")
def test_a_gap_through_a_limit_fills_at_the_open_which_is_better() -> None:
    story = play([(100, 101, 99, 100), (95, 97, 94, 96)], "0 close: buy 1 limit 98", slippage_ticks=1)

    assert story.fills == ["1 OPEN buy 1 @ 95 limit"]


@pytest.mark.rule("S5.1")
def test_protective_levels_go_first_then_queued_orders_then_resting_ones() -> None:
    """The stop of the long (id 0) before the market order 3, and that before the resting stop 2 of a lower id."""
    story = play(
        [(100, 101, 99, 100), (95, 97, 94, 96)],
        "0 open: buy 2 sl 98",
        "0 close: sell 1 stop 97",
        "0 close: sell 3",
    )

    assert [(story.fill(i)["order"], story.fills[i]) for i in (1, 2, 3)] == [
        (0, "1 OPEN sell 2 @ 95 stop_loss"),
        (3, "1 OPEN sell 3 @ 95 market"),
        (2, "1 OPEN sell 1 @ 95 stop"),
    ]


@pytest.mark.rule("S5.1")
def test_protective_levels_of_all_symbols_go_before_the_orders_of_any() -> None:
    """B's stop frees the margin for A's queued order: 100 of initial margin in all."""
    bars = {"A": [(50, 51, 49, 50), (50, 51, 49, 50)], "B": [(100, 101, 99.5, 100), (98, 99, 97, 98)]}

    story = play(bars, "0 open: buy 1 of B sl 99", "0 close: buy 1", cash=120.0)

    assert story.fills[1:] == ["B: 1 OPEN sell 1 @ 98 stop_loss", "A: 1 OPEN buy 1 @ 50 market"]


@pytest.mark.rule("S5.1")
def test_a_bracket_opened_by_the_opening_print_is_live_at_it_and_after_it() -> None:
    """The limit 98 fills at 95, already below its stop 96: out at 95. The other one is stopped on its way."""
    through = play([(100, 101, 99, 100), (95, 97, 94, 96)], "0 close: buy 1 limit 98 sl 96")
    later = play([(100, 101, 99, 100), (95, 97, 92, 96)], "0 close: buy 1 limit 98 sl 93")

    assert through.fills == ["1 OPEN buy 1 @ 95 limit", "1 OPEN sell 1 @ 95 stop_loss"]
    assert later.fills == ["1 OPEN buy 1 @ 95 limit", "1 INTRABAR sell 1 @ 93 stop_loss"]


class Looker(BaseStrategyBot):
    """Notes what it can see of bar and indicator at OPEN."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[float, ...]] = []

    def on_bar(self, env: TradingEnvironment) -> None:
        bar = env.bar("A")
        hidden = (bar.high, bar.low, bar.close, bar.volume)
        assert all(isnan(value) for value in hidden)
        self.seen.append((bar.open, bar.last_close, env.indicator("sma", "A", period=1)))


@pytest.mark.rule("S5.2")
def test_at_the_open_a_bot_sees_the_open_and_what_has_closed_and_nothing_else() -> None:
    bars = [(100, 101, 99, 100.5), (102, 103, 101, 102.5)]
    market = kernel.market_of(made(bars, (), 1000.0, {}))
    bot = Looker()

    Run(BacktesterEngine(market, fx_rates={"X0": 1.0}), bot).complete()

    assert bot.seen[1:] == [(102.0, 100.5, 100.5)]
    assert bot.seen[0][0] == 100.0
    assert all(isnan(value) for value in bot.seen[0][1:])


@pytest.mark.rule("S5.3")
def test_a_market_order_of_the_bot_fills_at_once_or_at_the_next_open() -> None:
    """The levels that the bot gave stay as given: 97 and 104, whatever the next open is."""
    bars = [(100, 101, 99, 100), (101, 102, 100, 101)]

    here = play(bars, "0 open: buy 1 sl 97 tp 104", slippage_ticks=1)
    there = play(bars, "0 open: buy 1 sl 97 tp 104", slippage_ticks=1, market_fill="next_open")

    assert here.fills == ["0 OPEN buy 1 @ 100.25 market"]
    assert there.fills == ["1 OPEN buy 1 @ 101.25 market"]
    assert there.held(1) == {"qty": 1, "avg": 101.25, "sl": 97.0, "tp": 104.0}


@pytest.mark.rule("S5.3")
def test_limits_and_stops_that_are_marketable_at_the_open_fill_at_it_and_others_rest() -> None:
    """O 100: a buy limit of 102 and a sell stop of 101 fill at 100, the stop with slippage; limit 99 waits for L."""
    story = play(
        [(100, 101, 98, 100)],
        "0 open: buy 1 limit 102",
        "0 open: sell 1 stop 101",
        "0 open: buy 1 limit 99",
        slippage_ticks=1,
    )

    assert story.fills == ["0 OPEN buy 1 @ 100 limit", "0 OPEN sell 1 @ 99.75 stop", "0 INTRABAR buy 1 @ 99 limit"]


@pytest.mark.rule("S5.3")
def test_orders_are_handled_in_the_order_in_which_they_are_given() -> None:
    """Money for one contract: the first of two gets it, and after the sale the third."""
    story = play([(100, 101, 99, 100)], "0 open: buy 1", "0 open: buy 1", "0 open: sell 1", "0 open: buy 1", cash=150.0)

    assert story.orders == ["filled", "rejected margin", "filled", "filled"]


@pytest.mark.rule("S5.4")
def test_a_level_set_at_the_open_that_price_has_passed_triggers_at_once() -> None:
    bars = [(100, 101, 99, 100), (102, 103, 101, 102)]

    stop = play(bars, "0 open: buy 1", "1 open: set sl 103", slippage_ticks=1)
    target = play(bars, "0 open: buy 1", "1 open: set tp 101", slippage_ticks=1)

    assert stop.fills[1:] == ["1 OPEN sell 1 @ 101.75 stop_loss"]
    assert target.fills[1:] == ["1 OPEN sell 1 @ 102 take_profit"]


@pytest.mark.rule("S5.4")
def test_a_level_set_at_the_close_or_on_a_synthetic_bar_waits_for_the_next_real_open() -> None:
    """C 100 and the last close of a missing bar are below the stop of 101: nothing happens until O 102 or O 99."""
    real = [(100, 101, 99, 100), (102, 103, 101.5, 102)]
    holed = {"A": [(100, 101, 99, 100), None, (99, 100, 98, 99)], "B": [(50, 51, 49, 50)] * 3}

    at_close = play(real, "0 open: buy 1", "0 close: set sl 101")
    on_synthetic = play(holed, "0 open: buy 1", "1 open: set sl 101")

    assert at_close.fills[1:] == []
    assert on_synthetic.fills[1:] == ["A: 2 OPEN sell 1 @ 99 stop_loss"]


@pytest.mark.rule("S5.5")
def test_orders_for_a_symbol_without_a_bar_wait_for_its_next_open() -> None:
    bars = {"A": [(100, 101, 99, 100), None, (103, 104, 102, 103)], "B": [(50, 51, 49, 50)] * 3}

    story = play(bars, "1 open: buy 1", "1 open: buy 1 limit 104")

    assert story.fills == ["A: 2 OPEN buy 1 @ 103 market", "A: 2 OPEN buy 1 @ 103 limit"]


@pytest.mark.rule("S5.6")
def test_orders_given_at_the_close_take_part_in_the_next_open() -> None:
    """A market order does not get C, and a stop that C has passed already does not get its level."""
    story = play([(100, 105, 99, 104), (106, 107, 105, 106)], "0 close: buy 1", "0 close: buy 1 stop 103")

    assert story.fills == ["1 OPEN buy 1 @ 106 market", "1 OPEN buy 1 @ 106 stop"]


@pytest.mark.rule("S5.6")
def test_an_order_by_hand_at_the_open_comes_after_the_bots_own() -> None:
    """Money for one contract: the bot's entry takes it though the order by hand was known long before."""
    bot = {"kind": "given", "sides": {"A": [None, None, "buy"]}, "exit": {"kind": "trailing_atr", "atr_period": 1}}
    words = {"bot": bot | {"risk_pct": 1.0, "max_margin_pct": 1.0}, "cash": 150.0}

    story = play([(100, 101, 99, 100)] * 3, "2 open: buy 1 manual", **words)

    assert story.orders == ["filled", "rejected margin"]
    assert [story.run.engine.order(number).source.name for number in (1, 2)] == ["BOT", "MANUAL"]


@pytest.mark.rule("S5.7")
def test_a_bot_may_enter_again_at_the_open_that_stopped_it_out() -> None:
    story = play([(100, 101, 99, 100), (95, 97, 94, 96)], "0 open: buy 1 sl 98", "1 open: sell 1")

    assert story.fills[1:] == ["1 OPEN sell 1 @ 95 stop_loss", "1 OPEN sell 1 @ 95 market"]
