"""What a paper account leaves on disk while it runs: its recording, its orders by hand, its state.

A disk that refuses (full, gone) stops nothing: what could not be written waits and is tried again, and ``trouble`` says
so until it is on disk.
"""

import json
import logging
import os
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from data.tradestation.bars import Interval
from data.tradestation.events import BarClosed, BarCorrected, HistoryLoaded, RolledOver
from data.tradestation.recorder import Acted, Recorder
from engine.actions import Action
from engine.paper.replay import ACTIONS_FILE, RECORDING
from engine.paper.run import PaperRun
from engine.paper.state import save_state
from engine.paper.steps import Shift

LOG = logging.getLogger(__name__)


class Keeper:
    """Writes an account's folder; every call returns at once, written or waiting.

    Attributes:
        folder: the account's.
        trouble: what the disk refuses, a sentence; empty while all is written.
    """

    def __init__(self, folder: Path, symbols: Sequence[str], interval: Interval) -> None:
        self.folder = folder
        self.trouble = ""
        self._waiting: deque[Callable[[], object]] = deque()
        self._unsaved: PaperRun | None = None
        (folder / RECORDING).mkdir(parents=True, exist_ok=True)
        self._recorders = {symbol: Recorder(folder / RECORDING, symbol, interval) for symbol in symbols}

    def history(self, event: HistoryLoaded, now_ns: int, after_ns: int | None = None) -> None:
        """Bars from before the run, or new figures of many bars at once."""
        self._write(lambda: self._recorders[event.symbol].history(event, now_ns, after_ns))

    def bar(self, event: BarClosed, acted: Acted) -> None:
        """A bar and what was made of it."""
        self._write(lambda: self._recorders[event.symbol].bar(event, acted))

    def correction(self, event: BarCorrected, after_ns: int) -> None:
        """New figures of a bar."""
        self._write(lambda: self._recorders[event.symbol].correction(event, after_ns))

    def roll(self, event: RolledOver, now_ns: int) -> None:
        """A continuous symbol stands for another contract."""
        self._write(lambda: self._recorders[event.symbol].take(event, now_ns))

    def shift(self, step: Shift, now_ns: int, after_ns: int) -> None:
        """The account follows a roll."""
        recorder = self._recorders[step.symbol]
        self._write(lambda: recorder.shift(step.gap, step.since_ns, now_ns, after_ns, step.mid_bar))

    def action(self, action: Action, after_ns: int) -> None:
        """An order by hand, given when ``after_ns`` was the last master bar that had opened."""
        line = json.dumps(dict(action) | {"after_ns": after_ns}, separators=(",", ":")) + "\n"
        self._write(lambda: self._append(line))

    def _append(self, line: str) -> None:
        with (self.folder / ACTIONS_FILE).open("ab+") as file:
            _drop_cut_off(file)
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())

    def save(self, run: PaperRun) -> None:
        """The account as it stands; never before what it stands on has been recorded."""
        self._unsaved = run
        self.try_again()

    def _write(self, write: Callable[[], object]) -> None:
        self._waiting.append(write)
        self.try_again()

    def try_again(self) -> None:
        """Write what waits."""
        try:
            while self._waiting:
                self._waiting[0]()
                self._waiting.popleft()
            if self._unsaved is not None:
                save_state(self.folder, self._unsaved)
                self._unsaved = None
        except OSError as error:
            self._refused(error)
            return
        if self.trouble:
            LOG.info("%s can be written again", self.folder)
        self.trouble = ""

    def _refused(self, error: OSError) -> None:
        said = f"{self.folder} cannot be written: {error.strerror or error}; {len(self._waiting)} records wait"
        if not self.trouble:
            LOG.error("%s; make room, nothing is lost while the program runs", said)
        self.trouble = said

    def close(self) -> None:
        """Write what waits, and make one file of the last day's parts."""
        self.try_again()
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
