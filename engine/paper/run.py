"""One paper account from its history on: takes steps in and lets the kernel and the bot act on them (S17).

It can be asked for a Result like any run: journal, statistics and report are the backtest's.
"""

import logging
import time
import traceback
from collections.abc import Callable, Mapping

from engine.actions import Action, apply_action
from engine.config import BacktestConfig
from engine.environment import TradingEnvironment
from engine.errors import StrategyError
from engine.kernel.schema import Phase, TimeInForce
from engine.paper.account import PaperEngine
from engine.paper.growing import GrowingBars, LiveMarket
from engine.paper.rolling import shift_account
from engine.paper.steps import ByHand, Closing, Opening, Revision, Shift, Step
from engine.preparing import slippage_model
from engine.run import RunnableBot, Status, time_text

LOG = logging.getLogger(__name__)


class PaperRun:
    """A run whose bars arrive one by one.

    Args:
        config: account, rules and slippage; its symbols are ``bars``'s.
        bars: the market so far; what it holds is history.
        bot: a fresh bot with its exit.

    Attributes:
        engine: the account; env: the hub that bots see.
        status: running, or failed once the bot has raised: from then on orders and levels act, nobody decides.
        error: what the bot raised.
        is_open: whether a master bar is under way, between its OPEN and its CLOSE.
        actions_taken: orders by hand that have been carried out; added_ns: times of bars that ended a day (S7.4).
        shifts_taken: rolls that the account has followed, by symbol.
        opens, decided: of the bar under way, its symbols' own opening times and O, and whether the bot was to
            decide.
    """

    drive = "step"

    def __init__(self, config: BacktestConfig, bars: GrowingBars, bot: RunnableBot) -> None:
        self.config, self.bars, self.bot = config, bars, bot
        self.engine = PaperEngine(
            bars.market(),
            config.simulation,
            initial_cash=config.initial_cash,
            currency=config.currency,
            fx_rates=config.fx_rates,
            slippage=[slippage_model(config, symbol) for symbol in bars.symbols],
            seed=config.seed,
        )
        self.env = TradingEnvironment(config.seed)
        self.env.set_api(self.engine)
        self.env.set_bot(bot)
        self.status: Status = "running"
        self.error: StrategyError | None = None
        self.opens: dict[str, tuple[int, float]] = {}
        self.is_open = self.decided = False
        self.interventions: dict[tuple[int, Phase], list[Action]] = {}
        self.trades_seen = self.actions_taken = 0
        self.added_ns: list[int] = []
        self.shifts_taken: dict[str, int] = {}
        self._held: list[ByHand] = []
        self._prepared = False
        self._begun = time.perf_counter()

    @property
    def next_bar(self) -> int:
        """Master bars that have closed, those of the history included."""
        return len(self.bars) - self.is_open

    @property
    def held(self) -> tuple[Action, ...]:
        """Orders by hand that wait for the close of the bar under way."""
        return tuple(step.action for step in self._held)

    @property
    def seconds(self) -> float:
        """Wall time since it began."""
        return time.perf_counter() - self._begun

    def take(self, step: Step) -> None:
        """Let one step happen."""
        if isinstance(step, Opening):
            self._open(step)
        elif isinstance(step, Closing):
            self._close(step)
        elif isinstance(step, Revision):
            self.bars.revise(step.symbol, step.open_ns, step.figures)
        elif isinstance(step, Shift):
            self._shift(step)
        else:
            self._by_hand(step)

    # Phases

    def _open(self, step: Opening) -> None:
        """OPEN: the market grows by a bar of which O is known, then the backtest's own order of things (S5)."""
        self._end_day_before(step)
        self._begin(step.time_ns, step.opens)
        self.opens, self.decided = dict(step.opens), step.decide
        if self.decided and self.status == "running":
            self._guarded(lambda: self.bot.on_bar(self.env))

    def _begin(self, time_ns: int, opens: Mapping[str, tuple[int, float]], ends_day: bool = False) -> None:
        self.bars.open(time_ns, opens, ends_day)
        self._renew()
        self.engine.look_for_listeners()
        self.engine.open_bar(len(self.bars) - 1)
        self.is_open = True

    def _close(self, step: Closing) -> None:
        """INTRABAR and CLOSE, then learners and ``on_close`` (S7.5)."""
        self.bars.close(step.figures)
        self._renew()
        self.engine.finish_bar()
        self.is_open = False
        closed = self.engine.tables.count("trades")
        if self.bot.learns and closed > self.trades_seen and self.status == "running":
            self._guarded(lambda: self.bot.exit.ingest_trade_log(self.env))
        self.trades_seen = closed
        if self.decided and self.status == "running":
            self._guarded(lambda: self.bot.on_close(self.env))
        self.decided = False
        held, self._held = self._held, []
        for given in held:
            self._by_hand(given)

    def _shift(self, step: Shift) -> None:
        """A roll: bars and account move together, so that neither profit nor a level is reached by it."""
        since_bar = self.bars.first_bar_since(step.symbol, step.since_ns)
        self.bars.shift(step.symbol, step.gap, step.since_ns)
        self.shifts_taken[step.symbol] = step.number + 1
        column = self.bars.symbols.index(step.symbol)
        what = shift_account(self.engine, column, step.gap, since_bar)
        self._renew()
        self.engine.note(f"{step.symbol} rolled: earlier prices moved by {step.gap:+g}" + (what and f", with {what}"))

    def _end_day_before(self, step: Opening) -> None:
        """DAY orders whose day ended without a bar at its end expire at a synthetic bar of their own (S7.4)."""
        if not len(self.bars) or not self._day_orders():
            return
        market = self.engine.market
        assert isinstance(market, LiveMarket)
        turned = [
            calendar.trading_day(step.time_ns) != calendar.trading_day(self.bars.last_ns)
            and not market.day_ends_after(column)
            for column, calendar in enumerate(self.bars.calendars)
        ]
        if any(turned):
            self.added_ns.append(self.bars.last_ns + 1)
            self._begin(self.added_ns[-1], {}, ends_day=True)
            self._close(Closing(figures={}))

    def _day_orders(self) -> bool:
        return any(order.time_in_force is TimeInForce.DAY for order in self.engine.get_orders())

    def _renew(self) -> None:
        """Give engine and environment the market as it stands now."""
        self.engine.extend(self.bars.market())
        self.env.set_api(self.engine)  # which forgets the indicators of the market before
        self._prepare()

    def _prepare(self) -> None:
        """Hand settings and fresh tables to the kernel; what belongs to open positions stays (S12)."""
        kept, notes = self.engine.tables.symbols.copy(), len(self.engine.notes)
        self.bot.prepare(self.engine)
        if self._prepared:
            self.engine.tables.symbols[:] = kept
            del self.engine.notes[notes:]
        self._prepared = True

    def _by_hand(self, step: ByHand) -> None:
        """Carry out an order by hand as given at CLOSE (S5.6); while a bar is under way it waits for that."""
        if self.is_open:
            self._held.append(step)
            return
        self.actions_taken = step.number + 1
        action = dict(step.action) | {"bar": len(self.bars) - 1, "phase": "CLOSE", "source": "manual"}
        self.interventions.setdefault((len(self.bars) - 1, Phase.CLOSE), []).append(action)
        apply_action(self.engine, action)

    # After a restart

    def resume(self, opens: Mapping[str, tuple[int, float]] | None, decided: bool, trades_seen: int) -> None:
        """Stand where a saved state was taken: its tables are in place, the bot gets them again."""
        self.is_open, self.opens = opens is not None, dict(opens or {})
        self.decided, self.trades_seen = decided, trades_seen
        self._prepared = True
        self._prepare()

    def failed(self, text: str, bar: int, phase: int) -> None:
        """The bot had raised before the restart."""
        self.error, self.status = StrategyError(text, bar, phase), "failed"

    # When the bot raises

    def _guarded(self, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as raised:  # noqa: BLE001 - a user's bot may raise anything
            self._fail(raised)

    def _fail(self, raised: Exception) -> None:
        """Nobody decides any more; orders and levels go on acting."""
        bar, phase = len(self.bars) - 1, self.engine.phase
        text = "".join(traceback.format_exception(raised)).rstrip()
        self.error = StrategyError(
            f"{type(self.bot).__name__} raised {type(raised).__name__} at bar {bar} "
            f"({time_text(self.bars.last_ns)}), phase {phase.name}: {raised}; no more decisions are taken, orders and "
            f"levels stay at work\n{text}",
            bar,
            int(phase),
        )
        self.error.__cause__ = raised
        self.status = "failed"
        LOG.error("%s", self.error)
