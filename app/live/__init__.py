"""The live viewer: charts, states and a paper account over feeds in place of a journal (GUI section 6)."""

from app.live.command import show

__all__ = ["show"]
