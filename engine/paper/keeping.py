"""What a paper account leaves on disk while it runs: its recording, its orders by hand, its state.

What is recorded comes first, the state that stands on it after; what happened together goes to disk together. A disk
that refuses (full, gone) stops nothing: what could not be written waits and is tried again, less and less often, and
``trouble`` says so until it is on disk.
"""

import json
import logging
import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from data.tradestation.bars import Interval
from data.tradestation.clock import NS
from data.tradestation.events import BarClosed, BarCorrected, HistoryLoaded, RolledOver
from data.tradestation.recorder import Acted, Recorder, write_parts
from engine.actions import Action
from engine.paper.replay import ACTIONS_FILE, RECORDING
from engine.paper.run import PaperRun
from engine.paper.state import save_state
from engine.paper.steps import Shift

LOG = logging.getLogger(__name__)
MOST_TOGETHER = 500  # records; what a crash in mid-way must be told again
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0


class Keeper:
    """Writes an account's folder; every call returns at once, written or waiting.

    Attributes:
        folder: the account's.
        trouble: what the disk refuses, a sentence; empty while all is written.
        now_ns: server time, as whoever calls knows it; a disk that refuses is tried again by it.
    """

    def __init__(self, folder: Path, symbols: Sequence[str], interval: Interval) -> None:
        self.folder, self.now_ns = folder, 0
        self.trouble = ""
        self._refusal, self._tried_ns, self._pause_s = "", 0, FIRST_PAUSE_S
        self._together = False
        self._lines: deque[str] = deque()
        self._unsaved: PaperRun | None = None
        (folder / RECORDING).mkdir(parents=True, exist_ok=True)
        self._recorders = {symbol: Recorder(folder / RECORDING, symbol, interval, at_once=False) for symbol in symbols}

    def history(self, event: HistoryLoaded, now_ns: int, after_ns: int | None = None) -> None:
        """Bars from before the run, or new figures of many bars at once."""
        self._recorders[event.symbol].history(event, now_ns, after_ns)
        self._write()

    def bar(self, event: BarClosed, acted: Acted) -> None:
        """A bar and what was made of it."""
        self._recorders[event.symbol].bar(event, acted)
        self._write()

    def correction(self, event: BarCorrected, after_ns: int) -> None:
        """New figures of a bar."""
        self._recorders[event.symbol].correction(event, after_ns)
        self._write()

    def roll(self, event: RolledOver, now_ns: int) -> None:
        """A continuous symbol stands for another contract."""
        self._recorders[event.symbol].take(event, now_ns)
        self._write()

    def shift(self, step: Shift, now_ns: int, after_ns: int) -> None:
        """The account follows a roll."""
        self._recorders[step.symbol].shift(step.gap, step.since_ns, now_ns, after_ns, step.mid_bar)
        self._write()

    def action(self, action: Action, after_ns: int) -> None:
        """An order by hand, given when ``after_ns`` was the last master bar that had opened."""
        self._lines.append(json.dumps(dict(action) | {"after_ns": after_ns}, separators=(",", ":")) + "\n")
        self._write()

    def save(self, run: PaperRun) -> None:
        """The account as it stands; never before what it stands on has been recorded."""
        self._unsaved = run
        if not self._together or self._waiting >= MOST_TOGETHER:
            self.try_again()

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is recorded and saved within goes to disk in few steps: all bars of a step, then the account once."""
        self._together = True
        try:
            yield
        finally:
            self._together = False
            if self._waiting or self._unsaved is not None:
                self.try_again()

    @property
    def _waiting(self) -> int:
        return len(self._lines) + sum(recorder.waiting for recorder in self._recorders.values())

    def _write(self) -> None:
        if not self._together:
            self.try_again()

    def try_again(self, *, now: bool = False) -> None:
        """Write what waits; ``now``: though the disk has refused a moment ago."""
        if self.trouble and not now and 0 <= self.now_ns - self._tried_ns < self._pause_s * NS:
            self.trouble = self._told()
            return
        try:
            self._write_all()
        except OSError as error:
            self._refused(error)
            return
        if self.trouble:
            LOG.info("%s can be written again", self.folder)
        self.trouble, self._pause_s = "", FIRST_PAUSE_S

    def _write_all(self) -> None:
        """Recordings of all symbols in one step, orders by hand, then the state that stands on both."""
        parts = [(recorder, part) for recorder in self._recorders.values() for part in recorder.parts()]
        write_parts([part for _, part in parts])
        for recorder, part in parts:
            recorder.wrote(part)
        while self._lines:
            self._append(self._lines[0])
            self._lines.popleft()
        if self._unsaved is not None:
            save_state(self.folder, self._unsaved)
            self._unsaved = None

    def _append(self, line: str) -> None:
        with (self.folder / ACTIONS_FILE).open("ab+") as file:
            _drop_cut_off(file)
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())

    def _refused(self, error: OSError) -> None:
        self._refusal = error.strerror or str(error)
        if self.trouble:
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        else:
            LOG.error("%s; make room, nothing is lost while the program runs", self._told())
        self.trouble, self._tried_ns = self._told(), self.now_ns

    def _told(self) -> str:
        return f"{self.folder} cannot be written: {self._refusal}; {self._waiting} records wait"

    def close(self) -> None:
        """Write what waits, and make one file of the last day's parts."""
        self.try_again(now=True)
        for recorder in self._recorders.values():
            try:
                recorder.close()
            except OSError as error:
                self._refused(error)


def _drop_cut_off(file: BinaryIO) -> None:
    """Cut away a last line without an end: a crash or a full disk broke it off, and it never took effect."""
    file.seek(0)
    content = file.read()
    file.truncate(content.rfind(b"\n") + 1)


def write_journal(run: PaperRun, folder: Path) -> None:
    """The journal's tables as Parquet below ``folder``, as they stand."""
    from engine.journal import journal_of

    folder.mkdir(parents=True, exist_ok=True)
    journal_of(run.engine, run.next_bar).write(folder)
