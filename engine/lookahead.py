"""Does a bot or exit use what it cannot know? Replaces the future and compares what came before (rulebook S15)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.series import BarSeries
from engine.backtester import BacktesterEngine
from engine.chance import seeded_generator
from engine.config import BacktestConfig
from engine.errors import LookAheadError
from engine.journal import Journal, Table, Words, journal_of
from engine.kernel.schema import EventKind, Phase
from engine.market import Market, cut_series
from engine.preparing import Prepared, engine_of, prepare
from engine.run import Run, RunnableBot, time_text

CUTS = 40
_PLACED = ("id", "symbol", "type", "side", "placed_bar", "time_in_force", "reduce_only")
# What a resting order brings; its row has the last ones, and these events tell what they were before.
_BRACKET = {"stop_loss": EventKind.BRACKET_STOP_MOVED, "take_profit": EventKind.BRACKET_TARGET_MOVED}
_WHEN = {"orders": ("placed_bar", "placed_phase"), "fills": ("bar", "phase"), "events": ("bar", "phase")}
_TELLING = (EventKind.DECISION, EventKind.ORDER_ACCEPTED, EventKind.STOP_MOVED, EventKind.TARGET_MOVED)
MakeBot = Callable[[], RunnableBot]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAheadReport:
    """What was checked: at how many bars the future was replaced, in a run of how many bars and events."""

    cuts: int
    bars: int
    events: int

    def summary(self) -> str:
        """The verdict in a sentence."""
        return (
            f"No look-ahead found: with the future replaced at {self.cuts} bars of {self.bars:,}, nothing before "
            f"changed ({self.events:,} events compared)."
        )


def check_lookahead(config: BacktestConfig, make_bot: MakeBot, cuts: int = CUTS) -> LookAheadReport:
    """Run once as it is, then with other legal bars from chosen points on, and compare up to OPEN of each point.

    Points are bars at which something was decided, and bars drawn at random (by the configuration's seed).

    Raises:
        LookAheadError: naming the first bar, symbol and value that differ.
        StrategyError: where the bot raises.
    """
    return check_prepared(config, prepare(config), make_bot, cuts)


def check_prepared(config: BacktestConfig, prepared: Prepared, make_bot: MakeBot, cuts: int = CUTS) -> LookAheadReport:
    """The same on bars that are loaded already."""
    whole = _run(config, prepared, make_bot, len(prepared.market))
    chosen = _points(whole.engine, cuts, seeded_generator(config.seed, "look-ahead points"))
    compared = 0
    for point in chosen:
        other = replace(prepared, market=altered(prepared.market, point, config.seed))
        run = _run(config, other, make_bot, point + 1)
        compared += _compare(whole, run, point)
    return LookAheadReport(cuts=len(chosen), bars=len(prepared.market), events=compared)


def _run(config: BacktestConfig, prepared: Prepared, make_bot: MakeBot, bars: int) -> Run:
    run = Run(engine_of(config, prepared), make_bot(), drive="step")
    run.advance(bars)
    if run.error is not None:
        raise run.error
    return run


def _points(engine: BacktesterEngine, cuts: int, rng: np.random.Generator) -> list[int]:
    """Half of the bars at which something was decided at OPEN, half any bars."""
    rows = engine.tables.rows("events")
    told = np.unique(rows["bar"][np.isin(rows["kind"], _TELLING) & (rows["phase"] == Phase.OPEN)])
    told = told[told > 0]
    first = rng.choice(told, min(len(told), cuts // 2), replace=False) if len(told) else told
    bars = np.arange(1, len(engine.market))
    rest = rng.choice(bars, min(len(bars), cuts - len(first)), replace=False) if len(bars) else bars
    return sorted({int(bar) for bar in (*first, *rest)})


def altered(market: Market, point: int, seed: int) -> Market:
    """The market with other legal bars from ``point`` on; O of bar ``point`` itself is kept."""
    at = int(market.time_ns[point])
    series = [
        _altered_series(one, at, facts.tick_size, seed)
        for one, facts in zip(market.series, market.instruments, strict=True)
    ]
    fine = {symbol: cut_series(one, None, at) for symbol, one in market.fine.items()}
    return Market(market.instruments, series, fine, market.calendars, market.timeline, market.seed)


def _altered_series(one: BarSeries, at: int, tick: float, seed: int) -> BarSeries:
    """A random walk in ticks from ``at`` on, about as lively as the bars were, seeded by symbol and time."""
    first = int(np.searchsorted(one.time_ns, at, side="left"))
    n = len(one) - first
    if n == 0:
        return one
    rng = seeded_generator(seed, f"{one.symbol} from {at}")
    size = max(float(np.mean(one.high - one.low)) / tick, 2.0)
    begin = float(one.open[first])
    keep = int(one.time_ns[first]) == at
    moves = np.rint(rng.normal(0.0, size, (n, 2)))
    close = begin + np.cumsum(moves[:, 0]) * tick
    opening = np.concatenate(([begin if keep else begin + moves[0, 1] * tick], close[:-1] + moves[1:, 1] * tick))
    reach = np.rint(np.abs(rng.normal(0.0, size, (n, 2)))) * tick
    parts = {
        "open": opening,
        "high": np.maximum(opening, close) + reach[:, 0],
        "low": np.minimum(opening, close) - reach[:, 1],
        "close": close,
        "volume": np.rint(rng.uniform(1.0, 2.0 * float(one.volume.mean()) + 2.0, n)),
    }
    joined: dict[str, Any] = {
        name: np.concatenate((getattr(one, name)[:first], values)) for name, values in parts.items()
    }
    return replace(one, **joined)


def _compare(whole: Run, other: Run, point: int) -> int:
    """Compare everything up to OPEN of ``point``; returns the number of events compared."""
    names = ("orders", "fills", "events", "equity")
    first, second = (_up_to(journal_of(run.engine, run.next_bar), point) for run in (whole, other))
    for name in names:
        _compare_tables(name, first[name], second[name], whole, point)
    return len(first["events"]["event"])


def _before(table: Table, bar: str, phase: str, point: int) -> NDArray[np.bool_]:
    """Which rows were written up to OPEN of ``point``."""
    bars = _codes(table[bar])
    before: NDArray[np.bool_] = (bars < point) | ((bars == point) & (_codes(table[phase]) == Phase.OPEN))
    return before


def _bracket_then(journal: Journal, name: str, kind: EventKind, point: int) -> NDArray[np.float64]:
    """A level that each order brings, as it was at OPEN of ``point``: the first move after that found it so."""
    events = journal.tables["events"]
    levels: NDArray[np.float64] = _codes(journal.tables["orders"][name]).copy()
    later = (_codes(events["kind"]) == kind) & ~_before(events, "bar", "phase", point)
    for row in np.flatnonzero(later)[::-1]:
        levels[_codes(events["reference"])[row] - 1] = _codes(events["b"])[row]
    return levels


def _up_to(journal: Journal, point: int) -> dict[str, dict[str, Any]]:
    """The rows that were written up to OPEN of ``point``; of orders, what was known then."""
    cut: dict[str, dict[str, Any]] = {}
    for name, (bar, phase) in _WHEN.items():
        table = journal.tables[name]
        before = _before(table, bar, phase, point)
        wanted = _PLACED if name == "orders" else tuple(table)
        cut[name] = {column: _rows(table[column], before) for column in wanted}
        if name == "orders":
            cut[name] |= {level: _bracket_then(journal, level, kind, point)[before] for level, kind in _BRACKET.items()}
    equity = journal.tables["equity"]
    cut["equity"] = {column: values[:point] for column, values in equity.items() if not isinstance(values, Words)}
    return cut


def _codes(column: Any) -> NDArray[Any]:
    return column.codes if isinstance(column, Words) else column


def _rows(column: Any, chosen: NDArray[np.bool_]) -> NDArray[Any]:
    values: NDArray[Any] = column.array()[chosen] if isinstance(column, Words) else column[chosen]
    return values


def _compare_tables(name: str, first: dict[str, Any], second: dict[str, Any], whole: Run, point: int) -> None:
    shorter = min(len(next(iter(table.values()))) for table in (first, second))
    longer = max((first, second), key=lambda table: len(next(iter(table.values()))))
    differing = [(row, column) for column in first if (row := _first_difference(first[column], second[column])) >= 0]
    if not differing and len(next(iter(longer.values()))) == shorter:
        return
    row, column = min(differing) if differing else (shorter, next(iter(first)))
    symbol = f", {longer['symbol'][row]}" if "symbol" in longer else ""
    bar = int(longer["bar" if "bar" in longer else "placed_bar"][row])
    values = [str(table[column][row]) if row < len(table[column]) else "nothing" for table in (first, second)]
    raise LookAheadError(
        f"{type(whole.bot).__name__} with {type(whole.bot.exit).__name__} looks ahead: with other bars from OPEN of "
        f"bar {point} ({time_text(whole.engine.market.time_ns.item(point))}) on, {name} differ at bar {bar}{symbol}: "
        f"{column} is {values[0]}, and {values[1]} with the other future. Use closed bars and this bar's open only."
    )


def _first_difference(first: NDArray[Any], second: NDArray[Any]) -> int:
    """Row of the first difference, -1 for none; two missing numbers are the same."""
    n = min(len(first), len(second))
    a, b = first[:n], second[:n]
    same = a == b
    if a.dtype.kind in "fM":
        same = same | ((a != a) & (b != b))
    found = np.flatnonzero(~same)
    return int(found[0]) if len(found) else -1
