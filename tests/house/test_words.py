"""Every module says what it decides; no name, word or path stands in the tree that does not belong there."""

import ast
import re
from pathlib import Path

import pytest

from tests.house.tree import application_files, project_files, python_files, relative, syntax

VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
TEXT = {".py", ".md", ".yaml", ".toml", ".txt", ".in", ".json", ".qss", ".cfg", ""}
THIS_FILE = Path(__file__).resolve()

# Traces of a machine or of how a text came about; the project speaks of itself alone.
BANNED = [
    r"/work/",
    r"/opt/(pypi|wheels)",
    r"/root/",
    r"/home/\w",
    r"find-links",
    r"extra-index-url\s*=",
    r"\b(chatgpt|anthropic|openai|copilot)\b",
    r"\b(see|fixes|closes|issue) #\d+",
    r"\blorem ipsum\b",
    r"\bnot (yet )?implemented\b",
    r"(?-i:\b(?!README|CHANGELOG)[A-Z]{2,}\.md\b)",  # no such documents here
]
# Where such a word is the matter itself.
ALLOWED = {("Makefile", "find-links"), ("tests/house/test_requirements.py", "find-links")}


def test_a_module_begins_with_one_line_that_says_what_it_decides() -> None:
    first_lines = {
        relative(path): (ast.get_docstring(syntax(path)) or "").partition("\n")[0] for path in python_files()
    }
    assert not [name for name, line in first_lines.items() if len(line.split()) < 2]


def test_no_module_has_a_name_that_says_nothing() -> None:
    vague = [relative(path) for path in python_files() if VAGUE & {*path.parts[-2:-1], path.stem}]
    assert not vague


@pytest.mark.parametrize("pattern", BANNED)
def test_no_text_holds_a_word_that_does_not_belong_there(pattern: str) -> None:
    found = []
    for path in project_files():
        if path == THIS_FILE or path.suffix not in TEXT or (relative(path), pattern) in ALLOWED:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if re.search(pattern, line, re.IGNORECASE):
                found.append(f"{relative(path)}:{number}: {line.strip()}")
    assert not found, "\n".join(found)


def hands_on_names(node: ast.stmt) -> bool:
    """An import, ``__all__``, or what fetches names only when they are asked for: their homes and ``__getattr__``."""
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0]) in {"__all__", "_HOMES"}
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING" and all(isinstance(one, ast.ImportFrom) for one in node.body)
    if isinstance(node, ast.FunctionDef):
        return node.name == "__getattr__"
    return isinstance(node, ast.Import | ast.ImportFrom)


def test_a_package_hands_on_names_and_nothing_else() -> None:
    others = [
        f"{relative(path)}:{node.lineno}"
        for path in application_files()
        if path.name == "__init__.py"
        for node in syntax(path).body[1:]
        if not hands_on_names(node)
    ]
    assert not others


def test_no_error_is_swallowed_in_silence() -> None:
    silent = [
        f"{relative(path)}:{node.lineno}"
        for path in python_files()
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.ExceptHandler) and all(isinstance(statement, ast.Pass) for statement in node.body)
    ]
    assert not silent, f"except: pass in {silent}"


def test_no_market_data_stands_outside_the_sample_folder() -> None:
    bars = [
        relative(path)
        for path in project_files()
        if path.suffix in {".csv", ".parquet", ".gz", ".zip"}
        and not relative(path).startswith(("data/sample/", "tests/"))
    ]
    assert not [name for name in bars if not name.startswith("models/")]
