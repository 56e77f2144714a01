"""TradeStation: sign-in, history, live bars, quotes, recording, and a loopback service to try it all against."""

from data.tradestation.auth import ACCOUNT_SCOPES, DATA_SCOPES, Credentials, SignIn
from data.tradestation.bars import BarUnit, Interval, LiveBar
from data.tradestation.clock import Clock, ScaledClock, SystemClock
from data.tradestation.endpoints import CALLBACK_PORTS, Endpoints
from data.tradestation.events import (
    BarClosed,
    BarCorrected,
    BarUpdated,
    CloseReason,
    Event,
    FeedState,
    FeedStatus,
    GapMarked,
    HistoryLoaded,
    RolledOver,
    StatusChanged,
)
from data.tradestation.feed import SymbolFeed
from data.tradestation.history import HistoryCache
from data.tradestation.hours import AlwaysOpen, CalendarHours, SessionTimes, TradingHours
from data.tradestation.live import LiveFeed, Subscription
from data.tradestation.patience import FeedSettings
from data.tradestation.quotes import Quote, QuoteFeed
from data.tradestation.recorder import Acted, Recorder
from data.tradestation.recording import Recording, read_recording
from data.tradestation.rest import TradeStationClient
from data.tradestation.symbols import PriceFormat, SymbolFacts
from data.tradestation.tokenstore import FileTokenStore, KeyringTokenStore, TokenStore, default_store
