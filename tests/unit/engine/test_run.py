"""A run that goes on, stops, fails or is taken back keeps what happened, and says where it stands (S7.5, S14, S16)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bots.base import BaseStrategyBot
from bots.catalog import make_bot
from bots.coin_flip import CoinFlipBot
from engine.backtest import run_backtest, run_bounds
from engine.config import BacktestConfig, load_config
from engine.environment import TradingEnvironment
from engine.errors import CatalogError, ConfigError, StrategyError
from engine.kernel.schema import OrderStatus, Phase, Reason
from engine.orders import OrderRequest, Side
from engine.run import ProgressInfo, Run, chosen_drive
from exits.atr import TrailingATRExit
from exits.base import ExitContext, ExitStrategy, Levels
from tests.unit.engine import small_runs
from tests.unit.engine.small_runs import ActingBot, completed, flat_rows


def raise_at(bar: int, error: BaseException) -> Callable[[TradingEnvironment], None]:
    """Raise in one bar."""

    def act(env: TradingEnvironment) -> None:
        if env.bar_index == bar:
            raise error

    return act


def buy_at(bar: int) -> Callable[[TradingEnvironment], None]:
    """Buy one contract in one bar."""

    def act(env: TradingEnvironment) -> None:
        if env.bar_index == bar:
            env.place_order(OrderRequest(symbol="ES", side=Side.BUY, quantity=1))

    return act


def both(*acts: Callable[[TradingEnvironment], object]) -> Callable[[TradingEnvironment], None]:
    """Several actions after one another."""

    def act(env: TradingEnvironment) -> None:
        for each in acts:
            each(env)

    return act


# A bot that raises


def test_a_bot_that_raises_at_open_ends_the_run_at_that_bar_and_keeps_what_happened() -> None:
    run = Run(small_runs.engine(), ActingBot(both(buy_at(3), raise_at(7, ZeroDivisionError("no range")))))

    assert run.complete() == "failed"

    assert run.next_bar == 8
    assert run.error is not None
    assert (run.error.bar, run.error.phase) == (7, Phase.OPEN)
    text = str(run.error)
    assert text.startswith(
        "ActingBot raised ZeroDivisionError at bar 7 (2024-03-08 12:07 UTC), phase OPEN: no range\nTraceback"
    )
    assert "in raise_at" not in text
    assert "raise error" in text
    assert isinstance(run.error.__cause__, ZeroDivisionError)
    tables = run.engine.tables
    assert tables.count("fills") == 1
    assert tables.equity["equity"][7] == pytest.approx(100_000 - 1.5 - 12.5 + 5 * 0.5 * 50)
    assert tables.equity["equity"][8] == 0.0
    assert (run.engine.bar, run.engine.phase) == (7, Phase.CLOSE)


def test_a_bot_that_raises_at_close_is_told_with_that_phase() -> None:
    run = Run(small_runs.engine(), ActingBot(buy_at(3), raise_at(7, KeyError("x"))))
    assert run.complete() == "failed"
    assert run.error is not None
    assert (run.error.bar, run.error.phase, run.next_bar) == (7, Phase.CLOSE, 8)
    assert "bar 7 (2024-03-08 12:07 UTC), phase CLOSE" in str(run.error)


def test_the_bars_before_a_failure_are_those_of_a_run_without_it() -> None:
    failed = Run(small_runs.engine(), ActingBot(both(buy_at(3), raise_at(7, ValueError()))))
    failed.complete()
    whole = completed(small_runs.engine(), ActingBot(buy_at(3)))
    assert failed.engine.tables.equity[:8].tobytes() == whole.engine.tables.equity[:8].tobytes()
    assert failed.engine.tables.rows("fills").tobytes() == whole.engine.tables.rows("fills").tobytes()


class BrokenExit(ExitStrategy):
    """Raises where it should give levels."""

    def initial_levels(self, side: Side, entry_price: float, atr: float, market: ExitContext) -> Levels:
        raise RuntimeError(f"no levels for {market.symbol}")


def test_an_exit_that_raises_fails_the_run_and_is_in_the_traceback() -> None:
    run = Run(small_runs.engine(), CoinFlipBot(exit=BrokenExit()))
    assert run.complete() == "failed"
    assert "no levels for ES" in str(run.error)
    assert "in initial_levels" in str(run.error)
    assert run.next_bar == 16


def test_a_failed_run_does_not_go_on() -> None:
    run = Run(small_runs.engine(), ActingBot(raise_at(7, ValueError())))
    run.complete()
    assert run.advance(30) == 8
    assert run.complete() == "failed"


class BrokenAtStart(ActingBot):
    """Raises before the first bar."""

    def prepare(self, engine: Any) -> None:
        raise LookupError("no table")


def test_a_bot_that_raises_before_the_first_bar_is_a_strategy_error() -> None:
    with pytest.raises(StrategyError, match="BrokenAtStart raised LookupError before the first bar: no table"):
        Run(small_runs.engine(), BrokenAtStart())


class WrongShape(BaseStrategyBot):
    """Gives sides for one bar too few."""

    def sides(self, market: Any) -> Any:
        return np.zeros((len(market) - 1, 1), np.int8)


class WrongValues(BaseStrategyBot):
    """Gives a side of two."""

    def sides(self, market: Any) -> Any:
        return np.full((len(market), 1), 2, np.int8)


@pytest.mark.parametrize(
    ("bot", "told"), [(WrongShape, r"shape \(29, 1\), not \(30, 1\)"), (WrongValues, "other than 1")]
)
def test_sides_that_are_no_sides_are_refused_before_the_first_bar(bot: type[BaseStrategyBot], told: str) -> None:
    with pytest.raises(CatalogError, match=told):
        Run(small_runs.engine(), bot())


# Ctrl-C and progress


@pytest.mark.parametrize("where", ["open", "close"])
def test_ctrl_c_leaves_a_bar_that_has_closed(where: str) -> None:
    """The bar in which it comes is brought to its close without the bot; nothing is half done."""
    stop = raise_at(11, KeyboardInterrupt())
    acts = (both(buy_at(3), stop), None) if where == "open" else (buy_at(3), stop)
    run = Run(small_runs.engine(), ActingBot(*acts))

    assert run.complete() == "interrupted"

    assert (run.next_bar, run.engine.bar, run.engine.phase) == (12, 11, Phase.CLOSE)
    whole = completed(small_runs.engine(), ActingBot(buy_at(3)))
    assert run.engine.tables.equity[:12].tobytes() == whole.engine.tables.equity[:12].tobytes()
    assert run.error is None


def test_ctrl_c_in_the_fast_course_of_the_step_drive_knows_its_bar() -> None:
    run = Run(small_runs.engine(), ActingBot(raise_at(20, KeyboardInterrupt())))
    assert run.complete() == "interrupted"
    assert run.next_bar == 21


def test_ctrl_c_between_chunks_of_the_compiled_drive_stops_at_a_close() -> None:
    account = small_runs.engine({"ES": flat_rows(2000)})
    run = Run(account, CoinFlipBot())

    def interrupt(told: ProgressInfo) -> None:
        raise KeyboardInterrupt

    assert run.complete(interrupt) == "interrupted"
    assert run.next_bar == 256
    assert account.phase is Phase.CLOSE


def test_progress_tells_bars_and_equity_and_may_stop_the_run() -> None:
    told: list[ProgressInfo] = []

    def stop_soon(info: ProgressInfo) -> bool:
        told.append(info)
        return info.bar < 300

    run = Run(small_runs.engine({"ES": flat_rows(5000)}), CoinFlipBot())
    assert run.complete(stop_soon) == "interrupted"

    assert told[0].bar == 256
    assert told[-1].bar == run.next_bar < 5000
    assert {info.bars for info in told} == {5000}
    assert told[-1].equity == run.engine.tables.equity["equity"][run.next_bar - 1]


# Which drive


def test_auto_takes_the_compiled_drive_where_it_can() -> None:
    assert chosen_drive("auto", CoinFlipBot()) == "compiled"
    assert chosen_drive("auto", ActingBot()) == "step"
    assert chosen_drive("step", CoinFlipBot()) == "step"


def test_the_compiled_drive_is_refused_with_a_reason() -> None:
    with pytest.raises(ConfigError, match=r"ActingBot with TrailingATRExit has Python code .* drive step or auto"):
        Run(small_runs.engine(), ActingBot(), drive="compiled")


class Quiet(TrailingATRExit):
    """Derives from a built-in exit without saying that the kernel may stand for it."""


def test_an_exit_derived_from_a_built_in_one_runs_in_python() -> None:
    assert chosen_drive("auto", CoinFlipBot(exit=Quiet())) == "step"


@pytest.mark.rule("S14")
def test_an_exit_in_python_with_the_same_rules_gives_the_same_bytes() -> None:
    bars = {"ES": wavy(400)}
    python, kernel = (completed(small_runs.engine(bars), CoinFlipBot(exit=e)) for e in (Quiet(), TrailingATRExit()))
    assert python.engine.tables.count("trades") > 5
    for name in ("fills", "trades", "orders", "events"):
        assert python.engine.tables.rows(name).tobytes() == kernel.engine.tables.rows(name).tobytes()


def wavy(n: int) -> list[Any]:
    """Bars that swing."""
    close = 100.0 + np.round(8 * np.sin(np.arange(n + 1) / 5)) / 4 + np.round(40 * np.sin(np.arange(n + 1) / 37)) / 4
    return [
        (a, max(a, b) + 0.5, min(a, b) - 0.5, b) for a, b in zip(close[:-1].tolist(), close[1:].tolist(), strict=True)
    ]


# Learning


class Learner(TrailingATRExit):
    """Notes when it is taught, and what it could see then."""

    def __init__(self) -> None:
        super().__init__(TrailingATRExit.Settings(atr_multiple=0.7, atr_period=3))
        self.told: list[tuple[str, int, int]] = []

    def ingest_trade_log(self, env: TradingEnvironment) -> None:
        known = env.indicator("sma", "ES", period=1)
        assert known == env.bar("ES").close
        assert env.phase is Phase.CLOSE
        self.told.append(("learns", env.bar_index, env.api.tables.count("trades")))  # type: ignore[attr-defined]


class Pupil(CoinFlipBot):
    """Has a CLOSE of its own beside an exit that learns."""

    def on_close(self, env: TradingEnvironment) -> None:
        self.exit.told.append(("on_close", env.bar_index, 0))  # type: ignore[attr-defined]


@pytest.mark.rule("S7.5")
def test_learners_take_in_closed_trades_after_the_indicators_and_before_on_close() -> None:
    bot = Pupil(Pupil.Settings(atr_period=3), Learner())
    run = completed(small_runs.engine({"ES": wavy(200)}), bot)

    told = bot.exit.told  # type: ignore[attr-defined]
    exits = run.engine.tables.rows("trades")["exit_bar"]
    taught = [bar for what, bar, _ in told if what == "learns"]
    assert len(exits) > 5
    assert taught == sorted(set(exits.tolist()))
    for bar in taught:
        here = [what for what, at, _ in told if at == bar]
        assert here == ["learns", "on_close"]
    assert [bar for what, bar, _ in told if what == "on_close"] == list(range(200))


@pytest.mark.rule("S7.5")
def test_without_online_learning_nothing_is_taught() -> None:
    bot = CoinFlipBot(CoinFlipBot.Settings(atr_period=3, enable_online_learning=False), Learner())
    completed(small_runs.engine({"ES": wavy(200)}), bot)
    assert bot.exit.told == []  # type: ignore[attr-defined]
    assert not bot.learns


# Back, and by hand


def market_order(bar: int, phase: str = "OPEN") -> dict[str, Any]:
    return {"bar": bar, "phase": phase, "type": "market", "symbol": "ES", "side": "buy", "qty": 1}


@pytest.mark.rule("S16")
def test_an_order_by_hand_fills_after_the_bots_own_and_is_marked() -> None:
    run = completed(small_runs.engine(), ActingBot(buy_at(4)), interventions=[market_order(4)])
    fills = run.engine.tables.rows("fills")
    assert fills["source"].tolist() == [0, 1]
    assert fills["bar"].tolist() == [4, 4]


@pytest.mark.rule("S5.6")
def test_an_order_by_hand_at_close_waits_for_the_next_open() -> None:
    run = completed(small_runs.engine(), ActingBot(), interventions=[market_order(4, "CLOSE")])
    assert run.engine.tables.rows("fills")["bar"].tolist() == [5]


@pytest.mark.rule("S16")
def test_an_order_by_hand_for_a_bar_that_has_closed_is_refused() -> None:
    run = Run(small_runs.engine(), ActingBot(), snapshots=True)
    run.advance(5)
    with pytest.raises(ConfigError, match="bar 4 has closed, 5 bars have; go back before it first"):
        run.intervene(market_order(4))
    run.go_back(4)
    run.intervene(market_order(4))
    run.complete()
    assert run.engine.tables.count("fills") == 1


@pytest.mark.rule("S16")
def test_an_order_by_hand_beyond_the_last_bar_is_told_in_the_report() -> None:
    run = completed(small_runs.engine(), ActingBot(), interventions=[market_order(30)])
    told = "bar -1 CLOSE: intervention 1: bar 30 is beyond the last one, 29: it is never carried out"
    assert (run.engine.notes, run.engine.tables.count("orders")) == ([told], 0)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"type": "swap"}, "intervention 1: type 'swap' is none of market"),
        ({"phase": "INTRABAR"}, "phase 'INTRABAR' is none of OPEN, CLOSE"),
        ({"bar": -1}, "bar -1 is not a bar number"),
        ({"side": "long"}, "side 'long' is none of buy, sell"),
        ({"side": None, "qty": None}, "intervention 1: market lacks side, qty"),
        ({"type": "cancel"}, "intervention 1: cancel lacks id"),
        ({"type": "cancel", "id": "2"}, "intervention 1: id '2' is not an order's number"),
        ({"type": "cancel", "id": 1.5}, r"id 1\.5 is not an order's number"),
        ({"symbol": ["ES"]}, r"symbol \['ES'\] is not text"),
        ({"reduce_only": "no"}, "reduce_only 'no' is not true or false"),
        ({"stop_loss": 95.0}, "unknown key 'stop_loss'; known are bar, phase, type"),
        ({"bar": True}, "bar True is not a bar number"),
        ({"qty": True}, "qty True is not a number"),
        ({"type": ["market"]}, r"type \['market'\] is none of market"),
        ({"type": "tighten_stop", "symbol": None}, "intervention 1: tighten_stop lacks symbol"),
    ],
)
def test_a_record_that_is_wrong_is_refused_with_its_number(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Run(small_runs.engine(), ActingBot(), interventions=[{**market_order(4), **change}])


@pytest.mark.parametrize("drive", ["step", "compiled"])
def test_a_run_is_not_advanced_beyond_its_last_bar(drive: Any) -> None:
    run = Run(small_runs.engine(), CoinFlipBot(CoinFlipBot.Settings(atr_period=2)), drive=drive)
    assert run.advance(10_000) == run.next_bar == 30
    assert int(run.engine.tables.account["bar"][0]) == 29


class Counting(ActingBot):
    """Keeps a number of its own and draws from a generator of the environment."""

    def __init__(self) -> None:
        super().__init__(self.count)
        self.total, self.seen = 0.0, []  # type: ignore[var-annotated]

    def count(self, env: TradingEnvironment) -> None:
        self.total += float(env.rng("own").random())
        self.seen.append(self.total)

    def get_state(self) -> dict[str, Any]:
        return {"total": self.total}

    def set_state(self, state: dict[str, Any]) -> None:
        self.total = state["total"]


@pytest.mark.rule("S14")
def test_a_rewind_takes_state_and_generators_back() -> None:
    run = Run(small_runs.engine(), Counting(), snapshots=True)
    run.advance(10)
    kept = run.snapshot()
    run.complete()
    first = list(run.bot.seen)  # type: ignore[attr-defined]

    run.restore(kept)
    run.complete()

    assert run.bot.seen[30:] == first[10:]  # type: ignore[attr-defined]


def test_a_bot_without_a_state_of_its_own_is_replayed_from_the_start() -> None:
    class Silent(Counting):
        def get_state(self) -> Any:
            return None

    run = Run(small_runs.engine({"ES": flat_rows(3000)}), Silent(), snapshots=True)
    run.bars_per_chunk = 100
    run.advance(3000)
    assert run.snapshots.before(2999).next_bar == 0


def test_what_a_listener_raises_is_not_told_as_the_bot_s() -> None:
    run = Run(small_runs.engine(), ActingBot(buy_at(4)))

    def listen(event: object) -> None:
        raise LookupError("no such row")

    run.engine.order_filled.connect(listen)
    assert run.complete() == "failed"
    told = str(run.error)
    assert told.startswith("what listens to a signal of the run raised LookupError at bar 4 (2024-03-08 12:04 UTC)")
    assert "no such row" in told
    assert run.next_bar == 5


def test_a_listener_that_raises_at_every_close_ends_the_run_at_its_first() -> None:
    run = Run(small_runs.engine(), ActingBot())

    def listen(event: object) -> None:
        raise LookupError("no such row")

    run.engine.bar_closed.connect(listen)
    assert run.complete() == "failed"
    assert (run.next_bar, run.error and run.error.bar) == (1, 0)


@pytest.mark.rule("S14", "S16")
def test_a_change_by_hand_drops_the_snapshots_of_the_course_that_is_left() -> None:
    """Going back, changing what was done, going on and back again gives what a run with that change gives."""
    bars = {"ES": flat_rows(400)}
    by_hand = {"bar": 120, "phase": "OPEN", "type": "market", "symbol": "ES", "side": "buy", "qty": 1}

    def made(interventions: list[dict[str, Any]]) -> Run:
        run = Run(small_runs.engine(bars), ActingBot(), interventions=interventions, snapshots=True)
        run.bars_per_chunk = 32
        return run

    run = made([])
    for stop in range(50, 401, 50):
        run.advance(stop)
        run.snapshots.take(run.snapshot())
    run.go_back(100)
    run.intervene(by_hand)
    assert run.snapshots.before(400).next_bar == 100
    run.complete()
    run.go_back(300)
    whole = made([by_hand])
    whole.advance(300)
    assert run.engine.tables.symbols.tobytes() == whole.engine.tables.symbols.tobytes()
    assert run.engine.tables.rows("fills").tobytes() == whole.engine.tables.rows("fills").tobytes()


def test_what_was_noted_after_a_snapshot_is_gone_after_a_rewind() -> None:
    by_hand = [{"bar": 5, "phase": "OPEN", "type": "modify_order", "id": 9, "limit": 3.0}]
    run = Run(small_runs.engine(), ActingBot(), interventions=by_hand, snapshots=True)
    run.complete()
    assert run.engine.notes == ["bar 5 OPEN: order 9 does not exist; the last one is 0"]

    run.go_back(2)
    assert run.engine.notes == []
    run.complete()
    assert len(run.engine.notes) == 1


def test_sums_of_the_portfolio_are_the_same_after_a_rewind() -> None:
    sums: list[tuple[int, float, float]] = []

    def act(env: TradingEnvironment) -> None:
        if env.bar_index % 3 == 1:
            env.close_position("ES") if env.position("ES") else buy_at(env.bar_index)(env)
        sums.append((env.bar_index, env.portfolio.realised, env.portfolio.costs))

    run = Run(small_runs.engine({"ES": wavy(60)}), ActingBot(act), snapshots=True)
    run.complete()
    run.go_back(20)
    run.complete()

    fills = run.engine.tables.rows("fills")
    assert len(fills) > 15
    once = {bar: rest for bar, *rest in sums[:60]}
    assert all(once[bar] == rest for bar, *rest in sums[60:])
    assert sums[-1][1] == pytest.approx(fills["realised"].sum())
    assert sums[-1][2] == pytest.approx((fills["commission"] + fills["fee"]).sum())


# From a configuration


def write_bars(folder: Path, n: int = 300) -> None:
    lines = ["timestamp,open,high,low,close,volume"]
    for minute, row in enumerate(wavy(n)):
        lines.append(f"2024-03-08T{12 + minute // 60:02d}:{minute % 60:02d}:00Z," + ",".join(map(str, row)) + ",5")
    (folder / "es.csv").write_text("\n".join(lines), encoding="utf-8")


USERS = '''"""A user's module."""
from bots.base import BaseStrategyBot, BotSettings
from engine.orders import Side
from engine.settings import setting
from exits.base import ExitStrategy, Levels


class MyBot(BaseStrategyBot):
    class Settings(BotSettings):
        above: float = setting(100.0, unit="price", help="Buys above it.")

    def decide_side(self, env, symbol):
        return Side.BUY if env.bar(symbol).open > self.settings.above else None


class MyExit(ExitStrategy):
    def initial_levels(self, side, entry_price, atr, market):
        return Levels(stop_loss=entry_price - side * 1.0, take_profit=entry_price + side * 1.5)


class Unfinished(ExitStrategy):
    pass
'''


@pytest.fixture
def config(tmp_path: Path) -> BacktestConfig:
    """A run of a user's bot and exit, beside its configuration's file."""
    write_bars(tmp_path)
    (tmp_path / "mine.py").write_text(USERS, encoding="utf-8")
    (tmp_path / "run.yaml").write_text(
        "initial_cash: 50000\ndata: {cache: false}\n"
        "assets:\n  - {symbol: ES, file: es.csv, tick_size: 0.25, tick_value: 12.5, initial_margin: 500,"
        " maintenance_margin: 400, commission_per_contract: 1, fee_per_trade: 0, timestamp: open}\n"
        "bot: {name: MyBot, module: mine.py, settings: {above: 101, atr_period: 2}}\n"
        "exit: {name: MyExit, module: mine.py}\n",
        encoding="utf-8",
    )
    return load_config(tmp_path / "run.yaml")


def test_a_users_bot_and_exit_run_from_a_file(config: BacktestConfig) -> None:
    result = run_backtest(config, make_bot(config.bot, config.exit))

    assert (result.status, result.drive, result.bars) == ("completed", "step", 300)
    trades = result.trades
    assert len(trades) > 3
    assert (trades["side"] == "long").all()
    assert set(trades["exit_reason"]) <= {"stop_loss", "take_profit", "flatten"}
    assert result.config.bot.settings["above"] == 101


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["exit.name=Unfinished"], "Unfinished lacks initial_levels; define it"),
        (["bot.name=Nobody"], "has no class 'Nobody'"),
        (["bot.name=MyExit"], "MyExit in mine.py is not derived from BaseStrategyBot"),
        (["bot.module=theirs.py"], "does not exist"),
    ],
)
def test_a_part_that_cannot_be_used_is_refused(config: BacktestConfig, overrides: list[str], told: str) -> None:
    broken = config.with_overrides(overrides)
    with pytest.raises(CatalogError, match=told):
        make_bot(broken.bot, broken.exit)


@pytest.mark.rule("S6.9")
def test_bounds_run_the_same_bars_under_three_assumptions(config: BacktestConfig) -> None:
    results = run_bounds(config, lambda: make_bot(config.bot, config.exit))
    assert list(results) == ["worst_case", "best_case", "next_open"]
    assert results["next_open"].config.simulation.market_fill == "next_open"
    worst, best = (results[name].statistics.net_profit for name in ("worst_case", "best_case"))
    assert worst is not None
    assert best is not None
    assert worst <= best
    entries = results["next_open"].orders
    filled = entries[(entries["type"] == "market") & (entries["status"] == "filled")]
    assert (filled["ended_bar"] == filled["placed_bar"] + 1).all()


def test_reasons_and_states_are_those_of_the_rules() -> None:
    run = completed(small_runs.engine(liquidate_on_finish=True), ActingBot(buy_at(3)))
    fills, orders = run.engine.tables.rows("fills"), run.engine.tables.rows("orders")
    assert fills["reason"].tolist() == [Reason.MARKET, Reason.FINISH]
    assert orders["status"].tolist() == [OrderStatus.FILLED]
    assert run.status == "completed"
