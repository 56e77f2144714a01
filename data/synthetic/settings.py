"""What a synthetic market is like: its tick, its volatility, its hours, and its hidden regimes."""

from dataclasses import dataclass
from datetime import date

from data.errors import SourceError

MINUTE_NS = 60_000_000_000
DAY_MINUTES = 23 * 60  # 18:00 to 17:00 New York


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """One hidden state of a market. Units: a bar's standard deviation ("sigma") and bars.

    Attributes:
        name: shown in tables.
        mean_bars: mean length of a stay; stays are geometric, so at any bar the chance to leave is 1 / mean_bars.
        drift: expected move per bar in sigma, along the current direction (0: fair).
        leg_bars: mean bars between changes of that direction within a stay; None: one direction, drawn at its start.
        reversion: share of the distance to the price at the stay's start that is expected to close per bar.
        volatility, volume: factors on the market's own.
    """

    name: str
    mean_bars: float = 500.0
    drift: float = 0.0
    leg_bars: float | None = None
    reversion: float = 0.0
    volatility: float = 1.0
    volume: float = 1.0


FAIR_REGIMES = (Regime(name="fair"),)

# In `trend` a leg outlasts most trades, so a wide stop pays. In `chop` short legs swing around one price: they end
# before a wide stop has moved up behind them, so a tight one pays. `quiet` is a fair walk. What a stop of each width
# earns in each: docs/sample.md.
HIDDEN_REGIMES = (
    Regime(name="trend", mean_bars=600.0, drift=0.35, leg_bars=100.0, volume=1.3),
    Regime(name="chop", mean_bars=1200.0, drift=1.6, leg_bars=10.0, reversion=0.2),
    Regime(name="quiet", mean_bars=100.0, volatility=0.75, volume=0.7),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSettings:
    """All that a market is made from, but the seed.

    Attributes:
        symbol: also part of the seed, so that symbols are independent of each other.
        tick_size: prices are whole ticks.
        start_price: price before the first session.
        volatility_ticks: standard deviation of a bar's move in ticks, root mean square over a session.
        mean_volume: mean volume of a bar; where little trades, some bars have none and are missing.
        first_day: trade date of the first session; sessions are Monday to Friday, 18:00 to 17:00 New York,
            without holidays.
        sessions: how many.
        bar_ns: length of a bar; divides a session.
        seasonal: whether volatility and volume follow the hours of the day.
        volatility_spread: standard deviation of the log of a session's volatility, which lasts (half of it stays).
        overnight_gap: standard deviation of the move between sessions, in average sigma.
        jump_chance, jump_size: chance of a jump before a bar's open, and its standard deviation in average sigma.
        opening_step: chance that a bar opens one step away from where the bar before it closed.
        regimes: hidden states; one alone is never left.
    """

    symbol: str
    tick_size: float = 0.25
    start_price: float = 5000.0
    volatility_ticks: float = 5.0
    mean_volume: float = 1000.0
    first_day: date = date(2024, 9, 3)
    sessions: int = 60
    bar_ns: int = MINUTE_NS
    seasonal: bool = True
    volatility_spread: float = 0.2
    overnight_gap: float = 6.0
    jump_chance: float = 0.0005
    jump_size: float = 6.0
    opening_step: float = 0.3
    regimes: tuple[Regime, ...] = FAIR_REGIMES

    def __post_init__(self) -> None:
        """Refuse what no market can be made from (SourceError)."""
        if self.sessions < 1 or self.bar_ns < 1 or DAY_MINUTES * MINUTE_NS % self.bar_ns:
            raise SourceError(
                f"synthetic market {self.symbol}: {self.sessions} sessions of bars of {self.bar_ns} ns; at least one "
                "session is needed, and a bar must divide the session's 23 hours."
            )
        if not (self.tick_size > 0 and self.volatility_ticks > 0 and self.mean_volume > 0 and self.regimes):
            raise SourceError(
                f"synthetic market {self.symbol}: tick size {self.tick_size}, volatility {self.volatility_ticks} ticks "
                f"and mean volume {self.mean_volume} must be above zero, and at least one regime is needed."
            )
