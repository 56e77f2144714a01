"""What is seen of the simulated account: orders, positions, the account at the marks, and bars as far as known."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from data.instruments import Instrument
from engine.api import APIInterface
from engine.kernel.schema import OrderStatus, OrderType, Phase, Reject, Source, TimeInForce
from engine.kernel.state import NONE, REAL
from engine.market import Market
from engine.orders import Order, Refusal, Side, reason_text
from engine.scale import Scale
from engine.tables import RunTables
from engine.views import BarView, Portfolio, Position

if TYPE_CHECKING:
    import pandas as pd

_NAN = float("nan")
_CLOSED = Phase.CLOSE
# What a view shows: bar t at OPEN is t, bar t at CLOSE is -2 - t, so that -1 is CLOSE before the first bar.
_CLOSED_BEFORE_FIRST = -2
_NEVER = -1 << 62


class AccountViews(APIInterface):
    """The views of an account whose truth is the kernel's tables; all of them read, none changes anything.

    Attributes:
        tables: the kernel's tables; scales: conversions per symbol.
        initial_cash: account money at the start.
        current_bar: current master bar, -1 before the first.
    """

    tables: RunTables
    scales: list[Scale]
    initial_cash: float
    current_bar: int
    _market: Market
    _columns: dict[str, int]
    _phase: Phase
    _unknown: dict[int, str]  # names of unknown symbols, by the order that gave them

    def refresh_columns(self) -> None:
        """Take fresh hold of what is read per bar, and show it anew.

        A view is asked for on every bar, so that each look-up costs: memory views are read twice as fast as arrays.
        """
        bars, flags, times = self.tables.bars, self.tables.flags, self._market.time_ns.data
        self._shown: list[tuple[Any, ...]] = [
            (
                self._views[column],
                *(bars[field][:, column].data for field in ("o", "h", "l", "c")),
                flags[:, column].data,
                times,
                scale.numerator,
                scale.denominator,
            )
            for column, scale in enumerate(self.scales)
        ]
        for view in self._views:
            view.shown = _NEVER
        symbols = self.tables.symbols
        self._lots: NDArray[Any] = symbols["lots"]
        self._held: NDArray[Any] = symbols[
            ["mark", "average", "stop", "target", "initial_risk", "entry_bar", "trade_number"]
        ]
        self._held_facts: NDArray[Any] = self.tables.instruments[
            ["tick_money", "initial_abs", "initial_rate", "maintenance_abs", "maintenance_rate"]
        ]

    def _show_nothing_yet(self) -> None:
        """Begin anew, with the tables of a run before its first bar."""
        self._booked = (0, 0.0, 0.0)
        self._views = [BarView() for _ in self._market.symbols]
        for view in self._views:
            view.show_nothing()
        self.refresh_columns()

    def _instrument(self, symbol: str) -> Instrument | None:
        column = self._columns.get(symbol, NONE)
        return None if column == NONE else self._market.instruments[column]

    def order(self, order_id: int) -> Order:
        """An order as it stands, by id."""
        row = self.tables.orders[order_id - 1]
        column = int(row["symbol"])
        scale = self.scales[max(column, 0)]
        side = Side(int(row["side"])) if row["side"] != 0 else None
        status, reject = OrderStatus(int(row["status"])), Reject(int(row["reject"]))
        quantity = scale.quantity(float(row["lots"]))
        symbol = self._market.symbols[column] if column >= 0 else self._unknown.get(order_id, "")
        return Order(
            id=order_id,
            symbol=symbol,
            side=side,
            type=OrderType(int(row["type"])),
            quantity=quantity,
            limit=scale.price_or_none(float(row["limit"])),
            stop=scale.price_or_none(float(row["stop"])),
            stop_loss=scale.price_or_none(float(row["stop_loss"])),
            take_profit=scale.price_or_none(float(row["take_profit"])),
            time_in_force=TimeInForce(int(row["tif"])),
            reduce_only=bool(row["reduce_only"]),
            status=status,
            reject=reject,
            reason=reason_text(self.refusal_of(row), side, quantity, self._instrument(symbol)),
            source=Source(int(row["source"])),
            placed_bar=int(row["placed_bar"]),
            placed_phase=Phase(int(row["placed_phase"])),
            ended_bar=None if row["ended_bar"] < 0 else int(row["ended_bar"]),
            ended_phase=None if row["ended_phase"] < 0 else Phase(int(row["ended_phase"])),
            triggered=bool(row["triggered"]),
        )

    def refusal_of(self, row: Any) -> Refusal:
        """The figures of an order's refusal in prices, quantities and money."""
        reject = Reject(int(row["reject"]))
        a, b, c = (float(row[name]) for name in ("figure_a", "figure_b", "figure_c"))
        scale = self.scales[max(int(row["symbol"]), 0)]
        if reject in (Reject.STOP_LOSS_SIDE, Reject.TAKE_PROFIT_SIDE):
            a, b = scale.price(a), scale.price(b)
        if reject is Reject.MARGIN:
            c = scale.quantity(c)
        return Refusal(reject=reject, a=a, b=b, c=c)

    def position(self, symbol: str) -> Position | None:
        """The open position of a symbol, None when flat; KeyError where there is no such symbol."""
        column = self._columns.get(symbol, NONE)
        if column == NONE:
            column = self._market.column(symbol)  # says which symbols there are
        lots = self._lots.item(column)
        if lots == 0.0:
            return None
        mark, average, stop, target, risk, entry_bar, trade = self._held.item(column)
        scale = self.scales[column]
        return Position(
            symbol=symbol,
            quantity=scale.quantity(lots),
            average=scale.price(average),
            stop_loss=scale.price_or_none(stop),
            take_profit=scale.price_or_none(target),
            mark=scale.price(mark),
            unrealised=(mark - average) * lots * self._held_facts.item(column)[0],
            entry_bar=entry_bar,
            trade=trade,
            initial_risk=None if risk != risk else risk,
        )

    def get_positions(self) -> list[Position]:
        """Open positions, in configuration order."""
        return [found for symbol in self._market.symbols if (found := self.position(symbol)) is not None]

    def get_orders(self, working_only: bool = True) -> list[Order]:
        """Orders by id."""
        if not working_only:
            return [self.order(index + 1) for index in range(self.tables.count("orders"))]
        return [self.order(index + 1) for index in sorted(self._working_indices())]

    def _working_indices(self) -> Iterator[int]:
        """Rows of the orders that work, along each symbol's list: as many steps as there are, whatever has ended."""
        for index in self.tables.symbols["first_order"].tolist():
            while index != NONE:
                yield index
                index = self.tables.links.item(index)

    def _realised_and_costs(self) -> tuple[float, float]:
        """Sums over all fills in their order, whether taken at once or bit by bit; only new fills are looked at."""
        seen, realised, costs = self._booked
        if seen == self.tables.count("fills"):
            return realised, costs
        new = self.tables.fills[seen : self.tables.count("fills")]
        for profit, commission, fee in new[["realised", "commission", "fee"]].tolist():
            realised += profit
            costs += commission + fee
        self._booked = (seen + len(new), realised, costs)
        return realised, costs

    def get_portfolio(self) -> Portfolio:
        """The account at the marks; equity and margins are summed as the kernel sums them, equal to the last bit."""
        account = self.tables.account[0]
        cash = equity = float(account["cash"])
        unrealised = used = kept = 0.0
        for column, lots in enumerate(self._lots.tolist()):
            if lots != 0.0:
                mark, average, *_ = self._held.item(column)
                money, initial, initial_rate, maintenance, maintenance_rate = self._held_facts.item(column)
                profit = (mark - average) * lots * money
                unrealised += profit
                equity += profit
                used += abs(lots) * (initial + initial_rate * abs(mark))
                kept += abs(lots) * (maintenance + maintenance_rate * abs(mark))
        realised, costs = self._realised_and_costs()
        return Portfolio(
            cash=cash,
            equity=equity,
            unrealised=unrealised,
            used_margin=used,
            maintenance_margin=kept,
            free_margin=equity - used,
            realised=realised,
            costs=costs,
            day_result=equity - self.tables.symbols["day_start_equity"].item(0),
            open_positions=int(account["open_positions"]),
            bankrupt=bool(account["bankrupt"]),
        )

    def get_total_pnl(self) -> float:
        """Equity at the marks less initial cash."""
        return self.get_portfolio().equity - self.initial_cash

    def get_asset_list(self) -> list[str]:
        """Symbols, in configuration order."""
        return list(self._market.symbols)

    def get_asset_data(self, symbol: str) -> "pd.DataFrame":
        """Closed bars as a DataFrame; see APIInterface."""
        import pandas as pd

        market, column = self._market, self._columns[symbol]
        end = self.current_bar + 1 if self._phase is Phase.CLOSE else self.current_bar
        end = max(end, 0)
        scale, rows = self.scales[column], self.tables.bars[:end, column]
        data: dict[str, Any] = {
            name: rows[field] * scale.numerator / scale.denominator
            for name, field in (("open", "o"), ("high", "h"), ("low", "l"), ("close", "c"))
        }
        data["volume"] = market.volume[:end, column]
        data["synthetic"] = ~market.timeline.real[:end, column]
        index = pd.DatetimeIndex(market.time_ns[:end].astype("datetime64[ns]"), tz="UTC", name="open_time")
        return pd.DataFrame(data, index=index)

    def get_latest_data(self, symbol: str) -> BarView:
        """The current bar as far as it is known; the same object is refreshed in place."""
        view: BarView
        column, bar = self._columns[symbol], self.current_bar
        view, opens, _, _, closes, flags, times, up, down = self._shown[column]
        if self._phase is _CLOSED:
            if view.shown != _CLOSED_BEFORE_FIRST - bar:
                view.shown = _CLOSED_BEFORE_FIRST - bar
                self._show_closed(column, bar)
        elif view.shown != bar:
            if view.shown < 0:  # it has shown a bar that has closed
                view.high = view.low = view.close = view.volume = _NAN
            view.shown = view.index = bar
            view.time_ns = times[bar]
            view.real = flags[bar] & REAL != 0
            view.open = opens[bar] * up / down
            view.last_close = closes[bar - 1] * up / down if bar > 0 else _NAN
        return view

    def _show_closed(self, column: int, bar: int) -> None:
        view: BarView
        view, opens, highs, lows, closes, flags, times, up, down = self._shown[column]
        if bar < 0:
            view.show_nothing()
            return
        view.index, view.time_ns = bar, times[bar]
        view.real = flags[bar] & REAL != 0
        view.open, view.high, view.low = opens[bar] * up / down, highs[bar] * up / down, lows[bar] * up / down
        view.close = view.last_close = closes[bar] * up / down
        view.volume = self._market.volume_at(column, bar)
