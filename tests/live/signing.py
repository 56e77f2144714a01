"""Signing in for tests: a user who consents, and a sign-in that is done."""

import threading

import requests

from data.tradestation.auth import ACCOUNT_SCOPES, Credentials, SignIn
from data.tradestation.emulator import Emulator
from data.tradestation.tokenstore import FileTokenStore

SECRET = Credentials("emulated-key", "emulated-secret")


def login(emulator: Emulator, store: FileTokenStore, credentials: Credentials = SECRET) -> SignIn:
    """A sign-in that nobody has gone through yet."""
    return SignIn(credentials, emulator.endpoints, store, emulator.clock, scopes=ACCOUNT_SCOPES)


def browse(url: str) -> None:
    """A user who consents: the browser follows the redirect."""
    threading.Thread(target=lambda: requests.get(url, timeout=10).close(), name="browser").start()


def signed_in(emulator: Emulator, store: FileTokenStore, credentials: Credentials = SECRET) -> SignIn:
    """One that the user has gone through."""
    sign_in = login(emulator, store, credentials)
    sign_in.sign_in(browse, ports=(0,), timeout=10)
    return sign_in
