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
