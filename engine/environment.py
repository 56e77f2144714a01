"""The hub: what bots, exits and watchers see of a run, the same in simulation, paper and live."""

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from data.instruments import Instrument
from data.series import FloatArray
from engine.api import APIInterface, Capabilities
from engine.chance import seeded_generator
from engine.errors import ConfigError
from engine.kernel.schema import Phase
from engine.orders import Order, OrderRequest
from engine.views import BarView, Portfolio, Position

if TYPE_CHECKING:
    import pandas as pd

_CLOSED = Phase.CLOSE  # asked for on every bar; the look-up in the enumeration costs more than the comparison


class Bot(Protocol):
    """What the environment asks of a bot."""

    def on_bar(self, env: "TradingEnvironment") -> None:
        """OPEN of a bar: O is known, the rest of the bar is not (S5.2)."""

    def on_close(self, env: "TradingEnvironment") -> None:
        """CLOSE of a bar: the whole bar is known; orders wait for the next one (S5.6)."""


class TradingEnvironment:
    """One per run. Everything an APIInterface can do, plus bars, indicators, history, instruments and generators.

    Prices are floats in price units. At OPEN of bar t: O of t, and everything closed up to t-1. At CLOSE: bar t too.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._api: APIInterface | None = None
        self._bot: Bot | None = None
        self._generators: dict[str, np.random.Generator] = {}
        self._indicators: dict[tuple[object, ...], memoryview] = {}

    def set_api(self, api: APIInterface) -> None:
        """Connect the environment to an account and its market."""
        self._api = api
        self._indicators.clear()
        # The one view that a bot asks for on every bar goes straight to the adapter.
        self.bar = api.get_latest_data  # type: ignore[method-assign]

    def set_bot(self, bot: Bot) -> None:
        """The bot that ``on_bar`` and ``on_close`` drive."""
        self._bot = bot

    @property
    def api(self) -> APIInterface:
        """The adapter.

        Raises:
            ConfigError: before ``set_api``.
        """
        if self._api is None:
            raise ConfigError("the environment has no account yet; call set_api first")
        return self._api

    @property
    def bot(self) -> Bot:
        """The bot.

        Raises:
            ConfigError: before ``set_bot``.
        """
        if self._bot is None:
            raise ConfigError("the environment has no bot yet; call set_bot first")
        return self._bot

    def on_bar(self) -> None:
        """Let the bot act at OPEN."""
        self.bot.on_bar(self)

    def on_close(self) -> None:
        """Let the bot act at CLOSE."""
        self.bot.on_close(self)

    # Where the run stands

    @property
    def now(self) -> int:
        """Opening time of the current bar, UTC nanoseconds; before the first bar, when that one opens."""
        return int(self.api.market.time_ns[max(self.api.bar, 0)])

    @property
    def bar_index(self) -> int:
        """Number of the current master bar."""
        return self.api.bar

    @property
    def phase(self) -> Phase:
        """Phase of the current bar."""
        return self.api.phase

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols in configuration order."""
        return self.api.market.symbols

    # What is known

    def bar(self, symbol: str) -> BarView:
        """The current bar as far as it is known; the same object is refreshed in place."""
        return self.api.get_latest_data(symbol)

    def indicator(self, name: str, symbol: str, timeframe: str | None = None, **parameters: Any) -> float:
        """Value of an indicator at the last closed bar; NaN until warm (S10).

        Example:
            >>> env.indicator("ema", "ES", period=50)  # doctest: +SKIP
        """
        key = (name, symbol, timeframe, *parameters.items())
        column = self._indicators.get(key)
        if column is None:
            market = self.api.market
            column = market.indicator(name, timeframe, **parameters)[:, market.column(symbol)].data
            self._indicators[key] = column
        closed = self._closed()
        return column[closed - 1] if closed > 0 else float("nan")

    def history(self, symbol: str, n: int) -> dict[str, FloatArray]:
        """The last ``n`` closed real bars (fewer at the start): open, high, low, close, volume, time_ns; copies."""
        market = self.api.market
        column, closed = market.column(symbol), self._closed()
        last = int(market.timeline.row[closed - 1, column]) + 1 if closed > 0 else 0
        first, series = max(last - n, 0), market.series[column]
        names = ("open", "high", "low", "close", "volume", "time_ns")
        return {name: getattr(series, name)[first:last].copy() for name in names}

    def _closed(self) -> int:
        """Number of closed master bars."""
        api = self.api
        return api.bar + 1 if api.phase is _CLOSED else api.bar

    @property
    def portfolio(self) -> Portfolio:
        """The account at the marks."""
        return self.api.get_portfolio()

    def position(self, symbol: str) -> Position | None:
        """The open position of a symbol, None when flat.

        Raises:
            KeyError: where the run has no such symbol; with those that it has.
        """
        return self.api.position(symbol)

    def instrument(self, symbol: str) -> Instrument:
        """Contract facts of a symbol."""
        return self.api.market.instruments[self.api.market.column(symbol)]

    def session(self, symbol: str) -> tuple[int, int]:
        """Opening and closing time of the session of the current bar, UTC nanoseconds; of the first one before it."""
        market, bar = self.api.market, max(self.api.bar, 0)
        return market.sessions(market.column(symbol)).hours_at(bar)

    def rng(self, name: str) -> np.random.Generator:
        """A generator of your own; its state goes into snapshots, so that a rewind draws the same again."""
        if name not in self._generators:
            self._generators[name] = seeded_generator(self.seed, name)
        return self._generators[name]

    def generator_states(self) -> dict[str, Any]:
        """States of all generators, as plain data."""
        return {name: generator.bit_generator.state for name, generator in self._generators.items()}

    def set_generator_states(self, states: dict[str, Any]) -> None:
        """Go back to earlier states; generators made since begin anew."""
        self._generators = {}
        for name, state in states.items():
            self.rng(name).bit_generator.state = state

    # The account

    @property
    def capabilities(self) -> Capabilities:
        """What the adapter can do."""
        return self.api.capabilities

    def connect(self) -> None:
        """See APIInterface."""
        self.api.connect()

    def disconnect(self) -> None:
        """See APIInterface."""
        self.api.disconnect()

    def place_order(self, request: OrderRequest) -> Order:
        """See APIInterface."""
        return self.api.place_order(request)

    def cancel_order(self, order_id: int) -> bool:
        """See APIInterface."""
        return self.api.cancel_order(order_id)

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
        """See APIInterface."""
        return self.api.modify_order(
            order_id, quantity=quantity, limit=limit, stop=stop, stop_loss=stop_loss, take_profit=take_profit
        )

    def modify_stop_loss(self, symbol: str, price: float | None) -> bool:
        """See APIInterface."""
        return self.api.modify_stop_loss(symbol, price)

    def modify_take_profit(self, symbol: str, price: float | None) -> bool:
        """See APIInterface."""
        return self.api.modify_take_profit(symbol, price)

    def close_position(self, symbol: str) -> Order:
        """See APIInterface."""
        return self.api.close_position(symbol)

    def get_positions(self) -> list[Position]:
        """See APIInterface."""
        return self.api.get_positions()

    def get_orders(self, working_only: bool = True) -> list[Order]:
        """See APIInterface."""
        return self.api.get_orders(working_only)

    def get_portfolio(self) -> Portfolio:
        """See APIInterface."""
        return self.api.get_portfolio()

    def get_total_pnl(self) -> float:
        """See APIInterface."""
        return self.api.get_total_pnl()

    def get_asset_list(self) -> list[str]:
        """See APIInterface."""
        return self.api.get_asset_list()

    def get_asset_data(self, symbol: str) -> "pd.DataFrame":
        """See APIInterface."""
        return self.api.get_asset_data(symbol)

    def get_latest_data(self, symbol: str) -> BarView:
        """See APIInterface."""
        return self.api.get_latest_data(symbol)
