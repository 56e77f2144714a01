"""Rows of the table of benchmarks: what was measured, against which budget (docs/performance.md)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line.

    Attributes:
        path: what was measured; value with unit: how much; budget: at most that, None: for information.
        beside: ratios and other facts.
    """

    path: str
    value: float
    unit: str
    budget: float | None = None
    beside: str = ""

    @property
    def verdict(self) -> str:
        """Whether the budget is kept."""
        if self.budget is None:
            return ""
        return "kept" if self.value <= self.budget else "MISSED"


def table(rows: list[Row]) -> str:
    """The rows as aligned text."""
    cells = [("path", "measured", "budget", "", "beside")]
    for row in rows:
        budget = "" if row.budget is None else f"{row.budget:g}"
        cells.append((row.path, f"{row.value:.3g} {row.unit}", budget, row.verdict, row.beside))
    widths = [max(len(line[i]) for line in cells) for i in range(4)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[4]]).rstrip()
        for line in cells
    )
