"""How the state of a feed reads: a word, a tone and the figures, always told, never guessed."""

import math
from dataclasses import dataclass

from data.tradestation.events import FeedState, FeedStatus

NS = 1_000_000_000
SKEW_WARNING_S = 2.0
_TONES = {
    FeedState.CONNECTING: "accent",
    FeedState.HISTORY: "accent",
    FeedState.LIVE: "up",
    FeedState.DELAYED: "amber",
    FeedState.STALE: "amber",
    FeedState.RECONNECTING: "amber",
    FeedState.SIGNED_OUT: "down",
    FeedState.FAILED: "down",
    FeedState.STOPPED: "muted",
}
# Which state stands for several feeds: the one that most needs someone's eye.
_WORST = (
    FeedState.SIGNED_OUT,
    FeedState.FAILED,
    FeedState.RECONNECTING,
    FeedState.STALE,
    FeedState.CONNECTING,
    FeedState.HISTORY,
    FeedState.DELAYED,
    FeedState.STOPPED,
    FeedState.LIVE,
)


@dataclass(frozen=True, slots=True)
class Told:
    """A state in words; ``tone`` names a colour of the theme, ``detail`` may be empty."""

    word: str
    tone: str
    detail: str


def told(status: FeedStatus, since_ns: int, now_ns: int) -> Told:
    """A feed's state at ``now_ns``; ``since_ns``: when it was told."""
    word, tone = status.state.value.upper(), _TONES[status.state]
    parts = []
    if status.state is FeedState.RECONNECTING:
        left = max(0, math.ceil(status.retry_in - (now_ns - since_ns) / NS))
        parts.append(f"attempt {max(status.attempt, 1)}, " + (f"next in {left} s" if left else "now"))
    if status.state is FeedState.DELAYED:
        parts.append("the exchange's data come late by contract")
    if status.state is FeedState.LIVE and not status.session_open:
        parts.append("market closed")
    elif status.state is FeedState.LIVE and status.quiet:
        parts.append("quiet: nothing newer, asked")
    if status.reason:
        parts.append(status.reason)
    return Told(word, tone, "; ".join(parts))


def worst(statuses: list[FeedStatus]) -> FeedStatus | None:
    """The state that stands for all of them."""
    return min(statuses, key=lambda one: _WORST.index(one.state), default=None)


def skew_text(seconds: float | None) -> tuple[str, str]:
    """Clock skew and its tone; above two seconds it is a warning."""
    if seconds is None:
        return "clock skew not measured", "muted"
    if abs(seconds) < SKEW_WARNING_S:
        return f"clock skew {round(seconds, 1) + 0.0:+.1f} s", "muted"
    return f"your clock is {abs(seconds):.0f} s {'behind' if seconds > 0 else 'ahead'}", "amber"


def countdown(close_ns: int | None, now_ns: int) -> str:
    """Time until the bar under way closes: 0:42, 1:05:00; empty without one."""
    if close_ns is None:
        return ""
    left = max(0, math.ceil((close_ns - now_ns) / NS))
    minutes, seconds = divmod(left, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
