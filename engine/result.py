"""What a run came to: its journal, statistics, tables and warnings; saved whole or not at all."""

import os
import platform
import shutil
from collections.abc import Mapping
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.series import FloatArray
from engine.backtester import BacktesterEngine
from engine.config import BacktestConfig
from engine.errors import SaveError, StrategyError
from engine.journal import FORMAT, Journal, gate_counts, journal_of, write_journal
from engine.preparing import Prepared
from engine.run import Run
from engine.statistics import (
    FillTotals,
    Statistics,
    StatisticsInputs,
    days_per_year,
    format_table,
    portfolio_statistics,
    totals_of,
)

if TYPE_CHECKING:
    import pandas as pd


class Result:
    """A finished, interrupted or failed run.

    Attributes:
        config: the configuration; prepared: market, digests and what the loader said.
        status: completed, bankrupt, interrupted or failed; error: what a bot or exit raised.
        bars: master bars that have closed; drive: step or compiled; seconds: wall time of the run.
        bounds: the same run under other assumptions, by name (S6.9); empty unless asked for.
    """

    def __init__(self, config: BacktestConfig, prepared: Prepared, run: Run) -> None:
        self.config, self.prepared = config, prepared
        self.engine: BacktesterEngine = run.engine
        self.status, self.error, self.drive = run.status, run.error, str(run.drive)
        self.bars, self.seconds = run.next_bar, run.seconds
        self.interventions = [dict(action) for given in run.interventions.values() for action in given]
        self.bounds: dict[str, Result] = {}

    @property
    def interrupted(self) -> bool:
        """Whether it was stopped before the end of data."""
        return self.status == "interrupted"

    def raise_error(self) -> None:
        """Raise what a bot or exit raised, if any.

        Raises:
            StrategyError: with bar, phase and traceback.
        """
        if isinstance(self.error, StrategyError):
            raise self.error

    # Tables

    @cached_property
    def journal(self) -> Journal:
        """All tables; see docs/journal.md."""
        return journal_of(self.engine, self.bars)

    @property
    def fills(self) -> "pd.DataFrame":
        """One row per fill."""
        return self.journal.frame("fills")

    @property
    def trades(self) -> "pd.DataFrame":
        """One row per closed trade."""
        return self.journal.frame("trades")

    @property
    def orders(self) -> "pd.DataFrame":
        """One row per order."""
        return self.journal.frame("orders")

    @property
    def equity(self) -> "pd.DataFrame":
        """One row per master bar: equity, cash, margins, worst-case equity."""
        return self.journal.frame("equity")

    @property
    def ambiguous_trades(self) -> int:
        """Trades that the path policy may have decided (S6.9)."""
        return int(np.count_nonzero(self.engine.tables.rows("trades")["ambiguous"]))

    @property
    def warnings(self) -> list[str]:
        """Sentences for whoever reads the result."""
        late = int(self.engine.tables.symbols["late_flattens"].sum())
        told = [*self.prepared.warnings, *self.engine.notes]
        if late:
            told.append(f"{late} positions were flattened late: no bar traded in the last minutes of the session")
        return told

    @cached_property
    def gates(self) -> dict[str, dict[str, int]]:
        """How often each of the base bot's gates decided, per symbol (S11.2)."""
        return gate_counts(self.engine)

    # Statistics

    @cached_property
    def statistics(self) -> Statistics:
        """Figures of the portfolio (S13)."""
        rows = self.engine.tables.equity[: self.bars]
        totals = self._totals(None)
        return portfolio_statistics(self._inputs(rows["equity"].copy(), rows["worst_equity"].copy(), None, totals))

    @cached_property
    def symbol_statistics(self) -> dict[str, Statistics]:
        """Figures per symbol (S13), on the equity of S7.7."""
        symbols = self.engine.market.symbols
        return {
            symbol: portfolio_statistics(self._inputs(self.symbol_equity(column), None, column, self._totals([column])))
            for column, symbol in enumerate(symbols)
        }

    def symbol_equity(self, column: int) -> FloatArray:
        """Initial cash + realised - costs + unrealised of one symbol, float64[bars] (S7.7); from fills and marks."""
        tables = self.engine.tables
        fills = tables.rows("fills")
        own = fills[fills["symbol"] == column]
        last = np.searchsorted(own["bar"], np.arange(self.bars), side="right")
        booked = np.concatenate(([0.0], np.cumsum(own["realised"] - own["commission"] - own["fee"])))
        position, average = np.append(0.0, own["position"]), np.append(0.0, own["average"])
        mark = tables.bars["c"][: self.bars, column]
        held = position[last]
        unrealised = np.where(held == 0.0, 0.0, (mark - average[last]) * held)
        money = float(tables.instruments["tick_money"][column])
        return self.engine.initial_cash + booked[last] + unrealised * money + 0.0

    def _totals(self, columns: list[int] | None) -> FillTotals:
        tables = self.engine.tables
        return totals_of(tables.rows("fills"), self.bars, tables.instruments["tick_money"], columns)

    def _inputs(
        self, equity: FloatArray, worst: FloatArray | None, column: int | None, totals: FillTotals
    ) -> StatisticsInputs:
        market, tables = self.engine.market, self.engine.tables
        trades, chosen = tables.rows("trades"), range(len(market.symbols))
        if column is not None:
            trades, chosen = trades[trades["symbol"] == column], range(column, column + 1)
        days = market.sessions(column or 0).trading_day[: self.bars]
        return StatisticsInputs(
            initial_cash=self.engine.initial_cash,
            time_ns=market.time_ns[: self.bars],
            trading_day=days,
            equity=equity,
            worst_equity=worst,
            trades=trades,
            bars_in_position=totals.bars_in_position,
            turnover=totals.turnover,
            commission=totals.commission,
            fees=totals.fees,
            slippage_cost=totals.slippage_cost,
            margin_calls=tables.count("calls") if column is None else self._calls_of(column),
            days_per_year=days_per_year(market.instruments[each].asset_class for each in chosen),
        )

    def _calls_of(self, column: int) -> int:
        """Margin calls in which this symbol was liquidated."""
        tables = self.engine.tables
        fills = tables.rows("fills")
        hit = [
            (fills["symbol"][call["first_fill"] : call["first_fill"] + call["fills"]] == column).any()
            for call in tables.rows("calls")
        ]
        return int(sum(hit))

    def summary(self) -> str:
        """The figures of the portfolio and of each symbol as a table."""
        columns = {"portfolio": self.statistics}
        if len(self.symbol_statistics) > 1:
            columns |= self.symbol_statistics
        return format_table(columns)

    # Saving

    def manifest(self) -> dict[str, Any]:
        """What identifies and explains the run, as plain data."""
        return {
            "format": FORMAT,
            "name": self.config.name,
            "status": self.status,
            "error": None if self.error is None else str(self.error),
            "configuration": self.config.model_dump(mode="json"),
            "given": self.config.given(),
            "config_hash": self.config.hash(),
            "folder": None if self.config.folder is None else str(self.config.folder),
            "data": {
                one.symbol: {"source": one.source, "digest": self.prepared.digests[one.symbol], "bars": len(one)}
                for one in self.engine.market.series
            },
            "symbols": list(self.engine.market.symbols),
            "bars": self.bars,
            "drive": self.drive,
            "seed": self.config.seed,
            "seconds": self.seconds,
            "versions": versions(),
            "warnings": self.warnings,
            "repairs": {symbol: dict(kinds) for symbol, kinds in self.prepared.repairs.items()},
            "gates": self.gates,
            "ambiguous_trades": self.ambiguous_trades,
            "interventions": self.interventions,
            "statistics": self.statistics.to_dict(),
            "symbol_statistics": {name: figures.to_dict() for name, figures in self.symbol_statistics.items()},
            "bounds": {name: run.statistics.to_dict() for name, run in self.bounds.items()},
        }

    def save(self, folder: Path, report: bool | None = None) -> Path:
        """Write manifest, tables and report into ``folder``; whole or not at all.

        Args:
            folder: must not exist yet.
            report: write report.html and equity.png; None: as the configuration says.

        Raises:
            SaveError: where it cannot be written; nothing is left then.
        """
        folder = Path(folder)
        if folder.exists():
            raise SaveError(f"{folder} exists already; name another folder, or remove it")
        part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
        try:
            part.mkdir(parents=True)
            self._write(part, self.config.output.report if report is None else report)
            part.rename(folder)
        except OSError as error:
            raise SaveError(f"{folder} cannot be written: {error.strerror or error}; nothing was saved") from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return folder

    def _write(self, folder: Path, report: bool) -> None:
        import json

        write_journal(self.engine, self.bars, folder)
        if report:
            from engine.report import write_report
            from engine.report_view import ReportView

            write_report(ReportView(self), folder)
        text = json.dumps(self.manifest(), indent=1, ensure_ascii=False, allow_nan=False, default=str)
        (folder / "manifest.json").write_text(text, encoding="utf-8")


def versions() -> Mapping[str, str]:
    """Versions of everything that can change a number."""
    from engine.kernel.compiling import source_hash

    found = {"python": platform.python_version(), "machine": platform.machine(), "kernel": source_hash()}
    return found | {name: version(name) for name in ("numpy", "numba", "TA-Lib", "pandas_market_calendars")}
