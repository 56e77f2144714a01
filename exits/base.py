"""What an exit is: it gives the first levels of a trade and moves the stop, which only ever tightens (rulebook S12)."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from engine import settings as typed
from engine.backtester import BacktesterEngine
from engine.environment import TradingEnvironment
from engine.kernel.state import EXIT_OUTSIDE
from engine.orders import Side
from engine.views import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Levels of a new trade in prices; the broker rounds them against the trader (S2.2)."""

    stop_loss: float
    take_profit: float | None = None


@dataclass(slots=True, kw_only=True)
class ExitContext:
    """What an exit may look at, at OPEN of a bar.

    Attributes:
        env: the environment; symbol: the symbol in question.
        open: O of this bar; last_close: close of the last closed bar (NaN before there is one).
    """

    env: TradingEnvironment
    symbol: str
    open: float
    last_close: float

    def indicator(self, name: str, timeframe: str | None = None, **parameters: int | float | str) -> float:
        """An indicator of the symbol at the last closed bar."""
        return self.env.indicator(name, self.symbol, timeframe, **parameters)


class ExitStrategy(ABC):
    """Base of exits. Write ``initial_levels``; override ``update_stop`` to move the stop.

    Attributes:
        Settings: class of the settings, with bounds and help texts.
        kernel_kind: which compiled arithmetic stands for this class; EXIT_OUTSIDE: its Python methods are called.
        learns_in_kernel: compiled code learns; ``ingest_trade_log`` only keeps what was learned, and need not be
            called after every bar.
    """

    Settings: ClassVar[type[typed.Settings]] = typed.Settings
    kernel_kind: ClassVar[int] = EXIT_OUTSIDE
    learns_in_kernel: ClassVar[bool] = False

    def __init__(self, settings: typed.Settings | None = None) -> None:
        self.settings = settings if settings is not None else self.Settings()

    @property
    def in_kernel(self) -> bool:
        """Whether compiled code may stand for this object: its own class says so, not one that it derives from."""
        return "kernel_kind" in vars(type(self)) and self.kernel_kind != EXIT_OUTSIDE

    @property
    def requirements(self) -> tuple[tuple[str, dict[str, int]], ...]:
        """Indicators that must be warm before the first trade, as (name, parameters)."""
        return ()

    def prepare(self, engine: BacktesterEngine, learning: bool) -> None:  # noqa: B027 - a hook that few need
        """Hand tables of its own to the kernel, before the first bar; ``learning``: whether it may learn online."""

    @abstractmethod
    def initial_levels(self, side: Side, entry_price: float, atr: float, market: ExitContext) -> Levels:
        """Levels of a trade that enters at ``entry_price`` (O); ``atr`` is the bot's, at the last closed bar."""

    def update_stop(self, position: Position, market: ExitContext) -> float | None:
        """A new stop for a position at OPEN, or None; a looser one is ignored (S11.5)."""
        return None

    def ingest_trade_log(self, env: TradingEnvironment) -> None:  # noqa: B027 - a hook that few need
        """Learn from the trades that closed in this bar (S7.5); for online learners."""

    def get_state(self) -> dict[str, object] | None:
        """What a snapshot must keep, as plain data; None: unknown, a rewind replays from the start."""
        return None

    def set_state(self, state: dict[str, object]) -> None:  # noqa: B027 - a hook that few need
        """Go back to what ``get_state`` gave."""
