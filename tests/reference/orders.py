"""What happens to orders and level changes when they are given: checks, ids, waiting (S5.3 to S5.6, S8.2)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.reference.matching import Matcher
from tests.reference.model import Bar, Order, Position, Spec, is_finite, round_down, round_up, snap

SIDES = {"buy": 1, "sell": -1}
KINDS = ("market", "limit", "stop", "stop_limit")


class OrderDesk:
    """Takes what the bot or a person gives, in the phase in which the matcher stands."""

    def __init__(self, matcher: Matcher, bars: Mapping[str, list[Bar | None]], days: list[Any]) -> None:
        """Begin open for business."""
        self.matcher = matcher
        self.ledger = matcher.ledger
        self.bars = bars
        self.days = days
        self.bankrupt = False

    def opening(self, symbol: str) -> float | None:
        """O, if it is OPEN of a real bar of the symbol."""
        row = self.bars[symbol][self.matcher.bar]
        return row.open if row is not None and self.matcher.phase == "OPEN" else None

    def begin_day(self, symbol: str) -> None:
        """DAY orders that meet their first OPEN belong to its trading day (S7.4)."""
        for order in self.matcher.live(symbol):
            if order.day is None:
                order.day = self.days[self.matcher.bar]

    def take(self, action: Mapping[str, Any]) -> None:
        """One action of a case."""
        kind = action["type"]
        if kind in KINDS or kind == "close":
            self.submit(action)
        elif kind == "cancel":
            self._cancel(action)
        elif kind == "modify_order":
            self._modify(action)
        elif kind in ("modify_stop", "tighten_stop"):
            self._level(action, "stop", action.get("sl"))
        elif kind == "modify_target":
            self._level(action, "target", action.get("tp"))
        else:
            raise ValueError(f"action type {kind!r} is none of the case format's")

    # New orders

    def submit(self, action: Mapping[str, Any]) -> Order:
        """Number an order, check it, fill it at O if it can be, else let it wait."""
        order = self._numbered(action)
        self.matcher.orders.append(order)
        reason = self._fill_in(order, action)
        if reason is not None:
            self.matcher.end(order, "rejected", reason)
        else:
            self._place(order)
        return order

    def _numbered(self, action: Mapping[str, Any]) -> Order:
        closing = action["type"] == "close"
        return Order(
            number=len(self.matcher.orders) + 1,
            symbol=action["symbol"],
            side=0 if closing else SIDES[action["side"]],
            kind="market" if closing else action["type"],
            tif=action.get("tif") or "gtc",
            source=action.get("source", "bot"),
            placed_bar=self.matcher.bar,
            placed_phase=self.matcher.phase,
            reduce_only=closing or bool(action.get("reduce_only")),
            whole=closing,
            flatten=bool(action.get("flatten")),
        )

    def _fill_in(self, order: Order, action: Mapping[str, Any]) -> str | None:
        """Complete an order from its action; the reason if it must be rejected."""
        spec = self.ledger.specs.get(order.symbol)
        if spec is None:
            return "unknown_symbol"
        if order.whole:
            return self._fill_in_close(order)
        lots = self._lots(spec, action.get("qty"))
        if lots is None:
            return "quantity"
        order.lots = lots
        levels = () if order.reduce_only else ("sl", "tp")
        wanted = {"limit": ("limit",), "stop": ("stop",), "stop_limit": ("limit", "stop"), "market": ()}[order.kind]
        given = [action[key] for key in levels if action.get(key) is not None]
        if not all(is_finite(value) for value in [*(action.get(key) for key in wanted), *given]):
            return "price_missing"
        self._set_prices(order, spec, {key: action[key] for key in wanted})
        if not order.reduce_only:
            order.stop_loss = _rounded(spec, action.get("sl"), up=order.side < 0)
            order.take_profit = _rounded(spec, action.get("tp"), up=order.side > 0)
        entry = self.ledger.marks[order.symbol] if order.is_market else order.entry
        return _wrong_side(order, entry) or ("bankrupt" if self.bankrupt else None)

    def _fill_in_close(self, order: Order) -> str | None:
        position = self.ledger.positions[order.symbol]
        order.side, order.lots = -position.side, abs(position.lots)
        if self.bankrupt:
            return "bankrupt"
        return "flat" if position.lots == 0 else None

    @staticmethod
    def _lots(spec: Spec, quantity: Any) -> float | None:
        """A quantity as lots, or ``None`` if it is not a positive multiple of the lot (S2.1, S8.2)."""
        if not is_finite(quantity) or quantity <= 0:
            return None
        lots = snap(quantity / spec.lot_size)
        return lots if lots == round(lots) and lots > 0 else None

    @staticmethod
    def _set_prices(order: Order, spec: Spec, prices: Mapping[str, float]) -> None:
        """Round order prices against the trader (S2.2)."""
        if "limit" in prices:
            order.limit = _rounded(spec, prices["limit"], up=order.side < 0)
        if "stop" in prices:
            order.stop = _rounded(spec, prices["stop"], up=order.side > 0)

    def _place(self, order: Order) -> None:
        price = self.opening(order.symbol)
        if price is None:
            return
        if not order.is_market:
            order.day = self.days[self.matcher.bar]
            self.matcher.meet_open(order, price)
        elif order.flatten or self.matcher.policy.market_fill == "this_open":
            reason = "flatten" if order.flatten else "market"
            self.matcher.fill_order(order, price, price, reason, slips=True)

    # Changes

    def _live(self, number: int) -> Order | None:
        found = [order for order in self.matcher.orders if order.number == number and order.status == "accepted"]
        return found[0] if found else None

    def _cancel(self, action: Mapping[str, Any]) -> None:
        order = self._live(action["id"])
        if order is not None:
            self.matcher.end(order, "cancelled", "by_hand" if action.get("source") == "manual" else "by_bot")

    def _modify(self, action: Mapping[str, Any]) -> None:
        order = self._live(action["id"])
        if order is None:
            return
        spec, changed = self.ledger.specs[order.symbol], replace(order)
        if "qty" in action and not order.whole:
            lots = self._lots(spec, action["qty"])
            if lots is None:
                return
            changed.lots = lots
        fits = {"limit": order.limit is not None, "stop": order.stop is not None and not order.triggered}
        prices = {key: action[key] for key, fit in fits.items() if fit and key in action}
        levels = {key: action[key] for key in ("sl", "tp") if key in action and not order.reduce_only}
        given = [level for level in levels.values() if level is not None]
        if not all(is_finite(price) for price in [*prices.values(), *given]):
            return
        self._set_prices(changed, spec, prices)
        if "sl" in levels:
            changed.stop_loss = _rounded(spec, levels["sl"], up=order.side < 0)
        if "tp" in levels:
            changed.take_profit = _rounded(spec, levels["tp"], up=order.side > 0)
        if not order.is_market and _wrong_side(changed, changed.entry) is not None:
            return
        order.lots, order.limit, order.stop = changed.lots, changed.limit, changed.stop
        order.stop_loss, order.take_profit = changed.stop_loss, changed.take_profit
        price = self.opening(order.symbol)
        if price is not None and not order.is_market:
            self.matcher.meet_open(order, price)

    def _level(self, action: Mapping[str, Any], key: str, given: float | None) -> None:
        position = self.ledger.positions.get(action["symbol"])
        if position is None or position.lots == 0 or (given is not None and not is_finite(given)):
            return
        up = position.side < 0 if key == "stop" else position.side > 0
        level = _rounded(position.spec, given, up=up)
        if action["type"] != "tighten_stop" or _is_tighter(level, position):
            self.set_level(action["symbol"], key, level)

    def set_level(self, symbol: str, key: str, level: float | None) -> None:
        """Set a protective level in ticks; at OPEN of a real bar it may trigger at once (S5.4)."""
        position = self.ledger.positions[symbol]
        setattr(position, key, level)
        position.note_risk()
        price = self.opening(symbol)
        if price is not None:
            self.matcher.protect(symbol, price)


def _rounded(spec: Spec, price: float | None, *, up: bool) -> float | None:
    """A price as whole ticks, up or down."""
    if price is None:
        return None
    return round_up(price / spec.tick_size) if up else round_down(price / spec.tick_size)


def _is_tighter(level: float | None, position: Position) -> bool:
    """Whether a stop lies nearer to the profit side than the position's."""
    if level is None:
        return False
    return position.stop is None or (level - position.stop) * position.side > 0


def _wrong_side(order: Order, entry: float | None) -> str | None:
    """Why an order's levels contradict its entry, both rounded (S8.2)."""
    if entry is None:
        return None
    if order.stop_loss is not None and (entry - order.stop_loss) * order.side <= 0:
        return "stop_loss_side"
    if order.take_profit is not None and (order.take_profit - entry) * order.side <= 0:
        return "take_profit_side"
    return None
