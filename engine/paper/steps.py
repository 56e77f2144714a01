"""What happens to a paper account, in order: openings, closings, revisions, rolls and orders by hand.

Live, these steps are made from what the feed tells (``phases``); in a replay they are read from the recording
(``replay``). The account takes nothing else in, so that the same steps give the same journal, byte for byte (S17.3).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.actions import Action
from engine.paper.growing import Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """OPEN of a master bar.

    Attributes:
        time_ns: opening time of the master bar; a late one (S17.2) stands a nanosecond behind the one before it.
        opens: per symbol that trades in it, when its own bar opened, and its O as seen.
        decide: whether the bot decides; not on bars that came by backfill (S17.2).
    """

    time_ns: int
    opens: Mapping[str, tuple[int, float]]
    decide: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """INTRABAR and CLOSE of the master bar: the figures of every symbol that trades in it, as seen."""

    figures: Mapping[str, Figures]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """New figures of a bar acted on already, or a bar that came too late to be acted on; no fill changes (S17.2)."""

    symbol: str
    open_ns: int
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A roll of a continuous symbol: its earlier prices are others by a constant, and the account follows (S17.2).

    Attributes:
        gap: by how much the service's history moved, in price; since_ns: bars that open from here on had the new
            prices already when they came.
        number: its place among the symbol's shifts, from 0; mid_bar: it came between OPEN and CLOSE.
    """

    symbol: str
    gap: float
    since_ns: int
    number: int
    mid_bar: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """An order or change by hand; given while a bar is under way, it is held until that has closed (S17.3).

    Attributes:
        number: its place among the account's actions, from 0.
    """

    action: Action
    number: int


Step = Opening | Closing | Revision | Shift | ByHand
