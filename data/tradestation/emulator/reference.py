"""What the emulator says about symbols, and its quotes: snapshot, and a stream of full first, changes after."""

from typing import Any

from data.tradestation.bars import Interval, format_time
from data.tradestation.clock import NS
from data.tradestation.emulator.barstream import MARKET_DATA, Host, Pulse
from data.tradestation.emulator.exchange import Exchange
from data.tradestation.emulator.jsonbars import number
from data.tradestation.emulator.market import Listing

DAY_NS = 86_400 * NS


def symbols_answer(host: Host, names: list[str]) -> dict[str, Any]:
    """The answer to ``GET /marketdata/symbols/{symbols}``."""
    found, errors = [], []
    for name in names:
        listing = host.market.find(name)
        if listing is None:
            errors.append({"Symbol": name, "Error": "NotFound", "Message": f"Symbol {name} not found"})
        else:
            found.append(_symbol(host, listing))
    return {"Symbols": found, "Errors": errors}


def _symbol(host: Host, listing: Listing) -> dict[str, Any]:
    spec = listing.spec
    decimals = len(number(spec.tick_size).partition(".")[2])
    row: dict[str, Any] = {
        "AssetType": spec.asset_type,
        "Country": "United States",
        "Currency": "USD",
        "Description": spec.description,
        "Exchange": spec.exchange,
        "FutureType": "Electronic",
        "Symbol": spec.symbol,
        "Root": spec.root or spec.symbol.lstrip("@")[:2],
        "PriceFormat": {
            "Format": spec.price_style,
            "Decimals": str(decimals),
            "Fraction": str(spec.fraction),
            "SubFraction": str(spec.sub_fraction),
            "IncrementStyle": "Simple",
            "Increment": number(spec.tick_size),
            "PointValue": number(spec.point_value),
        },
        "QuantityFormat": {"Format": "Decimal", "Decimals": "0", "Increment": "1", "MinimumTradeQuantity": "1"},
    }
    underlying = host.market.underlying(spec, host.now_ns())
    return row | ({} if underlying is None else {"Underlying": underlying})


def search_answer(host: Host, text: str, limit: int) -> list[dict[str, Any]]:
    """The answer of version 2's suggestions: here numbers are numbers."""
    rows = [
        {
            "Name": listing.spec.symbol,
            "Description": listing.spec.description,
            "Category": listing.spec.asset_type.title(),
            "Exchange": listing.spec.exchange,
            "Currency": "USD",
            "MinMove": listing.spec.tick_size,
            "PointValue": listing.spec.point_value,
            "Root": listing.spec.root,
        }
        for listing in host.market.listings
        if listing.spec.symbol.lstrip("@").casefold().startswith(text.lstrip("@").casefold())
    ]
    return rows[:limit]


def quote_row(host: Host, listing: Listing) -> dict[str, Any]:
    """The whole quote of a symbol."""
    spec, now_ns = listing.spec, host.now_ns()
    day = listing.tape.bars(Interval(1), now_ns, now_ns - DAY_NS, now_ns + DAY_NS)
    last = day[-1].close if day else spec.price
    first = day[0].open if day else spec.price
    return {
        "Symbol": spec.symbol,
        "Last": number(last),
        "Open": number(first),
        "High": number(max((bar.high for bar in day), default=last)),
        "Low": number(min((bar.low for bar in day), default=last)),
        "Close": number(last),
        "PreviousClose": number(first),
        "Bid": number(last - spec.tick_size),
        "Ask": number(last),
        "BidSize": "10",
        "AskSize": "12",
        "NetChange": number(last - first),
        "NetChangePct": number(round((last - first) / first, 6)) if first else "0",
        "Volume": str(int(sum(bar.volume for bar in day))),
        "TradeTime": format_time(now_ns),
        "MarketFlags": {"IsDelayed": spec.delayed, "IsHardToBorrow": False, "IsBats": False, "IsHalted": False},
    }


def quotes_answer(host: Host, names: list[str]) -> dict[str, Any]:
    """The answer to ``GET /marketdata/quotes/{symbols}``; either key may be missing."""
    answer: dict[str, Any] = {}
    for name in names:
        listing = host.market.find(name)
        if listing is None:
            answer.setdefault("Errors", []).append({"Symbol": name, "Error": "FAILED, INVALID SYMBOL"})
        else:
            answer.setdefault("Quotes", []).append(quote_row(host, listing))
    return answer


class QuoteStream:
    """One open quote stream; every other change names its symbol in lower case, as has been seen."""

    def __init__(self, host: Host, exchange: Exchange, path: str, names: list[str]) -> None:
        self._host = host
        self._exchange = exchange
        self._path = path
        self._names = names
        self._known: dict[str, dict[str, Any]] = {}
        self._changes = 0
        self._seen: dict[str, tuple[int, int]] = {}

    def run(self) -> None:
        """Send until the client leaves, a fault ends it, or the emulator closes."""
        self._exchange.begin_stream(MARKET_DATA)
        pulse = Pulse(self._host, self._exchange, self._path)
        pulse.send(
            [{"Symbol": name, "Error": "FAILED, INVALID SYMBOL"} for name in self._names if not self._find(name)]
        )
        pulse.send(self._changed())
        while pulse.beat():
            if not pulse.muted:
                pulse.send(self._changed())

    def _stands_still(self, listing: Listing) -> bool:
        """Whether nothing can have changed since this was asked last."""
        symbol, tape, now_ns = listing.spec.symbol, listing.tape, self._host.now_ns()
        seen_ns, corrected = self._seen.get(symbol, (-1, -1))
        self._seen[symbol] = (now_ns, tape.corrected)
        return corrected == tape.corrected and tape.stands_still(seen_ns, now_ns)

    def _find(self, name: str) -> Listing | None:
        return self._host.market.find(name)

    def _changed(self) -> list[dict[str, Any]]:
        rows = []
        for listing in filter(None, map(self._find, self._names)):
            if self._stands_still(listing):
                continue
            full = quote_row(self._host, listing)
            before = self._known.get(listing.spec.symbol, {})
            change = {key: value for key, value in full.items() if before.get(key) != value and key != "TradeTime"}
            if not change:
                continue
            self._known[listing.spec.symbol] = full
            self._changes += 1
            name = listing.spec.symbol.lower() if self._changes % 2 == 0 else listing.spec.symbol
            rows.append({"Symbol": name} | change | {"TradeTime": full["TradeTime"]})
        return rows
