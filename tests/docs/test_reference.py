"""The references are what the code says now."""

import pytest

from tests.docs.pages import ROOT
from tests.docs.reference import COMMANDS, REFERENCES


@pytest.mark.parametrize("name", REFERENCES)
def test_a_reference_says_what_the_code_says(name: str) -> None:
    page = (ROOT / "docs/reference" / name).read_text(encoding="utf-8")
    assert page == REFERENCES[name](), "run: python -m tests.docs --references"


def test_every_entry_script_has_its_options_in_the_reference() -> None:
    scripts = {path.name for path in ROOT.glob("run_*.py")} | {
        f"research/{p.name}" for p in (ROOT / "research").glob("*.py")
    }
    without = {"research/__init__.py", "research/exit_env.py"}  # no commands
    assert scripts - without <= set(COMMANDS)


def test_every_page_is_linked_from_the_documents_first_page() -> None:
    first = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    pages = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    linked_there = [page for page in pages if page != "README.md" and not page.startswith("cookbook/")]
    assert [page for page in linked_there if f"({page})" not in first] == []
