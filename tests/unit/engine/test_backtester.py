"""Orders, levels and views of the simulated account as bots and windows call them (S8, DESIGN section 3)."""

from typing import Any

import pytest

from data.sessions import SessionCalendar
from engine.actions import apply_action
from engine.backtester import BacktesterEngine
from engine.config.sections import SimulationSection
from engine.kernel.schema import OrderStatus, OrderType, Phase, Reject, Source
from engine.market import Market, SessionPolicy
from engine.orders import NO_PRICE, Order, OrderRequest, Side
from engine.run import Run
from tests.unit.engine import small_runs
from tests.unit.engine.small_runs import ActingBot, flat_rows


@pytest.fixture
def account() -> BacktesterEngine:
    """At OPEN of bar 2, where O is 101."""
    engine = small_runs.engine({"ES": flat_rows(30), "NQ": flat_rows(30, 200.0)})
    for bar in range(2):
        engine.open_bar(bar)
        engine.finish_bar()
    engine.open_bar(2)
    return engine


def order(account: BacktesterEngine, **terms: Any) -> Order:
    """An order to buy one ES, or as told."""
    return account.place_order(OrderRequest(**{"symbol": "ES", "side": Side.BUY, "quantity": 1.0, **terms}))


def test_a_market_order_answers_filled(account: BacktesterEngine) -> None:
    answer = order(account, stop_loss=99.9, take_profit=110.1)
    assert answer.status is OrderStatus.FILLED
    assert (answer.id, answer.stop_loss, answer.take_profit) == (1, 99.75, 110.25)
    assert (answer.placed_bar, answer.placed_phase, answer.ended_bar, answer.ended_phase) == (2, 0, 2, Phase.OPEN)
    assert not answer.working
    assert answer.reason == ""


@pytest.mark.rule("S2.2")
def test_prices_of_a_resting_order_are_rounded_against_the_trader(account: BacktesterEngine) -> None:
    limit = order(account, type=OrderType.LIMIT, limit=90.1)
    stop = order(account, type=OrderType.STOP, stop=120.1)
    assert (limit.limit, stop.stop) == (90.0, 120.25)
    assert (limit.stop, stop.limit, limit.stop_loss) == (None, None, None)
    assert [each.id for each in account.get_orders()] == [1, 2]


@pytest.mark.parametrize(
    ("terms", "reject", "told"),
    [
        ({"quantity": 0}, Reject.QUANTITY, "quantity 0 is not a positive multiple of the lot step 1"),
        ({"quantity": float("nan")}, Reject.QUANTITY, "quantity nan is not"),
        ({"stop_loss": 101.0}, Reject.STOP_LOSS_SIDE, "stop loss 101 is not below the entry 101 of a buy"),
        ({"side": Side.SELL, "stop_loss": 90}, Reject.STOP_LOSS_SIDE, "stop loss 90 is not above the entry 101"),
        ({"take_profit": 90}, Reject.TAKE_PROFIT_SIDE, "take profit 90 is not above the entry 101 of a buy"),
        ({"type": OrderType.LIMIT}, Reject.PRICE_MISSING, "is missing or not a finite number"),
        ({"quantity": 300}, Reject.MARGIN, "free margin after costs is 99,699.5; largest affordable quantity is 99"),
        ({"quantity": 300}, Reject.MARGIN, "buy 300 needs 300,000 initial margin"),
        ({"symbol": "XX"}, Reject.UNKNOWN_SYMBOL, "the run has no such symbol"),
    ],
)  # fmt: skip
def test_a_refusal_says_why_with_the_figures(
    account: BacktesterEngine, terms: dict[str, Any], reject: Reject, told: str
) -> None:
    refused = order(account, **terms)
    assert (refused.status, refused.reject, refused.id) == (OrderStatus.REJECTED, reject, 1)
    assert told in refused.reason
    assert refused.symbol == terms.get("symbol", "ES")
    assert account.get_orders() == []
    assert repr(account.get_orders(working_only=False)) == repr([refused])


def test_closing_what_is_flat_is_rejected_and_has_no_side(account: BacktesterEngine) -> None:
    answer = account.close_position("ES")
    assert (answer.status, answer.reject, answer.side) == (OrderStatus.REJECTED, Reject.FLAT, None)
    assert "no position" in answer.reason


def test_closing_closes_the_whole_position(account: BacktesterEngine) -> None:
    order(account, quantity=3)
    answer = account.close_position("ES", Source.MANUAL)
    assert (answer.side, answer.quantity, answer.source) == (Side.SELL, 3.0, Source.MANUAL)
    assert account.get_positions() == []


def test_cancelling_ends_an_order_once_and_says_who_did(account: BacktesterEngine) -> None:
    resting = order(account, type=OrderType.LIMIT, limit=90)
    assert account.cancel_order(resting.id, Source.MANUAL)
    assert not account.cancel_order(resting.id)
    assert not account.cancel_order(77)
    cancelled = account.order(resting.id)
    assert (cancelled.status, cancelled.reject, cancelled.reason) == (
        OrderStatus.CANCELLED, Reject.BY_HAND, "cancelled by hand",
    )  # fmt: skip


def test_changing_an_order_changes_what_is_given_alone(account: BacktesterEngine) -> None:
    resting = order(account, type=OrderType.LIMIT, limit=90, stop_loss=80)
    changed = account.modify_order(resting.id, limit=91.1, quantity=2)
    assert (changed.limit, changed.quantity, changed.stop_loss, changed.id) == (91.0, 2.0, 80.0, resting.id)
    assert account.get_orders() == [changed]


def test_a_price_of_an_order_can_be_taken_away(account: BacktesterEngine) -> None:
    resting = order(account, type=OrderType.LIMIT, limit=90, stop_loss=80, take_profit=120)
    changed = account.modify_order(resting.id, stop_loss=NO_PRICE)
    assert (changed.limit, changed.stop_loss, changed.take_profit) == (90.0, None, 120.0)
    apply_action(account, {"type": "modify_order", "id": resting.id, "tp": None})
    assert (account.order(resting.id).take_profit, account.order(resting.id).limit) == (None, 90.0)
    with pytest.raises(ValueError, match="stays as it was: a limit, stop or level that this order needs is missing"):
        account.modify_order(resting.id, limit=NO_PRICE)
    assert account.order(resting.id).limit == 90.0


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"stop_loss": 95.0}, "stop loss 95 is not below the entry 90 of a buy"),
        ({"limit": 70.0}, "stop loss 80 is not below the entry 70 of a buy"),
        ({"take_profit": 85.0}, "take profit 85 is not above the entry 90 of a buy"),
        ({"quantity": 0.5}, "quantity 0.5 is not a positive multiple of the lot step 1"),
        ({"quantity": 0}, "quantity 0 is not a positive multiple"),
    ],
)
def test_a_change_that_is_refused_leaves_the_order_as_it_was(
    account: BacktesterEngine, changes: dict[str, Any], told: str
) -> None:
    resting = order(account, type=OrderType.LIMIT, limit=90, stop_loss=80)
    with pytest.raises(ValueError, match=f"order 1 stays as it was: {told}"):
        account.modify_order(resting.id, **changes)
    assert account.order(resting.id) == resting


def test_changing_what_does_not_work_says_what_it_is(account: BacktesterEngine) -> None:
    order(account)
    with pytest.raises(ValueError, match="order 1 does not work any more: it is filled"):
        account.modify_order(1, quantity=2)
    with pytest.raises(ValueError, match="order 5 does not exist; the last one is 1"):
        account.modify_order(5, quantity=2)


def test_levels_are_set_moved_cleared_and_need_a_position(account: BacktesterEngine) -> None:
    assert not account.modify_stop_loss("ES", 90)
    assert not account.modify_take_profit("XX", 90)
    order(account)
    assert account.modify_stop_loss("ES", 99.9)
    assert account.modify_take_profit("ES", 110.1)
    held = account.position("ES")
    assert held is not None
    assert (held.stop_loss, held.take_profit) == (99.75, 110.25)
    assert account.modify_stop_loss("ES", None)
    assert account.position("ES").stop_loss is None  # type: ignore[union-attr]


@pytest.mark.rule("S11.5")
def test_tightening_never_loosens(account: BacktesterEngine) -> None:
    order(account, stop_loss=95)
    assert account.tighten_stop_loss("ES", 97)
    assert not account.tighten_stop_loss("ES", 96)
    assert account.position("ES").stop_loss == 97.0  # type: ignore[union-attr]


def test_working_orders_are_listed_by_id_across_symbols_whatever_has_ended(account: BacktesterEngine) -> None:
    ids = [order(account, symbol=name, type=OrderType.LIMIT, limit=50).id for name in ("NQ", "ES", "NQ", "ES", "NQ")]
    account.cancel_order(3)
    order(account)
    account.cancel_order(2)
    assert [each.id for each in account.get_orders()] == [1, 4, 5]
    assert len(account.get_orders(working_only=False)) == len(ids) + 1


def test_the_portfolio_adds_up(account: BacktesterEngine) -> None:
    order(account, quantity=2)
    order(account, symbol="NQ", side=Side.SELL)
    account.finish_bar()
    account.open_bar(3)
    account.close_position("ES")

    found = account.get_portfolio()

    costs, gross = 2 * 2.5 + 1.5, (101.25 - 101.25) * 2 * 50
    assert found.costs == costs
    assert found.realised == gross
    assert found.cash == 100_000 + gross - costs
    assert found.unrealised == -(201.5 - 200.75) * 50
    assert found.equity == found.cash + found.unrealised
    assert account.get_total_pnl() == found.equity - 100_000
    assert (found.used_margin, found.maintenance_margin, found.open_positions) == (1000.0, 800.0, 1)
    assert found.free_margin == found.equity - 1000.0
    assert found.day_result == found.equity - 100_000
    assert not found.bankrupt


def test_a_flatten_carries_its_reason(account: BacktesterEngine) -> None:
    order(account)
    account.flatten("ES")
    assert account.tables.rows("fills")["reason"].tolist() == [0, 6]


def test_connecting_begins_anew(account: BacktesterEngine) -> None:
    order(account)
    account.connect()
    assert (account.bar, account.phase, account.get_positions()) == (-1, Phase.CLOSE, [])
    assert account.get_orders(working_only=False) == []


@pytest.mark.rule("S1.4")
def test_money_of_another_currency_is_converted_when_it_arises() -> None:
    engine = BacktesterEngine(
        small_runs.market({"ES": flat_rows(5)}, currency="EUR"), initial_cash=100_000.0, fx_rates={"EUR": 2.0}
    )
    engine.open_bar(0)
    engine.place_order(OrderRequest(symbol="ES", side=Side.BUY, quantity=1))
    engine.finish_bar()
    assert engine.get_portfolio().cash == 100_000 - 2 * 1.5
    assert engine.get_portfolio().unrealised == (100.5 - 100.25) * 50 * 2
    assert engine.get_portfolio().used_margin == 2000.0


def test_a_listener_hears_an_order_before_its_answer_is_back(account: BacktesterEngine) -> None:
    heard: list[Any] = []
    account.order_accepted.connect(lambda event: heard.append(("accepted", event.reference)))
    account.order_filled.connect(lambda event: heard.append(("filled", event.reference)))
    account.look_for_listeners()
    order(account)
    assert heard == [("accepted", 1), ("filled", 0)]


def test_a_listener_that_gives_an_order_is_heard_too() -> None:
    engine = small_runs.engine()
    filled: list[int] = []

    def answer(event: Any) -> None:
        filled.append(event.reference)
        if len(filled) < 3:
            engine.place_order(OrderRequest(symbol="ES", side=Side.BUY, quantity=1))

    engine.order_filled.connect(answer)
    first = [{"bar": 3, "phase": "OPEN", "type": "market", "symbol": "ES", "side": "buy", "qty": 1}]
    Run(engine, ActingBot(), interventions=first).complete()
    assert sorted(filled) == [0, 1, 2]


@pytest.mark.rule("S6.4")
def test_bars_that_no_finer_bars_make_up_are_told_in_the_report() -> None:
    """Of three bars of ES the second has a finer bar that is the same; NQ has no file of finer bars."""
    rows = flat_rows(3)
    finer = small_runs.series("ES", [None, rows[1], (1.0, 2.0, 0.5, 1.5)])
    names = ("ES", "NQ")
    market = Market(
        [small_runs.instrument(name) for name in names],
        [small_runs.series(name, rows) for name in names],
        {"ES": finer},
        [SessionCalendar.named(None)] * 2,
    )

    account = BacktesterEngine(market, SimulationSection(path="fine_bars"))
    account.connect()

    assert account.notes == [
        "ES: path is fine_bars, but of 3 bars 2 have no finer bars that make them up; they are walked as worst_case",
        "NQ: path is fine_bars, but it has no fine_file; its bars are walked as worst_case",
    ]


@pytest.mark.rule("S11.1")
@pytest.mark.parametrize(("wanted", "told"), [(True, 1), (None, 0), (False, 0)])
def test_flattening_that_is_asked_for_without_a_calendar_is_told_once(wanted: bool | None, told: int) -> None:
    account = small_runs.engine()

    for _ in range(2):
        account.keep_sessions(SessionPolicy(flatten=wanted))

    assert len(account.notes) == told
    assert all(
        "ES: flatten_before_maintenance is true, but the asset has no calendar" in note for note in account.notes
    )
