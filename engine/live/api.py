"""A live feed behind the interface that bots and windows know: bars, indicators, states; no orders.

``capabilities`` say that it does not trade, and every order call answers so. Call ``poll`` regularly, from one thread:
signals are emitted there.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from data.instruments import Instrument
from data.tradestation.bars import Interval
from data.tradestation.events import BarClosed, BarCorrected, BarUpdated, FeedStatus, HistoryLoaded
from data.tradestation.live import LiveFeed, Subscription
from engine.api import APIInterface, Capabilities
from engine.kernel.schema import EventKind, OrderStatus, Phase, Reject
from engine.market import Market
from engine.orders import Order, OrderRequest, Side
from engine.paper.growing import Figures, GrowingBars
from engine.views import BarEvent, BarView, Portfolio, Position, RunEvent

if TYPE_CHECKING:
    import pandas as pd

NO_TRADING = "this adapter does not trade: it shows TradeStation's data only; use a paper account for simulated fills"
_NAN = float("nan")


class TradeStationLiveAPI(APIInterface):
    """TradeStation's bars as they come.

    Args:
        feed: the feeds of one login.
        instruments: contract facts; interval, history_bars, template: what is subscribed for each.

    Attributes:
        statuses: state of each symbol's feed, as last told.
    """

    def __init__(
        self,
        feed: LiveFeed,
        instruments: Sequence[Instrument],
        interval: Interval,
        *,
        history_bars: int = 5_000,
        template: str | None = None,
    ) -> None:
        self.feed, self.interval = feed, interval
        self.instruments = tuple(instruments)
        self._subscriptions = [
            Subscription(one.symbol, interval, history_bars, template, one.calendar) for one in instruments
        ]
        self._columns = {one.symbol: column for column, one in enumerate(instruments)}
        self._bars: dict[str, dict[int, Figures]] = {one.symbol: {} for one in instruments}
        self._forming: dict[str, tuple[int, float]] = {}
        self._market: Market | None = None
        self._views = [BarView() for _ in instruments]
        self._orders = 0
        feed.history_loaded.connect(self._on_history)
        feed.bar_updated.connect(self._on_updated)
        feed.bar_closed.connect(self._on_closed)
        feed.bar_corrected.connect(self._on_corrected)

    # Connection

    @property
    def capabilities(self) -> Capabilities:
        """Data only."""
        return Capabilities(can_trade=False, simulated=self.feed.client.endpoints.simulated)

    def connect(self) -> None:
        """Subscribe every symbol; history and states follow as ``poll`` is called."""
        for subscription in self._subscriptions:
            self.feed.subscribe(subscription)

    def disconnect(self) -> None:
        """End all feeds; nothing is left running."""
        self.feed.stop()

    def poll(self) -> int:
        """Emit what happened since the last call; the number of events."""
        return self.feed.drain()

    @property
    def statuses(self) -> Mapping[str, FeedStatus]:
        """State of each symbol's feed right now."""
        return {subscription.symbol: status for subscription, status in self.feed.statuses().items()}

    # What the feed tells

    def _on_history(self, event: HistoryLoaded) -> None:
        if event.symbol in self._bars:
            self._bars[event.symbol] = {bar.open_ns: bar.figures for bar in event.bars}
            forming, now = self._forming.pop(event.symbol, None), event.open_bar
            if forming is not None and now is not None and forming[0] == now.open_ns:
                self._forming[event.symbol] = (now.open_ns, now.open)
            self._market = None

    def _on_updated(self, event: BarUpdated) -> None:
        if event.symbol not in self._bars:
            return
        opened = self._forming.get(event.symbol, (0, 0.0))[0] != event.bar.open_ns
        if opened:
            self._forming[event.symbol] = (event.bar.open_ns, event.bar.open)
            self._market = None
            self.bar_advanced.emit(self._told())
        self.bar_updated.emit(self._told())

    def _on_closed(self, event: BarClosed) -> None:
        if event.symbol in self._bars:
            self._bars[event.symbol][event.bar.open_ns] = event.bar.figures
            if self._forming.get(event.symbol, (0, 0.0))[0] <= event.bar.open_ns:
                self._forming.pop(event.symbol, None)
            self._market = None
            self.bar_closed.emit(self._told())

    def _on_corrected(self, event: BarCorrected) -> None:
        if event.symbol in self._bars:
            self._bars[event.symbol][event.bar.open_ns] = event.bar.figures
            self._market = None

    def _told(self) -> BarEvent:
        time_ns = int(self.market.time_ns[-1]) if len(self.market) else 0
        return BarEvent(bar=self.bar, phase=self.phase, time_ns=time_ns, equity=_NAN)

    # What is known

    @property
    def market(self) -> Market:
        """Closed bars, and the bars under way with their O alone."""
        if self._market is None:
            bars = GrowingBars(self.instruments, self.interval.bar_ns, 0)
            known = {symbol: dict(own) for symbol, own in self._bars.items()}
            for symbol, (open_ns, price) in self._forming.items():
                known[symbol].setdefault(open_ns, (price, price, price, price, 0.0))
            bars.begin({symbol: sorted(own.items()) for symbol, own in known.items()})
            self._market = bars.market()
        return self._market

    @property
    def bar(self) -> int:
        """The newest master bar; -1 before history has come."""
        return len(self.market) - 1

    @property
    def phase(self) -> Phase:
        """OPEN while a bar is under way, else CLOSE."""
        return Phase.OPEN if self._forming else Phase.CLOSE

    def get_asset_list(self) -> list[str]:
        """Symbols, in configuration order."""
        return [one.symbol for one in self.instruments]

    def get_asset_data(self, symbol: str) -> "pd.DataFrame":
        """Closed bars; see APIInterface."""
        import pandas as pd

        rows = sorted(self._bars[symbol].items())
        table = np.array([figures for _, figures in rows], np.float64).reshape(-1, 5)
        index = pd.DatetimeIndex(np.array([key for key, _ in rows], "datetime64[ns]"), tz="UTC", name="open_time")
        frame = pd.DataFrame(table, columns=["open", "high", "low", "close", "volume"], index=index)
        return frame.assign(synthetic=False)

    def get_latest_data(self, symbol: str) -> BarView:
        """O of the bar under way, or the last closed bar; the same object is refreshed in place."""
        view = self._views[self._columns[symbol]]
        own = self._bars[symbol]
        view.index = self.bar
        closed_ns = max(own, default=None)
        view.last_close = _NAN if closed_ns is None else own[closed_ns][3]
        forming = self._forming.get(symbol)
        if forming is not None:
            view.time_ns, view.open = forming
            view.real = True
            view.high = view.low = view.close = view.volume = _NAN
        elif closed_ns is not None:
            view.time_ns, view.real = closed_ns, True
            view.open, view.high, view.low, view.close, view.volume = own[closed_ns]
        else:
            view.time_ns, view.real = 0, False
            view.open = view.high = view.low = view.close = view.volume = _NAN
        return view

    # Orders: none

    def place_order(self, request: OrderRequest) -> Order:
        """Rejected, with the reason that this adapter does not trade."""
        return self._rejected(request)

    def cancel_order(self, order_id: int) -> bool:
        """False: nothing works here."""
        return False

    def modify_order(
        self,
        order_id: int,
        *,
        quantity: float | None = None,
        limit: float | None = None,
        stop: float | None = None,
        stop_loss: float | None = None,
        take_profit: float | None = None,
    ) -> Order:
        """Refused.

        Raises:
            ValueError: always; the text says that this adapter does not trade.
        """
        raise ValueError(f"order {order_id}: {NO_TRADING}")

    def modify_stop_loss(self, symbol: str, price: float | None) -> bool:
        """False: there is no position."""
        return False

    def modify_take_profit(self, symbol: str, price: float | None) -> bool:
        """False: there is no position."""
        return False

    def close_position(self, symbol: str) -> Order:
        """Rejected, with the reason that this adapter does not trade."""
        return self._rejected(OrderRequest(symbol=symbol, side=Side.SELL, quantity=0.0, reduce_only=True))

    def _rejected(self, request: OrderRequest) -> Order:
        self._orders += 1
        order = Order(
            id=self._orders,
            symbol=request.symbol,
            side=request.side,
            type=request.type,
            quantity=request.quantity,
            limit=request.limit,
            stop=request.stop,
            stop_loss=request.stop_loss,
            take_profit=request.take_profit,
            time_in_force=request.time_in_force,
            reduce_only=request.reduce_only,
            status=OrderStatus.REJECTED,
            reject=Reject.NONE,
            reason=NO_TRADING,
            source=request.source,
            placed_bar=self.bar,
            placed_phase=self.phase,
            ended_bar=self.bar,
            ended_phase=self.phase,
            triggered=False,
        )
        told = self._told()
        self.order_rejected.emit(
            RunEvent(
                kind=EventKind.ORDER_REJECTED,
                bar=told.bar,
                phase=told.phase,
                time_ns=told.time_ns,
                symbol=request.symbol,
                reference=order.id,
                a=_NAN,
                b=_NAN,
                c=_NAN,
            )
        )
        return order

    # No account

    def get_positions(self) -> list[Position]:
        """None."""
        return []

    def get_orders(self, working_only: bool = True) -> list[Order]:
        """None."""
        return []

    def get_portfolio(self) -> Portfolio:
        """No account: every figure of money is NaN."""
        return Portfolio(
            cash=_NAN,
            equity=_NAN,
            unrealised=_NAN,
            used_margin=_NAN,
            maintenance_margin=_NAN,
            free_margin=_NAN,
            realised=_NAN,
            costs=_NAN,
            day_result=_NAN,
            open_positions=0,
            bankrupt=False,
        )

    def get_total_pnl(self) -> float:
        """NaN: there is no account."""
        return _NAN
