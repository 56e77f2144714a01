"""How a finished reference run is told: plain lists and dictionaries in prices, quantities and money."""

from typing import TYPE_CHECKING, Any

from tests.reference.ledger import Booking
from tests.reference.model import Order, Spec, Trade

if TYPE_CHECKING:
    from tests.reference.simulator import Simulation

NAMES = {1: "buy", -1: "sell", 0: None}


def result_of(run: "Simulation") -> dict[str, Any]:
    """Everything that an ``expected`` may name."""
    columns = ("cash", "equity", "worst_equity", "used_margin", "maintenance_margin", "position")
    result: dict[str, Any] = {f"{key}_after_bar": [row[key] for row in run.rows] for key in columns}
    result["fills"] = [_fill(run.specs[booking.fill.symbol], booking) for booking in run.ledger.bookings]
    result["trades"] = [_trade(run.specs[trade.symbol], trade) for trade in run.ledger.trades]
    result["orders"] = [_order(run.specs.get(order.symbol), order) for order in run.matcher.orders]
    result["margin_calls"] = run.margin_calls
    result["status"] = "bankrupt" if run.desk.bankrupt else "completed"
    if run.bot is not None:
        result["gates"] = run.bot.gates
        result["late_flattens"] = run.bot.late_flattens
    return result


def _fill(spec: Spec, booking: Booking) -> dict[str, Any]:
    fill = booking.fill
    return {
        "bar": fill.bar,
        "phase": fill.phase,
        "symbol": fill.symbol,
        "side": NAMES[fill.side],
        "qty": abs(fill.lots) * spec.lot_size,
        "price": spec.price(fill.price),
        "reason": fill.reason,
        "order": fill.order,
        "base_price": spec.price(fill.base),
        "commission": booking.commission,
        "fee": booking.fee,
        "slippage_cost": booking.slippage,
        "realised": booking.realised,
        "cash": booking.cash,
        "position": booking.position * spec.lot_size,
    }


def _trade(spec: Spec, trade: Trade) -> dict[str, Any]:
    risk = trade.initial_risk
    return {
        "symbol": trade.symbol,
        "side": "long" if trade.side > 0 else "short",
        "qty": trade.max_lots * spec.lot_size,
        "entry_bar": trade.entry_bar,
        "entry_phase": trade.entry_phase,
        "exit_bar": trade.exit_bar,
        "exit_phase": trade.exit_phase,
        "entry_price": spec.price(trade.opened_at / trade.opened),
        "exit_price": spec.price(trade.closed_at / trade.closed),
        "gross": trade.gross,
        "commission": trade.commission,
        "fees": trade.fees,
        "slippage_cost": trade.slippage,
        "net": trade.net,
        "bars_held": trade.exit_bar - trade.entry_bar,
        "mae": trade.worst_profit,
        "mfe": trade.best_profit,
        "initial_risk": risk,
        "r_multiple": trade.net / risk if risk else None,
        "exit_reason": trade.exit_reason,
        "ambiguous": trade.ambiguous,
    }


def _order(spec: Spec | None, order: Order) -> dict[str, Any]:
    def price(ticks: float | None) -> float | None:
        return None if ticks is None or spec is None else spec.price(ticks)

    return {
        "id": order.number,
        "symbol": order.symbol,
        "side": NAMES[order.side],
        "type": order.kind,
        "tif": order.tif,
        "status": order.status,
        "reject": order.reject,
        "figures": list(order.figures),
        "qty": order.lots * (1.0 if spec is None else spec.lot_size),
        "limit": price(order.limit),
        "stop": price(order.stop),
        "sl": price(order.stop_loss),
        "tp": price(order.take_profit),
        "triggered": order.triggered,
        "placed_bar": order.placed_bar,
        "placed_phase": order.placed_phase,
        "ended_bar": order.ended_bar,
        "ended_phase": order.ended_phase,
    }
