"""How the emulator writes bars and numbers: strings without trailing zeros, close-stamped."""

from typing import Any

from data.tradestation.bars import format_time
from data.tradestation.emulator.scenario import BarHabits
from data.tradestation.emulator.tape import TapeBar


def number(value: float) -> str:
    """A number as the service writes it: ``217``, ``212.2``."""
    return f"{value:.8f}".rstrip("0").rstrip(".") if value else "0"


def bar_row(bar: TapeBar, habits: BarHabits, *, end_of_history: bool = False) -> dict[str, Any]:
    """The object of ``bar``."""
    up = int(bar.volume) // 2
    row: dict[str, Any] = {
        "High": number(bar.high),
        "Low": number(bar.low),
        "Open": number(bar.open),
        "Close": number(bar.close),
        "TimeStamp": format_time(bar.close_ns),
        "TotalVolume": str(int(bar.volume)),
        "DownTicks": up // 3,
        "DownVolume": int(bar.volume) - up,
        "OpenInterest": "0",
        "IsRealtime": not bar.closed,
        "IsEndOfHistory": end_of_history,
        "TotalTicks": 2 * (up // 3) + 1,
        "UpTicks": up // 3 + 1,
        "UpVolume": up,
        "Epoch": bar.close_ns // 1_000_000,
    }
    if habits.unchanged_fields:
        row |= {"UnchangedTicks": 0, "UnchangedVolume": 0}
    if habits.status_field:
        row["BarStatus"] = "Closed" if bar.closed else "Open"
    return row
