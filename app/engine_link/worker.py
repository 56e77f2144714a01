"""What the engine does beside the window: runs a course, tells of it in chunks, and heeds commands between them."""

import shutil
import traceback
from collections.abc import Callable, Iterable
from typing import Protocol

from app.engine_link.messages import (
    AskDecision,
    AskFill,
    Broken,
    Command,
    Ended,
    Explained,
    Follow,
    Job,
    Message,
    Ready,
    Report,
    RunTo,
    Save,
    Saved,
    Stop,
    Turned,
)
from app.replay.chunk import JournalTap
from bots.catalog import make_bot
from data.errors import TriphaseError
from engine.actions import Action
from engine.freeing import give_back_freed_memory
from engine.inspection import Explanation, explain_decision, explain_fill
from engine.kernel.schema import Phase
from engine.preparing import Prepared, engine_of, prepare
from engine.report import write_report
from engine.report_view import ReportView
from engine.result import Result
from engine.run import Run, RunnableBot


class Line(Protocol):
    """The engine's end of the line to the window."""

    @property
    def shared(self) -> bool:
        """Whether the window is in the same process, and may look into the engine's tables."""

    def send(self, message: Message) -> None:
        """Tell the window; waits while it is behind."""

    def receive(self, wait: bool) -> Command | None:
        """The next command; None where there is none and ``wait`` is False. ``Stop`` when the window is gone."""


def bot_of(job: Job) -> RunnableBot:
    """The bot of a job."""
    return make_bot(job.config.bot, job.config.exit)


def place_of(action: Action) -> tuple[int, int]:
    """Bar and phase of a record, for comparing."""
    return int(action["bar"]), int(Phase[str(action["phase"])])


def common_bars(first: Iterable[Action], second: Iterable[Action]) -> int | None:
    """Bars before which two lists of interventions are the same; None where they are the same throughout."""
    mine, other = list(first), list(second)
    for index in range(max(len(mine), len(other))):
        pair = [actions[index] for actions in (mine, other) if index < len(actions)]
        if len(pair) < 2 or dict(pair[0]) != dict(pair[1]):
            return min(place_of(action)[0] for action in pair)
    return None


class Worker:
    """One run and its courses.

    Args:
        job: what is run; line: where it tells and hears; prepared: its bars, where they are loaded already.
    """

    def __init__(self, job: Job, line: Line, prepared: Prepared | None = None) -> None:
        self._job, self._line = job, line
        self._prepared = prepare(job.config) if prepared is None else prepared
        self._interventions: tuple[Action, ...] = tuple(job.interventions)
        self._run = Run(
            engine_of(job.config, self._prepared), bot_of(job), interventions=job.interventions, snapshots=True
        )
        self._tap = JournalTap(self._run.engine, line.shared)
        self._course, self._target = 0, 0
        self._to_save: list[Save | Report] = []
        self._to_answer: list[AskFill] = []
        self._stopped = False
        self._line.send(Ready(drive=str(self._run.drive), bars=self._run.bars))

    @property
    def _busy(self) -> bool:
        return self._run.status == "running" and self._run.next_bar < self._target

    def serve(self) -> None:
        """Run and answer until told to stop."""
        while not self._stopped:
            command = self._line.receive(wait=not self._busy)
            if command is not None:
                self._heed(command)
            elif self._busy:
                self._go_on()

    def _go_on(self) -> None:
        """One chunk of bars, and the end where it is reached."""
        run = self._run
        run.advance(min(self._target, run.next_bar + run.bars_per_chunk))
        if run.status == "running" and run.next_bar == run.bars:
            run.complete()
        self._line.send(self._tap.take(self._course, run.next_bar, run.seconds))
        self._answer_what_waits()
        if run.status != "running":
            self._end()

    def _end(self) -> None:
        error = None if self._run.error is None else str(self._run.error)
        notes = tuple(self._run.engine.notes)
        self._line.send(Ended(course=self._course, status=self._run.status, error=error, notes=notes))
        for command in self._to_save:
            self._save(command)
        self._to_save = []

    def _heed(self, command: Command) -> None:
        match command:
            case Stop():
                self._stopped = True
            case RunTo(bars=bars):
                self._target = self._run.bars if bars is None else bars
                self._answer_what_waits()
            case Follow():
                self._follow(command)
            case AskDecision(ask=ask, symbol=symbol, bar=bar):
                self._answer(ask, lambda: explain_decision(self._run, symbol, bar))
            case AskFill():
                self._to_answer.append(command)
                self._answer_what_waits()
            case Save() | Report() if self._busy:
                self._to_save.append(command)  # what is saved is whole
            case Save() | Report():
                self._save(command)

    def _follow(self, command: Follow) -> None:
        """Go back to where the course parts from the present one and on with its own interventions (S16)."""
        run = self._run
        if command.course != self._course:
            self._leave()
        parting = common_bars(self._interventions, command.interventions)
        self._course, self._interventions = command.course, command.interventions
        if parting is not None and (run.status != "running" or parting < run.next_bar):
            self._tap.leave_curve()
            run.restore(run.snapshots.before(min(parting, run.bars - 1)))
            run.snapshots.take(run.snapshot())  # later ones belong to the course that is left
        for key in [key for key in run.interventions if key[0] >= run.next_bar]:
            del run.interventions[key]
        for action in command.interventions:
            if place_of(action)[0] >= run.next_bar:
                run.intervene(action)
        counts = self._tap.rewind(run.next_bar)
        self._line.send(Turned(course=self._course, bars=run.next_bar, counts=counts))
        self._target = run.bars
        if run.status != "running":
            self._end()

    def _leave(self) -> None:
        """What was to be saved at the end of the course that is left is not: its end will not be reached."""
        for asked in self._to_answer:
            self._explain_fill(asked)
        self._to_answer = []
        waiting, self._to_save = self._to_save, []
        for command in waiting:
            why = "another course was begun before this one was over; save it again once it is"
            self._tell_saved(command, f"{command.folder} is not written: {why}")

    def _answer_what_waits(self) -> None:
        """Explain the fills that there are; of others, a run that goes on may come to them."""
        waiting, self._to_answer = self._to_answer, []
        for asked in waiting:
            if self._busy and asked.index >= self._run.engine.tables.count("fills"):
                self._to_answer.append(asked)
            else:
                self._explain_fill(asked)

    def _explain_fill(self, asked: AskFill) -> None:
        self._answer(asked.ask, lambda: explain_fill(self._run, asked.index))

    def _answer(self, ask: int, explain: Callable[[], Explanation]) -> None:
        """Explain: the run stands afterwards where it stood (``engine.inspection``)."""
        try:
            self._line.send(Explained(ask=ask, explanation=explain()))
        except Exception as raised:  # noqa: BLE001 - a user's bot may raise anything when it is asked again
            self._line.send(Explained(ask=ask, explanation=None, error=f"{type(raised).__name__}: {raised}"))

    def _save(self, command: Save | Report) -> None:
        error, result = "", Result(self._job.config, self._prepared, self._run)
        try:
            if isinstance(command, Report):
                write_report(ReportView(result), command.folder)
            else:
                result.save(command.folder, command.report)
                if command.replaces is not None:
                    shutil.rmtree(command.replaces, ignore_errors=True)
        except TriphaseError as raised:
            error = str(raised)
        del result  # its journal with it
        give_back_freed_memory(len(self._prepared.market) * len(self._prepared.market.symbols))
        self._tell_saved(command, error)

    def _tell_saved(self, command: Save | Report, error: str) -> None:
        told = Saved(course=self._course, folder=command.folder, error=error, report=isinstance(command, Report))
        self._line.send(told)


def work(job: Job, line: Line, prepared: Prepared | None = None) -> None:
    """Serve a job from its begin to its end; what goes wrong is told, never raised."""
    try:
        Worker(job, line, prepared).serve()
    except TriphaseError as error:
        line.send(Broken(text=str(error)))
    except Exception as raised:  # noqa: BLE001 - the window must hear of anything
        text = f"the engine stopped: {type(raised).__name__}: {raised}"
        line.send(Broken(text=text, details=traceback.format_exc()))
