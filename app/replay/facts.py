"""What does not change in a run: bars as charts draw them, contract facts in money, marks of positions (S1, S4)."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.charts.bars import BarStore
from app.charts.columns import IntArray
from app.charts.cursor import Cursor
from app.charts.prices import PriceFormat
from app.charts.sessions import Hours
from app.charts.timeframe import BarView
from data.instruments import Instrument
from engine.config import BacktestConfig
from engine.kernel.schema import Phase
from engine.market import Market
from engine.preparing import Prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """Contract facts of one symbol in account money, per whole quantity (not per lot).

    Attributes:
        money: account money per 1.0 of price (S1.2, S1.4).
        initial, initial_rate: initial margin, or its rate times ``money``; maintenance likewise.
        commission: per quantity and fill; fee: per fill.
    """

    facts: Instrument
    money: float
    initial: float
    initial_rate: float
    maintenance: float
    maintenance_rate: float
    commission: float
    fee: float

    @classmethod
    def of(cls, facts: Instrument, rate: float) -> "Contract":
        """The facts at a constant exchange rate."""
        money = facts.point_value * rate
        return cls(
            facts=facts,
            money=money,
            initial=(facts.initial_margin or 0.0) * rate,
            initial_rate=(facts.initial_margin_rate or 0.0) * money,
            maintenance=(facts.maintenance_margin or 0.0) * rate,
            maintenance_rate=(facts.maintenance_margin_rate or 0.0) * money,
            commission=facts.commission_per_contract * rate,
            fee=facts.fee_per_trade * rate,
        )

    def initial_margin(self, quantity: float, price: float) -> float:
        """Margin to open a quantity at a price (S8.4)."""
        return abs(quantity) * (self.initial + self.initial_rate * abs(price))

    def maintenance_margin(self, quantity: float, price: float) -> float:
        """Margin to hold a quantity at a price (S7.2)."""
        return abs(quantity) * (self.maintenance + self.maintenance_rate * abs(price))

    def costs(self, quantity: float) -> float:
        """Costs of a fill (S8.6)."""
        return self.commission * abs(quantity) + self.fee


class RunFacts:
    """Facts of one run.

    Attributes:
        config: its configuration; prepared: what the loader said; market: its bars.
        contracts: per symbol, in configuration order.
        stores: bars per symbol on the master timeline.
    """

    def __init__(self, config: BacktestConfig, prepared: Prepared) -> None:
        self.config, self.prepared = config, prepared
        self.market: Market = prepared.market
        rates = [1.0 if i.currency == config.currency else config.fx_rates[i.currency] for i in self.market.instruments]
        self.contracts = [Contract.of(i, rate) for i, rate in zip(self.market.instruments, rates, strict=True)]
        self._hours: dict[str | None, Hours] = {}
        self._views: dict[int, BarView] = {}
        timeline = self.market.timeline
        whole = [len(series) == len(timeline) for series in self.market.series]
        self.stores = [
            BarStore.from_series(series)
            if full
            else BarStore.from_series(series, timeline.time_ns, timeline.row[:, column].astype(np.int64))
            for column, (series, full) in enumerate(zip(self.market.series, whole, strict=True))
        ]

    def view(self, column: int) -> BarView:
        """A symbol's bars as charts show them; all charts of a symbol share their levels."""
        if column not in self._views:
            self._views[column] = BarView(self.stores[column])
        return self._views[column]

    def make_ready(self, columns: int) -> None:
        """Make what the first picture of the first symbols needs: called where nobody waits for a frame."""
        for column in range(min(columns, len(self.stores))):
            self.view(column)
            self.hours(column)
        self.first_bar_of_day(0)

    @property
    def symbols(self) -> tuple[str, ...]:
        """In configuration order."""
        return self.market.symbols

    @property
    def bars(self) -> int:
        """Master bars of the data."""
        return len(self.market)

    @property
    def initial_cash(self) -> float:
        """Equity before the first bar."""
        return self.config.initial_cash

    @property
    def master_ns(self) -> int:
        """Length of a master bar."""
        return int(min(series.bar_ns for series in self.market.series))

    @cached_property
    def forms(self) -> list[PriceFormat]:
        """How each symbol's prices are written."""
        return [PriceFormat.for_tick(contract.facts.tick_size) for contract in self.contracts]

    def time_ns(self, bar: int) -> int:
        """Time at which a master bar opens."""
        return int(self.market.time_ns[bar])

    def mark(self, column: int, cursor: Cursor) -> float:
        """Price at which positions are valued (S4): O until the bar's CLOSE, the last close without a real bar."""
        store = self.stores[column]
        opened = float(store.open[cursor.bar])
        if cursor.phase < Phase.CLOSE and opened == opened:
            return opened
        return float(store.close[cursor.bar])

    def first_bar_of_day(self, bar: int) -> int:
        """The first master bar of a bar's trading day (S7.4)."""
        return int(self._day_starts[np.searchsorted(self._day_starts, bar, side="right") - 1])

    @cached_property
    def _day_starts(self) -> IntArray:
        days = self.market.trading_day
        return np.concatenate(([0], np.flatnonzero(days[1:] != days[:-1]) + 1)).astype(np.int64)

    def hours(self, column: int) -> Hours:
        """Sessions of a symbol for shading and the time axis."""
        calendar = self.market.calendars[column]
        if calendar.name not in self._hours:
            table = self.market.sessions(column)
            self._hours[calendar.name] = Hours(table.trading_day, None if calendar.continuous else table.regular)
        return self._hours[calendar.name]
