"""The simulated account: the kernel behind the interface that bots, windows and live adapters share."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from psygnal import SignalInstance

from data.instruments import Instrument
from engine.account_views import AccountViews
from engine.api import Capabilities
from engine.config.sections import SimulationSection
from engine.kernel import loops
from engine.kernel.broker import BY_HAND, FLATTENING, REDUCE_ONLY
from engine.kernel.schema import PRICE_EVENTS, TERM_EVENTS, EventKind, OrderType, Phase, Reject, Source
from engine.kernel.state import BEST_CASE, COLOUR, FINE_BARS, NONE, PROXIMITY, WORST_CASE
from engine.market import Market, SessionPolicy
from engine.orders import Order, OrderRequest, Refusal, reason_text
from engine.scale import Scale
from engine.slippage import FixedSlippage, SlippageModel
from engine.tables import RunTables, empty_instruments
from engine.views import BarEvent, RunEvent

PATHS = {
    "worst_case": WORST_CASE,
    "best_case": BEST_CASE,
    "proximity": PROXIMITY,
    "colour": COLOUR,
    "fine_bars": FINE_BARS,
}
_NAN = float("nan")


def instrument_records(
    instruments: Sequence[Instrument], scales: Sequence[Scale], currency: str, fx_rates: Mapping[str, float]
) -> Any:
    """Contract facts in kernel units: money in account currency, per tick and lot (S1.2, S1.4)."""
    table = empty_instruments(len(instruments))
    for row, facts, scale in zip(table, instruments, scales, strict=True):
        rate = 1.0 if facts.currency == currency else fx_rates[facts.currency]
        lot = scale.lot_size
        row["tick_money"] = facts.tick_value * lot * rate
        row["initial_abs"] = (facts.initial_margin or 0.0) * lot * rate
        row["maintenance_abs"] = (facts.maintenance_margin or 0.0) * lot * rate
        row["initial_rate"] = (facts.initial_margin_rate or 0.0) * facts.tick_value * lot * rate
        row["maintenance_rate"] = (facts.maintenance_margin_rate or 0.0) * facts.tick_value * lot * rate
        row["commission"] = facts.commission_per_contract * lot * rate
        row["fee"] = facts.fee_per_trade * rate
    return table


class BacktesterEngine(AccountViews):
    """One simulated account over one market.

    Args:
        market: bars, instruments, timeline.
        rules: how fills are decided (S6, S7).
        initial_cash: account money at the start.
        currency, fx_rates: account currency and constant rates of others (S1.4).
        slippage: one model per symbol; None: the instruments' own fixed slippage.
        seed: seed of everything random (S14).
        keep_rows: allocate rows of equity and journal; without, runs of a batch only read what it begins with.
    """

    def __init__(
        self,
        market: Market,
        rules: SimulationSection | None = None,
        *,
        initial_cash: float = 100_000.0,
        currency: str = "USD",
        fx_rates: Mapping[str, float] | None = None,
        slippage: Sequence[SlippageModel] | None = None,
        seed: int = 0,
        keep_rows: bool = True,
    ) -> None:
        self._keep_rows = keep_rows
        self.rules = rules if rules is not None else SimulationSection()
        self.initial_cash, self.currency, self.seed = initial_cash, currency, seed
        self._market = market
        self.scales = [Scale(facts) for facts in market.instruments]
        self._columns = market.columns
        self._facts = instrument_records(market.instruments, self.scales, currency, fx_rates or {})
        self._models = (
            list(slippage) if slippage is not None else [FixedSlippage(FixedSlippage.Settings())] * len(market.symbols)
        )
        self.listening = False
        self.notes: list[str] = []
        self._unknown: dict[int, str] = {}
        self.connect()

    def note(self, text: str) -> None:
        """Keep a sentence for the report: something was asked for that had no effect."""
        self.notes.append(f"bar {self.current_bar} {self._phase.name}: {text}")

    def note_once(self, text: str) -> None:
        """Keep a sentence for the report that holds for the whole run."""
        if text not in self.notes:
            self.notes.append(text)

    # Set-up

    def connect(self) -> None:
        """Begin anew before the first bar."""
        market = self._market
        self.tables = RunTables(market.bars, market.flags(), self._facts.copy(), self.initial_cash, self._keep_rows)
        account = self.tables.account[0]
        account["path"] = PATHS[self.rules.path]
        account["through"] = self.rules.limit_fill == "through"
        account["next_open"] = self.rules.market_fill == "next_open"
        account["liquidate_all"] = self.rules.liquidation == "all"
        account["breach"] = self.rules.liquidation_price == "breach"
        if self.rules.path == "fine_bars":
            fine, start = market.fine_table()
            self.tables.attach("fine_a", fine)
            self.tables.attach("fine_start_a", start)
            self._note_bars_without_finer(start)
        self._attach_slippage()
        self.current_bar, self._phase, self.events_seen = NONE, Phase.CLOSE, 0
        self._show_nothing_yet()

    def _note_bars_without_finer(self, start: NDArray[np.int64]) -> None:
        """Say how many bars are walked as a worst case, since no finer bars make them up (S6.4)."""
        market = self._market
        found = np.diff(start.reshape(len(market.symbols), -1)) > 0
        for column, symbol in enumerate(market.symbols):
            own = int(np.count_nonzero(market.timeline.real[:, column]))
            without = own - int(np.count_nonzero(found[column]))
            lacking = f"of {own:,} bars {without:,} have no finer bars that make them up; they"
            if symbol not in market.fine:
                lacking = "it has no fine_file; its bars"
            if without:
                self.note_once(f"{symbol}: path is fine_bars, but {lacking} are walked as worst_case")

    def _attach_slippage(self) -> None:
        """Constant parts go into the instruments, varying ones into tables read at the open of each bar (S9)."""
        market = self._market
        tables: dict[str, NDArray[Any]] = {}
        for column, model in enumerate(self._models):
            parts = model.slippage(market.indicator_bars(column), market.instruments[column])
            row, root_lot = self.tables.instruments[column], np.sqrt(self.scales[column].lot_size)
            row["slip_fraction"] = parts.fraction
            for name, field, unit in (("ticks", "slip_ticks", 1.0), ("root", "slip_sqrt", root_lot)):
                value = getattr(parts, name)
                if isinstance(value, np.ndarray):
                    table = tables.setdefault(name, np.zeros((len(market), len(market.symbols))))
                    table[:, column] = np.nan_to_num(market.known_at_open(column, value * unit), nan=0.0)
                else:
                    row[field] = value * unit
            row["slip_ticks"] += parts.fixed
        for name, address in (("ticks", "slip_ticks_a"), ("root", "slip_sqrt_a")):
            self.tables.attach(address, tables.get(name))

    def keep_sessions(self, policy: SessionPolicy) -> None:
        """Set the session flags that the base bot's gates read (S11.1)."""
        self.tables.flags[:] = self._market.flags(policy)
        wanted = [self._market.flattens(column, policy) for column in range(len(self.scales))]
        self.tables.account[0]["flatten_on"] = any(wanted)
        for calendar, symbol in zip(self._market.calendars, self._market.symbols, strict=True):
            if policy.flatten and calendar.name is None:
                self.note_once(
                    f"{symbol}: flatten_before_maintenance is true, but the asset has no calendar, so that no "
                    "session ends; give it one"
                )

    def shared(self, key: object, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """What ``make`` gives; where many runs share one market, what it gave before for an equal ``key``."""
        return make()

    def disconnect(self) -> None:
        """End; the tables stay readable."""
        self.listening = False

    # Where the run stands

    @property
    def capabilities(self) -> Capabilities:
        """Everything, simulated."""
        return Capabilities(can_trade=True, order_types=frozenset(OrderType), can_modify=True, simulated=True)

    @property
    def market(self) -> Market:
        """The bars of the run."""
        return self._market

    @property
    def bar(self) -> int:
        """Current master bar; -1 before the first."""
        return self.current_bar

    @property
    def phase(self) -> Phase:
        """Phase of the current bar."""
        return self._phase

    def stands_at(self, bar: int, phase: Phase) -> None:
        """Note where the kernel stands; the drives call this."""
        self.current_bar, self._phase = bar, phase
        self._booked = (0, 0.0, 0.0)  # after a rewind, rows of fills are used again

    # Advancing, one phase or one bar at a time

    def open_bar(self, bar: int) -> None:
        """OPEN of a bar up to the moment the bot runs (S5.1)."""
        self.tables.call(loops.begin_bar, bar)
        self.current_bar, self._phase = bar, Phase.OPEN
        if self.listening:
            self.publish()
            self.bar_advanced.emit(self.bar_event())

    def run_intrabar(self) -> None:
        """INTRABAR of the current bar (S6)."""
        self.tables.call(loops.run_intrabar)
        self._phase = Phase.INTRABAR
        if self.listening:
            self.publish()
            self.bar_updated.emit(self.bar_event())

    def close_bar(self) -> None:
        """CLOSE of the current bar up to on_close (S7)."""
        self.tables.call(loops.run_close)
        self._phase = Phase.CLOSE
        if self.listening:
            self.publish()
            self.bar_closed.emit(self.bar_event())

    def finish_bar(self) -> None:
        """INTRABAR and CLOSE in one call where nobody listens."""
        if self.listening:
            self.run_intrabar()
            self.close_bar()
            return
        self.tables.call(loops.end_bar)
        self._phase = Phase.CLOSE

    def finish(self) -> Literal["completed", "bankrupt"]:
        """End of data: close what is open if the rules say so (S7.6), tell the listeners; returns how the run ended."""
        if self.rules.liquidate_on_finish and self.current_bar >= 0:
            self.tables.call(loops.run_finish)
        status: Literal["completed", "bankrupt"] = "bankrupt" if self.tables.account["bankrupt"][0] else "completed"
        if self.listening:
            self.publish()
            self.backtest_finished.emit(status)
        return status

    # Signals

    def look_for_listeners(self) -> None:
        """Test the signals for listeners; done once per chunk of bars, since an unheard emit has its price."""
        signals: list[SignalInstance] = [
            self.bar_updated, self.bar_closed, self.bar_advanced, self.backtest_finished, self.order_accepted,
            self.order_filled, self.order_rejected, self.order_cancelled, self.order_expired, self.order_modified,
            self.stop_moved, self.target_moved, self.margin_call,
        ]  # fmt: skip
        listening = any(len(signal) > 0 for signal in signals)
        if listening and not self.listening:
            self.events_seen = self.tables.count("events")
        self.listening = listening

    def bar_event(self) -> BarEvent:
        """Where the run stands, as a payload."""
        equity = float(self.tables.account["equity"][0])
        return BarEvent(
            bar=self.current_bar, phase=self._phase, time_ns=int(self._market.time_ns[self.current_bar]), equity=equity
        )

    def publish(self) -> None:
        """Emit what happened since the last call."""
        signals = {
            EventKind.ORDER_ACCEPTED: self.order_accepted,
            EventKind.ORDER_REJECTED: self.order_rejected,
            EventKind.ORDER_CANCELLED: self.order_cancelled,
            EventKind.ORDER_EXPIRED: self.order_expired,
            EventKind.ORDER_MODIFIED: self.order_modified,
            EventKind.FILL: self.order_filled,
            EventKind.STOP_MOVED: self.stop_moved,
            EventKind.TARGET_MOVED: self.target_moved,
            EventKind.MARGIN_CALL: self.margin_call,
        }
        rows = self.tables.rows("events")
        while self.events_seen < len(rows):
            row = rows[self.events_seen]
            self.events_seen += 1
            signal = signals.get(EventKind(int(row["kind"])))
            if signal is not None and len(signal) > 0:
                signal.emit(self.event_of(row))
                rows = self.tables.rows("events")

    def event_of(self, row: Any) -> RunEvent:
        """An event row with names, prices and times."""
        kind, column = EventKind(int(row["kind"])), int(row["symbol"])
        a, b, c = float(row["a"]), float(row["b"]), float(row["c"])
        if column >= 0:
            scale = self.scales[column]
            if kind in PRICE_EVENTS:
                a, b = scale.price(a), scale.price(b)
            elif kind in TERM_EVENTS:
                a, b, c = scale.price(a), scale.price(b), scale.quantity(c)
            elif kind is EventKind.DECISION:
                b, c = scale.price(b), scale.quantity(c)
            elif kind is EventKind.ORDER_REJECTED:
                refused = self.refusal_of(self.tables.orders[int(row["ref"]) - 1])
                a, b, c = refused.a, refused.b, refused.c
        bar = int(row["bar"])
        return RunEvent(
            kind=kind,
            bar=bar,
            phase=Phase(int(row["phase"])),
            time_ns=int(self._market.time_ns[bar]) if bar >= 0 else 0,
            symbol=self._market.symbols[column] if column >= 0 else None,
            reference=int(row["ref"]),
            a=a,
            b=b,
            c=c,
        )

    # Orders

    def column_of(self, symbol: str) -> int:
        """Column of a symbol, -1 for an unknown one."""
        return self._columns.get(symbol, NONE)

    def place_order(self, request: OrderRequest) -> Order:
        """Give an order; see APIInterface."""
        column = self._columns.get(request.symbol, NONE)
        scale = self.scales[max(column, 0)]
        flags = (REDUCE_ONLY if request.reduce_only else 0) | (BY_HAND if request.source is Source.MANUAL else 0)
        order = self.tables.call(
            loops.place_order,
            column,
            int(request.side),
            int(request.type),
            int(request.time_in_force),
            scale.lots(request.quantity),
            scale.ticks(request.limit),
            scale.ticks(request.stop),
            scale.ticks(request.stop_loss),
            scale.ticks(request.take_profit),
            flags,
        )
        return self._answer(order, request.symbol)

    def close_position(self, symbol: str, source: Source = Source.BOT) -> Order:
        """Close a position; see APIInterface."""
        flags = BY_HAND if source is Source.MANUAL else 0
        return self._answer(self.tables.call(loops.close_position, self._columns.get(symbol, NONE), flags), symbol)

    def flatten(self, symbol: str) -> Order:
        """Close a position at this O whatever ``market_fill`` says, with the reason flatten (S11.1)."""
        return self._answer(self.tables.call(loops.close_position, self._columns.get(symbol, NONE), FLATTENING), symbol)

    def _answer(self, order_id: int, symbol: str) -> Order:
        """The order just given, after its events; the name of an unknown symbol is kept for it."""
        if symbol not in self._columns:
            self._unknown[order_id] = symbol
        if self.listening:
            self.publish()
        return self.order(order_id)

    def cancel_order(self, order_id: int, source: Source = Source.BOT) -> bool:
        """Cancel a working order; see APIInterface."""
        why = Reject.BY_HAND if source is Source.MANUAL else Reject.BY_BOT
        done = self.tables.call(loops.cancel_order, order_id, int(why)) == 1
        if self.listening:
            self.publish()
        return done

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
        """Change a working order; see APIInterface."""
        if not 1 <= order_id <= self.tables.count("orders"):
            raise ValueError(f"order {order_id} does not exist; the last one is {self.tables.count('orders')}")
        row = self.tables.orders[order_id - 1]
        scale = self.scales[max(int(row["symbol"]), 0)]
        given = {"limit": limit, "stop": stop, "stop_loss": stop_loss, "take_profit": take_profit}
        ticks = [float(row[name]) if price is None else scale.ticks(price) for name, price in given.items()]
        lots = float(row["lots"]) if quantity is None else scale.lots(quantity)
        answer = self.tables.call(loops.modify_order, order_id, lots, *ticks)
        if self.listening:
            self.publish()
        order = self.order(order_id)
        if answer == -1:
            raise ValueError(f"order {order_id} does not work any more: it is {order.status.name.lower()}")
        if answer > 0:
            wanted = order.quantity if quantity is None else quantity
            text = self._why_unchanged(order, Reject(answer), given, wanted)
            raise ValueError(f"order {order_id} stays as it was: {text}")
        return order

    def _why_unchanged(self, order: Order, reject: Reject, given: Mapping[str, float | None], quantity: float) -> str:
        """Why new terms are refused, with the figures: the level and the entry that it is measured against (S8.2)."""
        new = {name: getattr(order, name) if price is None else price for name, price in given.items()}
        level = new["stop_loss"] if reject is Reject.STOP_LOSS_SIDE else new["take_profit"]
        entry = new["stop"] if new["limit"] is None else new["limit"]
        figures = [_NAN if price is None else price for price in (level, entry)]
        refusal = Refusal(reject=reject, a=figures[0], b=figures[1])
        return reason_text(refusal, order.side, quantity, self._instrument(order.symbol))

    def modify_stop_loss(self, symbol: str, price: float | None) -> bool:
        """Set or clear a stop loss; see APIInterface."""
        return self._level(loops.modify_stop, symbol, price)

    def modify_take_profit(self, symbol: str, price: float | None) -> bool:
        """Set or clear a take profit; see APIInterface."""
        return self._level(loops.modify_target, symbol, price)

    def tighten_stop_loss(self, symbol: str, price: float | None) -> bool:
        """Move the stop loss only if that is tighter (S11.5); None changes nothing."""
        return self._level(loops.tighten_stop, symbol, price)

    def _level(self, function: Any, symbol: str, price: float | None) -> bool:
        column = self._columns.get(symbol, NONE)
        if column == NONE:
            return False
        done = self.tables.call(function, column, self.scales[column].ticks(price)) == 1
        if self.listening:
            self.publish()
        return done
