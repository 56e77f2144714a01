"""Every byte that a case leaves in the tables of a run, as one digest per case and drive.

``python -m tests.kernel.journals [--scenarios FOLDER] [--seeds FIRST STOP]`` prints them, one line each: what the
compiled kernel, the bounds-checked one and plain Python must agree on.
"""

import argparse
import hashlib
from collections.abc import Iterator
from pathlib import Path

from engine.run import Drive, Run
from tests.properties.cases import case_of
from tests.scenarios import kernel
from tests.scenarios.kernel import Case
from tests.scenarios.loader import load_scenarios

TABLES = ("orders", "fills", "trades", "events", "calls", "choices")
# Where the tables lie and how large they have grown is no result.
PLACES = ("_a", "_cap")


def bytes_of(run: Run) -> Iterator[bytes]:
    """The rows in use of every table, then the state that the next bar would go on from."""
    tables = run.engine.tables
    for name in TABLES:
        yield tables.rows(name).tobytes()
    yield from (tables.equity.tobytes(), tables.symbols.tobytes(), tables.gates.tobytes())
    for name in tables.account.dtype.names or ():
        if not name.endswith(PLACES):
            yield tables.account[name].tobytes()


def digest_of(case: Case, drive: Drive) -> str:
    """Digest of a whole run of a case."""
    run = kernel.make_run(case, drive)
    run.complete()
    if run.error is not None:
        raise run.error
    return hashlib.sha256(b"".join(bytes_of(run))).hexdigest()


def drives_of(case: Case) -> tuple[Drive, ...]:
    """The drives that a case can take: sides given as an array run compiled as well."""
    return ("step", "compiled") if case.get("bot") else ("step",)


def digests(cases: Iterator[tuple[str, Case]]) -> Iterator[str]:
    """One line per case and drive."""
    for name, case in cases:
        for drive in drives_of(case):
            yield f"{name} {drive} {digest_of(case, drive)}"


def cases_to_run(scenarios: Path | None, first: int, stop: int) -> Iterator[tuple[str, Case]]:
    """The worked scenarios where their folder is given, and the random cases of some seeds."""
    if scenarios is not None:
        for scenario in load_scenarios(scenarios):
            yield scenario.name, scenario.case
    for seed in range(first, stop):
        yield f"seed-{seed}", case_of(seed)


def main() -> None:
    """Print the digests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenarios", type=Path)
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 0))
    given = parser.parse_args()
    for line in digests(cases_to_run(given.scenarios, *given.seeds)):
        print(line)


if __name__ == "__main__":
    main()
