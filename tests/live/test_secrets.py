"""No key, secret, token or code reaches a log, an error, a state, a file of an account or the window."""

import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from PyQt6.QtWidgets import QAbstractItemView, QApplication, QWidget

from bots.catalog import make_bot
from data.errors import TriphaseError
from data.tradestation.auth import Credentials, SignIn
from data.tradestation.emulator import AuthHabits, Emulator, Fault, FaultKind, Scenario
from data.tradestation.events import FeedState, StatusChanged
from data.tradestation.live import LiveFeed
from data.tradestation.rest import TradeStationClient
from data.tradestation.tokenstore import FileTokenStore, StoredTokens
from engine.live import LiveSection, LiveSession
from research.live.logs import logging_to
from tests.app.live_windows import opened, scenario
from tests.live.harness import QUICK, RATE
from tests.live.paper_market import config
from tests.live.sessions import SYMBOLS, wait
from tests.live.signing import browse

KEY, SECRET = "key-4711-of-somebody", "hush-hush-0815-secret"
FAULTS = (
    Fault(kind=FaultKind.UNAUTHORIZED, at=70.0, path="barcharts", times=2),
    Fault(kind=FaultKind.CUT, at=65.0, path="stream/barcharts"),
    Fault(kind=FaultKind.NOT_JSON, at=100.0, path="v3/marketdata/barcharts"),
    Fault(kind=FaultKind.RESET, at=110.0, path="stream/barcharts"),
    Fault(kind=FaultKind.UNAVAILABLE, at=110.0, path="stream/barcharts", times=2),
)
HABITS = AuthHabits(client_id=KEY, client_secret=SECRET, rotate=True, expires_in=60.0)


class Remembering(FileTokenStore):
    """A store that a test can ask for all tokens there ever were."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.all: set[str] = set()

    def save(self, tokens: StoredTokens) -> None:
        super().save(tokens)
        self.all |= {tokens.access_token, tokens.refresh_token or ""} - {""}


@contextmanager
def signed_in_session(folder: Path) -> Iterator[tuple[Emulator, LiveSession, SignIn, Remembering]]:
    """A session with a real sign-in whose tokens live for a minute, and a line that breaks in every way."""
    given = config(symbols=("ESH24",))
    with Emulator(Scenario(rate=RATE, symbols=SYMBOLS, auth=HABITS, faults=FAULTS)) as emulator:
        store = Remembering(folder / "private" / "tokens.json")
        sign_in = SignIn(Credentials(KEY, SECRET), emulator.endpoints, store, emulator.clock)
        sign_in.sign_in(browse, ports=(0,), timeout=10)
        client = TradeStationClient(emulator.endpoints, sign_in, emulator.clock)
        feed = LiveFeed(client, random.Random(1), settings=QUICK)
        sign_in.changed.connect(lambda _: feed.sign_in_changed())
        fresh = lambda: make_bot(given.bot, given.exit)  # noqa: E731
        made = LiveSession(given, LiveSection(history_bars=60), feed, emulator.clock, fresh, folder / "account")
        yield emulator, made, sign_in, store


def assert_no_secret(text: str, store: Remembering) -> None:
    assert len(store.all) >= 4
    found = [secret[:12] for secret in (SECRET, KEY, *store.all) if secret in text]
    assert found == []


def live_through_it(made: LiveSession, emulator: Emulator) -> list[str]:
    """Until every fault has struck, bars have come again, and the sign-in has been revoked; all states as texts."""
    said: list[str] = []
    made.happened.connect(lambda event: said.append(repr(event)) if isinstance(event, StatusChanged) else None)
    wait(made.poll, lambda: emulator.faults.pending == () and emulator.clock.monotonic() > 150.0, "all faults")
    live = (FeedState.LIVE, FeedState.DELAYED)
    wait(made.poll, lambda: all(one.state in live for one in made.statuses.values()), "live again")
    emulator.auth.revoke_all()
    made.feed.reconnect()
    wait(made.poll, lambda: made.signed_out, "signed out")
    return said


def test_no_secret_is_in_a_log_an_error_a_state_or_a_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With every library's log at its most talkative, and every file that is written read again."""
    # The browser, which a test plays in this process, has the key in its address: it is not listened to.
    with signed_in_session(tmp_path) as (emulator, made, sign_in, store), caplog.at_level(logging.DEBUG):
        caplog.clear()
        with logging_to(tmp_path / "account"):
            logging.getLogger().setLevel(logging.DEBUG)
            made.start()
            try:
                said = live_through_it(made, emulator)
            finally:
                made.close()
        objects = (made.feed.client, sign_in, Credentials(KEY, SECRET), store.load(), made.statuses, made.trouble)
        errors = [error_of(sign_in), *(repr(thing) for thing in objects)]
    files = [path for path in (tmp_path / "account").rglob("*") if path.is_file()]

    assert "live.log" in {path.name for path in files}
    assert "Starting new HTTP connection" in caplog.text
    assert_no_secret(caplog.text, store)
    assert_no_secret("\n".join([*said, *errors]), store)
    for path in files:
        assert_no_secret(path.read_bytes().decode("latin-1"), store)


def error_of(sign_in: SignIn) -> str:
    """What a program that asks for a token is told after the sign-in was revoked."""
    with pytest.raises(TriphaseError) as raised:
        sign_in.access_token()
    return f"{raised.value!r} {raised.value.__cause__!r} {raised.value.__context__!r}"


def test_a_code_in_the_callback_s_address_is_not_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The page's redirect carries a code that is worth tokens."""
    codes: list[str] = []

    def browser(url: str) -> None:
        answer = requests.get(url, allow_redirects=False, timeout=10)
        target = answer.headers["Location"]
        codes.append(target.split("code=")[1].split("&")[0])
        browse(target)

    with caplog.at_level(logging.INFO), Emulator(Scenario(rate=RATE, auth=HABITS)) as emulator:
        store = Remembering(tmp_path / "tokens.json")
        SignIn(Credentials(KEY, SECRET), emulator.endpoints, store, emulator.clock).sign_in(
            browser, ports=(0,), timeout=10
        )

    assert codes[0] not in caplog.text
    assert store.load() is not None


def words_of(window: QWidget) -> str:
    """Every text that a window and its parts show or may show: labels, buttons, hints, tables."""
    said = []
    for widget in (window, *window.findChildren(QWidget)):
        said += [widget.windowTitle(), widget.toolTip(), widget.statusTip(), widget.accessibleName()]
        text = getattr(widget, "text", None)
        said += [str(text())] if callable(text) else []
        plain = getattr(widget, "toPlainText", None)
        said += [str(plain())] if callable(plain) else []
    for table in window.findChildren(QAbstractItemView):
        model = table.model()
        rows, columns = (0, 0) if model is None else (model.rowCount(), model.columnCount())
        said += [str(model.index(r, c).data()) for r in range(rows) for c in range(columns) if model is not None]
    return "\n".join(said)


def test_no_token_is_shown_in_the_window(qapp: QApplication, tmp_path: Path) -> None:
    """While the line breaks and the token is refused again and again."""
    refused = Fault(kind=FaultKind.UNAUTHORIZED, path="barcharts", times=3)
    cut = Fault(kind=FaultKind.CUT, at=40.0, path="stream/barcharts")
    seen: set[str] = set()
    said = ""
    with Emulator(scenario(refused, cut)) as emulator, opened(emulator, tmp_path) as window:
        tokens = window.session.feed.client.tokens
        deadline = time.monotonic() + 30.0
        while time.monotonic() < deadline and (emulator.faults.pending or len(seen) < 3 or "ESH24" not in said):
            qapp.processEvents()
            seen.add(tokens.access_token())
            said = f"{said}\n{words_of(window)}"
            time.sleep(0.05)

    assert len(seen) >= 2
    assert "ESH24" in said
    assert [token for token in seen if token in said] == []
