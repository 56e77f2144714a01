"""What the base bot decides at OPEN: flatten, trail, enter, how much (S11, S12)."""

import math
from collections.abc import Mapping
from typing import Any, Protocol

from tests.reference.indicators import average_true_range, exponential_average
from tests.reference.ledger import Ledger
from tests.reference.matching import Matcher
from tests.reference.model import Bar, Case, Order, Spec, round_down, round_up


class Desk(Protocol):
    """What the bot needs of the run that it trades in."""

    bar: int
    ledger: Ledger
    matcher: Matcher
    specs: Mapping[str, Spec]
    days: list[Any]
    equities: list[float]

    def real(self, symbol: str, bar: int) -> Bar | None:
        """The symbol's real bar, if it has one there."""

    def submit(self, action: Mapping[str, Any]) -> Order:
        """Give an order."""

    def set_level(self, symbol: str, key: str, level: float | None) -> None:
        """Set a protective level in ticks."""


class BaseBot:
    """S11's life cycle with sides given or trend following, and S12's two plain exits."""

    def __init__(self, case: Case, desk: Desk) -> None:
        """Read the case's ``bot`` and work out the indicators at the last closed bar of every master bar."""
        self.settings: dict[str, Any] = case["bot"]
        self.exit: dict[str, Any] = self.settings["exit"]
        self.desk = desk
        self.rows: dict[str, list[Any]] = case["bars"]
        self.late_flattens = 0
        self.gates: dict[str, list[str]] = {symbol: [] for symbol in desk.specs}
        period, span = self.exit.get("atr_period", 14), self.settings.get("ema_span", 50)
        self.atr: dict[str, list[float | None]] = {}
        self.ema: dict[str, list[float | None]] = {}
        self.close: dict[str, list[float | None]] = {}
        for symbol, rows in case["bars"].items():
            real = [row for row in rows if row is not None]
            closes = [row[3] for row in real]
            self.atr[symbol] = _known_at_open(rows, average_true_range(real, period))
            self.ema[symbol] = _known_at_open(rows, exponential_average(closes, span))
            self.close[symbol] = _known_at_open(rows, list(closes))

    def on_bar(self) -> None:
        """Two passes over the symbols with a real bar: positions, then entries."""
        for symbol in self.desk.specs:
            if self.desk.real(symbol, self.desk.bar) is not None:
                self._manage(symbol)
        for symbol in self.desk.specs:
            self.gates[symbol].append(self._enter(symbol))

    # Positions

    def _manage(self, symbol: str) -> None:
        position = self.desk.ledger.positions[symbol]
        due, late = self._given("flatten", symbol, 0), self._is_late(symbol)
        if due or late:
            self.late_flattens += bool(late and not due)
            if position.lots != 0:
                self.desk.submit({"type": "close", "symbol": symbol, "flatten": True})
            self.desk.matcher.cancel_all(symbol, "flattened")
        elif position.trade is not None and position.trade.entry_bar < self.desk.bar:
            self._trail(symbol)

    def _is_late(self, symbol: str) -> bool:
        """The session's end passed without a real bar of this symbol to close its position in (S11.1)."""
        trade = self.desk.ledger.positions[symbol].trade
        if "session" not in self.settings or trade is None or trade.entry_bar >= self.desk.bar:
            return False
        earlier = [bar for bar in range(self.desk.bar) if self.desk.real(symbol, bar) is not None]
        sessions = self.settings["session"][symbol]
        return bool(sessions[earlier[-1]] != sessions[self.desk.bar])

    def _trail(self, symbol: str) -> None:
        """S12.1: once the last close is beyond the average entry, the stop follows it and only tightens."""
        if self.exit["kind"] != "trailing_atr":
            return
        position, spec = self.desk.ledger.positions[symbol], self.desk.specs[symbol]
        atr, close = self.atr[symbol][self.desk.bar], self.close[symbol][self.desk.bar]
        if atr is None or close is None:
            return
        side, last = position.side, spec.ticks(close)
        if (last - position.average) * side <= 0:
            return
        level = _stop_level(side, last - side * self.exit["atr_multiple"] * atr / spec.tick_size)
        if position.stop is None or (level - position.stop) * side > 0:
            self.desk.set_level(symbol, "stop", level)

    # Entries

    def _enter(self, symbol: str) -> str:
        """Go through the gates of S11.2 to S11.4 and enter; the name of the gate that decided."""
        bar = self.desk.real(symbol, self.desk.bar)
        if bar is None:
            return "synthetic"
        if self._engaged(symbol):
            return "holding"
        atr = self.atr[symbol][self.desk.bar]
        if not self._given("allow", symbol, 1) or self._given("flatten", symbol, 0):
            return "session"
        if atr is None or atr < self.settings.get("min_atr", 0):
            return "atr"
        if self._day_is_lost():
            return "daily_loss"
        most = self.settings.get("max_positions_open")
        if most is not None and sum(self._engaged(each) for each in self.desk.specs) >= most:
            return "max_positions"
        side = self._side(symbol, atr)
        return "no_signal" if side == 0 else self._order(symbol, side, bar.open, atr)

    def _engaged(self, symbol: str) -> bool:
        """A position, or an entry on its way."""
        queued = [o for o in self.desk.matcher.live(symbol) if o.is_market and not o.reduce_only]
        return bool(self.desk.ledger.positions[symbol].lots != 0 or queued)

    def _day_is_lost(self) -> bool:
        limit = self.settings.get("max_daily_loss_pct")
        if limit is None:
            return False
        now, equities = self.desk.bar, self.desk.equities
        before = [bar for bar in range(now) if self.desk.days[bar] != self.desk.days[now]]
        start = equities[before[-1]] if before else self.desk.ledger.initial_cash
        last = equities[now - 1] if now > 0 else self.desk.ledger.initial_cash
        return bool(start - last >= limit * start)

    def _side(self, symbol: str, atr: float) -> int:
        if self.settings["kind"] == "given":
            given = self.settings["sides"].get(symbol)
            return {"buy": 1, "sell": -1, None: 0}[given[self.desk.bar] if given else None]
        average, close = self.ema[symbol][self.desk.bar], self.close[symbol][self.desk.bar]
        if average is None or close is None:
            return 0
        opening = self.rows[symbol][self.desk.bar][0]
        return trend_side(average, close, opening, self.settings.get("breakout_atr", 1.5) * atr)

    def _order(self, symbol: str, side: int, entry: float, atr: float) -> str:
        """Levels, size, one market order with the bracket (S11.3)."""
        spec = self.desk.specs[symbol]
        distance = self.exit["atr_multiple"] * atr / spec.tick_size
        stop, target = _stop_level(side, entry - side * distance), None
        if (entry - stop) * side <= 0:
            return "levels"
        if self.exit["kind"] == "fixed_ratio":
            goal = entry + side * self.exit["r_multiple"] * abs(entry - stop)
            target = round_up(goal) if side > 0 else round_down(goal)
        by_risk, by_margin = self._sizes(spec, entry, stop)
        if by_risk < 1:
            return "size_risk"
        if by_margin < 1:
            return "size_margin"
        lots = min(by_risk, by_margin)
        order = self.desk.submit(
            {
                "type": "market",
                "symbol": symbol,
                "side": "buy" if side > 0 else "sell",
                "qty": lots * spec.lot_size,
                "sl": spec.price(stop),
                "tp": None if target is None else spec.price(target),
            }
        )
        return "refused" if order.status == "rejected" else "entered"

    def _sizes(self, spec: Spec, entry: float, stop: float) -> tuple[float, float]:
        """Whole lots that the risk budget (and ``max_quantity``) and the margin cap allow (S11.4)."""
        ledger = self.desk.ledger
        equity = ledger.equity()
        slip = self.desk.matcher.slippage[spec.symbol].ticks(self.desk.bar, entry, 1)
        budget = equity * self.settings.get("risk_pct", 0.01) - 2 * spec.fee
        risk = (abs(entry - stop) + 2 * slip) * spec.tick_value + 2 * spec.commission
        cap = (equity - ledger.used_margin()) * self.settings.get("max_margin_pct", 0.5) - spec.fee
        per_contract = spec.initial_margin(1, entry) / spec.lot_size + spec.commission
        by_risk = budget / risk
        if self.settings.get("max_quantity") is not None:
            by_risk = min(by_risk, self.settings["max_quantity"])
        by_margin = cap / per_contract if per_contract > 0 else math.inf
        return _whole_lots(by_risk / spec.lot_size), _whole_lots(by_margin / spec.lot_size)

    def _given(self, key: str, symbol: str, default: int) -> Any:
        """A value that the case gives per symbol and bar."""
        rows = self.settings.get(key, {}).get(symbol)
        return default if rows is None else rows[self.desk.bar]


def trend_side(average: float, close: float, opening: float, breakout: float) -> int:
    """S11.7: a cross back through the average, else a breakout from it."""
    if close <= average < opening:
        return 1
    if close >= average > opening:
        return -1
    return (opening > average + breakout) - (opening < average - breakout)


def _stop_level(side: int, ticks: float) -> float:
    """A protective stop rounded against the trader: a long's is a sell stop, down (S2.2)."""
    return round_down(ticks) if side > 0 else round_up(ticks)


def _whole_lots(lots: float) -> float:
    return lots if math.isinf(lots) else float(math.floor(lots + 1e-9 * max(1.0, lots)))


def _known_at_open(rows: list[list[float] | None], values: list[Any]) -> list[Any]:
    """Per master bar, the value at the symbol's last real bar before it."""
    known: list[Any] = []
    last, taken = None, 0
    for row in rows:
        known.append(last)
        if row is not None:
            last, taken = values[taken], taken + 1
    return known
