"""How a rule is tested: a table of bars, orders in words, and what came of it, the same in both drives.

``play([(100, 104, 98, 103)], "0 open: buy 2 limit 99 sl 95").fills == ["0 INTRABAR buy 2 @ 99 limit"]``

Bars are (open, high, low, close), ``None`` for a synthetic bar; several symbols are a mapping in configuration order.
Orders name bar, phase and what is done: ``buy 2`` (market), ``sell 1 limit 99``, ``buy 1 stop 101 limit 102``,
``close``, ``cancel 1``, ``modify 1 limit 98 qty 3``, ``set sl 97``, ``set tp none``, ``tighten sl 98``; with
``of B``, ``sl 95``, ``tp 120``, ``day``, ``ioc``, ``reduce_only``, ``manual``. Without further words a contract has a
tick of 0.25 worth 2.50 (10.00 per point), margins of 100 and 80, no costs, no slippage; the account has 100,000.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.run import Run
from tests.properties import drives
from tests.scenarios import kernel

Row = tuple[float, float, float, float] | None
Bars = list[Row] | dict[str, list[Row]]

CONTRACT = {
    "tick_size": 0.25, "tick_value": 2.5, "initial_margin": 100.0, "maintenance_margin": 80.0, "slippage_ticks": 0,
    "commission_per_contract": 0.0, "fee_per_trade": 0.0,
}  # fmt: skip
POLICY = {"path", "limit_fill", "market_fill", "liquidation", "liquidation_price", "liquidate_on_finish"}
CASE = {"days", "fine", "slippage", "bot"}


@dataclass(frozen=True)
class Story:
    """What came of a table; lists per bar have one entry per master bar."""

    result: Mapping[str, Any]
    run: Run

    @property
    def fills(self) -> list[str]:
        """Fills in words; those of one of several symbols begin with its name."""
        named = len(self.run.engine.market.symbols) > 1
        return [(f"{fill['symbol']}: " if named else "") + told(fill) for fill in self.result["fills"]]

    @property
    def orders(self) -> list[str]:
        """State of every order, and why it was rejected, cancelled or expired."""
        return [
            one["status"] + ("" if one["reject"] == "none" else f" {one['reject']}") for one in self.result["orders"]
        ]

    @property
    def trades(self) -> list[dict[str, Any]]:
        """Closed trades, in the order of their ends."""
        return list(self.result["trades"])

    @property
    def calls(self) -> list[dict[str, Any]]:
        """Margin calls."""
        return list(self.result["margin_calls"])

    @property
    def status(self) -> str:
        """Completed or bankrupt."""
        return str(self.result["status"])

    def fill(self, number: int) -> dict[str, Any]:
        """A fill with all that is known of it."""
        return dict(self.result["fills"][number])

    def row(self, name: str) -> list[float]:
        """A column of the account after each bar: cash, equity, worst_equity, used_margin, maintenance_margin."""
        return [round(value, 9) for value in self.result[f"{name}_after_bar"]]

    def held(self, bar: int, symbol: str | None = None) -> dict[str, Any] | None:
        """Position (qty, avg, sl, tp) at the close of a bar, None when flat."""
        found = self.result["position_after_bar"][bar].get(symbol or self.run.engine.market.symbols[0])
        return None if found is None else dict(found)

    def reason(self, order: int) -> str:
        """The sentence that says why an order ended."""
        return self.run.engine.order(order).reason


def play(bars: Bars, *orders: str, cash: float = 100_000.0, **words: Any) -> Story:
    """Run a table in both drives, hold them equal, and tell what came of it.

    ``words`` are policies, parts of a case (``days``, ``fine``, ``slippage``, ``bot``), or facts of every contract;
    ``facts_of`` gives facts per symbol.
    """
    case = made(bars, orders, cash, words)
    run = drives.made(case, "step")
    run.complete()
    assert run.error is None, run.error
    result = kernel.result_of(run, case)
    assert result == drives.simulate(case, "compiled"), "the drives differ"
    return Story(result, run)


def made(bars: Bars, orders: Iterable[str], cash: float, words: Mapping[str, Any]) -> dict[str, Any]:
    """The case that a table describes."""
    rows = bars if isinstance(bars, dict) else {"A": bars}
    own = words.get("facts_of", {})
    given = {key: value for key, value in words.items() if key not in POLICY | CASE | {"facts_of"}}
    spec = {symbol: {**CONTRACT, **given, **own.get(symbol, {})} for symbol in rows}
    return {
        "start_cash": cash,
        "spec": spec,
        "policy": {key: value for key, value in words.items() if key in POLICY},
        "bars": {symbol: [None if row is None else list(row) for row in one] for symbol, one in rows.items()},
        "actions": [action(text, next(iter(rows))) for text in orders],
        **{key: value for key, value in words.items() if key in CASE},
    }


def action(text: str, symbol: str) -> dict[str, Any]:
    """An order in words as an action record."""
    place, words = text.split(":")
    bar, phase = place.split()
    tokens = words.split()
    found: dict[str, Any] = {"bar": int(bar), "phase": phase.upper(), "symbol": symbol, **_verb(tokens)}
    while tokens:
        found |= _word(tokens)
    if found["type"] is None:
        found["type"] = "_".join(name for name in ("stop", "limit") if name in found) or "market"
    return found


def _verb(tokens: list[str]) -> dict[str, Any]:
    verb = tokens.pop(0)
    if verb in ("buy", "sell"):
        return {"type": None, "side": verb, "qty": float(tokens.pop(0))}
    if verb in ("cancel", "modify"):
        return {"type": {"cancel": "cancel", "modify": "modify_order"}[verb], "id": int(tokens.pop(0))}
    if verb == "set":
        return {"type": {"sl": "modify_stop", "tp": "modify_target"}[tokens[0]]}
    return {"type": {"tighten": "tighten_stop"}.get(verb, verb)}


def _word(tokens: list[str]) -> dict[str, Any]:
    word = tokens.pop(0)
    if word in ("limit", "stop", "sl", "tp", "qty"):
        value = tokens.pop(0)
        return {word: None if value == "none" else float(value)}
    if word == "of":
        return {"symbol": tokens.pop(0)}
    if word in ("day", "ioc", "gtc"):
        return {"tif": word}
    flags: dict[str, dict[str, Any]] = {"reduce_only": {"reduce_only": True}, "manual": {"source": "manual"}}
    return flags[word]


def told(fill: Mapping[str, Any]) -> str:
    """A fill in words: bar, phase, side, quantity, price, reason."""
    return f"{fill['bar']} {fill['phase']} {fill['side']} {fill['qty']:g} @ {fill['price']:g} {fill['reason']}"
