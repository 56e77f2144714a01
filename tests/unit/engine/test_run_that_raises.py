"""What an exit raises while it learns, and a listener at the end, ends the run as what a bot raises does (S7.5)."""

from bots.coin_flip import CoinFlipBot
from engine.environment import TradingEnvironment
from engine.orders import OrderRequest, Side
from engine.run import Run
from exits.atr import TrailingATRExit
from exits.base import ExitContext, ExitStrategy, Levels
from tests.unit.engine import small_runs
from tests.unit.engine.small_runs import ActingBot


class Unteachable(ExitStrategy):
    """Raises when it is to learn from a trade."""

    learns_in_kernel = True

    def initial_levels(self, side: Side, entry_price: float, atr: float, market: ExitContext) -> Levels:
        return Levels(stop_loss=entry_price - side)

    def ingest_trade_log(self, env: TradingEnvironment) -> None:
        raise OSError("no space left")


class CompiledUnteachable(TrailingATRExit):
    """The same, known to the kernel."""

    kernel_kind = TrailingATRExit.kernel_kind
    learns_in_kernel = True

    def ingest_trade_log(self, env: TradingEnvironment) -> None:
        raise OSError("no space left")


def one_trade(env: TradingEnvironment) -> None:
    """In at bar 3, out at bar 5."""
    if env.bar_index == 3:
        env.place_order(OrderRequest(symbol="ES", side=Side.BUY, quantity=1))
    if env.bar_index == 5:
        env.close_position("ES")


def test_an_exit_that_raises_when_it_learns_ends_the_run_at_the_close_of_that_bar() -> None:
    bot = ActingBot(one_trade)
    bot.exit = Unteachable()
    run = Run(small_runs.engine(), bot)

    assert run.complete() == "failed"

    told = str(run.error)
    assert told.startswith("ActingBot raised OSError at bar 5 (2024-03-08 12:05 UTC), phase CLOSE: no space left")
    assert (run.next_bar, run.engine.tables.count("trades")) == (6, 1)


def test_a_compiled_run_fails_at_the_close_where_what_was_learned_cannot_be_kept() -> None:
    exit_ = CompiledUnteachable(CompiledUnteachable.Settings(atr_multiple=0.5, atr_period=2))
    run = Run(small_runs.engine(), CoinFlipBot(CoinFlipBot.Settings(atr_period=2), exit_))

    assert (run.drive, run.complete()) == ("compiled", "failed")
    assert "raised OSError at bar 29 (2024-03-08 12:29 UTC), phase CLOSE: no space left" in str(run.error)
    assert run.next_bar == 30


def test_a_listener_that_raises_at_the_end_of_the_run_is_told_and_no_row_is_lost() -> None:
    run = Run(small_runs.engine(liquidate_on_finish=True), ActingBot(one_trade))

    def listen(status: object) -> None:
        raise LookupError("no such row")

    run.engine.backtest_finished.connect(listen)

    assert run.complete() == "failed"
    assert str(run.error).startswith("what listens to a signal of the run raised LookupError at bar 29")
    assert (run.next_bar, run.engine.tables.count("trades")) == (30, 1)
