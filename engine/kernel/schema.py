"""The tables of a run, as record types and codes: what the kernel writes and everything later reads.

Prices are in ticks (float64, an exact integer on the grid; S2.1), quantities in lots, money in account currency.
``docs/journal.md`` explains each column; a test keeps the two equal.
"""

from enum import IntEnum

import numpy as np


class Phase(IntEnum):
    """The three phases of a bar (S4)."""

    OPEN = 0
    INTRABAR = 1
    CLOSE = 2


class OrderType(IntEnum):
    """Order types (S8.1)."""

    MARKET = 0
    LIMIT = 1
    STOP = 2
    STOP_LIMIT = 3


class TimeInForce(IntEnum):
    """How long an order works (S8.1)."""

    GTC = 0
    DAY = 1
    IOC = 2


class OrderStatus(IntEnum):
    """States of an order (S8.1)."""

    ACCEPTED = 0
    FILLED = 1
    CANCELLED = 2
    REJECTED = 3
    EXPIRED = 4


class Reason(IntEnum):
    """Why a fill happened (S8.9)."""

    MARKET = 0
    LIMIT = 1
    STOP = 2
    STOP_LIMIT = 3
    STOP_LOSS = 4
    TAKE_PROFIT = 5
    FLATTEN = 6
    LIQUIDATION = 7
    FINISH = 8


class ExitReason(IntEnum):
    """Why a trade ended (S8.8)."""

    SIGNAL = 0
    MANUAL = 1
    STOP_LOSS = 2
    TAKE_PROFIT = 3
    FLATTEN = 4
    LIQUIDATION = 5
    FINISH = 6


class Source(IntEnum):
    """Who gave an order."""

    BOT = 0
    MANUAL = 1


class Reject(IntEnum):
    """Why an order was rejected or cancelled by the broker; figures are in ``figure_a`` to ``figure_c``."""

    NONE = 0
    UNKNOWN_SYMBOL = 1
    QUANTITY = 2
    PRICE_MISSING = 3
    STOP_LOSS_SIDE = 4  # a: stop loss, b: entry (ticks)
    TAKE_PROFIT_SIDE = 5  # a: take profit, b: entry (ticks)
    MARGIN = 6  # a: required, b: available (money), c: largest affordable lots
    BANKRUPT = 7  # a: equity
    FLAT = 8  # a close, or a reduce-only order at its fill, found nothing to reduce
    IOC_UNFILLED = 9
    BY_BOT = 10  # cancelled by the bot
    BY_HAND = 11  # cancelled by a person
    LIQUIDATED = 12  # cancelled because the symbol was liquidated (S7.2)
    FLATTENED = 13  # cancelled before the session's end (S11.1)
    DAY_ENDED = 14  # expired (S7.4)


class EventKind(IntEnum):
    """What an event row tells; ``ref`` and ``a``, ``b``, ``c`` per kind."""

    ORDER_ACCEPTED = 0  # ref: order id
    ORDER_REJECTED = 1  # ref: order id; a, b, c: the figures of Reject
    ORDER_CANCELLED = 2  # ref: order id; a: Reject code
    ORDER_EXPIRED = 3  # ref: order id
    ORDER_MODIFIED = 4  # ref: order id; a: limit, b: stop (ticks), c: lots
    ORDER_TRIGGERED = 5  # ref: order id; a stop-limit became a limit; a: trigger price (ticks)
    FILL = 6  # ref: index into fills
    STOP_MOVED = 7  # a: new stop, b: old stop (ticks, NaN none)
    TARGET_MOVED = 8  # a: new target, b: old target
    TRADE_OPENED = 9  # ref: trade number
    TRADE_CLOSED = 10  # ref: trade number; a: net (money)
    GATE = 11  # the base bot's gate code changed; a: new code, b: old code
    DECISION = 12  # the base bot enters; ref: order id; a: side, b: stop, c: lots
    MARGIN_CALL = 13  # ref: index into margin_calls; a: worst-case equity, b: required (money); no symbol
    BANKRUPT = 14  # a: equity; no symbol
    LATE_FLATTEN = 15  # S11.1: closed at the next real open after the session's end
    BRACKET_STOP_MOVED = 16  # ref: order id; a: new stop loss that the order brings, b: old (ticks, NaN none)
    BRACKET_TARGET_MOVED = 17  # ref: order id; a: new take profit, b: old


# Whose figures a and b are prices; and whose a, b, c are the terms of an order: two prices and a quantity.
PRICE_EVENTS = (
    EventKind.STOP_MOVED,
    EventKind.TARGET_MOVED,
    EventKind.ORDER_TRIGGERED,
    EventKind.BRACKET_STOP_MOVED,
    EventKind.BRACKET_TARGET_MOVED,
)
TERM_EVENTS = (EventKind.ORDER_ACCEPTED, EventKind.ORDER_MODIFIED)


class Gate(IntEnum):
    """The base bot's verdict per symbol and bar (S11.2 to S11.4), in the order of the checks."""

    SYNTHETIC = 0  # no real bar
    HOLDING = 1  # a position, or an entry on its way
    SESSION = 2
    ATR = 3
    DAILY_LOSS = 4
    MAX_POSITIONS = 5
    NO_SIGNAL = 6
    LEVELS = 7  # the exit gave no usable stop
    SIZE_RISK = 8  # risk budget buys less than one lot
    SIZE_MARGIN = 9  # margin cap buys less than one lot
    REFUSED = 10  # the broker rejected the entry
    ENTERED = 11


EQUITY = np.dtype(
    [("equity", "f8"), ("cash", "f8"), ("used_margin", "f8"), ("maintenance_margin", "f8"), ("worst_equity", "f8")],
    align=True,
)

FILL = np.dtype(
    [
        ("order", "i8"), ("bar", "i4"), ("trade", "i4"), ("symbol", "i2"), ("phase", "i1"), ("side", "i1"),
        ("reason", "i1"), ("source", "i1"), ("lots", "f8"), ("price", "f8"), ("base_price", "f8"),
        ("slippage_cost", "f8"), ("commission", "f8"), ("fee", "f8"), ("realised", "f8"), ("cash", "f8"),
        ("position", "f8"), ("average", "f8"),
    ],
    align=True,
)  # fmt: skip

TRADE = np.dtype(
    [
        ("number", "i4"), ("entry_bar", "i4"), ("exit_bar", "i4"), ("symbol", "i2"), ("side", "i1"),
        ("exit_reason", "i1"), ("entry_phase", "i1"), ("exit_phase", "i1"), ("ambiguous", "u1"),
        ("max_lots", "f8"), ("entry_price", "f8"), ("exit_price", "f8"), ("gross", "f8"), ("commission", "f8"),
        ("fees", "f8"), ("slippage_cost", "f8"), ("net", "f8"), ("mae", "f8"), ("mfe", "f8"),
        ("initial_risk", "f8"), ("r_multiple", "f8"),
    ],
    align=True,
)  # fmt: skip

ORDER = np.dtype(
    [
        ("id", "i8"), ("placed_bar", "i4"), ("ended_bar", "i4"), ("symbol", "i2"), ("placed_phase", "i1"),
        ("ended_phase", "i1"), ("side", "i1"), ("type", "i1"), ("tif", "i1"), ("status", "i1"), ("reject", "i1"),
        ("source", "i1"), ("reduce_only", "u1"), ("whole", "u1"), ("flatten", "u1"), ("triggered", "u1"),
        ("live", "u1"), ("waiting", "u1"), ("lots", "f8"), ("limit", "f8"), ("stop", "f8"), ("stop_loss", "f8"),
        ("take_profit", "f8"), ("figure_a", "f8"), ("figure_b", "f8"), ("figure_c", "f8"),
    ],
    align=True,
)  # fmt: skip

EVENT = np.dtype(
    [
        ("ref", "i8"), ("bar", "i4"), ("symbol", "i2"), ("phase", "i1"), ("kind", "i1"),
        ("a", "f8"), ("b", "f8"), ("c", "f8"),
    ],
    align=True,
)  # fmt: skip

MARGIN_CALL = np.dtype(
    [
        ("bar", "i4"), ("first_fill", "i4"), ("fills", "i4"), ("worst_equity", "f8"), ("required", "f8"),
        ("between", "f8"), ("equity_after", "f8"),
    ],
    align=True,
)  # fmt: skip

# What a learned exit chose at an entry: ``v0`` to ``v7`` are the values it compared, NaN beyond its arms.
CHOICE = np.dtype(
    [
        ("order", "i8"), ("bar", "i4"), ("symbol", "i2"), ("side", "i1"), ("arm", "i1"), ("proposed", "i1"),
        ("gated", "u1"), ("multiple", "f8"), ("width", "f8"),
        ("v0", "f8"), ("v1", "f8"), ("v2", "f8"), ("v3", "f8"), ("v4", "f8"), ("v5", "f8"), ("v6", "f8"), ("v7", "f8"),
    ],
    align=True,
)  # fmt: skip
