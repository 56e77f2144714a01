"""Whether the tests notice a kernel that is wrong in one place: ``python -m tests.kernel.mutate --n 200 --seed 1``.

Samples mutants of the deciding files and runs each, with compilation off and in a process of its own, through random
cases against the independent simulator, the laws of the tables, the scenarios, and the tests with numbers worked by
hand. What survives is printed with its place: either a test is missing, or the change makes no difference (say why in
docs/testing.md). Needs fork.
"""

import argparse
import importlib.util
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Iterator
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.kernel.mutants import Mutant, mutants_of

os.environ["NUMBA_DISABLE_JIT"] = "1"
KERNEL = Path(__file__).resolve().parents[2] / "engine" / "kernel"
DECIDING = ("broker", "ledger", "lifecycle", "margin", "matching", "phases", "ticks", "walk", "working")
SECONDS = 120.0
# Between them these random cases run every branch; they come first, the other ones after them.
COVERING = (114, 287, 72, 225, 88, 44, 60, 74, 17, 236, 14, 267)
BY_HAND = ("tests/kernel/test_what_is_written.py", "tests/rules")


class WrongModule(MetaPathFinder, Loader):
    """Imports one kernel module from a mutant's source."""

    def __init__(self, mutant: Mutant) -> None:
        self.name = f"engine.kernel.{Path(mutant.file).stem}"
        self.source = mutant.source

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        """Answer for that module alone."""
        return importlib.util.spec_from_loader(fullname, self) if fullname == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the wrong source."""
        exec(compile(self.source, self.name, "exec"), module.__dict__)


class Judge:
    """Everything that a mutant is compared with, worked out once without the kernel.

    Args:
        scenarios: the folder of the worked scenarios, None where there is none.
        cases: how many random cases.
    """

    def __init__(self, scenarios: Path | None, cases: int) -> None:
        from tests.properties.cases import case_of
        from tests.reference import simulate
        from tests.scenarios.loader import load_scenarios

        seeds = [*COVERING, *range(3000, 3000 + cases)]
        self.scenarios = load_scenarios(scenarios) if scenarios is not None else []
        self.random = [(seed, case_of(seed), simulate(case_of(seed))) for seed in seeds]

    def complaint(self) -> str | None:
        """The first thing wrong with the kernel as it is imported now; None where nothing is."""
        try:
            return next(self._complaints(), None)
        except Exception as raised:  # noqa: BLE001 - a mutant may raise anything
            return f"{type(raised).__name__}: {raised}"

    def _complaints(self) -> Iterator[str]:
        from tests.properties.comparison import NOT_COMPARED, comparable, result_differences
        from tests.scenarios import kernel
        from tests.scenarios.loader import differences

        for seed, case, expected in self.random:
            for drive in ("step", "compiled") if case.get("bot") else ("step",):
                result = comparable(self._watched(case, drive))
                found = result_differences(comparable(dict(expected)), result, NOT_COMPARED)
                yield from (f"case {seed}: {each}" for each in found)
        for scenario in self.scenarios:
            found = differences(scenario.expected, kernel.simulate(scenario.case, "step"))
            yield from (f"{scenario.name}: {each}" for each in found)
        # The cases above have imported hypothesis already, which pytest warns of.
        quiet = ["-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
        if pytest.main(["-q", "-x", "-n0", *quiet, *BY_HAND]) != pytest.ExitCode.OK:
            yield "a test worked by hand fails"

    @staticmethod
    def _watched(case: Any, drive: Any) -> dict[str, Any]:
        """A run whose tables are looked over at its end."""
        from tests.kernel.watching import broken, negative_zeros
        from tests.scenarios import kernel

        run = kernel.make_run(case, drive)
        run.complete()
        if run.error is not None:
            raise run.error
        wrong = [*broken(run.engine.tables), *negative_zeros(run.engine.tables)]
        if wrong:
            raise AssertionError(wrong[0])
        return kernel.result_of(run, case)


def judge_mutant(judge: Judge, mutant: Mutant | None, answers: Any) -> None:
    """In a process of its own: import the kernel with the mutant in it and say what is wrong."""
    if mutant is not None:
        sys.meta_path.insert(0, WrongModule(mutant))
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 - for the rest of this process
    answers.put(judge.complaint())


def verdict(judge: Judge, mutant: Mutant | None) -> str | None:
    """What gives the mutant away; None if nothing does. One that does not come to an end is given away too."""
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    process = context.Process(target=judge_mutant, args=(judge, mutant, answers))
    process.start()
    process.join(SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
        return "does not end"
    return answers.get() if not answers.empty() else f"the process ended with {process.exitcode}"


def sample(count: int, seed: int, files: tuple[str, ...]) -> list[Mutant]:
    """Mutants of the files, drawn without repetition."""
    every = [m for name in files for m in mutants_of(f"{name}.py", (KERNEL / f"{name}.py").read_text("utf-8"))]
    print(f"{len(every)} mutants of {len(files)} files", flush=True)
    return random.Random(seed).sample(every, min(count, len(every)))


def main() -> int:
    """Judge a sample; returns 1 if any survived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100, help="mutants to draw")
    parser.add_argument("--seed", type=int, default=1, help="of the draw")
    parser.add_argument("--cases", type=int, default=100, help="random cases")
    parser.add_argument("--scenarios", type=Path, help="folder of the worked scenarios")
    parser.add_argument("--files", nargs="+", default=DECIDING, choices=DECIDING)
    given = parser.parse_args()
    if "engine" in sys.modules:
        raise SystemExit("the kernel is imported already; start this as a program of its own")
    judge = Judge(given.scenarios, given.cases)
    complaint = verdict(judge, None)
    if complaint is not None:
        raise SystemExit(f"the kernel is wrong before any change: {complaint}")
    return tell(judge, sample(given.n, given.seed, tuple(given.files)))


def tell(judge: Judge, mutants: list[Mutant]) -> int:
    """Judge each, print those that survive, and how many there were."""
    survived, begun = 0, time.perf_counter()
    for mutant in mutants:
        if verdict(judge, mutant) is None:
            survived += 1
            print(f"survived: {mutant.file}:{mutant.line} {mutant.what}\n  - {mutant.before}\n  + {mutant.after}")
            sys.stdout.flush()
    print(f"{len(mutants) - survived} of {len(mutants)} noticed ({time.perf_counter() - begun:.0f} s)")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
