"""How patient a feed is: when it closes a quiet bar, gives a line up, and asks although all looks well."""

from dataclasses import dataclass, field

from data.tradestation.reconnect import Backoff
from data.tradestation.stream import SILENCE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSettings:
    """Patience of a feed, in market seconds.

    Attributes:
        grace_s: a quiet bar closes so long after its end.
        silence_s: without a byte the line is dead; heartbeats come every 5 s.
        mute_bars, mute_s: without data for so many bars of open market (and at least so long) the feed asks.
        reconcile_s: after so much open market without a request the newest bars are asked for, however well the
            stream looks: what it has dropped unseen (a correction, a last print) comes to light so.
        roll_check_s: how often a continuous symbol's contract is asked for; roll_pause_s: and before the first bar
            behind a pause as long as this is told.
        stream_back: bars of history with which a stream begins.
        settle_s: longest wait for a stream's own history before its copies are let in, and for a stream to say what
            a request has just said.
        inbox, outbox: most frames and most events that wait.
    """

    grace_s: float = 3.0
    silence_s: float = SILENCE_S
    mute_bars: float = 2.0
    mute_s: float = 60.0
    reconcile_s: float = 900.0
    roll_check_s: float = 3600.0
    roll_pause_s: float = 1200.0
    stream_back: int = 3
    settle_s: float = 5.0
    inbox: int = 10_000
    outbox: int = 10_000
    backoff: Backoff = field(default_factory=Backoff)
