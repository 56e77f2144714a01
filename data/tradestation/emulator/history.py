"""What the emulator answers to a request for bars, and what it refuses."""

from typing import Any

from data.tradestation.bars import BarUnit, Interval, parse_time
from data.tradestation.emulator.exchange import Refusal, Request
from data.tradestation.emulator.jsonbars import bar_row
from data.tradestation.emulator.market import Listing, Market
from data.tradestation.emulator.scenario import BarHabits
from data.tradestation.emulator.tape import TapeBar

MAX_BARS = 57_600
_UNITS = {unit.value.casefold(): unit for unit in BarUnit}


def listing_of(market: Market, symbol: str) -> Listing:
    """The listing; 404 for an unknown symbol."""
    listing = market.find(symbol)
    if listing is None:
        raise Refusal(404, f"Symbol {symbol} not found")
    return listing


def interval_of(request: Request) -> Interval:
    """The interval asked for; 400 where the rules forbid it."""
    unit = _UNITS.get(request.query.get("unit", "Daily").casefold())
    text = request.query.get("interval", "1")
    if unit is None or not text.isdigit():
        raise Refusal(400, "unit is Minute, Daily, Weekly or Monthly, interval a whole number")
    try:
        return Interval(int(text), unit)
    except ValueError as error:
        raise Refusal(400, f"interval: {error}") from error


def bars_back(request: Request, interval: Interval) -> int:
    """How many bars are asked for."""
    text = request.query.get("barsback", "1")
    if not text.isdigit() or int(text) < 1:
        raise Refusal(400, "barsback must be a positive whole number")
    if interval.unit is BarUnit.MINUTE and int(text) > MAX_BARS:
        raise Refusal(400, f"barsback: at most {MAX_BARS} intraday bars per request")
    return int(text)


def bars_answer(market: Market, habits: BarHabits, request: Request, now_ns: int, symbol: str) -> dict[str, Any]:
    """The answer to ``GET /marketdata/barcharts/{symbol}``."""
    interval = interval_of(request)
    listing = listing_of(market, symbol)
    query = request.query
    if "barsback" in query and "firstdate" in query:
        raise Refusal(400, "barsback and firstdate exclude each other")
    last_ns = _edge(query.get("lastdate") or query.get("startdate"))
    if "firstdate" in query:
        bars = _range(listing, habits, interval, now_ns, _edge(query["firstdate"]) or 0, last_ns)
    else:
        until = None if last_ns is None else last_ns - (not habits.last_inclusive)
        bars = listing.tape.last(interval, now_ns, bars_back(request, interval), until)
    return {"Bars": [bar_row(bar, habits, end_of_history=bar is bars[-1]) for bar in bars]}


def _range(
    listing: Listing, habits: BarHabits, interval: Interval, now_ns: int, first_ns: int, last_ns: int | None
) -> list[TapeBar]:
    first_ns += not habits.first_inclusive
    end_ns = now_ns + 31 * 86_400 * 10**9 if last_ns is None else last_ns - (not habits.last_inclusive)
    bars = listing.tape.bars(interval, now_ns, first_ns, end_ns)
    if interval.unit is BarUnit.MINUTE and len(bars) > MAX_BARS:
        raise Refusal(400, f"the range holds more than {MAX_BARS} intraday bars")
    return bars


def _edge(text: str | None) -> int | None:
    """UTC nanoseconds of a date or a time; None where there is none."""
    if text is None:
        return None
    try:
        return parse_time(text if "T" in text else f"{text}T00:00:00Z")
    except ValueError as error:
        raise Refusal(400, f"{text!r} is neither YYYY-MM-DD nor an RFC 3339 time") from error
