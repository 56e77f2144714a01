"""A paper account on a live feed: events go in, phases and orders come of it, all of it on disk at once (S17).

Everything runs in the thread that hands the events over; nothing here waits.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from data.instruments import Instrument
from data.sessions import SessionCalendar
from data.tradestation.bars import Interval, LiveBar
from data.tradestation.events import (
    BarClosed,
    BarCorrected,
    BarUpdated,
    CloseReason,
    Event,
    HistoryLoaded,
    RolledOver,
    StatusChanged,
)
from data.tradestation.hours import CalendarHours, TradingHours
from data.tradestation.recorder import Acted
from engine.actions import Action, check_action
from engine.config import BacktestConfig
from engine.errors import ConfigError
from engine.paper.growing import GrowingBars
from engine.paper.keeping import Keeper
from engine.paper.phases import PhaseKeeper
from engine.paper.replay import MakeBot, has_recording, rebuilt
from engine.paper.rolling import roll_of
from engine.paper.run import PaperRun
from engine.paper.state import has_state
from engine.paper.steps import ByHand, Closing, Opening, Revision, Shift

LOG = logging.getLogger(__name__)
MANY = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperSettings:
    """Patience of a paper account, in market seconds.

    Attributes:
        open_grace_s: how long OPEN waits for the other symbols after the first print (S17.1).
        patience_s: how long a bar waits for a symbol whose line is down.
    """

    open_grace_s: float = 2.0
    patience_s: float = 30.0


class PaperAccount:
    """One account of simulated fills.

    Args:
        config: account, rules, bot and exit; its assets need no files.
        instruments: contract facts in the configuration's order; interval: length of the bars.
        make_bot: gives a fresh bot with its exit.
        folder: where recording, orders by hand and state are kept; what is there already is gone on with.

    Attributes:
        run: the account; None until every symbol has its history.
    """

    def __init__(
        self,
        config: BacktestConfig,
        instruments: Sequence[Instrument],
        interval: Interval,
        make_bot: MakeBot,
        folder: Path,
        settings: PaperSettings | None = None,
    ) -> None:
        own = PaperSettings() if settings is None else settings
        self.config, self.instruments, self.interval = config, tuple(instruments), interval
        self.symbols = tuple(one.symbol for one in instruments)
        self.run: PaperRun | None = None
        self._make_bot = make_bot
        self._now_ns = 0
        self._history: dict[str, dict[int, LiveBar]] = {}
        self._underlying: dict[str, str | None] = {}
        self._phases = PhaseKeeper(
            self.symbols,
            interval.bar_ns,
            self,
            open_grace_s=own.open_grace_s,
            patience_s=own.patience_s,
            hours=trading_hours(instruments),
        )
        if _goes_on(folder, self.symbols, interval):
            self.run = rebuilt(folder, config, instruments, interval, make_bot, use_state=True)
            self._phases.begin(*standing(self.run))
            LOG.info("going on with the account in %s: %d bars have closed", folder, self.run.next_bar)
        self.keeper = Keeper(folder, self.symbols, interval)

    @property
    def waits_for(self) -> tuple[str, ...]:
        """Symbols whose history is missing: the account begins when all are there."""
        return () if self.run is not None else tuple(s for s in self.symbols if s not in self._history)

    # What the feed tells

    def take(self, event: Event, now_ns: int) -> None:
        """Let the account act on an event of a feed; ``now_ns`` is server time."""
        self._now_ns = self.keeper.now_ns = now_ns
        if event.symbol not in self.symbols:
            return
        if isinstance(event, StatusChanged):
            self._phases.state(event.symbol, event.status.state)
        if self.run is None:
            self._gather(event)
        elif isinstance(event, HistoryLoaded):
            self._compare(event, now_ns)
        elif isinstance(event, BarUpdated):
            self._phases.updated(event, now_ns)
        elif isinstance(event, BarClosed):
            self._phases.closing(event, now_ns)
        elif isinstance(event, BarCorrected):
            self._correct(self.run, event)
        elif isinstance(event, RolledOver):
            self.keeper.roll(event, now_ns)

    def pass_time(self, now_ns: int) -> None:
        """Let time pass: graces end, and what could not be written is tried again, now and then."""
        self._now_ns = self.keeper.now_ns = now_ns
        if self.run is not None:
            self._phases.pass_time(now_ns)
        if self.keeper.trouble:
            self.keeper.try_again()

    def _gather(self, event: Event) -> None:
        """Before the account begins: history, and the bars that close until all symbols have theirs."""
        if isinstance(event, HistoryLoaded):
            self._history[event.symbol] = {bar.open_ns: bar for bar in event.bars}
            self._underlying[event.symbol] = event.underlying
        elif isinstance(event, BarClosed | BarCorrected) and event.symbol in self._history:
            self._history[event.symbol][event.bar.open_ns] = event.bar
        if not self.waits_for:
            self._begin()

    def _begin(self) -> None:
        bars = GrowingBars(self.instruments, self.interval.bar_ns, self.config.seed)
        found = {symbol: [own[key] for key in sorted(own)] for symbol, own in self._history.items()}
        for symbol, own in found.items():
            self.keeper.history(HistoryLoaded(symbol, tuple(own), self._underlying[symbol]), self._now_ns)
        bars.begin({symbol: [(bar.open_ns, bar.figures) for bar in own] for symbol, own in found.items()})
        self.run = PaperRun(self.config, bars, self._make_bot())
        self._phases.begin(*standing(self.run))
        self._history.clear()
        self.keeper.save(self.run)
        LOG.info("the account begins: %s, %d bars of history", ", ".join(self.symbols), len(bars))

    def _compare(self, event: HistoryLoaded, now_ns: int) -> None:
        """History anew (a restart, a reload, a roll): newer bars act late, others where they differ are revisions."""
        run = self._running
        self._follow_roll(run, event, now_ns)
        known = run.bars.known[self.symbols.index(event.symbol)]
        newest_ns = run.bars.newest()[event.symbol]
        changed: list[LiveBar] = []
        for bar in event.bars:
            if self._phases.corrected(event.symbol, bar):
                continue  # it has closed and waits to act: by these figures now
            before = run.bars.latest(event.symbol, bar.open_ns)
            if bar.open_ns > newest_ns or (run.is_open and run.opens.get(event.symbol, (0, 0))[0] == bar.open_ns):
                self._phases.closing(BarClosed(event.symbol, bar, CloseReason.HISTORY, True, False, now_ns), now_ns)
            elif before != bar.figures and bar.open_ns >= known.first_ns:
                changed.append(bar)
        if len(changed) > MANY:
            self._warn_of_history(run, event.symbol, len(changed))
            told = HistoryLoaded(event.symbol, tuple(changed), event.underlying)
            self.keeper.history(told, now_ns, run.bars.last_ns)
        for bar in changed:
            if len(changed) <= MANY:
                self.keeper.correction(BarCorrected(event.symbol, None, bar, now_ns), run.bars.last_ns)
            run.take(Revision(symbol=event.symbol, open_ns=bar.open_ns, figures=bar.figures))

    def _warn_of_history(self, run: PaperRun, symbol: str, count: int) -> None:
        """Most bars are other ones, and not by one gap: what the account holds stands among prices it never saw."""
        held = run.engine.position(symbol) is not None
        resting = sum(order.symbol == symbol for order in run.engine.get_orders())
        if held or resting:
            what = " and ".join(
                [*(["the position with its levels"] if held else []), *([f"{resting} orders"] if resting else [])]
            )
            LOG.warning(
                "%s: %d earlier bars have come with other prices, and not all by one gap (a ratio-adjusted roll, or "
                "figures of another kind); bars follow, %s stay where they were: compare them with the chart",
                symbol,
                count,
                what,
            )

    def _follow_roll(self, run: PaperRun, event: HistoryLoaded, now_ns: int) -> None:
        """If earlier prices have all moved by one gap, the account moves with them (see ``rolling``)."""
        symbol = event.symbol
        tick_size = self.instruments[self.symbols.index(symbol)].tick_size
        roll = roll_of(partial(run.bars.latest, symbol), self._with_open(run, event), tick_size)
        if roll is None:
            return
        number = run.shifts_taken.get(symbol, 0)
        step = Shift(symbol=symbol, gap=roll.gap, since_ns=roll.since_ns, number=number, mid_bar=run.is_open)
        self._phases.reloaded(symbol)
        self.keeper.shift(step, now_ns, run.bars.last_ns)
        run.take(step)
        self.keeper.save(run)
        LOG.warning("%s", run.engine.notes[-1])

    def _with_open(self, run: PaperRun, event: HistoryLoaded) -> list[LiveBar]:
        """The bars of a history; of the one whose O alone the account knows, O alone."""
        own_ns = run.opens[event.symbol][0] if run.is_open and event.symbol in run.opens else None
        bars = [*event.bars, event.open_bar] if event.open_bar is not None else list(event.bars)
        return [
            replace(bar, high=bar.open, low=bar.open, close=bar.open) if bar.open_ns == own_ns else bar for bar in bars
        ]

    def _correct(self, run: PaperRun, event: BarCorrected) -> None:
        if self._phases.corrected(event.symbol, event.bar):
            return  # nobody has acted on the bar yet
        self.keeper.correction(event, run.bars.last_ns)
        run.take(Revision(symbol=event.symbol, open_ns=event.bar.open_ns, figures=event.bar.figures))

    # Phases

    def opened(self, time_ns: int, prints: Mapping[str, tuple[int, float]], decide: bool) -> None:
        """OPEN of a master bar."""
        run = self._running
        run.take(Opening(time_ns=time_ns, opens=prints, decide=decide))
        if decide:  # a bar without a decision closes at once
            self.keeper.save(run)

    def closed(self, closings: Mapping[str, BarClosed]) -> None:
        """INTRABAR and CLOSE of it; what was seen and made of it is recorded (S17.2)."""
        run = self._running
        opens, decided, master_ns = run.opens, run.decided, run.bars.last_ns
        run.take(Closing(figures={symbol: event.bar.figures for symbol, event in closings.items()}))
        for symbol, event in closings.items():
            acted = Acted(decided=decided, open_seen=opens[symbol][1], master_ns=master_ns)
            self.keeper.bar(event, acted)
        self.keeper.save(run)

    def missed(self, closing: BarClosed) -> None:
        """A bar that was synthetic for the account."""
        run = self._running
        self.keeper.bar(closing, Acted(decided=False, absent=True, master_ns=run.bars.last_ns))
        bar = closing.bar
        run.take(Revision(symbol=closing.symbol, open_ns=bar.open_ns, figures=bar.figures))

    @property
    def _running(self) -> PaperRun:
        assert self.run is not None
        return self.run

    # By hand

    def by_hand(self, action: Action) -> None:
        """An order or change by hand (``engine.actions``); in mid-bar it waits for the close, and fills at the next O.

        Raises:
            ConfigError: the action is malformed, or the account has not begun.
        """
        run = self.run
        if run is None:
            raise ConfigError(f"the account has not begun; it waits for the history of {', '.join(self.waits_for)}")
        check_action({**action, "bar": 0, "phase": "CLOSE"}, "the order by hand")
        number = run.actions_taken + len(run.held)
        self.keeper.action(action, run.bars.last_ns)
        run.take(ByHand(action=action, number=number))
        self.keeper.save(run)

    def close(self) -> None:
        """Leave everything on disk."""
        if self.run is not None:
            self.keeper.save(self.run)
        self.keeper.close()


def _goes_on(folder: Path, symbols: Sequence[str], interval: Interval) -> bool:
    """Whether an account is there: where a symbol has no recording (it had no bar yet, or is new), a state tells."""
    recorded = [has_recording(folder, [symbol], interval) for symbol in symbols]
    return all(recorded) or (any(recorded) and has_state(folder))


def trading_hours(instruments: Sequence[Instrument]) -> dict[str, TradingHours]:
    """When each symbol trades, where its calendar says so."""
    found: dict[str, TradingHours] = {}
    for one in instruments:
        calendar = SessionCalendar.named(one.calendar)
        if not calendar.continuous:
            found[one.symbol] = CalendarHours(calendar)
    return found


def standing(run: PaperRun) -> tuple[int, dict[str, int], dict[str, int] | None]:
    """Where an account stands, for its phases: last master bar, last bar of each symbol, the bar under way."""
    under_way = {symbol: own_ns for symbol, (own_ns, _) in run.opens.items()} if run.is_open else None
    return run.bars.last_ns, run.bars.newest(), under_way
