"""What the documents name exists: files, folders, links, and dotted names of the code."""

import ast
import re
from pathlib import Path

import pytest

from tests.house.tree import PACKAGES, ROOT, project_files, relative, syntax

CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)")
FILE = re.compile(r"[\w.*-]+(/[\w.*-]+)*(\.(py|md|yaml|toml|in|txt|pyi)|/)")
DOTTED = re.compile(rf"(?<![\w./-])(?:{'|'.join((*PACKAGES, 'start', 'tests'))})(?:\.[A-Za-z_]\w*)+(?![\w/])")
# Made by a run or by a user: named in the documents, absent from the tree.
MADE = re.compile(r"(runs|my_\w+|build|\.venv|\.cache)\b|.*<")
# Where `data.x` is also a configuration key.
KEYS_TOO = {"docs/reference/configuration.md", "docs/tutorials/first_backtest.md"}
# Files that a page tells its reader to write.
WRITTEN = re.compile(r"^```\w+ file=(?:\S*/)?(\S+)$", re.MULTILINE)

TOPS = {relative(path).split("/")[0] for path in project_files()}
NAMES = {path.name for path in project_files()}


def documents() -> list[Path]:
    """Return README.md and everything under docs/."""
    files = [path for path in project_files() if path.suffix == ".md"]
    return [path for path in files if relative(path) == "README.md" or relative(path).startswith("docs/")]


def code_words(text: str) -> set[str]:
    """Return the words in backticks and code blocks."""
    return {word.strip("`'\"(),;:[]") for block in CODE.findall(text) for word in block.split()}


def file_exists(word: str) -> bool:
    """Return whether a word that looks like a file or folder names one; words of other places count as existing."""
    if MADE.match(word):
        return True
    top = word.split("/")[0]
    if "/" not in word:
        return word in NAMES
    return top not in TOPS or any(ROOT.glob(word.rstrip("/")))


def split_module(parts: list[str]) -> tuple[Path | None, list[str]]:
    """Return the longest prefix of a dotted name that is a module, as its file, and the rest."""
    for count in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:count])
        for candidate in (path.with_suffix(".py"), path / "__init__.py"):
            if candidate.is_file():
                return candidate, parts[count:]
    return None, parts


def bound(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    """Return the names a module or class body binds."""
    names: dict[str, ast.stmt] = {}
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names[node.name] = node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update({alias.asname or alias.name.split(".")[0]: node for alias in node.names})
        elif isinstance(node, ast.If | ast.Try | ast.With):
            names.update(bound(node.body))
        else:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            names.update({sub.id: node for t in targets if t for sub in ast.walk(t) if isinstance(sub, ast.Name)})
    return names


def name_exists(dotted: str) -> bool:
    """Return whether a dotted name is a module, a name bound in one, or a member of a class bound there.

    Members of classes that derive from others, or that are handed on from elsewhere, are taken on trust.
    """
    path, rest = split_module(dotted.split("."))
    if path is None or not rest:
        return path is not None
    node = bound(syntax(path).body).get(rest[0])
    if node is None or len(rest) == 1:
        return node is not None
    if not isinstance(node, ast.ClassDef) or node.bases:
        return True
    own = {sub.attr for sub in ast.walk(node) if isinstance(sub, ast.Attribute)}
    return rest[1] in bound(node.body) or rest[1] in own


def absent_files(text: str) -> set[str]:
    written = set(WRITTEN.findall(text))
    return {word for word in code_words(text) - written if FILE.fullmatch(word) and not file_exists(word)}


def absent_names(text: str) -> set[str]:
    names = {name for block in CODE.findall(text) for name in DOTTED.findall(block)}
    return {name for name in names if not name_exists(name) and not FILE.fullmatch(name)}


def test_every_file_in_backticks_exists() -> None:
    absent = {relative(path): absent_files(path.read_text(encoding="utf-8")) for path in documents()}
    assert not {name: words for name, words in absent.items() if words}


def test_every_dotted_name_in_backticks_exists() -> None:
    absent = {relative(path): absent_names(path.read_text(encoding="utf-8")) for path in documents()}
    assert not {name: words for name, words in absent.items() if words and name not in KEYS_TOO}


def test_every_link_leads_somewhere() -> None:
    broken = [
        f"{relative(path)}: {target}"
        for path in documents()
        for target in LINK.findall(path.read_text(encoding="utf-8"))
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert not broken


def test_the_readme_names_the_two_commands_and_the_licence() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "python3 start.py demo" in text
    assert "python3 start.py test" in text
    assert "GPL-3.0-or-later" in text


def test_the_licence_is_the_whole_gpl() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text.split()[:4] == ["GNU", "GENERAL", "PUBLIC", "LICENSE"]
    assert "END OF TERMS AND CONDITIONS" in text


@pytest.mark.parametrize("word", ["`engine/nowhere.py`", "`docs/nowhere.md`", "`nowhere.py`", "`app/nowhere/`"])
def test_a_file_that_is_not_there_is_found_out(word: str) -> None:
    assert absent_files(f"See {word}.") == {word.strip("`")}


@pytest.mark.parametrize("name", ["data.nowhere", "data.errors.Nowhere", "data.instruments.Instrument.nowhere"])
def test_a_name_that_is_not_there_is_found_out(name: str) -> None:
    assert absent_names(f"See `{name}`.") == {name}


@pytest.mark.parametrize("name", ["data.errors", "data.errors.DataError", "data.instruments.Instrument.point_value"])
def test_a_name_that_is_there_is_found(name: str) -> None:
    assert absent_names(f"See `{name}`.") == set()
