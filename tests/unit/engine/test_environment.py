"""What a bot sees of a run: the whole interface, O of the open bar and closed bars, nothing else (S5.2, DESIGN 3)."""

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from psygnal import SignalInstance

from engine.api import APIInterface
from engine.backtester import BacktesterEngine
from engine.config.sections import SimulationSection
from engine.environment import TradingEnvironment
from engine.errors import ConfigError
from engine.kernel.schema import OrderType, Phase
from engine.orders import OrderRequest, Side
from engine.run import Run
from engine.views import BarEvent
from tests.unit.engine import small_runs
from tests.unit.engine.small_runs import START_NS, ActingBot, completed, flat_rows

# What bots, watchers and adapters of other packages rely on by name.
CALLS = (
    "connect", "disconnect", "place_order", "cancel_order", "modify_order", "modify_stop_loss", "modify_take_profit",
    "close_position", "get_positions", "get_orders", "get_portfolio", "get_total_pnl", "get_asset_data",
    "get_latest_data", "get_asset_list",
)  # fmt: skip
SIGNALS = (
    "bar_updated", "bar_closed", "bar_advanced", "backtest_finished", "order_accepted", "order_filled",
    "order_rejected", "stop_moved", "margin_call",
)  # fmt: skip
# The environment has its own words for where an adapter stands.
OTHERWISE = {"market": "symbols", "bar": "bar_index", "phase": "phase"}


def members() -> set[str]:
    """Abstract members of the interface."""
    return set(APIInterface.__abstractmethods__)


@pytest.mark.parametrize("name", CALLS)
def test_the_interface_and_the_environment_have_every_call(name: str) -> None:
    assert name in members()
    assert callable(getattr(TradingEnvironment, name))


@pytest.mark.parametrize("name", SIGNALS)
def test_the_interface_has_every_signal(name: str) -> None:
    assert isinstance(getattr(small_runs.engine(), name), SignalInstance)


def test_every_member_of_the_interface_is_proxied_with_the_same_parameters() -> None:
    for name in members():
        own = getattr(TradingEnvironment, OTHERWISE.get(name, name), None)
        assert own is not None, f"TradingEnvironment lacks {name}"
        theirs = getattr(APIInterface, name)
        if callable(theirs):
            assert inspect.signature(own).parameters.keys() == inspect.signature(theirs).parameters.keys(), name


def recorder() -> Any:
    """An adapter that notes what it is asked, made of the interface's own list of members."""
    asked: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def answer(name: str) -> Any:
        return lambda self, *args, **kwargs: asked.append((name, args, kwargs)) or name

    body: dict[str, Any] = {name: answer(name) for name in CALLS} | {"asked": asked, "capabilities": "capabilities"}
    body |= {"market": None, "bar": 3, "phase": Phase.CLOSE}
    return type("Asked", (APIInterface,), body)()


@pytest.mark.parametrize("name", CALLS)
def test_a_proxy_hands_on_its_arguments_and_the_answer(name: str) -> None:
    api, env = recorder(), TradingEnvironment()
    env.set_api(api)
    parameters = list(inspect.signature(getattr(env, name)).parameters.values())
    given = {each.name: f"value of {each.name}" for each in parameters}
    positional = [given[each.name] for each in parameters if each.kind is not each.KEYWORD_ONLY]
    named = {each.name: given[each.name] for each in parameters if each.kind is each.KEYWORD_ONLY}

    answer = getattr(env, name)(*positional, **named)

    assert answer == (None if name in ("connect", "disconnect") else name)
    assert api.asked == [(name, tuple(positional), named)]


def test_without_an_account_or_a_bot_the_environment_says_what_to_do() -> None:
    env = TradingEnvironment()
    with pytest.raises(ConfigError, match="call set_api first"):
        env.get_positions()
    with pytest.raises(ConfigError, match="call set_bot first"):
        env.on_bar()


def test_on_bar_and_on_close_drive_the_bot() -> None:
    called: list[str] = []
    env = TradingEnvironment()
    env.set_bot(ActingBot(lambda env: called.append("open"), lambda env: called.append("close")))
    env.on_bar()
    env.on_close()
    assert called == ["open", "close"]


# What is invisible

ROWS = [(100.0, 102.0, 99.0, 101.0), (101.25, 103.0, 98.0, 99.5), None, (99.0, 100.0, 97.0, 98.0), *flat_rows(3, 98.0)]


def seen_at(bar: int, look: Any, at_close: bool = False) -> Any:
    """What ``look(env)`` gives at OPEN (or CLOSE) of a bar."""
    found: list[Any] = []

    def act(env: TradingEnvironment) -> None:
        if env.bar_index == bar:
            found.append(look(env))

    bars = {"ES": ROWS, "NQ": flat_rows(7)}
    acting = ActingBot(at_close=act) if at_close else ActingBot(act)
    completed(small_runs.engine(bars), acting)
    return found[0]


def values(view: Any) -> dict[str, Any]:
    return {name: getattr(view, name) for name in view.__slots__}


@pytest.mark.parametrize(
    "ask",
    [
        lambda env: env.bar("NQ"),
        lambda env: env.history("NQ", 3),
        lambda env: env.indicator("sma", "NQ", period=3),
        lambda env: env.instrument("NQ"),
        lambda env: env.session("NQ"),
        lambda env: env.get_asset_data("NQ"),
    ],
)
def test_a_symbol_that_the_run_does_not_have_is_told_with_those_that_it_has(
    ask: Callable[[TradingEnvironment], object],
) -> None:
    account = small_runs.engine()
    env = TradingEnvironment()
    env.set_api(account)

    with pytest.raises(KeyError, match="the run has no symbol 'NQ'; it has ES"):
        ask(env)


@pytest.mark.rule("S5.2")
def test_at_open_a_bar_shows_its_open_and_the_last_close_alone() -> None:
    view = seen_at(1, lambda env: values(env.bar("ES")))
    assert (view["index"], view["time_ns"], view["real"]) == (1, START_NS + small_runs.MINUTE_NS, True)
    assert (view["open"], view["last_close"]) == (101.25, 101.0)
    assert all(math.isnan(view[name]) for name in ("high", "low", "close", "volume"))


@pytest.mark.rule("S5.2")
def test_at_close_a_bar_shows_everything() -> None:
    view = seen_at(1, lambda env: values(env.bar("ES")), at_close=True)
    shown = [view[name] for name in ("open", "high", "low", "close", "volume", "last_close")]
    assert shown == [101.25, 103.0, 98.0, 99.5, 11.0, 99.5]


@pytest.mark.rule("S3.2")
def test_a_synthetic_bar_shows_nothing_but_the_last_close() -> None:
    at_open = seen_at(2, lambda env: values(env.bar("ES")))
    at_close = seen_at(2, lambda env: values(env.bar("ES")), at_close=True)
    assert (at_open["real"], at_close["real"]) == (False, False)
    assert math.isnan(at_open["open"])
    assert at_open["last_close"] == at_close["last_close"] == at_close["close"] == 99.5
    assert at_close["volume"] == 0.0
    assert math.isnan(at_close["high"])


@pytest.mark.rule("S5.2")
def test_the_first_bar_has_no_last_close() -> None:
    assert math.isnan(seen_at(0, lambda env: env.bar("ES").last_close))


def test_the_view_is_refreshed_in_place() -> None:
    kept: list[Any] = []
    completed(small_runs.engine(), ActingBot(lambda env: kept.append((env.bar("ES"), env.bar("ES").open))))
    assert len({id(view) for view, _ in kept}) == 1
    assert [opening for _, opening in kept] == [row[0] for row in flat_rows(30) if row is not None]


@pytest.mark.rule("S5.2")
def test_before_the_first_bar_there_is_nothing_to_see() -> None:
    env = Run(small_runs.engine(), ActingBot()).env
    view = values(env.bar("ES"))
    assert (view["index"], view["real"]) == (-1, False)
    assert all(math.isnan(view[name]) for name in ("open", "high", "low", "close", "volume", "last_close"))
    assert env.now == START_NS
    assert len(env.get_asset_data("ES")) == 0
    assert len(env.history("ES", 5)["close"]) == 0
    assert math.isnan(env.indicator("sma", "ES", period=2))


@pytest.mark.rule("S5.2")
def test_history_holds_closed_real_bars_and_is_a_copy() -> None:
    def look(env: TradingEnvironment) -> Any:
        first = env.history("ES", 2)
        first["close"][:] = 0.0
        return env.history("ES", 2)

    found = seen_at(4, look)
    assert list(found["close"]) == [99.5, 98.0]
    assert list(found["volume"]) == [11.0, 13.0]
    assert list(found["time_ns"]) == [START_NS + minute * small_runs.MINUTE_NS for minute in (1, 3)]
    assert list(seen_at(4, lambda env: env.history("ES", 2)["close"], at_close=True)) == [98.0, 98.5]
    assert len(seen_at(1, lambda env: env.history("ES", 99)["close"])) == 1


@pytest.mark.rule("S10.2")
def test_an_indicator_is_read_one_bar_back_at_open_and_carried_over_synthetic_bars() -> None:
    def mean(env: TradingEnvironment) -> float:
        return env.indicator("sma", "ES", period=2)

    assert math.isnan(seen_at(1, mean))
    assert seen_at(1, mean, at_close=True) == seen_at(2, mean) == seen_at(3, mean) == (101.0 + 99.5) / 2
    assert seen_at(4, mean) == (99.5 + 98.0) / 2


@pytest.mark.rule("S5.2")
def test_asset_data_ends_with_the_last_closed_bar() -> None:
    at_open = seen_at(3, lambda env: env.get_asset_data("ES"))
    at_close = seen_at(3, lambda env: env.get_asset_data("ES"), at_close=True)

    assert list(at_open.columns) == ["open", "high", "low", "close", "volume", "synthetic"]
    assert at_open.index.name == "open_time"
    assert str(at_open.index.tz) == "UTC"
    assert (len(at_open), len(at_close)) == (3, 4)
    assert list(at_open["close"]) == [101.0, 99.5, 99.5]
    assert list(at_open["synthetic"]) == [False, False, True]
    assert list(at_close["volume"]) == [10.0, 11.0, 0.0, 13.0]
    assert np.isnan(at_open["high"].iloc[2])


def test_where_the_run_stands() -> None:
    found = seen_at(3, lambda env: (env.now, env.phase, env.symbols, env.get_asset_list(), env.instrument("NQ").symbol))
    assert found == (START_NS + 3 * small_runs.MINUTE_NS, Phase.OPEN, ("ES", "NQ"), ["ES", "NQ"], "NQ")
    assert seen_at(3, lambda env: env.phase, at_close=True) is Phase.CLOSE


def test_a_session_without_a_calendar_is_the_utc_day() -> None:
    opening, closing = seen_at(3, lambda env: env.session("ES"))
    assert closing - opening == 24 * 3600 * 10**9
    assert opening <= START_NS < closing


def test_positions_are_none_when_flat_and_valued_at_the_open() -> None:
    def act(env: TradingEnvironment) -> Any:
        if env.bar_index == 1:
            env.place_order(OrderRequest(symbol="NQ", side=Side.SELL, quantity=2, stop_loss=120))
        return env.position("ES"), env.position("NQ")

    found: list[Any] = []
    completed(small_runs.engine({"ES": ROWS, "NQ": flat_rows(7)}), ActingBot(lambda env: found.append(act(env))))

    assert found[0] == (None, None)
    none, held = found[2]
    assert none is None
    assert (held.quantity, held.average, held.mark, held.stop_loss, held.side) == (-2, 100.25, 101.0, 120.0, Side.SELL)
    assert held.unrealised == -2 * 0.75 * 50
    assert held.initial_risk == (120 - 100.25) * 50 * 2


def test_generators_are_named_and_seeded() -> None:
    first, second, other = TradingEnvironment(4), TradingEnvironment(4), TradingEnvironment(5)
    drawn = first.rng("a").random(3)
    np.testing.assert_array_equal(drawn, second.rng("a").random(3))
    assert not np.array_equal(drawn, first.rng("b").random(3))
    assert not np.array_equal(drawn, other.rng("a").random(3))


def test_states_of_generators_go_back_and_those_made_since_begin_anew() -> None:
    env = TradingEnvironment(4)
    env.rng("a").random(5)
    states = env.generator_states()
    expected, fresh = env.rng("a").random(3), env.rng("b").random(3)

    env.set_generator_states(states)

    np.testing.assert_array_equal(env.rng("a").random(3), expected)
    np.testing.assert_array_equal(env.rng("b").random(3), fresh)


# Signals


def test_signals_tell_every_phase_of_every_bar_in_order() -> None:
    account = small_runs.engine()
    heard: list[tuple[str, int, Phase]] = []

    def note(name: str) -> Any:
        return lambda event: heard.append((name, event.bar, event.phase))

    for name in ("bar_advanced", "bar_updated", "bar_closed"):
        getattr(account, name).connect(note(name))
    completed(account, ActingBot())

    expected = (("bar_advanced", Phase.OPEN), ("bar_updated", Phase.INTRABAR), ("bar_closed", Phase.CLOSE))
    assert heard == [(name, bar, phase) for bar in range(30) for name, phase in expected]


def test_the_end_of_a_run_is_told_once_with_its_status() -> None:
    account = small_runs.engine()
    heard: list[str] = []
    account.backtest_finished.connect(heard.append)
    run = completed(account, ActingBot())
    run.complete()
    assert heard == ["completed"]


def test_payloads_become_frames_on_demand() -> None:
    account = small_runs.engine()
    bars: list[BarEvent] = []
    fills: list[Any] = []
    account.bar_closed.connect(bars.append)
    account.order_filled.connect(fills.append)

    def buy(env: TradingEnvironment) -> None:
        if env.bar_index == 2:
            env.place_order(OrderRequest(symbol="ES", side=Side.BUY, quantity=1))

    completed(account, ActingBot(buy))

    assert bars[2].to_frame().loc[0, "equity"] == 100_000 - 1.5 - 12.5 + 0.5 * 50
    frame = fills[0].to_frame()
    assert frame.loc[0, ["kind", "phase", "symbol"]].tolist() == ["FILL", "OPEN", "ES"]
    assert len(frame) == 1


def test_an_adapter_says_what_it_can_do() -> None:
    capabilities = Run(small_runs.engine(), ActingBot()).env.capabilities
    assert capabilities.can_trade
    assert capabilities.simulated
    assert capabilities.order_types == frozenset(OrderType)


def test_a_portfolio_is_the_kernels_own_to_the_last_bit() -> None:
    """Sums of floats depend on their order: the journal's equity is what the bot was told."""
    names = ("A", "B", "C")
    bars = {name: flat_rows(20, 100.0 + 7 * place) for place, name in enumerate(names)}
    told: list[tuple[float, float]] = []

    def act(env: TradingEnvironment) -> None:
        if env.bar_index in (2, 5):
            for place, name in enumerate(names):
                env.place_order(OrderRequest(symbol=name, side=Side.BUY, quantity=1 + 2 * place))

    def closed(env: TradingEnvironment) -> None:
        portfolio = env.get_portfolio()
        told.append((portfolio.equity, portfolio.used_margin))

    engine = BacktesterEngine(
        small_runs.market(bars, tick_value=0.1, commission_per_contract=0.3), SimulationSection(), initial_cash=1e6 / 3
    )
    run = Run(engine, ActingBot(act, closed))
    run.complete()

    rows = engine.tables.equity[:20]
    assert len(told) == 20
    assert told == list(zip(rows["equity"].tolist(), rows["used_margin"].tolist(), strict=True))


def test_a_position_of_an_unknown_symbol_is_told_with_those_that_there_are() -> None:
    run = Run(small_runs.engine(), ActingBot())
    run.complete()
    with pytest.raises(KeyError, match=r"ZZ.*ES"):
        run.env.position("ZZ")
