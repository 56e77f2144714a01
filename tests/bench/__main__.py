"""Prints the table of benchmarks: ``python3 start.py bench [--quick] [--no-compile]``.

CPU time throughout, works measured in turns, medians of paired ratios: other load on the machine moves times, ratios
hardly. A missed budget is told, and is no failure of the command.
"""

import argparse
from collections.abc import Iterator

from tests.bench import drives, loading, starting, sweeping
from tests.bench.rows import Row, table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer bars and turns, rougher figures")
    parser.add_argument("--no-compile", action="store_true", help="leave out the cold compile")
    given = parser.parse_args()
    asset_bars, turns = (160_000, 3) if given.quick else (800_000, 9)
    rows: list[Row] = []
    for row in measured(asset_bars, turns, not given.no_compile):
        rows.append(row)
        print(f"... {row.path}: {row.value:.3g} {row.unit} {row.verdict}", flush=True)
    print("\n" + table(rows))


def measured(asset_bars: int, turns: int, cold: bool) -> Iterator[Row]:
    """All rows."""
    yield from drives.rows(asset_bars, turns)
    yield from sweeping.rows(asset_bars // 8, turns)
    yield from starting.rows(turns, cold)
    yield from loading.rows(asset_bars, turns)


if __name__ == "__main__":
    main()
