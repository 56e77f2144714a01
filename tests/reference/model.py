"""What the reference simulator works on: instruments, bars, orders, positions and trades as plain objects.

Inside, prices are tick counts and quantities are lot counts (S2.1): floats that hold an exact integer on the grid.
``None`` means that there is no price.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TOLERANCE = 1e-6
Case = dict[str, Any]


def snap(count: float) -> float:
    """Put a count within the tolerance of an integer on that integer (S2.1)."""
    nearest = float(round(count))
    return nearest if abs(count - nearest) <= TOLERANCE else count


def round_up(count: float) -> float:
    """The next integer count above, S2.1's tolerance first."""
    return float(math.ceil(snap(count)))


def round_down(count: float) -> float:
    """The next integer count below, S2.1's tolerance first."""
    return float(math.floor(snap(count)))


def is_finite(value: Any) -> bool:
    """Whether a value given by a user is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


@dataclass(frozen=True)
class Spec:
    """One instrument, money already in account currency (S1)."""

    symbol: str
    tick_size: float
    tick_value: float
    lot_size: float
    commission: float
    fee: float
    slippage_ticks: float
    slippage_pct: float | None
    initial: float | None
    maintenance: float | None
    initial_rate: float | None
    maintenance_rate: float | None

    def ticks(self, price: float) -> float:
        """A price as a tick count."""
        return snap(price / self.tick_size)

    def price(self, ticks: float) -> float:
        """A tick count as a price."""
        return ticks * self.tick_size

    def money(self, ticks: float, lots: float) -> float:
        """What a move of so many ticks is worth on so many lots."""
        return ticks * self.tick_value * lots * self.lot_size

    def initial_margin(self, lots: float, at: float) -> float:
        """Initial margin of so many lots, where rates are given at the price ``at`` (S8.4)."""
        if self.initial_rate is not None:
            return self.initial_rate * self.money(abs(at), abs(lots))
        assert self.initial is not None
        return self.initial * abs(lots) * self.lot_size

    def maintenance_margin(self, lots: float, at: float) -> float:
        """Maintenance margin of so many lots, where rates are given at the price ``at`` (S8.4)."""
        if self.maintenance_rate is not None:
            return self.maintenance_rate * self.money(abs(at), abs(lots))
        assert self.maintenance is not None
        return self.maintenance * abs(lots) * self.lot_size


def parse_spec(symbol: str, given: Mapping[str, Any]) -> Spec:
    """An instrument from a case; ``fx_rate`` turns its money into account currency (S1.4)."""
    if given.get("slippage_ticks") is not None and given.get("slippage_pct") is not None:
        raise ValueError(f"{symbol}: slippage_ticks and slippage_pct are both given; give one")
    fx = given.get("fx_rate", 1.0)

    def money(key: str) -> float | None:
        return None if given.get(key) is None else given[key] * fx

    pct = given.get("slippage_pct")
    return Spec(
        symbol=symbol,
        tick_size=given["tick_size"],
        tick_value=given["tick_value"] * fx,
        lot_size=given.get("lot_size", 1),
        commission=money("commission_per_contract") or 0.0,
        fee=money("fee_per_trade") or 0.0,
        slippage_ticks=given.get("slippage_ticks", 1.0 if pct is None else 0.0),
        slippage_pct=pct,
        initial=money("initial_margin"),
        maintenance=money("maintenance_margin"),
        initial_rate=given.get("initial_margin_rate"),
        maintenance_rate=given.get("maintenance_margin_rate"),
    )


@dataclass(frozen=True)
class Bar:
    """A real bar in ticks."""

    open: float
    high: float
    low: float
    close: float


def parse_bar(spec: Spec, row: list[float] | None) -> Bar | None:
    """A bar of a case, or ``None`` where the symbol has no real bar."""
    return None if row is None else Bar(*(spec.ticks(price) for price in row))


@dataclass(frozen=True)
class Policy:
    """How the run fills and liquidates; the defaults are S18's."""

    path: str = "worst_case"
    limit_fill: str = "touch"
    market_fill: str = "this_open"
    liquidation: str = "losers_first"
    liquidation_price: str = "close"
    liquidate_on_finish: bool = False


@dataclass
class Order:
    """An order and what became of it. ``side`` is +1 for a buy, -1 for a sell."""

    number: int
    symbol: str
    side: int
    kind: str
    tif: str
    source: str
    placed_bar: int
    placed_phase: str
    lots: float = 0.0
    limit: float | None = None
    stop: float | None = None
    stop_loss: float | None = None
    take_profit: float | None = None
    reduce_only: bool = False
    whole: bool = False
    flatten: bool = False
    status: str = "accepted"
    reject: str | None = None
    figures: tuple[float, ...] = ()
    ended_bar: int | None = None
    ended_phase: str | None = None
    triggered: bool = False
    day: int | None = None

    @property
    def is_market(self) -> bool:
        """Whether it fills at the next price whatever it is."""
        return self.kind == "market"

    @property
    def works_as_limit(self) -> bool:
        """Whether it is a limit now: a limit order, or a stop-limit whose stop has triggered (S6.8)."""
        return self.kind == "limit" or (self.kind == "stop_limit" and self.triggered)

    @property
    def entry(self) -> float | None:
        """The price that its levels are checked against (S8.2); a market order has none of its own."""
        return self.stop if self.kind == "stop" else self.limit


@dataclass
class Trade:
    """A campaign from flat to flat (S8.8)."""

    symbol: str
    side: int
    entry_bar: int
    entry_phase: str
    opened: float = 0.0
    opened_at: float = 0.0
    closed: float = 0.0
    closed_at: float = 0.0
    max_lots: float = 0.0
    gross: float = 0.0
    commission: float = 0.0
    fees: float = 0.0
    slippage: float = 0.0
    worst_profit: float = 0.0
    best_profit: float = 0.0
    initial_risk: float | None = None
    ambiguous: bool = False
    exit_bar: int = -1
    exit_phase: str = ""
    exit_reason: str = ""

    @property
    def net(self) -> float:
        """Gross profit less costs."""
        return self.gross - self.commission - self.fees


@dataclass
class Position:
    """What is held of one symbol: signed lots, average entry in ticks, protective levels (S8.3)."""

    spec: Spec
    lots: float = 0.0
    average: float = 0.0
    stop: float | None = None
    target: float | None = None
    worst: float = 0.0
    trade: Trade | None = field(default=None)

    @property
    def side(self) -> int:
        """+1 long, -1 short, 0 flat."""
        return (self.lots > 0) - (self.lots < 0)

    def unrealised(self, mark: float) -> float:
        """Profit of the position at a price."""
        return self.spec.money(mark - self.average, self.lots)

    def see(self, price: float) -> None:
        """The path goes through a price while the position is held: excursions and worst price (S7.1, S8.8)."""
        if self.trade is None:
            return
        self.worst = min(self.worst, price) if self.lots > 0 else max(self.worst, price)
        profit = self.trade.gross + self.unrealised(price)
        self.trade.worst_profit = min(self.trade.worst_profit, profit)
        self.trade.best_profit = max(self.trade.best_profit, profit)

    def note_risk(self) -> None:
        """Freeze the trade's initial risk when it first has a stop (S8.8)."""
        if self.trade is not None and self.trade.initial_risk is None and self.stop is not None:
            self.trade.initial_risk = self.spec.money(abs(self.average - self.stop), abs(self.lots))
