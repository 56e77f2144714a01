"""What an HTTP answer means: figures, or which error of ours it is."""

from email.utils import parsedate_to_datetime
from typing import Any

import requests

from data.errors import (
    EntitlementError,
    LiveDataError,
    NetworkError,
    QuotaError,
    RequestError,
    SignInError,
    UnknownSymbolError,
)
from data.json_text import parsed
from data.tradestation.clock import NS

JSON = dict[str, Any]


class TokenRefusedError(SignInError):
    """A token that the service has just given is refused by it: a fault of its own, or the sign-in is of no use."""


def decode(response: requests.Response) -> Any:
    """The JSON of a good answer; NetworkError where it is none."""
    try:
        return parsed(response.content)
    except ValueError:
        place = response.url.split("?", 1)[0]
        raise NetworkError(f"{place}: the answer is no JSON but {response.content[:80]!r}; try again later") from None


def error_text(response: requests.Response) -> str:
    """Title and message of an error answer, or its beginning where it has another shape."""
    try:
        row = parsed(response.content)
    except ValueError:
        return response.content[:120].decode("utf-8", errors="replace")
    if not isinstance(row, dict):
        return str(row)[:120]
    title = row.get("Error") or row.get("error") or ""
    message = row.get("Message") or row.get("error_description") or ""
    return f"{title}: {message}" if message else str(title)


def retry_after(response: requests.Response) -> float | None:
    """Seconds of a ``Retry-After`` header; None where there is none or it is no number."""
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else None


def server_date_ns(response: requests.Response) -> int | None:
    """The ``Date`` header as UTC nanoseconds, whole seconds; None where it is missing or unreadable."""
    text = response.headers.get("Date")
    if not text:
        return None
    try:
        return int(parsedate_to_datetime(text).timestamp()) * NS
    except ValueError:
        return None


def error_of(response: requests.Response, what: str, quota_wait: float = 60.0) -> LiveDataError:
    """The error that ``response`` stands for; ``what`` says what was asked, as ``bars of @ES``."""
    status, text = response.status_code, error_text(response)
    said = f"{what}: the service answers {status} ({text})"
    if status == 401:
        return TokenRefusedError(f"{said}, though the token has just been renewed; if that lasts, sign in again")
    if status == 403:
        return EntitlementError(f"{said}; the login lacks the scope or the market-data subscription")
    if status == 404 or (status == 400 and "symbol" in text.lower()):
        return UnknownSymbolError(f"{said}; check the symbol's spelling")
    if status == 429:
        return QuotaError(f"{said}; next request in {quota_wait:.0f} s", quota_wait)
    if status >= 500:
        return NetworkError(f"{said}; try again later")
    return RequestError(said)
