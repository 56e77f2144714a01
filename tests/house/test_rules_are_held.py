"""Every rule of the simulation has a paragraph and a test: ``docs/simulation.md`` and the markers agree."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

from tests.house.tree import ROOT, python_files, relative, syntax

DOCUMENT = ROOT / "docs" / "simulation.md"
# Sections of each chapter; 0: the chapter is one rule.
CHAPTERS = {
    1: 4, 2: 6, 3: 6, 4: 0, 5: 7, 6: 9, 7: 7, 8: 9, 9: 0, 10: 2, 11: 7, 12: 3, 13: 0, 14: 0, 15: 0, 16: 0, 17: 3, 18: 0,
}  # fmt: skip
RULES = {f"S{chapter}.{n}" for chapter, count in CHAPTERS.items() for n in range(1, count + 1)} | {
    f"S{chapter}" for chapter, count in CHAPTERS.items() if count == 0
}
RULE = re.compile(r"^#{2,3} (S\d+(?:\.\d+)?) \S", re.MULTILINE)
HELD_BY = re.compile(r"^Held by (.+?)\.$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"`(tests/[\w/]+\.py)`")
NAMED = re.compile(r"\bS(\d{1,2})(?:\.(\d+))?\b(?!\.\d)")


def paragraphs(text: str) -> dict[str, str]:
    """The text below each rule's heading, by rule; a heading above several rules is none."""
    pieces = RULE.split(text)
    found = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    chapters = {rule.split(".")[0] for rule in found if "." in rule}
    return {rule: paragraph for rule, paragraph in found.items() if rule not in chapters}


def marked(path: Path) -> set[str]:
    """Rules that a test file marks, with a decorator, in ``pytestmark`` or at a parameter."""
    calls = (node for node in ast.walk(syntax(path)) if isinstance(node, ast.Call))
    return {
        str(node.args[0].value)
        for node in calls
        if isinstance(node.func, ast.Attribute) and node.func.attr == "rule" and isinstance(node.args[0], ast.Constant)
    }


def files_by_rule() -> dict[str, set[str]]:
    """Which test files mark which rule."""
    found = defaultdict(set)
    for path in python_files("tests"):
        for rule in marked(path) if path.name.startswith("test_") else ():
            found[rule].add(relative(path))
    return found


def held_by(paragraph: str) -> set[str]:
    """Test files that a rule's paragraph names."""
    said = HELD_BY.search(paragraph)
    return set(FILE.findall(said.group(1))) if said else set()


def test_every_rule_has_a_paragraph() -> None:
    assert paragraphs(DOCUMENT.read_text(encoding="utf-8")).keys() == RULES


def test_every_rule_has_a_test() -> None:
    without = RULES - files_by_rule().keys()

    assert without == set()


def test_no_test_marks_a_rule_that_does_not_exist() -> None:
    """A chapter as a whole may be marked by tests that hold several of its rules."""
    chapters = {f"S{chapter}" for chapter in CHAPTERS}

    assert files_by_rule().keys() - RULES - chapters == set()


def test_every_paragraph_names_a_test_that_holds_its_rule() -> None:
    holders = files_by_rule()
    wrong = {
        rule: sorted(held_by(text) - holders[rule]) or "names no test"
        for rule, text in paragraphs(DOCUMENT.read_text(encoding="utf-8")).items()
        if not held_by(text) or held_by(text) - holders[rule]
    }
    assert not wrong


def test_every_rule_that_code_names_exists() -> None:
    unknown = {
        f"{relative(path)}: {match.group()}"
        for path in python_files("app", "bots", "data", "engine", "exits", "models", "research")
        for match in NAMED.finditer(path.read_text(encoding="utf-8"))
        if int(match.group(1)) not in CHAPTERS or int(match.group(2) or 0) > CHAPTERS[int(match.group(1))]
    }
    assert unknown == set()


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("### S5.2 The bot looks\n\ntext\n\n## S14 Determinism\n", {"S5.2", "S14"}),
        ("## S5 OPEN\n\n### S5.10 More\n", {"S5.10"}),
        ("S5.2 in a line\n#### S5.3 too deep\n", set()),
    ],
)
def test_headings_name_rules(text: str, rules: set[str]) -> None:
    assert paragraphs(text).keys() == rules
