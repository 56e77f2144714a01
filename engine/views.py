"""What bots, exits and windows look at: one bar, a position, the portfolio, events; plain floats, no numpy scalars."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from engine.kernel.schema import EventKind, Phase
from engine.orders import Side


def utc(time_ns: int) -> datetime:
    """A time as a datetime in UTC; nanoseconds below a microsecond are cut off."""
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).replace(microsecond=time_ns // 1000 % 1_000_000)


class BarView:
    """The current bar of one symbol as far as it is known; refreshed in place, so copy what you keep.

    Attributes:
        index: master bar.
        time_ns: time at which it opens, UTC nanoseconds.
        real: whether the symbol trades in it (S3.2).
        open: O; NaN on a synthetic bar.
        high, low, close, volume: NaN until CLOSE: at OPEN they do not exist (S5.2).
        last_close: close of the symbol's last closed real bar; NaN before there is one.
        shown: for who refreshes it: which bar and phase it shows.
    """

    __slots__ = ("close", "high", "index", "last_close", "low", "open", "real", "shown", "time_ns", "volume")

    index: int
    time_ns: int
    real: bool
    open: float
    high: float
    low: float
    close: float
    volume: float
    last_close: float
    shown: int

    def show_nothing(self) -> None:
        """Before the first bar: there is none yet."""
        self.index, self.time_ns, self.real = -1, 0, False
        self.open = self.high = self.low = self.close = self.volume = self.last_close = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """An open position.

    Attributes:
        quantity: signed, in contracts or shares.
        average: volume-weighted average entry price.
        stop_loss, take_profit: its levels; None where not set.
        mark: price at which it is valued now (S4); unrealised: profit there, account money.
        entry_bar: master bar at which the trade began; trade: its number.
        initial_risk: money at risk when it first had a stop (S8.8); None without one.
    """

    symbol: str
    quantity: float
    average: float
    stop_loss: float | None
    take_profit: float | None
    mark: float
    unrealised: float
    entry_bar: int
    trade: int
    initial_risk: float | None

    @property
    def side(self) -> Side:
        """BUY for a long, SELL for a short position."""
        return Side.BUY if self.quantity > 0 else Side.SELL


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """The account at the marks; money in account currency.

    Attributes:
        free_margin: equity less used initial margin.
        realised: gross profit realised so far; costs: commission and fees so far.
        day_result: equity less equity at the end of the trading day before (first symbol's day).
    """

    cash: float
    equity: float
    unrealised: float
    used_margin: float
    maintenance_margin: float
    free_margin: float
    realised: float
    costs: float
    day_result: float
    open_positions: int
    bankrupt: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvent:
    """Payload of the signals: one row of the journal's events, with names.

    Attributes:
        reference: order id, trade number, or index of the fill or margin call, by ``kind``.
        a, b, c: figures in prices, quantities and money, as docs/journal.md says for the kind.
    """

    kind: EventKind
    bar: int
    phase: Phase
    time_ns: int
    symbol: str | None
    reference: int
    a: float
    b: float
    c: float

    def to_frame(self) -> Any:
        """The event as a DataFrame of one row."""
        import pandas as pd

        row = {name: getattr(self, name) for name in self.__slots__}
        return pd.DataFrame([row | {"kind": self.kind.name, "phase": self.phase.name, "time": utc(self.time_ns)}])


@dataclass(frozen=True, slots=True, kw_only=True)
class BarEvent:
    """Payload of the bar signals: where the run stands.

    Attributes:
        bar: master bar; phase: the phase just reached; equity: account equity at the last close.
    """

    bar: int
    phase: Phase
    time_ns: int
    equity: float

    def to_frame(self) -> Any:
        """The event as a DataFrame of one row."""
        import pandas as pd

        row = {"bar": self.bar, "phase": self.phase.name, "time": utc(self.time_ns), "equity": self.equity}
        return pd.DataFrame([row])
