"""Many settings in one pass over shared bars: one account each, no journal, figures of the curve as it goes.

A lane is one run of a batch. Its account goes through the same functions as any other; but its rows of equity, fills,
events and margin calls fall on the same few rows again and again: what the statistics (S13) need of them is taken up
after each bar, and at the end of each block of bars from the rows of equity. Closed trades are kept.
"""

from typing import Any

import numpy as np

from engine.kernel.compiling import entry, internal
from engine.kernel.lifecycle import manage_positions, seek_entries
from engine.kernel.phases import close_bar, finish, intrabar, open_bar
from engine.kernel.room import has_room
from engine.kernel.schema import EQUITY, Phase
from engine.kernel.state import (
    F8,
    I8,
    VOID,
    Account,
    account_at,
    equity_at,
    fill_at,
    instrument_at,
    int_at,
    pointer,
    put_float,
    record_type,
)

#: Bars that one lane runs before the next one takes its turn: few enough for them to stay in the processor's cache.
BLOCK = 512

LANE = np.dtype(
    [
        ("account_a", "i8"),
        ("closes_a", "i8"),          # float64[days]: equity at the last bar of each trading day
        ("day", "i8"),               # days that are over
        ("next_bar", "i8"),          # first bar that has not been run; behind the others: its tables must grow
        ("liquidate", "i8"),         # close what is open after the last bar (S7.6)
        ("in_position", "i8"),       # bars with a position after OPEN
        ("margin_calls", "i8"),
        ("turnover", "f8"), ("commission", "f8"), ("fees", "f8"), ("slippage_cost", "f8"),
        ("peak", "f8"), ("deepest", "f8"),          # highest equity so far; largest fall from it, in money
        ("deepest_worst", "f8"),                    # the same with the worst inside the bars (S7.1)
        ("peak_ns", "i8"), ("below", "i8"),         # time of the peak; whether equity is below it
        ("drawdown", "f8"), ("drawdown_fraction", "f8"), ("drawdown_ns", "i8"),
        ("worst", "f8"), ("worst_fraction", "f8"),
    ],
    align=True,
)  # fmt: skip

Lane = record_type(LANE)
_lane = pointer(LANE)
_OPEN = int(Phase.OPEN)
_ROW = EQUITY.itemsize


@internal(Lane(I8, I8), forceinline=True)
def lane_at(address: int, index: int) -> Any:
    """Lane ``index`` of the lanes at ``address``."""
    return _lane(address, index)


@internal(VOID(Account), forceinline=True)
def forget_rows(account: Any) -> None:
    """Use the rows of the bar before again; rows of orders only once none of them works."""
    account.n_fills = 0
    account.n_events = 0
    account.n_calls = 0
    if account.working == 0:
        account.n_orders = 0


@internal(VOID(Lane, Account, I8))
def take_fills(lane: Any, account: Any, held: int) -> None:
    """Add up what the bar's fills cost; ``held``: a position was there once OPEN was over."""
    for index in range(account.n_fills):
        row = fill_at(account, index)
        notional = abs(row.price) * row.lots * instrument_at(account, row.symbol).tick_money
        lane.turnover = lane.turnover + notional
        lane.commission = lane.commission + row.commission
        lane.fees = lane.fees + row.fee
        lane.slippage_cost = lane.slippage_cost + row.slippage_cost
        if row.position != 0.0 and row.phase > _OPEN:
            held = 1
    lane.in_position = lane.in_position + held
    lane.margin_calls = lane.margin_calls + account.n_calls


@internal(VOID(Lane, F8, F8, I8), forceinline=True)
def take_equity(lane: Any, equity: float, worst: float, time_ns: int) -> None:
    """Drawdowns up to one more bar: from a peak of equity to its close, and to the worst inside it (S13).

    The fraction of a fall grows with the fall as long as the peak stays: it is divided anew for a deeper fall only.
    """
    peak = lane.peak
    fall = peak - equity
    through = max(fall, peak - worst)
    if through > lane.deepest_worst:
        lane.deepest_worst = through
        lane.worst = max(lane.worst, through)
        lane.worst_fraction = max(lane.worst_fraction, through / peak)
    if fall > 0.0:
        lane.below = 1
        lane.drawdown_ns = max(lane.drawdown_ns, time_ns - lane.peak_ns)
        if fall > lane.deepest:
            lane.deepest = fall
            lane.drawdown = max(lane.drawdown, fall)
            lane.drawdown_fraction = max(lane.drawdown_fraction, fall / peak)
        return
    if lane.below == 1:
        lane.drawdown_ns = max(lane.drawdown_ns, time_ns - lane.peak_ns)
        lane.below = 0
    lane.peak_ns = time_ns
    if equity > peak:
        lane.peak = equity
        lane.deepest = 0.0
        lane.deepest_worst = 0.0


@internal(VOID(Lane, Account, I8, I8, I8, I8))
def take_block(lane: Any, account: Any, bar: int, stop: int, times: int, day_ends: int) -> None:
    """Read the block's rows of equity: drawdowns, and the close of each day that ended in it."""
    for each in range(bar, stop):
        row = equity_at(account, each)
        take_equity(lane, row.equity, row.worst_equity, int_at(times, each))
    day_end = int_at(day_ends, lane.day)
    while day_end < stop:
        put_float(lane.closes_a, lane.day, equity_at(account, day_end).equity)
        lane.day = lane.day + 1
        day_end = int_at(day_ends, lane.day)


@internal(VOID(Lane, I8, I8, I8, I8))
def run_lane(lane: Any, stop: int, times: int, day_ends: int, rows: int) -> None:
    """Run one lane up to ``stop``, or to the first bar for which its tables have no room."""
    account = account_at(lane.account_a)
    first = lane.next_bar
    bar = first
    account.equity_a = rows - first * _ROW
    forget_rows(account)
    while bar < stop and has_room(account, 0) == 1:
        open_bar(account, bar)
        manage_positions(account)
        seek_entries(account)
        held = 1 if account.open_positions > 0 else 0
        intrabar(account)
        close_bar(account)
        bar += 1
        if bar == account.n_bars and lane.liquidate == 1:
            finish(account)
        if account.n_fills > 0:
            take_fills(lane, account, held)
        else:
            lane.in_position = lane.in_position + held
        forget_rows(account)
    take_block(lane, account, first, bar, times, day_ends)
    lane.next_bar = bar


@entry(I8(I8, I8, I8, I8, I8, I8, I8), nogil=True)
def run_lanes(lanes: int, count: int, bar: int, stop: int, times: int, day_ends: int, rows: int) -> int:
    """Bars ``bar`` to ``stop`` (excluded) of ``count`` lanes, block by block; returns how many lanes fell behind.

    Addresses: ``lanes`` of LANE records; ``times`` int64[bars] nanoseconds; ``day_ends`` int64[days + 1], the last bar
    of each trading day, then a number beyond all bars; ``rows`` of ``BLOCK`` rows of equity, used again and again.
    A lane whose tables lack room stays where it is, unharmed: give it larger ones and call again.
    """
    behind = 0
    while bar < stop:
        end = min(bar + BLOCK, stop)
        behind = 0
        for index in range(count):
            lane = lane_at(lanes, index)
            if lane.next_bar >= bar and lane.next_bar < end:
                run_lane(lane, end, times, day_ends, rows)
            if lane.next_bar < end:
                behind += 1
        bar = end
    return behind
