"""CLOSE: the worst that the bar saw, margin calls, the end of a day and of the data (S7)."""

import pytest

from bots.base import BaseStrategyBot, BotSettings
from engine.backtester import BacktesterEngine
from engine.environment import TradingEnvironment
from engine.orders import OrderRequest, Side
from engine.result import Result
from engine.run import Run
from exits.atr import TrailingATRExit
from tests.rules.table import Bars, Row, made, play
from tests.scenarios import kernel

START: Row = (100, 101, 99, 100)
WIDE: Row = (100, 106, 94, 101)


@pytest.mark.rule("S7.1")
def test_a_position_held_since_the_open_is_valued_at_its_adverse_extreme() -> None:
    """6 points x 10 either way."""
    assert play([START, WIDE], "0 open: buy 1").row("worst_equity")[1] == 99_940.0
    assert play([START, WIDE], "0 open: sell 1").row("worst_equity")[1] == 99_940.0


@pytest.mark.rule("S7.1")
def test_a_position_opened_in_mid_bar_is_valued_at_the_worst_price_since() -> None:
    """Bought at 103. Best case: L came before, then H 106 and C 101, 2 points. Worst case: L comes after, 9 points."""
    order = "0 close: buy 1 stop 103"

    assert play([START, WIDE], order, path="best_case").row("worst_equity")[1] == 99_980.0
    assert play([START, WIDE], order, path="worst_case").row("worst_equity")[1] == 99_910.0


@pytest.mark.rule("S7.1")
def test_a_position_reversed_in_mid_bar_is_valued_since_its_reversal() -> None:
    """L 94 first, sold out of the long at 104 (+40) into a short: at H 106 it has lost 20."""
    story = play([START, WIDE], "0 open: buy 1", "0 close: sell 2 limit 104", path="worst_case")

    assert story.row("worst_equity")[1] == 100_000 + 40 - 20


@pytest.mark.rule("S7.1")
def test_the_size_at_the_end_of_the_bar_counts() -> None:
    """Of two contracts one is sold at 105 (+50); the other is valued at L 94, 60 points of money lower."""
    story = play([START, WIDE], "0 open: buy 2", "0 close: sell 1 limit 105")

    assert story.row("worst_equity")[1] == 100_000 + 50 - 60


@pytest.mark.rule("S7.1")
def test_all_symbols_are_at_their_worst_at_once_and_one_without_a_bar_at_its_mark() -> None:
    """A at L 94 and B, short, at H 53: 60 + 30. In bar 2 A has no bar: C 101 is worth 10, B loses 30 again."""
    bars: Bars = {"A": [START, WIDE, None], "B": [(50, 51, 49, 50), (50, 53, 47, 50), (50, 53, 47, 50)]}

    story = play(bars, "0 open: buy 1", "0 open: sell 1 of B")

    assert story.row("worst_equity")[1:] == [99_910.0, 99_980.0]


@pytest.mark.rule("S7.2")
def test_a_margin_call_needs_worst_equity_strictly_below_the_maintenance_margin() -> None:
    """Five contracts need 5 x 80 = 400. At L 88 equity is 1000 - 5 x 120 = 400: enough. At 87.75 it is 387.50."""
    kept = play([START, (100, 101, 88, 95)], "0 open: buy 5", cash=1000.0)
    called = play([START, (100, 101, 87.75, 95)], "0 open: buy 5", cash=1000.0, slippage_ticks=1)

    assert kept.calls == []
    assert called.fills[1:] == ["1 CLOSE sell 5 @ 94.75 liquidation"]
    assert called.calls[0]["required"] == 400.0
    assert called.calls[0]["worst_equity"] == 1000 - 5 * 10 * (100.25 - 87.75)


@pytest.mark.rule("S7.2")
def test_liquidation_takes_the_close_or_the_breach_and_the_money_between_is_told() -> None:
    """(95 - 87.75) x 5 x 10 = 362.50 lie between them."""
    bars: Bars = [START, (100, 101, 87.75, 95)]

    close = play(bars, "0 open: buy 5", cash=1000.0)
    breach = play(bars, "0 open: buy 5", cash=1000.0, liquidation_price="breach")

    assert close.fills[1:] == ["1 CLOSE sell 5 @ 95 liquidation"]
    assert breach.fills[1:] == ["1 CLOSE sell 5 @ 87.75 liquidation"]
    assert close.calls[0]["between"] == breach.calls[0]["between"] == 362.5
    assert (close.row("cash")[1], breach.row("cash")[1]) == (750.0, 387.5)


@pytest.mark.rule("S7.2")
def test_losers_go_first_until_the_rest_is_covered_and_all_means_all() -> None:
    """At C A has lost 10 and B 300: B goes, and equity 1000 - 310 covers the 160 of A's two contracts.

    At the worst, equity was 1000 - 2 x 60 - 3 x 300 = -20.
    """
    bars: Bars = {"A": [START, (100, 101, 94, 99.5)], "B": [START, (100, 101, 70, 90)]}
    orders = ("0 open: buy 2", "0 open: buy 3 of B")

    some = play(bars, *orders, cash=1000.0)
    every = play(bars, *orders, cash=1000.0, liquidation="all")

    assert [call["liquidated"] for call in some.calls + every.calls] == [["B"], ["B", "A"]]
    assert some.held(1, "A") == {"qty": 2, "avg": 100, "sl": None, "tp": None}
    assert some.calls[0]["equity_after"] == 690.0


@pytest.mark.rule("S7.2")
def test_equal_losers_go_in_configuration_order() -> None:
    fall: Row = (100, 101, 50, 90)
    bars: Bars = {"B": [START, fall], "A": [START, fall]}

    story = play(bars, "0 open: buy 4", "0 open: buy 4 of A", cash=1000.0, liquidation="all")

    assert story.calls[0]["liquidated"] == ["B", "A"]


@pytest.mark.rule("S7.2")
def test_resting_and_queued_orders_of_a_liquidated_symbol_are_cancelled() -> None:
    """The order of B stays."""
    bars: Bars = {"A": [START, (100, 101, 80, 95)], "B": [START, START]}

    story = play(bars, "0 open: buy 5", "0 close: buy 1 limit 50", "0 close: buy 1 limit 50 of B", cash=1000.0)

    assert story.orders == ["filled", "cancelled liquidated", "accepted"]


@pytest.mark.rule("S7.2")
def test_a_symbol_without_a_bar_is_liquidated_at_its_mark() -> None:
    """B falls while A has no bar; A's last close was 97."""
    bars: Bars = {"A": [(100, 101, 97, 97), None], "B": [START, (100, 101, 0, 99)]}

    story = play(bars, "0 open: buy 4", "0 open: buy 1 of B", cash=1000.0, slippage_ticks=1)

    assert story.fills[2:] == ["A: 1 CLOSE sell 4 @ 96.75 liquidation"]


@pytest.mark.rule("S7.2")
def test_the_margin_that_ends_a_liquidation_is_taken_at_the_marks() -> None:
    """Half of the notional is kept. At B's worst, -40, equity is 600 - 500 = 100, required 500 + half of 400 = 700.

    Once B is gone at C 4, equity is 600 - 60 = 540 and A, at its mark of 100, needs half of 1000: covered.
    """
    rates = {
        "initial_margin": None,
        "maintenance_margin": None,
        "initial_margin_rate": 0.5,
        "maintenance_margin_rate": 0.5,
    }
    bars: Bars = {"A": [(100, 100, 100, 100)] * 2, "B": [(10, 10, 10, 10), (10, 10, -40, 4)]}

    story = play(bars, "0 open: buy 1", "0 open: buy 1 of B", cash=600.0, **rates)

    assert story.calls[0]["required"] == 500 + 200
    assert story.calls[0]["liquidated"] == ["B"]
    assert story.row("maintenance_margin") == [550.0, 500.0]


@pytest.mark.rule("S7.3")
def test_equity_is_cash_plus_unrealised_at_the_close_of_every_bar() -> None:
    story = play([START, WIDE, (101, 110, 100, 108)], "0 open: buy 2", "2 open: sell 1")

    assert story.row("equity") == [100_000.0, 100_020.0, 100_000 + 10 + 80]
    assert story.row("cash") == [100_000.0, 100_000.0, 100_010.0]


@pytest.mark.rule("S7.3")
def test_an_account_without_money_and_position_is_bankrupt_from_then_on() -> None:
    """100 on one contract; ten points down nothing is left. Its resting order goes, later ones are refused."""
    bars: Bars = {"A": [START, (90, 91, 89, 90), START], "B": [START] * 3}

    story = play(bars, "0 open: buy 1", "0 close: buy 1 limit 50 of B", "2 open: buy 1 of B", cash=100.0)

    assert story.status == "bankrupt"
    assert story.orders == ["filled", "cancelled bankrupt", "rejected bankrupt"]
    assert story.row("equity") == [100.0, 0.0, 0.0]


@pytest.mark.rule("S7.3")
def test_a_loss_beyond_the_account_is_booked() -> None:
    story = play([START, (85, 86, 84, 85)], "0 open: buy 1", cash=100.0)

    assert (story.status, story.row("cash")) == ("bankrupt", [100.0, -50.0])


@pytest.mark.rule("S7.4")
def test_a_day_order_expires_with_the_last_bar_of_the_day_in_which_it_could_first_fill() -> None:
    """Days 0, 0, 1, 1, 2: given at the last close of day 0 it belongs to day 1."""
    story = play(
        [START] * 5,
        "0 open: buy 1 limit 90 day",
        "1 close: buy 1 limit 90 day",
        "1 close: buy 1 limit 90",
        days=[0, 0, 1, 1, 2],
    )

    assert story.orders == ["expired day_ended", "expired day_ended", "accepted"]
    assert [story.run.engine.order(number).ended_bar for number in (1, 2)] == [1, 3]


@pytest.mark.rule("S7.4")
def test_a_day_order_over_missing_bars_belongs_to_the_day_of_the_first_real_one() -> None:
    bars: Bars = {"A": [START, None, None, START, START], "B": [START] * 5}

    story = play(bars, "0 close: buy 1 limit 90 day", days=[0, 0, 1, 2, 3])

    assert story.run.engine.order(1).ended_bar == 3


@pytest.mark.rule("S7.4")
def test_a_day_order_has_expired_when_the_bot_runs_at_the_close() -> None:
    story = play([START, START], "0 open: buy 1 limit 90 day", "0 close: cancel 1", days=[0, 1])

    assert story.orders == ["expired day_ended"]


@pytest.mark.rule("S7.4")
def test_the_last_bar_of_the_data_ends_its_day() -> None:
    assert play([START], "0 open: buy 1 limit 90 day").orders == ["expired day_ended"]


@pytest.mark.rule("S7.4")
def test_a_market_order_does_not_expire_while_it_waits() -> None:
    """Given on day 0, the next open is on day 1."""
    story = play([START, START], "0 open: buy 1 day", days=[0, 1], market_fill="next_open")

    assert story.fills == ["1 OPEN buy 1 @ 100 market"]


class Listener(TrailingATRExit):
    """Notes when it is taught."""

    def __init__(self, heard: list[str]) -> None:
        super().__init__()
        self.heard = heard

    def ingest_trade_log(self, env: TradingEnvironment) -> None:
        self.heard.append(f"{env.bar_index} taught at {env.phase.name}")


class Closer(BaseStrategyBot):
    """Buys at the first open, sells at the second, and notes its closes."""

    def __init__(self, heard: list[str]) -> None:
        super().__init__(BotSettings(), Listener(heard))
        self.heard = heard

    def on_bar(self, env: TradingEnvironment) -> None:
        if env.bar_index == 0:
            env.place_order(OrderRequest(symbol="A", side=Side.BUY, quantity=1))
        elif env.bar_index == 1:
            env.close_position("A")

    def on_close(self, env: TradingEnvironment) -> None:
        average = env.indicator("sma", "A", period=2)
        self.heard.append(f"{env.bar_index} close {env.bar('A').close:g}, mean of two {average:g}")


@pytest.mark.rule("S7.5")
def test_at_the_close_indicators_have_the_bar_learners_the_trades_and_then_the_bot_acts() -> None:
    bars: Bars = [(100, 101, 99, 100), (100, 106, 94, 102), (102, 103, 101, 103)]
    heard: list[str] = []
    engine = BacktesterEngine(kernel.market_of(made(bars, (), 1000.0, {})), fx_rates={"X0": 1.0})

    Run(engine, Closer(heard)).complete()

    assert heard == [
        "0 close 100, mean of two nan",
        "1 taught at CLOSE",
        "1 close 102, mean of two 101",
        "2 close 103, mean of two 102.5",
    ]


@pytest.mark.rule("S7.6")
def test_at_the_end_of_data_positions_stay_open_or_are_closed_at_the_last_mark() -> None:
    """C 101, a tick of slippage, 2 of commission: 10 - 2.50 - 2 = 5.50 beside what the entry had cost, 4.50."""
    bars: Bars = {"A": [START, WIDE], "B": [START, None]}
    orders = ("0 open: buy 1 of B", "0 open: buy 1")
    costs = {"slippage_ticks": 1, "commission_per_contract": 2.0}

    open_end = play(bars, *orders, **costs)
    closed = play(bars, *orders, **costs, liquidate_on_finish=True)

    assert open_end.fills[2:] == []
    assert closed.fills[2:] == ["A: 1 CLOSE sell 1 @ 100.75 finish", "B: 1 CLOSE sell 1 @ 99.75 finish"]
    assert closed.row("equity")[1] == closed.row("cash")[1] == 100_000 + 10 - 4 * 2.5 - 4 * 2
    assert closed.row("used_margin")[1] == 0.0


@pytest.mark.rule("S7.6")
def test_the_finish_comes_after_what_the_bot_does_at_the_last_close() -> None:
    """An order given there never fills, and the position is closed by the finish."""
    story = play([START], "0 open: buy 1", "0 close: sell 1", liquidate_on_finish=True)

    assert story.fills[1:] == ["0 CLOSE sell 1 @ 100 finish"]


@pytest.mark.rule("S7.6")
@pytest.mark.rule("S7.3")
def test_an_account_that_the_finish_leaves_without_money_is_bankrupt() -> None:
    """Ten points lost are all of the 100; without a maintenance margin nothing happened before."""
    words = {"cash": 100.0, "maintenance_margin": 0.0}

    closed = play([START, (90, 91, 90, 90)], "0 open: buy 1", **words, liquidate_on_finish=True)
    held = play([START, (90, 91, 90, 90)], "0 open: buy 1", **words)

    assert (closed.status, closed.run.status) == ("bankrupt", "bankrupt")
    assert (held.status, held.run.status) == ("completed", "completed")


@pytest.mark.rule("S7.7")
def test_the_equity_of_a_symbol_is_the_initial_cash_and_what_it_made_itself() -> None:
    """A: 2 x 3 points = 60 open, then sold with 4 of commission in all. B: short, 1 point against it, 10 and 1."""
    bars: Bars = {"A": [START, (103, 103, 103, 103), (103, 103, 103, 103)], "B": [START, None, (101, 101, 101, 101)]}

    story = play(bars, "0 open: buy 2", "0 open: sell 1 of B", "2 open: close", commission_per_contract=1.0)
    result = Result(None, None, story.run)  # configuration and warnings are not asked for here

    own = [result.symbol_equity(column).tolist() for column in (0, 1)]
    assert own == [[99_998.0, 100_058.0, 100_056.0], [99_999.0, 99_999.0, 99_989.0]]
    assert [a + b - 100_000 for a, b in zip(*own, strict=True)] == story.row("equity")
