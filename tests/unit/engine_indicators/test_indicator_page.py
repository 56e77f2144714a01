"""docs/indicators.md tells of every indicator, with its parameters and warm-up as they are."""

from pathlib import Path

import pytest

from engine.indicators import describe, names, warm_up


@pytest.fixture(scope="module")
def page(repo_root: Path) -> str:
    return (repo_root / "docs" / "indicators.md").read_text(encoding="utf-8")


def test_every_indicator_is_on_the_page(page: str) -> None:
    missing = [name for name in names() if not name.startswith("test_") and f"`{name}`" not in page]

    assert missing == []


def test_the_table_states_parameters_outputs_and_warm_up_as_they_are(page: str) -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| `")]

    assert len(rows) == 11
    for name, parameters, outputs, first, _ in rows:
        indicator = describe(name.strip("`"))
        stated = ", ".join(f"`{parameter.name}` {parameter.default}" for parameter in indicator.parameters)
        assert parameters == (stated or "none")
        assert outputs == ", ".join(f"`{output}`" for output in indicator.outputs)
        assert int(first.split()[0]) == warm_up(indicator.name) + 1
