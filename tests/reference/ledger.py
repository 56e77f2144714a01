"""What a fill does to cash, positions and trades, and what margin allows (S8.3 to S8.8)."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.reference.model import Position, Spec, Trade, round_down


@dataclass(frozen=True)
class Fill:
    """One execution: ``lots`` signed, ``price`` and ``base`` in ticks, ``path`` where the walk stands."""

    bar: int
    phase: str
    symbol: str
    lots: float
    price: float
    base: float
    path: float
    reason: str
    order: int
    source: str
    stop_loss: float | None = None
    take_profit: float | None = None

    @property
    def side(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self.lots > 0 else -1


@dataclass(frozen=True)
class Booking:
    """A fill with its money."""

    fill: Fill
    commission: float
    fee: float
    slippage: float
    realised: float
    cash: float
    position: float


class Ledger:
    """Cash, positions, finished trades and bookings of one account."""

    def __init__(self, specs: Mapping[str, Spec], cash: float) -> None:
        """Start flat with some cash."""
        self.specs = specs
        self.initial_cash = cash
        self.cash = cash
        self.positions = {symbol: Position(spec) for symbol, spec in specs.items()}
        self.marks: dict[str, float | None] = dict.fromkeys(specs)
        self.trades: list[Trade] = []
        self.bookings: list[Booking] = []

    def held(self) -> list[Position]:
        """Positions that are not flat, in configuration order."""
        return [position for position in self.positions.values() if position.lots != 0]

    def mark(self, symbol: str) -> float:
        """The mark of a symbol that has one."""
        mark = self.marks[symbol]
        assert mark is not None, f"{symbol} is held without ever having had a price"
        return mark

    def equity(self) -> float:
        """Cash and unrealised profit at the marks (S7.3)."""
        return self.cash + sum(held.unrealised(self.mark(held.spec.symbol)) for held in self.held())

    def used_margin(self) -> float:
        """Initial margin of what is held (S8.7)."""
        return sum(held.spec.initial_margin(held.lots, self.mark(held.spec.symbol)) for held in self.held())

    def maintenance_margin(self) -> float:
        """Maintenance margin of what is held, at the marks."""
        return sum(held.spec.maintenance_margin(held.lots, self.mark(held.spec.symbol)) for held in self.held())

    def fill_costs(self, spec: Spec, lots: float) -> float:
        """Commission and fee of a fill (S8.6)."""
        return spec.commission * abs(lots) * spec.lot_size + spec.fee

    def closing_part(self, symbol: str, lots: float) -> float:
        """How many of the lots of a fill close what is held, unsigned."""
        held = self.positions[symbol].lots
        return min(abs(held), abs(lots)) if held * lots < 0 else 0.0

    def short_of_margin(self, symbol: str, lots: float, base: float) -> tuple[float, float, float] | None:
        """Money required, money available and largest affordable lots of a fill that margin forbids (S8.4)."""
        spec = self.specs[symbol]
        closing = self.closing_part(symbol, lots)
        opening = abs(lots) - closing
        if opening == 0:
            return None
        free = self.equity() - self.used_margin_without(symbol, closing)
        required = spec.initial_margin(opening, base)
        available = free - self.fill_costs(spec, lots)
        # Floating-point dust does not decide whether the last cent suffices.
        if required <= available + 1e-9 * required:
            return None
        per_lot = spec.initial_margin(1, base) + spec.commission * spec.lot_size
        left = free - self.fill_costs(spec, closing)
        more = max(0.0, round_down(left / per_lot)) if per_lot > 0 else 0.0
        return required, available, closing + more

    def used_margin_without(self, symbol: str, released: float) -> float:
        """Initial margin of what is held once some lots of a symbol are released."""
        used = 0.0
        for held in self.held():
            lots = abs(held.lots) - (released if held.spec.symbol == symbol else 0.0)
            used += held.spec.initial_margin(lots, self.mark(held.spec.symbol))
        return used

    def book(self, fill: Fill) -> bool:
        """Take a fill in; say whether it opened or reversed a position."""
        spec, position = self.specs[fill.symbol], self.positions[fill.symbol]
        position.see(fill.path)
        closing = self.closing_part(fill.symbol, fill.lots)
        opening = abs(fill.lots) - closing
        fresh = opening > 0 and (position.lots == 0 or closing > 0)
        realised = self._close(position, fill, closing) if closing > 0 else 0.0
        if opening > 0:
            self._open(position, fill, opening)
        self.cash += realised - self.fill_costs(spec, fill.lots)
        position.see(fill.path)
        position.note_risk()
        self._record(fill, realised)
        return fresh

    def _record(self, fill: Fill, realised: float) -> None:
        spec, held = self.specs[fill.symbol], self.positions[fill.symbol].lots
        commission = spec.commission * abs(fill.lots) * spec.lot_size
        slippage = spec.money(fill.price - fill.base, fill.lots)
        self.bookings.append(Booking(fill, commission, spec.fee, slippage, realised, self.cash, held))

    def _close(self, position: Position, fill: Fill, lots: float) -> float:
        trade = position.trade
        assert trade is not None
        realised = position.spec.money(fill.price - position.average, lots * position.side)
        trade.gross += realised
        trade.closed += lots
        trade.closed_at += lots * fill.price
        self._share_costs(trade, fill, lots)
        position.lots += lots * fill.side
        if position.lots == 0:
            self._finish(position, trade, fill)
        return realised

    def _open(self, position: Position, fill: Fill, lots: float) -> None:
        if position.trade is None:
            position.trade = Trade(fill.symbol, fill.side, fill.bar, fill.phase)
            position.worst = fill.path
        trade = position.trade
        before = abs(position.lots)
        position.average = (position.average * before + fill.price * lots) / (before + lots)
        position.lots += lots * fill.side
        trade.opened += lots
        trade.opened_at += lots * fill.price
        trade.max_lots = max(trade.max_lots, abs(position.lots))
        self._share_costs(trade, fill, lots)
        position.stop = fill.stop_loss if fill.stop_loss is not None else position.stop
        position.target = fill.take_profit if fill.take_profit is not None else position.target

    def _share_costs(self, trade: Trade, fill: Fill, lots: float) -> None:
        """Book a fill's costs to a trade by quantity: a reversing fill is shared by two (S8.8)."""
        spec, share = self.specs[fill.symbol], lots / abs(fill.lots)
        trade.commission += spec.commission * lots * spec.lot_size
        trade.fees += spec.fee * share
        trade.slippage += spec.money(fill.price - fill.base, fill.lots) * share

    def _finish(self, position: Position, trade: Trade, fill: Fill) -> None:
        by_broker = ("stop_loss", "take_profit", "flatten", "liquidation", "finish")
        given = "signal" if fill.source == "bot" else "manual"
        trade.exit_reason = fill.reason if fill.reason in by_broker else given
        trade.exit_bar, trade.exit_phase = fill.bar, fill.phase
        self.trades.append(trade)
        position.lots = position.average = 0.0
        position.stop = position.target = position.trade = None
