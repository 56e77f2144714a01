"""What a page of the documents asks to be done, and whether what it shows is what comes out.

Fenced blocks of a page are carried out in order, in one folder:

- ``python``: run in this process; all blocks of a page share their names.
- ``sh``: commands, one a line.
- any language with ``file=PATH``: written to that file.
- ``text``: what the block before it printed. A line ``...`` stands for lines left out.

``exit=2`` says with which code the commands end (then what they say on standard error is compared too), ``needs=torch``
that the block, and the text that belongs to it, is passed over where that library is absent, or must be quick;
``step=NAME`` that the text is what the window shows, which ``tests/docs/test_window_page.py`` sees to.

What differs from run to run (seconds, speeds, the time in a run folder's name) is written as ``…``.
"""

import contextlib
import importlib.util
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# What a reader who stands in the project's folder has around him.
AROUND = ("configs", "data", "models", "research", "run_backtest.py", "run_backtest_headless.py", "run_live.py")
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LEFT_OUT = "..."
CHANGING = (
    (re.compile(r"\d[\d,.]* s \([\d,]+ bars/s\)"), "… s (… bars/s)"),
    (re.compile(r"\b[\d,.]+ s\b"), "… s"),
    (re.compile(r"_\d{4}-\d\d-\d\d_\d{6}"), "_…"),
)


class PageError(AssertionError):
    """A page says something that does not come out; the text has page, line, and both."""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: ``start`` and ``end`` are places of its text in the page, ``before`` the prose above it."""

    language: str
    options: dict[str, str]
    text: str
    start: int
    end: int
    line: int
    before: str


def blocks_of(page: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found, last = [], 0
    for match in FENCE.finditer(page):
        options = dict(part.partition("=")[::2] for part in match[2].split())
        line = page.count("\n", 0, match.start(3)) + 1
        before = page[last : match.start()]
        found.append(Block(match[1], options, match[3], match.start(3), match.end(3), line, before))
        last = match.end()
    return found


def steady(text: str, folder: Path) -> str:
    """What was printed, without what differs from run to run."""
    text = text.replace(f"{folder.resolve()}{os.sep}", "").replace(f"{folder}{os.sep}", "")
    text = text.replace(f"{ROOT}{os.sep}", "")
    for pattern, shown in CHANGING:
        text = pattern.sub(shown, text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def agrees(said: str, printed: str) -> bool:
    """Whether a page's text is what was printed; pieces between lines left out stand there in their order."""
    pieces = [piece.strip("\n") for piece in re.split(rf"^{re.escape(LEFT_OUT)}$", said, flags=re.MULTILINE)]
    if len(pieces) == 1:
        return said.rstrip() == printed.rstrip()
    place, whole = 0, f"\n{printed}"
    for piece in pieces:
        found = whole.find(f"\n{piece}\n", place) if piece else place
        if found < 0:
            return False
        place = found + len(piece)
    return True


def renewed(said: str, printed: str) -> str:
    """The page's text as it should be: where lines are left out, each line kept is the next that begins alike."""
    if LEFT_OUT not in said.splitlines():
        return printed
    lines, place, made = printed.splitlines(), 0, []
    for line in said.splitlines():
        if line != LEFT_OUT:
            place = _next_alike(line, lines, place)
            line, place = lines[place], place + 1
        made.append(line)
    return "\n".join(made) + "\n"


def _next_alike(line: str, lines: Sequence[str], place: int) -> int:
    wanted = _looks(line)
    for number in range(place, len(lines)):
        found = _looks(lines[number])
        if found.startswith(wanted) and bool(found) == bool(wanted):
            return number
    raise PageError(f"nothing printed begins like {line!r}")


def _looks(line: str) -> str:
    """The words a line begins with, figures and blanks aside."""
    return re.sub(r"[\d\s.,:+…-]+", " ", line)[:16].strip()


@contextlib.contextmanager
def apart(folder: Path) -> Iterator[Path]:
    """Stand in a folder as a Python that was started there; what is imported from it or registered is forgotten."""
    from engine.indicators import registry

    own, path, modules, before = registry._CATALOGUE._own, list(sys.path), set(sys.modules), Path.cwd()
    registry._CATALOGUE._own = dict(own)
    sys.path.insert(0, "")
    os.chdir(folder)
    try:
        yield folder
    finally:
        os.chdir(before)
        sys.path[:] = path
        registry._CATALOGUE._own = own
        for name in set(sys.modules) - modules:
            if name.startswith(("triphase_user_", "my_work")):
                del sys.modules[name]


def _lay_out(source: Path, target: Path) -> None:
    """A link; where the system allows none (Windows without the right to it), a copy."""
    try:
        target.symlink_to(source)
    except OSError:
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)


Command = Callable[[list[str]], int]


class Reader:
    """Carries out a page in a folder.

    Args:
        folder: where; it is given the project's files that a page may name, as links.
        own_processes: start every command as a process; False: call the same entry in this process, which is faster.

    Attributes:
        carried_out: lines of the blocks that were run or written, in order.
    """

    def __init__(self, folder: Path, own_processes: bool = False) -> None:
        self.folder, self.own_processes = folder, own_processes
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.carried_out: list[int] = []
        for name in AROUND:
            _lay_out(ROOT / name, folder / name)

    def read(self, page: Path, update: bool = False) -> str:
        """Carry out a page; returns it, with ``update`` with what was printed in place of what it said.

        Raises:
            PageError: naming page and line where something else comes out, or a block's prose does not name its file.
        """
        text = page.read_text(encoding="utf-8")
        printed, changed, moved = "", text, 0
        shown, passed_over = True, False
        for block in blocks_of(text):
            place = f"{page.name}:{block.line}"
            if block.language != "text":
                passed_over = not self._has(block.options.get("needs"))
            if passed_over or "step" in block.options:
                continue
            if block.language != "text":
                if printed and not shown:
                    raise PageError(f"{place}: the block before prints this, and the page does not show it:\n{printed}")
                printed = steady(self._do(block, place), self.folder)
                self.carried_out.append(block.line)
                shown = block.language == "sh"  # of commands a page shows what it likes
                continue
            shown = True
            if update:
                new = renewed(block.text, printed)
                changed = changed[: block.start + moved] + new + changed[block.end + moved :]
                moved += len(new) - len(block.text)
            elif not agrees(block.text, printed):
                raise PageError(f"{place} says\n{block.text}\nbut what comes out is\n{printed}")
        if printed and not shown:
            raise PageError(f"{page.name}: the last block prints this, and the page does not show it:\n{printed}")
        return changed

    def _do(self, block: Block, place: str) -> str:
        if "file" in block.options:
            return self._write(block, place)
        if block.language == "python":
            return self._run_python(block, place)
        if block.language == "sh":
            return "".join(self._run_command(line, block, place) for line in block.text.splitlines() if line.strip())
        raise PageError(f"{place}: a block of {block.language} is neither run nor written; give it file=PATH")

    def _has(self, library: str | None) -> bool:
        return library is None or (self.own_processes and importlib.util.find_spec(library) is not None)

    def _write(self, block: Block, place: str) -> str:
        name = block.options["file"]
        if f"`{name}`" not in block.before:
            raise PageError(f"{place}: the prose above the block does not say that it is `{name}`")
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text, encoding="utf-8")
        return ""

    def _run_python(self, block: Block, place: str) -> str:
        out = io.StringIO()
        code = compile("\n" * (block.line - 1) + block.text, place.split(":")[0], "exec")
        with contextlib.redirect_stdout(out):
            exec(code, self.names)
        return out.getvalue()

    def _run_command(self, line: str, block: Block, place: str) -> str:
        words = shlex.split(line)
        wanted = int(block.options.get("exit", 0))
        if words[0] not in ("python", "python3"):
            raise PageError(f"{place}: {words[0]} is no command that a page may use")
        here = None if self.own_processes else entry_of(words[1:])
        code, out, error = self._process(words[1:]) if here is None else _called(here, words[2:])
        if code != wanted:
            raise PageError(f"{place}: {line} ended with {code}, not {wanted}:\n{out}{error}")
        return out if wanted == 0 else out + error

    def _process(self, words: Sequence[str]) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        return done.returncode, done.stdout, done.stderr


def entry_of(words: Sequence[str]) -> Command | None:
    """What a command line calls, None where it must be a process."""
    match words[0]:
        case "run_backtest_headless.py":
            from research.headless import main
        case "research/sweep.py":
            from research.sweeping.command import main
        case "run_live.py":
            main = live
        case "research/evaluate_exits.py":
            from research.learning.evaluation_command import main
        case "research/generate_ML_SL_Training_data.py":
            from research.learning.data_command import main
        case _:
            return None
    return main


def live(arguments: list[str]) -> int:
    """The live command, without a window; signals of this process are left alone."""
    from research.live.command import main

    return main(arguments, lambda *_: 2, threading.Event())


def _called(command: Command, arguments: list[str]) -> tuple[int, str, str]:
    out, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        try:
            code = command(arguments)
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else 2
    return code, out.getvalue(), error.getvalue()
