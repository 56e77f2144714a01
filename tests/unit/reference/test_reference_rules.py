"""Rules that the worked scenarios leave out, one small table of bars each, worked by hand."""

from typing import Any

import pytest

from tests.reference import simulate

SPEC = {
    "tick_size": 1,
    "tick_value": 10.0,
    "initial_margin": 100,
    "maintenance_margin": 90,
    "commission_per_contract": 0.0,
    "fee_per_trade": 0.0,
    "slippage_ticks": 1,
}
FLAT = [100, 101, 99, 100]


def run(
    rows: list[Any],
    actions: list[dict[str, Any]],
    spec: dict[str, Any] | None = None,
    policy: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One symbol T, tick 1 worth 10, one tick of slippage; an action without a bar is given at CLOSE of bar 0."""
    case = {"start_cash": 10000, "spec": {"T": SPEC | (spec or {})}, "policy": policy or {}, "bars": {"T": rows}}
    given = [{"bar": 0, "phase": "CLOSE", "symbol": "T", **action} for action in actions]
    return simulate({**case, "actions": given, **more})


def told(result: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(f["bar"], f["phase"], f["side"], f["qty"], f["price"], f["reason"]) for f in result["fills"]]


def buy(kind: str = "market", **more: Any) -> dict[str, Any]:
    return {"type": kind, "side": "buy", "qty": 1, **more}


def sell(kind: str = "market", **more: Any) -> dict[str, Any]:
    return {"type": kind, "side": "sell", "qty": 1, **more}


@pytest.mark.parametrize("path", ["proximity", "colour"])
def test_a_tie_goes_low_first_for_longs_and_shorts(path: str) -> None:
    """S6.1."""
    doji = [100, 110, 90, 100]

    long = run([FLAT, doji], [buy(sl=92, tp=108)], policy={"path": path})
    short = run([FLAT, doji], [sell(sl=108, tp=92)], policy={"path": path})

    assert told(long)[1] == (1, "INTRABAR", "sell", 1, 91, "stop_loss")
    assert told(short)[1] == (1, "INTRABAR", "buy", 1, 92, "take_profit")
    assert long["trades"][0]["ambiguous"]


def test_the_first_resting_entry_decides_the_path_when_flat() -> None:
    """S6.2, S6.3: a buy, though not reached, sends worst_case up first and best_case down first."""
    actions = [buy("limit", limit=50), buy("stop", stop=105, tp=107), sell("stop", stop=95)]

    worst = run([FLAT, [100, 110, 90, 100]], actions)
    best = run([FLAT, [100, 110, 90, 100]], actions, policy={"path": "best_case"})

    # Up: in at 105, one tick worse; then the adverse low, where the sell stop at 95 closes it.
    assert told(worst)[:2] == [(1, "INTRABAR", "buy", 1, 106, "stop"), (1, "INTRABAR", "sell", 1, 94, "stop")]
    assert told(best)[0] == (1, "INTRABAR", "sell", 1, 94, "stop")


def test_finer_bars_are_walked_and_gaps_between_them_fill_at_their_open() -> None:
    """S6.4: the stop at 95 lies in the gap from 98 to 93 and fills there, one tick worse."""
    bar = [100, 104, 92, 101]
    finer = [[100, 104, 98, 98], [93, 101, 92, 101]]

    gapped = run([FLAT, bar], [buy(sl=95, tp=105)], policy={"path": "fine_bars"}, fine={"T": {"1": finer}})
    without = run([FLAT, bar], [buy(sl=95, tp=105)], policy={"path": "fine_bars"})
    wrong = run([FLAT, bar], [buy(sl=95)], policy={"path": "fine_bars"}, fine={"T": {"1": [[100, 104, 93, 101]]}})

    assert told(gapped)[1] == (1, "INTRABAR", "sell", 1, 92, "stop_loss")
    assert gapped["trades"][0]["mfe"] == 30
    assert told(without)[1] == told(wrong)[1] == (1, "INTRABAR", "sell", 1, 94, "stop_loss")


def test_through_needs_a_tick_beyond_and_fills_at_the_level() -> None:
    """S6.7: 105 touched is not enough, 106 is, filled at 105; at the open it fills at O."""
    actions = [buy(tp=105)]
    through = {"limit_fill": "through", "path": "colour"}

    touched = run([FLAT, [100, 105, 99, 104]], actions, policy=through)
    passed = run([FLAT, [100, 106, 99, 104]], actions, policy=through)
    gapped = run([FLAT, FLAT, [105, 107, 105, 106], [107, 107, 106, 106]], actions, policy=through)

    assert len(touched["fills"]) == 1
    assert told(passed)[1] == (1, "INTRABAR", "sell", 1, 105, "take_profit")
    assert passed["trades"][0]["mfe"] == 50  # seen where price stands: (106 - 101) * 10
    assert told(gapped)[1] == (2, "INTRABAR", "sell", 1, 105, "take_profit")
    at_open = run([FLAT, FLAT, [107, 107, 106, 106]], actions, policy=through)
    assert told(at_open)[1] == (2, "OPEN", "sell", 1, 107, "take_profit")


def test_a_stop_limit_that_gaps_past_its_limit_rests_as_a_limit() -> None:
    """S6.8: triggered at O 110 beyond the limit 107, filled when price comes back to it."""
    result = run([FLAT, [110, 112, 108, 109], [109, 110, 106, 108]], [buy("stop_limit", stop=105, limit=107)])

    assert told(result) == [(2, "INTRABAR", "buy", 1, 107, "stop_limit")]
    assert result["orders"][0]["triggered"]


def test_a_level_already_reached_when_set_in_mid_bar_triggers_where_price_stands() -> None:
    """S6.5: the stop-limit fills at its trigger 105, below its stop loss 106: out at 105 less a tick."""
    result = run([FLAT, [100, 110, 99, 108]], [buy("stop_limit", stop=105, limit=108, sl=106)])

    assert told(result)[:2] == [
        (1, "INTRABAR", "buy", 1, 105, "stop_limit"),
        (1, "INTRABAR", "sell", 1, 104, "stop_loss"),
    ]


def test_an_ioc_order_tries_the_first_open_only() -> None:
    """S8.1."""
    rows = [FLAT, [100, 105, 95, 100]]

    waiting = run(rows, [buy("limit", limit=99, tif="ioc"), buy("limit", limit=100, tif="ioc")])

    assert [(o["status"], o["reject"]) for o in waiting["orders"]] == [("cancelled", "ioc_unfilled"), ("filled", None)]


def test_a_reduce_only_order_is_cut_to_the_position_and_carries_no_levels() -> None:
    """S8.1: 5 offered, 1 held; the next one finds nothing."""
    actions = [buy(), sell("stop", stop=98, qty=5, reduce_only=True, sl=1), sell("stop", stop=97, reduce_only=True)]

    result = run([FLAT, [100, 101, 96, 97]], actions)

    assert told(result)[1] == (1, "INTRABAR", "sell", 1, 97, "stop")
    assert [o["status"] for o in result["orders"]] == ["filled", "filled", "cancelled"]
    assert result["orders"][1]["sl"] is None


def test_close_takes_the_whole_position_and_is_rejected_when_flat() -> None:
    """S8.1."""
    actions = [{"type": "close"}, buy(), {"type": "close", "bar": 1}, {"type": "close", "bar": 1}]

    result = run([FLAT, FLAT, FLAT], [*actions, buy(bar=1)])

    assert told(result)[1] == (2, "OPEN", "sell", 1, 99, "market")
    assert [(o["status"], o["reject"]) for o in result["orders"]] == [
        ("rejected", "flat"),
        ("filled", None),
        ("filled", None),
        ("cancelled", "flat"),
        ("filled", None),
    ]


def test_a_modified_order_that_is_marketable_fills_at_the_open() -> None:
    """S5.3: lifted to 100 at O 100; a change that S8.2 would refuse leaves it as it was."""
    first = {"bar": 1, "phase": "OPEN", "type": "modify_order", "id": 1, "limit": 90}
    second = first | {"limit": 100, "qty": 2}

    result = run([FLAT, FLAT], [buy("limit", limit=95, sl=92), first, second])

    assert told(result) == [(1, "OPEN", "buy", 2, 100, "limit")]


def test_liquidation_at_the_breach_takes_the_worst_price() -> None:
    """S7.2: 100 lots in at 101; low 96 is worst: -5000, equity 5000 < 9000. Out at 96 - 1 or at C 99 - 1."""
    rows, actions = [FLAT, [100, 101, 96, 99]], [buy(qty=99), buy("limit", limit=1)]

    close = run(rows, actions)
    breach = run(rows, actions, policy={"liquidation_price": "breach"})

    assert told(close)[1] == (1, "CLOSE", "sell", 99, 98, "liquidation")
    assert told(breach)[1] == (1, "CLOSE", "sell", 99, 95, "liquidation")
    assert close["margin_calls"][0]["between"] == breach["margin_calls"][0]["between"] == 2970
    assert close["margin_calls"][0]["required"] == 8910
    assert close["orders"][1]["reject"] == "liquidated"
    assert close["equity_after_bar"][1] == 10000 - 99 * 30


def test_liquidation_of_all_takes_every_position_lowest_profit_first() -> None:
    """S7.2."""
    bars = {"A": [FLAT, [100, 101, 95, 100]], "B": [FLAT, [100, 101, 95, 96]]}
    case = {
        "start_cash": 10000,
        "spec": {"A": SPEC, "B": SPEC},
        "policy": {"liquidation": "all"},
        "bars": bars,
        "actions": [{"bar": 0, "phase": "CLOSE", **buy(qty=q), "symbol": s} for s, q in (("A", 9), ("B", 88))],
    }

    result = simulate(case)

    assert result["margin_calls"][0]["liquidated"] == ["B", "A"]
    assert simulate({**case, "policy": {}})["margin_calls"][0]["liquidated"] == ["B"]


def test_a_bankrupt_account_cancels_what_rests_and_refuses_what_comes() -> None:
    """S7.3: 90 long at 101, O 80: -18900 with two ticks of slippage in all."""
    actions = [buy(qty=90, sl=95), buy("limit", limit=1), buy(bar=2), {"type": "close", "bar": 2}]

    result = run([FLAT, FLAT, [80, 81, 79, 80], FLAT], actions)

    assert result["status"] == "bankrupt"
    assert result["equity_after_bar"][2:] == [10000 - 90 * 220, 10000 - 90 * 220]
    assert [o["reject"] for o in result["orders"]] == [None, "bankrupt", "bankrupt", "bankrupt"]


def test_a_day_order_lives_on_the_day_of_its_first_real_bar_and_ends_on_a_synthetic_one() -> None:
    """S7.4: given on day 0, its first real bar is on day 1, whose last master bar has none of its symbol."""
    case = {
        "start_cash": 10000,
        "spec": {"T": SPEC, "U": SPEC},
        "policy": {},
        "days": [0, 0, 1, 1, 2],
        "bars": {"T": [FLAT, None, FLAT, None, [90, 91, 89, 90]], "U": [FLAT] * 5},
        "actions": [{"bar": 0, "phase": "CLOSE", "symbol": "T", **buy("limit", limit=90, tif="day")}],
    }

    order = simulate(case)["orders"][0]

    assert (order["status"], order["ended_bar"], order["ended_phase"]) == ("expired", 3, "CLOSE")


def test_an_off_grid_open_rounds_a_limit_fill_against_the_trader() -> None:
    """S2.6: a buy limit at 101 meets O 100.375 and pays 101; the difference is slippage cost."""
    result = run([FLAT, [100.375, 102, 100, 101]], [buy("limit", limit=101)])

    assert told(result) == [(1, "OPEN", "buy", 1, 101, "limit")]
    assert result["fills"][0]["slippage_cost"] == 6.25


def test_slippage_arrays_replace_the_instruments_own() -> None:
    """S9: 2 + 3 * sqrt(4 / 16) = 3.5 ticks, rounded up to 4."""
    given = {"ticks": [0, 2], "volume_k": 3, "average_volume": [None, 16]}

    result = run([FLAT, FLAT], [buy(qty=4)], slippage={"T": given})

    assert told(result) == [(1, "OPEN", "buy", 4, 104, "market")]


def test_another_currency_is_converted_at_its_rate() -> None:
    """S1.4: (100 - 101) * 10 - 2 at 0.5; margin 100 at 0.5."""
    result = run([FLAT, FLAT], [buy()], spec={"fx_rate": 0.5, "commission_per_contract": 2.0})

    assert result["equity_after_bar"][1] == 10000 - 0.5 * 12
    assert result["used_margin_after_bar"][1] == 50


def test_a_hand_order_that_closes_a_trade_is_manual() -> None:
    """S8.8."""
    result = run([FLAT, FLAT, FLAT], [buy(), sell(bar=1, source="manual")])

    assert result["trades"][0]["exit_reason"] == "manual"
    assert result["trades"][0]["net"] == -20


def test_risk_is_frozen_when_the_trade_first_has_a_stop() -> None:
    """S8.8: 2 long at 101, stop 91 set later: risk 10 * 10 * 2; moved to 99: still 200. Out at 98: -60."""
    moves = [{"type": "modify_stop", "sl": 91, "bar": 1}, {"type": "modify_stop", "sl": 99, "bar": 2}]

    result = run([FLAT, FLAT, FLAT, [100, 100, 98, 99]], [buy(qty=2), *moves])

    assert result["trades"][0]["initial_risk"] == 200
    assert result["trades"][0]["r_multiple"] == pytest.approx(-0.3)


def bot(exit_kind: str, sides: list[str | None], **more: Any) -> dict[str, Any]:
    levels = {"kind": exit_kind, "atr_multiple": 1, "atr_period": 1, "r_multiple": 2}
    return {"kind": "given", "sides": {"T": sides}, "exit": levels, "risk_pct": 0.05, **more}


def test_a_trailing_stop_follows_once_the_close_is_beyond_the_entry() -> None:
    """S12.1: ATR(1) is the last true range. In at 101 (stop 100 - 2 = 98); C 100 moves nothing; C 106, range 7: 99."""
    rows = [FLAT, FLAT, [100, 101, 99, 100], [100, 106, 99, 106], [106, 108, 105, 107]]
    result = run(rows, [], bot=bot("trailing_atr", [None, None, "buy", None, None]))

    stops = [row["T"]["sl"] if row else None for row in result["position_after_bar"]]

    assert told(result) == [(2, "OPEN", "buy", 12, 101, "market")]
    assert stops == [None, None, 98, 98, 99]
    assert result["gates"]["T"] == ["atr", "atr", "entered", "holding", "holding"]


def test_size_is_what_the_risk_budget_and_the_margin_cap_allow() -> None:
    """S11.4: 500 / ((2 + 2) * 10) = 12.5; margin 10000 * 0.05 / 100 = 5; at most 3."""
    rows, sides = [FLAT, FLAT, FLAT], [None, None, "buy"]

    def lots(**more: Any) -> float:
        return float(run(rows, [], bot=bot("fixed_ratio", sides, **more))["fills"][0]["qty"])

    assert [lots(), lots(max_margin_pct=0.05), lots(max_quantity=3)] == [12, 5, 3]


def test_gates_stop_entries_in_their_order() -> None:
    """S11.2."""
    rows, sides = [FLAT, FLAT, FLAT], [None, None, "buy"]

    def gate(**more: Any) -> str:
        return str(run(rows, [], bot=bot("fixed_ratio", sides, **more))["gates"]["T"][2])

    assert gate(min_atr=2.5) == "atr"
    assert gate(max_positions_open=0, min_atr=2) == "max_positions"
    assert gate(allow={"T": [1, 1, 0]}, min_atr=2.5) == "session"
    assert gate(risk_pct=0.001) == "size_risk"
    assert gate(max_margin_pct=0.001) == "size_margin"


def test_a_lost_day_takes_no_entry_until_the_next() -> None:
    """S11.2: 12 lots in at 101, stopped at 98 - 1: -480 of 10000 on day 0."""
    rows = [FLAT, FLAT, [100, 101, 90, 100], FLAT, FLAT]
    settings = bot("fixed_ratio", [None, None, "buy", "buy", "buy"], max_daily_loss_pct=0.04)

    result = run(rows, [], bot=settings, days=[0, 0, 0, 0, 1])

    assert result["gates"]["T"][2:] == ["entered", "daily_loss", "entered"]


def test_flatten_closes_at_the_open_and_a_missed_one_closes_at_the_next_session() -> None:
    """S11.1."""
    rows, sides = [FLAT, FLAT, FLAT, FLAT], [None, None, "buy", None]

    due = run(rows, [], bot=bot("fixed_ratio", sides, flatten={"T": [0, 0, 0, 1]}), policy={"market_fill": "next_open"})
    flattened = run(rows, [], bot=bot("fixed_ratio", sides, flatten={"T": [0, 0, 0, 1]}))
    late = run(rows, [], bot=bot("fixed_ratio", [None, None, "buy", "buy"], session={"T": [0, 0, 0, 1]}))

    assert told(flattened)[1] == (3, "OPEN", "sell", 12, 99, "flatten")
    assert told(due) == [(3, "OPEN", "buy", 12, 101, "market"), (3, "OPEN", "sell", 12, 99, "flatten")]
    assert [row[-1] for row in told(late)] == ["market", "flatten", "market"]
    assert late["late_flattens"] == 1
    assert flattened["trades"][0]["exit_reason"] == "flatten"


def test_trend_following_buys_a_cross_back_and_a_breakout() -> None:
    """S11.7: EMA(1) is the last close, so that C <= E holds and every higher open is a cross back."""
    settings = {"kind": "trend_following", "ema_span": 1, "breakout_atr": 1.5}
    settings["exit"] = {"kind": "fixed_ratio", "atr_multiple": 1, "atr_period": 1, "r_multiple": 1}
    bars = [FLAT, FLAT, [101, 102, 100, 101]]

    up = run(bars, [], bot=settings)
    down = run([FLAT, FLAT, [99, 100, 98, 99]], [], bot=settings)

    assert told(up)[0][2] == "buy"
    assert told(down)[0][2] == "sell"
