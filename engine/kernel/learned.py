"""Declarations of learned exits: the record they are described by, the numbers they see, and codes. Nothing compiles.

What reads them is compiled where a learned exit is first used: observing, networks, seats, bandit, choosing.
"""

import numpy as np

from engine.kernel.schema import ORDER
from engine.kernel.state import SYMBOL

# Columns of the table of closed bars, float64[n_bars, n_symbols, CLOSED]: values once a bar has closed.
C_ATR, C_DRIFT, C_RSI, C_EMA, C_SLOPE, C_MIDDLE, C_WIDTH, C_RANGE, C_VOLUME, C_ROW = range(10)
CLOSED = 10

# The numbers, in their order: eight of the market, six of the trade (zero when it begins).
(F_ATR_DRIFT, F_RSI, F_EMA_DISTANCE, F_EMA_SLOPE, F_BAND, F_RANGE, F_VOLUME, F_CLOCK,
 F_UNREALISED, F_MFE, F_MAE, F_HELD, F_STOP_DISTANCE, F_ATR_SINCE) = range(14)  # fmt: skip
MARKET_FEATURES = 8
FEATURES = 14
LIMIT = 4.0

# Scales that bring each number to the order of one.
RSI_SCALE, DISTANCE_SCALE, SLOPE_SCALE, HELD_SCALE, STOP_SCALE = 25.0, 3.0, 4.0, 4.0, 4.0
USUAL_RANGE = 2.0

#: Everything a learned exit needs, as one record; addresses of tables end in ``_a``.
LEARNED = np.dtype(
    [
        ("account_a", "i8"), ("stages_a", "i8"), ("multiples_a", "i8"), ("closed_a", "i8"), ("clock_a", "i8"),
        ("sequence_a", "i8"), ("weights_a", "i8"), ("sizes_a", "i8"), ("scratch_a", "i8"), ("x_a", "i8"),
        ("values_a", "i8"), ("widths_a", "i8"), ("prior_a", "i8"), ("lots_a", "i8"), ("calibration_a", "i8"),
        ("state_a", "i8"), ("gate_a", "i8"), ("pendings_a", "i8"), ("seats_a", "i8"), ("templates_a", "i8"),
        ("inverse_a", "i8"), ("work_a", "i8"), ("waiting_a", "i8"),
        ("arms", "i8"), ("network", "i8"), ("layers", "i8"), ("lookback", "i8"), ("hidden", "i8"),
        ("learner", "i8"), ("learning", "i8"), ("dims", "i8"), ("inverses", "i8"), ("slots", "i8"),
        ("gated", "i8"), ("fixed_arm", "i8"),
        ("unit", "i8"), ("arm", "i8"), ("proposed", "i8"), ("served_fixed", "i8"), ("side", "i8"), ("gate_min", "i8"),
        ("trial", "i8"), ("trial_min", "i8"), ("corrected", "i8"),
        ("alpha", "f8"), ("gate_z", "f8"), ("trial_z", "f8"),
    ],
    align=True,
)  # fmt: skip

NETWORK_NONE, NETWORK_POLICY, NETWORK_SEQUENCE = 0, 1, 2
LEARNER_NONE, LEARNER_REPLAY, LEARNER_FEEDBACK = 0, 1, 2
MOST_ARMS = 8

#: Numbers of a linear model: the constant, those of the market, and the size of the direction-like ones, without which
#: a straight line cannot tell a trend from a market that goes nowhere.
FIRST_SIGNED, SIGNED = F_RSI, 4
LINEAR = 1 + MARKET_FEATURES + SIGNED
# Behind b of an arm: how often it has learned, the sum of R and of R squared.
COUNT, SUM, SQUARES, TAIL = 0, 1, 2, 3
# Scratch of linear models: z, A^-1 z, the numbers of now, R of the arms.
WORK_ROW, WORK_ROWS = LINEAR + 1, 4
# Per symbol: figures of the learned advantage over the fixed multiple, counters, and from G_TRIAL on count, mean and
# spread of what a correction gained over its prior.
G_COUNT, G_MEAN, G_SPREAD, G_NUMBER, G_SKIPPED, G_LEARNED, G_TRIAL = range(7)
ADVANTAGE = 3
GATE_FIELDS = G_TRIAL + ADVANTAGE

# ``tried``: the corrected arm of a trade by which a correction is judged, -1 in any other.
_HEAD = [(name, "i8") for name in ("active", "number", "entry_bar", "completed", "served", "proposed", "tried")]
PENDING_HEAD = np.dtype(_HEAD, align=True)
PENDING = np.dtype([*_HEAD, ("x", "f8", (LINEAR,)), ("prior", "f8", (8,))], align=True)

OWN = np.dtype(
    [
        ("entry_bar", "i8"), ("bar", "i8"), ("exit_bar", "i8"), ("side", "i8"), ("done", "i8"), ("entry", "i8"),
        ("multiple", "f8"), ("lots", "f8"), ("atr", "f8"), ("r", "f8"), ("paid", "f8"),
    ],
    align=True,
)  # fmt: skip
# Two orders at most in one bar: an entry that waited for its open, and its flattening.
SEAT = np.dtype([("position", SYMBOL), ("orders", ORDER, (2,)), ("own", OWN)], align=True)

RUNNING, CLOSED_TRADE, NEVER_OPENED = 0, 1, 2
UNIT_STOP, UNIT_ATR = 0, 1


def offset_of(record: np.dtype[np.void], field: str) -> int:
    """Where a field lies in a record, in bytes."""
    places = record.fields
    return 0 if places is None else int(places[field][1])


def arm_words(dims: int) -> int:
    """Float64 words of one arm's state."""
    return dims + TAIL


def inverses_of(learner: int, dims: int, arms: int) -> int:
    """How many A^-1 a symbol has: one where all arms learn from the same numbers, else one for each."""
    return 1 if learner == LEARNER_REPLAY and dims == LINEAR else arms
