"""What a report needs to know of a run."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from data.series import FloatArray, TimeArray
from engine.statistics import Statistics
from engine.statistics.loops import DayArray

Columns = Mapping[str, NDArray[Any]]


class ReportSource(Protocol):
    """A finished run, read only: the result of a run is one, and anything else with these attributes."""

    @property
    def title(self) -> str:
        """Name of the run."""
        ...

    @property
    def status(self) -> str:
        """How it ended: ``completed``, ``bankrupt``, ``interrupted`` or ``failed``."""
        ...

    @property
    def currency(self) -> str:
        """Of the account, as ``USD``."""
        ...

    @property
    def initial_cash(self) -> float:
        """Equity before the first bar."""
        ...

    @property
    def symbols(self) -> Sequence[str]:
        """In configuration order."""
        ...

    @property
    def time_ns(self) -> TimeArray:
        """[n] times at which the master bars open, UTC."""
        ...

    @property
    def trading_day(self) -> DayArray:
        """[n] trade dates, int32 days since 1970-01-01."""
        ...

    @property
    def equity(self) -> FloatArray:
        """[n] marked at the close of each bar."""
        ...

    @property
    def closes(self) -> FloatArray:
        """[n, symbols] prices, NaN before a symbol's first bar; for buy and hold."""
        ...

    @property
    def statistics(self) -> Statistics:
        """Of the portfolio."""
        ...

    @property
    def symbol_statistics(self) -> Mapping[str, Statistics]:
        """By symbol."""
        ...

    @property
    def trades(self) -> Columns:
        """Closed trades in order of exit, prices in price, money in account currency.

        Arrays of one length: ``number``, ``symbol`` (names), ``side`` (1, -1), ``quantity``, ``entry_bar``,
        ``exit_bar``, ``entry_time_ns``, ``exit_time_ns``, ``entry_price``, ``exit_price``, ``exit_reason`` (words),
        ``commission``, ``fees``, ``slippage_cost``, ``net``, ``r_multiple`` (NaN without a stop), ``mae``, ``mfe``,
        ``ambiguous``.
        """
        ...

    @property
    def margin_calls(self) -> Columns:
        """Arrays of one length: ``time_ns``, ``worst_equity``, ``required``, ``between``, ``equity_after``.

        ``between`` is the money between the close and the worst price (S7.2).
        """
        ...

    @property
    def bounds(self) -> Mapping[str, Statistics]:
        """The same run under other assumptions (worst case, best case, next open), or empty."""
        ...

    @property
    def warnings(self) -> Sequence[str]:
        """Sentences for who reads the result."""
        ...

    @property
    def repairs(self) -> Mapping[str, Mapping[str, int]]:
        """By symbol, rows repaired by kind (S3.4)."""
        ...

    @property
    def facts(self) -> Mapping[str, str]:
        """What identifies the run, in the order to be shown: seeds, drive, versions, hashes."""
        ...

    @property
    def configuration(self) -> Mapping[str, Any]:
        """The whole configuration as plain values."""
        ...
