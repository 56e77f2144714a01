"""When a continuous symbol rolls: by how much its history moved, and what of an account moves with it.

A back-adjusted series such as ``@ES`` adds the gap between two contracts to all earlier prices when it goes on to the
next one. A position is rolled with it: sold in the old contract and bought in the new one, its profit and its distance
to every level are what they were. So average, levels, resting orders and extremes move by the same gap; money does not.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from data.instruments import Instrument
from data.tradestation.bars import LiveBar
from engine.backtester import BacktesterEngine
from engine.kernel import loops
from engine.kernel.schema import OrderStatus
from engine.paper.growing import Figures

FEWEST = 5
PART = 0.9
_POSITION = ("average", "target", "seen_low", "seen_high", "run_low", "run_high")
_ORDER = ("limit", "stop", "stop_loss", "take_profit")


@dataclass(frozen=True, slots=True)
class Roll:
    """By how much bars that open before ``since_ns`` have moved, in price."""

    gap: float
    since_ns: int


def roll_of(known: Callable[[int], Figures | None], bars: Iterable[LiveBar], tick_size: float) -> Roll | None:
    """The roll that history loaded anew tells of; None where earlier bars have not all moved by one amount.

    Bars from between the roll and its discovery came with the new prices: they are the end of the history that is
    equal. Of the others nine in ten must have moved by the same whole number of ticks (the rest are corrections).
    ``known`` gives the figures of the bar that opened at a time, as they were before.
    """
    pairs = [(bar, before) for bar in bars if (before := known(bar.open_ns)) is not None]
    while pairs and pairs[-1][0].figures[:4] == pairs[-1][1][:4]:
        pairs.pop()
    gaps = [_gap(bar.figures, before, tick_size) for bar, before in pairs]
    found = [gap for gap in gaps if gap]
    if len(found) < FEWEST:
        return None
    gap = max(set(found), key=found.count)
    if found.count(gap) < PART * len(gaps):
        return None
    last = max(bar.open_ns for bar, before in pairs if _gap(bar.figures, before, tick_size) == gap)
    return Roll(gap * tick_size, last + 1)


def _gap(new: Figures, old: Figures, tick_size: float) -> int | None:
    """Whole ticks by which all four prices differ; None where they do not differ alike."""
    ticks = {round((one - other) / tick_size, 6) for one, other in zip(new[:4], old[:4], strict=True)}
    only = ticks.pop()
    return round(only) if not ticks and only == round(only) else None


def shift_account(engine: BacktesterEngine, column: int, gap: float, since_bar: int) -> str:
    """Move position, levels and orders from before ``since_bar`` by ``gap``; returns what was moved, for a sentence."""
    tables = engine.tables
    ticks = round(gap / engine.market.instruments[column].tick_size)
    row = tables.symbols[column : column + 1]
    holds = bool(row["lots"][0]) and int(row["entry_bar"][0]) < since_bar
    if since_bar > engine.bar:  # else the mark is a new price already
        row["mark"] += ticks
    orders = tables.rows("orders")
    resting = (orders["symbol"] == column) & (orders["status"] == OrderStatus.ACCEPTED)
    older = resting & (orders["placed_bar"] < since_bar)
    for name in _ORDER:
        orders[name][older] += ticks
    told = [f"resting orders ({int(older.sum())})"] if older.any() else []
    if holds:
        told.insert(0, "the position's average and levels")
        for name in _POSITION:
            row[name] += ticks
        row["entry_value"] += ticks * row["entry_lots"]
        row["exit_value"] += ticks * row["exit_lots"]
    unbooked = _unbooked(engine, column) if holds else ""
    _renew_triggers(row, ticks, bool(row["lots"][0]) == holds and bool((older == resting).all()))
    if holds and not np.isnan(row["stop"][0]):
        tables.call(loops.modify_stop, column, float(row["stop"][0]) + ticks)  # which leaves an event
    return " and ".join(told) + unbooked


def round_turn(facts: Instrument, quantity: float, price: float) -> float:
    """What selling the old contracts and buying as many new ones costs, in the instrument's currency (S9).

    Twice commission, fee and slippage, the latter as the instrument has it whatever the slippage model; the spread
    between the two contracts is no cost: it is the gap.
    """
    slipped = facts.slippage_ticks * facts.tick_size if facts.slippage_ticks is not None else None
    slippage = (facts.slippage_pct or 0.0) * price if slipped is None else slipped
    each = facts.commission_per_contract + slippage * facts.point_value
    return 2.0 * (each * quantity + facts.fee_per_trade)


def _unbooked(engine: BacktesterEngine, column: int) -> str:
    """What the roll of a position would have cost, in words: it is told and not booked (docs/live.md says why)."""
    facts, scale = engine.market.instruments[column], engine.scales[column]
    row = engine.tables.symbols[column]
    quantity = abs(scale.quantity(float(row["lots"])))
    cost = round_turn(facts, quantity, scale.price(float(row["mark"])))
    return (
        f"; a roll of {quantity:g} contracts costs some {cost:,.2f} {facts.currency} of commissions and slippage, "
        "which are not booked"
    )


def _renew_triggers(row: np.ndarray[tuple[int, ...], np.dtype[np.void]], ticks: int, all_moved: bool) -> None:
    """The nearest levels move with all levels; where only some did, every price is looked at until the next change."""
    if all_moved:
        row["trigger_up"] += ticks
        row["trigger_down"] += ticks
    else:
        row["trigger_up"], row["trigger_down"] = -np.inf, np.inf
