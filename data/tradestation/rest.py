"""What can be asked of the service by request: bars in pages, symbols, quotes, search, accounts (to read only).

Nothing here sends an order. Every call may raise SignInError, EntitlementError, QuotaError, RequestError or
NetworkError; those about a symbol UnknownSymbolError too.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

import requests

from data.errors import LiveDataError, UnknownSymbolError
from data.tradestation.answers import JSON, decode, error_of, retry_after, server_date_ns
from data.tradestation.bars import Interval, LiveBar, MalformedBarError, bar_from_json, format_time
from data.tradestation.clock import Clock
from data.tradestation.endpoints import Endpoints
from data.tradestation.limiter import Category, FixedWindows
from data.tradestation.skew import SkewEstimate
from data.tradestation.symbols import SymbolFacts, symbol_from_json
from data.tradestation.transport import Transport

PAGE_BARS = 57_600
MAX_SYMBOLS = 50
MAX_QUOTES = 100


class Tokens(Protocol):
    """Where the bearer token comes from."""

    def access_token(self) -> str:
        """A token with life left; SignInError where there is none."""
        ...

    def renew(self, failed: str) -> None:
        """``failed`` was answered with 401: get another one unless that has happened already."""
        ...


def _ignore(text: str) -> None:
    """The default listener for rows that cannot be used."""


class TradeStationClient:
    """The REST side; safe to call from several threads.

    Args:
        on_unreadable: told a sentence for every bar that had to be left out.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        tokens: Tokens,
        clock: Clock,
        *,
        limiter: FixedWindows | None = None,
        skew: SkewEstimate | None = None,
        retries: int = 2,
        on_unreadable: Callable[[str], None] = _ignore,
    ) -> None:
        self.endpoints = endpoints
        self.tokens = tokens
        self.clock = clock
        self.limiter = FixedWindows(clock) if limiter is None else limiter
        self.skew = SkewEstimate() if skew is None else skew
        self._transport = Transport(clock, retries=retries)
        self._on_unreadable = on_unreadable

    # ------------------------------------------------------------------------------------------- bars

    def last_bars(self, symbol: str, interval: Interval, count: int, template: str | None = None) -> list[LiveBar]:
        """The last ``count`` bars, oldest first, the open one included; fewer where the service has fewer."""
        found: dict[int, LiveBar] = {}
        last_ns: int | None = None
        while len(found) < count:
            ask = min(PAGE_BARS, count - len(found) + (2 if found else 0))
            params = interval.query | {"barsback": str(ask)}
            if last_ns is not None:
                params["lastdate"] = format_time(last_ns)
            page = self._bars(symbol, interval, params, template)
            new = [bar for bar in page if bar.close_ns not in found]
            if not new:
                break
            found.update((bar.close_ns, bar) for bar in new)
            # Whether the edge itself belongs to the answer is not documented: it is there already, or comes twice.
            last_ns = min(found)
        return [found[key] for key in sorted(found)][-count:]

    def bars_between(
        self, symbol: str, interval: Interval, first_ns: int, last_ns: int | None = None, template: str | None = None
    ) -> list[LiveBar]:
        """Bars stamped from ``first_ns`` to ``last_ns`` (closing times; None: now), oldest first, no doubles."""
        end_ns = self.clock.now_ns() + self.skew.ns + interval.bar_ns if last_ns is None else last_ns
        found: dict[int, LiveBar] = {}
        width = (PAGE_BARS - 100) * interval.bar_ns
        start_ns = first_ns
        while start_ns <= end_ns:
            stop_ns = min(end_ns, start_ns + width)
            params = interval.query | {"firstdate": format_time(start_ns - interval.bar_ns)}
            if stop_ns < end_ns or last_ns is not None:
                params["lastdate"] = format_time(stop_ns + interval.bar_ns)
            page = self._bars(symbol, interval, params, template)
            found.update((bar.close_ns, bar) for bar in page if first_ns <= bar.close_ns <= end_ns)
            start_ns = stop_ns + 1
        return [found[key] for key in sorted(found)]

    def _bars(self, symbol: str, interval: Interval, params: Mapping[str, str], template: str | None) -> list[LiveBar]:
        query = dict(params) | ({} if template is None else {"sessiontemplate": template})
        path = f"/marketdata/barcharts/{quote(symbol, safe='@.=')}"
        answer = self.get(Category.BARS, path, query, what=f"bars of {symbol}")
        return self._readable(answer.get("Bars") or [], symbol, interval)

    def _readable(self, rows: Iterable[Mapping[str, Any]], symbol: str, interval: Interval) -> list[LiveBar]:
        bars = []
        for row in rows:
            try:
                bars.append(bar_from_json(row, interval))
            except MalformedBarError as error:
                self._on_unreadable(f"{symbol}: a bar is left out, {error}")
        return sorted(bars, key=lambda bar: bar.close_ns)

    # --------------------------------------------------------------------------- symbols and quotes

    def symbols(self, names: Sequence[str]) -> dict[str, SymbolFacts]:
        """Facts of each name; UnknownSymbolError names those that the service does not know."""
        facts: dict[str, SymbolFacts] = {}
        unknown: list[str] = []
        for batch in _batches(names, MAX_SYMBOLS):
            path = f"/marketdata/symbols/{_joined(batch)}"
            answer = self.get(Category.SYMBOLS, path, what=f"symbols {','.join(batch)}")
            for row in answer.get("Symbols") or []:
                entry = symbol_from_json(row)
                facts[_spelling(entry.symbol, batch)] = entry
            unknown += [str(row.get("Symbol")) for row in answer.get("Errors") or []]
        unknown += [name for name in names if name not in facts and name not in unknown]
        if unknown:
            raise UnknownSymbolError(f"the service does not know {', '.join(unknown)}; check the spelling")
        return facts

    def quotes(self, names: Sequence[str]) -> dict[str, JSON]:
        """The full quote of each name that the service knows, as it writes it (numbers are strings)."""
        found: dict[str, JSON] = {}
        for batch in _batches(names, MAX_QUOTES):
            answer = self.get(Category.QUOTES, f"/marketdata/quotes/{_joined(batch)}", what="quotes")
            for row in answer.get("Quotes") or []:
                found[_spelling(str(row.get("Symbol")), batch)] = row
        return found

    def search(self, text: str, limit: int = 20) -> list[JSON]:
        """Symbols whose name begins like ``text``; only version 2 of the service can search."""
        path = f"/data/symbols/suggest/{quote(text, safe='@')}"
        answer = self.get(Category.SYMBOLS, path, {"$top": str(limit)}, what=f"search {text!r}", legacy=True)
        return [row for row in answer if isinstance(row, dict)]

    # --------------------------------------------------------------------------------------- accounts

    def accounts(self) -> list[JSON]:
        """The login's accounts."""
        answer = self.get(Category.ACCOUNTS, "/brokerage/accounts", what="accounts")
        return list(answer.get("Accounts") or [])

    def balances(self, accounts: Sequence[str]) -> list[JSON]:
        """Balances of the accounts; figures are strings."""
        return self._of_accounts(Category.BALANCES, accounts, "balances", "Balances")

    def positions(self, accounts: Sequence[str]) -> list[JSON]:
        """Open positions of the accounts."""
        return self._of_accounts(Category.POSITIONS, accounts, "positions", "Positions")

    def orders(self, accounts: Sequence[str]) -> list[JSON]:
        """Today's and open orders of the accounts, all pages."""
        rows: list[JSON] = []
        token: str | None = None
        while True:
            params = {"pageSize": "600"} | ({} if token is None else {"nextToken": token})
            answer = self.get(Category.ORDERS, f"/brokerage/accounts/{_joined(accounts)}/orders", params, what="orders")
            rows += answer.get("Orders") or []
            token = answer.get("NextToken")
            if token is None:
                return rows

    def _of_accounts(self, category: Category, accounts: Sequence[str], what: str, key: str) -> list[JSON]:
        rows: list[JSON] = []
        for batch in _batches(accounts, 10):
            answer = self.get(category, f"/brokerage/accounts/{_joined(batch)}/{what}", what=what)
            if answer.get("Errors"):
                first = answer["Errors"][0]
                raise LiveDataError(f"{what} of {first.get('AccountID')}: {first.get('Error')} {first.get('Message')}")
            rows += answer.get(key) or []
        return rows

    # ---------------------------------------------------------------------------------------- requests

    def get(
        self,
        category: Category,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        what: str,
        legacy: bool = False,
    ) -> Any:
        """Decoded JSON of a GET; a 401 renews the token and asks once more."""
        base = self.endpoints.legacy if legacy else self.endpoints.api
        response = self.ask(self._transport, category, base + path, params)
        if response.status_code != 200:
            raise self.refusal(response, category, what)
        return decode(response)

    def ask(
        self,
        transport: Transport,
        category: Category,
        url: str,
        params: Mapping[str, str] | None,
        *,
        stream: bool = False,
        read_timeout: float | None = None,
    ) -> requests.Response:
        """One GET with the token, counted against its quota; streams use it with a transport of their own."""
        response = self._once(transport, category, url, params, stream, read_timeout)
        if response.status_code == 401:
            self.tokens.renew(str(response.request.headers["Authorization"]).removeprefix("Bearer "))
            response.close()
            response = self._once(transport, category, url, params, stream, read_timeout)
        return response

    def _once(
        self,
        transport: Transport,
        category: Category,
        url: str,
        params: Mapping[str, str] | None,
        stream: bool,
        read_timeout: float | None,
    ) -> requests.Response:
        token = self.tokens.access_token()
        self.limiter.acquire(category)
        asked_ns = self.clock.now_ns()
        headers = {"Authorization": f"Bearer {token}"}
        response = transport.request(
            "GET", url, headers=headers, params=params, stream=stream, read_timeout=read_timeout
        )
        dated = server_date_ns(response)
        if dated is not None:
            self.skew.date(dated, asked_ns, self.clock.now_ns())
        return response

    def refusal(self, response: requests.Response, category: Category, what: str) -> LiveDataError:
        """The error of an answer other than 200; a 429 closes the category until its window is over."""
        wait = 0.0
        if response.status_code == 429:
            wait = self.limiter.refused(category, retry_after(response))
        return error_of(response, what, wait)

    def abort(self) -> None:
        """End every request under way, from any thread; the client is of no use afterwards."""
        self._transport.abort()

    def close(self) -> None:
        """Give connections back."""
        self._transport.close()


def _batches(names: Sequence[str], count: int) -> list[Sequence[str]]:
    return [names[i : i + count] for i in range(0, len(names), count)]


def _joined(names: Sequence[str]) -> str:
    return ",".join(quote(name, safe="@.=") for name in names)


def _spelling(symbol: str, asked: Sequence[str]) -> str:
    """The caller's spelling of ``symbol``: the service sometimes answers in lower case."""
    return next((name for name in asked if name.casefold() == symbol.casefold()), symbol)
