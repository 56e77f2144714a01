"""What ``--dry-run`` says: how many runs, of what, and how long they will take, measured on a few of them."""

from collections.abc import Callable
from typing import Any

from research.sweeping.driving import SLICE
from research.sweeping.library import Library
from research.sweeping.plan import Plan, Slice
from research.sweeping.stage import Workplace

_TRIED = 32  # runs of the first cell, after as many to warm up
_BYTES_PER_BAR = 48


def dry_run(plan: Plan, library: Library, workers: int, clock: Callable[[], float]) -> str:
    """A few sentences; runs the first runs of the middle cell twice, and keeps nothing of them."""
    place = Workplace(plan, library)
    piece = Slice(len(plan.cells) // 2, 0, min(_TRIED, len(plan.points)))
    place.run(piece)
    begun = clock()
    rows = place.run(piece)
    each = (clock() - begun) / len(rows)
    failed = [row for row in rows if row["status"] == "failed"]
    slices = sum(1 for _ in plan.slices(SLICE))
    bars = library.bars
    kinds: dict[str, set[Any]] = {
        "of symbols": {cell.symbols for cell in plan.cells},
        "of folds": {(cell.span.fold, cell.span.part) for cell in plan.cells},
        "of paths": {cell.path for cell in plan.cells},
        "of seeds": {cell.seed for cell in plan.cells},
    }
    cells = ", ".join(f"{len(found)} {name}" for name, found in kinds.items())
    lines = [
        f"{plan.name}: {len(plan):,} runs = {len(plan.points):,} settings x {len(plan.cells):,} cells ({cells})",
        f"bars held once: {bars:,} ({bars * _BYTES_PER_BAR / 2**20:,.1f} MiB); {slices:,} slices of up to {SLICE} runs",
        f"measured on {len(rows)} runs of one cell: {each * 1e3:.2f} ms a run on one core",
        f"about {duration(each * len(plan) / workers)} on {workers} cores",
    ]
    lines += [f"{symbol}: {digest}" for symbol, digest in plan.data.items() if digest.startswith("error")]
    if failed:
        lines.append(f"{len(failed)} of the {len(rows)} failed, first: {failed[0]['error']}")
    return "\n".join(lines)


def duration(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``3 min 20 s``, ``5 h 10 min``, ``12 d 3 h``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, name, smaller, small_name in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= unit:
            return f"{whole // unit} {name} {whole % unit // smaller} {small_name}"
    return f"{whole} s"
