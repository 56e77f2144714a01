"""The live viewer: charts, states and a paper account over feeds in place of a journal."""

from app.live.command import show

__all__ = ["show"]
