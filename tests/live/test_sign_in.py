"""Signing in, staying signed in, and where the tokens are kept."""

import io
import json
import logging
import random
import socket
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import keyring
import keyring.backend
import keyring.backends.fail
import pytest
import requests

from data.errors import NetworkError, SignInError
from data.tradestation.auth import Credentials, SignIn
from data.tradestation.callback import CallbackListener
from data.tradestation.clock import SystemClock
from data.tradestation.emulator import AuthHabits, Emulator, Fault, FaultKind, Scenario
from data.tradestation.endpoints import Endpoints
from data.tradestation.events import FeedState
from data.tradestation.feed import SymbolFeed
from data.tradestation.rest import TradeStationClient
from data.tradestation.tokenstore import (
    FileTokenStore,
    KeyringTokenStore,
    Redacting,
    StoredTokens,
    default_store,
    redact,
)
from tests.live.harness import MINUTE, QUICK, RATE, Consumer
from tests.live.signing import SECRET, browse, login, signed_in

PUBLIC = Credentials("emulated-key")


@pytest.mark.parametrize("credentials", [SECRET, PUBLIC], ids=["secret", "pkce"])
def test_a_user_signs_in_on_the_page_and_the_token_works(credentials: Credentials, store: FileTokenStore) -> None:
    habits = AuthHabits(pkce=credentials is PUBLIC)
    with Emulator(Scenario(auth=habits)) as emulator:
        sign_in = signed_in(emulator, store, credentials)
        client = TradeStationClient(emulator.endpoints, sign_in, emulator.clock)

        assert [row["AccountID"] for row in client.accounts()] == ["SIM1234567F", "SIM1234567M"]
        client.close()


@pytest.mark.parametrize(
    ("habits", "words"),
    [(AuthHabits(deny=True), "User did not authorize"), (AuthHabits(wrong_state=True), "another state")],
    ids=["denied", "wrong state"],
)
def test_a_sign_in_that_goes_wrong_says_why_and_keeps_nothing(
    habits: AuthHabits, words: str, store: FileTokenStore
) -> None:
    with Emulator(Scenario(auth=habits)) as emulator:
        sign_in = login(emulator, store)
        with pytest.raises(SignInError, match=words):
            sign_in.sign_in(browse, ports=(0,), timeout=10)

        assert not sign_in.signed_in
        assert store.load() is None


def test_a_wrong_secret_is_refused(store: FileTokenStore) -> None:
    with Emulator() as emulator, pytest.raises(SignInError, match="invalid_grant"):
        signed_in(emulator, store, Credentials("emulated-key", "not the secret"))


def test_nobody_signing_in_ends_after_the_time_limit_or_when_cancelled(store: FileTokenStore) -> None:
    cancel = threading.Event()
    cancel.set()
    with Emulator() as emulator:
        with pytest.raises(SignInError, match="nobody signed in"):
            login(emulator, store).sign_in(str, ports=(0,), timeout=0.1)
        with pytest.raises(SignInError, match="cancelled"):
            login(emulator, store).sign_in(str, ports=(0,), cancel=cancel)


def test_a_taken_port_gives_way_to_the_next_one_and_none_free_is_an_error() -> None:
    with CallbackListener((0,)) as first:
        taken = int(first.redirect_uri.rsplit(":", 1)[1])
        with CallbackListener((taken, 0)) as second:
            assert second.redirect_uri != first.redirect_uri
        with pytest.raises(SignInError, match=str(taken)):
            CallbackListener((taken,))


def test_a_token_is_refreshed_before_it_runs_out(store: FileTokenStore) -> None:
    """Access tokens of 2 s: never one that has expired is sent."""
    with Emulator(Scenario(auth=AuthHabits(expires_in=2.0), rate=10.0)) as emulator:
        sign_in = signed_in(emulator, store)
        client = TradeStationClient(emulator.endpoints, sign_in, emulator.clock)
        for _ in range(6):
            client.accounts()
            emulator.clock.wait(threading.Event(), 1.0)

        assert emulator.requests.count("POST /oauth/token") >= 4
        client.close()


def test_a_rotated_refresh_token_is_stored_before_the_access_token_is_used(
    store: FileTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Emulator(Scenario(auth=AuthHabits(rotate=True))) as emulator:
        sign_in = signed_in(emulator, store)
        first, before = store.load(), sign_in.access_token()
        assert first is not None

        used_while_storing: list[str] = []
        save = FileTokenStore.save

        def watched(own: FileTokenStore, tokens: StoredTokens) -> None:
            used_while_storing.append(sign_in.access_token())
            save(own, tokens)

        with monkeypatch.context() as patch:
            patch.setattr(FileTokenStore, "save", watched)
            sign_in.renew(before)
        stored = store.load()

        assert used_while_storing == [before]
        assert stored is not None
        assert stored.access_token == sign_in.access_token() != before


def test_rotation_goes_on_and_the_old_refresh_token_is_dead(store: FileTokenStore) -> None:
    with Emulator(Scenario(auth=AuthHabits(rotate=True))) as emulator:
        sign_in = signed_in(emulator, store)
        old = store.load()
        for _ in range(3):
            sign_in.renew(sign_in.access_token())
        new = store.load()
        assert old is not None
        assert new is not None
        assert new.refresh_token != old.refresh_token

        store.save(old)
        late = login(emulator, store)
        with pytest.raises(SignInError, match="invalid_grant"):
            late.renew(old.access_token)
        assert not late.signed_in


def test_without_rotation_the_refresh_token_is_kept(store: FileTokenStore) -> None:
    with Emulator() as emulator:
        sign_in = signed_in(emulator, store)
        old = store.load()
        sign_in.renew(sign_in.access_token())
        new = store.load()

        assert old is not None
        assert new is not None
        assert new.refresh_token == old.refresh_token
        assert new.access_token != old.access_token


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refresh_that_fails_signs_out_whatever_its_status(status: int, store: FileTokenStore) -> None:
    with Emulator(Scenario(auth=AuthHabits(refusal_status=status))) as emulator:
        sign_in = signed_in(emulator, store)
        told: list[bool] = []
        sign_in.changed.connect(told.append)
        emulator.auth.revoke_all()
        with pytest.raises(SignInError, match="sign in again"):
            sign_in.renew(sign_in.access_token())

        assert told == [False]
        assert store.load() is None


def test_an_outage_while_refreshing_does_not_sign_out(store: FileTokenStore) -> None:
    with Emulator() as emulator:
        sign_in = signed_in(emulator, store)
        emulator.inject(Fault(kind=FaultKind.UNAVAILABLE, path="/oauth/token"))
        with pytest.raises(NetworkError):
            sign_in.renew(sign_in.access_token())

        assert sign_in.signed_in
        sign_in.renew(sign_in.access_token())


def test_the_absolute_life_of_a_sign_in_ends_it(store: FileTokenStore) -> None:
    """Refresh tokens with a day's absolute life: a new sign-in each day."""
    habits = AuthHabits(rotate=True, absolute_s=86_400.0)
    with Emulator(Scenario(auth=habits, rate=1_000_000.0)) as emulator:
        sign_in = signed_in(emulator, store)
        emulator.clock.wait(threading.Event(), 86_401.0)
        with pytest.raises(SignInError):
            sign_in.access_token()


def test_threads_that_meet_a_401_together_refresh_once(store: FileTokenStore) -> None:
    with Emulator() as emulator:
        sign_in = signed_in(emulator, store)
        failed = sign_in.access_token()
        threads = [threading.Thread(target=sign_in.renew, args=(failed,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert emulator.requests.count("POST /oauth/token") == 2, "one for the code, one for the refresh"


def test_signing_out_with_revocation_kills_the_refresh_token(store: FileTokenStore) -> None:
    with Emulator() as emulator:
        sign_in = signed_in(emulator, store)
        kept = store.load()
        sign_in.sign_out(revoke=True)
        assert kept is not None
        store.save(kept)

        with pytest.raises(SignInError):
            login(emulator, store).renew(kept.access_token)


def test_a_feed_shows_signed_out_and_goes_on_after_the_sign_in(store: FileTokenStore) -> None:
    with Emulator(Scenario(rate=RATE)) as emulator:
        sign_in = login(emulator, store)
        client = TradeStationClient(emulator.endpoints, sign_in, emulator.clock)
        feed = SymbolFeed(client, "ESH24", MINUTE, 20, rng=random.Random(1), settings=QUICK)
        sign_in.changed.connect(lambda _: feed.sign_in_changed())
        feed.start()
        consumer = Consumer(feed)
        consumer.until_state(FeedState.SIGNED_OUT)
        sign_in.sign_in(browse, ports=(0,), timeout=10)
        consumer.until_live()
        consumer.until_closed(1)
        feed.stop()
        client.close()

        assert FeedState.LIVE not in consumer.states[: consumer.states.index(FeedState.SIGNED_OUT)]
        assert consumer.states[-1] is FeedState.LIVE


# ---------------------------------------------------------------------------------------------------- storage


def test_the_token_file_is_for_its_owner_alone(store: FileTokenStore, tmp_path: Path) -> None:
    store.save(StoredTokens("a", "r", 5, 1200.0))
    file = tmp_path / "private" / "tokens.json"

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["tokens.json"]
    assert store.load() == StoredTokens("a", "r", 5, 1200.0)


def test_a_damaged_token_file_means_signed_out(store: FileTokenStore, tmp_path: Path) -> None:
    store.save(StoredTokens("a", "r", 5, 1200.0))
    (tmp_path / "private" / "tokens.json").write_text('{"access_token": "a"', "utf-8")

    assert store.load() is None


class MemoryKeyring(keyring.backend.KeyringBackend):
    priority = 1.0  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def use_keyring(monkeypatch: pytest.MonkeyPatch) -> Callable[[keyring.backend.KeyringBackend], None]:
    def use(backend: keyring.backend.KeyringBackend) -> None:
        for name in ("get_password", "set_password", "delete_password"):
            monkeypatch.setattr(keyring, name, getattr(backend, name))

    return use


def test_a_keyring_that_works_is_preferred(
    use_keyring: Callable[[keyring.backend.KeyringBackend], None], tmp_path: Path
) -> None:
    use_keyring(MemoryKeyring())
    kept = default_store("live", tmp_path)
    kept.save(StoredTokens("a", None, 5, 1200.0))

    assert isinstance(kept, KeyringTokenStore)
    assert kept.load() == StoredTokens("a", None, 5, 1200.0)
    kept.clear()
    kept.clear()
    assert kept.load() is None
    assert not list(tmp_path.iterdir())


def test_a_keyring_that_locks_itself_ends_neither_a_feed_nor_a_sign_out(
    use_keyring: Callable[[keyring.backend.KeyringBackend], None], caplog: pytest.LogCaptureFixture
) -> None:
    """It worked when it was chosen. A refresh that the service refuses must say so all the same, and no more."""
    use_keyring(MemoryKeyring())
    with Emulator(Scenario(auth=AuthHabits())) as emulator:
        sign_in = signed_in(emulator, KeyringTokenStore("abcd1234"))
        emulator.auth.revoke_all()
        use_keyring(keyring.backends.fail.Keyring())
        with caplog.at_level(logging.WARNING), pytest.raises(SignInError):
            sign_in.renew(sign_in.access_token())

        assert not sign_in.signed_in
        assert "the old sign-in cannot be removed: the keyring refuses" in caplog.text
        assert KeyringTokenStore("abcd1234").load() is None
        sign_in.sign_out()


def test_without_a_keyring_a_file_serves(
    use_keyring: Callable[[keyring.backend.KeyringBackend], None], tmp_path: Path
) -> None:
    use_keyring(keyring.backends.fail.Keyring())
    kept = default_store("live", tmp_path)
    kept.save(StoredTokens("a", None, 5, 1200.0))

    assert isinstance(kept, FileTokenStore)
    assert json.loads((tmp_path / "tradestation-live.json").read_text("utf-8"))["access_token"] == "a"


def test_a_traceback_in_a_log_has_no_secret_either() -> None:
    """The last line of a traceback is the error's text, which a library may have made of a whole request."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.addFilter(Redacting())
    logger = logging.Logger("test of redaction in tracebacks")
    logger.addHandler(handler)
    try:
        raise RuntimeError("POST refresh_token=secret-refresh-token&client_id=a")
    except RuntimeError:
        logger.exception("the request failed")

    assert "secret-refresh-token" not in written.getvalue()
    assert "RuntimeError: POST refresh_token=...&client_id=a" in written.getvalue()


def test_nothing_secret_is_shown_or_logged(store: FileTokenStore, caplog: pytest.LogCaptureFixture) -> None:
    tokens = StoredTokens("secret-access-token", "secret-refresh-token", 5, 1200.0)
    store.save(tokens)
    sign_in = SignIn(Credentials("key-of-a-user", "hush-hush"), Endpoints.sim(), store, SystemClock())
    logger = logging.getLogger("test of redaction")
    logger.addFilter(Redacting())
    with caplog.at_level(logging.INFO):
        logger.info("sent %s", "Authorization: Bearer secret-access-token")
    shown = f"{tokens!r} {sign_in!r} {caplog.text} {redact('refresh_token=secret-refresh-token&x=1')}"

    assert "secret-" not in shown
    assert "hush" not in shown
    assert "of-a-user" not in shown
    assert "x=1" in shown


def test_a_connection_that_says_nothing_does_not_keep_the_answer_out() -> None:
    """Browsers open connections ahead of need."""
    with CallbackListener((0,)) as listener:
        port = int(listener.redirect_uri.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port)):
            answer = requests.get(f"http://127.0.0.1:{port}/?code=abc&state=s", timeout=3)

            assert answer.status_code == 200
            assert listener.wait("s", 1.0) == "abc"


def test_tokens_that_cannot_be_kept_are_used_and_the_log_says_so(
    store: FileTokenStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk must not end a feed: only the next start needs a new sign-in."""

    def refuse(tokens: StoredTokens) -> None:
        raise OSError(28, "No space left on device")

    with Emulator(Scenario(auth=AuthHabits(rotate=True))) as emulator:
        sign_in = signed_in(emulator, store)
        monkeypatch.setattr(store, "save", refuse)
        before = sign_in.access_token()
        with caplog.at_level(logging.WARNING):
            sign_in.renew(before)

        assert sign_in.signed_in
        assert sign_in.access_token() != before
    assert any("No space left on device" in text and "sign in again" in text for text in caplog.messages)
