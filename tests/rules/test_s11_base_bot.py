"""The base bot: when it flattens, what keeps it from entering, how much it buys (S11)."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from bots.base import BaseStrategyBot, BotSettings, SideArray
from bots.coin_flip import CoinFlipBot
from bots.trend_following import TrendFollowingBot
from data.sessions import SessionCalendar
from engine.backtester import BacktesterEngine
from engine.errors import ConfigError
from engine.kernel.schema import Reason
from engine.market import Market
from engine.orders import Side
from engine.run import Run
from engine.views import Position
from exits.atr import TrailingATRExit
from exits.base import ExitContext, ExitStrategy, Levels
from tests.properties import drives
from tests.rules.table import CONTRACT, Bars, Row, made, play
from tests.scenarios import kernel

# A true range of 4 points; with a period of 1 the ATR is 4 from the second close on, so bar 2 is the first to enter.
W: Row = (100, 102, 98, 100)
TRAIL = {"kind": "trailing_atr", "atr_multiple": 1.0, "atr_period": 1}


def bot(sides: str, exit: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    """A bot with a letter per bar for each symbol: ``"..b.s"`` buys at bar 2 and sells at bar 4; symbols by space."""
    letters = {"b": "buy", "s": "sell", ".": None}
    given = {symbol: [letters[letter] for letter in word] for symbol, word in zip("AB", sides.split(), strict=False)}
    return {"kind": "given", "sides": given, "exit": exit or TRAIL, "risk_pct": 0.01, "max_margin_pct": 0.5} | settings


@pytest.mark.rule("S11.1")
def test_a_flattening_bar_closes_at_its_open_and_cancels_what_works() -> None:
    """Also with market_fill next_open, where the entry itself filled a bar later."""
    given = bot("bbbbb", flatten={"A": [0, 0, 0, 0, 1]}, max_quantity=1)
    order = "3 close: buy 1 limit 90"

    here = play([W] * 5, order, bot=given)
    there = play([W] * 5, order, bot=given, market_fill="next_open")

    assert here.fills == ["2 OPEN buy 1 @ 100 market", "4 OPEN sell 1 @ 100 flatten"]
    assert there.fills == ["3 OPEN buy 1 @ 100 market", "4 OPEN sell 1 @ 100 flatten"]
    assert here.orders[1] == there.orders[1] == "cancelled flattened"
    assert here.result["gates"]["A"][4] == "session"


@pytest.mark.rule("S11.1")
def test_a_flattening_bar_cancels_what_works_for_a_flat_symbol_too() -> None:
    story = play([W] * 3, "0 close: buy 1 limit 90", bot=bot("...", flatten={"A": [0, 0, 1]}))

    assert story.orders == ["cancelled flattened"]


@pytest.mark.rule("S11.1")
def test_a_missed_flatten_closes_at_the_first_open_of_the_next_session_and_is_counted() -> None:
    """Bar 3 of the old session has no bar of A; B has one, so that the clock goes on."""
    bars: Bars = {"A": [W, W, W, None, (97, 99, 96.5, 98)], "B": [W] * 5}
    given = bot("..b..", session={"A": [0, 0, 0, 0, 1], "B": [0, 0, 0, 0, 1]}, max_quantity=1)

    story = play(bars, bot=given)

    assert story.fills[1:] == ["A: 4 OPEN sell 1 @ 97 flatten"]
    assert story.result["late_flattens"] == 1


class CalledInPython(TrailingATRExit):
    """The same exit, which the kernel does not know: its methods are called."""


@pytest.mark.rule("S11.1")
@pytest.mark.parametrize("market_fill", ["this_open", "next_open"])
@pytest.mark.parametrize("sides", [".......", "bbbbbbb", "..b...s"])
def test_an_exit_in_python_is_flattened_as_one_in_the_kernel(sides: str, market_fill: str) -> None:
    """While flat nothing is closed and no late flatten counted, and what works is cancelled all the same."""
    flags = {"flatten": {"A": [0, 0, 0, 1, 1, 0, 0]}, "session": {"A": [0, 0, 0, 0, 0, 1, 1]}}
    orders = ("0 close: buy 1 limit 90", "5 close: sell 1 limit 130")
    case = made([W] * 7, orders, 100_000.0, {"bot": bot(sides, max_quantity=1, **flags), "market_fill": market_fill})

    left = []
    for exit_class in (TrailingATRExit, CalledInPython):
        run = drives.made(case, "step")
        run.bot.exit = exit_class(exit_class.Settings(atr_multiple=1.0, atr_period=1))  # type: ignore[misc]
        run.bot.prepare(run.engine)
        run.engine.tables.flags[:] = kernel.flags_of(case)
        run.engine.tables.account["flatten_on"] = 1
        run.complete()
        assert run.error is None
        left.append(drives.left_by(run))

    assert left[0] == left[1]


NEW_YORK = ZoneInfo("America/New_York")


class Always(BaseStrategyBot):
    """Buys whenever it may."""

    def sides(self, market: Market) -> SideArray:
        return np.ones((len(market), len(market.symbols)), np.int8)


def kept_sessions(cache: Path, clock: list[str], minutes: int = 1, **settings: Any) -> list[tuple[str, str]]:
    """Time and reason of each fill of a bot that always buys the future, on bars of that length at these times."""
    moments = [datetime.fromisoformat(f"2024-05-06 {time}").replace(tzinfo=NEW_YORK) for time in clock]
    times = np.array([int(moment.timestamp()) * 1_000_000_000 for moment in moments])
    series = kernel.series_of("A", times, [list(W or ())] * len(times), minutes * kernel.MINUTE_NS)
    facts = kernel.instrument_of("A", CONTRACT, "USD")
    calendar = SessionCalendar.named("CME_Equity_Index", cache_dir=cache)
    engine = BacktesterEngine(Market([facts], [series], calendars=[calendar]))
    exit_ = TrailingATRExit(TrailingATRExit.Settings(atr_multiple=1.0, atr_period=1))
    Run(engine, Always(BotSettings(atr_period=1, **settings), exit_)).complete()
    return [(clock[row["bar"]], Reason(int(row["reason"])).name) for row in engine.tables.rows("fills")]


@pytest.mark.rule("S11.1")
def test_a_future_is_flattened_in_the_last_five_minutes_and_entered_again_after_the_break(tmp_path: Path) -> None:
    clock = ["16:52", "16:53", "16:54", "16:55", "16:56", "16:59", "18:00", "18:01"]

    assert kept_sessions(tmp_path, clock) == [("16:54", "MARKET"), ("16:55", "FLATTEN"), ("18:00", "MARKET")]
    assert kept_sessions(tmp_path, clock, flatten_minutes=3.0)[1] == ("16:59", "FLATTEN")
    assert kept_sessions(tmp_path, clock, flatten_before_maintenance=False) == [("16:54", "MARKET")]


@pytest.mark.rule("S11.1")
def test_regular_hours_keep_entries_out_before_half_past_nine(tmp_path: Path) -> None:
    clock = ["09:27", "09:28", "09:29", "09:30", "09:31"]

    assert kept_sessions(tmp_path, clock) == [("09:29", "MARKET")]
    assert kept_sessions(tmp_path, clock, enforce_sessions=True) == [("09:30", "MARKET")]


@pytest.mark.rule("S11.1")
def test_sessions_cannot_be_kept_with_bars_longer_than_an_hour(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="longer than an hour"):
        kept_sessions(tmp_path, ["10:00", "12:00"], minutes=120, enforce_sessions=True)
    with pytest.raises(ConfigError, match="longer than an hour"):
        kept_sessions(tmp_path, ["10:00", "12:00"], minutes=120, flatten_before_maintenance=True)


@pytest.mark.rule("S11.2")
def test_of_several_closed_gates_the_first_one_is_told() -> None:
    """Session, then ATR, then the day's loss, then the number of positions; at last the signal."""
    shut = {"allow": {"A": [0] * 3}, "min_atr": 4.25}

    def verdict(**settings: Any) -> Any:
        return play([W] * 3, bot=bot("...", **settings)).result["gates"]["A"][2]

    assert verdict(**shut) == "session"
    assert verdict(min_atr=4.25) == "atr"
    assert verdict(min_atr=4.0) == "no_signal"


@pytest.mark.rule("S11.2")
def test_no_entry_while_the_atr_is_not_known_or_too_low() -> None:
    assert play([W] * 3, bot=bot("bbb")).result["gates"]["A"] == ["atr", "atr", "entered"]
    assert play([W] * 3, bot=bot("bbb", min_atr=4.25)).result["gates"]["A"] == ["atr", "atr", "atr"]


@pytest.mark.rule("S11.2")
@pytest.mark.parametrize(("limit", "verdict"), [(0.05, "daily_loss"), (0.0501, "entered")])
def test_a_day_that_has_lost_too_much_takes_no_entry_until_the_next(limit: float, verdict: str) -> None:
    """One contract from 100, stopped out at the open of 95: 50 of 1000 are five per cent of the day's start."""
    fallen: Row = (95, 97, 93, 95)
    given = bot("..b.bb", risk_pct=1.0, max_quantity=1, max_daily_loss_pct=limit)

    story = play([W, W, W, fallen, fallen, fallen], bot=given, cash=1000.0, days=[0, 0, 0, 0, 0, 1])

    assert story.fills[1] == "3 OPEN sell 1 @ 95 stop_loss"
    assert story.result["gates"]["A"][4] == verdict
    assert story.result["gates"]["A"][5] == ("entered" if verdict == "daily_loss" else "holding")


@pytest.mark.rule("S11.2")
@pytest.mark.parametrize("market_fill", ["this_open", "next_open"])
def test_entries_of_the_same_pass_and_queued_ones_count_as_positions(market_fill: str) -> None:
    given = bot("bbbb bbbb", max_positions_open=1)

    story = play({"A": [W] * 4, "B": [W] * 4}, bot=given, market_fill=market_fill)

    assert story.result["gates"]["A"][2:] == ["entered", "holding"]
    assert story.result["gates"]["B"][2:] == ["max_positions", "max_positions"]


@pytest.mark.rule("S11.3")
def test_an_entry_is_one_market_order_with_its_bracket() -> None:
    """Stop 4 points of ATR below O, target twice as far above; mirrored for a sale."""
    ratio = {"kind": "fixed_ratio", "atr_multiple": 1.0, "atr_period": 1, "r_multiple": 2.0}

    long = play([W] * 3, bot=bot("..b", ratio, max_quantity=1))
    short = play([W] * 3, bot=bot("..s", ratio, max_quantity=1))

    assert long.orders == ["filled"]
    assert long.held(2) == {"qty": 1, "avg": 100, "sl": 96, "tp": 108}
    assert short.held(2) == {"qty": -1, "avg": 100, "sl": 104, "tp": 92}


@pytest.mark.rule("S11.3")
def test_levels_are_rounded_before_anything_is_computed_from_them() -> None:
    """1.03 x 4 = 4.12: the stop goes to 95.75, 4.25 away, and the target to 108.50, not to 108.25."""
    ratio = {"kind": "fixed_ratio", "atr_multiple": 1.03, "atr_period": 1, "r_multiple": 2.0}

    story = play([W] * 3, bot=bot("..b", ratio, max_quantity=1))

    assert story.held(2) == {"qty": 1, "avg": 100, "sl": 95.75, "tp": 108.5}


@pytest.mark.rule("S11.3")
def test_a_stop_that_does_not_lie_beyond_the_open_is_no_stop() -> None:
    """In a market that stands still the ATR is 0, and the stop would be O itself."""
    still: Row = (100, 100, 100, 100)

    assert play([still] * 3, bot=bot("..b")).result["gates"]["A"][2] == "levels"


def bought(cash: float, words: dict[str, Any] | None = None, **settings: Any) -> tuple[float, str]:
    """How many contracts are bought at 100 with the stop at 96, and the verdict."""
    story = play([W] * 3, bot=bot("..b", **settings), cash=cash, **(words or {}))
    return sum(fill["qty"] for fill in story.result["fills"]), story.result["gates"]["A"][2]


@pytest.mark.rule("S11.4")
@pytest.mark.parametrize(("fee", "quantity"), [(1.0, 2), (1.01, 1)])
def test_the_loss_at_the_stop_with_all_costs_fits_the_risk_budget(fee: float, quantity: float) -> None:
    """One per cent of 10,000 less two fees of 1 is 98; a contract risks 4 x 10 + 2 x 2.50 + 2 x 2 = 49."""
    costs = {"slippage_ticks": 1, "commission_per_contract": 2.0, "fee_per_trade": fee}

    assert bought(10_000.0, costs) == (quantity, "entered")


@pytest.mark.rule("S11.4")
def test_the_margin_takes_at_most_its_part_of_the_available_equity() -> None:
    """Risk would allow 25. Half of 1000 carries five contracts of 100; with costs (500 - 10) / 105 = 4.67, four."""
    assert bought(1000.0, risk_pct=1.0) == (5, "entered")
    assert bought(1000.0, {"commission_per_contract": 5.0, "fee_per_trade": 10.0}, risk_pct=1.0) == (4, "entered")


@pytest.mark.rule("S11.4")
def test_margin_in_use_is_not_available() -> None:
    """B first takes five of 100 out of 1000; half of the other 500 carries two."""
    story = play({"B": [W] * 3, "A": [W] * 3}, "1 open: buy 5", bot=bot("..b", risk_pct=1.0), cash=1000.0)

    assert story.fills[1] == "A: 2 OPEN buy 2 @ 100 market"


@pytest.mark.rule("S11.4")
def test_quantities_are_capped_and_rounded_down_to_the_lot_step() -> None:
    """100 of budget over 40 of risk are 2.5."""
    assert bought(10_000.0) == (2, "entered")
    assert bought(10_000.0, {"lot_size": 0.5}) == (2.5, "entered")
    assert bought(10_000.0, max_quantity=1.0) == (1, "entered")


@pytest.mark.rule("S11.4")
def test_dust_does_not_cost_a_lot() -> None:
    """0.3 / 0.1 is 2.9999999999999996; the contract's point is worth 0.025, so that it risks 0.1."""
    tiny = {"tick_value": 0.00625, "initial_margin": 0.0, "maintenance_margin": 0.0}

    assert bought(0.3, tiny, risk_pct=1.0) == (3, "entered")


@pytest.mark.rule("S11.4")
def test_below_one_lot_there_is_no_entry_and_the_reason_is_counted() -> None:
    """10 of budget over 40 of risk; 75 of 150 for a margin of 100."""
    assert bought(1000.0) == (0, "size_risk")
    assert bought(150.0, risk_pct=1.0) == (0, "size_margin")


@pytest.mark.rule("S11.4")
def test_a_cap_below_one_lot_is_a_size_below_one_lot() -> None:
    assert bought(10_000.0, max_quantity=0.5) == (0, "size_risk")


@pytest.mark.rule("S11.4")
def test_slippage_that_grows_with_the_quantity_is_taken_for_one_lot_when_sizing() -> None:
    """4 x sqrt(1 / 4) = 2 ticks: 40 + 2 x 5 = 50, so 100 buy two; these slip 2.83 ticks, 100.71, and pay 100.75."""
    slippage = {"A": {"ticks": [0.0] * 3, "volume_k": 4.0, "average_volume": [4.0] * 3}}

    story = play([W] * 3, bot=bot("..b"), cash=10_000.0, slippage=slippage)

    assert story.fills == ["2 OPEN buy 2 @ 100.75 market"]


class Loosening(ExitStrategy):
    """Stop 4 below the entry; later 2 below it, then 6 below it."""

    def initial_levels(self, side: Side, entry_price: float, atr: float, market: ExitContext) -> Levels:
        return Levels(stop_loss=entry_price - 4)

    def update_stop(self, position: Position, market: ExitContext) -> float | None:
        return position.average - (2 if market.env.bar_index == 3 else 6)


@pytest.mark.rule("S11.5")
def test_a_stop_only_ever_tightens() -> None:
    row: Row = (100, 102, 98.5, 100)
    market = kernel.market_of(made([row] * 6, (), 1000.0, {}))
    engine = BacktesterEngine(market, initial_cash=10_000.0, fx_rates={"X0": 1.0})
    stops: list[float | None] = []
    engine.bar_closed.connect(lambda _: stops.extend(held.stop_loss for held in engine.get_positions()))

    Run(engine, Always(BotSettings(atr_period=1), Loosening())).complete()

    assert stops == [96.0, 98.0, 98.0, 98.0]


@pytest.mark.rule("S11.5")
def test_the_stop_of_a_position_opened_by_hand_is_trailed_too() -> None:
    """In at 100 without a stop; after a close of 104 with an ATR of 6 it has one at 98."""
    story = play([W, W, W, (100, 105, 99, 104), (104, 105, 103, 104)], "2 open: buy 1 manual", bot=bot("....."))

    assert [(story.held(bar) or {})["sl"] for bar in (2, 3, 4)] == [None, None, 98]


def rows(n: int) -> list[Row]:
    return [W] * n


def flips(symbols: str, n: int, seed: int, **settings: Any) -> dict[str, list[int]]:
    """The sides of the coin flip bot per symbol."""
    market = kernel.market_of(made({symbol: rows(n) for symbol in symbols}, (), 1000.0, {}))
    market.seed = seed
    sides = CoinFlipBot(CoinFlipBot.Settings(**settings)).sides(market)
    return {symbol: sides[:, column].tolist() for column, symbol in enumerate(symbols)}


@pytest.mark.rule("S11.6")
def test_a_coin_depends_on_seed_symbol_and_bar_and_on_nothing_else() -> None:
    first = flips("AB", 50, seed=7)

    assert flips("BA", 50, seed=7) == first
    assert flips("A", 80, seed=7)["A"][:50] == first["A"]
    assert flips("AB", 50, seed=8)["A"] != first["A"] != first["B"]


@pytest.mark.rule("S11.6")
def test_a_coin_buys_with_the_probability_asked_for() -> None:
    """400 draws at 0.25 give 100 buys, give or take five deviations of 8.7."""
    assert set(flips("A", 50, seed=1, p_buy=1.0)["A"]) == {1}
    assert set(flips("A", 50, seed=1, p_buy=0.0)["A"]) == {-1}
    assert abs(flips("A", 400, seed=1, p_buy=0.25)["A"].count(1) - 100) < 44


def side_at_the_last(
    opening: float, closes: tuple[float, float, float] = (100, 100, 100), breakout: float = 1.5
) -> int:
    """The trend follower's side at ``opening``: EMA of two closes 100 where they are equal, ATR 4."""
    before = [(close, close + 2, close - 2, close) for close in closes]
    market = kernel.market_of(made([*before, (opening, opening, opening, opening)], (), 1000.0, {}))
    settings = TrendFollowingBot.Settings(ema_span=2, breakout_atr=breakout, atr_period=1)
    return int(TrendFollowingBot(settings).sides(market)[-1, 0])


@pytest.mark.rule("S11.7")
def test_an_open_across_the_average_is_a_crossback() -> None:
    """C 100 equals E 100: just above it buys, just below it sells, on it does nothing."""
    assert [side_at_the_last(opening) for opening in (100.25, 99.75, 100)] == [1, -1, 0]


@pytest.mark.rule("S11.7")
def test_an_open_far_from_the_average_is_a_breakout() -> None:
    """Closes 100, 100, 103: E = 101 + 2 / 3 x 2 = 102 with the first mean of 100: 100 + 2 / 3 x 3. ATR is 5.

    C is above E, so no cross upwards: half an ATR beyond 102 is 104.50, and strictly above it buys.
    """
    closes = (100, 100, 103)

    assert [side_at_the_last(opening, closes, 0.5) for opening in (104.5, 104.75)] == [0, 1]


@pytest.mark.rule("S11.7")
def test_a_crossback_goes_before_a_breakout() -> None:
    """C 103 above E 102, O 99.25 below: a cross sells, and so would half an ATR of 5 below 102; C 97 is the mirror."""
    assert side_at_the_last(99.25, (100, 100, 103), 0.5) == -1
    assert side_at_the_last(100.75, (100, 100, 97), 0.5) == 1
