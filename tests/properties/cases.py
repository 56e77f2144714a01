"""Which random cases a simulation is tried on: small, legal, and biased towards trouble.

``random_case(rng)`` makes one in the format of the worked scenarios (as ``tests/reference/simulator.py`` extends it).
Prices live on coarse grids and levels are taken from the bars to come, so that levels meet opens and extremes
exactly; margin is tight; everything that waits, expires, triggers at once or is refused comes up often.
Numbers that decide a comparison of money are either short binary fractions, whose sums are exact, or have odd cents.
"""

from typing import Any

import numpy as np

from tests.properties.bars import Market, random_market
from tests.reference.model import Case

GRIDS = ((0.25, 12.5), (1.0, 10.0), (0.1, 10.0), (0.01, 10.0), (0.01, 0.01), (0.5, 2.0))
EXACT_GRIDS = ((0.25, 12.5), (1.0, 10.0), (0.5, 2.0))
PATHS = ("worst_case", "best_case", "proximity", "colour", "fine_bars")
ORDER_TYPES = ("market", "limit", "stop", "stop_limit")


def case_of(seed: int) -> Case:
    """The random case of a seed."""
    return random_case(np.random.default_rng(seed))


def random_case(rng: np.random.Generator) -> Case:
    """A legal case, JSON-serialisable."""
    names = ["A", "B", "C"][: int(rng.choice([1, 1, 2, 2, 3]))]
    with_bot = bool(rng.random() < 0.3)
    length = int(rng.integers(6, 31)) if with_bot else int(rng.integers(3, 21))
    grids = EXACT_GRIDS if with_bot else GRIDS
    specs = {name: _spec(rng, grids[int(rng.integers(len(grids)))]) for name in names}
    market = random_market(rng, {name: spec["tick_size"] for name, spec in specs.items()}, length)
    case: Case = {
        "start_cash": _cash(rng, specs, market),
        "spec": specs,
        "policy": _policy(rng),
        "bars": market.rows,
    }
    if case["policy"]["path"] == "fine_bars":
        case["fine"] = market.fine
    if rng.random() < 0.6:
        case["days"] = _steps(rng, length, 0.3)
    if rng.random() < 0.15:
        case["slippage"] = {name: _slippage(rng, length, with_volume=not with_bot) for name in names}
    if with_bot:
        case["bot"] = _bot(rng, names, length)
    case["actions"] = _Actions(rng, case, market).all(0.15 if with_bot else 0.8)
    return case


def _pick(rng: np.random.Generator, *values: Any) -> Any:
    return values[int(rng.integers(len(values)))]


def _steps(rng: np.random.Generator, length: int, chance: float) -> list[int]:
    """Numbers that go up by one now and then: days, sessions."""
    return [int(x) for x in np.cumsum(rng.random(length) < chance)]


def _spec(rng: np.random.Generator, grid: tuple[float, float]) -> dict[str, Any]:
    tick_size, tick_value = grid
    spec: dict[str, Any] = {
        "tick_size": tick_size,
        "tick_value": tick_value,
        "lot_size": _pick(rng, 1, 1, 1, 1, 0.5, 0.25, 10, 0.1),
        "commission_per_contract": _pick(rng, 0.0, 2.25, 1.0, 0.5),
        "fee_per_trade": _pick(rng, 0.0, 0.0, 1.0, 0.75),
    }
    if rng.random() < 0.25:
        spec["initial_margin_rate"], spec["maintenance_margin_rate"] = _pick(
            rng, (0.5, 0.25), (1.0, 0.0), (0.25, 0.125)
        )
    else:
        margin = tick_value * _pick(rng, 4, 20, 100)
        spec["initial_margin"], spec["maintenance_margin"] = margin, margin * _pick(rng, 1.0, 0.75, 0.5)
    if rng.random() < 0.15:
        spec["slippage_pct"] = _pick(rng, 0.0, 0.001, 0.0037, 0.05)
    else:
        spec["slippage_ticks"] = _pick(rng, 0, 0, 1, 1, 2, 0.5, 1.3)
    if rng.random() < 0.1:
        spec["fx_rate"] = _pick(rng, 0.5, 1.25, 0.0073)
    return spec


def _cash(rng: np.random.Generator, specs: dict[str, Any], market: Market) -> float:
    """Money for a few lots, for many, or for hardly one; sometimes to the cent what some lots need."""
    needed = []
    for name, spec in specs.items():
        last = abs(market.reference(name, 0)) / spec["tick_size"] * spec["tick_value"]
        margin = spec.get("initial_margin", last * spec.get("initial_margin_rate", 0))
        needed.append(max(1.0, margin * spec["lot_size"] * spec.get("fx_rate", 1)))
    lots = _pick(rng, 1, 2, 3, 5, 8, 50, 1000)
    if rng.random() < 0.2:
        first = next(iter(specs.values()))
        costs = first["commission_per_contract"] * first["lot_size"] * lots + first["fee_per_trade"]
        return float(needed[0] * lots + costs * first.get("fx_rate", 1))
    return float(round(max(needed) * lots * (1 + rng.random())) + 0.37)


def _policy(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "path": _pick(rng, *PATHS),
        "limit_fill": _pick(rng, "touch", "touch", "through"),
        "market_fill": _pick(rng, "this_open", "this_open", "next_open"),
        "liquidation": _pick(rng, "losers_first", "losers_first", "all"),
        "liquidation_price": _pick(rng, "close", "breach"),
        "liquidate_on_finish": bool(rng.random() < 0.3),
    }


def _slippage(rng: np.random.Generator, length: int, *, with_volume: bool) -> dict[str, Any]:
    given: dict[str, Any] = {"ticks": [float(x) for x in rng.choice([0.0, 0.4, 1.0, 1.7, 3.0], length)]}
    if with_volume and rng.random() < 0.5:
        volumes = rng.choice([0.0, 3.0, 10.0, 250.0], length)
        given["volume_k"] = 1.7
        given["average_volume"] = [None if x == 0 else float(x) for x in volumes]
    return given


def _bot(rng: np.random.Generator, names: list[str], length: int) -> dict[str, Any]:
    bot: dict[str, Any] = {
        "kind": _pick(rng, "given", "given", "trend_following"),
        "exit": {
            "kind": _pick(rng, "trailing_atr", "trailing_atr", "fixed_ratio"),
            "atr_multiple": _pick(rng, 0.5, 1.0, 1.37, 3.0),
            "atr_period": int(_pick(rng, 1, 2, 3, 5)),
            "r_multiple": _pick(rng, 0.5, 1.0, 1.63),
        },
        "risk_pct": _pick(rng, 0.01, 0.1, 0.5),
        "max_margin_pct": _pick(rng, 0.5, 0.9, 1.3),
    }
    options = {
        "max_quantity": _pick(rng, 1, 3, 0.1),
        "min_atr": _pick(rng, 0.313, 1.313),
        "max_positions_open": int(_pick(rng, 1, 2)),
        "max_daily_loss_pct": _pick(rng, 0.0113, 0.0513),
        "allow": {name: [int(x) for x in rng.random(length) < 0.8] for name in names},
        "flatten": {name: [int(x) for x in rng.random(length) < 0.15] for name in names},
        "session": {name: _steps(rng, length, 0.2) for name in names},
    }
    bot |= {key: value for key, value in options.items() if rng.random() < 0.35}
    if bot["kind"] == "given":
        bot["sides"] = {name: [_pick(rng, "buy", "sell", None) for _ in range(length)] for name in names}
    else:
        bot["ema_span"], bot["breakout_atr"] = int(_pick(rng, 1, 3, 7)), _pick(rng, 0.37, 1.53)
    return bot


class _Actions:
    """What is given in the course of a case: orders near what is to come, and changes to earlier ones."""

    def __init__(self, rng: np.random.Generator, case: Case, market: Market) -> None:
        self.rng = rng
        self.case = case
        self.market = market
        self.names: list[str] = list(case["spec"])
        self.given = 0

    def all(self, rate: float) -> list[dict[str, Any]]:
        """The actions of every bar and phase, in order."""
        actions = []
        for bar in range(self.market.length):
            for phase in ("OPEN", "CLOSE"):
                for _ in range(int(self.rng.poisson(rate))):
                    actions.append({"bar": bar, "phase": phase, **self._one(bar, phase)})
        return actions

    def _one(self, bar: int, phase: str) -> dict[str, Any]:
        symbol = str(_pick(self.rng, *self.names))
        draw = self.rng.random()
        if draw < 0.72:
            action = self._order(symbol, bar, phase)
        elif draw < 0.86:
            action = self._level_change(symbol, bar)
        elif draw < 0.92:
            action = {"type": "close", "symbol": symbol, "tif": self._tif()}
        else:
            action = self._order_change(symbol, bar)
        if self.rng.random() < 0.15:
            action["source"] = "manual"
        self.given += action["type"] in (*ORDER_TYPES, "close")
        return action

    def _tif(self) -> str:
        return str(_pick(self.rng, "gtc", "gtc", "gtc", "gtc", "gtc", "day", "day", "ioc"))

    def _quantity(self, symbol: str) -> float:
        lot = self.case["spec"][symbol]["lot_size"]
        lots = _pick(self.rng, 1, 1, 2, 2, 3, 5, 40)
        return float(lot * (_pick(self.rng, 0, -1, 1.5) if self.rng.random() < 0.02 else lots))

    def _price(self, symbol: str, bar: int) -> float:
        """A level that matters soon: a price of this or a coming bar, or one a few ticks from it."""
        tick = self.case["spec"][symbol]["tick_size"]
        near = self.market.soon(symbol, bar)
        price = near[int(self.rng.integers(len(near)))] + tick * _pick(self.rng, 0, 0, 0, 1, -1, 2, -3)
        return float(price + 0.3 * tick if self.rng.random() < 0.05 else price)

    def _order(self, symbol: str, bar: int, phase: str) -> dict[str, Any]:
        kind = str(_pick(self.rng, "market", "market", "limit", "limit", "stop", "stop", "stop_limit"))
        side = str(_pick(self.rng, "buy", "sell"))
        action: dict[str, Any] = {"type": kind, "symbol": symbol, "side": side, "qty": self._quantity(symbol)}
        if kind in ("stop", "stop_limit"):
            action["stop"] = self._price(symbol, bar)
        if kind in ("limit", "stop_limit"):
            action["limit"] = self._price(symbol, bar)
        if kind != "market" or self.rng.random() < 0.1:
            action["tif"] = self._tif()
        if self.rng.random() < 0.1:
            action["reduce_only"] = True
        self._bracket(action, bar, phase)
        return self._spoiled(action)

    def _bracket(self, action: dict[str, Any], bar: int, phase: str) -> None:
        """Levels, mostly on the right side of the entry."""
        symbol, up = action["symbol"], 1 if action["side"] == "buy" else -1
        tick = self.case["spec"][symbol]["tick_size"]
        now = self.market.reference(symbol, bar, at_open=phase == "OPEN")
        entry = action["stop"] if action["type"] == "stop" else action.get("limit", now)
        for key, sign in (("sl", -up), ("tp", up)):
            draw = self.rng.random()
            if draw < 0.45:
                action[key] = float(entry + sign * tick * _pick(self.rng, 1, 1, 2, 3, 5, 0.4))
            elif draw < 0.55:
                action[key] = self._price(symbol, bar)

    def _spoiled(self, action: dict[str, Any]) -> dict[str, Any]:
        """Now and then an order that must be refused."""
        draw = self.rng.random()
        if draw < 0.01:
            action["symbol"] = "X"
        elif draw < 0.02 and action["type"] != "market":
            action[str(_pick(self.rng, *sorted({"limit", "stop"} & action.keys())))] = None
        return action

    def _level_change(self, symbol: str, bar: int) -> dict[str, Any]:
        kind = str(_pick(self.rng, "modify_stop", "modify_target", "tighten_stop"))
        key = "tp" if kind == "modify_target" else "sl"
        level = None if self.rng.random() < 0.1 else self._price(symbol, bar)
        return {"type": kind, "symbol": symbol, key: level}

    def _order_change(self, symbol: str, bar: int) -> dict[str, Any]:
        number = int(self.rng.integers(max(1, self.given - 4), self.given + 2))
        if self.rng.random() < 0.4:
            return {"type": "cancel", "id": number}
        action: dict[str, Any] = {"type": "modify_order", "id": number}
        if self.rng.random() < 0.5:
            action["limit"] = self._price(symbol, bar)
        if self.rng.random() < 0.4:
            action["stop"] = self._price(symbol, bar)
        if self.rng.random() < 0.3:
            action["qty"] = self._quantity(symbol)
        for key in ("sl", "tp"):
            if self.rng.random() < 0.25:
                action[key] = None if self.rng.random() < 0.2 else self._price(symbol, bar)
        return action
