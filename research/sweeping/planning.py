"""From a sweep file to a plan: read, checked with file and line, keys resolved, dates cut; nothing is run yet."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from bots.base import BaseStrategyBot
from bots.catalog import BOTS
from data.errors import TriphaseError
from data.spelling import nearest_or_all
from engine.catalog import find_class
from engine.config import BacktestConfig, BotSection, DefaultsSection, ExitSection, SimulationSection, load_config
from engine.config.loading import config_text
from engine.config.places import Places
from engine.config.yaml_source import read_yaml
from engine.errors import ConfigError, KeyPath, Problem
from engine.result import versions
from exits.base import ExitStrategy
from exits.catalog import EXITS
from research.sweeping.folds import day_of, spans_of
from research.sweeping.library import Library
from research.sweeping.plan import Cell, Plan, Point, grid_points
from research.sweeping.sections import RandomSection, SweepSection
from research.sweeping.values import check_draws, draw, grid_values

# Keys of an asset that say how its file is read: every run reads the same bars.
_READING = frozenset(
    {
        "file", "fine_file", "reader", "contract", "ticker", "columns", "timestamp", "timezone", "bar_length", "repair",
        "factor_file", "split_adjust", "dividend_adjust", "use_adjusted_close", "slippage_model", "calendar",
        "asset_class", "currency", "exchange",
    }
)  # fmt: skip
_FACTS = sorted(set(DefaultsSection.model_fields) - _READING)
_EXAMPLES = "bot.ema_span, exit.atr_multiple, simulation.limit_fill, initial_cash, bar, assets.ES.slippage_ticks"


def plan_sweep(path: str | Path) -> tuple[Plan, Library]:
    """The plan of a sweep file, and the bars that its runs need, loaded once.

    Raises:
        ConfigError: listing every problem as ``sweep.yaml:12 grid.bot.ema_span: ...``. What only some runs would
            fail on (bars that cannot be loaded, a bot that cannot be imported, a value that is refused) is no problem
            here: those runs fail, the others are done.
    """
    file = Path(path)
    sweep, places = read_sweep(file)
    base = load_config(places.file(sweep.config) or sweep.config)
    try:
        library = Library.of(base)
        return _plan(sweep, base, library), library
    except ConfigError as error:
        raise ConfigError.of(
            [places.placed(problem) if problem.path else problem for problem in error.problems]
            or [Problem((), str(error), str(file))]
        ) from None


def read_sweep(file: Path) -> tuple[SweepSection, Places]:
    """The sweep file as it stands, and where its keys stand.

    Raises:
        ConfigError: with file and line.
    """
    read = read_yaml(config_text(file), str(file))
    places = Places(str(file), file.parent.resolve(), read.lines)
    try:
        return SweepSection(**({"name": file.stem} | read.values)), places
    except ConfigError as error:
        raise ConfigError.of([places.placed(problem) for problem in error.problems]) from None


def _plan(sweep: SweepSection, base: BacktestConfig, library: Library) -> Plan:
    bots = _placed(sweep.bots, base.bot, base)
    exits = _placed(sweep.exits, base.exit, base)
    known = {"bot": [_settings(one, BOTS, BaseStrategyBot, "bot") for one in bots]}
    known["exit"] = [_settings(one, EXITS, ExitStrategy, "exit") for one in exits]
    _check_keys(sweep, base, known)
    keys = (*sweep.grid, *(sweep.random.ranges if sweep.random is not None else ()))
    return Plan(
        name=sweep.name,
        base=base,
        bots=bots,
        exits=exits,
        points=tuple(_points(sweep, known)),
        cells=tuple(_cells(sweep, base, library)),
        keys=tuple(sorted(keys, key=_depth)),
        objective=sweep.objective,
        data=library.digests,
        versions=versions(),
    )


def _placed(sections: tuple[Any, ...], own: BotSection | ExitSection, base: BacktestConfig) -> tuple[Any, ...]:
    """The sections of the sweep, whose modules begin beside the base configuration; or the base's own."""
    for section in sections:
        section.written_at((), Places(folder=base.folder))
    return sections or (own,)


def _settings(section: Any, catalog: Mapping[str, type[Any]], base: type[Any], kind: str) -> frozenset[str] | None:
    """Names of a part's settings; None where it cannot be loaded: its runs will say why."""
    try:
        return frozenset(find_class(section, catalog, base, kind).Settings.model_fields)
    except TriphaseError:
        return None


def _check_keys(sweep: SweepSection, base: BacktestConfig, known: Mapping[str, list[frozenset[str] | None]]) -> None:
    problems: list[Problem] = []
    given: list[tuple[KeyPath, str]] = [(("grid", key), key) for key in sweep.grid]
    if sweep.random is not None:
        given += [(("random", "ranges", key), key) for key in sweep.random.ranges]
    for path, key in given:
        text = _why_unknown(key, base, known)
        if text:
            problems.append(Problem(path, text))
        if len(path) == 3 and key in sweep.grid:
            problems.append(Problem(path, "stands below grid too; leave one out"))
    for path, key in given:
        try:
            if path[0] == "grid":
                grid_values(sweep.grid[key], path)
            elif sweep.random is not None:
                check_draws(sweep.random.ranges[key], path)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError.of(problems)


def _why_unknown(key: str, base: BacktestConfig, known: Mapping[str, list[frozenset[str] | None]]) -> str:
    """Why a key cannot be swept; empty where it can."""
    first, _, rest = key.partition(".")
    if first in known:
        names = [settings for settings in known[first] if settings is not None]
        every = sorted(set().union(*names))
        missing = len(names) == len(known[first]) and rest not in every
        return f"no {first} of this sweep has a setting {rest!r}{nearest_or_all(rest, every)}" if missing else ""
    if key in ("initial_cash", "bar"):
        return ""
    if key == "simulation.path":
        return "has a key of its own: paths, a list of path policies"
    if first == "simulation":
        known_keys = SimulationSection.model_fields
        return "" if rest in known_keys else f"unknown{nearest_or_all(rest, known_keys)}"
    owner, _, fact = key.rpartition(".")
    if owner == "defaults" or (first == "assets" and owner.removeprefix("assets.") in base.symbols):
        return "" if fact in _FACTS else f"cannot be swept; what can are {', '.join(_FACTS)}"
    return f"cannot be swept; what can are keys such as {_EXAMPLES}; symbols, dates, seeds and paths have their own"


def _depth(key: str) -> int:
    """Keys that change more than bot and exit come first, so that runs that share a market follow each other."""
    return 1 if key.startswith(("bot.", "exit.")) else 0


def _points(sweep: SweepSection, known: Mapping[str, list[frozenset[str] | None]]) -> Iterator[Point]:
    """Every grid point with every draw, for every bot and exit; settings that a part lacks are left out for it."""
    grid = {key: grid_values(values, ("grid", key)) for key, values in sweep.grid.items()}
    ordered = {key: grid[key] for key in sorted(grid, key=_depth)}
    seen: set[str] = set()
    for values in grid_points(ordered):
        for drawn in _draws(sweep.random):
            for bot, exit in ((b, e) for b in range(len(known["bot"])) for e in range(len(known["exit"]))):
                owners = {"bot": known["bot"][bot], "exit": known["exit"][exit]}
                kept = tuple((key, value) for key, value in (values | drawn).items() if _belongs(key, owners))
                point = Point(bot, exit, tuple(sorted(kept, key=lambda pair: _depth(pair[0]))))
                if repr(point) not in seen:
                    seen.add(repr(point))
                    yield point


def _draws(random: RandomSection | None) -> list[dict[str, Any]]:
    if random is None:
        return [{}]
    return [
        {key: draw(given, random.seed, key, number) for key, given in random.ranges.items()}
        for number in range(random.draws)
    ]


def _belongs(key: str, owners: Mapping[str, frozenset[str] | None]) -> bool:
    first, _, rest = key.partition(".")
    if first not in owners:
        return True
    names = owners[first]
    return names is None or rest in names


def _cells(sweep: SweepSection, base: BacktestConfig, library: Library) -> Iterator[Cell]:
    first, last = _range(sweep, base, library)
    spans = spans_of(sweep.folds, first, last)
    for symbols in _universes(sweep, base):
        for span in spans:
            for path in sweep.paths or (base.simulation.path,):
                for seed in sweep.seeds or (base.seed,):
                    yield Cell(symbols, span, path, seed)


def _range(sweep: SweepSection, base: BacktestConfig, library: Library) -> tuple[date | None, date | None]:
    """First and last day of the folds: what is asked for, as far as there are bars."""
    own = (None, None) if sweep.folds is None else (sweep.folds.start, sweep.folds.end)
    first, last = day_of(own[0] or base.start), day_of(own[1] or base.end)
    if library.range_ns is None:
        return first, last
    begin, end = (datetime.fromtimestamp(ns // 10**9, UTC).date() for ns in library.range_ns)
    return max(first or begin, begin), min(last or end, end)


def _universes(sweep: SweepSection, base: BacktestConfig) -> tuple[tuple[str, ...], ...]:
    if sweep.symbols == "together":
        return (base.symbols,)
    if sweep.symbols == "each":
        return tuple((symbol,) for symbol in base.symbols)
    problems = []
    for position, universe in enumerate(sweep.symbols):
        at: KeyPath = ("symbols", position)
        problems += [
            Problem(at, f"no asset {symbol!r}{nearest_or_all(symbol, base.symbols)}")
            for symbol in universe
            if symbol not in base.symbols
        ]
        if len(set(universe)) < len(universe) or not universe:
            problems.append(Problem(at, "a symbol stands there twice, or none does"))
    if problems:
        raise ConfigError.of(problems)
    return tuple(dict.fromkeys(tuple(universe) for universe in sweep.symbols))
