"""Paper trading: live bars, simulated fills, the same kernel and the same journal (S17)."""

from engine.paper.growing import GrowingBars, LiveMarket
from engine.paper.keeping import write_journal
from engine.paper.live import PaperAccount, PaperSettings
from engine.paper.replay import replay
from engine.paper.run import PaperRun
from engine.paper.steps import ByHand, Closing, Opening, Revision

__all__ = [
    "ByHand",
    "Closing",
    "GrowingBars",
    "LiveMarket",
    "Opening",
    "PaperAccount",
    "PaperRun",
    "PaperSettings",
    "Revision",
    "replay",
    "write_journal",
]
