"""When orders and protective levels trigger, and at what price they fill (S2, S5.1, S6)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.reference.ledger import Fill, Ledger
from tests.reference.model import Bar, Order, Policy, Position, Spec, round_down, round_up


@dataclass
class SlippageModel:
    """Slippage of one symbol in ticks: the instrument's own, or the arrays that a case gives (S2.4, S9)."""

    spec: Spec
    per_bar: list[float] | None = None
    volume_k: float = 0.0
    average_volume: list[float | None] | None = None

    def ticks(self, bar: int, base: float, lots: float) -> float:
        """Slippage of a fill at a base price in some bar."""
        if self.per_bar is None:
            fixed = self.spec.slippage_ticks
            if self.spec.slippage_pct is not None:
                fixed = self.spec.slippage_pct * abs(base)
        else:
            fixed = self.per_bar[bar]
        volume = None if self.average_volume is None else self.average_volume[bar]
        if volume is None or volume <= 0:
            return fixed
        return float(fixed + self.volume_k * (abs(lots) * self.spec.lot_size / volume) ** 0.5)


@dataclass
class Walk:
    """Where price stands in INTRABAR of one symbol's bar, where it has been, and the rest of its route.

    A step is a price that is walked to, or (with ``jump``) one that is printed without what lies between.
    """

    bar: Bar
    at: float
    low: float
    high: float
    route: list[tuple[float, bool]] = field(default_factory=list)
    adverse_first: bool | None = None

    def touch(self, price: float) -> None:
        """Price stands here now."""
        self.at = price
        self.low, self.high = min(self.low, price), max(self.high, price)

    def reroute(self, side: int) -> None:
        """A fill has opened or reversed a position: extremes once more, in the policy's order (S6.2, S6.3)."""
        if self.adverse_first is None:
            return
        down_first = (side > 0) == self.adverse_first
        first, second = (self.bar.low, self.bar.high) if down_first else (self.bar.high, self.bar.low)
        been_there = self.low <= second <= self.high
        middle = [] if been_there else [(second, False)]
        self.route = [(first, False), *middle, (self.bar.close, False)]


class Matcher:
    """The orders of a run and the rules by which they fill."""

    def __init__(self, ledger: Ledger, policy: Policy, slippage: Mapping[str, SlippageModel]) -> None:
        """Begin without orders, before the first bar."""
        self.ledger = ledger
        self.policy = policy
        self.slippage = slippage
        self.orders: list[Order] = []
        self.bar = 0
        self.phase = "OPEN"
        self.walk: Walk | None = None

    # Orders

    def live(self, symbol: str) -> list[Order]:
        """Orders of a symbol that still wait or rest, by id."""
        return [order for order in self.orders if order.symbol == symbol and order.status == "accepted"]

    def resting(self, symbol: str) -> list[Order]:
        """Live orders with a price of their own, by id."""
        return [order for order in self.live(symbol) if not order.is_market]

    def end(self, order: Order, status: str, reason: str | None = None, *figures: float) -> None:
        """Bring an order to its end."""
        order.status, order.reject, order.figures = status, reason, figures
        order.ended_bar, order.ended_phase = self.bar, self.phase

    def cancel_all(self, symbol: str, reason: str) -> None:
        """Cancel what rests or waits of a symbol."""
        for order in self.live(symbol):
            self.end(order, "cancelled", reason)

    # What is reached

    def beyond(self) -> float:
        """By how many ticks price must be beyond a limit (S6.7)."""
        return 1.0 if self.policy.limit_fill == "through" else 0.0

    def limit_trigger(self, side: int, limit: float) -> float:
        """The price at which a limit triggers."""
        return limit - side * self.beyond()

    def limit_reached(self, side: int, limit: float, price: float) -> bool:
        """Whether a limit triggers at a price."""
        trigger = self.limit_trigger(side, limit)
        return price <= trigger if side > 0 else price >= trigger

    @staticmethod
    def stop_reached(side: int, stop: float, price: float) -> bool:
        """Whether a stop triggers at a price."""
        return price >= stop if side > 0 else price <= stop

    def reached(self, order: Order, price: float) -> bool:
        """Whether a resting order triggers at a price."""
        if order.works_as_limit:
            assert order.limit is not None
            return self.limit_reached(order.side, order.limit, price)
        assert order.stop is not None
        return self.stop_reached(order.side, order.stop, price)

    # Fills

    def price_with_slippage(self, spec: Spec, side: int, base: float, lots: float) -> float:
        """A base price worsened by slippage and rounded against the trader (S2.3)."""
        slip = self.slippage[spec.symbol].ticks(self.bar, base, lots)
        return self.against(side, base + side * slip)

    @staticmethod
    def against(side: int, price: float) -> float:
        """Round a price against the trader: buys up, sells down."""
        return round_up(price) if side > 0 else round_down(price)

    def fill_order(self, order: Order, base: float, path: float, reason: str, slips: bool) -> None:
        """Fill an order at a base price, or cancel or reject it (S8.1, S8.4)."""
        spec, position = self.ledger.specs[order.symbol], self.ledger.positions[order.symbol]
        if order.reduce_only:
            if position.side != -order.side:
                return self.end(order, "cancelled", "flat")
            order.lots = abs(position.lots) if order.whole else min(order.lots, abs(position.lots))
        lots = order.side * order.lots
        short = self.ledger.short_of_margin(order.symbol, lots, base)
        if short is not None:
            return self.end(order, "rejected", "margin", *short)
        self.end(order, "filled")
        price = self.price_with_slippage(spec, order.side, base, lots) if slips else self.against(order.side, base)
        fill = Fill(self.bar, self.phase, order.symbol, lots, price, base, path, reason, order.number, order.source)
        self._booked(fill, order)
        return None

    def _booked(self, fill: Fill, order: Order) -> None:
        if not order.reduce_only:
            fill = Fill(**{**vars(fill), "stop_loss": order.stop_loss, "take_profit": order.take_profit})
        fresh = self.ledger.book(fill)
        if fresh and self.walk is not None:
            self.walk.reroute(fill.side)
        self.note_ambiguity(fill.symbol)
        self.protect(fill.symbol, fill.path)

    def exit_whole(self, symbol: str, base: float, path: float, reason: str, slips: bool = True) -> None:
        """Close a whole position for the broker: protective levels, liquidation, finish. No order, id 0."""
        spec, position = self.ledger.specs[symbol], self.ledger.positions[symbol]
        side, lots = -position.side, -position.lots
        price = self.price_with_slippage(spec, side, base, lots) if slips else self.against(side, base)
        self.ledger.book(Fill(self.bar, self.phase, symbol, lots, price, base, path, reason, 0, "bot"))

    def protect(self, symbol: str, price: float) -> None:
        """Protective levels that a print or a fill finds already reached trigger here (S5.1, S5.4, S6.5)."""
        position = self.ledger.positions[symbol]
        if position.stop is not None and self.stop_reached(-position.side, position.stop, price):
            self.exit_whole(symbol, price, price, "stop_loss")
        elif position.target is not None and self.limit_reached(-position.side, position.target, price):
            self.exit_whole(symbol, price, price, "take_profit", slips=False)

    def strike(self, order: Order, price: float, printed: bool) -> None:
        """A resting order is reached where price stands; ``printed``: at an opening print, not on the way."""
        if order.works_as_limit:
            assert order.limit is not None
            self.fill_order(order, price if printed else order.limit, price, order.kind, slips=False)
        elif order.kind == "stop":
            self.fill_order(order, price, price, "stop", slips=True)
        else:
            assert order.limit is not None
            order.triggered = True
            if self.limit_reached(order.side, order.limit, price):
                self.fill_order(order, price, price, "stop_limit", slips=False)

    # OPEN

    def meet_open(self, order: Order, price: float) -> None:
        """A resting order meets an opening print: it fills, or rests on, or (ioc) is cancelled (S5.1, S8.1)."""
        if self.reached(order, price):
            self.strike(order, price, printed=True)
        if order.status == "accepted" and order.tif == "ioc":
            self.end(order, "cancelled", "ioc_unfilled")

    def open_symbol(self, symbol: str, price: float) -> None:
        """S5.1's second pass for one symbol: queued market orders by id, then resting orders by id."""
        for order in [order for order in self.live(symbol) if order.is_market]:
            self.fill_order(order, price, price, "market", slips=True)
        for order in self.resting(symbol):
            self.meet_open(order, price)

    # INTRABAR

    def walk_bar(self, symbol: str, bar: Bar, fine: list[Bar] | None) -> None:
        """Let price walk through a bar of one symbol (S6)."""
        self.walk = self.plan(symbol, bar, fine)
        self.note_ambiguity(symbol)
        while self.walk.route:
            target, jump = self.walk.route[0]
            if jump:
                self.walk.route.pop(0)
                self._print(symbol, self.walk, target)
            else:
                self._walk_on(symbol, self.walk, target)
        self.walk = None

    def plan(self, symbol: str, bar: Bar, fine: list[Bar] | None) -> Walk:
        """The route of a bar by the path policy (S6.1 to S6.4)."""
        walk = Walk(bar, bar.open, bar.open, bar.open)
        if self.policy.path == "fine_bars" and fine is not None and _agree(bar, fine):
            for number, finer in enumerate(fine):
                walk.route += [(finer.open, True)] if number > 0 else []
                walk.route += _route(finer, _high_first_by_colour(finer))
            return walk
        if self.policy.path in ("worst_case", "fine_bars"):
            walk.adverse_first = True
        elif self.policy.path == "best_case":
            walk.adverse_first = False
        walk.route = _route(bar, self._high_first(symbol, bar, walk.adverse_first))
        return walk

    def _high_first(self, symbol: str, bar: Bar, adverse_first: bool | None) -> bool:
        if self.policy.path == "proximity":
            return (bar.high - bar.open) - (bar.open - bar.low) < -1e-6
        if adverse_first is None:
            return _high_first_by_colour(bar)
        side = self.ledger.positions[symbol].side
        if side != 0:
            return (side < 0) == adverse_first
        entries = [order for order in self.resting(symbol) if not order.reduce_only]
        if entries:
            return (entries[0].side > 0) == adverse_first
        return _high_first_by_colour(bar)

    def _print(self, symbol: str, walk: Walk, price: float) -> None:
        """Between two finer bars price jumps: what the print reaches fills at it (S6.4)."""
        walk.touch(price)
        self.ledger.positions[symbol].see(price)
        self.protect(symbol, price)
        for order in self.resting(symbol):
            if order.status == "accepted" and self.reached(order, price):
                self.strike(order, price, printed=True)

    def _walk_on(self, symbol: str, walk: Walk, target: float) -> None:
        """Go towards a target, to the nearest trigger on the way or all of it (S6.5)."""
        ahead = [price for price in self._triggers(symbol, target > walk.at) if _between(walk.at, price, target)]
        if not ahead:
            walk.route.pop(0)
            walk.touch(target)
            self.ledger.positions[symbol].see(target)
            return
        nearest = min(ahead, key=lambda price: abs(price - walk.at))
        walk.touch(nearest)
        self.ledger.positions[symbol].see(nearest)
        self._arrive(symbol, nearest)

    def _triggers(self, symbol: str, rising: bool) -> list[float]:
        """Prices at which something triggers when price moves that way."""
        position = self.ledger.positions[symbol]
        stop_side = 1 if rising else -1
        found = []
        if position.side == -stop_side and position.stop is not None:
            found.append(position.stop)
        if position.side == stop_side and position.target is not None:
            found.append(self.limit_trigger(-position.side, position.target))
        for order in self.resting(symbol):
            if order.works_as_limit and order.side == -stop_side:
                assert order.limit is not None
                found.append(self.limit_trigger(order.side, order.limit))
            elif not order.works_as_limit and order.side == stop_side:
                assert order.stop is not None
                found.append(order.stop)
        return found

    def _arrive(self, symbol: str, price: float) -> None:
        """Price has come to a level: protective stop, protective take-profit, then orders by id (S6.5)."""
        position = self.ledger.positions[symbol]
        if position.stop is not None and self.stop_reached(-position.side, position.stop, price):
            self.exit_whole(symbol, price, price, "stop_loss")
        elif position.target is not None and self.limit_reached(-position.side, position.target, price):
            self.exit_whole(symbol, position.target, price, "take_profit", slips=False)
        for order in self.resting(symbol):
            if order.status == "accepted" and self.reached(order, price):
                self.strike(order, price, printed=False)

    def note_ambiguity(self, symbol: str) -> None:
        """Mark the trade that is held in INTRABAR if the bar does not tell what came first (S6.9)."""
        position: Position = self.ledger.positions[symbol]
        trade, walk = position.trade, self.walk
        if trade is None or walk is None:
            return
        levels = [level for level in (position.stop, position.target) if level is not None]
        inside = sum(walk.bar.low <= level <= walk.bar.high for level in levels)
        opened_here = trade.entry_bar == self.bar and trade.entry_phase == "INTRABAR"
        if inside == 2 or (opened_here and inside > 0):
            trade.ambiguous = True


def _between(start: float, price: float, target: float) -> bool:
    """Whether a price lies in (start, target], in whichever direction."""
    return start < price <= target if target > start else target <= price < start


def _high_first_by_colour(bar: Bar) -> bool:
    return bar.close - bar.open < -1e-6


def _route(bar: Bar, high_first: bool) -> list[tuple[float, bool]]:
    extremes = [bar.high, bar.low] if high_first else [bar.low, bar.high]
    return [(price, False) for price in (*extremes, bar.close)]


def _agree(bar: Bar, fine: list[Bar]) -> bool:
    """Whether finer bars begin at the bar's O and reach its H, L and C (S6.4)."""
    if not fine:
        return False
    seen = (fine[0].open, max(b.high for b in fine), min(b.low for b in fine), fine[-1].close)
    return all(abs(a - b) <= 1e-6 for a, b in zip(seen, (bar.open, bar.high, bar.low, bar.close), strict=True))
