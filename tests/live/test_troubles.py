"""Troubles around the line: tokens, clocks, sleep, networks, disks. What the user sees, and that no bar is lost."""

import logging
import random
import socket
import threading
from pathlib import Path

import pytest

from data.errors import SignInError
from data.tradestation.bars import parse_time
from data.tradestation.clock import ScaledClock
from data.tradestation.emulator import AuthHabits, Emulator, Fault, FaultKind, Scenario
from data.tradestation.endpoints import Endpoints
from data.tradestation.events import FeedState, StatusChanged
from data.tradestation.feed import SymbolFeed
from data.tradestation.rest import TradeStationClient
from data.tradestation.tokenstore import FileTokenStore
from engine.errors import SaveError
from tests.live.harness import MINUTE, QUICK, RATE, Consumer, running, unlike_truth
from tests.live.paper_market import config
from tests.live.sessions import SYMBOLS, run_of, session, wait, wrong_bars
from tests.live.signing import browse, login, signed_in

STREAM = "stream/barcharts"


def reasons(consumer: Consumer) -> list[tuple[FeedState, str]]:
    return [(e.status.state, e.status.reason) for e in consumer.events if isinstance(e, StatusChanged)]


# ----------------------------------------------------------------------------------------------------- tokens


def test_a_token_refused_though_just_renewed_is_tried_again_and_does_not_sign_out() -> None:
    """Two refusals in a row: the service has a fault of its own; the sign-in is good."""
    with running(Scenario(rate=RATE)) as (emulator, consumer):
        consumer.until_live()
        consumer.until_closed(1)
        emulator.inject(Fault(kind=FaultKind.UNAUTHORIZED, path=STREAM, times=2))
        emulator.inject(Fault(kind=FaultKind.CUT, path=STREAM))
        consumer.until(lambda: any("just been renewed" in text for _, text in reasons(consumer)), "the refusal")
        consumer.until_live()
        consumer.until_closed(2)

        assert FeedState.SIGNED_OUT not in consumer.states
        assert unlike_truth(emulator, consumer) == {}


def test_refusals_that_last_show_signed_out_and_a_service_that_recovers_ends_it() -> None:
    with running(Scenario(rate=RATE)) as (emulator, consumer):
        consumer.until_live()
        consumer.until_closed(1)
        emulator.inject(Fault(kind=FaultKind.UNAUTHORIZED, path=STREAM, times=12))
        emulator.inject(Fault(kind=FaultKind.CUT, path=STREAM))
        consumer.until_state(FeedState.SIGNED_OUT)
        consumer.until_live()
        consumer.until_closed(2)

        assert any("sign in again" in text for state, text in reasons(consumer) if state is FeedState.SIGNED_OUT)
        assert unlike_truth(emulator, consumer) == {}


@pytest.mark.parametrize("habits", [AuthHabits(), AuthHabits(rotate=True)], ids=["kept", "rotating"])
def test_a_revoked_sign_in_is_shown_and_the_next_one_fills_in_what_was_missed(
    habits: AuthHabits, store: FileTokenStore
) -> None:
    """Revoked on the service's page while bars come: the refresh is refused."""
    with Emulator(Scenario(rate=RATE, auth=habits)) as emulator:
        sign_in = signed_in(emulator, store)
        client = TradeStationClient(emulator.endpoints, sign_in, emulator.clock)
        feed = SymbolFeed(client, "ESH24", MINUTE, 20, rng=random.Random(1), settings=QUICK)
        sign_in.changed.connect(lambda _: feed.sign_in_changed())
        feed.start()
        consumer = Consumer(feed)
        try:
            consumer.until_live()
            consumer.until_closed(1)
            emulator.auth.revoke_all()
            emulator.inject(Fault(kind=FaultKind.CUT, path=STREAM))
            consumer.until_state(FeedState.SIGNED_OUT)
            assert "sign in again" in feed.status.reason
            assert store.load() is None
            emulator.clock.wait(feed._stop, 130.0)
            sign_in.sign_in(browse, ports=(0,), timeout=10)
            consumer.until_live()
            consumer.until_closed(3)

            assert any(closing.backfilled for closing in consumer.closings)
            assert unlike_truth(emulator, consumer) == {}
        finally:
            feed.stop()
            client.close()


def test_a_sign_in_that_has_run_out_over_night_says_so_at_the_start(store: FileTokenStore) -> None:
    """The absolute life of the refresh token is over: nothing is renewed, the user is asked to sign in."""
    with Emulator(Scenario(rate=RATE, auth=AuthHabits(absolute_s=30.0, expires_in=10.0))) as emulator:
        signed_in(emulator, store)
        emulator.clock.wait(threading.Event(), 60.0)
        with pytest.raises(SignInError, match="sign in again"):
            login(emulator, store).access_token()

        assert store.load() is None


def test_an_entitlement_that_is_missing_is_named_and_the_user_s_reconnect_tries_again() -> None:
    """403 on connecting: waiting would not help, so nothing is asked until somebody has bought the data."""
    with running(Scenario(rate=RATE)) as (emulator, consumer):
        consumer.until_live()
        consumer.until_closed(1)
        emulator.inject(Fault(kind=FaultKind.FORBIDDEN, path=STREAM))
        emulator.inject(Fault(kind=FaultKind.CUT, path=STREAM))
        consumer.until_state(FeedState.FAILED)
        asked = len(emulator.requests)
        emulator.clock.wait(threading.Event(), 60.0)

        assert "lacks the scope or the market-data subscription" in consumer.feed.status.reason
        assert len(emulator.requests) == asked
        consumer.feed.reconnect()
        consumer.until_live()
        consumer.until_closed(2)
        assert unlike_truth(emulator, consumer) == {}


# ------------------------------------------------------------------------------------------------ the machine


def test_a_clock_that_is_minutes_off_is_warned_of_and_bars_stay_right(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given = config(symbols=("ESH24",))
    with (
        caplog.at_level(logging.WARNING),
        session(tmp_path, Scenario(rate=RATE, symbols=SYMBOLS, clock_offset_s=420.0), given) as (emulator, made),
    ):
        run = run_of(made)
        begun = run.next_bar
        wait(made.poll, lambda: run.next_bar >= begun + 3, "three bars")
        wait(made.poll, lambda: wrong_bars(emulator, made) == {}, "all bars as the market made them")

    said = [record.message for record in caplog.records if "clock is" in record.message]
    assert len(said) == 1
    assert "behind the service's; set it by the network" in said[0]


def test_a_folder_that_cannot_be_written_is_said_at_the_start(tmp_path: Path) -> None:
    """A disk that is full, or not ours: an account without a recording would be worth nothing."""
    file = tmp_path / "a-file"
    file.write_text("in the way")
    given = config(symbols=("ESH24",))
    with (
        session(file / "account", Scenario(rate=RATE, symbols=SYMBOLS), given) as (_, made),
        pytest.raises(SaveError, match="no account can be kept there"),
    ):
        wait(made.poll, lambda: made.account is not None, "an account")


class LateTokens:
    """Tokens of a service that is not there yet."""

    def __init__(self) -> None:
        self.emulator: Emulator | None = None
        self.token = "none yet"

    def access_token(self) -> str:
        return self.token

    def renew(self, failed: str) -> None:
        assert self.emulator is not None
        self.token = str(self.emulator.auth.grant()["access_token"])


def test_a_network_that_is_gone_at_the_start_is_said_and_waited_for() -> None:
    """Nobody listens at the address: connecting is tried again until somebody does."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    scenario = Scenario(rate=RATE)
    clock = ScaledClock(parse_time(scenario.start), RATE)
    tokens = LateTokens()
    client = TradeStationClient(Endpoints.at(f"http://127.0.0.1:{port}"), tokens, clock, retries=0)
    feed = SymbolFeed(client, "ESH24", MINUTE, 20, rng=random.Random(1), settings=QUICK)
    consumer = Consumer(feed)
    feed.start()
    try:
        consumer.until_state(FeedState.RECONNECTING)
        consumer.until(lambda: feed.status.attempt >= 3, "several attempts")
        assert "cannot be reached; check the network" in feed.status.reason
        with Emulator(scenario, port=port) as emulator:
            tokens.emulator = emulator
            consumer.until_live()
            consumer.until_closed(2)

            assert unlike_truth(emulator, consumer) == {}
            feed.stop()
    finally:
        feed.stop()
        client.close()
