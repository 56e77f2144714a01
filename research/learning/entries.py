"""Which entries a learner is taught and judged on, and what each multiple would have made of them.

Entries are where a bot's sides say so and the base bot would be let in (session, features complete); every one is
labelled by the kernel's own fill rules (``exits.stages``), so a label is the R of a backtest of one lot.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bots.base import BaseStrategyBot
from data.series import FloatArray
from engine.backtester import BacktesterEngine
from engine.kernel.learned import C_ATR, C_ROW, FEATURES, LEARNED
from engine.kernel.state import ENTRY_OK, REAL
from exits.compiling import ensure_compiled
from exits.features import FeatureTables, feature_tables
from exits.stages import UNITS, Stage

MULTIPLES = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """Labelled entries, in the order of their time; arrays of length n unless said.

    Attributes:
        symbol: index into ``symbols``; bar: master bar; side: 1 or -1.
        time_ns: OPEN of the entry's bar; end_ns: CLOSE of the last arm's exit.
        x: float64[n, 14], the numbers seen; row: last closed row of ``Ground.sequence``.
        r: float64[n, arms], net of costs; NaN where data ended first. exits: int64[n, arms], bars of exit.
        symbols, multiples: names and multiples.
    """

    symbol: NDArray[np.int64]
    bar: NDArray[np.int64]
    side: NDArray[np.int8]
    time_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    x: FloatArray
    row: NDArray[np.int64]
    r: FloatArray
    exits: NDArray[np.int64]
    symbols: tuple[str, ...]
    multiples: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.bar)

    @property
    def censored(self) -> NDArray[np.bool_]:
        """Entries of which at least one arm was open when data ended, or never opened."""
        missing: NDArray[np.bool_] = np.asarray(np.isnan(self.r).any(axis=1))
        return missing

    def take(self, which: NDArray[Any]) -> "Entries":
        """The chosen entries, by mask or index."""
        arrays = {f.name: getattr(self, f.name)[which] for f in fields(self) if f.name not in ("symbols", "multiples")}
        return replace(self, **arrays)


class Ground:
    """The bars of a run made ready for learners: features, private accounts, and labels of entries.

    Args:
        engine: an account before its first bar; the bot's session settings are applied to it.
        bot: its sides say where and which way to enter.
        multiples: of the ATR; unit: what one R is; lookback: window of sequence networks.
    """

    def __init__(
        self,
        engine: BacktesterEngine,
        bot: BaseStrategyBot,
        multiples: Sequence[float] = MULTIPLES,
        unit: str = "initial_stop",
        lookback: int = 64,
    ) -> None:
        ensure_compiled()
        self.engine, self.bot = engine, bot
        self.multiples, self.unit, self.lookback = tuple(float(value) for value in multiples), unit, lookback
        engine.keep_sessions(bot.session_policy)
        self.features: FeatureTables = feature_tables(engine, lookback)
        atr = np.ascontiguousarray(self.features.closed[:, :, C_ATR])
        self.stages = [Stage(engine, column, atr) for column in range(len(engine.scales))]
        self._make_record()

    def _make_record(self) -> None:
        """The record by which compiled code finds all of it."""
        self.stage_addresses = np.array([stage.address for stage in self.stages], np.int64)
        self.template_addresses = np.array([stage.template.ctypes.data for stage in self.stages], np.int64)
        self.multiple_array, self.numbers = np.array(self.multiples), np.zeros(FEATURES)
        self.record = np.zeros(1, LEARNED)
        row = self.record[0]
        row["account_a"], row["arms"] = self.engine.tables.address, len(self.multiples)
        row["unit"], row["lookback"] = UNITS[self.unit], self.lookback
        tables = {
            "stages": self.stage_addresses,
            "templates": self.template_addresses,
            "multiples": self.multiple_array,
            "closed": self.features.closed,
            "clock": self.features.clock,
            "sequence": self.features.sequence,
            "x": self.numbers,
        }
        for name, table in tables.items():
            row[f"{name}_a"] = table.ctypes.data

    def entries(self, stride: int = 1, both_sides: bool = False) -> Entries:
        """Every ``stride``-th bar at which the bot would enter, labelled; with ``both_sides`` each bar twice."""
        parts = [self._of_symbol(column, stride, both_sides) for column in range(len(self.stages))]
        whole = joined(parts)
        return whole.take(np.lexsort((whole.symbol, whole.time_ns)))

    def observe(self, column: int, bars: NDArray[np.int64], sides: NDArray[np.int8]) -> FloatArray:
        """The numbers of entries, float64[n, 14]."""
        from engine.kernel.observing import observe_many

        x, where = np.zeros((len(bars), FEATURES)), np.ascontiguousarray(bars, np.int64)
        which = np.ascontiguousarray(sides, np.int8)
        observe_many(self.record.ctypes.data, column, where.ctypes.data, which.ctypes.data, len(bars), x.ctypes.data)
        return x

    def _of_symbol(self, column: int, stride: int, both_sides: bool) -> Entries:
        flags, wanted = self.engine.tables.flags[:, column], REAL | ENTRY_OK
        sides = self.bot.sides(self.engine.market)[:, column]
        allowed = ((flags & wanted) == wanted) & (sides != 0)
        allowed[:1] = False
        bars = np.flatnonzero(allowed)[::stride].astype(np.int64)
        chosen = sides[bars].astype(np.int8)
        if both_sides:
            bars, chosen = np.repeat(bars, 2), np.repeat(chosen, 2)
            chosen[1::2] *= -1
        x = self.observe(column, bars, chosen)
        whole = np.isfinite(x).all(axis=1) & self._window_complete(column, bars)
        return self._labelled(column, bars[whole], chosen[whole], x[whole])

    def _window_complete(self, column: int, bars: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether every closed bar that a sequence network would look at has its numbers."""
        row = self.features.closed[bars - 1, column, C_ROW]
        known = np.isfinite(self.features.sequence).all(axis=1)
        runs = np.concatenate(([0], np.cumsum(known)))
        last = np.nan_to_num(row, nan=0.0).astype(np.int64)
        first = np.maximum(last - self.lookback + 1, 0)
        complete: NDArray[np.bool_] = np.isfinite(row) & (runs[last + 1] - runs[first] == self.lookback)
        return complete

    def _labelled(self, column: int, bars: NDArray[np.int64], sides: NDArray[np.int8], x: FloatArray) -> Entries:
        r, exits = self.stages[column].labels(bars, sides, self.multiple_array, self.unit)
        market = self.engine.market
        last = np.where(np.isnan(r).any(axis=1), len(market) - 1, exits.max(axis=1, initial=0))
        return Entries(
            symbol=np.full(len(bars), column, np.int64),
            bar=bars,
            side=sides,
            time_ns=market.time_ns[bars],
            end_ns=market.time_ns[last] + market.series[column].bar_ns,
            x=x,
            row=self.features.closed[bars - 1, column, C_ROW].astype(np.int64),
            r=r,
            exits=exits,
            symbols=market.symbols,
            multiples=self.multiples,
        )


def joined(parts: Sequence[Entries]) -> Entries:
    """Entries of several symbols behind one another."""
    names = [f.name for f in fields(parts[0]) if f.name not in ("symbols", "multiples")]
    arrays: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return replace(parts[0], **arrays)
