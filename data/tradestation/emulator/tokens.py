"""Tokens of an emulator in this process: for a demo that asks nobody to sign in."""

import threading

from data.tradestation.emulator.server import Emulator


class GrantedTokens:
    """Tokens straight from the emulator's desk, renewed there; safe to use from several threads.

    ``scopes``: what they are for; none: what the emulator grants by itself.
    """

    def __init__(self, emulator: Emulator, *scopes: str) -> None:
        self._emulator, self._scopes = emulator, scopes
        self._lock = threading.Lock()
        self._token = self._new()

    def _new(self) -> str:
        return str(self._emulator.auth.grant(*self._scopes)["access_token"])

    def access_token(self) -> str:
        """A token with life left."""
        with self._lock:
            return self._token

    def renew(self, failed: str) -> None:
        """Another token, unless that has happened already."""
        with self._lock:
            if failed == self._token:
                self._token = self._new()
