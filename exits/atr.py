"""Stops at a multiple of the ATR: one that trails, one that stays and has a target (rulebook S12.1, S12.2)."""

from engine import settings as typed
from engine.kernel import loops
from engine.kernel.state import EXIT_FIXED_RATIO, EXIT_TRAILING_ATR
from engine.orders import Side
from engine.scale import Scale
from engine.settings import setting
from engine.views import Position
from exits.base import ExitContext, ExitStrategy, Levels


class TrailingATRExit(ExitStrategy):
    """Stop at a multiple of the ATR from the open; once the last close is in favour, it trails that close (S12.1)."""

    class Settings(typed.Settings):
        """Settings of the trailing ATR exit."""

        atr_multiple: float = setting(3.0, unit="ATR", gt=0, help="Distance of the stop.")
        atr_period: int = setting(14, unit="bars", ge=1, help="Period of the ATR.")

    kernel_kind = EXIT_TRAILING_ATR
    settings: Settings

    @property
    def requirements(self) -> tuple[tuple[str, dict[str, int]], ...]:
        """The ATR."""
        return (("atr", {"period": self.settings.atr_period}),)

    def initial_levels(self, side: Side, entry_price: float, atr: float, market: ExitContext) -> Levels:
        """Stop ``atr_multiple`` x ATR on the losing side of O; no target."""
        own = market.indicator("atr", period=self.settings.atr_period)
        return Levels(stop_loss=loops.atr_level(entry_price, side, self.settings.atr_multiple, own))

    def update_stop(self, position: Position, market: ExitContext) -> float | None:
        """The same distance behind the last close, once that lies beyond the average entry in favour."""
        later = market.env.bar_index > position.entry_bar
        if not later or not (market.last_close - position.average) * position.side > 0:
            return None
        own = market.indicator("atr", period=self.settings.atr_period)
        return loops.atr_level(market.last_close, position.side, self.settings.atr_multiple, own)

    def get_state(self) -> dict[str, object]:
        """Nothing to keep."""
        return {}


class FixedRatioExit(ExitStrategy):
    """Stop at a multiple of the ATR that stays, target at a multiple of that distance (S12.2)."""

    class Settings(typed.Settings):
        """Settings of the fixed ratio exit."""

        atr_multiple: float = setting(2.0, unit="ATR", gt=0, help="Distance of the stop.")
        atr_period: int = setting(14, unit="bars", ge=1, help="Period of the ATR.")
        r_multiple: float = setting(2.0, unit="R", gt=0, help="Distance of the target, in distances of the stop.")

    kernel_kind = EXIT_FIXED_RATIO
    settings: Settings

    @property
    def requirements(self) -> tuple[tuple[str, dict[str, int]], ...]:
        """The ATR."""
        return (("atr", {"period": self.settings.atr_period}),)

    def initial_levels(self, side: Side, entry_price: float, atr: float, market: ExitContext) -> Levels:
        """Stop ``atr_multiple`` x ATR from O, target ``r_multiple`` times the rounded distance on the other side."""
        own = market.indicator("atr", period=self.settings.atr_period)
        scale = Scale(market.env.instrument(market.symbol))
        level = loops.atr_level(entry_price, side, self.settings.atr_multiple, own)
        stop = scale.price(loops.round_against(scale.ticks(level), -side))
        target = entry_price + side * self.settings.r_multiple * abs(entry_price - stop)
        return Levels(stop_loss=stop, take_profit=target)

    def get_state(self) -> dict[str, object]:
        """Nothing to keep."""
        return {}
