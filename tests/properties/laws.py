"""What holds for any simulation of any case: conservation, symmetry, scale, causality.

Each law takes ``simulate`` (a case in, a result as ``tests.reference.simulate`` gives it out) and a case, and returns
the differences that it finds: none if it holds or does not apply. ``LAWS`` lists them.

Exceptions that the rules themselves make:

- mirror: under ``colour``, ``proximity`` and finer bars a tie goes L first for longs and shorts alike (S6.1), so that
  cases with such ties are left out; ``worst_case`` and ``best_case`` mirror exactly.
- splitting: a fee per fill, slippage that grows with quantity, and a margin that suffices for one half make two
  orders differ from one; the law sets the fee to nothing and cash to plenty. Trades, whose initial risk is frozen at
  the first half, and fills are not compared, money and positions are.
- causality: the last bar ends the last trading day and finishes the run, so that finish is switched off, and what
  the last bar's close does to orders is not compared.
"""

import copy
from collections.abc import Callable
from typing import Any

from tests.properties.comparison import Simulate
from tests.properties.shrinking import without_bars
from tests.reference.model import Case, Spec, parse_bar, parse_spec
from tests.scenarios.loader import differences

ROWS = (
    "cash_after_bar",
    "equity_after_bar",
    "worst_equity_after_bar",
    "used_margin_after_bar",
    "maintenance_margin_after_bar",
    "position_after_bar",
)
PRICES = ("limit", "stop", "sl", "tp")


# Conservation


def money_is_conserved(simulate: Simulate, case: Case) -> list[str]:
    """S8.6, S8.7 at every fill and every bar, and trades that add up to the fills (S8.8)."""
    result = simulate(case)
    specs = {symbol: parse_spec(symbol, given) for symbol, given in case["spec"].items()}
    books = {symbol: _Book(spec) for symbol, spec in specs.items()}
    cash, wrong, fills = case["start_cash"], [], list(result["fills"])
    marks: dict[str, float] = {}
    for bar in range(len(result["cash_after_bar"])):
        while fills and fills[0]["bar"] == bar:
            fill = fills.pop(0)
            cash += books[fill["symbol"]].take(fill)
            wrong += differences({"cash": cash, "position": books[fill["symbol"]].quantity}, fill)
        for symbol, spec in specs.items():
            row = parse_bar(spec, case["bars"][symbol][bar])
            if row is not None:
                marks[symbol] = row.close
        wrong += _row_differences(result, bar, cash, books, marks)
    return wrong + _trade_differences(result, books)


class _Book:
    """What the fills of one symbol amount to, worked out from nothing but the fills."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.quantity = 0.0
        self.spent = 0.0
        self.paid = 0.0
        self.costs = 0.0
        self.slippage = 0.0

    def take(self, fill: dict[str, Any]) -> float:
        """Take a fill in; what it does to cash."""
        signed = fill["qty"] if fill["side"] == "buy" else -fill["qty"]
        value = self.spec.tick_value / self.spec.tick_size
        before, average = self.quantity, self.average()
        closed = min(abs(before), abs(signed)) * (1 if before > 0 else -1) if before * signed < 0 else 0.0
        realised = (fill["price"] - average) * value * closed
        costs = self.spec.commission * abs(signed) + self.spec.fee
        self.quantity = _dustless(before + signed, self.spec.lot_size)
        self.spent += average * -closed + fill["price"] * (signed + closed)
        self.spent = self.spent if self.quantity != 0 else 0.0
        self.paid += realised
        self.costs += costs
        self.slippage += (fill["price"] - fill["base_price"]) * signed * value
        return float(realised - costs)

    def average(self) -> float:
        """Average entry of what is held."""
        return self.spent / self.quantity if self.quantity != 0 else 0.0

    def unrealised(self, mark_ticks: float) -> float:
        """Profit of what is held at a mark."""
        price = self.spec.price(mark_ticks)
        return (price - self.average()) * self.spec.tick_value / self.spec.tick_size * self.quantity


def _dustless(quantity: float, lot: float) -> float:
    return round(quantity / lot) * lot


def _row_differences(
    result: dict[str, Any], bar: int, cash: float, books: dict[str, _Book], marks: dict[str, float]
) -> list[str]:
    held = {symbol: book for symbol, book in books.items() if book.quantity != 0}
    lots = {symbol: book.quantity / book.spec.lot_size for symbol, book in held.items()}
    expected = {
        "cash": cash,
        "equity": cash + sum(book.unrealised(marks[symbol]) for symbol, book in held.items()),
        "used_margin": sum(book.spec.initial_margin(lots[s], marks[s]) for s, book in held.items()),
        "maintenance_margin": sum(book.spec.maintenance_margin(lots[s], marks[s]) for s, book in held.items()),
        "position": {symbol: {"qty": book.quantity, "avg": book.average()} for symbol, book in held.items()},
    }
    found = differences(expected, {key: result[f"{key}_after_bar"][bar] for key in expected})
    if result["position_after_bar"][bar].keys() != held.keys():
        found.append(f".position: expected {sorted(held)} to be held")
    return [f"bar {bar}{difference}" for difference in found]


def _trade_differences(result: dict[str, Any], books: dict[str, _Book]) -> list[str]:
    """Where a symbol ends flat, its trades hold all that its fills made and cost."""
    found = []
    for symbol, book in books.items():
        trades = [trade for trade in result["trades"] if trade["symbol"] == symbol]
        found += [f"{symbol}: {trade}" for trade in trades if not trade["mae"] <= 0 <= trade["mfe"]]
        if book.quantity == 0:
            sums = {key: sum(trade[key] for trade in trades) for key in ("net", "gross", "slippage_cost")}
            made = {"net": book.paid - book.costs, "gross": book.paid, "slippage_cost": book.slippage}
            found += [f"trades of {symbol}{difference}" for difference in differences(made, sums)]
    return found


# Symmetry and scale


def long_and_short_are_mirror_images(simulate: Simulate, case: Case) -> list[str]:
    """Prices turned upside down and sides exchanged give the same money."""
    if case["policy"].get("path") not in ("worst_case", "best_case") and _has_ties(case):
        return []
    result, mirrored = simulate(case), simulate(mirror(case))
    expected = {key: result[key] for key in (*ROWS[:5], "status", "margin_calls")}
    expected["fills"] = [{**f, "side": _SWAP[f["side"]]} | _turned(f, "price", "base_price") for f in result["fills"]]
    expected["fills"] = [{**f, "position": -f["position"]} for f in expected["fills"]]
    expected["trades"] = [
        {**t, "side": _SWAP[t["side"]]} | _turned(t, "entry_price", "exit_price") for t in result["trades"]
    ]
    expected["orders"] = [{"id": o["id"], "status": o["status"]} for o in result["orders"]]
    return differences(expected, mirrored)


_SWAP = {"buy": "sell", "sell": "buy", "long": "short", "short": "long", None: None}


def _turned(row: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: -row[key] for key in keys if row.get(key) is not None}


def mirror(case: Case) -> Case:
    """The case with every price negated and every side exchanged."""
    turned = copy.deepcopy(case)
    turned["bars"] = {s: [None if r is None else _flip(r) for r in rows] for s, rows in case["bars"].items()}
    if "fine" in case:
        turned["fine"] = {s: {b: [_flip(r) for r in rows] for b, rows in g.items()} for s, g in case["fine"].items()}
    turned["actions"] = [
        {**action, **({"side": _SWAP[action["side"]]} if "side" in action else {}), **_turned(action, *PRICES)}
        for action in case["actions"]
    ]
    if "sides" in case.get("bot", {}):
        turned["bot"]["sides"] = {s: [_SWAP[side] for side in sides] for s, sides in case["bot"]["sides"].items()}
    return turned


def _flip(row: list[float]) -> list[float]:
    opening, high, low, close = row
    return [-opening, -low, -high, -close]


def _has_ties(case: Case) -> bool:
    """Whether some bar, or finer bar, leaves the path to the rule for ties."""
    for symbol, spec in case["spec"].items():
        rows = [row for row in case["bars"][symbol] if row is not None]
        rows += [row for finer in case.get("fine", {}).get(symbol, {}).values() for row in finer]
        near = spec["tick_size"] * 1e-3
        if any(abs(c - o) < near or abs(h + lo - 2 * o) < near for o, h, lo, c in rows):
            return True
    return False


def scaling_price_and_tick_changes_no_money(simulate: Simulate, case: Case, factor: float = 8.0) -> list[str]:
    """Prices and tick sizes times a factor: the same ticks, the same money."""
    result, scaled = simulate(case), simulate(scale(case, factor))
    expected = {key: result[key] for key in (*ROWS[:5], "status", "margin_calls")}
    for name, keys in (("fills", ("price", "base_price")), ("trades", ("entry_price", "exit_price"))):
        expected[name] = [{**row, **{key: row[key] * factor for key in keys}} for row in result[name]]
    expected["orders"] = [{"id": o["id"], "status": o["status"]} for o in result["orders"]]
    return differences(expected, scaled)


def scale(case: Case, factor: float) -> Case:
    """The case with prices and tick sizes times a factor, the money per tick as it was."""

    def rows(given: list[Any]) -> list[Any]:
        return [None if row is None else [price * factor for price in row] for row in given]

    scaled = copy.deepcopy(case)
    scaled["bars"] = {symbol: rows(given) for symbol, given in case["bars"].items()}
    for spec in scaled["spec"].values():
        spec["tick_size"] *= factor
    if "fine" in case:
        scaled["fine"] = {s: {bar: rows(finer) for bar, finer in given.items()} for s, given in case["fine"].items()}
    for action in scaled["actions"]:
        action |= {key: action[key] * factor for key in PRICES if action.get(key) is not None}
    if "min_atr" in case.get("bot", {}):
        scaled["bot"]["min_atr"] *= factor
    return scaled


def splitting_an_order_changes_nothing(simulate: Simulate, case: Case) -> list[str]:
    """Every order of several lots given as two in a row: the same money and positions at every bar."""
    if "bot" in case or any("volume_k" in given for given in case.get("slippage", {}).values()):
        return []
    plain = copy.deepcopy(case)
    plain["start_cash"] = 1e9
    for spec in plain["spec"].values():
        spec["fee_per_trade"] = 0.0
    plain["actions"] = [each for each in plain["actions"] if each["type"] not in ("modify_order", "cancel")]
    result, parted = simulate(plain), simulate({**plain, "actions": _split(plain)})
    return differences({key: result[key] for key in ROWS}, parted)


def _split(case: Case) -> list[dict[str, Any]]:
    actions = []
    for action in case["actions"]:
        spec = case["spec"].get(action.get("symbol"))
        lots = 0.0 if spec is None else (action.get("qty") or 0) / spec["lot_size"]
        if lots >= 2 and abs(lots - round(lots)) < 1e-6:
            first = round(lots) // 2
            actions += [{**action, "qty": part * spec["lot_size"]} for part in (first, round(lots) - first)]
        else:
            actions.append(action)
    return actions


# Causality


def a_later_bar_changes_nothing_earlier(simulate: Simulate, case: Case) -> list[str]:
    """S15: a run that ends early has the rows and fills of the longer one up to there."""
    endless = {**case, "policy": {**case["policy"], "liquidate_on_finish": False}}
    result = simulate(endless)
    length = len(result["cash_after_bar"])
    found = []
    for bar in {1, length // 2, length - 1} - {0, length}:
        short = simulate(without_bars(endless, set(range(bar, length))))
        expected = {key: result[key][:bar] for key in ROWS}
        expected["fills"] = [fill for fill in result["fills"] if fill["bar"] < bar]
        expected["trades"] = [trade for trade in result["trades"] if trade["exit_bar"] < bar]
        found += [f"cut at bar {bar}{difference}" for difference in differences(expected, short)]
    return found


def an_open_knows_nothing_of_its_bar(simulate: Simulate, case: Case) -> list[str]:
    """S15: other H, L and C, and other later bars, leave what happens at OPEN as it was."""
    result = simulate(case)
    length = len(result["cash_after_bar"])
    found = []
    for bar in {0, length // 2, length - 1}:
        other = simulate(_with_another_future(case, bar))
        seen = [{"fills": _seen_at_open(each["fills"], bar)} for each in (result, other)]
        found += [f"open of bar {bar}{difference}" for difference in differences(*seen)]
    return found


def _seen_at_open(fills: list[dict[str, Any]], bar: int) -> list[dict[str, Any]]:
    return [fill for fill in fills if fill["bar"] < bar or (fill["bar"] == bar and fill["phase"] == "OPEN")]


def _with_another_future(case: Case, bar: int) -> Case:
    """Legal bars whose ranges from ``bar`` on, and opens after it, are others; finer bars there are gone."""
    changed = copy.deepcopy(case)
    for symbol, rows in changed["bars"].items():
        tick = case["spec"][symbol]["tick_size"]
        for at in range(bar, len(rows)):
            if rows[at] is not None:
                opening = rows[at][0] + (7 * tick if at > bar else 0.0)
                rows[at] = [opening, opening + 9 * tick, opening - 5 * tick, opening - 3 * tick]
        given = changed.get("fine", {}).get(symbol, {})
        for key in [key for key in given if int(key) >= bar]:
            del given[key]
    return changed


def a_symbol_that_nobody_trades_changes_nothing(simulate: Simulate, case: Case) -> list[str]:
    """One more symbol, first in configuration order, without an order: the same result."""
    length = len(next(iter(case["bars"].values())))
    idle = {"tick_size": 0.5, "tick_value": 5.0, "initial_margin": 1.0, "maintenance_margin": 1.0, "slippage_ticks": 1}
    rows = [[50.0, 60.0, 40.0, 45.0] if bar % 3 else None for bar in range(length)]
    wider = {**case, "spec": {"IDLE": idle, **case["spec"]}, "bars": {"IDLE": rows, **case["bars"]}}
    if "bot" in case:
        wider["bot"] = {**case["bot"], "allow": {**case["bot"].get("allow", {}), "IDLE": [0] * length}}
        if "session" in case["bot"]:
            wider["bot"]["session"] = {**case["bot"]["session"], "IDLE": [0] * length}
    result = simulate(case)
    return differences({key: value for key, value in result.items() if key != "gates"}, simulate(wider))


def the_same_case_gives_the_same_result(simulate: Simulate, case: Case) -> list[str]:
    """S14: twice the same, to the last bit, and the case is left as it was."""
    before = copy.deepcopy(case)
    same = simulate(case) == simulate(copy.deepcopy(case))
    return ([] if same else ["two runs of one case differ"]) + ([] if case == before else ["the case was changed"])


LAWS: tuple[Callable[[Simulate, Case], list[str]], ...] = (
    money_is_conserved,
    long_and_short_are_mirror_images,
    scaling_price_and_tick_changes_no_money,
    splitting_an_order_changes_nothing,
    a_later_bar_changes_nothing_earlier,
    an_open_knows_nothing_of_its_bar,
    a_symbol_that_nobody_trades_changes_nothing,
    the_same_case_gives_the_same_result,
)
