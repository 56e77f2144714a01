"""What fills add up to: costs, turnover, and the bars that were spent in a position."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.series import FloatArray
from engine.kernel.schema import Phase
from engine.statistics.compute import Records


@dataclass(frozen=True, slots=True, kw_only=True)
class FillTotals:
    """Sums over fills, money in account currency; ``bars_in_position`` counts master bars."""

    turnover: float
    commission: float
    fees: float
    slippage_cost: float
    bars_in_position: int


def totals_of(
    fills: Records, n_bars: int, money_per_tick_lot: FloatArray, symbols: Sequence[int] | None = None
) -> FillTotals:
    """Totals of ``fills`` (records of ``schema.FILL`` in their order), of some symbols or of all.

    ``money_per_tick_lot[symbol]`` is tick_value x lot_size in account currency. A bar counts as spent in a position if
    one was held after the bar's OPEN: to its close, or until a fill inside it.
    """
    chosen = range(len(money_per_tick_lot)) if symbols is None else symbols
    fills = fills[np.isin(fills["symbol"], np.asarray(chosen, dtype=np.int64))]
    notional = np.abs(fills["price"]) * fills["lots"] * money_per_tick_lot[fills["symbol"]]
    held = np.zeros(n_bars, dtype=np.bool_)
    for symbol in chosen:
        held |= _bars_held(fills[fills["symbol"] == symbol], n_bars)
    return FillTotals(
        turnover=_in_order(notional),
        commission=_in_order(fills["commission"]),
        fees=_in_order(fills["fee"]),
        slippage_cost=_in_order(fills["slippage_cost"]),
        bars_in_position=int(np.count_nonzero(held)),
    )


def _in_order(values: FloatArray) -> float:
    """The sum from first to last, as a run that keeps no fills adds them up; np.sum adds in pairs."""
    return float(np.cumsum(values)[-1]) + 0.0 if len(values) else 0.0


def _bars_held(fills: Records, n_bars: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Per master bar, whether one symbol's position was held in it after OPEN.

    Fills may lie in the bar behind the last one, which is under way and does not count yet.
    """
    changes = np.zeros(n_bars + 1, dtype=np.int64)
    until = np.append(np.minimum(fills["bar"][1:] + (fills["phase"][1:] > Phase.OPEN), n_bars), n_bars)
    holding = fills["position"] != 0.0
    np.add.at(changes, fills["bar"][holding], 1)
    np.add.at(changes, until[: len(fills)][holding], -1)
    held: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.cumsum(changes[:n_bars]) > 0
    return held
