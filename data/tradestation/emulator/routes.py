"""Which part of the emulator answers which address."""

import re
from collections.abc import Callable
from typing import Any, Protocol

from data.tradestation.emulator.auth import AuthDesk
from data.tradestation.emulator.barstream import BarStream, Host
from data.tradestation.emulator.book import Book
from data.tradestation.emulator.brokerage import Brokerage
from data.tradestation.emulator.exchange import Exchange, Refusal, Request
from data.tradestation.emulator.history import bars_answer
from data.tradestation.emulator.limits import Windows
from data.tradestation.emulator.reference import QuoteStream, quotes_answer, search_answer, symbols_answer

MAX_SYMBOLS = 50
MAX_QUOTES = 100


class Service(Host, Protocol):
    """What routes need of the emulator."""

    auth: AuthDesk
    book: Book
    windows: Windows


Route = Callable[..., Any]


class Routes:
    """The table of addresses; a handler returns the JSON to answer, or None where it answered by itself."""

    def __init__(self, service: Service) -> None:
        self._service = service
        broker = Brokerage(service, service.book, service.windows)
        accounts = r"/v3/brokerage/accounts"
        self._table: tuple[tuple[str, str, Route], ...] = (
            ("GET", r"/authorize", lambda request, exchange: service.auth.authorize(request, exchange)),
            ("POST", r"/oauth/token", lambda request, exchange: service.auth.token(request, exchange)),
            ("POST", r"/oauth/revoke", lambda request, exchange: service.auth.revoke(request, exchange)),
            ("GET", r"/v3/marketdata/barcharts/([^/]+)", self._bars),
            ("GET", r"/v3/marketdata/stream/barcharts/([^/]+)", self._bar_stream),
            ("GET", r"/v3/marketdata/symbols/([^/]+)", self._symbols),
            ("GET", r"/v3/marketdata/quotes/([^/]+)", self._quotes),
            ("GET", r"/v3/marketdata/stream/quotes/([^/]+)", self._quote_stream),
            ("GET", r"/v2/data/symbols/suggest/([^/]+)", self._search),
            ("GET", accounts, broker.accounts),
            ("GET", accounts + r"/([^/]+)/balances", broker.balances),
            ("GET", accounts + r"/([^/]+)/bodbalances", broker.day_balances),
            ("GET", accounts + r"/([^/]+)/positions", broker.positions),
            ("GET", accounts + r"/([^/]+)/orders", broker.orders),
            ("GET", accounts + r"/([^/]+)/orders/([^/]+)", broker.orders_by_id),
            ("GET", accounts + r"/([^/]+)/historicalorders", broker.historical_orders),
            ("GET", r"/v3/brokerage/stream/accounts/([^/]+)/(?:orders|positions)", broker.stream),
            ("GET", r"/v3/brokerage/stream/accounts/([^/]+)/orders/([^/]+)", broker.stream),
            ("POST", r"/v3/orderexecution/orders", broker.place),
            ("POST", r"/v3/orderexecution/orderconfirm", broker.confirm),
            ("POST", r"/v3/orderexecution/ordergroups", broker.place_group),
            ("POST", r"/v3/orderexecution/ordergroupconfirm", broker.confirm_group),
            ("GET", r"/v3/orderexecution/routes", broker.routes),
            ("GET", r"/v3/orderexecution/activationtriggers", broker.triggers),
            ("PUT", r"/v3/orderexecution/orders/([^/]+)", broker.replace),
            ("DELETE", r"/v3/orderexecution/orders/([^/]+)", broker.cancel),
        )

    def answer(self, request: Request, exchange: Exchange) -> None:
        """Find the route and answer; 404 where there is none."""
        for method, pattern, route in self._table:
            match = re.fullmatch(pattern, request.path)
            if match and method == request.method:
                answer = route(request, exchange, *match.groups())
                if answer is not None:
                    exchange.reply(200, answer)
                return
        raise Refusal(404, f"{request.method} {request.path} is not emulated")

    def _bars(self, request: Request, _: Exchange, symbol: str) -> Any:
        service = self._service
        return bars_answer(service.market, service.scenario.bars, request, service.now_ns(), symbol)

    def _bar_stream(self, request: Request, exchange: Exchange, symbol: str) -> None:
        BarStream(self._service, exchange, request, symbol).run()

    def _symbols(self, _: Request, __: Exchange, names: str) -> Any:
        return symbols_answer(self._service, _names(names, MAX_SYMBOLS))

    def _quotes(self, _: Request, __: Exchange, names: str) -> Any:
        return quotes_answer(self._service, _names(names, MAX_QUOTES))

    def _quote_stream(self, request: Request, exchange: Exchange, names: str) -> None:
        QuoteStream(self._service, exchange, request.path, _names(names, MAX_QUOTES)).run()

    def _search(self, request: Request, _: Exchange, text: str) -> Any:
        limit = request.query.get("$top", "20")
        return search_answer(self._service, text, int(limit) if limit.isdigit() else 20)


def _names(text: str, most: int) -> list[str]:
    names = [name for name in text.split(",") if name]
    if not 1 <= len(names) <= most:
        raise Refusal(400, f"{len(names)} symbols; 1 to {most} are allowed")
    return names
