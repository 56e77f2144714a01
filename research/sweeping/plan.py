"""Which runs a sweep file comes to: points (bot, exit, settings) times cells (symbols, dates, path, seed), numbered.

Run ``i`` is point ``i % points`` in cell ``i // points``; nothing is kept per run, so that millions cost nothing before
they are run.
"""

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from engine.config import BacktestConfig, BotSection, ExitSection
from engine.config.places import Places
from engine.errors import KeyPath
from research.sweeping.folds import Span
from research.sweeping.sections import ObjectiveSection

Values = tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One setting of everything: positions of bot and exit in the plan, and swept keys with their values."""

    bot: int
    exit: int
    values: Values

    @property
    def outer(self) -> Values:
        """Values of keys that are no setting of bot or exit: they change account, rules or contract facts."""
        return tuple(pair for pair in self.values if not pair[0].startswith(("bot.", "exit.")))

    def settings(self, part: str) -> dict[str, Any]:
        """Swept settings of ``bot`` or ``exit`` by their own names."""
        return {key.partition(".")[2]: value for key, value in self.values if key.startswith(f"{part}.")}


@dataclass(frozen=True, slots=True)
class Cell:
    """Where points are tried: symbols, dates, path policy, seed."""

    symbols: tuple[str, ...]
    span: Span
    path: str
    seed: int


@dataclass(frozen=True, slots=True)
class Slice:
    """Consecutive points of one cell: what a worker is given at a time; ``stop`` is excluded."""

    cell: int
    first: int
    stop: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All runs of a sweep.

    Attributes:
        base: the base configuration.
        bots, exits: the parts to try; a point names them by position.
        keys: the swept keys, in the order of the file.
        data: digest of the bars per symbol, or why they could not be loaded.
        moved: where modules of the user's are found, by what the file calls them; no part of what a run is.
    """

    name: str
    base: BacktestConfig
    bots: tuple[BotSection, ...]
    exits: tuple[ExitSection, ...]
    points: tuple[Point, ...]
    cells: tuple[Cell, ...]
    keys: tuple[str, ...]
    objective: ObjectiveSection
    data: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    moved: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.points) * len(self.cells)

    def run(self, index: int) -> tuple[Cell, Point]:
        """Cell and point of a run."""
        cell, point = divmod(index, len(self.points))
        return self.cells[cell], self.points[point]

    def slices(self, size: int) -> Iterator[Slice]:
        """The runs in slices of at most ``size``, cell by cell."""
        for cell in range(len(self.cells)):
            for first in range(0, len(self.points), size):
                yield Slice(cell, first, min(first + size, len(self.points)))

    def indices(self, piece: Slice) -> range:
        """Numbers of the runs of a slice."""
        begin = piece.cell * len(self.points)
        return range(begin + piece.first, begin + piece.stop)

    @cached_property
    def digest(self) -> str:
        """What identifies the results: the runs, the data and the versions; SHA-256, hex."""
        text = _json(
            {
                "base": self.base.canonical(),
                "bots": [_part(one) for one in self.bots],
                "exits": [_part(one) for one in self.exits],
                "points": [(one.bot, one.exit, one.values) for one in self.points],
                "cells": [(one.symbols, _dates(one.span), one.path, one.seed) for one in self.cells],
                "objective": self.objective.model_dump(mode="json"),
                "data": dict(self.data),
                "versions": dict(self.versions),
            }
        )
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def key_kinds(self) -> Mapping[str, set[type]]:
        """Types of the values of each swept key; no value is no type."""
        kinds: dict[str, set[type]] = {key: set() for key in self.keys}
        for point in self.points:
            for key, value in point.values:
                if value is not None:
                    kinds[key].add(type(value))
        return kinds

    @cached_property
    def _base_hash(self) -> str:
        return self.base.hash()

    def hash(self, cell: Cell, point: Point) -> str:
        """What identifies one run: its configuration and its bars; 16 characters."""
        bars = {symbol: self.data.get(symbol, "") for symbol in cell.symbols}
        parts = [_part(self.bots[point.bot]), _part(self.exits[point.exit])]
        where = [cell.symbols, _dates(cell.span), cell.path, cell.seed]
        text = _json([self._base_hash, bars, parts, point.values, where])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def part(self, kind: str, position: int) -> BotSection | ExitSection:
        """A bot or exit, with its module where it is found here."""
        section = self.bots[position] if kind == "bot" else self.exits[position]
        if section.module not in self.moved:
            return section
        found = section.model_copy(update={"module": self.moved[section.module or ""]})
        found.written_at((), Places())
        return found

    def config(self, cell: Cell, point: Point) -> BacktestConfig:
        """The whole configuration of a run, as it could stand in a file.

        Raises:
            ConfigError: where a value is refused; bot and exit settings are checked by ``make_bot`` only.
        """
        bot, exit = self.bots[point.bot], self.exits[point.exit]
        config = self.stage_config(cell, point.outer)
        for part, section in (("bot", bot), ("exit", exit)):
            values = _part(section)
            values["settings"] = values["settings"] | point.settings(part)
            config = config.with_part(part, values, f"{part}={section.name}")  # type: ignore[arg-type]
        return config

    def stage_config(self, cell: Cell, outer: Values) -> BacktestConfig:
        """The configuration of a cell with some keys set; bot and exit are the base's.

        Raises:
            ConfigError: where a value is refused.
        """
        values = self.base.given()
        order = [self.base.symbols.index(symbol) for symbol in cell.symbols]
        values["assets"] = [values["assets"][position] for position in order]
        values["seed"] = cell.seed
        values.setdefault("simulation", {})["path"] = cell.path
        for key, moment in (("start", cell.span.start), ("end", cell.span.end)):
            if moment is not None:
                values[key] = moment
        config = BacktestConfig.placed(values, _places_of(self.base.places, order))
        return config.with_overrides(f"{key}={json.dumps(value)}" for key, value in outer)


def grid_points(grid: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """All combinations, the last key varying fastest; one empty point for an empty grid."""
    for values in itertools.product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def _places_of(places: Places, order: Sequence[int]) -> Places:
    """Places of a configuration with some of the assets only."""
    moved: dict[KeyPath, int] = {}
    for path, line in places.lines.items():
        if path[:1] != ("assets",) or len(path) == 1:
            moved[path] = line
        elif path[1] in order:
            moved["assets", order.index(int(path[1])), *path[2:]] = line
    return replace(places, lines=moved)


def _part(section: BotSection | ExitSection) -> dict[str, Any]:
    return {"name": section.name, "module": section.module, "settings": dict(section.settings)}


def _dates(span: Span) -> list[Any]:
    return [span.fold, span.part, *(None if day is None else day.isoformat() for day in (span.start, span.end))]


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
