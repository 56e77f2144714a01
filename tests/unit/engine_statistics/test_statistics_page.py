"""docs/statistics.md tells of every figure, in the code's own words."""

from pathlib import Path

from engine.statistics import Statistics, describe_figures


def test_every_figure_is_on_the_page_with_its_meaning(repo_root: Path) -> None:
    page = (repo_root / "docs" / "statistics.md").read_text(encoding="utf-8").replace("\\|", "|")

    for name, label, _, text in describe_figures(Statistics):
        assert f"| `{name}` | {label} | " in page, name
        assert text in page, name
