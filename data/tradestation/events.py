"""What a feed tells its consumer: bars that move, close or are corrected, gaps, rolls, and the state it is in."""

from dataclasses import dataclass, field
from enum import StrEnum

from data.tradestation.bars import LiveBar


class CloseReason(StrEnum):
    """Why a bar counts as closed; the first that applies decides."""

    STATUS = "status"
    LATER_BAR = "later_bar"
    CLOCK = "clock"
    HISTORY = "history"


class FeedState(StrEnum):
    """What a viewer shows about a feed at all times."""

    CONNECTING = "connecting"
    HISTORY = "history"
    LIVE = "live"
    DELAYED = "delayed"
    STALE = "stale"
    RECONNECTING = "reconnecting"
    SIGNED_OUT = "signed-out"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class BarUpdated:
    """The open bar moved; ``opened_live`` as in BarClosed.

    Attributes:
        seen_ns: server time at which its copy came in on the stream; 0 where it came by a request.
    """

    symbol: str
    bar: LiveBar
    opened_live: bool = True
    seen_ns: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class BarClosed:
    """A bar is final as far as decisions go; told exactly once per bar, in order of time.

    Attributes:
        backfilled: its figures came by a later request, not by the stream as they happened.
        opened_live: its first print was seen on the stream while the bar was young, so a decision at its OPEN was
            possible; a bar that is not opened live gets no decision (S17.2).
        seen_ns: server time at which it was taken as closed.
    """

    symbol: str
    bar: LiveBar
    reason: CloseReason
    backfilled: bool
    opened_live: bool
    seen_ns: int


@dataclass(frozen=True, slots=True)
class BarCorrected:
    """A bar told as closed has other figures now; ``before`` is None for a bar that had not existed (a late print)."""

    symbol: str
    before: LiveBar | None
    bar: LiveBar
    seen_ns: int


@dataclass(frozen=True, slots=True)
class HistoryLoaded:
    """All bars up to now, closed ones only: the consumer replaces what it has.

    ``underlying`` is the contract behind a continuous symbol, None for any other; ``open_bar`` the bar that was under
    way, as the service had it then.
    """

    symbol: str
    bars: tuple[LiveBar, ...]
    underlying: str | None
    open_bar: LiveBar | None = None


@dataclass(frozen=True, slots=True)
class GapMarked:
    """Bars after ``since_ns`` may be missing; those that exist follow as backfilled ones."""

    symbol: str
    since_ns: int
    reason: str


@dataclass(frozen=True, slots=True)
class RolledOver:
    """A continuous symbol stands for another contract: its whole history is loaded anew."""

    symbol: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """The state of one symbol's feed.

    Attributes:
        attempt: number of the reconnect attempt, 0 when connected.
        retry_in: market seconds until the next attempt.
        skew_s: server clock minus ours, None until measured.
        last_byte_ns, last_data_ns, last_closed_ns: server times, None before the first.
        delayed: the exchange's data come late by contract.
        quiet: connected and confirmed by request that there is nothing newer.
        unreadable: lines that could not be used since the start.
    """

    symbol: str
    state: FeedState
    reason: str = ""
    attempt: int = 0
    retry_in: float = 0.0
    skew_s: float | None = None
    last_byte_ns: int | None = None
    last_data_ns: int | None = None
    last_closed_ns: int | None = None
    underlying: str | None = None
    delayed: bool = False
    quiet: bool = False
    session_open: bool = True
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """The feed's state is another one than before."""

    symbol: str
    status: FeedStatus


Event = BarUpdated | BarClosed | BarCorrected | HistoryLoaded | GapMarked | RolledOver | StatusChanged
