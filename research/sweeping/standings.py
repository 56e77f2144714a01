"""What a finished sweep says: settings ranked, what happened to them out of sample, their neighbours, and their luck.

A setting (a point: bot, exit, values) is ranked by the mean of the objective over its cells in sample: symbols, folds,
paths and seeds. A cell without a value (a failed run, a ratio that does not exist, too few trades) counts as missing;
settings with more missing cells are ranked behind those with fewer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data.series import FloatArray
from research.sweeping.luck import ENOUGH, HALF, Deflated, Overfitting, deflated, overfitting, sharpe_of
from research.sweeping.plan import Cell, Plan

if TYPE_CHECKING:
    import pyarrow as pa

NEIGHBOURS = 5  # nearest draws that count as neighbours, where there is no grid


@dataclass(frozen=True, slots=True, kw_only=True)
class CellLuck:
    """Luck in one cell: best setting there by Sharpe ratio, deflated, and how its choice fares across halves."""

    cell: Cell
    deflated: Deflated
    overfitting: Overfitting | None

    @property
    def holds_up(self) -> bool:
        """Whether both measures say that it is more than luck."""
        shown = self.deflated.against_luck is not None and self.deflated.against_luck >= ENOUGH
        return shown and (self.overfitting is None or self.overfitting.probability < HALF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plateau:
    """How good the neighbours of the best setting are.

    Attributes:
        neighbours: how many there are; mean: of their objective, None where none has one.
        percentile: mean share of all ranked settings that a neighbour is at least as good as; near 1 on a plateau, near
            0.5 for a peak among noise.
    """

    neighbours: int
    mean: float | None
    percentile: float | None


class Standings:
    """The results of a sweep, read.

    Attributes:
        values: objective, float64[cells, points]; NaN where there is none.
        scored: mean objective of each point over the cells in sample, float64[points]; later: out of sample.
        missing: cells in sample without a value, per point.
        order: points, best first; those without any value are left out.
    """

    def __init__(self, plan: Plan, results: "pa.Table") -> None:
        self.plan, self.results = plan, results
        self.shape = (len(plan.cells), len(plan.points))
        figure = self.figure(plan.objective.figure)
        trades = self.figure("trades")
        self.values = np.where(trades >= plan.objective.minimum_trades, figure, np.nan)
        self.inside = np.array([cell.span.part != "out" for cell in plan.cells])
        self.scored, self.missing = _means(self.values[self.inside])
        self.later, _ = _means(self.values[~self.inside])
        known = np.flatnonzero(~np.isnan(self.scored))
        keys = (known, -plan.objective.sign * self.scored[known], self.missing[known])
        self.order: NDArray[np.int64] = known[np.lexsort(keys)]

    def figure(self, name: str) -> FloatArray:
        """A column of the results as float64[cells, points]; NaN where it is empty or the run is not done."""
        found = np.full(self.shape[0] * self.shape[1], np.nan)
        column = self.results[name].to_numpy(zero_copy_only=False)
        found[self.results["run"].to_numpy()] = np.asarray(column, dtype=np.float64)
        return found.reshape(self.shape)

    @property
    def best(self) -> int | None:
        """The best point; None where no run has a value."""
        return int(self.order[0]) if len(self.order) else None

    @property
    def best_cell(self) -> int | None:
        """The cell in sample in which the best point did best; it is what ``--open-best`` opens."""
        if self.best is None:
            return None
        column = np.where(self.inside, self.values[:, self.best] * self.plan.objective.sign, np.nan)
        return int(np.nanargmax(column))

    def failures(self) -> list[tuple[str, int]]:
        """Errors of failed runs and how often each came, the most frequent first."""
        counts: dict[str, int] = {}
        for error in self.results["error"].drop_null().to_pylist():
            counts[error] = counts.get(error, 0) + 1
        return sorted(counts.items(), key=lambda item: (-item[1], item[0]))

    def luck(self) -> Iterator[CellLuck]:
        """Each cell in sample with at least two settings that traded."""
        days, sums, squares = (self._blocks(name) for name in ("block_days", "block_sum", "block_squares"))
        skewness, kurtosis = self.figure("skewness"), self.figure("kurtosis")
        done, trades = self.figure("days"), self.figure("trades")
        for number in np.flatnonzero(self.inside):
            used = np.flatnonzero((trades[number] > 0) & (done[number] > 1))
            if len(used) < 2:
                continue
            total = done[number, used]
            sharpes = sharpe_of(total, sums[number, used].sum(axis=1), squares[number, used].sum(axis=1))
            best = int(np.argmax(sharpes))
            moments = (float(table[number, used[best]]) for table in (skewness, kurtosis))
            first, second = (None if np.isnan(moment) else moment for moment in moments)
            yield CellLuck(
                cell=self.plan.cells[number],
                deflated=deflated(sharpes, best, int(total[best]), first, second),
                overfitting=overfitting(days[number, used[0]], sums[number, used], squares[number, used]),
            )

    def _blocks(self, name: str) -> FloatArray:
        """A column of lists as float64[cells, points, blocks]; NaN where the run has none."""
        lists = self.results[name].combine_chunks()
        width = int(max(lists.value_lengths().to_numpy(zero_copy_only=False), default=0))
        found = np.full((self.shape[0] * self.shape[1], width), np.nan)
        full = lists.value_lengths().to_numpy(zero_copy_only=False) == width
        if width:
            values = lists.flatten().to_numpy(zero_copy_only=False).astype(np.float64)
            found[self.results["run"].to_numpy()[full]] = values.reshape(-1, width)
        return found.reshape(*self.shape, width)

    def plateau(self) -> Plateau | None:
        """How good the neighbours of the best point are; None where there is no best or nothing numeric is swept."""
        if self.best is None:
            return None
        places = _places(self.plan)
        if not places:
            return None
        beside = [point for point in _neighbours(self.plan, places, self.best) if not np.isnan(self.scored[point])]
        if not beside:
            return Plateau(neighbours=0, mean=None, percentile=None)
        sign, ranked = self.plan.objective.sign, self.scored[~np.isnan(self.scored)]
        shares = [float(np.mean(ranked * sign <= self.scored[point] * sign)) for point in beside]
        mean = float(np.mean(self.scored[beside])) + 0.0
        return Plateau(neighbours=len(beside), mean=mean, percentile=float(np.mean(shares)))

    def walk_forward(self) -> list[tuple[Cell, int, float, float]]:
        """Per cell in sample with one out of sample: that one, the point chosen, its value there, the median there."""
        beside = {
            (cell.symbols, cell.span.fold, cell.path, cell.seed): number
            for number, cell in enumerate(self.plan.cells)
            if cell.span.part == "out"
        }
        rows = []
        for number in np.flatnonzero(self.inside):
            cell = self.plan.cells[number]
            other = beside.get((cell.symbols, cell.span.fold, cell.path, cell.seed))
            own = self.values[number] * self.plan.objective.sign
            if other is None or np.isnan(own).all():
                continue
            chosen = int(np.nanargmax(own))
            there = self.values[other]
            middle = float(np.nanmedian(there)) if not np.isnan(there).all() else float("nan")
            rows.append((self.plan.cells[other], chosen, float(there[chosen]), middle))
        return rows


def _means(values: FloatArray) -> tuple[FloatArray, NDArray[np.int64]]:
    """Mean per point over the cells that have a value, and how many have none."""
    there = ~np.isnan(values)
    counts = there.sum(axis=0)
    total = np.where(there, values, 0.0).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: FloatArray = np.where(counts > 0, total / counts, np.nan)
    return means + 0.0, (len(values) - counts).astype(np.int64)


def _places(plan: Plan) -> dict[str, dict[float, int]]:
    """For every swept number its values in order, each with its place."""
    places = {}
    for key in plan.keys:
        found = {value for point in plan.points for name, value in point.values if name == key}
        if len(found) > 1 and all(isinstance(value, int | float) and not isinstance(value, bool) for value in found):
            places[key] = {value: place for place, value in enumerate(sorted(found))}
    return places


def _neighbours(plan: Plan, places: Mapping[str, Mapping[float, int]], best: int) -> list[int]:
    """Points of the same bot and exit one step away in one key; where there are none, the nearest in all keys."""
    own = plan.points[best]
    same = [number for number, point in enumerate(plan.points) if (point.bot, point.exit) == (own.bot, own.exit)]
    here = _coordinates(own.values, places)
    away: list[tuple[float, int]] = []
    beside = []
    for number in same:
        if number == best or _others(plan.points[number].values, places) != _others(own.values, places):
            continue
        steps = {
            key: abs(place - here[key])
            for key, place in _coordinates(plan.points[number].values, places).items()
            if key in here
        }
        if sum(steps.values()) == 1:
            beside.append(number)
        away.append((sum((step / len(places[key])) ** 2 for key, step in steps.items()), number))
    return beside or [number for _, number in sorted(away)[:NEIGHBOURS]]


def _coordinates(values: Any, places: Mapping[str, Mapping[float, int]]) -> dict[str, int]:
    return {key: places[key][value] for key, value in values if key in places}


def _others(values: Any, places: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(pair for pair in values if pair[0] not in places)
