"""One run in the window: its courses (branches), its engine, its cursor; what a person does becomes a record (S16)."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.charts.cursor import Cursor
from app.engine_link.link import EngineLink, start_engine
from app.engine_link.messages import (
    AskDecision,
    AskFill,
    Broken,
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
    Turned,
)
from app.engine_link.worker import place_of
from app.replay.chunk import Chunk
from app.replay.facts import RunFacts
from app.replay.model import ReplayModel
from app.replay.playback import Playback
from app.replay.saved import SavedRun
from app.replay.store import JournalStore
from data.mapped_pages import let_pages_go
from engine.actions import Action
from engine.changing import SETTING
from engine.config import BacktestConfig
from engine.freeing import LEAST_ASSET_BARS, give_back_freed_memory
from engine.inspection import Explanation
from engine.kernel.schema import Phase
from engine.preparing import Prepared

MESSAGES_A_FRAME = 8
MAIN = 0
HAND = "Scripted"  # the bot of a replay by hand: a script of nothing


@dataclass(slots=True)
class Course:
    """One way the run went: the bot's own, or a branch with what was done by hand.

    Attributes:
        number: 0 for the run itself; parent: the course it parted from; fork: where.
        interventions: all records, in order; store: its journal.
        status: running, completed, bankrupt, failed; folder: where it is saved, None while it is not.
    """

    number: int
    name: str
    parent: int | None
    fork: Cursor
    interventions: tuple[Action, ...]
    store: JournalStore
    status: str = "running"
    error: str | None = None
    folder: Path | None = None
    outdated: Path | None = None
    own: int = 0  # how many of the interventions are its own
    unsaved: bool = False  # it could not be saved, and why has been told
    saves: int = 0  # that are on the way: what will be heard of them decides whether it is saved

    @property
    def last_place(self) -> tuple[int, int]:
        """Bar and phase of its last intervention."""
        return place_of(self.interventions[-1]) if self.interventions else (-1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something to tell: ``kind`` is info, warning, error or crash; ``details`` a traceback."""

    kind: str
    text: str
    details: str = ""


@dataclass(slots=True)
class Question:
    """What the inspector asked, and where the answer goes."""

    answer: Callable[[Explanation | None, str], None]


@dataclass(slots=True)
class Waiting:
    """A course that is computed and shown once it has reached the cursor."""

    course: Course
    cursor: Cursor
    turn: int  # which of the engine's turns begins it
    turned: bool = False


class RunSession:
    """A run that is played.

    Args:
        facts: bars and contracts; store: a finished journal, or None where the engine begins anew.
        interventions: what was done by hand in a saved run.
        folder: of a saved run; runs_folder: below which new ones are saved.

    Attributes:
        model: what is shown; playback: how the cursor moves; courses: by number.
        notices: what is to be told, until the window takes it.
    """

    def __init__(
        self,
        facts: RunFacts,
        *,
        store: JournalStore | None = None,
        interventions: tuple[Action, ...] = (),
        status: str = "running",
        folder: Path | None = None,
        own_process: bool | None = None,
    ) -> None:
        self.facts = facts
        self._own_process = own_process
        given = JournalStore() if store is None else store
        if store is None:
            given.reserve(facts.bars, len(facts.symbols))
        main = Course(MAIN, "run", None, Cursor(), interventions, given, status, folder=folder)
        self.courses = {MAIN: main}
        self.model = ReplayModel(facts, main.store)
        self.playback = Playback(self.model)
        self.notices: list[Notice] = []
        self.link: EngineLink | None = None
        self.drive = ""
        self._sent = MAIN  # the course that the engine was told to run last, whether it has begun it yet or not
        self._told_to_turn = self._turns = 0  # how often it was told to, and how often it has said that it did
        self._asked = self._saves = 0
        self._questions: dict[int, Question] = {}
        self._waiting: Waiting | None = None
        self._known = store is not None  # whether the run's journal is here before an engine has told it
        self._rests = False
        self._told_difference = False
        self._next = 1
        self.autosave: Callable[[Course], Path] | None = None

    @property
    def asking(self) -> bool:
        """Whether an answer of the engine is to come, or word of something that it saves."""
        return bool(self._questions) or self._saves > 0

    @classmethod
    def of_saved(cls, saved: SavedRun) -> "RunSession":
        """A run that was saved: its journal is there, an engine is started only where one is needed."""
        session = cls(
            saved.facts,
            store=saved.store,
            interventions=saved.interventions,
            status=str(saved.manifest.get("status", "completed")),
            folder=saved.folder,
        )
        error = saved.manifest.get("error")
        session.courses[MAIN].error = None if error is None else str(error)
        session.notices += [Notice(kind="warning", text=text) for text in saved.warnings]
        session.model.cursor_model.go(saved.store.bars - 1, Phase.CLOSE)
        return session

    @property
    def config(self) -> BacktestConfig:
        """The run's configuration."""
        return self.facts.config

    @property
    def by_hand(self) -> bool:
        """Whether no bot decides."""
        return self.config.bot.name == HAND and self.config.bot.module is None

    @property
    def course(self) -> Course:
        """The course that is shown."""
        return self.courses[self.model.course]

    @property
    def running(self) -> bool:
        """Whether more bars of the shown course are to come."""
        return self.course.status == "running"

    @property
    def branching(self) -> bool:
        """Whether a branch is being computed that will be shown."""
        return self._waiting is not None

    # The engine

    def start(self, prepared: Prepared | None = None) -> None:
        """Start the engine on the run itself."""
        job = Job(config=self.config, interventions=self.courses[MAIN].interventions)
        self.link = start_engine(job, prepared, self._own_process)
        self._sent, self._told_to_turn, self._turns = MAIN, 0, 0
        self.link.send(RunTo())

    def _engine(self) -> EngineLink:
        if self.link is None:
            self.start(self.facts.prepared)
        assert self.link is not None
        return self.link

    def pump(self) -> bool:
        """Take in what the engine has told; once per frame. Returns whether anything was."""
        if self.link is None:
            return False
        taken = False
        for message in self.link.messages(MESSAGES_A_FRAME):
            self._take(message)
            taken = True
        if taken:
            self.model.cursor_model.grow(self.course.store.bars)
            self._show_what_waited()
        if self._rests:
            self._let_engine_go()
        return taken

    def _take(self, message: Message) -> None:
        match message:
            case Chunk():
                self._take_chunk(message)
            case Ready(drive=drive):
                self.drive = drive
            case Turned():
                self._turn(message)
            case Ended():
                self._end(message)
            case Explained(ask=ask, explanation=explanation, error=error):
                self._questions.pop(ask).answer(explanation, error)
            case Saved():
                self._saved(message)
            case Broken(text=text, details=details):
                self._break(text, details)

    def _take_chunk(self, chunk: Chunk) -> None:
        course = self.courses.get(chunk.course)
        if course is None:
            return
        if chunk.course == MAIN and self._known and not course.store.agrees(chunk):
            self._differs()
            return
        if chunk.bars < course.store.bars:
            return  # on the way through what is here already: orders would be told as they were on that way
        course.store.add(chunk)
        self.model.cursor_model.revision += course.number == self.model.course

    def _differs(self) -> None:
        if not self._told_difference:
            text = "run again, this run comes out differently: data or program have changed since it was saved"
            self.notices.append(Notice(kind="warning", text=text))
        self._told_difference = True

    def _turn(self, message: Turned) -> None:
        """The engine begins a course: a new one gets its own journal, one that is gone on with keeps its own."""
        self._turns += 1
        waiting = self._waiting
        if waiting is None or waiting.turn != self._turns:
            return  # a save or a question has sent the engine there before
        course = waiting.course
        course.store = self._source_of(course).cut(message.bars, message.counts)
        course.status, waiting.turned = "running", True
        self.courses[course.number] = course

    def _source_of(self, course: Course) -> JournalStore:
        """The journal whose first bars the course shares: its own where it is extended, else its parent's."""
        if course.number in self.courses:
            return self.courses[course.number].store
        assert course.parent is not None
        return self.courses[course.parent].store

    def _end(self, message: Ended) -> None:
        course = self.courses.get(message.course)
        if course is None:
            return
        anew = course.status == "running"  # an engine that is sent to a course that is over says so once more
        course.status, course.error = message.status, message.error
        self.model.cursor_model.revision += course.number == self.model.course  # its last bar is as it will stay
        give_back_freed_memory(self.facts.bars * len(self.facts.symbols))  # what its rows grew out of
        if anew:
            self._tell_end(message)
        self._show_what_waited()
        if anew and course.number == self._sent == MAIN and course.folder is None and self.autosave and self.link:
            # A report is made when it is asked for: drawing it would cost the window frames.
            course.saves += 1
            self._keep(self.link, Save(folder=self.autosave(course), report=False))

    def _tell_end(self, message: Ended) -> None:
        self.notices += [Notice(kind="info", text=note) for note in message.notes]
        if message.error is not None:
            first, _, details = message.error.partition("\n")
            self.notices.append(Notice(kind="crash", text=first, details=details))

    def _break(self, text: str, details: str) -> None:
        self.notices.append(Notice(kind="crash" if details else "error", text=text, details=details))
        for course in self.courses.values():
            course.saves = 0
            if course.status == "running":
                course.status, course.error = "failed", text
        self._waiting, self._saves = None, 0
        asked, self._questions = self._questions, {}
        for question in asked.values():
            question.answer(None, text)
        if self.link is not None:
            self.link.close()
            self.link = None

    def _show_what_waited(self) -> None:
        waiting = self._waiting
        if waiting is None or not waiting.turned:
            return
        course = waiting.course
        if course.store.bars > waiting.cursor.bar or course.status != "running":
            self._waiting = None
            self.show(course.number)
            self.model.cursor_model.go(waiting.cursor.bar, waiting.cursor.phase)

    # Branches

    def show(self, number: int) -> None:
        """Look at a course."""
        course = self.courses[number]
        self.model.show(course.store, number)
        if course.status == "running" and self._sent != number and self.link is not None:
            self._send_to(course)

    def action_place(self) -> dict[str, Any]:
        """Bar and phase that a record made at the cursor has (S5.6): later than OPEN counts as given at CLOSE."""
        cursor = self.model.cursor
        return {"bar": cursor.bar, "phase": "OPEN" if cursor.phase is Phase.OPEN else "CLOSE"}

    def act(self, *records: Action) -> Course:
        """Do one thing or several by hand at the cursor: they extend the branch that is shown, or begin a new one."""
        actions = tuple({**record, **self.action_place(), "source": "manual"} for record in records)
        shown = self.course
        place = place_of(actions[0])
        if shown.own and place >= shown.last_place:
            return self._follow(shown, (*shown.interventions, *actions), shown.own + len(actions))
        kept = tuple(each for each in shown.interventions if place_of(each) <= place)
        course = Course(
            number=self._next,
            name=f"branch {self._next}",
            parent=shown.number,
            fork=self.model.cursor,
            interventions=(*kept, *actions),
            store=shown.store,
            own=len(actions),
        )
        self._next += 1
        return self._follow(course, course.interventions, course.own)

    def _follow(self, course: Course, interventions: tuple[Action, ...], own: int) -> Course:
        """Let the engine run a course with these interventions; it is shown once it has reached the cursor."""
        new = Course(
            number=course.number,
            name=course.name,
            parent=course.parent,
            fork=course.fork,
            interventions=interventions,
            store=course.store,
            outdated=course.folder,
            own=own,
        )
        self.playback.play(False)
        self._send_to(new)
        self._waiting = Waiting(new, self.model.cursor, self._told_to_turn)
        return new

    def _send_to(self, course: Course) -> EngineLink:
        """Let the engine run a course; returns the engine, which hears what is sent next behind that."""
        engine = self._engine()
        engine.send(Follow(course=course.number, interventions=course.interventions))
        self._sent = course.number
        self._told_to_turn += 1
        return engine

    def settings_changes(self) -> list[Action]:
        """Changes of settings that have been made up to the cursor."""
        cursor = self.model.cursor
        here = (cursor.bar, int(cursor.phase))
        return [each for each in self.course.interventions if each["type"] == SETTING and place_of(each) <= here]

    def undo(self) -> bool:
        """Take the last thing done by hand back; a branch with nothing left is deleted. False: there is none."""
        shown = self.course
        if not shown.own or self.branching:
            return False
        if shown.own == 1:
            self.delete(shown.number)
            return True
        self._follow(shown, shown.interventions[:-1], shown.own - 1)
        return True

    def delete(self, number: int) -> None:
        """Delete a branch; its parent is shown where it was. The run itself stays.

        Raises:
            ValueError: for the run itself.
        """
        if number == MAIN:
            raise ValueError("the run itself cannot be deleted, only its branches")
        gone = self.courses.pop(number)
        for course in self.courses.values():
            if course.parent == number:
                course.parent = gone.parent
        if self.model.course == number:
            self.show(MAIN if gone.parent is None else gone.parent)

    def rename(self, number: int, name: str) -> None:
        """Give a branch another name."""
        self.courses[number].name = name

    def parent_store(self) -> JournalStore | None:
        """Journal of the course that the shown one parted from."""
        parent = self.course.parent
        return None if parent is None else self.courses[parent].store

    # Why, and keeping

    def ask_decision(self, symbol: str, bar: int, answer: Callable[[Explanation | None, str], None]) -> None:
        """Ask why the bot did what it did; the answer comes in a later frame."""
        self._ask(lambda ask: AskDecision(ask=ask, symbol=symbol, bar=bar), answer)

    def ask_fill(self, index: int, answer: Callable[[Explanation | None, str], None]) -> None:
        """Ask how the price of a fill came about."""
        self._ask(lambda ask: AskFill(ask=ask, index=index), answer)

    def _ask(
        self, command: Callable[[int], AskDecision | AskFill], answer: Callable[[Explanation | None, str], None]
    ) -> None:
        engine = self._engine()
        if self._sent != self.model.course and not self.branching:
            self._send_to(self.course)
        self._asked += 1
        self._questions[self._asked] = Question(answer)
        engine.send(command(self._asked))

    def save(self, folder: Path, report: bool = True) -> None:
        """Save the shown course as a run folder; the engine tells when that is done."""
        engine = self._send_to(self.course)
        self.course.saves += 1
        self._keep(engine, Save(folder=folder, report=report, replaces=self.course.outdated))

    def save_finished(self, goes_on: Callable[[int, int], bool] = lambda done, total: True) -> int:
        """Save branches that are finished and not saved yet, however long it takes; returns how many were left.

        ``goes_on`` is told again and again how many of them are saved; where it answers False, the rest is left.
        """
        finished = [c for c in self.courses.values() if c.status in ("completed", "bankrupt") and c.folder is None]
        for done, course in enumerate(finished):
            if self.autosave is None or self.link is None:
                return len(finished) - done
            course.unsaved = False
            if not course.saves:
                command = Save(folder=self.autosave(course), report=False, replaces=course.outdated)
                engine = self._send_to(course)
                course.saves += 1
                self._keep(engine, command)
            while course.folder is None and not course.unsaved and self.link is not None:
                if not goes_on(done, len(finished)):
                    return len(finished) - done
                self.pump()
                time.sleep(0.005)
        return sum(course.folder is None for course in finished)

    def report(self, folder: Path) -> None:
        """Write report.html and equity.png of the shown course into a folder; the engine tells when that is done."""
        self._keep(self._send_to(self.course), Report(folder=folder))

    def warn(self, texts: tuple[str, ...]) -> None:
        """Tell what the loader said."""
        self.notices += [Notice(kind="warning", text=text) for text in texts]

    def _keep(self, engine: EngineLink, command: Save | Report) -> None:
        """Have something written; the window stays awake until it hears what became of it."""
        self._saves += 1
        engine.send(command)

    def _saved(self, message: Saved) -> None:
        self._saves -= 1
        course = self.courses.get(message.course)
        if course is not None and not message.report:
            course.saves -= 1
        if message.error:
            self.notices.append(Notice(kind="error", text=message.error))
            if course is not None and not message.report:
                course.unsaved = True
        elif message.report:
            self.notices.append(Notice(kind="info", text=f"the report is in {message.folder}"))
        elif course is not None:
            course.folder, course.outdated = message.folder, None
            self.notices.append(Notice(kind="info", text=f"{course.name} is saved in {message.folder}"))
        self._rests = self._all_is_saved()

    def _all_is_saved(self) -> bool:
        """Whether a long run with all its branches is in folders, and nobody waits for the engine."""
        courses = self.courses.values()
        there = all(course.folder is not None and course.status != "running" for course in courses)
        long = self.facts.bars * len(self.facts.symbols) >= LEAST_ASSET_BARS
        return there and long and not self.asking and not self.branching

    def _let_engine_go(self) -> None:
        """A compiled engine takes as much memory as the window, and is soon run again where it is asked for more."""
        self._rests = False
        if self.link is None or self.link.kind != "thread":
            return
        self.close()
        self._known = True
        self.facts.market.forget_tables()
        let_pages_go(self.facts.market.series)
        give_back_freed_memory(self.facts.bars * len(self.facts.symbols))

    def take_notices(self) -> Iterator[Notice]:
        """What is to be told, once."""
        told, self.notices = self.notices, []
        yield from told

    def close(self) -> None:
        """End the engine."""
        if self.link is not None:
            self.link.close()
            self.link = None
