"""Says which files belong to the project, and what their syntax trees hold."""

import ast
import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("data", "engine", "bots", "exits", "research", "models", "app")
NOT_OURS = {".git", ".venv", ".cache", "runs", "build", "__pycache__", ".hypothesis", ".benchmarks"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def project_files() -> tuple[Path, ...]:
    """Return every file that is, or would be, committed; without git, every file outside the working folders."""
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=False
    )
    if listing.returncode == 0:
        names = sorted(name for name in os.fsdecode(listing.stdout).split("\0") if name)
        return tuple(path for path in (ROOT / name for name in names) if path.is_file())
    return tuple(sorted(path for path in ROOT.rglob("*") if path.is_file() and not NOT_OURS & set(path.parts)))


def relative(path: Path) -> str:
    """Return a file's name as the documents write it."""
    return path.relative_to(ROOT).as_posix()


def python_files(*tops: str) -> list[Path]:
    """Return the Python files under some top folders, or all of them."""
    files = [path for path in project_files() if path.suffix == ".py"]
    return [path for path in files if not tops or relative(path).split("/")[0] in tops]


def application_files() -> list[Path]:
    """Return the Python files outside tests/."""
    return [path for path in python_files() if not relative(path).startswith("tests/")]


@cache
def syntax(path: Path) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=relative(path))


def functions(path: Path) -> Iterator[Function]:
    """Yield every function of a file, nested ones too."""
    for node in ast.walk(syntax(path)):
        if isinstance(node, Function):
            yield node


def length(node: Function) -> int:
    """Return a function's lines from ``def`` to its last statement, its docstring not counted."""
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is not None and len(node.body) > 1:
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total
