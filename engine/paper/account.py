"""The simulated account on a market that grows: the backtest's engine, given a longer market before every phase."""

from collections.abc import Mapping, Sequence

import numpy as np

from engine.backtester import BacktesterEngine
from engine.config.sections import SimulationSection
from engine.kernel.schema import EQUITY, Phase
from engine.paper.growing import LiveMarket
from engine.slippage import SlippageModel

_SLIPPAGE_FIELDS = ("slip_ticks", "slip_fraction", "slip_sqrt")


class PaperEngine(BacktesterEngine):
    """Live bars, simulated fills: the kernel is the backtest's, only the tables of bars change between its calls.

    Args:
        market: the history to begin with; the account is idle in it.
        rules, initial_cash, currency, fx_rates, slippage, seed: see BacktesterEngine.
    """

    def __init__(
        self,
        market: LiveMarket,
        rules: SimulationSection,
        *,
        initial_cash: float,
        currency: str,
        fx_rates: Mapping[str, float],
        slippage: Sequence[SlippageModel],
        seed: int,
    ) -> None:
        super().__init__(
            market,
            rules,
            initial_cash=initial_cash,
            currency=currency,
            fx_rates=fx_rates,
            slippage=slippage,
            seed=seed,
        )

    def connect(self) -> None:
        """Begin anew behind the history: its bars have closed without the account."""
        super().connect()
        count, cash = len(self.market), self.initial_cash
        if not count:
            return
        for name in ("equity", "cash", "worst_equity"):
            self.tables.equity[name] = cash
        self.tables.symbols["mark"] = self.tables.bars["c"][-1]
        self.tables.account[0]["bar"] = count - 1
        self.stands_at(count - 1, Phase.CLOSE)

    def extend(self, market: LiveMarket) -> None:
        """Go on with ``market``: the bars so far with one more master bar, or with the last one completed."""
        self._market = market
        tables, count = self.tables, len(market)
        tables.bars = market.bars
        if len(tables.flags) < count:
            tables.flags = market.flags()
        if len(tables.equity) < count:
            longer = np.zeros(2 * count, EQUITY)
            longer[: len(tables.equity)] = tables.equity
            tables.equity = longer
        tables.account[0]["n_bars"] = count
        tables.tell_addresses()
        for name in _SLIPPAGE_FIELDS:
            tables.instruments[name] = self._facts[name]
        self._attach_slippage()
        self.refresh_columns()

    @property
    def unknown_names(self) -> dict[int, str]:
        """Names of unknown symbols that orders were given for, by order."""
        return self._unknown

    def _attach_slippage(self) -> None:
        """As the base does, where there is a bar to read it at (S9)."""
        if len(self.market):
            super()._attach_slippage()
