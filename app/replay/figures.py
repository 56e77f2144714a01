"""Statistics of a run up to a cursor: S13 over what is known there, for the portfolio and for each symbol."""

from dataclasses import dataclass

import numpy as np

from app.charts.cursor import Cursor
from app.replay.facts import RunFacts
from app.replay.rows import Records
from app.replay.store import JournalStore
from data.series import FloatArray
from engine.kernel.schema import Phase
from engine.statistics import Statistics, StatisticsInputs, days_per_year, portfolio_statistics, totals_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SoFar:
    """What is known at a cursor: closed bars, and the rows up to it."""

    bars: int
    fills: Records
    trades: Records
    calls: Records


class Figures:
    """Statistics of a course at any cursor."""

    def __init__(self, facts: RunFacts, store: JournalStore) -> None:
        self._facts, self._store = facts, store
        # Prices and quantities here are whole; totals ask for money per price and quantity.
        self._money = np.array([contract.money for contract in facts.contracts])

    def so_far(self, cursor: Cursor) -> SoFar:
        """The rows known at a cursor."""
        store = self._store
        return SoFar(
            bars=min(cursor.known(Phase.CLOSE), store.bars),
            fills=store.fills.upto(cursor),
            trades=store.trades.upto(cursor),
            calls=store.calls.upto(cursor),
        )

    def portfolio(self, cursor: Cursor) -> Statistics:
        """Of all symbols together."""
        known = self.so_far(cursor)
        rows = self._store.equity.rows[: known.bars]
        return self._statistics(known, rows["equity"].copy(), rows["worst_equity"].copy(), None)

    def symbol(self, column: int, cursor: Cursor) -> Statistics:
        """Of one symbol, on the equity of S7.7."""
        known = self.so_far(cursor)
        return self._statistics(known, self.symbol_equity(column, known.bars), None, column)

    def side(self, side: int, cursor: Cursor) -> Statistics:
        """Of long (1) or short (-1) trades; figures of the equity curve are the portfolio's and mean nothing here."""
        known = self.so_far(cursor)
        trades = known.trades[known.trades["side"] == side]
        rows = self._store.equity.rows[: known.bars]
        own = SoFar(bars=known.bars, fills=known.fills, trades=trades, calls=known.calls)
        return self._statistics(own, rows["equity"].copy(), None, None)

    def symbol_equity(self, column: int, bars: int) -> FloatArray:
        """Initial cash + realised - costs + unrealised of one symbol, float64[bars] (S7.7)."""
        rows = self._store.fills.rows
        own = rows[self._store.fills_of(column)]
        last = np.searchsorted(own["bar"], np.arange(bars), side="right")
        booked = np.concatenate(([0.0], np.cumsum(own["realised"] - own["commission"] - own["fee"])))
        position, average = np.append(0.0, own["position"]), np.append(0.0, own["average"])
        mark, held = self._facts.stores[column].close[:bars], position[last]
        unrealised = np.where(held == 0.0, 0.0, (mark - average[last]) * held)
        equity: FloatArray = self._facts.initial_cash + booked[last] + unrealised * self._money[column] + 0.0
        return equity

    def _statistics(self, known: SoFar, equity: FloatArray, worst: FloatArray | None, column: int | None) -> Statistics:
        facts, market = self._facts, self._facts.market
        chosen = range(len(facts.symbols)) if column is None else range(column, column + 1)
        trades = known.trades if column is None else known.trades[known.trades["symbol"] == column]
        totals = totals_of(known.fills, known.bars, self._money, list(chosen))
        return portfolio_statistics(
            StatisticsInputs(
                initial_cash=facts.initial_cash,
                time_ns=market.time_ns[: known.bars],
                trading_day=market.sessions(column or 0).trading_day[: known.bars],
                equity=equity,
                worst_equity=worst,
                trades=trades,
                bars_in_position=totals.bars_in_position,
                turnover=totals.turnover,
                commission=totals.commission,
                fees=totals.fees,
                slippage_cost=totals.slippage_cost,
                margin_calls=len(known.calls) if column is None else self._calls_of(known, column),
                days_per_year=days_per_year(market.instruments[each].asset_class for each in chosen),
            )
        )

    @staticmethod
    def _calls_of(known: SoFar, column: int) -> int:
        """Margin calls in which the symbol was liquidated."""
        ends = known.calls["first_fill"] + known.calls["fills"]
        hit = [
            (known.fills["symbol"][first:end] == column).any()
            for first, end in zip(known.calls["first_fill"], ends, strict=True)
        ]
        return int(sum(hit))
