"""The ticket says before sending what the simulator will do with the order: the simulator is the judge (S2.2, S8)."""

import itertools

import pytest

from app.replay.model import ReplayModel
from app.replay.ticket import Distance, Ticket, Unit, estimate
from engine.actions import apply_action
from engine.kernel.schema import OrderStatus, OrderType, Phase
from engine.run import Run
from tests.app.runs import config_of, finished

BAR = 700


@pytest.fixture(scope="module")
def stage() -> tuple[ReplayModel, Run]:
    from app.replay.facts import RunFacts
    from tests.app.runs import store_of

    config = config_of("sample", "end=2024-09-03", "initial_cash=60000")
    run, prepared = finished(config)
    model = ReplayModel(RunFacts(config, prepared), store_of(run))
    return model, run


def sent(run: Run, record: dict[str, object]) -> object:
    """What the simulator does with the record at OPEN of the bar, after the bot."""
    run.go_back(BAR)
    run.engine.open_bar(BAR)
    run.bot.on_bar(run.env)
    apply_action(run.engine, {**record, "source": "manual"})
    return run.engine.order(run.engine.tables.count("orders"))


def close(price: float, side: int, ticks: int) -> float:
    return price + side * ticks * 0.25


CASES = list(itertools.product((1, -1), (OrderType.MARKET, OrderType.LIMIT, OrderType.STOP), (1.0, 3.0, 0.5, 40.0),
                               (Distance(), Distance(Unit.TICKS, 12), Distance(Unit.TICKS, -4))))  # fmt: skip


@pytest.mark.parametrize(("side", "kind", "quantity", "stop"), CASES)
def test_the_ticket_refuses_exactly_what_the_simulator_refuses(
    stage: tuple[ReplayModel, Run], side: int, kind: OrderType, quantity: float, stop: Distance
) -> None:
    model, run = stage
    model.cursor_model.go(BAR, Phase.OPEN)
    mark = model.facts.mark(0, model.cursor)
    ticket = Ticket(
        column=0,
        side=side,
        type=kind,
        quantity=quantity,
        # A limit that rests is checked for margin at its fill only; these are marketable.
        limit=close(mark, side, 0) if kind is OrderType.LIMIT else None,
        stop=close(mark, side, 0) if kind is OrderType.STOP else None,
        stop_loss=stop,
    )
    told = estimate(model, ticket)
    order = sent(run, dict(told.record))
    refused = order.status is OrderStatus.REJECTED  # type: ignore[attr-defined]
    assert bool(told.refusal) == refused, (told.refusal, order)
    if refused:
        assert told.refusal == order.reason  # type: ignore[attr-defined]


@pytest.mark.parametrize("side", [1, -1])
def test_levels_are_rounded_as_the_broker_rounds_them(stage: tuple[ReplayModel, Run], side: int) -> None:
    """S2.2: a long's stop down and its target up, a short's the other way."""
    model, run = stage
    model.cursor_model.go(BAR, Phase.OPEN)
    ticket = Ticket(
        column=0, side=side, stop_loss=Distance(Unit.ATR, 3.0), take_profit=Distance(Unit.MONEY, 333.0), quantity=1.0
    )
    told = estimate(model, ticket)
    order = sent(run, dict(told.record))
    assert (told.stop, told.target) == (order.stop_loss, order.take_profit)  # type: ignore[attr-defined]
    assert told.stop is not None
    assert (told.stop / 0.25).is_integer()


def test_risk_percent_buys_whole_lots_within_the_budget(stage: tuple[ReplayModel, Run]) -> None:
    model, _ = stage
    model.cursor_model.go(BAR, Phase.OPEN)
    ticket = Ticket(column=0, side=1, quantity=None, risk=0.02, stop_loss=Distance(Unit.TICKS, 20))
    told = estimate(model, ticket)
    assert told.risk is not None
    assert told.quantity >= 1
    assert told.risk <= model.account.equity * 0.02
    contract = model.facts.contracts[0]
    one_more = told.risk / told.quantity * (told.quantity + contract.facts.lot_size)
    assert one_more > model.account.equity * 0.02


@pytest.mark.parametrize("side", [1, -1])
def test_a_stop_is_the_same_as_price_ticks_or_money(stage: tuple[ReplayModel, Run], side: int) -> None:
    """Twelve ticks of ES, 12.50 each, on two contracts are 300 of money; an ATR is what the indicator says."""
    model, _ = stage
    model.cursor_model.go(BAR, Phase.OPEN)
    mark = model.facts.mark(0, model.cursor)

    def stop(given: Distance) -> float | None:
        return estimate(model, Ticket(column=0, side=side, quantity=2.0, stop_loss=given)).stop

    by_ticks = stop(Distance(Unit.TICKS, 12))
    assert by_ticks == mark - side * 12 * 0.25
    assert stop(Distance(Unit.PRICE, by_ticks)) == by_ticks
    assert stop(Distance(Unit.MONEY, 12 * 12.5 * 2)) == by_ticks
    atr = float(model.facts.market.indicator("atr", period=14)[BAR - 1, 0])
    by_atr = stop(Distance(Unit.ATR, 2.0))
    assert by_atr is not None
    assert 0 <= abs(mark - by_atr) - 2.0 * atr < 0.25
