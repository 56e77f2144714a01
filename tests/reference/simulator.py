"""What the rulebook says happens to a case: the three phases of every bar, in plain Python (S3 to S8, S11, S12).

``simulate(case)`` takes a case as ``cases.json`` has it (its ``format`` entry) and returns everything that an
``expected`` may name, and more. Where the case format is silent:

- ``spec``: ``fx_rate`` (factor into account currency, default 1) applies to every amount of the symbol.
- ``fine``: ``{symbol: {"<bar index>": [[open, high, low, close], ...]}}``.
- ``slippage``: ``{symbol: {"ticks": [per bar], "volume_k": k, "average_volume": [per bar or null]}}`` replaces the
  instrument's slippage: ``ticks[t] + k * sqrt(quantity / average_volume[t])`` ticks for every fill of bar ``t``.
- ``actions``: ``source`` (``bot``, the default, or ``manual``), ``reduce_only``, and the type ``modify_order`` with
  ``id`` and any of ``limit``, ``stop``, ``qty``. In a case with a ``bot`` they follow the bot's own orders.
- ``bot``: ``kind`` ``given`` (``sides`` per symbol and bar) or ``trend_following`` (``ema_span``, ``breakout_atr``);
  ``exit`` with ``kind`` ``trailing_atr`` or ``fixed_ratio``, ``atr_multiple``, ``atr_period``, ``r_multiple``;
  ``risk_pct``, ``max_margin_pct``, ``max_quantity``, ``min_atr`` (price), ``max_positions_open``,
  ``max_daily_loss_pct``; per symbol and bar ``allow``, ``flatten`` (1 or 0) and ``session`` (any id; given, it turns
  the late flatten on). A bar that flattens takes no entry; the bars after it are the business of ``allow``.

Result: ``fills`` (bar, phase, symbol, side, qty, price, reason, order, base_price, commission, fee, slippage_cost,
realised, cash, position), the rows ``cash_after_bar``, ``equity_after_bar``, ``worst_equity_after_bar``,
``used_margin_after_bar``, ``maintenance_margin_after_bar``, ``position_after_bar``; ``trades``, ``orders``,
``margin_calls``, ``status`` (``completed`` or ``bankrupt``), and with a bot ``gates`` and ``late_flattens``.

Choices where the rulebook is silent:

- Protective, liquidation and finish fills carry order id 0; ``close`` and the base bot's flatten are orders.
- Liquidation and flatten (late or not, with or without a position) cancel resting and queued orders of the symbol.
- Validity is checked in the order symbol, quantity, prices, stop loss, take profit, bankrupt, flat (``close``);
  only the first failure is told. A non-finite level of an order counts as a missing price. Before any mark of its
  symbol a market order's levels are not compared with one.
- A reduce-only order's levels are dropped unread. A ``close`` keeps the side that it had when accepted, and at its
  fill takes the whole position on the other side, or is cancelled.
- ``modify_order`` on a live order replaces what is given and fits its type (a triggered stop-limit has no stop any
  more, a ``close`` no quantity); if the order would then be refused by S8.2 nothing changes. At OPEN of a real bar
  the modified order meets O like a new one. Levels of a market order are not compared with the mark again.
- A level set to a non-finite price changes nothing. ``tighten_stop`` without a stop sets it.
- A market order's trading day begins with the bar in which it fills, so that DAY never ends it while it waits.
- S7.2: the margin that ends a liquidation is taken at the marks, the one that begins it at the worst prices;
  ``all`` liquidates in the same order as ``losers_first``. The finish is followed by S7.3's test once more.
- Largest affordable lots of S8.4 include the closing part of a reversing order.
- A trade is looked at for S6.9 when INTRABAR of its symbol begins and after every order fill of it.
- Finer bars whose extremes differ from the bar's by more than 1e-6 tick count as none.
- A trailing stop is rounded before it is compared with the old one; the base bot trails whatever is held.
- Positions for ``max_positions_open`` are symbols that hold or have a queued entry. An entry stop that is not
  strictly beyond O is no usable level. ``max_quantity`` below one lot counts as ``size_risk``.
"""

from collections.abc import Mapping
from typing import Any

from tests.reference.bot import BaseBot
from tests.reference.ledger import Ledger
from tests.reference.matching import Matcher, SlippageModel
from tests.reference.model import Bar, Case, Order, Policy, Position, Spec, parse_bar, parse_spec
from tests.reference.orders import OrderDesk
from tests.reference.results import result_of

Result = dict[str, Any]


def simulate(case: Case) -> Result:
    """Run a case to its end and tell everything that happened."""
    run = Simulation(case)
    for bar in range(run.length):
        run.open(bar)
        run.intrabar()
        run.close()
    return result_of(run)


class Simulation:
    """One run of a case."""

    def __init__(self, case: Case) -> None:
        """Everything flat, before the first bar."""
        self.specs: Mapping[str, Spec] = {symbol: parse_spec(symbol, given) for symbol, given in case["spec"].items()}
        self.bars = {s: [parse_bar(spec, row) for row in case["bars"][s]] for s, spec in self.specs.items()}
        self.fine = {s: _parse_fine(case, spec) for s, spec in self.specs.items()}
        self.length = max(len(rows) for rows in self.bars.values())
        self.days: list[Any] = case.get("days") or [0] * self.length
        self.policy = Policy(**case["policy"])
        self.ledger = Ledger(self.specs, case["start_cash"])
        slippage = {s: SlippageModel(spec, **_slippage(case, s)) for s, spec in self.specs.items()}
        self.matcher = Matcher(self.ledger, self.policy, slippage)
        self.desk = OrderDesk(self.matcher, self.bars, self.days)
        self.actions: list[Mapping[str, Any]] = case["actions"]
        self.bar = 0
        self.equities: list[float] = []
        self.rows: list[Result] = []
        self.margin_calls: list[Result] = []
        self.bot = BaseBot(case, self) if case.get("bot") else None

    # What the base bot needs

    def real(self, symbol: str, bar: int) -> Bar | None:
        """The symbol's real bar, if it has one there."""
        return self.bars[symbol][bar]

    def submit(self, action: Mapping[str, Any]) -> Order:
        """Give an order."""
        return self.desk.submit(action)

    def set_level(self, symbol: str, key: str, level: float | None) -> None:
        """Set a protective level in ticks."""
        self.desk.set_level(symbol, key, level)

    # Phases

    def open(self, bar: int) -> None:
        """S5: marks at O, protective levels of all, then orders symbol by symbol, then the bot."""
        self.bar = self.matcher.bar = bar
        self.matcher.phase = "OPEN"
        printed = {symbol: rows[bar] for symbol, rows in self.bars.items()}
        prices = {symbol: row.open for symbol, row in printed.items() if row is not None}
        self.ledger.marks.update(prices)
        for held in self.ledger.held():
            held.worst = self.ledger.mark(held.spec.symbol)
            held.see(held.worst)
        for symbol, price in prices.items():
            self.matcher.protect(symbol, price)
        for symbol, price in prices.items():
            self.desk.begin_day(symbol)
            self.matcher.open_symbol(symbol, price)
        if self.bot is not None:
            self.bot.on_bar()
        self._act("OPEN")

    def intrabar(self) -> None:
        """S6: every symbol with a real bar walks its path."""
        self.matcher.phase = "INTRABAR"
        for symbol, rows in self.bars.items():
            row = rows[self.bar]
            if row is not None:
                self.matcher.walk_bar(symbol, row, self.fine[symbol].get(self.bar))

    def close(self) -> None:
        """S7: worst-case equity, margin call, marks, expiry, on_close, finish."""
        self.matcher.phase = "CLOSE"
        worst = self.ledger.cash + sum(held.unrealised(held.worst) for held in self.ledger.held())
        required = sum(held.spec.maintenance_margin(held.lots, held.worst) for held in self.ledger.held())
        for symbol, rows in self.bars.items():
            row = rows[self.bar]
            if row is not None:
                self.ledger.marks[symbol] = row.close
        # Floating-point dust does not decide whether the last cent covers the margin.
        if self.ledger.held() and worst < required * (1 - 1e-9):
            self._margin_call(worst, required)
        self._test_bankruptcy()
        self._expire_day()
        self.equities.append(self.ledger.equity())
        self._act("CLOSE")
        if self.bar == self.length - 1 and self.policy.liquidate_on_finish:
            self._finish()
        self._end_row(worst)

    def _act(self, phase: str) -> None:
        for action in self.actions:
            if action["bar"] == self.bar and action["phase"] == phase:
                self.desk.take(action)

    def _margin_call(self, worst: float, required: float) -> None:
        """S7.2: lowest unrealised profit at C first, until the margin of what is left is covered."""
        liquidated, between = [], 0.0
        while self.ledger.held():
            held = min(self.ledger.held(), key=self._unrealised_at_mark)
            symbol, mark, lots, bottom = held.spec.symbol, self.ledger.mark(held.spec.symbol), held.lots, held.worst
            base = bottom if self.policy.liquidation_price == "breach" else mark
            between += held.spec.money(mark - bottom, lots)
            self.matcher.exit_whole(symbol, base, base, "liquidation")
            self.matcher.cancel_all(symbol, "liquidated")
            liquidated.append(symbol)
            covered = self.ledger.equity() >= self.ledger.maintenance_margin() * (1 - 1e-9)
            if covered and self.policy.liquidation == "losers_first":
                break
        call = {"bar": self.bar, "worst_equity": worst, "required": required, "liquidated": liquidated}
        self.margin_calls.append({**call, "between": between, "equity_after": self.ledger.equity()})

    def _unrealised_at_mark(self, held: Position) -> float:
        return held.unrealised(self.ledger.mark(held.spec.symbol))

    def _test_bankruptcy(self) -> None:
        """S7.3: nothing left and nothing held."""
        if self.ledger.held() or self.ledger.equity() > 1e-9 * self.ledger.initial_cash:
            return
        self.desk.bankrupt = True
        for symbol in self.specs:
            self.matcher.cancel_all(symbol, "bankrupt")

    def _expire_day(self) -> None:
        """S7.4: at the close of a day's last master bar, its DAY orders expire."""
        today = self.days[self.bar]
        if self.bar + 1 < self.length and self.days[self.bar + 1] == today:
            return
        for symbol in self.specs:
            for order in self.matcher.live(symbol):
                if order.tif == "day" and order.day == today:
                    self.matcher.end(order, "expired", "day_ended")

    def _finish(self) -> None:
        """S7.6: what is open is closed at the last mark."""
        for held in self.ledger.held():
            mark = self.ledger.mark(held.spec.symbol)
            self.matcher.exit_whole(held.spec.symbol, mark, mark, "finish")
        self._test_bankruptcy()

    def _end_row(self, worst: float) -> None:
        held = {
            each.spec.symbol: {
                "qty": each.lots * each.spec.lot_size,
                "avg": each.spec.price(each.average),
                "sl": None if each.stop is None else each.spec.price(each.stop),
                "tp": None if each.target is None else each.spec.price(each.target),
            }
            for each in self.ledger.held()
        }
        self.rows.append(
            {
                "cash": self.ledger.cash,
                "equity": self.ledger.equity(),
                "worst_equity": worst,
                "used_margin": self.ledger.used_margin(),
                "maintenance_margin": self.ledger.maintenance_margin(),
                "position": held,
            }
        )


def _parse_fine(case: Case, spec: Spec) -> dict[int, list[Bar]]:
    """Finer bars by master bar index."""
    given = case.get("fine", {}).get(spec.symbol, {})
    fine = {int(bar): [parse_bar(spec, row) for row in rows] for bar, rows in given.items()}
    return {bar: [row for row in rows if row is not None] for bar, rows in fine.items()}


def _slippage(case: Case, symbol: str) -> dict[str, Any]:
    """The slippage arrays that a case gives for a symbol."""
    given = case.get("slippage", {}).get(symbol)
    if given is None:
        return {}
    return {
        "per_bar": given["ticks"],
        "volume_k": given.get("volume_k", 0.0),
        "average_volume": given.get("average_volume"),
    }
