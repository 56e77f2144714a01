"""From a recording back to the steps that the account took, and to the same journal, byte for byte (S17.3)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.errors import SourceError
from data.instruments import Instrument
from data.json_text import parsed
from data.tradestation.bars import Interval
from data.tradestation.recorder import series_name
from data.tradestation.recording import read_rows
from engine.actions import Action
from engine.config import BacktestConfig
from engine.paper.growing import NO_BAR, Figures, GrowingBars
from engine.paper.run import PaperRun
from engine.paper.state import SavedState, read_state, restore_state
from engine.paper.steps import ByHand, Closing, Opening, Revision, Shift, Step
from engine.run import RunnableBot

ACTIONS_FILE = "actions.jsonl"
RECORDING = "recording"
MakeBot = Callable[[], RunnableBot]


@dataclass(slots=True)
class _MasterBar:
    """What the recording holds of one master bar, and what came behind it."""

    opens: dict[str, tuple[int, float]] = field(default_factory=dict)
    figures: dict[str, Figures] = field(default_factory=dict)
    decided: bool = False
    behind: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording as the account lived it.

    Attributes:
        history: per symbol the bars from before the run.
        bars: master bars by their time, ascending, each with its steps.
        first: steps from before the first master bar; tail: of a bar under way that the recording does not hold yet.
    """

    history: dict[str, list[tuple[int, Figures]]]
    bars: Mapping[int, _MasterBar]
    first: Sequence[Step]
    tail: Sequence[Step]

    def steps(self, time_ns: int) -> list[Step]:
        """The steps of a master bar: OPEN, the rest, and what came before the next one."""
        bar = self.bars[time_ns]
        opening = Opening(time_ns=time_ns, opens=bar.opens, decide=bar.decided)
        behind = [step for step in bar.behind if not _is_within(step)]
        return [opening, *self.within(time_ns), Closing(figures=bar.figures), *behind]

    def within(self, time_ns: int) -> list[Step]:
        """What came between OPEN and CLOSE of a master bar, as far as the recording holds that bar."""
        bar = self.bars.get(time_ns)
        return [] if bar is None else [step for step in bar.behind if _is_within(step)]


def _is_within(step: Step) -> bool:
    return isinstance(step, Shift) and step.mid_bar


def has_recording(folder: Path, symbols: Sequence[str], interval: Interval) -> bool:
    """Whether every symbol has a recording there."""
    return all(any((folder / RECORDING / series_name(s, interval)).glob("*/*.parquet")) for s in symbols)


def read_recorded(folder: Path, symbols: Sequence[str], interval: Interval) -> Recorded:
    """Read an account's folder; a symbol without a series has had no bar. SourceError: none has one, or damage."""
    history: dict[str, list[tuple[int, Figures]]] = {}
    bars: dict[int, _MasterBar] = {}
    behind: list[tuple[int, Step]] = []
    told = [symbol for symbol in symbols if has_recording(folder, [symbol], interval)] or symbols
    for symbol in symbols:
        own: dict[int, Figures] = {}
        for row in () if symbol not in told else read_rows(folder / RECORDING, symbol, interval):
            _take_row(symbol, row, own, bars, behind)
        history[symbol] = sorted(own.items())
    for number, action in enumerate(read_actions(folder / ACTIONS_FILE)):
        behind.append((int(action["after_ns"]), ByHand(action=action, number=number)))
    begun_ns = max((own[-1][0] for own in history.values() if own), default=NO_BAR)
    first = [step for after_ns, step in behind if after_ns not in bars and after_ns <= begun_ns]
    tail = [step for after_ns, step in behind if after_ns not in bars and after_ns > begun_ns]
    for after_ns, step in behind:
        if after_ns in bars:
            bars[after_ns].behind.append(step)
    return Recorded(history, dict(sorted(bars.items())), first, tail)


def _take_row(
    symbol: str,
    row: Mapping[str, Any],
    history: dict[int, Figures],
    bars: dict[int, _MasterBar],
    behind: list[tuple[int, Step]],
) -> None:
    kind, open_ns, master_ns = row["kind"], row["open_ns"], row["master_ns"]
    if kind in ("gap", "roll"):
        return
    if kind == "shift":
        number = sum(isinstance(step, Shift) and step.symbol == symbol for _, step in behind)
        gap, mid_bar = row["open"], row["opened_live"]
        behind.append((master_ns, Shift(symbol=symbol, gap=gap, since_ns=open_ns, number=number, mid_bar=mid_bar)))
        return
    figures = (row["open"], row["high"], row["low"], row["close"], row["volume"])
    if kind == "history" and master_ns is None:
        history[open_ns] = figures
    elif kind == "bar" and master_ns is None:
        raise SourceError(f"{symbol}: nobody acted on a bar of the recording: it is a viewer's, not an account's")
    elif kind == "bar" and not row["absent"]:
        bar = bars.setdefault(master_ns, _MasterBar())
        bar.opens[symbol] = (open_ns, row["open"] if row["open_seen"] is None else row["open_seen"])
        bar.figures[symbol] = figures
        bar.decided = bar.decided or bool(row["decided"])
    else:
        behind.append((master_ns, Revision(symbol=symbol, open_ns=open_ns, figures=figures)))


def read_actions(path: Path) -> list[Action]:
    """Orders by hand, in order; a last line that was cut off by a crash never took effect.

    Raises:
        SourceError: another line cannot be read.
    """
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    return [_action(line, f"{path} line {number}") for number, line in enumerate(lines[:-1], start=1) if line]


def _action(line: str, place: str) -> Action:
    try:
        action: Action = parsed(line)
    except ValueError as error:
        raise SourceError(f"{place}: {line[:80]!r} is no order by hand ({error}); remove that line") from None
    return action


def rebuilt(
    folder: Path,
    config: BacktestConfig,
    instruments: Sequence[Instrument],
    interval: Interval,
    make_bot: MakeBot,
    *,
    use_state: bool,
) -> PaperRun:
    """The account of a folder as it stood: from its saved state and what was recorded since, or from its start.

    From its start, the state tells of the bar that was under way alone.

    Raises:
        SourceError: recording or state are damaged. ConfigError: the state is of another configuration.
    """
    symbols = [one.symbol for one in instruments]
    state = read_state(folder, config.hash())
    recorded = read_recorded(folder, symbols, interval)
    bars = GrowingBars(instruments, interval.bar_ns, config.seed)
    bars.begin(recorded.history)
    saved = state if use_state and state is not None and state.complete else None
    if saved is not None:
        _grow(bars, recorded, saved)
    run = PaperRun(config, bars, make_bot())
    if saved is not None:
        restore_state(run, saved)
        _go_on(run, recorded, saved.last_ns)
    else:
        _take_all(run, recorded.first)
        for time_ns in recorded.bars:
            _take_all(run, recorded.steps(time_ns))
        if not use_state and state is not None and state.opens is not None and state.last_ns > run.bars.last_ns:
            run.take(Opening(time_ns=state.last_ns, opens=state.opens, decide=state.decided))
    _take_all(run, [step for step in recorded.tail if not _done(run, step)])
    return run


def replay(
    folder: Path, config: BacktestConfig, instruments: Sequence[Instrument], interval: Interval, make_bot: MakeBot
) -> PaperRun:
    """The recorded account once more, from its history on, without feed or clock (S17.3).

    A bar that was under way when the account stopped is opened too, as its saved state tells.
    """
    return rebuilt(folder, config, instruments, interval, make_bot, use_state=False)


def _grow(bars: GrowingBars, recorded: Recorded, state: SavedState) -> None:
    """Let the market grow, nobody acting, to where the state was taken; what comes behind it is left to be taken."""
    added = [int(time_ns) for time_ns in state.facts["added_ns"]]
    shifts = dict(state.facts.get("shifts_taken", {}))
    for step in recorded.first:
        _grow_by(bars, step, shifts)
    for time_ns in recorded.bars:
        if time_ns > state.last_ns or (time_ns == state.last_ns and state.opens is not None):
            break
        _grow_days(bars, added, time_ns)
        for step in recorded.steps(time_ns):
            _grow_by(bars, step, shifts)
    if state.opens is not None:
        _grow_days(bars, added, state.last_ns)
        bars.open(state.last_ns, state.opens)
        for step in [*recorded.within(state.last_ns), *recorded.tail]:
            if isinstance(step, Shift):
                _grow_by(bars, step, shifts)


def _grow_days(bars: GrowingBars, added: Sequence[int], before_ns: int) -> None:
    """The bars that the account had put in to end a day (S7.4)."""
    for time_ns in added:
        if bars.last_ns < time_ns < before_ns:
            bars.open(time_ns, {})
            bars.close({})


def _grow_by(bars: GrowingBars, step: Step, shifts: Mapping[str, int]) -> None:
    """``shifts``: how many rolls of each symbol the account had followed when the state was taken."""
    if isinstance(step, Opening):
        bars.open(step.time_ns, step.opens)
    elif isinstance(step, Closing):
        bars.close(step.figures)
    elif isinstance(step, Revision):
        bars.revise(step.symbol, step.open_ns, step.figures)
    elif isinstance(step, Shift) and step.number < shifts.get(step.symbol, 0):
        bars.shift(step.symbol, step.gap, step.since_ns)


def _go_on(run: PaperRun, recorded: Recorded, last_ns: int) -> None:
    """Take what was recorded behind the saved state: of its last bar what was still to come, then all later bars."""
    under_way = run.is_open
    for time_ns in recorded.bars:
        if time_ns > last_ns:
            _take_all(run, recorded.steps(time_ns))
        elif time_ns == last_ns and under_way:
            _take_all(run, [step for step in recorded.steps(time_ns)[1:] if not _done(run, step)])
        elif time_ns == last_ns:
            late = (step for step in recorded.steps(time_ns) if isinstance(step, ByHand | Shift))
            _take_all(run, [step for step in late if not _done(run, step)])


def _done(run: PaperRun, step: Step) -> bool:
    """Whether an order by hand had been carried out, or a roll followed, when the state was taken."""
    if isinstance(step, Shift):
        return step.number < run.shifts_taken.get(step.symbol, 0)
    return isinstance(step, ByHand) and step.number < run.actions_taken


def _take_all(run: PaperRun, steps: Iterable[Step]) -> None:
    for step in steps:
        run.take(step)
