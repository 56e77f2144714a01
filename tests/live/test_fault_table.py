"""The table of faults in the documentation: every switch of the emulator is in it, and every test it names exists."""

import re
from pathlib import Path

from data.tradestation.emulator import FaultKind

HERE = Path(__file__).parent


def table(repo_root: Path) -> list[list[str]]:
    text = (repo_root / "docs/live.md").read_text("utf-8")
    text = text[text.index("## What was tried") : text.index("### An hour by the clock")]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_every_row_says_what_is_seen_and_names_a_test_that_exists(repo_root: Path) -> None:
    rows = table(repo_root)
    assert len(rows) > 30
    for fault, seen, test in rows:
        file, name = test.strip("`").split("::")

        assert fault
        assert seen
        assert re.search(rf"^def {name}\(", (HERE / file).read_text("utf-8"), re.MULTILINE), test


def test_every_fault_of_the_emulator_has_a_row(repo_root: Path) -> None:
    told = " ".join(fault for fault, _, _ in table(repo_root))

    assert [kind for kind in FaultKind if f"`{kind}`" not in told] == []
