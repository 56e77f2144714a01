"""Live data behind the interface of all accounts, and the session that joins feeds and a paper account."""

from engine.live.api import TradeStationLiveAPI
from engine.live.section import LiveSection, load_live_config
from engine.live.session import LiveSession

__all__ = ["LiveSection", "LiveSession", "TradeStationLiveAPI", "load_live_config"]
