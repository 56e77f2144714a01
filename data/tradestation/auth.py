"""Signing in: the authorization code flow with a secret or PKCE, and tokens that are kept alive.

The user signs in on the service's own page; the answer comes back to a listener on one of the few loopback ports that
the service allows. One lock guards the refresh. A refresh token that rotates is stored before the new access token is
used: losing it would mean a new sign-in. A refresh that fails signs out. No token or secret is ever shown or logged.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import requests
from psygnal import Signal

from data.errors import NetworkError, SignInError
from data.tradestation.callback import CallbackListener
from data.tradestation.clock import NS, Clock
from data.tradestation.endpoints import AUDIENCE, CALLBACK_PORTS, Endpoints
from data.tradestation.tokenstore import Redacting, StoredTokens, TokenStore
from data.tradestation.transport import describe

LOG = logging.getLogger(__name__)
LOG.addFilter(Redacting())
DATA_SCOPES = ("openid", "offline_access", "MarketData")
ACCOUNT_SCOPES = (*DATA_SCOPES, "ReadAccount")
MARGIN_S = 90.0
_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """The API key. Without a secret the key must be one for PKCE."""

    client_id: str
    client_secret: str | None = None

    def __repr__(self) -> str:
        return f"Credentials(client_id='{self.client_id[:4]}...', secret={'yes' if self.client_secret else 'no'})"


class SignIn:
    """The tokens of one login; safe to use from several threads.

    Signals:
        changed(bool): signed in or out; emitted in the thread in which it happened.
    """

    changed = Signal(bool)

    def __init__(
        self,
        credentials: Credentials,
        endpoints: Endpoints,
        store: TokenStore,
        clock: Clock,
        *,
        scopes: Sequence[str] = DATA_SCOPES,
    ) -> None:
        self._credentials = credentials
        self._endpoints = endpoints
        self._store = store
        self._clock = clock
        self._scopes = tuple(scopes)
        self._lock = threading.RLock()
        self._tokens: StoredTokens | None = store.load()

    def __repr__(self) -> str:
        return f"SignIn({self._credentials!r}, signed_in={self.signed_in})"

    @property
    def signed_in(self) -> bool:
        """Whether there are tokens; that they still work is known only by using them."""
        with self._lock:
            return self._tokens is not None

    # ----------------------------------------------------------------------------------------- sign in

    def sign_in(
        self,
        open_page: Callable[[str], object],
        *,
        ports: Sequence[int] = CALLBACK_PORTS,
        timeout: float = 300.0,
        cancel: threading.Event | None = None,
    ) -> None:
        """Let the user sign in, and keep the tokens.

        Args:
            open_page: called with the address to open in a browser.
            timeout: real seconds the user has; ``cancel`` ends the wait earlier.

        Raises:
            SignInError: consent refused, wrong state, no answer in time, no port free, or the code is refused.
            NetworkError: the service cannot be reached.
        """
        with CallbackListener(ports) as listener:
            session, verifier = self._session(listener.redirect_uri), secrets.token_urlsafe(48)
            pkce = {} if self._credentials.client_secret else {"code_verifier": verifier}
            url, state = session.create_authorization_url(
                f"{self._endpoints.sign_in}/authorize", audience=AUDIENCE, **pkce
            )
            open_page(url)
            code = listener.wait(state, timeout, cancel)
        answer = self._asked(
            session,
            session.fetch_token,
            grant_type="authorization_code",
            code=code,
            **pkce,
        )
        with self._lock:
            self._keep(answer, None)
        self.changed.emit(True)

    def sign_out(self, *, revoke: bool = False) -> None:
        """Forget the tokens; ``revoke`` also ends ALL refresh tokens of this API key at the service."""
        with self._lock:
            tokens = self._tokens
            self._forget()
        if revoke and tokens is not None and tokens.refresh_token is not None:
            self._revoke(tokens.refresh_token)
        self.changed.emit(False)

    def _revoke(self, refresh_token: str) -> None:
        body = {
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
            "token": refresh_token,
        }
        try:
            answer = requests.post(f"{self._endpoints.sign_in}/oauth/revoke", json=body, timeout=_TIMEOUT_S)
        except requests.RequestException as error:
            raise NetworkError(f"revoking the sign-in: {describe(error)}; the tokens here are forgotten") from error
        if answer.status_code != 200:
            raise SignInError(f"revoking the sign-in: the service answers {answer.status_code}")

    # ------------------------------------------------------------------------------------------ tokens

    def access_token(self) -> str:
        """A token with at least 90 s of life; refreshed before if need be. SignInError where there is none."""
        with self._lock:
            tokens = self._signed_in()
            # Short-lived tokens are used for half their life at least.
            margin_s = min(MARGIN_S, tokens.life_s / 2.0)
            if self._clock.now_ns() >= tokens.expires_ns - int(margin_s * NS):
                tokens = self._refresh(tokens)
            return tokens.access_token

    def renew(self, failed: str) -> None:
        """``failed`` was refused: refresh, unless another thread has done so already."""
        with self._lock:
            tokens = self._signed_in()
            if tokens.access_token == failed:
                self._refresh(tokens)

    def _signed_in(self) -> StoredTokens:
        if self._tokens is None:
            raise SignInError("not signed in to TradeStation; sign in, then reconnect")
        return self._tokens

    def _refresh(self, tokens: StoredTokens) -> StoredTokens:
        if tokens.refresh_token is None:
            self._signed_out()
            raise SignInError("the sign-in has run out and cannot be renewed (scope offline_access is missing)")
        session = self._session(None)
        try:
            answer = self._asked(session, session.refresh_token, refresh_token=tokens.refresh_token)
        except SignInError:
            self._signed_out()
            raise
        return self._keep(answer, tokens.refresh_token)

    def _signed_out(self) -> None:
        self._forget()
        self.changed.emit(False)

    def _forget(self) -> None:
        """Use the tokens no longer; where they cannot be removed, the next start finds out that they are of no use."""
        self._tokens = None
        try:
            self._store.clear()
        except OSError as error:
            LOG.warning("the old sign-in cannot be removed: %s", error.strerror or error)

    def _keep(self, answer: dict[str, Any], refresh_token: str | None) -> StoredTokens:
        """Store first, then use; where they cannot be stored, they serve until the program ends."""
        life_s = float(answer.get("expires_in") or 1200.0)
        tokens = StoredTokens(
            access_token=str(answer["access_token"]),
            refresh_token=answer.get("refresh_token") or refresh_token,
            expires_ns=self._clock.now_ns() + int(life_s * NS),
            life_s=life_s,
        )
        try:
            self._store.save(tokens)
        except OSError as error:
            LOG.warning("the sign-in cannot be kept: %s; sign in again at the next start", error.strerror or error)
        self._tokens = tokens
        return tokens

    # ---------------------------------------------------------------------------------------- details

    def _session(self, redirect_uri: str | None) -> Any:
        from authlib.integrations.requests_client import OAuth2Session

        secret = self._credentials.client_secret
        return OAuth2Session(
            self._credentials.client_id,
            secret,
            scope=" ".join(self._scopes),
            redirect_uri=redirect_uri,
            token_endpoint_auth_method="client_secret_post" if secret else "none",
            code_challenge_method=None if secret else "S256",
        )

    def _asked(self, session: Any, ask: Callable[..., Any], **form: Any) -> dict[str, Any]:
        """The token answer; what stands in the way as one of our errors, without anything secret in it."""
        from authlib.integrations.base_client import OAuthError

        try:
            answer = dict(ask(f"{self._endpoints.sign_in}/oauth/token", timeout=_TIMEOUT_S, **form))
        except OAuthError as error:
            raise SignInError(f"the sign-in is refused ({error.error}: {error.description}); sign in again") from None
        except requests.HTTPError as error:
            raise NetworkError(f"signing in: the service fails ({error.response.status_code}); try again") from None
        except requests.RequestException as error:
            raise NetworkError(f"signing in: {describe(error)}; check the network") from None
        except ValueError:
            raise NetworkError("signing in: the answer is no JSON; try again later") from None
        finally:
            session.close()
        if "access_token" not in answer:
            raise SignInError("the sign-in is refused (no access token in the answer); sign in again")
        return answer
