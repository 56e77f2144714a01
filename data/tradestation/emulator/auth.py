"""Who may ask: sign-in, tokens, and what the emulated service makes of them."""

import base64
import hashlib
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from data.tradestation.clock import NS
from data.tradestation.emulator.exchange import Exchange, Refusal, Request
from data.tradestation.emulator.scenario import AuthHabits

_SCOPES = (
    ("/v3/marketdata/", "MarketData"),
    ("/v2/data/", "MarketData"),
    ("/v3/orderexecution/", "Trade"),
    ("/v3/brokerage/", "ReadAccount"),
)


@dataclass(slots=True)
class _Code:
    redirect_uri: str
    scopes: tuple[str, ...]
    challenge: str | None


@dataclass(slots=True)
class _Grant:
    """One sign-in: its refresh token, and when it began."""

    scopes: tuple[str, ...]
    since_ns: int
    dead: bool = False


@dataclass(slots=True)
class _State:
    codes: dict[str, _Code] = field(default_factory=dict)
    access: dict[str, tuple[int, _Grant]] = field(default_factory=dict)
    refresh: dict[str, _Grant] = field(default_factory=dict)


class AuthDesk:
    """Issues and checks tokens by the scenario's habits."""

    def __init__(self, habits: AuthHabits, now_ns: Callable[[], int]) -> None:
        self._habits = habits
        self._now_ns = now_ns
        self._lock = threading.Lock()
        self._state = _State()

    # ----------------------------------------------------------------------------------- for the tests

    def grant(self, *scopes: str) -> dict[str, Any]:
        """Tokens without a sign-in, as the token address answers them."""
        with self._lock:
            return self._answer(_Grant(scopes or self._habits.scopes, self._now_ns()), new_refresh=True)

    def revoke_all(self) -> None:
        """Every token is dead from now on."""
        with self._lock:
            for _, grant in self._state.access.values():
                grant.dead = True
            for grant in self._state.refresh.values():
                grant.dead = True

    # ------------------------------------------------------------------------------------------ checks

    def check(self, request: Request) -> None:
        """401 without a living token, 403 without the scope."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        with self._lock:
            expires_ns, grant = self._state.access.get(token, (0, None))
        if grant is None or grant.dead or self._now_ns() >= expires_ns:
            raise Refusal(401, "The access token is missing, expired or not valid")
        needed = next((scope for prefix, scope in _SCOPES if request.path.startswith(prefix)), None)
        if needed is not None and needed not in grant.scopes:
            raise Refusal(403, f"The scope {needed} is missing")

    # --------------------------------------------------------------------------------------- addresses

    def authorize(self, request: Request, exchange: Exchange) -> None:
        """``GET /authorize``: the user consents at once, or refuses if the scenario says so."""
        query = request.query
        target = query.get("redirect_uri", "")
        if query.get("client_id") != self._habits.client_id or query.get("response_type") != "code" or not target:
            raise Refusal(400, "client_id, response_type=code and redirect_uri are needed")
        if self._habits.pkce and query.get("code_challenge_method") != "S256":
            raise Refusal(400, "this key needs a code_challenge with S256")
        state = "another-state" if self._habits.wrong_state else query.get("state", "")
        if self._habits.deny:
            answer = {"error": "access_denied", "error_description": "User did not authorize the request"}
        else:
            answer = {"code": self._new_code(query, target)}
        exchange.redirect(f"{target}?{urlencode(answer | {'state': state})}")

    def _new_code(self, query: Mapping[str, str], target: str) -> str:
        code = secrets.token_urlsafe(16)
        scopes = tuple(s for s in query.get("scope", "").split() if s in self._habits.scopes)
        with self._lock:
            self._state.codes[code] = _Code(target, scopes, query.get("code_challenge"))
        return code

    def token(self, request: Request, exchange: Exchange) -> None:
        """``POST /oauth/token``."""
        form = request.body if isinstance(request.body, dict) else {}
        with self._lock:
            answer = self._by_code(form) if form.get("grant_type") == "authorization_code" else self._by_refresh(form)
        if answer is None:
            body = {"error": "invalid_grant", "error_description": "Unknown or invalid grant."}
            exchange.reply(self._habits.refusal_status, body)
        else:
            exchange.reply(200, answer)

    def revoke(self, request: Request, exchange: Exchange) -> None:
        """``POST /oauth/revoke``: one refresh token ends them all."""
        form = request.body if isinstance(request.body, dict) else {}
        if form.get("token") in self._state.refresh:
            self.revoke_all()
        exchange.reply(200, {})

    # ----------------------------------------------------------------------------------------- details

    def _known_client(self, form: Mapping[str, str]) -> bool:
        if form.get("client_id") != self._habits.client_id:
            return False
        return self._habits.pkce or form.get("client_secret") == self._habits.client_secret

    def _by_code(self, form: Mapping[str, str]) -> dict[str, Any] | None:
        code = self._state.codes.pop(form.get("code", ""), None)
        if code is None or code.redirect_uri != form.get("redirect_uri") or not self._known_client(form):
            return None
        if code.challenge is not None and _challenge(form.get("code_verifier", "")) != code.challenge:
            return None
        grant = _Grant(code.scopes, self._now_ns())
        return self._answer(grant, new_refresh="offline_access" in code.scopes)

    def _by_refresh(self, form: Mapping[str, str]) -> dict[str, Any] | None:
        token = form.get("refresh_token", "")
        grant = self._state.refresh.get(token)
        if grant is None or grant.dead or not self._known_client(form):
            return None
        life_ns = int(self._habits.absolute_s * NS)
        if life_ns and self._now_ns() >= grant.since_ns + life_ns:
            return None
        if self._habits.rotate:
            del self._state.refresh[token]
        return self._answer(grant, new_refresh=self._habits.rotate)

    def _answer(self, grant: _Grant, *, new_refresh: bool) -> dict[str, Any]:
        access = secrets.token_urlsafe(24)
        self._state.access[access] = (self._now_ns() + int(self._habits.expires_in * NS), grant)
        answer: dict[str, Any] = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": self._habits.expires_in if self._habits.expires_in % 1 else int(self._habits.expires_in),
            "scope": " ".join(grant.scopes),
            "id_token": "emulated",
        }
        if new_refresh:
            answer["refresh_token"] = secrets.token_urlsafe(24)
            self._state.refresh[answer["refresh_token"]] = grant
        return answer


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
