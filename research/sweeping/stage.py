"""Runs a slice: bars made ready once for all runs of a cell, compiled batches where bot and exit allow, rows out.

Whatever goes wrong in a run is the row's error; the other runs are done. A row holds nothing that depends on who ran
it, when, or beside which others.
"""

import itertools
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bots.base import BaseStrategyBot
from bots.catalog import BOTS
from data.errors import TriphaseError
from engine.batch import BatchResult, Bench, Flags, Seat, can_batch, run_alone
from engine.catalog import find_class
from engine.config import BacktestConfig
from engine.errors import ConfigError, Problem, StrategyError
from engine.preparing import Prepared, engine_of, prepare
from engine.settings import check_settings
from exits.base import ExitStrategy
from exits.catalog import EXITS
from research.sweeping.library import Library
from research.sweeping.plan import Cell, Plan, Point, Slice, Values
from research.sweeping.rows import Row, failed_row, finished_row

_LANE_BARS = 32_000_000  # bars x symbols x lanes at a time: a byte each for the sides, and some trades
_MOST_LANES = 64
_INDICATOR_BYTES = 256 * 2**20
_LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True)
class _Ready:
    """A market for some cells, and the configuration that it was made from."""

    config: BacktestConfig
    prepared: Prepared
    flags: Flags


class Workplace:
    """Where slices are run: in a thread, a process or a node; keeps the market of the last cell.

    Args:
        plan: the sweep.
        library: its bars.
    """

    def __init__(self, plan: Plan, library: Library) -> None:
        self.plan, self.library = plan, library
        self._lock = threading.Lock()
        self._key: tuple[Any, ...] | None = None
        self._ready: _Ready | TriphaseError | None = None
        self._benches: dict[tuple[Any, ...], Bench] = {}
        self._parts: dict[tuple[str, int], type[Any] | TriphaseError] = {}

    def run(self, piece: Slice) -> list[Row]:
        """Rows of all runs of a slice, in their order."""
        rows: dict[int, Row] = {}
        cell = self.plan.cells[piece.cell]
        numbered = zip(self.plan.indices(piece), self.plan.points[piece.first : piece.stop], strict=True)
        for outer, runs in itertools.groupby(numbered, key=lambda run: run[1].outer):
            rows |= self._run_together(cell, outer, list(runs))
        return [rows[index] for index in self.plan.indices(piece)]

    def _run_together(self, cell: Cell, outer: Values, runs: Sequence[tuple[int, Point]]) -> dict[int, Row]:
        """Runs on one market under one set of rules."""
        try:
            bench = self._bench(cell, outer)
        except TriphaseError as error:
            return {index: self._failed(index, error) for index, _ in runs}
        rows: dict[int, Row] = {}
        together: list[tuple[int, BaseStrategyBot]] = []
        for index, point in runs:
            try:
                bot = self._bot(point)
                if can_batch(bot):
                    together.append((index, bot))
                else:
                    rows[index] = self._finished(index, run_alone(bench, bot), bench)
            except TriphaseError as error:
                rows[index] = self._failed(index, error)
            except Exception as raised:  # noqa: BLE001 - a user's bot may raise anything
                rows[index] = self._failed(index, _told(self.plan.bots[point.bot].name, raised))
        lanes = max(1, min(_MOST_LANES, _LANE_BARS // max(1, len(bench.market) * len(cell.symbols))))
        for first in range(0, len(together), lanes):
            rows |= dict(self._run_lanes(bench, together[first : first + lanes]))
        return rows

    def _run_lanes(self, bench: Bench, runs: Sequence[tuple[int, BaseStrategyBot]]) -> Iterator[tuple[int, Row]]:
        seats: list[tuple[int, Seat]] = []
        for index, bot in runs:
            try:
                seats.append((index, Seat(bench, bot)))
            except TriphaseError as error:
                yield index, self._failed(index, error)
            except Exception as raised:  # noqa: BLE001 - a user's bot may raise anything
                yield index, self._failed(index, _told(type(bot).__name__, raised))
        results = bench.run_seats([seat for _, seat in seats])
        for (index, _), result in zip(seats, results, strict=True):
            yield index, self._finished(index, result, bench)
        bench.market.forget_indicators(_INDICATOR_BYTES)

    # What is kept between slices

    def use(self, library: Library) -> None:
        """Go on with other bars: those of another group of symbols; what was kept of the ones before is let go."""
        with self._lock:
            self.library, self._key, self._ready = library, None, None
            self._benches.clear()

    def _bench(self, cell: Cell, outer: Values) -> Bench:
        """The market of a cell under its rules; built once, by whoever needs it first."""
        market_key = (cell.symbols, cell.span.start, cell.span.end, outer)
        with self._lock:
            if self._key != market_key:
                self._benches.clear()
                self._key, self._ready = market_key, self._made_ready(cell, outer)
            ready = self._ready
            if not isinstance(ready, _Ready):
                raise ready if ready is not None else AssertionError(market_key)
            key = (cell.path, cell.seed)
            if key not in self._benches:
                self._benches[key] = self._new_bench(ready, cell)
            return self._benches[key]

    def _made_ready(self, cell: Cell, outer: Values) -> _Ready | TriphaseError:
        try:
            config = self.plan.stage_config(cell, outer)
            return _Ready(config, prepare(config, read=self.library.read, in_ticks=self.library.in_ticks), {})
        except TriphaseError as error:
            return error

    def _new_bench(self, ready: _Ready, cell: Cell) -> Bench:
        rules = ready.config.simulation.model_copy(update={"path": cell.path})
        config = ready.config.model_copy(update={"simulation": rules, "seed": cell.seed})
        prepared = replace(ready.prepared, market=ready.prepared.market.reseeded(cell.seed))
        return Bench(partial(engine_of, config, prepared), ready.flags)

    def _bot(self, point: Point) -> BaseStrategyBot:
        """A fresh bot with its exit.

        Raises:
            TriphaseError: where it cannot be loaded, a setting is refused, or its runs would depend on each other.
        """
        exit_class = self._part("exit", point.exit)
        exit = exit_class(self._settings("exit", point, exit_class))
        if exit.learns_in_kernel and getattr(exit.settings, "state", None) is not None:
            text = "the runs of a sweep would go on from each other; leave it out"
            raise ConfigError.of([Problem(("exit", "state"), text)])
        bot_class = self._part("bot", point.bot)
        bot: BaseStrategyBot = bot_class(self._settings("bot", point, bot_class), exit)
        return bot

    def _settings(self, kind: str, point: Point, part: type[Any]) -> Any:
        section = self.plan.bots[point.bot] if kind == "bot" else self.plan.exits[point.exit]
        return check_settings(part.Settings, section.settings | point.settings(kind), (kind,))

    def _part(self, kind: str, position: int) -> type[Any]:
        key = (kind, position)
        if key not in self._parts:
            try:
                self._parts[key] = (
                    find_class(self.plan.part(kind, position), BOTS, BaseStrategyBot, "bot")
                    if kind == "bot"
                    else find_class(self.plan.part(kind, position), EXITS, ExitStrategy, "exit")
                )
            except TriphaseError as error:
                self._parts[key] = error
        found = self._parts[key]
        if isinstance(found, TriphaseError):
            raise found
        return found

    # Rows

    def _failed(self, index: int, error: TriphaseError) -> Row:
        text = " ".join(str(error).partition("\nTraceback")[0].split())
        return failed_row(self.plan, index, text[:_LONGEST_ERROR])

    def _finished(self, index: int, result: BatchResult, bench: Bench) -> Row:
        return finished_row(self.plan, index, result, len(bench.market))


def _told(name: str, raised: Exception) -> StrategyError:
    return StrategyError(f"{name} raised {type(raised).__name__} before the first bar: {raised}", -1, 0)
