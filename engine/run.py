"""One run from its first bar to its last: the two drives, interventions, snapshots, and a bot that fails."""

import copy
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from psygnal import EmitLoopError

from data.errors import TriphaseError
from data.mapped_pages import let_pages_go
from engine.actions import Action, apply_action, check_action
from engine.backtester import BacktesterEngine
from engine.changing import SETTING, SettingChanges
from engine.environment import TradingEnvironment
from engine.errors import ConfigError, StrategyError
from engine.freeing import give_back_freed_memory
from engine.kernel import loops
from engine.kernel.room import GROW
from engine.kernel.schema import Phase
from engine.snapshots import Snapshot, SnapshotStore, copied

Drive = Literal["auto", "step", "compiled"]
Status = Literal["running", "completed", "interrupted", "failed", "bankrupt"]

CHUNK_SECONDS = 0.05
FIRST_CHUNK = 256
STEP_CHUNK = 32


class Exit(Protocol):
    """What a run asks of an exit."""

    def ingest_trade_log(self, env: TradingEnvironment) -> None:
        """Learn from the trades that closed in this bar."""

    def get_state(self) -> dict[str, Any] | None:
        """Plain data for a snapshot, None where unknown."""

    def set_state(self, state: dict[str, Any]) -> None:
        """Go back to a state."""


class RunnableBot(Protocol):
    """What a run asks of a bot; BaseStrategyBot has it all."""

    @property
    def exit(self) -> Exit:
        """Its exit."""

    @property
    def acts_at_close(self) -> bool:
        """Whether on_close does anything."""

    @property
    def compilable(self) -> bool:
        """Whether the compiled drive can run it."""

    @property
    def learns(self) -> bool:
        """Whether its exit takes in closed trades."""

    def prepare(self, engine: BacktesterEngine) -> None:
        """Hand settings to the kernel before the first bar."""

    def on_bar(self, env: TradingEnvironment) -> None:
        """OPEN of a bar."""

    def on_close(self, env: TradingEnvironment) -> None:
        """CLOSE of a bar."""

    def act_before(self, env: TradingEnvironment, column: int) -> None:
        """Its part of OPEN up to the decision on a symbol, for inspection."""

    def side_at(self, env: TradingEnvironment, column: int) -> int:
        """The side it would decide on now: 1, -1 or 0."""

    def levels_at(self, env: TradingEnvironment, column: int, side: int) -> tuple[float, float]:
        """The levels it would enter with now, rounded, in ticks; NaN for none."""

    def get_state(self) -> dict[str, Any] | None:
        """Plain data for a snapshot, None where unknown."""

    def set_state(self, state: dict[str, Any]) -> None:
        """Go back to a state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressInfo:
    """How far a run is.

    Attributes:
        bar: closed master bars; bars: all of them; equity: at the last close; seconds: since the run began.
    """

    bar: int
    bars: int
    equity: float
    seconds: float


Progress: TypeAlias = Callable[[ProgressInfo], bool | None]


class Run:
    """A run that can be advanced, stopped, taken back and gone on with; same bytes whichever way.

    Args:
        engine: a connected engine before its first bar.
        bot: the bot with its exit.
        drive: auto takes the compiled drive where bot and exit allow it.
        interventions: action records by hand (S16), carried out after the bot's own orders.
        snapshots: keep snapshots, for going back.

    Attributes:
        next_bar: the first master bar that has not closed yet.
        status: where the run stands; error: what a bot or exit raised.
    """

    def __init__(
        self,
        engine: BacktesterEngine,
        bot: RunnableBot,
        *,
        drive: Drive = "auto",
        interventions: Iterable[Action] = (),
        snapshots: bool = False,
    ) -> None:
        self.engine, self.bot = engine, bot
        self.env = TradingEnvironment(engine.seed)
        self.env.set_api(engine)
        self.env.set_bot(bot)
        self.drive: Drive = chosen_drive(drive, bot)
        self._drive = self.drive
        self.changes = SettingChanges(bot)
        self.next_bar, self.seconds = 0, 0.0
        self.snapshots = SnapshotStore(snapshots)
        self.interventions: dict[tuple[int, Phase], list[Action]] = {}
        for number, action in enumerate(interventions):
            self.intervene(action, f"intervention {number + 1}")
        self.status: Status = "running"
        self.error: StrategyError | None = None
        self._trades_seen = 0
        self.bars_per_chunk = FIRST_CHUNK
        self._unused = copied(bot) if snapshots else None
        self._guarded(lambda: bot.prepare(engine))
        if bot.compilable:
            engine.market.forget_indicators(0)  # what the kernel reads is attached; the sides are made
            let_pages_go(engine.market.series)  # the kernel has its own bars, in ticks
            give_back_freed_memory(len(engine.market) * len(engine.market.symbols))
        self._guarded(lambda: self.snapshots.take(self.snapshot()))

    @property
    def bars(self) -> int:
        """Master bars of the data."""
        return len(self.engine.market)

    def intervene(self, action: Action, place: str = "intervention") -> None:
        """Record an order or change by hand at a bar and phase that has not been run yet (S16).

        Raises:
            ConfigError: where the record is wrong, or its bar has closed already.
        """
        check_action(action, place, (SETTING,))
        if action["type"] == SETTING:
            self.changes.check(action, place)
        key = (int(action["bar"]), Phase[str(action["phase"])])
        if key[0] < self.next_bar:
            raise ConfigError(f"{place}: bar {key[0]} has closed, {self.next_bar} bars have; go back before it first")
        if key[0] >= self.bars:
            self.engine.note(f"{place}: bar {key[0]} is beyond the last one, {self.bars - 1}: it is never carried out")
        self.snapshots.drop_after(key[0])
        self.interventions.setdefault(key, []).append(action)

    # Forward

    def complete(self, progress: Progress | None = None) -> Status:
        """Run to the end of data, or until ``progress`` answers False, a bot fails, or Ctrl-C."""
        self.advance(self.bars, progress)
        if self.status == "running":
            self._attempt(self._finish)
        return self.status

    def _finish(self) -> None:
        self.status = self.engine.finish()

    def advance(self, stop: int, progress: Progress | None = None) -> int:
        """Run until ``stop`` bars have closed, or all; returns how many have. Chunks of 50 ms; progress after each."""
        begun, before, stop = time.perf_counter(), self.seconds, min(stop, self.bars)
        try:
            while self.next_bar < stop and self.status == "running":
                self._chunk(stop)
                self.seconds = before + time.perf_counter() - begun
                if progress is not None and progress(self.progress()) is False:
                    self.status = "interrupted"
        except KeyboardInterrupt:
            self._settle()
            self.status = "interrupted"
        self.seconds = before + time.perf_counter() - begun
        return self.next_bar

    def progress(self) -> ProgressInfo:
        """How far the run is."""
        equity = float(self.engine.tables.account["equity"][0])
        return ProgressInfo(bar=self.next_bar, bars=self.bars, equity=equity, seconds=self.seconds)

    def _chunk(self, stop: int) -> None:
        """Run one chunk, and size the next one by the time that this one took.

        The first bar of the step drive is one by itself: a bot that connects to a signal there hears all that follows,
        whatever the size of chunks.
        """
        begun, first = time.perf_counter(), self.next_bar
        self.engine.look_for_listeners()
        bars = 1 if first == 0 and self.drive == "step" else self.bars_per_chunk
        self._attempt(lambda: self._run_bars(min(stop, first + bars)))
        taken = max(time.perf_counter() - begun, 1e-6)
        if self.status == "running":
            self._attempt(self._ingest)
        rate = (self.next_bar - first) / taken
        self.bars_per_chunk = max(STEP_CHUNK, min(int(rate * CHUNK_SECONDS), 4 * self.bars_per_chunk))
        if self.status == "running":  # a bar that was closed without its bot is none to go on from
            self._attempt(lambda: self.snapshots.offer(self.next_bar, taken, self.snapshot))

    def _run_bars(self, stop: int) -> None:
        if self.drive == "compiled" and not self.engine.listening:
            self._compiled_bars(stop)
        elif self.engine.listening or self.bot.acts_at_close or self.bot.learns or self.interventions:
            while self.next_bar < stop:
                self._whole_bar(self.next_bar)
        else:
            self._fast_bars(stop)

    def _compiled_bars(self, stop: int) -> None:
        """Compiled calls between the bars that have interventions."""
        tables = self.engine.tables
        while self.next_bar < stop:
            by_hand = [bar for bar, _ in self.interventions if self.next_bar <= bar < stop]
            if by_hand and min(by_hand) == self.next_bar:
                self._whole_bar(self.next_bar)
                continue
            reached = loops.run_bars(tables.address, self.next_bar, min(by_hand, default=stop))
            if reached == self.next_bar:
                tables.grow()
                continue
            self.next_bar = reached
            self.engine.stands_at(reached - 1, Phase.CLOSE)

    def _fast_bars(self, stop: int) -> None:
        """Step drive where nothing happens at CLOSE: one kernel call and one call of the bot per bar."""
        engine, env, on_bar = self.engine, self.env, self.bot.on_bar
        tables, address, advance = engine.tables, engine.tables.address, loops.next_bar
        engine.open_bar(self.next_bar)
        on_bar(env)
        for bar in range(self.next_bar + 1, stop):
            if advance(address) == GROW:
                tables.call(advance)
            engine.current_bar = bar
            on_bar(env)
        engine.finish_bar()
        self.next_bar = stop

    def _whole_bar(self, bar: int) -> None:
        """One bar with everything that may happen in it."""
        engine, env, bot = self.engine, self.env, self.bot
        engine.open_bar(bar)
        bot.on_bar(env)
        self._by_hand(bar, Phase.OPEN)
        engine.finish_bar()
        self._after_close(bar)
        self.next_bar = bar + 1

    def _after_close(self, bar: int) -> None:
        """CLOSE: learners take in the trades that closed, then on_close, then what was done by hand (S7.5, S5.6)."""
        self._ingest()
        self.bot.on_close(self.env)
        self._by_hand(bar, Phase.CLOSE)

    def _ingest(self) -> None:
        """Let learners take in the trades that have closed since the last time."""
        closed = self.engine.tables.count("trades")
        if self.bot.learns and closed > self._trades_seen:
            self.bot.exit.ingest_trade_log(self.env)
        self._trades_seen = closed

    def _by_hand(self, bar: int, phase: Phase) -> None:
        for action in self.interventions.get((bar, phase), ()):
            if action["type"] == SETTING:
                self._use(self.changes.applied(self.bot, action))
                continue
            apply_action(self.engine, {**action, "source": action.get("source", "manual")})

    def _use(self, bot: RunnableBot) -> None:
        """Go on with another bot: one with other settings."""
        self.bot = bot
        self.env.set_bot(bot)
        bot.prepare(self.engine)
        self.drive = self._drive if bot.compilable else "step"

    # When something goes wrong

    def _guarded(self, action: Callable[[], object]) -> None:
        try:
            action()
        except TriphaseError:
            raise
        except Exception as raised:
            raise StrategyError(self._told(raised, "before the first bar"), -1, int(Phase.OPEN)) from raised

    def _attempt(self, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as raised:  # noqa: BLE001 - a user's bot may raise anything
            self._fail(raised)

    def _fail(self, raised: Exception) -> None:
        """A bot, an exit or a listener raised: keep what happened, close the bar, and say where."""
        bar, phase = int(self.engine.tables.account["bar"][0]), self.engine.phase
        when = f"at bar {bar} ({time_text(self.engine.market.time_ns.item(bar))}), phase {phase.name}"
        self.error = StrategyError(self._told(raised, when), bar, int(phase))
        self.error.__cause__ = raised
        if isinstance(raised, EmitLoopError):
            self.engine.listening = False  # who raised once is not told the rest of the bar
        self._settle()
        self.status = "failed"

    def _told(self, raised: Exception, when: str) -> str:
        text = "".join(traceback.format_exception(raised)).rstrip()
        who = type(self.bot).__name__
        if isinstance(raised, EmitLoopError) and isinstance(raised.__cause__, Exception):
            who, raised = "what listens to a signal of the run", raised.__cause__
        return f"{who} raised {type(raised).__name__} {when}: {raised}\n{text}"

    def _settle(self) -> None:
        """Bring a bar that was left in its middle to its CLOSE, without the bot."""
        tables = self.engine.tables
        tables.tell_addresses()  # an interrupt may have come while a table grew
        bar, phase = int(tables.account["bar"][0]), Phase(int(tables.account["phase"][0]))
        if bar < 0:
            return
        self.engine.stands_at(bar, phase)
        if phase is Phase.OPEN:
            self.engine.finish_bar()
        elif phase is Phase.INTRABAR:
            self.engine.close_bar()
        self.next_bar = bar + 1

    # Back

    def snapshot(self) -> Snapshot:
        """All that a later restore needs, at the close of a bar.

        States are copied here and in ``restore``: a bot may hand out, and take back, the very list it goes on filling.
        """
        return Snapshot(
            next_bar=self.next_bar,
            tables=self.engine.tables.copy_state(),
            bot=copy.deepcopy(self.bot.get_state()),
            exit=copy.deepcopy(self.bot.exit.get_state()),
            generators=self.env.generator_states(),
            trades_seen=self._trades_seen,
            notes=len(self.engine.notes),
        )

    def go_back(self, bar: int) -> None:
        """Take the run back to where ``bar`` bars have closed: the nearest snapshot, and forward from it."""
        self.restore(self.snapshots.before(bar))
        self.advance(bar)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot; going on gives the same bytes as never having stopped.

        A bot or exit that does not tell its state begins anew, as a copy of what the run was given.
        """
        made = [self.interventions[key] for key in sorted(self.interventions) if key[0] < snapshot.next_bar]
        bot: RunnableBot = self.changes.at(self.bot, [action for actions in made for action in actions])
        anew = None if snapshot.complete else copied(self._unused)
        bot = bot if anew is None else anew
        if bot is not self.bot:
            self._use(bot)
        self.engine.tables.restore_state(snapshot.tables)
        self.engine.stands_at(snapshot.next_bar - 1, Phase.CLOSE)
        self.engine.events_seen = self.engine.tables.count("events")
        if snapshot.bot is not None:
            self.bot.set_state(copy.deepcopy(snapshot.bot))
        if snapshot.exit is not None:
            self.bot.exit.set_state(copy.deepcopy(snapshot.exit))
        self.env.set_generator_states(snapshot.generators)
        del self.engine.notes[snapshot.notes :]
        if self.snapshots.keep and anew is None and not snapshot.complete:
            self.engine.note(f"{type(bot).__name__} has no get_state and cannot be copied: it remembers what is undone")
        self.next_bar, self._trades_seen = snapshot.next_bar, snapshot.trades_seen
        self.status, self.error = "running", None


def chosen_drive(drive: Drive, bot: RunnableBot) -> Drive:
    """The drive that will run the bot.

    Raises:
        ConfigError: where the compiled drive is asked for and the bot or exit does not allow it.
    """
    if drive == "auto":
        return "compiled" if bot.compilable else "step"
    if drive == "compiled" and not bot.compilable:
        raise ConfigError(
            f"drive compiled: {type(bot).__name__} with {type(bot.exit).__name__} has Python code that must run on "
            "every bar; use drive step or auto"
        )
    return drive


def time_text(time_ns: int) -> str:
    """A time for messages: 2024-03-08 14:35 UTC."""
    from engine.views import utc

    return f"{utc(time_ns):%Y-%m-%d %H:%M} UTC"
