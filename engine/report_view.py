"""A result as the report wants to see it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data.series import FloatArray, TimeArray
from engine.journal import Words
from engine.statistics import Statistics

if TYPE_CHECKING:
    from engine.result import Result

Columns = Mapping[str, NDArray[Any]]


class ReportView:
    """Adapts a Result to ``engine.report.ReportSource``."""

    def __init__(self, result: "Result") -> None:
        self._result = result

    @property
    def title(self) -> str:
        """Name of the run."""
        return self._result.config.name

    @property
    def status(self) -> str:
        """How it ended."""
        return self._result.status

    @property
    def currency(self) -> str:
        """Of the account."""
        return self._result.config.currency

    @property
    def initial_cash(self) -> float:
        """Equity before the first bar."""
        return self._result.engine.initial_cash

    @property
    def symbols(self) -> Sequence[str]:
        """In configuration order."""
        return self._result.engine.market.symbols

    @property
    def time_ns(self) -> TimeArray:
        """Opening times of the closed bars."""
        return self._result.engine.market.time_ns[: self._result.bars]

    @property
    def trading_day(self) -> NDArray[np.int32]:
        """Trade dates of the closed bars."""
        return self._result.engine.market.trading_day[: self._result.bars]

    @property
    def equity(self) -> FloatArray:
        """Marked at the close of each bar."""
        return self._result.engine.tables.equity["equity"][: self._result.bars].copy()

    @property
    def closes(self) -> FloatArray:
        """Closes of all symbols."""
        return self._result.engine.market.close[: self._result.bars]

    @property
    def statistics(self) -> Statistics:
        """Of the portfolio."""
        return self._result.statistics

    @property
    def symbol_statistics(self) -> Mapping[str, Statistics]:
        """By symbol."""
        return self._result.symbol_statistics

    @property
    def trades(self) -> Columns:
        """Closed trades in order of exit."""
        table = self._result.journal.tables["trades"]
        plain = {name: column.array() if isinstance(column, Words) else column for name, column in table.items()}
        plain["number"] = plain.pop("trade")
        plain["side"] = np.where(plain["side"] == "long", 1, -1)
        for name in ("entry_time", "exit_time"):
            plain[f"{name}_ns"] = plain.pop(name).astype("datetime64[ns]").astype(np.int64)
        return plain

    @property
    def margin_calls(self) -> Columns:
        """Margin calls."""
        table = self._result.journal.tables["margin_calls"]
        plain = {name: np.asarray(column) for name, column in table.items() if not isinstance(column, Words)}
        plain["time_ns"] = plain.pop("time").astype("datetime64[ns]").astype(np.int64)
        return plain

    @property
    def bounds(self) -> Mapping[str, Statistics]:
        """The same run under other assumptions."""
        return {name: run.statistics for name, run in self._result.bounds.items()}

    @property
    def warnings(self) -> Sequence[str]:
        """Sentences for who reads the result."""
        return self._result.warnings

    @property
    def repairs(self) -> Mapping[str, Mapping[str, int]]:
        """Rows repaired, by symbol and kind."""
        return self._result.prepared.repairs

    @property
    def facts(self) -> Mapping[str, str]:
        """What identifies the run."""
        result = self._result
        from engine.result import versions

        told = {"seed": str(result.config.seed), "drive": result.drive, "configuration": result.config.hash()[:16]}
        told |= {f"data {symbol}": digest[:16] for symbol, digest in result.prepared.digests.items()}
        return told | dict(versions())

    @property
    def configuration(self) -> Mapping[str, Any]:
        """The whole configuration as plain values."""
        plain: dict[str, Any] = self._result.config.model_dump(mode="json")
        return plain
