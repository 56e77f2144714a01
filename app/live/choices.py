"""What the charts of the live window show, as a person chose it and as it is remembered; no Qt."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.panels.charts import MINUTE_NS, MINUTES
from engine import indicators

USUAL_INDICATORS: tuple[dict[str, Any], ...] = ({"name": "ema", "parameters": {"period": 50}},)
SHOWN = {"volume": True, "sessions": True, "trades": True, "log": False}
MOST_CHARTS = 4


@dataclass(slots=True)
class Choices:
    """One set for all charts of the window.

    Attributes:
        timeframe: name of a longer bar, None for the bars as they come.
        indicators: ``{"name": "ema", "parameters": {"period": 21}}``.
        shown: volume, sessions, trades, logarithmic prices.
        charts: how many charts are in sight.
    """

    timeframe: str | None = None
    indicators: list[dict[str, Any]] = field(default_factory=lambda: [dict(one) for one in USUAL_INDICATORS])
    shown: dict[str, bool] = field(default_factory=lambda: dict(SHOWN))
    charts: int = 2

    @classmethod
    def recalled(cls, kept: Mapping[str, Any], bar_ns: int) -> "Choices":
        """What was ``kept``; whatever of it makes no sense (any more) is as it is at first."""
        made = cls()
        if fits(kept.get("timeframe"), bar_ns):
            made.timeframe = kept["timeframe"]
        drawn = kept.get("indicators")
        if isinstance(drawn, list):
            known = indicators.names()
            made.indicators = [one for one in drawn if isinstance(one, dict) and one.get("name") in known]
        shown = kept.get("shown")
        if isinstance(shown, dict):
            made.shown |= {name: bool(shown[name]) for name in SHOWN if name in shown}
        count = kept.get("charts")
        if isinstance(count, int) and 1 <= count <= MOST_CHARTS:
            made.charts = count
        return made

    def kept(self) -> dict[str, Any]:
        """What ``recalled`` takes."""
        return {
            "timeframe": self.timeframe,
            "indicators": self.indicators,
            "shown": self.shown,
            "charts": self.charts,
        }


def fits(name: object, bar_ns: int) -> bool:
    """Whether bars of ``bar_ns`` can be joined to those of a timeframe."""
    length = MINUTES.get(name, 0) * MINUTE_NS if isinstance(name, str) else 0
    return length > bar_ns and length % bar_ns == 0
