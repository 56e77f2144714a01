"""The one interface to an account and its market: simulation, paper and live alike."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psygnal import Signal

from engine.kernel.schema import OrderType, Phase
from engine.market import Market
from engine.orders import Order, OrderRequest
from engine.views import BarView, Portfolio, Position

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What an adapter can do; a data-only one says that it cannot trade."""

    can_trade: bool
    order_types: frozenset[OrderType] = field(default_factory=frozenset)
    can_modify: bool = False
    simulated: bool = True


class APIInterface(ABC):
    """Commands go in, the truth comes back as events; views are cheap and always as of now.

    Signals (psygnal; nothing is built where nobody listens):
        bar_updated: BarEvent, the open bar has new prices. bar_closed: BarEvent, a bar has closed.
        bar_advanced: BarEvent, a new bar has opened. backtest_finished: the run's status, a text.
        order_accepted, order_filled, order_rejected, order_cancelled, order_expired, order_modified, stop_moved,
        target_moved, margin_call: RunEvent.
    Connect before the run, in a bot's ``prepare`` or in its first bar; what a bot connects later in a backtest may be
    heard some bars later only.

    To write an adapter: implement every abstract method, emit the signals, and say in ``capabilities`` what it can do.
    """

    bar_updated = Signal(object)
    bar_closed = Signal(object)
    bar_advanced = Signal(object)
    backtest_finished = Signal(str)
    order_accepted = Signal(object)
    order_filled = Signal(object)
    order_rejected = Signal(object)
    order_cancelled = Signal(object)
    order_expired = Signal(object)
    order_modified = Signal(object)
    stop_moved = Signal(object)
    target_moved = Signal(object)
    margin_call = Signal(object)

    @property
    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What this adapter can do."""

    @property
    @abstractmethod
    def market(self) -> Market:
        """The bars there are, and the indicators on them."""

    @property
    @abstractmethod
    def bar(self) -> int:
        """Master bar that is current; -1 before the first."""

    @property
    @abstractmethod
    def phase(self) -> Phase:
        """Phase of the current bar."""

    @abstractmethod
    def connect(self) -> None:
        """Begin: a simulation starts before its first bar, a live adapter signs in and subscribes."""

    @abstractmethod
    def disconnect(self) -> None:
        """End; nothing is left running."""

    @abstractmethod
    def place_order(self, request: OrderRequest) -> Order:
        """Give an order; the answer is accepted, filled or rejected with a reason, later changes come as events."""

    @abstractmethod
    def cancel_order(self, order_id: int) -> bool:
        """Cancel a working order; False where nothing of that id works."""

    @abstractmethod
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
        """Change what is given of a working order; a change that would be refused leaves it as it was and says why.

        None leaves a price as it is, ``engine.orders.NO_PRICE`` takes it away.

        Raises:
            ValueError: where no working order has this id, or the new terms are refused; the text has the figures.
        """

    @abstractmethod
    def modify_stop_loss(self, symbol: str, price: float | None) -> bool:
        """Set or clear the stop loss of a position; False without one."""

    @abstractmethod
    def modify_take_profit(self, symbol: str, price: float | None) -> bool:
        """Set or clear the take profit of a position; False without one."""

    @abstractmethod
    def close_position(self, symbol: str) -> Order:
        """Close the whole position at market, reduce-only; rejected when flat (S8.1)."""

    @abstractmethod
    def get_positions(self) -> list[Position]:
        """Open positions, in configuration order."""

    def position(self, symbol: str) -> Position | None:
        """The open position of a symbol, None when flat; KeyError where there is no such symbol."""
        self.market.column(symbol)
        return next((held for held in self.get_positions() if held.symbol == symbol), None)

    @abstractmethod
    def get_orders(self, working_only: bool = True) -> list[Order]:
        """Orders by id; all of them with ``working_only=False``."""

    @abstractmethod
    def get_portfolio(self) -> Portfolio:
        """The account at the marks."""

    @abstractmethod
    def get_total_pnl(self) -> float:
        """Equity at the marks less initial cash."""

    @abstractmethod
    def get_asset_list(self) -> list[str]:
        """Symbols, in configuration order."""

    @abstractmethod
    def get_asset_data(self, symbol: str) -> "pd.DataFrame":
        """Closed bars: index open_time (UTC); open, high, low, close, volume, synthetic. Built when asked."""

    @abstractmethod
    def get_latest_data(self, symbol: str) -> BarView:
        """The current bar as far as it is known: at OPEN its O alone."""
