"""Runs a case of the scenarios' format on the real engine, in either drive, and tells what the reference tells."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bots.base import BaseStrategyBot, BotSettings, SideArray
from bots.scripted import ScriptedBot
from bots.trend_following import TrendFollowingBot
from data.instruments import Instrument
from data.series import BarSeries
from data.sessions import SessionCalendar
from data.timeline import Timeline
from engine.backtester import BacktesterEngine
from engine.config.sections import SimulationSection
from engine.indicators import IndicatorBars
from engine.kernel.schema import EventKind, ExitReason, Gate, OrderStatus, OrderType, Phase, Reason, Reject, TimeInForce
from engine.kernel.state import DAY_FIRST, DAY_LAST, ENTRY_OK, FLATTEN, REAL, SESSION_FIRST
from engine.market import Market
from engine.run import Drive, Run
from engine.settings import Settings
from engine.slippage import Slippage, SlippageModel
from exits.atr import FixedRatioExit, TrailingATRExit
from exits.base import ExitStrategy

MINUTE_NS = 60_000_000_000
Case = Mapping[str, Any]


class GivenSlippage(SlippageModel):
    """Slippage arrays that a case gives for every bar."""

    def __init__(self, ticks: list[float], root: list[float]) -> None:
        super().__init__(Settings())
        self.ticks, self.root = np.array(ticks), np.array(root)

    def slippage(self, bars: IndicatorBars, instrument: Instrument) -> Slippage:
        return Slippage(ticks=self.ticks, root=self.root)


class CaseMarket(Market):
    """A market whose slippage arrays are given per master bar as they stand."""

    def known_at_open(self, column: int, values: Any) -> Any:
        return values


class GivenBot(BaseStrategyBot):
    """Sides as the case gives them."""

    def __init__(self, settings: BotSettings, exit: ExitStrategy, sides: SideArray) -> None:
        self.given = sides
        super().__init__(settings, exit)

    def sides(self, market: Market) -> SideArray:
        return self.given

    def get_state(self) -> dict[str, Any]:
        """Nothing to keep."""
        return {}


class ActingBot(GivenBot):
    """The base bot with actions after its own orders."""


def simulate(case: Case, drive: Drive = "step") -> dict[str, Any]:
    """Run a case; the result has the reference's names."""
    run = make_run(case, drive)
    run.complete()
    if run.error is not None:
        raise run.error
    return result_of(run, case)


def make_run(case: Case, drive: Drive = "step") -> Run:
    """A run of a case before its first bar."""
    market = market_of(case)
    names = set(SimulationSection.model_fields)
    rules = SimulationSection(**{key: value for key, value in case["policy"].items() if key in names})
    fx = {f"X{i}": spec.get("fx_rate", 1.0) for i, spec in enumerate(case["spec"].values())}
    slippage = [slippage_of(case, symbol, market.instruments[i]) for i, symbol in enumerate(case["spec"])]
    engine = BacktesterEngine(
        market, rules, initial_cash=case["start_cash"], currency="USD", fx_rates=fx, slippage=slippage
    )
    actions = list(case["actions"])
    if case.get("bot"):
        bot: Any = base_bot(case["bot"], market)
        run = Run(engine, bot, drive=drive, snapshots=True)
        for action in actions:
            run.intervene({"source": "bot", **action})
    else:
        run = Run(engine, ScriptedBot(actions=actions), drive="step", snapshots=True)
    engine.tables.flags[:] = flags_of(case)
    engine.tables.account[0]["flatten_on"] = bool(case.get("bot"))
    return run


def market_of(case: Case) -> Market:
    symbols = list(case["spec"])
    n = max(len(rows) for rows in case["bars"].values())
    real = np.zeros((n, len(symbols)), np.bool_)
    series, instruments, fine = [], [], {}
    for column, symbol in enumerate(symbols):
        rows = case["bars"][symbol]
        real[: len(rows), column] = [row is not None for row in rows]
        at = np.flatnonzero(real[:, column])
        series.append(series_of(symbol, at * MINUTE_NS, [rows[i] for i in at], MINUTE_NS))
        instruments.append(instrument_of(symbol, case["spec"][symbol], f"X{column}"))
        if symbol in case.get("fine", {}):
            fine[symbol] = fine_series(symbol, case["fine"][symbol])
    row = np.cumsum(real, axis=0).astype(np.int32) - 1
    timeline = Timeline(tuple(symbols), np.arange(n, dtype=np.int64) * MINUTE_NS, real, row)
    calendars = [SessionCalendar.named(None, cache_dir=Path())] * len(symbols)
    return CaseMarket(instruments, series, fine, calendars, timeline)


def series_of(symbol: str, time_ns: Any, rows: list[list[float]], bar_ns: int) -> BarSeries:
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    columns = [np.ascontiguousarray(table[:, i]) for i in range(4)]
    return BarSeries(
        symbol=symbol,
        time_ns=np.asarray(time_ns, dtype=np.int64),
        open=columns[0],
        high=columns[1],
        low=columns[2],
        close=columns[3],
        volume=np.ones(len(table)),
        bar_ns=bar_ns,
        source="case",
        digest="",
    )


def fine_series(symbol: str, given: Mapping[str, list[list[float]]]) -> BarSeries:
    """Finer bars: up to sixty per bar, a second each."""
    times, rows = [], []
    for bar in sorted(given, key=int):
        for i, row in enumerate(given[bar]):
            times.append(int(bar) * MINUTE_NS + i * 1_000_000_000)
            rows.append(row)
    return series_of(symbol, times, rows, 1_000_000_000)


def instrument_of(symbol: str, spec: Mapping[str, Any], currency: str) -> Instrument:
    facts = {key: value for key, value in spec.items() if key != "fx_rate"}
    if facts.get("slippage_pct") is not None:
        facts["slippage_ticks"] = None
    return Instrument(symbol=symbol, currency=currency, **facts)


def slippage_of(case: Case, symbol: str, instrument: Instrument) -> SlippageModel:
    from engine.slippage import FixedSlippage

    given = case.get("slippage", {}).get(symbol)
    if given is None:
        return FixedSlippage(FixedSlippage.Settings())
    k, volumes = given.get("volume_k", 0.0), given.get("average_volume") or [None] * len(given["ticks"])
    return GivenSlippage(given["ticks"], [0.0 if v is None else k / np.sqrt(v) for v in volumes])


def flags_of(case: Case) -> Any:
    symbols = list(case["spec"])
    n = max(len(rows) for rows in case["bars"].values())
    days = case.get("days") or [0] * n
    bot = case.get("bot") or {}
    flags = np.zeros((n, len(symbols)), np.uint8)
    for column, symbol in enumerate(symbols):
        rows = list(case["bars"][symbol]) + [None] * n
        allow = bot.get("allow", {}).get(symbol, [1] * n)
        flatten = bot.get("flatten", {}).get(symbol, [0] * n)
        session = bot["session"][symbol] if "session" in bot else [0] * n
        last_session = None
        for t in range(n):
            bits = 0
            if t == 0 or days[t - 1] != days[t]:
                bits |= DAY_FIRST
            if t == n - 1 or days[t + 1] != days[t]:
                bits |= DAY_LAST
            if rows[t] is not None:
                bits |= REAL
                bits |= FLATTEN if flatten[t] else 0
                if last_session is not None and session[t] != last_session:
                    bits |= SESSION_FIRST
                last_session = session[t]
            if allow[t] and not flatten[t]:
                bits |= ENTRY_OK
            flags[t, column] = bits
    return flags


def base_bot(given: Mapping[str, Any], market: Market) -> BaseStrategyBot:
    exit_given = given["exit"]
    period = exit_given.get("atr_period", 14)
    keys = ("atr_multiple",) if exit_given["kind"] == "trailing_atr" else ("atr_multiple", "r_multiple")
    own = {key: exit_given[key] for key in keys if key in exit_given}
    strategy: ExitStrategy
    if exit_given["kind"] == "trailing_atr":
        strategy = TrailingATRExit(TrailingATRExit.Settings(atr_period=period, **own))
    else:
        strategy = FixedRatioExit(FixedRatioExit.Settings(atr_period=period, **own))
    names = ("risk_pct", "max_margin_pct", "max_quantity", "min_atr", "max_positions_open", "max_daily_loss_pct")
    settings = {name: given[name] for name in names if given.get(name) is not None} | {"atr_period": period}
    if given["kind"] == "trend_following":
        trend = {name: given[name] for name in ("ema_span", "breakout_atr") if name in given}
        return TrendFollowingBot(TrendFollowingBot.Settings.model_construct(**settings, **trend), strategy)
    sides = np.zeros((len(market), len(market.symbols)), np.int8)
    for column, symbol in enumerate(market.symbols):
        for t, side in enumerate(given["sides"].get(symbol) or []):
            sides[t, column] = {"buy": 1, "sell": -1, None: 0}[side]
    return GivenBot(BotSettings.model_construct(**settings), strategy, sides)


def result_of(run: Run, case: Case) -> dict[str, Any]:
    engine = run.engine
    tables, symbols = engine.tables, list(case["spec"])
    result: dict[str, Any] = {
        "fills": [fill_of(engine, row, symbols) for row in tables.rows("fills")],
        "trades": [trade_of(engine, row, symbols) for row in tables.rows("trades")],
        "orders": [order_of(engine, i + 1) for i in range(tables.count("orders"))],
        "margin_calls": [call_of(engine, row, symbols) for row in tables.rows("calls")],
        "status": "bankrupt" if tables.account["bankrupt"][0] else "completed",
    }
    columns = {"cash": "cash", "equity": "equity", "worst_equity": "worst_equity", "used_margin": "used_margin"}
    columns["maintenance_margin"] = "maintenance_margin"
    for name, field in columns.items():
        result[f"{name}_after_bar"] = tables.equity[field][: run.next_bar].tolist()
    result["position_after_bar"] = positions_after(engine, symbols, run.next_bar)
    if case.get("bot"):
        result["gates"] = gates_of(engine, symbols, run.next_bar)
        result["late_flattens"] = int(tables.symbols["late_flattens"].sum())
    return result


def fill_of(engine: BacktesterEngine, row: Any, symbols: list[str]) -> dict[str, Any]:
    column = int(row["symbol"])
    scale = engine.scales[column]
    return {
        "bar": int(row["bar"]),
        "phase": Phase(int(row["phase"])).name,
        "symbol": symbols[column],
        "side": "buy" if row["side"] > 0 else "sell",
        "qty": scale.quantity(float(row["lots"])),
        "price": scale.price(float(row["price"])),
        "reason": Reason(int(row["reason"])).name.lower(),
        "order": int(row["order"]),
        "base_price": scale.price(float(row["base_price"])),
        "commission": float(row["commission"]),
        "fee": float(row["fee"]),
        "slippage_cost": float(row["slippage_cost"]),
        "realised": float(row["realised"]),
        "cash": float(row["cash"]),
        "position": scale.quantity(float(row["position"])),
    }


def trade_of(engine: BacktesterEngine, row: Any, symbols: list[str]) -> dict[str, Any]:
    column = int(row["symbol"])
    scale = engine.scales[column]

    def some(name: str) -> float | None:
        return None if np.isnan(row[name]) else float(row[name])

    return {
        "symbol": symbols[column],
        "side": "long" if row["side"] > 0 else "short",
        "qty": scale.quantity(float(row["max_lots"])),
        "entry_bar": int(row["entry_bar"]),
        "entry_phase": Phase(int(row["entry_phase"])).name,
        "exit_bar": int(row["exit_bar"]),
        "exit_phase": Phase(int(row["exit_phase"])).name,
        "entry_price": scale.price(float(row["entry_price"])),
        "exit_price": scale.price(float(row["exit_price"])),
        **{name: float(row[name]) for name in ("gross", "commission", "fees", "slippage_cost", "net", "mae", "mfe")},
        "bars_held": int(row["exit_bar"] - row["entry_bar"]),
        "initial_risk": some("initial_risk"),
        "r_multiple": some("r_multiple"),
        "exit_reason": ExitReason(int(row["exit_reason"])).name.lower(),
        "ambiguous": bool(row["ambiguous"]),
    }


def order_of(engine: BacktesterEngine, order_id: int) -> dict[str, Any]:
    order = engine.order(order_id)
    return {
        "id": order.id,
        "symbol": order.symbol,
        "side": None if order.side is None else order.side.name.lower(),
        "type": OrderType(order.type).name.lower(),
        "tif": TimeInForce(order.time_in_force).name.lower(),
        "status": OrderStatus(order.status).name.lower(),
        "reject": Reject(order.reject).name.lower(),
        "qty": order.quantity,
        "limit": order.limit,
        "stop": order.stop,
        "sl": order.stop_loss,
        "tp": order.take_profit,
        "triggered": order.triggered,
        "placed_bar": order.placed_bar,
        "placed_phase": order.placed_phase.name,
        "ended_bar": order.ended_bar,
        "ended_phase": None if order.ended_phase is None else order.ended_phase.name,
    }


def call_of(engine: BacktesterEngine, row: Any, symbols: list[str]) -> dict[str, Any]:
    fills = engine.tables.fills[row["first_fill"] : row["first_fill"] + row["fills"]]
    return {
        "bar": int(row["bar"]),
        "worst_equity": float(row["worst_equity"]),
        "required": float(row["required"]),
        "liquidated": [symbols[int(fill["symbol"])] for fill in fills],
        "between": float(row["between"]),
        "equity_after": float(row["equity_after"]),
    }


def positions_after(engine: BacktesterEngine, symbols: list[str], bars: int) -> list[dict[str, Any]]:
    """Positions and levels at every close, put together from the journal alone, as the window does."""
    held: dict[int, dict[str, Any]] = {}
    rows, result, at = engine.tables.rows("events"), [], 0
    for bar in range(bars):
        while at < len(rows) and rows[at]["bar"] <= bar:
            follow(engine, held, rows[at])
            at += 1
        result.append({symbols[column]: dict(value) for column, value in sorted(held.items())})
    return result


def follow(engine: BacktesterEngine, held: dict[int, dict[str, Any]], row: Any) -> None:
    kind, column = EventKind(int(row["kind"])), int(row["symbol"])
    scale = engine.scales[max(column, 0)]
    if kind is EventKind.FILL:
        fill = engine.tables.fills[int(row["ref"])]
        quantity = scale.quantity(float(fill["position"]))
        if quantity == 0:
            held.pop(column, None)
            return
        before = held.get(column)
        same = before is not None and before["qty"] * quantity > 0
        levels = {"sl": before["sl"], "tp": before["tp"]} if same and before is not None else {"sl": None, "tp": None}
        held[column] = {"qty": quantity, "avg": scale.price(float(fill["average"])), **levels}
    elif kind in (EventKind.STOP_MOVED, EventKind.TARGET_MOVED):
        held[column]["sl" if kind is EventKind.STOP_MOVED else "tp"] = scale.price_or_none(float(row["a"]))


def gates_of(engine: BacktesterEngine, symbols: list[str], bars: int) -> dict[str, list[str]]:
    """The verdict of every symbol and bar, from the changes that the journal has."""
    rows = engine.tables.rows("events")
    gates: dict[str, list[str]] = {}
    for column, symbol in enumerate(symbols):
        own = rows[(rows["kind"] == EventKind.GATE) & (rows["symbol"] == column)]
        verdict, at, told = "", 0, []
        for bar in range(bars):
            while at < len(own) and own[at]["bar"] <= bar:
                verdict, at = Gate(int(own[at]["a"])).name.lower(), at + 1
            told.append(verdict)
        gates[symbol] = told
    return gates
