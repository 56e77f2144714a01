"""Why: what a decision and a fill were made of, computed again with the kernel's own functions.

The journal keeps what happened; the values behind it are derived here by taking a run of its own back to the bar in
question. Nothing is stored for it, and nothing can differ from what the run used.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.kernel import loops
from engine.kernel.schema import EventKind, Gate, OrderType, Phase, Reason
from engine.kernel.state import ENTRY_OK, FLATTEN, REAL
from engine.orders import number_text
from engine.run import Run, time_text
from engine.scale import Scale

_AT_LEVEL = (Reason.LIMIT, Reason.STOP, Reason.STOP_LOSS, Reason.TAKE_PROFIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of an explanation: what, how much, and how it comes about."""

    label: str
    value: str
    how: str = ""

    def __str__(self) -> str:
        return f"{self.label}: {self.value}" + (f" ({self.how})" if self.how else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why something happened, from the first cause to the figure.

    Attributes:
        title: what is explained; steps: lines in order.
    """

    title: str
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return "\n".join([self.title, *(f"  {step}" for step in self.steps)])


def explain_decision(run: Run, symbol: str, bar: int) -> Explanation:
    """Gates, side, levels and size at OPEN of a bar, as the base bot saw them (S11).

    Args:
        run: a run with snapshots kept, at any point; it stands where it stood afterwards.

    Raises:
        ValueError: where the run has no such symbol or bar.
    """
    column = run.engine.column_of(symbol)
    if column < 0 or not 0 <= bar < run.bars:
        raise ValueError(f"{symbol} at bar {bar} is not in the run, which has {run.bars} bars of {_names(run)}")
    with _put_back_after(run):
        _stand_before_decision(run, column, bar)
        steps = tuple(_decision_steps(run, column, bar))
    when = time_text(run.engine.market.time_ns.item(bar))
    return Explanation(title=f"{symbol} at OPEN of bar {bar}, {when}", steps=steps)


@contextmanager
def _put_back_after(run: Run) -> Iterator[None]:
    """Take the run back to where it stands now, with what a snapshot leaves out: orders that ended, later notes."""
    before, status, error = run.snapshot(), run.status, run.error
    orders, notes = run.engine.tables.rows("orders").copy(), list(run.engine.notes)
    try:
        yield
    finally:
        if before.complete:
            run.restore(before)
        else:
            run.go_back(before.next_bar)  # a memory that is not handed out comes back by running again alone
        run.engine.tables.rows("orders")[:] = orders
        run.engine.notes[:] = notes
        run.status, run.error = status, error


def _names(run: Run) -> str:
    return ", ".join(run.engine.market.symbols)


def _stand_before_decision(run: Run, column: int, bar: int) -> None:
    """Bring the run to OPEN of ``bar``, after the positions' pass and the entries of the symbols before this one."""
    run.go_back(bar)
    run.engine.open_bar(bar)
    run.bot.act_before(run.env, column)


def _decision_steps(run: Run, column: int, bar: int) -> Iterator[Step]:
    yield from _gate_steps(run, column, bar)
    side = run.bot.side_at(run.env, column) if run.engine.tables.flags[bar, column] & REAL else 0
    yield Step(label="side", value={1: "buy", -1: "sell", 0: "none"}[side], how=type(run.bot).__name__)
    if side != 0:
        yield from _size_steps(run, column, side)


def _gate_steps(run: Run, column: int, bar: int) -> Iterator[Step]:
    """Every gate in the order of S11.2, with its value and its limit, and the one that decided."""
    tables, scale = run.engine.tables, run.engine.scales[column]
    account, flags = tables.account[0], int(tables.flags[bar, column])
    position, facts = tables.symbols[column], tables.instruments[column]
    yield Step(label="real bar", value=_word(flags & REAL), how="S3.3")
    held = scale.quantity(float(position["lots"]))
    yield Step(
        label="flat", value=_word(held == 0 and position["queued_entries"] == 0), how=f"holds {number_text(held)}"
    )
    session = "in the window before the session ends" if flags & FLATTEN else "session gate"
    yield Step(label="session", value=_word(flags & ENTRY_OK), how=session)
    atr = float(tables.attached["atr_a"][bar - 1, column]) if bar > 0 and "atr_a" in tables.attached else float("nan")
    limit = _price(scale, float(facts["min_atr"]))
    yield Step(label="ATR", value=_price(scale, atr), how=f"finite and at least {limit}")
    start, equity = float(position["day_start_equity"]), float(account["equity"])
    cap = float(account["max_daily_loss_pct"])
    allowed = "no cap" if np.isinf(cap) else f"below {number_text(cap * start)}"
    yield Step(label="loss of the day", value=number_text(start - equity), how=allowed)
    yield Step(
        label="open positions", value=str(int(account["open_positions"])), how=_cap(int(account["max_positions"]))
    )
    if "atr_a" not in tables.attached:  # the kernel's gates read what the base bot's prepare attaches
        yield Step(label="gate", value="none", how=f"{type(run.bot).__name__} does not use the base bot's")
        return
    gate = tables.call(loops.gate_of, column)
    yield Step(label="gate", value="open" if gate < 0 else f"closed by {_words(Gate(gate))}")


def _price(scale: Scale, ticks: float) -> str:
    """A price on the grid with its tick's decimals, between two of its lines with as many as it takes."""
    price = scale.price(ticks)
    return f"{price:,.{scale.decimals}f}" if ticks == np.rint(ticks) else number_text(price)


def _words(member: Gate | Reason) -> str:
    return member.name.lower().replace("_", " ")


def _word(passed: object) -> str:
    return "yes" if passed else "no"


def _cap(most: int) -> str:
    return "no cap" if most == np.iinfo(np.int64).max else f"at most {most}"


def _size_steps(run: Run, column: int, side: int) -> Iterator[Step]:
    """Levels and the arithmetic of S11.4."""
    engine, scale = run.engine, run.engine.scales[column]
    address, facts = engine.tables.address, engine.tables.instruments[column]
    price = float(engine.tables.symbols["mark"][column])
    stop, target = run.bot.levels_at(run.env, column, side)
    yield Step(label="entry", value=_price(scale, price), how="O of this bar")
    yield Step(label="stop", value=_price(scale, stop), how="rounded against the trader (S2.2)")
    if target == target:
        yield Step(label="target", value=_price(scale, target))
    account, money = engine.tables.account[0], float(facts["tick_money"])
    equity = loops.equity_at_marks(address)
    budget = equity * float(account["risk_pct"]) - 2 * float(facts["fee"])
    slip = loops.slippage_at(address, column, price, 1.0)
    risk = (abs(price - stop) + 2 * slip) * money + 2 * float(facts["commission"])
    yield Step(
        label="budget", value=number_text(budget), how=f"{number_text(equity)} x {account['risk_pct']:g} - 2 x fee"
    )
    parts = f"({number_text(abs(price - stop))} + 2 x {number_text(slip)} ticks) x {number_text(money)}"
    yield Step(label="risk per lot", value=number_text(risk), how=f"{parts} + 2 x commission")
    by_risk, by_margin = loops.lots_by_risk(address, column, stop), loops.lots_by_margin(address, column)
    free = equity - loops.margin_in_use(address)
    yield Step(label="lots by risk", value=number_text(by_risk), how="budget / risk, at most max_quantity")
    yield Step(
        label="lots by margin",
        value=number_text(by_margin),
        how=f"{number_text(free)} available x {account['max_margin_pct']:g}, less fee",
    )
    least = min(by_risk, by_margin)
    lots = max(float(np.floor(least + 1e-9 * max(1.0, least))), 0.0)
    yield Step(label="quantity", value=number_text(scale.quantity(lots)), how="rounded down to whole lots")


def explain_fill(run: Run, index: int) -> Explanation:
    """How the price, the costs and the profit of a fill come about (S2.3, S2.4, S5, S6, S8.5, S8.6).

    Raises:
        ValueError: where there is no such fill.
    """
    rows = run.engine.tables.rows("fills")
    if not 0 <= index < len(rows):
        raise ValueError(f"fill {index} is not in the run, which has {len(rows)} fills")
    row = rows[index]
    symbol = run.engine.market.symbols[int(row["symbol"])]
    side = "buy" if row["side"] > 0 else "sell"
    quantity = run.engine.scales[int(row["symbol"])].quantity(float(row["lots"]))
    when = f"bar {row['bar']} {Phase(int(row['phase'])).name}"
    title = f"fill {index}: {side} {number_text(quantity)} {symbol} at {when}, {_words(Reason(int(row['reason'])))}"
    return Explanation(title=title, steps=(*_price_steps(run, row), *_money_steps(run, row, index)))


def _price_steps(run: Run, row: Any) -> Iterator[Step]:
    """From the level through gap, slippage and rounding to the price."""
    engine, column = run.engine, int(row["symbol"])
    scale, bar = engine.scales[column], engine.tables.bars[int(row["bar"]), column]
    base, price, side = float(row["base_price"]), float(row["price"]), int(row["side"])
    level = _level_of(run, row)
    if level == level:
        yield Step(label="level", value=_price(scale, level))
    ohlc = ", ".join(f"{name.upper()} {_price(scale, float(bar[name]))}" for name in ("o", "h", "l", "c"))
    yield Step(label="bar", value=ohlc)
    where = "O" if row["phase"] == Phase.OPEN else ("the mark" if row["phase"] == Phase.CLOSE else "the level")
    yield Step(label="base price", value=_price(scale, base), how=where)
    if level == level and base != level:
        yield Step(label="gap", value=_price(scale, abs(base - level)), how="O lies beyond the level")
    exact = row["reason"] in (Reason.LIMIT, Reason.TAKE_PROFIT, Reason.STOP_LIMIT)
    slip = abs(price - base)
    how = "limits fill without slippage (S2.3)" if exact else "of the model, rounded against the trader (S2.3, S2.4)"
    yield Step(label="slippage", value=_price(scale, slip), how=how)
    yield Step(label="price", value=_price(scale, price), how=f"base {'+' if side > 0 else '-'} slippage")


def _level_of(run: Run, row: Any) -> float:
    """Level in ticks that the fill belongs to: the order's, or the position's protective one; NaN for none."""
    tables, reason = run.engine.tables, Reason(int(row["reason"]))
    if reason in (Reason.STOP_LOSS, Reason.TAKE_PROFIT):
        kind = EventKind.STOP_MOVED if reason is Reason.STOP_LOSS else EventKind.TARGET_MOVED
        events = tables.rows("events")
        fills = np.flatnonzero(events["kind"] == EventKind.FILL)
        place = fills[events["ref"][fills] == _index_of(tables, row)][0]
        earlier = events[:place]
        own = earlier[(earlier["kind"] == kind) & (earlier["symbol"] == row["symbol"])]
        return float(own["a"][-1])
    if row["order"] == 0 or reason not in (*_AT_LEVEL, Reason.STOP_LIMIT):
        return float("nan")
    order = tables.orders[int(row["order"]) - 1]
    return float(order["limit"] if order["type"] == OrderType.LIMIT else order["stop"])


def _index_of(tables: Any, row: Any) -> int:
    """Index of a fill from its row, which is a view into the table."""
    return int((row.__array_interface__["data"][0] - tables.fills.ctypes.data) // tables.fills.dtype.itemsize)


def _money_steps(run: Run, row: Any, index: int) -> Iterator[Step]:
    """Costs, profit realised and cash."""
    engine, column = run.engine, int(row["symbol"])
    scale = engine.scales[column]
    rows = engine.tables.rows("fills")[:index]
    own = rows[rows["symbol"] == column]
    average = float(own["average"][-1]) if len(own) else 0.0
    facts = engine.tables.instruments[column]
    costs = float(row["commission"]) + float(row["fee"])
    each = f"{number_text(float(facts['commission']))} x {number_text(float(row['lots']))} lots"
    yield Step(label="costs", value=number_text(costs), how=f"{each} + {number_text(float(row['fee']))} fee")
    if row["realised"] != 0.0:
        moved = _price(scale, float(row["price"]) - average)
        how = f"{moved} from the average {_price(scale, average)}, times the quantity closed"
        yield Step(label="realised", value=number_text(float(row["realised"])), how=how)
    before = float(row["cash"]) - float(row["realised"]) + costs
    yield Step(label="cash", value=number_text(float(row["cash"])), how=f"{number_text(before)} + realised - costs")
    held = number_text(scale.quantity(float(row["position"])))
    yield Step(label="position", value=held, how="after the fill")
