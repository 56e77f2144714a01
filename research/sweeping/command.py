"""What a sweep from the command line does: 0 done, 2 an error, 130 stopped by Ctrl-C with what is done kept."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import TriphaseError
from engine.errors import SaveError
from research.headless.surroundings import DONE, FAILED, STOPPED, Surroundings
from research.sweeping.arguments import SweepArguments, parse

if TYPE_CHECKING:
    from research.sweeping.library import Library
    from research.sweeping.plan import Plan
    from research.sweeping.standings import Standings
    from research.sweeping.store import Store
    from research.sweeping.ways import Way


def main(argv: Sequence[str], surroundings: Surroundings | None = None, program: str | None = None) -> int:
    """Run the command line ``argv`` and return its exit code."""
    return sweep(parse(argv, program), surroundings)


def sweep(arguments: SweepArguments, surroundings: Surroundings | None = None) -> int:
    """Run a sweep and return the exit code."""
    around = surroundings if surroundings is not None else Surroundings(out=sys.stdout, error=sys.stderr)
    try:
        return _Command(arguments, around).run()
    except TriphaseError as error:
        print(f"error: {error}", file=around.error)
        return FAILED
    except KeyboardInterrupt:
        print("stopped before the first run was done; nothing is kept", file=around.error)
        return STOPPED


@dataclass
class _Command:
    """One command; the engine is imported as late as can be."""

    arguments: SweepArguments
    around: Surroundings

    def run(self) -> int:
        from research.sweeping.planning import plan_sweep

        plan, library = plan_sweep(self.arguments.file)
        if self.arguments.dry_run:
            from research.sweeping.estimate import dry_run

            print(dry_run(plan, library, self._workers(), self.around.seconds), file=self.around.out)
            return DONE
        from research.sweeping.store import held_folder

        folder = self.arguments.out or plan.base.output.folder / f"{plan.name}_{plan.digest[:10]}"
        with held_folder(folder) as hold:
            if hold.warning:
                print(f"warning: {hold.warning}", file=self.around.error)
            return self._run_in(folder, plan, library)

    def _run_in(self, folder: Path, plan: "Plan", library: "Library") -> int:
        from research.sweeping.store import Store

        store = Store(folder, plan)
        try:
            if not store.finished:
                self._drive(plan, library, store)
            self._finish(plan, store)
        except KeyboardInterrupt:
            done = int(store.done().sum())
            print(
                f"stopped with {done:,} of {len(plan):,} runs done, kept in {store.folder}; the same command goes on",
                file=self.around.error,
            )
            return STOPPED
        return DONE

    def _workers(self) -> int:
        return self.arguments.workers or os.cpu_count() or 1

    def _way(self, plan: "Plan", library: "Library") -> "Way":
        from research.sweeping.ways import Processes, Threads

        if self.arguments.ray is not None:
            from research.sweeping.cluster import Ray

            return Ray(plan, library, self.arguments.ray)
        if self.arguments.workers is not None:
            return Processes(plan, library, self.arguments.workers)
        return Threads(plan, library, self._workers())

    def _drive(self, plan: "Plan", library: "Library", store: "Store") -> None:
        from research.sweeping.driving import drive
        from research.sweeping.progress import progress_of

        with progress_of(self.around.error, plan, show=not self.arguments.quiet) as listener:
            drive(plan, store, self._way(plan, library), listener, self.around.seconds)

    def _finish(self, plan: "Plan", store: "Store") -> None:
        from research.sweeping.report import write_sweep_report
        from research.sweeping.standings import Standings
        from research.sweeping.tables import summary, write_ranking

        standings = Standings(plan, store.finish())
        write_ranking(standings, store.folder)
        write_sweep_report(standings, store.folder)
        if self.arguments.open_best is not None:
            self._open_best(standings, self.arguments.open_best)
        if not self.arguments.quiet:
            print(summary(standings, store.folder), file=self.around.out)

    def _open_best(self, standings: "Standings", file: Path) -> None:
        """Write the winner's configuration; its relative files begin where it is written."""
        from research.sweeping.winner import winner_text

        try:
            file.write_text(winner_text(standings, file), encoding="utf-8")
        except OSError as error:
            raise SaveError(f"{file} cannot be written: {error.strerror or error}") from error
        if not self.arguments.quiet:
            print(f"best setting written to {file}", file=self.around.error)
