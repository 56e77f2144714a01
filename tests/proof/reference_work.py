"""The reference work, in this engine and in backtesting.py: a cross of averages with a trailing stop.

EMA 20/50 cross at a close, entry at the next open, one contract, stop 2 x ATR(14) from that open, trailed behind the
last close once it lies in favour of the entry; one tick of slippage and 2.50 a side. Both sides read the same
indicator arrays, so that what is compared is the trading.

How the other engine is made to do the same:
- It knows no point value: it gets prices in money (price x point value), and one unit of them is one contract.
- Slippage and commission go through its commission callable, which takes them on every side of a trade.
- An order's stop must be known before the bar that fills it: the strategy is shown the next open, as ours is at OPEN.
  It is written onto the order after it was placed, since the check there compares it with the last close.
- Its strategy runs at a close and ours at the next open. A stop that the next open passes closes the trade before a new
  entry in both, so the strategy enters where it is flat or will be flat at that open.
"""

import contextlib
import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bots.base import BaseStrategyBot, BotSettings, SideArray
from data.instruments import Instrument
from data.series import BarSeries, FloatArray
from engine.backtester import BacktesterEngine
from engine.market import Market
from engine.run import Drive, Run
from exits.atr import TrailingATRExit

if TYPE_CHECKING:
    import pandas as pd

FAST, SLOW, ATR, MULTIPLE = 20, 50, 14, 2.0
COMMISSION, SLIPPAGE_TICKS, CASH = 2.5, 1.0, 1e9
SETTINGS = BotSettings(max_quantity=1, flatten_before_maintenance=False)


class CrossBot(BaseStrategyBot):
    """Buys where the fast average has crossed above the slow one at the last close, sells where below."""

    def sides(self, market: Market) -> SideArray:
        fast, slow = (market.before(market.indicator("ema", period=period)) for period in (FAST, SLOW))
        above, below = fast > slow, fast < slow
        known = ~np.isnan(slow)
        was_known = np.zeros_like(known)
        was_known[1:] = known[:-1]
        crossed = np.zeros(fast.shape, np.int8)
        crossed[1:] = (above[1:] & ~above[:-1]).astype(np.int8) - (below[1:] & ~below[:-1])
        return np.where(was_known, crossed, 0).astype(np.int8)

    def get_state(self) -> dict[str, Any]:
        return {}


def cross_bot() -> CrossBot:
    """The bot with its trailing stop."""
    return CrossBot(SETTINGS, TrailingATRExit(TrailingATRExit.Settings(atr_multiple=MULTIPLE, atr_period=ATR)))


def instrument(symbol: str) -> Instrument:
    """An index future: 12.50 a tick, costs as the work has them."""
    return Instrument(
        symbol=symbol, tick_size=0.25, tick_value=12.5, initial_margin=1.0, maintenance_margin=1.0,
        commission_per_contract=COMMISSION, slippage_ticks=SLIPPAGE_TICKS,
    )  # fmt: skip


def run_here(market: Market, drive: Drive = "compiled") -> Run:
    """The work in this engine, before its first bar."""
    return Run(BacktesterEngine(market, initial_cash=CASH), cross_bot(), drive=drive)


@dataclass(frozen=True, order=True)
class Traded:
    """A closed trade, in bars and money; comparable between engines."""

    entry_bar: int
    exit_bar: int
    size: int
    net_cents: int


def traded_here(run: Run) -> list[Traded]:
    """Closed trades of a run."""
    rows = run.engine.tables.rows("trades")
    return [
        Traded(int(r["entry_bar"]), int(r["exit_bar"]), int(r["side"] * r["max_lots"]), round(float(r["net"]) * 100))
        for r in rows
    ]


def money_frame(series: BarSeries, facts: Instrument) -> "pd.DataFrame":
    """Bars in money, under the names that backtesting.py wants."""
    import pandas as pd

    prices = {name.capitalize(): getattr(series, name) * facts.point_value for name in ("open", "high", "low", "close")}
    index = pd.DatetimeIndex(series.time_ns.astype("datetime64[ns]"))
    return pd.DataFrame(prices | {"Volume": series.volume}, index=index)


@dataclass(frozen=True)
class Inputs:
    """What the other engine's strategy reads, per bar of its own."""

    side_next: FloatArray  # side that the work takes at the next open
    atr: FloatArray  # in money, at the close of the bar
    open_next: FloatArray  # in money


def inputs(market: Market) -> Inputs:
    """Sides, ATR and next opens of the first symbol, each as known at the close before."""
    facts = market.instruments[0]
    sides = cross_bot().sides(market)[:, 0].astype(np.float64)
    atr = market.indicator("atr", period=ATR)[:, 0] * facts.point_value
    opens = market.series[0].open * facts.point_value
    return Inputs(np.append(sides[1:], 0.0), np.array(atr), np.append(opens[1:], np.nan))


def strategy_class(given: Inputs, tick: float) -> type[Any]:
    """The strategy of backtesting.py; ``tick`` in money."""
    from backtesting import Strategy

    class CrossThere(Strategy):  # type: ignore[misc]  # the package has no types
        def init(self) -> None:
            """Nothing is computed there."""

        def next(self) -> None:
            now = len(self.data) - 1
            if self.trades:
                self._trail(now)
            side, opening = given.side_next[now], given.open_next[now]
            if side != 0 and not np.isnan(given.atr[now]) and self._flat_at(opening):
                order = self.buy(size=1) if side > 0 else self.sell(size=1)
                order._replace(sl_price=against(opening - side * MULTIPLE * given.atr[now], -side, tick))

        def _trail(self, now: int) -> None:
            trade, close = self.trades[0], float(self.data.Close[-1])
            side = 1 if trade.is_long else -1
            paid = trade.entry_price + side * SLIPPAGE_TICKS * tick
            stop = against(close - side * MULTIPLE * given.atr[now], -side, tick)
            if (close - paid) * side > 0 and (stop - trade.sl) * side > 0:
                trade.sl = stop

        def _flat_at(self, opening: float) -> bool:
            if not self.trades:
                return True
            trade = self.trades[0]
            return bool(opening <= trade.sl if trade.is_long else opening >= trade.sl)

    return CrossThere


def against(money: float, side: float, tick: float) -> float:
    """Rounded to a tick against whoever trades on that side: buys up, sells down (S2.2)."""
    ticks = money / tick
    whole = np.ceil(ticks - 1e-6) if side > 0 else np.floor(ticks + 1e-6)
    return float(whole * tick)


def backtest_there(market: Market) -> Any:
    """The work in backtesting.py, ready to run."""
    from backtesting import Backtest

    facts = market.instruments[0]
    side_costs = COMMISSION + SLIPPAGE_TICKS * facts.tick_value
    return Backtest(
        money_frame(market.series[0], facts), strategy_class(inputs(market), facts.tick_value), cash=CASH,
        commission=lambda size, price: abs(size) * side_costs,
    )  # fmt: skip


def run_there(backtest: Any) -> Any:
    """Its statistics; what its own code has warned of (pandas' deprecations, open trades) is none of ours."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        return backtest.run()


def traded_there(market: Market) -> list[Traded]:
    """Closed trades of backtesting.py, in order of exit."""
    rows = run_there(backtest_there(market))["_trades"]
    found = [
        Traded(int(row.EntryBar), int(row.ExitBar), int(row.Size), round(float(row.PnL) * 100))
        for row in rows.itertuples()
    ]
    return sorted(found, key=lambda trade: (trade.exit_bar, trade.entry_bar))
