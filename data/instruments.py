"""What an instrument is: tick, money per tick, margin, costs (rulebook S1)."""

from dataclasses import dataclass
from enum import StrEnum


class AssetClass(StrEnum):
    """Kinds of instrument the accounting knows."""

    FUTURE = "future"
    EQUITY = "equity"
    CRYPTO = "crypto"
    FX = "fx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """Contract facts of one symbol, complete and checked.

    Money is in ``currency``; margins are per contract, or a fraction of notional where a rate is given.
    Exactly one of ``initial_margin`` and ``initial_margin_rate`` is set (likewise maintenance).
    Exactly one of ``slippage_ticks`` and ``slippage_pct`` is set (0.0005 is 5 basis points).
    """

    symbol: str
    asset_class: AssetClass = AssetClass.FUTURE
    tick_size: float
    tick_value: float
    contract_size: float | None = None
    lot_size: float = 1.0
    initial_margin: float | None = None
    maintenance_margin: float | None = None
    initial_margin_rate: float | None = None
    maintenance_margin_rate: float | None = None
    commission_per_contract: float = 0.0
    fee_per_trade: float = 0.0
    slippage_ticks: float | None = 1.0
    slippage_pct: float | None = None
    currency: str = "USD"
    exchange: str | None = None
    calendar: str | None = None

    @property
    def point_value(self) -> float:
        """Money per 1.0 of price per contract (S1.2)."""
        return self.tick_value / self.tick_size
