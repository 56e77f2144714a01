"""Tutorials and cookbook: every block of every page is carried out, and the page shows what comes out."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, PageError, Reader, agrees, apart, blocks_of, renewed, steady

PAGES = sorted([*(ROOT / "docs/tutorials").glob("*.md"), *(ROOT / "docs/cookbook").glob("*.md")])
RUN = [page for page in PAGES if page.name != "README.md"]

LONG = {"paper_trading", "sweep"}  # market time must pass; many runs

pytestmark = pytest.mark.timeout(900)  # where kernel sources have changed, the engine is compiled within a test


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder to carry a page out in."""
    with apart(tmp_path):
        yield tmp_path


def needs_a_process(page: Path) -> bool:
    """Whether a page starts commands."""
    return any(block.language == "sh" for block in blocks_of(page.read_text(encoding="utf-8")))


def to_carry_out(page: Path) -> set[int]:
    """Lines of the blocks that a reader must run or write, whatever libraries there are."""
    blocks = blocks_of(page.read_text(encoding="utf-8"))
    return {one.line for one in blocks if one.language != "text" and not {"step", "needs"} & one.options.keys()}


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=[pytest.mark.slow] if page.stem in LONG else []) for page in RUN],
    ids=lambda page: f"{page.parent.name}/{page.stem}",
)
def test_a_page_does_what_it_says(page: Path, folder: Path) -> None:
    reader = Reader(folder)

    reader.read(page)

    assert to_carry_out(page) <= set(reader.carried_out)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in RUN if needs_a_process(page)], ids=lambda page: page.stem)
def test_its_commands_do_the_same_as_processes_of_their_own(page: Path, folder: Path) -> None:
    reader = Reader(folder, own_processes=True)

    reader.read(page)

    assert to_carry_out(page) <= set(reader.carried_out)


def test_every_page_stands_in_its_folders_table() -> None:
    missing = [
        page.name for page in RUN if f"({page.name})" not in (page.parent / "README.md").read_text(encoding="utf-8")
    ]
    assert not missing


# The tests of the reader itself.


def read(folder: Path, text: str, update: bool = False) -> str:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    return Reader(folder).read(page, update)


WRONG = {
    "a wrong figure": ("```python\nprint(2 + 2)\n```\n\n```text\n5\n```\n", r"page\.md:6 says"),
    "a figure that is not shown": ("```python\nprint(4)\n```\n\n```python\nx = 1\n```\n", "does not show it"),
    "a command that fails": (
        "```sh\npython3 run_backtest_headless.py --config nowhere.yaml\n```\n", "ended with 2, not 0",
    ),
    "a file that the prose does not name": ("Write:\n\n```python file=my_work/x.py\nx = 1\n```\n", "does not say"),
    "a block that nobody runs": ("```yaml\na: 1\n```\n", "neither run nor written"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "told"), WRONG.values(), ids=WRONG)
def test_a_page_that_is_wrong_is_found_out(folder: Path, text: str, told: str) -> None:
    with pytest.raises(PageError, match=told):
        read(folder, text)


def test_an_update_writes_what_comes_out(folder: Path) -> None:
    text = "```python\nfor x in range(4):\n    print('row', x * x)\n```\n\n```text\n{}```\nend\n"
    said = "row 0\n...\nrow 8\n"

    assert read(folder, text.format("old\n"), update=True) == text.format("row 0\nrow 1\nrow 4\nrow 9\n")
    (folder / "page.md").unlink()
    for name in ("configs", "data", "models", "research", *(p.name for p in folder.glob("run_*.py"))):
        (folder / name).unlink()
    assert read(folder, text.format(said), update=True) == text.format("row 0\n...\nrow 1\n")


def test_pieces_between_lines_left_out_must_stand_in_their_order() -> None:
    printed = "a 1\nb 2\nc 3\nd 4\n"
    assert agrees("a 1\n...\nc 3\nd 4\n", printed)
    assert not agrees("a 1\n...\nd 5\n", printed)
    assert not agrees("c 3\n...\na 1\n", printed)
    assert renewed("c 7\n...\n", printed) == "c 3\n...\n"


def test_what_differs_from_run_to_run_is_taken_out(tmp_path: Path) -> None:
    text = f"10 bars, 0.34 s (15,842 bars/s)\nSaved in {tmp_path}/runs/x_2026-01-02_030405  \n"
    assert steady(text, tmp_path) == "10 bars, … s (… bars/s)\nSaved in runs/x_…\n"
